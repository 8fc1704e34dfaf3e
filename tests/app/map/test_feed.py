"""What the socket of a map sends, and what a tab's map is: kept, begun, and replaced by another one."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from app.map import registry
from app.map import text as map_text
from app.map.colours import COLOURS
from app.map.feed import MapFeed
from app.map.registry import MapRegistry, MapSlot
from app.map.results import Results
from app.slot_registry import FORGET_AFTER
from engine.experiment import Experiment
from engine.workers.sweep_run import SweepRun
from tests.app.live.conftest import decoded, header_of
from tests.app.map.small import CURVE, PLAN, measured
from tests.clock import Clock


class FakePool:
    """Trains nothing: a test says what was measured."""

    def __init__(self) -> None:
        self.runs: list[SweepRun] = []

    def sweep(self, experiments: tuple[Experiment, ...], updates: int, measure_every: int) -> SweepRun:
        self.runs.append(SweepRun(experiments, updates, measure_every))
        return self.runs[-1]

    def measure_lines(self, *_: object) -> Any:
        return type("Unknown", (), {"result": None, "error": ""})()


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def slot(pool) -> MapSlot:
    return MapRegistry(lambda: pool).attach("somebody", PLAN)


def ask(feed: MapFeed, colour: str = "loss", point: object = None) -> dict[str, Any] | None:
    feed.receive(json.dumps({"colour": colour, "point": point}))
    feed.advance(requested=True)
    answer = feed.frame()
    return None if answer is None else header_of(answer)[0] | {"patches": decoded(answer)}


def test_nothing_is_trained_before_somebody_says_so(slot, pool):
    assert slot.map.run is None and pool.runs == []
    assert map_text.status(slot.map)["phase"] == "empty"
    slot.begin()
    assert len(pool.runs) == 1 and pool.runs[0].experiments == PLAN.experiments


def test_a_frame_is_sent_when_something_was_measured_or_chosen_and_not_else(slot, pool):
    slot.begin()
    feed = MapFeed(slot)
    first = ask(feed)
    assert first is not None and {path.split(".")[0] for path in first["patches"]} == {"map_0", "map_1"}
    assert ask(feed) is None
    pool.runs[0].measurements += measured(PLAN, 0, lambda number: 1.0)
    second = ask(feed)
    assert second is not None and second["counts"] == ["0 of 12 solved", "0 of 12 solved"]
    assert "map_0.data.0.meta" not in second["patches"]  # the same colour
    other = ask(feed, "ratio", [1, 0, 2])
    assert other is not None and other["patches"]["map_0.data.0.meta"] == COLOURS["ratio"].scale
    assert other["point"]["number"] == PLAN.number(1, 0, 2) and "map_point.data.1.y" in other["patches"]
    assert other["point"]["title"].startswith("GRU · gain of the initial W_hh 2")
    assert other["point"]["says"].startswith("0 of 2 seeds have solved it (95 %: 0% to 66%), median loss 0.43 of")


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        '{"colour": "red"}',
        '{"colour": "red", "point": [9, 0, 0]}',
        '{"colour": 3, "point": ["a", 0, 0]}',
        '{"colour": "loss", "point": [0, -1, 0]}',
    ],
)
def test_what_a_browser_should_not_send_changes_nothing(slot, message):
    feed = MapFeed(slot)
    feed.receive(message)
    feed.advance(requested=True)
    assert feed.frame() is not None and feed.frame() is None


def test_who_watches_keeps_the_networks_training(slot, pool, monkeypatch):
    slot.begin()
    words = []
    monkeypatch.setattr(pool.runs[0], "watch", lambda: words.append(1))
    MapFeed(slot).advance(requested=False)
    assert words == [1]


def test_another_plan_ends_the_map_and_its_sockets(slot, pool):
    slot.begin()
    feed = MapFeed(slot)
    slot.enter(PLAN)
    assert not feed.ended and not pool.runs[0].stopped
    slot.enter(CURVE)
    assert feed.ended and pool.runs[0].stopped and slot.map.run is None


def test_a_browser_that_comes_back_finds_its_map(pool):
    maps = MapRegistry(lambda: pool)
    slot = maps.attach("somebody", PLAN)
    slot.begin()
    maps.release(slot)
    assert maps.attach("somebody", PLAN) is slot and maps.attach("other", PLAN) is not slot


def test_a_map_that_was_forgotten_can_be_begun_again(pool):
    maps = MapRegistry(lambda: pool, clock := Clock(time.monotonic()))
    slot = maps.attach("somebody", PLAN)
    slot.begin()
    maps.release(slot)
    clock.now += FORGET_AFTER + 1
    maps.expire()
    assert pool.runs[0].stopped
    maps.acquire(slot)
    assert slot.map.run is None and map_text.phase(slot.map) == "empty"


def test_what_was_measured_beforehand_is_shown_at_once_and_trained_anew_if_asked(pool, monkeypatch):
    kept = type("Kept", (), {"slug": "some", "colour": "solved", "plan": PLAN})()
    known = Results(PLAN)
    known.add(measured(PLAN, 40, lambda number: 1.0))
    monkeypatch.setattr(registry, "kept_as", lambda plan: kept if plan == PLAN else None)
    monkeypatch.setattr(registry, "results_of", {"some": known}.__getitem__)
    slot = MapRegistry(lambda: pool).attach("somebody", PLAN)
    assert (slot.map.colour, map_text.status(slot.map)["phase"]) == ("solved", "kept")
    frame = ask(MapFeed(slot))
    assert frame is not None and frame["counts"][0] == "0 of 12 solved"
    slot.begin()
    assert slot.map.kept is None and not (slot.map.results.steps >= 0).any() and len(pool.runs) == 1


def test_phases_and_times_are_said_in_words(slot, pool):
    slot.begin()
    run = pool.runs[0]
    assert map_text.status(slot.map)["clock"] == "starting · update 0 of 40"
    run.pause()
    assert map_text.phase(slot.map) == "paused"
    run.fail("It is broken.")
    assert map_text.status(slot.map)["message"] == "It is broken."


@pytest.mark.parametrize("point", [[1e999, 0, 0], ["0", 0, 0], [0.0, 0, 0], [True, 0, 0], [10**400, 0, 0], {}, "abc"])
def test_a_point_that_is_none_shows_none(slot, point):
    feed = MapFeed(slot)
    assert ask(feed, point=point) is not None and feed._point is None
