"""The words of the page "Compare": its verdict, the lanes' cards, and the table."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from app.compare import text as compare_text
from app.compare.plan import SHARED
from app.figures.base import Curves
from app.figures.compare.catalogue import LaneSnapshot
from engine.frame import Diagnosis, RunInfo
from engine.number_format import short
from engine.recording.history import History
from tests.fakes import SMALL_LANE, first_frame


def snapshot(cell: str, loss: float, *, step: int = 500, ratio: float = 0.5, **more: Any) -> LaneSnapshot:
    """A lane whose held-out loss is this part of the loss to beat and whose gradient has this ratio.

    Its probe says something else: the page must not read it.
    """
    e = SMALL_LANE.replace(cell=cell)
    info, frame = RunInfo.of(e), first_frame(e)
    assert frame.diagnosis is not None
    diagnosis = Diagnosis("healthy" if ratio else "no_path", "", {**frame.diagnosis.evidence, "ratio": ratio}, {})
    frame = dataclasses.replace(
        frame, step=step, probe_loss=7.0, metric=7.0, seconds=0.004 * step, diagnosis=diagnosis,
        held_out_loss=loss * info.held_out_baseline, held_out_step=step, held_out_solved="solved_at" in more,
    )  # fmt: skip
    name = more.pop("name", info.cell_title)
    empty = Curves(History().updates(), History().looks())
    return LaneSnapshot(letter="A", name=name, info=info, frame=frame, curves=empty, **more)


SENTENCES = {
    "one has solved it": (
        [
            snapshot("rnn", 0.98, step=1240, ratio=1e-10),
            snapshot("gru", 0.01, step=1240, solved_at=310),
            snapshot("lstm", 0.5, step=1240),
        ],
        "At step 1,240 the GRU has solved it (at 310); the LSTM has a held-out loss at half of the loss to "
        "beat; the RNN does not clearly beat “always saying 1” yet: "
        "1 part in 10 billion of its gradient reaches t = 0.",
    ),
    "two have solved it": (
        [
            snapshot("rnn", 1.0, ratio=0.0),
            snapshot("gru", 0.01, solved_at=310),
            snapshot("lstm", 0.02, solved_at=460),
        ],
        "At step 500 the GRU solved it first (at 310), the LSTM 150 steps later; the RNN does not clearly beat "
        "“always saying 1” yet: "
        "nothing of its gradient reaches t = 0.",
    ),
    "all have": (
        [snapshot("gru", 0.01, solved_at=460), snapshot("lstm", 0.02, solved_at=310)],
        "At step 500 both have solved it, the LSTM first (at 310), the GRU 150 steps later.",
    ),
    "one is ahead": (
        [snapshot("rnn", 0.6), snapshot("gru", 0.3), snapshot("lstm", 0.9, ratio=30.0)],
        "At step 500 the GRU is ahead, with a held-out loss at 30% of the loss to beat, the RNN at 60%; the LSTM does "
        "not clearly beat “always saying 1” yet: "
        "the gradient grows 30-fold on its way to t = 0.",
    ),
    "two guess": (
        [snapshot("gru", 0.5), snapshot("rnn", 0.9, ratio=1e-3), snapshot("lstm", 0.95, ratio=0.0)],
        "At step 500 the GRU is ahead, with a held-out loss at half of the loss to beat; the RNN and the LSTM do not "
        "clearly beat “always saying 1” yet: "
        "in the RNN 1 part in 1,000 of the gradient reaches t = 0, in the LSTM nothing.",
    ),
    "level": (
        [snapshot("gru", 0.4), snapshot("lstm", 0.41)],
        "At step 500 the GRU and the LSTM are about equal, with a held-out loss at 40% of the loss to beat.",
    ),
    "nobody yet": (
        [snapshot("feedforward", 1.0, ratio=0.0, name="Feed-forward"), snapshot("rnn", 0.99, ratio=0.2)],
        "At step 500 no network clearly beats “always saying 1” yet: in the feed-forward network no step is linked to "
        "the one before, "
        "in the RNN 20% of the gradient reaches t = 0.",
    ),
    "broken": (
        [snapshot("rnn", float("nan"), step=41, state="broken"), snapshot("gru", 0.3)],
        "At step 500 the RNN broke at step 41; the GRU is ahead, with a held-out loss at 30% of the loss to beat.",
    ),
    "untrained": (
        [snapshot("rnn", 1.2, step=0, ratio=1e-4), snapshot("gru", 1.1, step=0)],
        "Before training: in the RNN 1 part in 10,000 of the gradient reaches t = 0, in the GRU 50%.",
    ),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_the_verdict_on_constructed_races(case):
    lanes, sentence = SENTENCES[case]
    assert compare_text.verdict(lanes) == sentence


def test_names_say_what_differs():
    lstm = SMALL_LANE.replace(cell="lstm")
    open_gate = lstm.replace(forget_bias=3.0, hidden_size=9)
    assert compare_text.names([SMALL_LANE, open_gate], SMALL_LANE) == ["RNN", "LSTM"]
    assert compare_text.names([lstm, open_gate.replace(hidden_size=3)], SMALL_LANE) == ["LSTM", "LSTM, forget bias 3"]
    assert compare_text.names([lstm, SMALL_LANE, lstm], SMALL_LANE) == ["LSTM A", "RNN", "LSTM C"]
    assert compare_text.chips(open_gate, SMALL_LANE, SHARED) == ["forget bias 3"] and not compare_text.chips(
        SMALL_LANE, SMALL_LANE, SHARED
    )


def test_the_table_has_a_cell_for_every_lane_and_the_numbers_are_those_of_the_frames():
    lanes = [snapshot("rnn", 0.5, ratio=2.0**-5), snapshot("lstm", 0.02, ratio=1e-9, solved_at=88)]
    rows = {row[0]: row[1:] for row in compare_text.table(lanes)}
    assert all(len(row) == 2 for row in rows.values())
    rnn = 3 * 2 + 3 * 3 + 2 * 3 + 3 + 1  # into 3 units from 2 channels and 3 units, two biases, out to one number
    assert rows["Parameters"] == [str(rnn), str(4 * (rnn - 4) + 4)]
    assert rows["Time per update"] == ["4.0 ms"] * 2 and rows["Solved at step"] == ["not yet", "88"]
    assert (
        rows["The gradient halves every"][0] == "1.0 steps"
        and rows["Gradient that reaches t = 0"][1] == "1 part in 1 billion"
    )


def test_losses_and_metric_are_those_of_the_held_out_sequences():
    lane = snapshot("rnn", 0.5)
    later = dataclasses.replace(lane, frame=dataclasses.replace(lane.frame, step=540, held_out_metric=0.25))
    line = lane.info.held_out_baseline
    assert compare_text.card(lane)["loss"] == f"held-out loss {short(line / 2)} · 50% of the loss to beat"
    assert compare_text.card(snapshot("rnn", 0.002))["loss"].endswith(" · less than 1% of the loss to beat")
    assert compare_text.card(snapshot("rnn", 30.0))["loss"].endswith(" · 30.0 times the loss to beat")
    rows = {row[0]: row[1:] for row in compare_text.table([lane, later])}
    assert rows["Held-out loss"] == [short(line / 2), f"{short(line / 2)} (step 500)"]
    assert rows["Loss to beat"] == [short(line)] * 2
    assert rows[lane.info.metric_name.capitalize()][1] == "25.0% (step 500)"


def test_a_lane_that_is_no_longer_solved_shows_its_verdict():
    lane = snapshot("gru", 0.01, solved_at=310)
    assert compare_text.card(lane)["word"] == "Solved at 310"
    lost = dataclasses.replace(lane, frame=dataclasses.replace(lane.frame, held_out_solved=False))
    assert compare_text.card(lost)["word"] == "Healthy"
