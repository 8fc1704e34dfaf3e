"""Whatever a browser says over a live socket, it is a request or it is nothing; and the next proper one is answered."""

from __future__ import annotations

import contextlib
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from app.compare.feed import RaceFeed
from app.first_minute.feed import FirstMinuteFeed
from app.live.feed import Feed
from app.map.feed import MapFeed
from app.map.registry import MapSlot
from app.race.lanes import Race
from tests.app.live.conftest import slot_of
from tests.app.map.small import PLAN
from tests.app.map.test_feed import FakePool as FakeMapPool
from tests.app.watched.test_feed import feed_of
from tests.engine.recording.growing.conftest import module_look, recorded
from tests.fakes import FakeLanePool, race_setup
from tests.strange import FEW, MANY, message

STAGE = {
    "t": 2, "chain": [0, 0], "unit": 1, "open": True, "follow": 3, "typed": {"1": "a"}, "matrix": "weight_hh_l0",
    "sentence": "a b", "slow": True, "interventions": [{"kind": "zero", "layer": 0, "direction": 0, "unit": 1}],
    "walk": {"forward": True, "t": 1, "followed": None, "verify": None},
}  # fmt: skip
LIVE = {"seen": ["loss", "gradient", "stage", "spectrum"], "at": None, "chain": [0, 0], "stage": STAGE}


def race(kind: type) -> Any:
    pool = FakeLanePool()
    feed = kind(Race(pool, race_setup("rnn", "gru")))  # type: ignore[arg-type]
    for run in pool.runs:
        run.work()
    return feed


FEEDS: dict[str, tuple[Callable[[], Any], dict[str, Any]]] = {
    "run": (lambda: Feed(slot_of("stacked")), LIVE),
    "race": (lambda: race(RaceFeed), {**LIVE, "seen": ["race_loss", "stage"]}),
    "first minute": (lambda: race(FirstMinuteFeed), {**LIVE, "seen": ["stage"]}),
    "map": (lambda: MapFeed(MapSlot(FakeMapPool, "", PLAN)), {"colour": "loss", "point": [0, 1, 1]}),
    "watched": (
        lambda: feed_of(recorded(0, module_look()), recorded(1, module_look())),
        {"module": "", "at": None, "chain": None, "seen": ["gradient"], "stage": STAGE},
    ),
}


def say(feed: Any, said: str) -> bytes | None:
    with contextlib.suppress(RecursionError):  # ends the socket, as one that is cut
        feed.receive(said)
    feed.advance(requested=True)
    feed.news()
    return feed.frame()


def check(name: str, seeds: range) -> None:
    make, request = FEEDS[name]
    feed = make()
    for seed in seeds:
        said = message(random.Random(seed), request)
        try:
            say(feed, said)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {said[:500]}") from error
    assert say(make(), json.dumps(request)) is not None
    feed.receive(json.dumps(request))


@pytest.mark.parametrize("name", FEEDS)
def test_a_hundred_strange_messages(name):
    check(name, range(FEW))


@pytest.mark.full
@pytest.mark.parametrize("name", FEEDS)
def test_two_thousand_strange_messages(name):
    check(name, range(FEW, FEW + MANY))
