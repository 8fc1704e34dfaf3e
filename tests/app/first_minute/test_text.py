"""What the first minute says, and when: computed from what was measured, whichever network learns."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from app.figures.base import Curves
from app.figures.compare.catalogue import LaneSnapshot
from app.first_minute import text as first_text
from app.first_minute.setup import UPDATES, FirstMinute
from engine.frame import Diagnosis, RunInfo
from engine.recording.history import History
from tests.fakes import first_frame

RNN, LSTM = FirstMinute(0).lanes


def lane(name: str, step: int, right: float, ratio: float | None = 0.5, **more: Any) -> LaneSnapshot:
    """A lane after so many updates, with this held-out accuracy and this part of the gradient at the first word."""
    e = {"RNN": RNN, "LSTM": LSTM}[name]
    evidence = {} if ratio is None else {"ratio": ratio}
    frame = dataclasses.replace(
        first_frame(e), step=step, held_out_step=step, held_out_metric=right, seconds=0.002 * step,
        held_out_solved="solved_at" in more, diagnosis=Diagnosis("healthy", "", evidence, {}),
    )  # fmt: skip
    empty = Curves(History().updates(), History().looks())
    return LaneSnapshot(letter="A", name=name, info=RunInfo.of(e), frame=frame, curves=empty, **more)


CARDS = {
    "before": (lane("RNN", 0, 0.33), "Not trained yet", ""),
    "too early to judge": (lane("RNN", 20, 0.33), "Learning", ""),
    "guesses, and little gradient arrives": (
        lane("RNN", 150, 0.342, 0.0003),
        "Still guesses",
        "34% of new sentences right (chance: 33%). Of the gradient from the end, 1 part in 3,300 reaches the "
        "first word.",
    ),
    "guesses, and hardly any arrives": (
        lane("RNN", 150, 0.342, 1 / 180_000),
        "Still guesses",
        "34% of new sentences right (chance: 33%). Of the gradient from the end, 1 part in 180,000 reaches the first "
        "word.",
    ),
    "guesses, and nothing arrives": (
        lane("RNN", 150, 0.342, 0.0),
        "Still guesses",
        "34% of new sentences right (chance: 33%). Nothing of the gradient from the end reaches the first word.",
    ),
    "guesses, though the gradient arrives": (
        lane("LSTM", 150, 0.342, 3.14),
        "Still guesses",
        "34% of new sentences right (chance: 33%). All of the gradient from the end reaches the first word, "
        "3.1 times as large.",
    ),
    "explodes": (
        lane("RNN", 150, 0.342, 1234.0),
        "Still guesses",
        "34% of new sentences right (chance: 33%). All of the gradient from the end reaches the first word, 1,200 "
        "times as large.",
    ),
    "half of it": (
        lane("RNN", 300, 0.668, 0.024),
        "Learning",
        "66% of new sentences right. 2% of the gradient from the end reaches the first word.",
    ),
    "not measured": (lane("RNN", 300, 0.668, None), "Learning", "66% of new sentences right."),
    "the RNN learns it": (
        lane("RNN", 300, 1.0, solved_at=300),
        "Answers right",
        "100% of new sentences right. 50% of the gradient from the end reaches the first word.",
    ),
    "nearly all": (
        lane("LSTM", 300, 0.9961, solved_at=300),
        "Answers right",
        "99% of new sentences right. 50% of the gradient from the end reaches the first word.",
    ),
}


@pytest.mark.parametrize(("shown", "word", "caption"), CARDS.values(), ids=list(CARDS))
def test_a_networks_caption_is_what_was_measured(shown, word, caption):
    said = first_text.card(shown)
    assert (said["word"], said["loss"]) == (word, caption) and said["sign"] and said["tone"]


def test_a_network_that_has_lost_what_it_had_learned_is_not_said_to_answer_right():
    once = dataclasses.replace(lane("LSTM", 400, 0.6), solved_at=150)
    assert first_text.card(once)["word"] == "Learning" and first_text.has_result(once)


CONCLUSIONS = {
    "not yet": ([lane("RNN", 150, 0.33), lane("LSTM", 150, 1.0, solved_at=150)], ""),
    "both": (
        [lane("RNN", 150, 1.0, solved_at=150), lane("LSTM", 150, 1.0, solved_at=50)],
        "Both learn it: the RNN after 150 updates, the LSTM after 50 updates. Now put more words in between.",
    ),
    "only the LSTM": (
        [lane("RNN", UPDATES, 0.33, state="finished"), lane("LSTM", UPDATES, 1.0, solved_at=150)],
        "Only the LSTM learns it, after 150 updates; in 800 the RNN does not.",
    ),
    "only the RNN": (
        [lane("RNN", UPDATES, 1.0, solved_at=300), lane("LSTM", UPDATES, 0.5, state="finished")],
        "Only the RNN learns it, after 300 updates; in 800 the LSTM does not.",
    ),
    "none": (
        [lane("RNN", UPDATES, 0.33, state="finished"), lane("LSTM", UPDATES, 0.5, state="finished")],
        "Neither has learned it in 800 updates.",
    ),
    "one broke": (
        [lane("RNN", 12, 0.33, state="broken"), lane("LSTM", 150, 1.0, solved_at=150)],
        "Only the LSTM learns it, after 150 updates; in 150 the RNN does not.",
    ),
}


@pytest.mark.parametrize(("lanes", "sentence"), CONCLUSIONS.values(), ids=list(CONCLUSIONS))
def test_the_conclusion_says_who_learned_it(lanes, sentence):
    assert first_text.conclusion(lanes, 0) == sentence


def test_why_only_one_learns_it_is_said_where_hardly_any_gradient_arrives():
    """The lanes are of four words: three steps back."""
    learned = lane("LSTM", UPDATES, 1.0, solved_at=150)
    open_gates = f"{learned.frame.gates['forget_gate'][-1, 0].mean():.0%}"
    said = first_text.conclusion([lane("RNN", UPDATES, 0.33, 0.001, state="finished"), learned], 20)
    assert said.endswith(
        f"Each step back leaves about 10% of the RNN's gradient; the LSTM's forget gates keep {open_gates}."
    )


def test_at_the_longest_sentence_nobody_is_asked_for_more_words():
    both = CONCLUSIONS["both"][0]
    assert first_text.conclusion(both, 30).endswith("50 updates.")


def test_the_clock_says_how_long_it_takes_and_only_what_is_known():
    at = first_text.clock
    assert at(0, 800, None, playing=False, ended=False) == "At most 800 updates, 20 s or more."
    assert at(0, 800, 21.0, playing=False, ended=False) == "At most 800 updates, about 20 s on this machine."
    assert at(200, 600, 14.9, playing=True, ended=False) == "Update 200 of at most 800, about 15 s left."
    assert at(200, 600, 14.9, playing=False, ended=False) == "Update 200 of at most 800, paused."
    assert at(158, 642, 16.0, playing=False, ended=True) == "Stopped after 158 updates: both have their result."
