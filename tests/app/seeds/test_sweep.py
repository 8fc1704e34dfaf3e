"""Networks that differ in their seeds alone: which they are, how many updates they make, what was measured of them."""

from __future__ import annotations

import numpy as np
import pytest

from app.seeds.sweep import (
    ALL_SEEDS,
    FEWEST_UPDATES,
    MEASUREMENT,
    MOST_SECONDS,
    MOST_UPDATES,
    USUAL_UPDATES,
    Plan,
    SeedSweep,
)
from engine.data import read
from engine.data.dataset import dataset_of
from engine.data.defaults import defaults
from engine.many.training import train
from tests.app.seeds.conftest import DATA, GUESSING, SweepingPool, measured, report, sweep_of

LONG = DATA.replace(steps=1_000_000)


def test_the_networks_differ_in_their_seeds_alone_and_the_run_is_none_of_them():
    plan = Plan.of(DATA.replace(seed=7), 4, None, 0)
    assert [each.seed for each in plan.experiments] == [8, 9, 10, 11]
    assert {each.replace(seed=7) for each in plan.experiments} == {DATA.replace(seed=7)}


def test_after_the_last_seed_comes_the_first():
    last = DATA.replace(seed=ALL_SEEDS - 2)
    assert [each.seed for each in Plan.of(last, 4, None, 0).experiments] == [ALL_SEEDS - 1, 0, 1, 2]


def test_they_make_as_many_updates_as_the_run_where_that_takes_no_longer_than_ten_minutes():
    """1,000 updates, 25 measurements and that of the start; times two, since half of the worker's time is the run's."""
    plan = Plan.of(DATA.replace(steps=1000), 16, 0.01, runs_beside=1)
    assert plan.updates == 1000 and plan.measure_every == 40
    assert plan.seconds == pytest.approx(16 * (1000 + 26 * MEASUREMENT) * 0.01 * 2)
    assert Plan.of(LONG, 16, 1e-6, 0).updates == MOST_UPDATES


@pytest.mark.parametrize(("seeds", "beside"), [(8, 0), (16, 0), (16, 1), (16, 10)])
def test_they_make_fewer_where_it_would_take_longer(seeds, beside):
    plan = Plan.of(LONG, seeds, 0.01, beside)
    assert FEWEST_UPDATES < plan.updates < MOST_UPDATES
    assert 0.9 * MOST_SECONDS < plan.seconds <= MOST_SECONDS


def test_few_updates_are_measured_rarely():
    """Else measuring would take longer than training."""
    assert Plan.of(DATA.replace(steps=60), 4, 0.001, 0).measure_every == 20


def test_a_network_too_large_for_that_makes_a_few_updates_all_the_same():
    assert Plan.of(LONG, 16, 60.0, 0).updates == FEWEST_UPDATES
    assert Plan.of(LONG.replace(steps=5), 16, 60.0, 0).updates == 5


def test_without_a_measured_time_nothing_is_promised():
    plan = Plan.of(LONG, 16, None, 0)
    assert (plan.updates, plan.seconds) == (USUAL_UPDATES, None)
    assert Plan.of(DATA, 16, None, 0).updates == DATA.steps


def test_losses_are_known_where_all_networks_were_measured():
    sweep = sweep_of(2, measured(0, 0, 2.4), measured(1, 0, 2.5), measured(0, 50, 1.0))
    steps, losses = sweep.losses()
    assert steps.tolist() == [0] and losses.tolist() == [[2.4], [2.5]] and sweep.step == 0
    report(sweep.run, measured(1, 50, 2.0))
    assert sweep.step == 0  # not taken yet
    sweep.update()
    assert sweep.step == 50 and sweep.losses()[1].tolist() == [[2.4, 1.0], [2.5, 2.0]]


def test_a_network_that_diverged_has_an_infinite_loss_from_then_on():
    first = [measured(0, 0, 2.4), measured(1, 0, 2.5), measured(1, 3, 1e30, diverged=True)]
    sweep = sweep_of(2, *first, measured(0, 50, 1.0))
    steps, losses = sweep.losses()
    assert steps.tolist() == [0, 50] and losses.tolist() == [[2.4, 1.0], [2.5, np.inf]] and sweep.diverged == 1


def test_a_loss_that_is_no_number_is_infinite():
    assert sweep_of(1, measured(0, 0, float("nan"))).losses()[1].tolist() == [[np.inf]]


def test_solved_is_what_a_run_counts_as_solved_also_if_it_is_forgotten_again():
    sweep = sweep_of(
        4,
        *(measured(number, 0, 2.4) for number in range(4)),
        measured(0, 50, GUESSING / 11, 0.99), measured(1, 50, GUESSING / 9, 0.99), measured(2, 50, GUESSING / 11, 0.2),
        measured(3, 50, 2.4), measured(0, 100, 2.4), *(measured(number, 100, 2.4) for number in (1, 2, 3)),
    )  # fmt: skip
    assert (sweep.success.solved, sweep.success.of) == (1, 4)


def test_a_network_ahead_of_the_others_counts_once_they_have_come_as_far():
    sweep = sweep_of(2, measured(0, 0, 2.4), measured(1, 0, 2.4), measured(0, 50, 0.01, 0.99))
    assert sweep.success.solved == 0
    report(sweep.run, measured(1, 50, 2.4))
    sweep.update()
    assert sweep.success.solved == 1


def test_before_anything_was_measured_there_is_nothing():
    sweep = sweep_of(4)
    steps, losses = sweep.losses()
    assert len(steps) == 0 and losses.size == 0 and sweep.step == 0 and sweep.success.solved == 0


def test_it_goes_on_until_it_is_stopped():
    sweep = sweep_of(4)
    assert sweep.goes_on
    sweep.stop()
    assert not sweep.goes_on and sweep.run.stopped


def test_somebodys_own_data_are_trained_on():
    table = "day,sold\n" + "".join(f"2024-{1 + n // 28:02d}-{1 + n % 28:02d},{n % 7}\n" for n in range(84))
    own = defaults(read(table.encode(), "series", name="sold.csv")).replace(hidden_size=3, batch_size=4)
    sweep = SeedSweep(SweepingPool(), Plan(own, 4, 40, None))
    assert sweep.run.datasets == (dataset_of(own),)
    (stretches,) = sweep.run.shares(1)
    report(sweep.run, *(each for stretch in stretches for each in train(stretch).measurements))
    sweep.update()
    steps, losses = sweep.losses()
    assert steps.tolist() == [0, 20, 40] and losses.shape == (4, 3) and len(set(losses[:, 0])) == 4
