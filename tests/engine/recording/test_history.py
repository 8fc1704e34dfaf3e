"""The curve of a run: bounded, even, true to what was added."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from engine.recording.history import ROW, History, SnapshotStore, size_of
from tests.cases import for_each

COUNTS = [1, 2, 9, 10, 11, 12, 20, 21, 64, 1000, 12_345]


def updated(count: int, most: int = 10, every: int = 1) -> History:
    """Steps 1, 1 + every, ...: at step s the loss is 1/s, the norm s, and every third is clipped."""
    history = History(most)
    for step in range(1, 1 + count * every, every):
        history.add_update(step, 1 / step, float(step), step % 3 == 0)
    return history


@for_each({"most": [1, 7, 10], "count": COUNTS})
def test_rows_stay_within_the_bound_and_do_not_thin_out_needlessly(most, count):
    rows = len(updated(count, most).updates())
    assert min(count, most // 2 + 1) <= rows <= min(count, most + 1)  # the newest may stand beyond the evenly spaced


@pytest.mark.parametrize("most", [7, 10])
def test_nothing_is_thinned_before_the_bound_is_reached(most):
    assert updated(most, most).updates()["step"].tolist() == list(range(1, most + 1))


@for_each({"most": [1, 7, 10], "count": COUNTS})
def test_the_first_and_the_newest_always_stand(most, count):
    history = History(most)
    for step in range(1, count + 1):
        history.add_update(step, 0.5, 1.0, False)
        steps = history.updates()["step"]
        assert (steps[0], steps[-1]) == (1, step)


@for_each({"count": COUNTS[2:], "every": [1, 5]})
def test_between_them_the_steps_are_evenly_spaced(count, every):
    steps = updated(count, every=every).updates()["step"]
    spaces = np.diff(steps)
    assert (spaces[:-1] == spaces[0]).all()
    assert 0 < spaces[-1] <= spaces[0]


@pytest.mark.parametrize("most", [1, 2, 7, 10])
def test_a_history_that_is_read_after_every_row_is_the_same_as_one_that_is_read_once(most):
    """Its array grows behind what was read, and begins anew when rows are thinned out."""
    read, tables = History(most), []
    for step in range(1, 60):
        read.add_update(step, 1 / step, float(step), step % 3 == 0)
        table = read.updates()
        assert table.tobytes() == updated(step, most).updates().tobytes()
        tables.append((table, table.copy()))
        read.updates()["loss"] = -1.0  # whoever reads may do with it as they like
    assert all(table.tobytes() == then.tobytes() for table, then in tables), "what was read has changed"


@pytest.mark.parametrize("until", [0, 3, 29, 100])
def test_a_past_and_what_it_was_taken_from_go_on_apart(until):
    whole = updated(59)
    past, before = whole.until(until), whole.updates()
    assert past.updates()["step"].tolist() == [step for step in before["step"] if step <= until]
    past.add_update(1000, 0.5, 1.0, True)
    assert past.updates()["step"][-1] == 1000 and whole.updates().tobytes() == before.tobytes()


@pytest.mark.parametrize("count", COUNTS)
def test_a_kept_row_is_what_was_added(count):
    rows = updated(count).updates()
    assert rows.dtype == ROW
    assert rows["loss"].tolist() == [1 / step for step in rows["step"]]
    assert rows["param_grad_norm"].tolist() == rows["step"].tolist()
    assert rows["clipped"].tolist() == [step % 3 == 0 for step in rows["step"]]
    assert np.isnan(rows["probe_loss"]).all() and np.isnan(rows["metric"]).all()


def test_looks_are_kept_like_updates_and_know_more():
    history = History(10)
    for step in range(0, 500, 5):
        history.add_frame(step, 1.0, 2.0 + step, 0.25, 3.0, True)
    rows = history.looks()
    assert len(rows) <= 11 and (rows["step"][0], rows["step"][-1]) == (0, 495)
    assert rows["probe_loss"].tolist() == [2.0 + step for step in rows["step"]]
    assert (rows["metric"] == 0.25).all() and (rows["param_grad_norm"] == 3).all() and rows["clipped"].all()
    assert len(history.updates()) == 0


def test_table_merges_looks_and_updates_by_step():
    history = History()
    history.add_frame(0, 2.5, 2.5, 0.1, math.nan, False)
    for step in (1, 2, 3, 4):
        history.add_update(step, 1.0 * step, 10.0, False)
    history.add_frame(2, 2.0, 1.75, 0.5, 10.0, False)
    history.add_frame(6, 6.0, 1.25, 0.75, 11.0, True)
    rows = history.table()
    assert rows.dtype == ROW
    assert rows["step"].tolist() == [0, 1, 2, 3, 4, 6]
    assert rows["loss"].tolist() == [2.5, 1, 2, 3, 4, 6]
    assert rows["probe_loss"] == pytest.approx([2.5, math.nan, 1.75, math.nan, math.nan, 1.25], nan_ok=True)
    assert rows["metric"] == pytest.approx([0.1, math.nan, 0.5, math.nan, math.nan, 0.75], nan_ok=True)
    assert rows["param_grad_norm"] == pytest.approx([math.nan, 10, 10, 10, 10, 11], nan_ok=True)
    assert rows["clipped"].tolist() == [False] * 5 + [True]


def test_a_long_merged_table_names_no_step_twice():
    history = History(10)
    for step in range(1, 1001):
        history.add_update(step, 0.5, 1.0, False)
        if step % 7 == 0:
            history.add_frame(step, 0.5, 0.75, 0.5, 1.0, False)
    steps = history.table()["step"]
    assert (np.diff(steps) > 0).all() and len(steps) <= 22
    assert set(steps) == {*history.updates()["step"], *history.looks()["step"]}
    looked_at = np.isin(steps, history.looks()["step"])
    assert np.array_equal(~np.isnan(history.table()["probe_loss"]), looked_at)


@pytest.mark.parametrize("step", [3, 5], ids=["back", "again"])
def test_a_step_that_is_not_beyond_the_last_is_ignored(step):
    history = updated(5)
    history.add_update(step, 9.0, 9.0, True)
    assert history.updates()["loss"].tolist() == [1 / each for each in (1, 2, 3, 4, 5)]
    history.add_update(6, 1 / 6, 6.0, True)
    assert history.updates()["step"].tolist() == [1, 2, 3, 4, 5, 6]
    assert history.updates()["loss"].tolist() == [1 / each for each in (1, 2, 3, 4, 5, 6)]


@pytest.mark.parametrize("step", [3, 5], ids=["back", "again"])
def test_a_look_that_is_not_beyond_the_last_is_ignored(step):
    history = History()
    history.add_frame(5, 1.0, 2.0, 0.5, 1.0, False)
    history.add_frame(step, 9.0, 9.0, 9.0, 9.0, True)
    assert history.looks().tolist() == [(5, 1.0, 2.0, 0.5, 1.0, False)]


def test_looking_back_does_not_hold_up_the_updates():
    history = History()
    history.add_frame(10, 1.0, 2.0, 0.5, 1.0, False)
    history.add_update(4, 1.0, 1.0, False)
    assert history.table()["step"].tolist() == [4, 10]


@pytest.mark.parametrize("table", [History.updates, History.looks, History.table], ids=lambda table: table.__name__)
def test_an_empty_history_is_an_empty_table(table):
    rows = table(History())
    assert rows.shape == (0,) and rows.dtype == ROW


def test_one_kind_alone_is_a_table_too():
    assert updated(4).table()["step"].tolist() == [1, 2, 3, 4]
    history = History()
    history.add_frame(0, 1.0, 2.0, 0.5, math.nan, False)
    assert history.table()["probe_loss"].tolist() == [2.0]


def test_what_a_table_gives_is_nobody_elses():
    history = updated(4)
    for rows in (history.updates(), history.table()):
        rows["loss"] = -1
    assert (history.table()["loss"] > 0).all()


def test_moments_stay_within_their_bytes_and_keep_the_first_and_the_newest():
    kept = SnapshotStore(100, 40, len)
    for step in range(50):
        kept.add(step, b"x" * 4)
        steps = [each for each, _ in kept.all()]
        assert steps[0] == 0 and steps[-1] == step and (kept.bytes <= 40 or len(steps) <= 3)
    assert len(kept.all()) >= 5 and kept.at(-1) is None
    assert kept.at(10**9) == (49, b"xxxx") and kept.at(0) == (0, b"xxxx")


def test_every_snapshot_is_measured_once():
    measured = []
    kept = SnapshotStore(100, 40, lambda value: measured.append(value) or len(value))
    for step in range(30):
        kept.add(step, bytes([step] * 4))
    assert kept.until(20).bytes <= 40
    assert len(measured) == len(set(measured)) == 30


def test_a_past_ends_at_its_step_and_can_be_continued():
    history = updated(30)
    past = history.until(17)
    kept = history.updates()["step"]
    assert past.updates()["step"].tolist() == kept[kept <= 17].tolist()
    past.add_update(18, 0.5, 1.0, False)
    assert past.updates()["step"][-1] == 18 and history.updates()["step"][-1] == 30


def test_bytes_are_those_of_all_arrays_wherever_they_are():
    @dataclasses.dataclass
    class Inner:
        row: np.ndarray

    assert size_of({"a": (np.zeros(3, np.float32), Inner(np.zeros(2))), "b": "text"}) == 12 + 16
