"""What a race's socket sends: every lane's network, with what was chosen on each."""

from __future__ import annotations

import dataclasses
import json
import types
from typing import Any

import pytest

from app.compare.feed import RaceFeed
from app.figures.base import Curves
from app.figures.compare.catalogue import LaneSnapshot
from engine.training import Trainer
from tests.app.live.conftest import decoded
from tests.fakes import SMALL, FakeRun

CHOICE: dict[str, Any] = {
    "t": 2,
    "chain": [0, 0],
    "unit": 1,
    "open": False,
    "follow": None,
    "typed": {},
    "matrix": None,
}


@pytest.fixture
def race() -> types.SimpleNamespace:
    """A race of two that stands still, each lane with the frame of its untrained network."""
    lanes, snapshots = [], []
    for letter, cell in (("A", "rnn"), ("B", "gru")):
        run = FakeRun(SMALL.replace(cell=cell), paused=True, speed=None)
        trainer = Trainer(run.experiment)
        run.frame = trainer.frame()
        curves = Curves(run.curve.updates(), run.curve.looks())
        lanes.append(types.SimpleNamespace(run=run, requested=set()))
        snapshots.append(LaneSnapshot(
            letter=letter, name=cell, info=run.info, frame=run.frame, curves=curves, solved_at=None, state="racing",
            message="",
        ))  # fmt: skip
    return types.SimpleNamespace(
        lanes=lanes, snapshots=tuple(snapshots), is_at_rest=True, rate=0.0, problem="", stopped=False
    )


def names(message: bytes | None) -> set[str]:
    assert message is not None
    return {path.split(".")[0] for path in decoded(message)}


def test_every_lanes_network_is_sent_when_it_is_seen_and_again_when_a_choice_changes(race):
    feed = RaceFeed(race)
    assert not {"stage0", "stage1"} & names(feed.frame())  # nobody has said what is chosen
    feed.receive(json.dumps({"seen": [], "stages": [CHOICE, CHOICE]}))
    first = decoded(feed.frame())
    assert first["stage0.cellOf"] == first["stage1.cellOf"] == [2, 0, 0, 1]
    assert first["stage0.words"] == first["stage1.words"] != []  # the same data
    assert feed.frame() is None
    feed.receive(json.dumps({"seen": [], "stages": [CHOICE, {**CHOICE, "follow": 3}]}))
    assert names(feed.frame()) == {"stage1"}
    assert (race.lanes[0].requested, race.lanes[1].requested) == (set(), {"followed:3"})
    race.snapshots = tuple(dataclasses.replace(each, frame=dataclasses.replace(each.frame)) for each in race.snapshots)
    assert names(feed.frame()) >= {"stage0", "stage1"}


@pytest.mark.parametrize("stages", [None, 7, "all", [None], [{}, {}, {}], [CHOICE, CHOICE, CHOICE, CHOICE]], ids=repr)
def test_an_invalid_message_chooses_nothing_that_is_not_there(race, stages):
    feed = RaceFeed(race)
    feed.receive(json.dumps({"seen": ["race_loss"], "stages": stages}))
    assert feed.seen == {"race_loss"} and feed.frame() is not None
