"""Sweeps: the same rows wherever and in whichever stretches they are computed, and after everything was killed."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from engine.experiment import Experiment, ExperimentError
from engine.many import alike
from engine.many.stretch import Failed, Stretch, Trained
from engine.many.training import train
from engine.sweeps.journal import SweepError
from engine.sweeps.kept_networks import kept_network
from engine.sweeps.local import Local
from engine.sweeps.row import Row
from engine.sweeps.sweep import Progress, sweep
from engine.sweeps.worker import outcome_of
from engine.training import Trainer
from tests.engine.own_data import series

ROOT = Path(__file__).parents[3]
BASE = Experiment(task="adding", cell="rnn", hidden_size=4, seq_len=4, batch_size=4)
GRID = [BASE.replace(init_gain=gain, seed=seed) for gain in (0.5, 1.5) for seed in (0, 1)]
ALONE = BASE.replace(nonlinearity="sigmoid")
UPDATES, EVERY = 7, 3
STEPS = [0, 3, 6, 7]
EMPTY = Stretch(numbers=(), experiments=(), beside=True, updates=1, measure_every=1, seconds=1)


class Here:
    """A place in this process: a stretch is trained when its outcome is asked for."""

    def __init__(self, failing: int = 0) -> None:
        self.waiting: deque[Stretch] = deque()
        self.failing, self.trained, self.is_open = failing, 0, True

    def submit(self, stretch: Stretch) -> None:
        self.waiting.append(stretch)

    def next(self) -> tuple[Stretch, Trained | Failed]:
        stretch = self.waiting.popleft()
        self.trained += 1
        if self.trained <= self.failing:
            return stretch, Failed("It was unplugged.")
        return stretch, train(stretch)

    def close(self) -> None:
        self.is_open = False


@pytest.fixture(autouse=True)
def side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which way is faster here and now does not matter."""
    monkeypatch.setattr("engine.many.choice.pays", lambda experiments: len(experiments) > 1)


def swept(on: Any = None, experiments: list[Experiment] = GRID, **options: Any) -> list[Row]:
    rows = list(sweep(experiments, UPDATES, on or Here(), measure_every=EVERY, **options))
    return sorted(rows, key=lambda row: (row.number, row.step))


def test_every_network_has_a_row_at_every_measured_step():
    rows = swept(experiments=[*GRID, ALONE])
    assert [(row.number, row.step) for row in rows] == list(itertools.product(range(5), STEPS))
    assert [row.settings for row in rows[:: len(STEPS)]] == [
        {"init_gain": e.init_gain, "nonlinearity": e.nonlinearity, "seed": e.seed} for e in (*GRID, ALONE)
    ]
    assert not any(row.diverged for row in rows)


def test_rows_say_what_the_trainers_own_held_out_record_says():
    for e, rows in ((GRID[3], swept()[-len(STEPS) :]), (ALONE, swept(experiments=[ALONE]))):
        trainer = Trainer(e)
        trainer.frame()
        expected = [recorded(trainer)]
        for step in range(1, UPDATES + 1):
            trainer.advance()
            if step in STEPS:
                trainer.measure_held_out(now=True)
                expected.append(recorded(trainer))
        for row, values in zip(rows, expected, strict=True):
            assert (row.held_out_loss, row.metric, row.ratio) == pytest.approx(values, rel=1e-5)


def recorded(trainer: Trainer) -> tuple[float, float, float]:
    record = trainer._held_out.record
    return record.held_out_loss, record.held_out_metric, record.held_out_ratio


def test_rows_do_not_depend_on_where_a_stretch_ends():
    place = Here()
    assert swept(place, seconds=0) == swept()
    assert place.trained == UPDATES


def test_rows_do_not_depend_on_who_stands_beside(monkeypatch):
    everybody = swept()
    monkeypatch.setitem(alike.MOST, "cpu", 2)
    assert swept() == everybody


@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_sweep_goes_on_where_it_was(tmp_path, after):
    """After whatever number of stretches everything stops, the rows are those of an undisturbed sweep."""
    experiments = [*GRID, ALONE]
    progress: list[Progress] = []

    class Killed(Here):
        def next(self) -> tuple[Stretch, Trained | Failed]:
            if self.trained == after:
                raise KeyboardInterrupt
            return super().next()

    first = sweep(experiments, UPDATES, Killed(), measure_every=EVERY, seconds=0, folder=tmp_path / "kept")
    with pytest.raises(KeyboardInterrupt):
        list(first)
    place = Here()
    rows = swept(place, experiments, seconds=0, folder=tmp_path / "kept", on_progress=progress.append)
    assert rows == swept(experiments=experiments)
    assert place.trained == 2 * UPDATES - after
    assert (progress[-1].made, progress[-1].seconds_left) == (progress[-1].total, 0)
    assert progress[0].made > 0 and progress[0].total == len(experiments) * UPDATES
    again = Here()
    assert swept(again, experiments, folder=tmp_path / "kept") == rows and not again.trained


@pytest.mark.parametrize("number", [3, 4])
def test_a_kept_network_goes_on_in_a_trainer_of_its_own(tmp_path, number):
    rows = swept(experiments=[*GRID, ALONE], folder=tmp_path)
    e, checkpoint = kept_network(tmp_path, number)
    trainer = Trainer(e)
    trainer.restore(checkpoint)
    assert (e, trainer.step) == ([*GRID, ALONE][number], UPDATES)
    trainer.measure_held_out(now=True)
    assert recorded(trainer)[0] == rows[-1 if number == 4 else 4 * len(STEPS) - 1].held_out_loss
    with pytest.raises(SweepError, match="keeps no network 5"):
        kept_network(tmp_path, 5)
    with pytest.raises(SweepError, match="keeps no sweep"):
        kept_network(tmp_path / "other", 0)


def test_a_folder_with_another_sweep_is_refused(tmp_path):
    swept(folder=tmp_path)
    with pytest.raises(SweepError, match="keeps another sweep"):
        swept(experiments=GRID[:2], folder=tmp_path)
    plan = tmp_path / "sweep.json"
    kept = json.loads(plan.read_text())
    for wrong, says in (("{", "is damaged"), ("{}", "has no format"), (json.dumps({**kept, "format": 2}), "newer")):
        plan.write_text(wrong)
        with pytest.raises(SweepError, match=says):
            swept(folder=tmp_path)


def test_a_folder_stays_readable_when_experiments_have_a_new_setting(tmp_path):
    rows, plan = swept(folder=tmp_path), tmp_path / "sweep.json"
    kept = json.loads(plan.read_text())
    for settings in kept["experiments"]:
        del settings["head_dropout"]  # as an older program wrote it
    plan.write_text(json.dumps(kept))
    place = Here()
    assert swept(place, folder=tmp_path) == rows and not place.trained


def test_the_way_that_was_chosen_stays(tmp_path, monkeypatch):
    """It was measured, and might be measured otherwise the next time; the last bits depend on it."""
    swept(folder=tmp_path)
    monkeypatch.setattr("engine.many.choice.pays", lambda experiments: False)
    (tmp_path / "group-0000.npz").unlink()
    place = Here()
    swept(place, folder=tmp_path)
    assert place.trained == 1


def test_a_diverged_network_has_a_last_row_that_says_so():
    wild = BASE.replace(nonlinearity="relu", init="orthogonal", init_gain=10.0, seq_len=60)
    calm = wild.replace(init_gain=1.0)
    rows = swept(experiments=[wild, calm])
    of_wild, of_calm = ([row for row in rows if row.number == number] for number in (0, 1))
    assert of_wild[-1].diverged and of_wild[-1].step < UPDATES and not of_wild[0].diverged
    assert [row.step for row in of_calm] == STEPS and not any(row.diverged for row in of_calm)
    assert math.isfinite(of_calm[-1].held_out_loss)


def test_a_stretch_that_fails_is_tried_again_but_not_for_ever():
    assert swept(Here(failing=2)) == swept()
    place = Here(failing=3)
    with pytest.raises(SweepError, match="It was unplugged"):
        swept(place)
    assert not place.is_open


def test_cancelling_ends_the_place():
    place = Here()
    rows = sweep(GRID, UPDATES, place, measure_every=EVERY, seconds=0)
    next(rows)
    rows.close()
    assert not place.is_open


def test_own_data_are_refused():
    own = Experiment(task="own_data", task_options=series().options, rnn_type="many_to_many", held=series().to_task())
    with pytest.raises(ExperimentError, match="own data are not sent about"):
        swept(experiments=[own])


def test_a_process_gives_the_same_rows():
    place = Local(1)
    assert swept(place, [*GRID, ALONE], seconds=1000) == swept(experiments=[*GRID, ALONE])
    assert not place._busy and not place._free


def test_a_process_that_dies_is_replaced_and_its_stretch_has_failed():
    place = Local(2, worker="tests.engine.sweeps.stand_in")
    for updates in (0, 1, 2, 0, 3):
        place.submit(dataclasses.replace(EMPTY, updates=updates))
    ended = [place.next() for _ in range(5)]
    outcomes = sorted((stretch.updates, outcome.updates) for stretch, outcome in ended if isinstance(outcome, Trained))
    assert outcomes == [(1, 1), (2, 2), (3, 3)]
    failed = [(stretch.updates, outcome.reason) for stretch, outcome in ended if isinstance(outcome, Failed)]
    assert failed == [(0, "The process that trained it has ended (3).")] * 2
    place.close()


def test_an_error_while_training_is_a_sentence():
    wrong = dataclasses.replace(EMPTY, numbers=(0,), experiments=({**BASE.to_dict(), "cell": "gone"},))
    outcome = outcome_of(wrong)
    assert isinstance(outcome, Failed) and "cell must be" in outcome.reason
