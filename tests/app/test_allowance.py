"""How many networks and tabs a visitor may have."""

from __future__ import annotations

import pytest

from app import allowance, slot_registry
from app.allowance import Buckets, RefusedError, TokenBucket
from app.hub import RunSlot
from app.run_start import Start
from app.serve.visitors import refused
from app.slot_registry import SlotRegistry, TabSlot
from engine.limits import Limits
from tests.app.conftest import opened, press, warnings
from tests.clock import Clock
from tests.fakes import SMALL, FakePool


def test_a_bucket_gives_some_at_once_and_then_so_many_a_second():
    clock = Clock(100.0)
    bucket = TokenBucket(2.0, 4.0, clock)
    assert [bucket.take() for _ in range(5)] == [0, 0, 0, 0, 0.5]
    clock.now += 0.5
    assert bucket.take() == 0 < bucket.take()
    clock.now += 1000
    assert bucket.is_full and bucket.take(9) == 0  # more than it holds is all that it holds
    assert bucket.owe() == 0.5 and bucket.owe(2) == 1.5


def test_of_those_who_have_taken_nothing_lately_nothing_is_kept(monkeypatch):
    clock = Clock(100.0)
    monkeypatch.setattr(Buckets, "MOST", 100)
    buckets = Buckets(1.0, 1.0, clock)
    for number in range(1000):
        clock.now += 2.0
        assert buckets.take(str(number)) == 0
    assert len(buckets._by_name) <= 100
    assert buckets.take("999") > 0


class Slot(TabSlot):
    token, stopped = "", False

    def stop(self) -> None:
        self.stopped = True


@pytest.fixture
def few(monkeypatch) -> None:
    limits = Limits(tabs_per_visitor=2, tabs=3, networks_per_minute=3)
    monkeypatch.setattr(allowance, "LIMITS", limits)
    monkeypatch.setattr(slot_registry, "LIMITS", limits)
    monkeypatch.setattr(
        allowance, "STARTED", Buckets(limits.networks_per_minute / 60, limits.networks_per_minute, Clock(100.0))
    )


def attach(registry: SlotRegistry[Slot], owner: str) -> Slot:
    return registry.find_or_create(owner, lambda _: False, lambda: Slot(owner))


def test_one_browser_has_so_many_tabs_and_all_together_so_many(few):
    registry: SlotRegistry[Slot] = SlotRegistry()
    first, _ = attach(registry, "ann"), attach(registry, "ann")
    with pytest.raises(RefusedError, match="2 tabs open"):
        attach(registry, "ann")
    bob = attach(registry, "bob")
    with pytest.raises(RefusedError, match="is full"):
        attach(registry, "cid")
    registry.release(first)
    attach(registry, "ann")  # what its closed tab has left makes room
    assert first.stopped and not bob.stopped and len(registry._slots) == 3
    registry.release(bob)
    attach(registry, "cid")
    assert bob.stopped


def test_one_browser_starts_so_many_networks_a_minute(few):
    pool = FakePool()
    slot = RunSlot(pool, "ann", Start(SMALL), speed="normal")
    slot.restart(Start(SMALL))
    slot.apply(SMALL.replace(seed=7))
    run = slot.run
    for act in (slot.reset, lambda: slot.apply(SMALL.replace(seed=8))):
        with pytest.raises(RefusedError, match="3 networks a minute"):
            act()
    assert slot.run is run and "stop" not in run.calls, "a refusal leaves the run as it is"
    assert slot.apply(SMALL.replace(seed=7, learning_rate=0.1)) == "updated"  # a live change starts none
    RunSlot(pool, "bob", Start(SMALL), speed="normal")


def test_the_page_says_it_in_a_sentence(pool, few):
    page = opened()
    press(page, "new_seed")
    press(page, "new_seed")
    press(page, "new_seed")
    assert any("3 networks a minute" in each for each in warnings(page))


def test_a_refusal_in_a_callback_is_a_sentence_too_and_an_error_is_none():
    assert refused(RefusedError("Wait.")) is True and refused(ValueError("x")) is False
