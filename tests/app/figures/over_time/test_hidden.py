"""The hidden states over time: what arrives of them in one byte, and their scale."""

from __future__ import annotations

import itertools

import numpy as np

from app.figures import FIGURES
from tests.app.figures.conftest import cases, drawn, finite, seen


@cases
def test_states_survive_the_journey_in_one_byte(case):
    info, frame, _ = seen(case)
    heat, e = drawn(case, "hidden")["data"][0], info.experiment
    scale, rows = heat["zmax"], np.asarray(heat["z"])
    assert heat["zmin"] == -scale and scale in (1, 5, 25, 125, 625, 1e4, 1e6)
    per_chain = len(rows) // (e.num_layers * e.directions)
    assert per_chain == min(e.hidden_size, max(4, 128 // (e.num_layers * e.directions)))
    chosen = np.unique(np.linspace(0, e.hidden_size - 1, per_chain).round().astype(int))
    for index, (layer, d) in enumerate(itertools.product(range(e.num_layers), range(e.directions))):
        truth = frame.hidden[layer, d][:, chosen].T
        known = ~np.isnan(truth)
        shown = rows[index * per_chain : (index + 1) * per_chain]
        wanted = np.clip(truth[known].astype(np.float64), -scale, scale)
        assert np.abs(shown[known] - wanted).max(initial=0) <= scale / 127


@finite
def test_the_scale_of_states_holds_them_and_is_no_larger_than_needed(case):
    scale = drawn(case, "hidden")["data"][0]["zmax"]
    reach = np.sort(np.abs(seen(case)[1].hidden).ravel())
    held = (reach <= scale).mean()
    smaller = max((each for each in (1, 5, 25, 125, 625, 1e4, 1e6) if each < scale), default=None)
    assert held > 0.985 or scale == 1e6
    assert smaller is None or (reach <= smaller).mean() < 0.995


def test_states_of_tanh_are_drawn_up_to_1_and_unbounded_ones_further():
    assert drawn("stacked", "hidden")["data"][0]["zmax"] == 1
    assert drawn("relu, unbounded", "hidden")["data"][0]["zmax"] > 1


def test_a_state_that_nothing_limits_is_never_saturated():
    for cell, words in (("gru", "saturated"), ("linear", ""), ("linear_signed", "")):
        info, frame, _ = seen(f"first_symbol_recall-many_to_one-{cell}")
        assert ("saturated" in FIGURES["hidden"].readout(info, frame)) == bool(words)
        assert ("Saturated" in FIGURES["hidden"].how(info)) == bool(words)


def test_a_relu_of_its_own_is_saturated_at_0():
    info, frame, _ = seen("first_symbol_recall-many_to_one-indrnn")
    share = (frame.hidden[:, :, frame.valid] == 0).mean()
    assert 0 < share < 1 and FIGURES["hidden"].readout(info, frame).endswith(f"{share:.0%} saturated")
