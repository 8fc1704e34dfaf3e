"""A race in which each lane trains its network with several seeds: all in step, and what is known of them together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from app.compare import text as compare_text
from app.figures.compare.base import SeedRecord, band
from app.figures.compare.catalogue import FIGURES
from app.race.lanes import Race, other_seeds
from engine.recording.history import HELD_OUT
from tests.app.figures.compare.test_figures import drawn, race
from tests.fakes import SMALL_LANE, FakeLanePool, race_setup


def record(losses: dict[int, float], state: str = "racing", solved_at: int | None = None) -> SeedRecord:
    return SeedRecord(np.array(sorted(losses.items()), HELD_OUT), solved_at, state)


def test_every_seed_of_a_lane_trains_in_step_and_ends_with_the_race():
    pool = FakeLanePool()
    made = Race(pool, race_setup("rnn", "gru").with_seeds(5), clock=iter(range(10**6)).__next__)  # type: ignore[arg-type]
    assert [each.experiment.seed for each in pool.runs] == [0, 1, 2, 3, 4] * 2
    assert {each.experiment.replace(seed=0) for each in pool.runs[:5]} == {SMALL_LANE}
    made.train()
    for turn in range(400):
        for place, each in enumerate(pool.runs):
            each.work(1 + (turn + place) % 2)
        made.tick(frames_wanted=True)
        assert max(each.step + each.ordered for each in pool.runs) <= made.step
    assert {each.step for each in pool.runs} == {SMALL_LANE.steps} and made.is_at_rest
    assert made.snapshots is not None and [len(each.others) for each in made.snapshots] == [4, 4]
    made.stop()
    assert all(each.stopped for each in pool.runs)


def test_the_seeds_follow_the_lanes_own_and_begin_again_after_the_last():
    assert [each.seed for each in other_seeds(SMALL_LANE.replace(seed=2**31 - 2), 2)] == [2**31 - 1, 0]


@pytest.fixture
def lane():
    """A lane measured at its steps, and four more seeds: one has broken, one has finished."""
    (one, *_) = race("three cells")
    measured = np.array([(0, 1.0), (100, 0.5), (200, 0.2)], HELD_OUT)
    one = dataclasses.replace(one, curves=dataclasses.replace(one.curves, held_out=measured), solved_at=180)
    others = (
        record({0: 1.1, 100: 0.9, 200: 0.8}), record({0: 0.9, 100: 0.3, 200: 0.1}, solved_at=150),
        record({0: 1.0, 100: 3.0}, "broken"), record({0: 1.0, 100: 0.1}, "finished", solved_at=90),
    )  # fmt: skip
    return dataclasses.replace(one, others=others)


def test_median_and_band_are_those_of_all_seeds(lane):
    steps, losses = lane.losses
    assert steps.tolist() == [0, 100, 200] and losses.shape == (5, 3)
    assert losses[3].tolist() == [1.0, 3.0, np.inf] and losses[4].tolist() == [1.0, 0.1, 0.1]
    assert lane.median[1].tolist() == pytest.approx([1.0, 0.5, 0.2]) and lane.solved_by == 3
    x, y = band(lane, 1.0, top=2.0)
    assert x.tolist() == [0, 100, 200, 200, 100, 0]
    assert y == pytest.approx([1.1, 2.0, 2.0, 0.1, 0.1, 0.9])  # up along the highest, back along the lowest


def test_a_step_at_which_one_seed_is_not_measured_yet_is_not_drawn(lane):
    late = dataclasses.replace(lane, others=(record({0: 1.0}),))
    assert late.losses[0].tolist() == [0]


def test_the_figure_shows_the_band_behind_the_median(lane):
    figure = drawn("race_loss", [lane, *race("three cells")[1:]])
    area, without = figure.data[4], figure.data[5]
    assert figure.data[0].y == pytest.approx([1.0, 0.5, 0.2]) and len(area.x) == 6 and len(without.x) == 0
    assert area.fill == "toself" and area.line.color == figure.data[0].line.color
    assert FIGURES["race_loss"].patch([lane])["data.1.y"] == pytest.approx([0.2])  # the end of the line


def test_words_count_the_seeds(lane):
    said = compare_text.verdict([dataclasses.replace(lane, frame=dataclasses.replace(lane.frame, step=200))])
    assert said == "At step 200 the RNN has solved it on 3 of 5 seeds, with a median loss of 0.20, 1 broke."
    rows = dict((row[0], row[1]) for row in compare_text.table([lane]))
    assert rows["Of all seeds: solved by"] == "3 of 5" and rows["Of all seeds: median loss"].startswith(
        "0.20 (0.10 to "
    )
    assert compare_text.card(lane)["still"].startswith("drawn: seed 0")
