"""The maps that come with the program: their tables are whole and up to date, and show what their claims say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from engine.lens.gain_lines import gain_of_unit_radius, gain_of_zero_exponent, largest_exponents
from engine.many.held_out import SeparateMeter
from engine.many.networks import make_networks
from engine.many.threads import one_thread
from engine.sweeps import table
from engine.sweeps.saved_maps import MAPS, SavedMap, saved_maps
from engine.sweeps.success import Outcome

every_map = pytest.mark.parametrize("shown", saved_maps(), ids=lambda shown: shown.slug)


@every_map
def test_the_table_has_every_network_to_its_last_step(shown: SavedMap):
    assert table.read_metadata(MAPS / f"{shown.slug}.parquet")["done"]
    last = {row.number: row for row in shown.rows}
    assert sorted(last) == list(range(len(shown.definition.experiments)))
    assert all(row.diverged or row.step == shown.definition.updates for row in last.values())


@every_map
def test_it_shows_what_it_claims(shown: SavedMap, subtests: pytest.Subtests):
    networks = shown.networks
    assert shown.view.claims
    for claim in shown.view.claims:
        with subtests.test(claim.says):
            value = claim.value(networks, shown.view.x)
            assert claim.holds(value), f"{value:.4g}, not between {claim.above:g} and {claim.below:g}"


@every_map
def test_the_engine_gives_the_same_rows_today(shown: SavedMap):
    """Those of the first network, up to its second measurement. Other processors round differently."""
    e, every = shown.definition.experiments[0], shown.definition.measure_every
    expected = [row for row in shown.rows if row.number == 0 and row.step <= every]
    with one_thread():
        networks = make_networks([e], beside=False)
        meter = SeparateMeter(networks)
        measured = meter.measure([0])
        for _ in range(every):
            networks.advance()
        measured += meter.measure([0])
    assert [row.step for row in expected] == [0, every]
    for row, (loss, metric, ratio) in zip(expected, measured, strict=True):
        assert (row.held_out_loss, row.ratio) == pytest.approx((loss, ratio), rel=1e-2)
        assert row.metric == pytest.approx(metric, abs=0.02)


# ---- theory


def test_no_gradient_of_a_plain_network_exceeds_what_the_norm_of_its_matrix_allows():
    """An orthogonal matrix times a gain stretches by the gain, and the slope of tanh is at most 1: gain ** steps."""
    for network in networks_of("gain-length", "rnn"):
        e = network.experiment
        assert network.ratio <= e.init_gain ** (e.seq_len - 1) * (1 + 1e-4)


def test_long_memories_are_learned_between_the_line_of_the_radius_and_that_of_chaos():
    solved = [
        each.experiment
        for each in networks_of("gain-length", "rnn")
        if each.solved_at is not None and each.experiment.seed == 0 and each.experiment.seq_len >= 17
    ]
    gains = saved("gain-length").definition.axes["init_gain"]
    chaos = gain_of_zero_exponent(gains, largest_exponents(solved[0], gains, sequences=1))
    middle = np.exp(np.mean([np.log(e.init_gain) for e in solved]))
    assert gain_of_unit_radius(solved[0]) < middle < chaos


def test_where_every_gradient_is_clipped_only_rate_times_threshold_counts():
    """An update is the rate times a gradient of the threshold's length: their product is the length of the update."""
    experiments, losses = saved("rate-clip").definition.experiments, {}
    for row in saved("rate-clip").rows:
        e = experiments[row.number]
        length = e.learning_rate * e.clip_threshold
        if e.clip_threshold < 0.3 and length < 0.015:  # a longer one lets roundings grow
            losses.setdefault((e.seed, row.step, round(3 * math.log10(length))), []).append(row.held_out_loss)
    assert max(map(len, losses.values())) == 5
    for alike in losses.values():
        assert alike == pytest.approx([alike[0]] * len(alike), rel=1e-4)


def saved(slug: str) -> SavedMap:
    return next(each for each in saved_maps() if each.slug == slug)


def networks_of(slug: str, cell: str) -> list[Outcome]:
    return [each for each in saved(slug).networks if each.experiment.cell == cell]
