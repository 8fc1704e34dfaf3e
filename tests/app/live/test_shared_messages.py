"""Browsers that look at one run get the same messages, packed once; what one of them has alone it gets alone."""

from __future__ import annotations

import dataclasses
import json
import types

import pytest

from app.live.feed import Feed
from app.stage.feed import STAGE
from tests.app.live.conftest import decoded, header_of, slot_of

CHOICE = {"t": 3, "chain": [1, 0], "unit": 2, "open": False, "follow": None, "typed": {}, "matrix": None}


def shared_slot() -> types.SimpleNamespace:
    slot = slot_of("both ways")
    slot.is_shared = True
    return slot


def looking(slot: types.SimpleNamespace, *seen: str, **choice: object) -> Feed:
    """A feed whose browser looks at these figures and at the stage."""
    feed = Feed(slot)
    ask(feed, *seen, **choice)
    return feed


def ask(feed: Feed, *seen: str, **choice: object) -> None:
    request = {"seen": [*(seen or ("gradient",)), STAGE], "at": None, "chain": [1, 0], "stage": CHOICE | choice}
    feed.receive(json.dumps(request))


def new_frame(slot: types.SimpleNamespace, step: int) -> None:
    slot.run.frame = dataclasses.replace(slot.run.frame, step=step, loss=1.0 / step)
    slot.run.frames = (*slot.run.frames, slot.run.frame)


def same_content(message: bytes, other: bytes) -> bool:
    header, others = header_of(message)[0], header_of(other)[0]
    return header == others and decoded(message).keys() == decoded(other).keys()


def test_those_who_see_the_same_get_the_same_bytes_and_those_who_see_more_do_not():
    slot = shared_slot()
    ann, bob, cem = looking(slot), looking(slot), looking(slot, "gradient", "hidden")
    for step in (5, 10):
        new_frame(slot, step)
        message = ann.frame()
        assert bob.frame() is message and ann.frame() is None and bob.frame() is None
        assert "hidden" in {path.split(".")[0] for path in decoded(cem.frame())}


def test_a_message_is_what_the_browser_would_have_got_alone_also_where_it_has_missed_frames():
    slot, alone = shared_slot(), shared_slot()
    alone.run = slot.run
    alone.is_shared = False
    ann, bob, lone = looking(slot), looking(slot), looking(alone)
    for step, bob_looks in ((5, True), (10, False), (15, True), (20, True)):
        new_frame(slot, step)
        message = ann.frame()
        if bob_looks:
            own, got = lone.frame(), bob.frame()
            assert same_content(own, got)
            if step == 20:
                assert got is message  # both are where they were before
    assert not same_content(ann._packed(slot.run.frame, [], False, {}, {}), message)


@pytest.mark.parametrize("own", ["past", "ghost", "again"])
def test_what_a_tab_has_alone_is_packed_for_it_alone(own):
    slot, other = shared_slot(), shared_slot()
    other.run = slot.run
    new_frame(slot, 5)
    if own == "ghost":
        other.ghost = slot_of("both ways", ghost="both ways").ghost
    if own == "again":
        other.page_waits_for = lambda frame: "task"
    ann, bob = looking(slot), looking(other)
    if own == "past":
        bob.at = 0
    assert not same_content(ann.frame(), bob.frame())


@pytest.mark.parametrize(
    "choice", [{"typed": {"0": "3"}}, {"slow": True}, {"matrix": "head.weight"}, {"interventions": [{}]}], ids=str
)
def test_who_asks_the_run_for_more_than_frames_is_given_a_run_before_it_is_asked(choice):
    slot = shared_slot()
    new_frame(slot, 5)
    feed = looking(slot)
    feed.frame()
    ask(feed, **choice)
    header = header_of(feed.frame())[0]
    assert header["again"] == "page" and slot.wants_own_run
    assert {what for what, _ in slot.run.calls} <= {"weights"}  # which are the same for all
    assert feed.frame() is None  # said once
    slot.is_shared = slot.wants_own_run = False
    ask(feed, **choice)
    assert feed.stage.wanted is not None
