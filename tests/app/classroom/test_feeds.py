"""What the sockets of a class send: cards that are the run's own numbers, news once, and one picture for all."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from app.classroom import board_feed, look
from app.classroom.board_feed import BoardFeed, StudentFeed
from app.classroom.cards import MAX_BARS, measured
from app.classroom.look import Look, PictureFeed, open_feed
from app.figures import theme
from app.figures.over_time import gradient
from app.live.feed import Feed
from app.run_start import Start
from engine.number_format import short
from tests.app.classroom.conftest import NASTY, opened_class, run_slot, student_at, train_to
from tests.app.live.conftest import decoded, header_of
from tests.fakes import SMALL, at_step


@pytest.fixture
def at_once(monkeypatch):
    """No feed waits for its turn."""
    for module, name in ((board_feed, "LOOK_EVERY"), (board_feed, "ASK_EVERY"), (look, "EVERY")):
        monkeypatch.setattr(module, name, 0.0)


def sent(feed: BoardFeed) -> dict[str, Any] | None:
    message = feed.frame()
    return None if message is None else header_of(message)[0]


def test_a_card_has_the_numbers_of_the_run(classes, at_once):
    classroom = opened_class(classes)
    slots = [run_slot(), run_slot(SMALL.replace(cell="gru", learning_rate=0.1)), None]
    for name, slot in zip(NASTY, slots, strict=False):
        student_at(classes, classroom, name, slot)
    first = sent(BoardFeed(classroom))
    assert first["order"] == [1, 2, 3] and [card["name"] for card in first["cards"]] == NASTY[:3]
    own, changed, absent = first["cards"]
    frame, info = slots[0].run.frame, slots[0].run.info
    assert own["loss"] == short(frame.judged_loss) and own["step"] == "3" and own["phase"] == "training"
    assert own["verdict"]["kind"] == frame.diagnosis.kind and own["changes"] == []
    sizes = gradient.relative(info, frame)[info.shown_chain]
    np.testing.assert_allclose(10 ** np.array(own["gradient"]), np.clip(sizes, 1e-12, 1e2), rtol=0.02)
    assert changed["cell"].startswith("GRU, 4") and changed["changes"] == ["GRU", "learning rate 0.1"]
    assert absent["cell"] == "" and absent["verdict"] is None and "loss" not in absent


def test_only_cards_that_have_changed_are_sent(classes, at_once):
    classroom = opened_class(classes)
    slots = [run_slot() for _ in range(3)]
    students = [student_at(classes, classroom, name, slot) for name, slot in zip("abc", slots, strict=True)]
    feed = BoardFeed(classroom)
    assert len(sent(feed)["cards"]) == 3 and feed.frame() is None
    train_to(slots[1], 9)
    assert [(card["id"], card["step"]) for card in sent(feed)["cards"]] == [(2, "9")]
    students[2].tabs = 0
    assert [card["here"] for card in sent(feed)["cards"]] == [False]
    classes.remove(students[0])
    assert sent(feed) == {"a": [], "p": {}, "cards": [], "order": [2, 3], "question": None}
    classroom.ask("why?", ["a", "b"])
    assert sent(feed)["question"]["counts"] == [0, 0]
    assert not feed.ended
    classes.end(classroom)
    assert feed.ended


def test_the_runs_are_looked_at_once_a_second_and_asked_only_where_they_are_ahead(classes, monkeypatch):
    classroom, slot = opened_class(classes), run_slot()
    student_at(classes, classroom, "Ada", slot)
    feed = BoardFeed(classroom)
    assert sent(feed) is not None and 0 < feed.patience <= board_feed.LOOK_EVERY
    train_to(slot, 8)
    assert feed.frame() is None  # within the same second
    asked = []
    monkeypatch.setattr(slot.run, "latest", lambda: asked.append(1))
    monkeypatch.setattr(board_feed, "LOOK_EVERY", 0.0)
    feed._due = 0.0
    assert sent(feed) is not None and asked == []  # the newest frame is there
    slot.run.frames = (at_step(2),)
    for _ in range(3):
        feed.frame()
    assert asked == [1]


@pytest.mark.parametrize("size, decade", [(0.0, -12.0), (1e-20, -12.0), (1e-3, -3.0), (1e9, 2.0), (math.inf, 2.0)])
def test_bars_end_at_the_limits_of_the_axis(monkeypatch, size, decade):
    info = run_slot().run.info
    monkeypatch.setattr(gradient, "relative", lambda info, frame: np.full((1, 1, 300), size))
    bars = measured(info, at_step(1))["gradient"]
    assert len(bars) == MAX_BARS and set(bars) == {decade}
    assert (theme.FLOOR_DECADE, theme.TOP_DECADE) == (-12, 2)


NONSENSE = (
    "",
    "[]",
    "null",
    "{}",
    '{"guess": 1}',
    '{"guess": null}',
    '{"guess": {"question": 1}}',
    '{"guess": {"question": 1, "answer": 9}}',
    '{"guess": {"question": [], "answer": 0}}',
    "[" * 100_000,
)
"""What no page of ours sends."""


def test_a_student_hears_of_everything_once_and_can_only_guess(classes):
    classroom = opened_class(classes)
    student = student_at(classes, classroom, "Ada")
    feed = StudentFeed(student)
    assert header_of(feed.news())[0]["frozen"] is False and feed.news() is None and feed.frame() is None
    classroom.ask("why?", ["a", "b"])
    assert header_of(feed.news())[0]["question"]["answers"] == ["a", "b"]
    for message in NONSENSE:
        feed.receive(message)
    assert classroom.question.guesses == {}
    feed.receive(json.dumps({"guess": {"question": 1, "answer": 1}}))
    assert classroom.question.guesses == {1: 1} and header_of(feed.news())[0]["question"]["chosen"] == 1


def test_a_run_that_all_see_is_packed_once(at_once, monkeypatch):
    slot = run_slot()
    shown = Look(slot, ("gradient", "loss"))
    packs = []
    pack = Feed.frame
    monkeypatch.setattr(Feed, "frame", lambda feed: packs.append(1) or pack(feed))
    sockets = [open_feed(shown) for _ in range(30)]
    assert all(isinstance(socket, PictureFeed) for socket in sockets)
    messages = [socket.frame() for socket in sockets]
    assert len(packs) == 1 and len({id(message) for message in messages}) == 1
    assert [socket.frame() for socket in sockets] == [None] * 30
    train_to(slot, 7)
    for socket in sockets:
        header, _ = header_of(socket.frame())
        assert header["step"] == 7
    assert len(packs) == 2 == shown.picture.packed
    late = open_feed(shown).frame()  # whoever comes later gets all of it
    assert late is not None and {path.split(".")[0] for path in decoded(late)} == {"gradient", "loss", "stage"}


def test_another_run_is_another_picture(at_once):
    slot = run_slot()
    shown = Look(slot, ("loss",))
    before, feed = shown.token, open_feed(shown)
    assert feed.frame() is not None and not feed.ended and header_of(feed.news())[0]["status"]["phase"] == "running"
    assert feed.news() is None
    slot.restart(Start(SMALL.replace(seed=1)))
    assert feed.ended and shown.token != before
    new = open_feed(shown)
    assert new.frame() is None  # nothing of the run before
    train_to(slot, 0)
    assert header_of(new.frame())[0]["step"] == 0


def test_whoever_looks_never_learns_the_runs_own_address():
    slot = run_slot()
    one, other = Look(slot), Look(slot)
    assert len({one.token, other.token, slot.token}) == 3 and one.token == one.token
    assert isinstance(open_feed(one), Feed)
