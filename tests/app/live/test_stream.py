"""The socket of a live view: who may open it, that every request gets one answer, and what becomes of its slot."""

from __future__ import annotations

import asyncio
import json
import math
import threading
import time
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from app.compare.feed import RaceFeed
from app.live import stream
from app.live.feed import Feed
from app.live.stream import GONE, MAX_VIEWERS, REFUSED, serve
from app.race.lanes import Race
from app.slot_registry import SlotRegistry, TabSlot
from engine.workers import Listeners
from tests.app.live.conftest import slot_of
from tests.fakes import FakeLanePool as FakePool
from tests.fakes import race_setup

LIMIT = 60.0  # seconds for a stream to end


class FakeSlot(TabSlot):
    token = "the token"

    def stop(self) -> None:
        pass


class FakeFeed:
    """Answers every request with what was requested, after a turn of the loop; has news once."""

    def __init__(self) -> None:
        self.ended, self.requests, self.advanced = False, [], []
        self.to_tell: bytes | None = b"news"

    def receive(self, message: str) -> None:
        self.requests.append(message)

    def advance(self, *, requested: bool) -> None:
        self.advanced.append(requested)

    def news(self) -> bytes | None:
        message, self.to_tell = self.to_tell, None
        return message

    def frame(self) -> bytes | None:
        return self.requests[-1].encode() if self.advanced[-1] else None


class TellingFakeFeed(FakeFeed):
    """Has an answer only after a second look, for which it tells from another thread, as a worker's thread does."""

    patience = math.inf

    def __init__(self) -> None:
        super().__init__()
        self.listeners, self.has_answer = Listeners(), False

    def frame(self) -> bytes | None:
        if self.has_answer:
            self.has_answer = False
            return self.requests[-1].encode()
        self.has_answer = True
        threading.Thread(target=self.listeners.tell).start()
        return None


class FakeSocket:
    """A browser: sends the next message when it was answered, and goes when it has no more."""

    def __init__(self, *messages: str, origin: str = "http://here:8501", token: str = "the token") -> None:
        self.path_params, self.headers = {"token": token}, {"origin": origin, "host": "here:8501"}
        self.messages, self.answered = list(messages), asyncio.Event()
        self.accepted, self.closed, self.sent = False, None, []
        self.answered.set()

    async def accept(self) -> None:
        self.accepted = True

    async def close(self, code: int) -> None:
        self.closed = code

    async def send_bytes(self, message: bytes) -> None:
        self.sent.append(message)
        if message != b"news":
            self.answered.set()

    async def receive_text(self) -> str:
        await self.answered.wait()
        self.answered.clear()
        if not self.messages:
            raise WebSocketDisconnect
        return self.messages.pop(0)


def streamed(socket: FakeSocket, slot: TabSlot | None = None, feed: FakeFeed | None = None) -> tuple[Any, Any]:
    """The slot and its feed after the stream has ended."""
    slots: SlotRegistry[TabSlot] = SlotRegistry()
    slot, feed = slot or FakeSlot("ann"), feed or FakeFeed()
    slots.find_or_create("ann", lambda _: False, lambda: slot)
    asyncio.run(asyncio.wait_for(serve(socket, slots, lambda _: feed), LIMIT))  # type: ignore[arg-type, return-value]
    return slot, feed


def test_every_request_gets_one_answer_and_news_need_none():
    socket = FakeSocket("one", "two", "three")
    slot, feed = streamed(socket)
    assert socket.accepted and socket.closed is None and sorted(socket.sent) == [b"news", b"one", b"three", b"two"]
    assert feed.requests == ["one", "two", "three"] and feed.advanced.count(True) == 3
    assert slot.viewers == 0


@pytest.fixture
def nobody_looks_in_vain(monkeypatch):
    """Without this limit a stream that is not woken sleeps for ever."""
    monkeypatch.setattr(stream, "LONGEST_SLEEP", math.inf)


def test_a_stream_is_woken_by_what_its_feed_tells_by_requests_and_by_the_browsers_leaving(nobody_looks_in_vain):
    socket = FakeSocket("one", "two")
    _, feed = streamed(socket, feed=TellingFakeFeed())
    assert sorted(socket.sent) == [b"news", b"one", b"two"]
    assert len(feed.advanced) <= 2 + 2 * 3, "looked without having been told"
    assert feed.listeners._listeners == ()


def test_a_stream_looks_again_when_the_patience_of_its_feed_is_over(nobody_looks_in_vain):
    feed = TellingFakeFeed()
    feed.listeners.tell = lambda: None
    feed.patience = 1e-3
    socket = FakeSocket("one")
    streamed(socket, feed=feed)
    assert b"one" in socket.sent


def test_a_stream_whose_run_is_replaced_while_it_sleeps_is_told_and_closed(nobody_looks_in_vain):
    feed, socket = TellingFakeFeed(), FakeSocket()

    def replace() -> None:
        feed.ended = True
        feed.listeners.tell()

    def news() -> None:
        asyncio.get_running_loop().call_soon(replace)

    feed.news = news
    socket.answered.clear()  # the browser stays
    streamed(socket, feed=feed)
    assert socket.closed == REFUSED


@pytest.mark.parametrize(
    "case",
    [{"origin": "http://elsewhere:8501"}, {"origin": ""}, {"viewers": MAX_VIEWERS}],
    ids=str,
)
def test_who_may_not_watch_is_refused_before_anything_is_sent(case):
    slot = FakeSlot("ann")
    slot.viewers = viewers = case.pop("viewers", 0)
    socket = FakeSocket("one", **case)
    streamed(socket, slot)
    assert not socket.accepted and socket.closed == REFUSED and socket.sent == [] and slot.viewers == viewers


def test_a_page_whose_run_this_server_does_not_have_is_told_so():
    socket = FakeSocket("one", token="another")
    streamed(socket)
    assert socket.accepted and socket.closed == GONE and socket.sent == []


def test_a_stream_whose_run_was_replaced_is_closed_for_good():
    feed = FakeFeed()
    feed.ended = True
    socket = FakeSocket("one")
    slot, _ = streamed(socket, feed=feed)
    assert socket.accepted and socket.closed == REFUSED and socket.sent == [] and slot.viewers == 0


@pytest.mark.parametrize(
    "message", ["", "nonsense", "[]", "7", '{"seen": 3, "at": 4}', '{"at": 4}', '{"seen": ["loss"]}']
)
def test_what_is_no_request_asks_for_no_figure_and_the_newest_frame(message):
    feed = Feed(slot_of("stacked"))
    feed.receive(json.dumps({"seen": ["loss", "nonsense"], "at": 12}))
    assert (feed.seen, feed.at) == ({"loss"}, 12)
    feed.receive(message)
    assert (feed.seen, feed.at) == (frozenset(), None)


@pytest.mark.parametrize("at", ["12", True, 1.5, None])
def test_a_step_that_is_no_whole_number_is_the_newest(at):
    feed = Feed(slot_of("stacked"))
    feed.receive(json.dumps({"seen": ["loss"], "at": at}))
    assert (feed.seen, feed.at) == ({"loss"}, None)


def test_a_feed_ends_with_its_run():
    slot = slot_of("stacked")
    feed = Feed(slot)
    assert not feed.ended
    slot.run = slot_of("stacked").run
    assert feed.ended


def test_a_race_is_driven_by_its_socket_and_its_feed_ends_with_it():
    pool = FakePool()
    race = Race(pool, race_setup("rnn", "gru"))  # type: ignore[arg-type]
    feed = RaceFeed(race)
    feed.receive('{"seen": ["race_loss", "loss"]}')
    feed.receive("nonsense")
    assert feed.seen == {"race_loss"}
    for run in pool.runs:
        run.work()
    feed.advance(requested=False)
    assert feed.frame() is None
    feed.advance(requested=True)
    assert feed.frame() is not None and feed.frame() is None and not feed.ended
    race.stop()
    assert feed.ended


def test_the_feed_of_a_run_waits_no_longer_than_for_the_slow_figures():
    feed = Feed(slot_of("stacked"))
    assert feed.patience == math.inf
    feed._slow_due = time.monotonic() + 1000
    assert 0 < feed.patience <= 1000


def test_whoever_streams_a_race_is_woken_by_its_lanes_its_buttons_and_the_next_round():
    pool, told = FakePool(), []
    race = Race(pool, race_setup("rnn", "gru"))  # type: ignore[arg-type]
    feed = RaceFeed(race)
    feed.listeners.add(lambda: told.append(1))
    for act in (pool.runs[1].listeners.tell, race.train, race.pause, race.once, race.stop):
        told.clear()
        act()
        assert told, act
    assert feed.patience == math.inf
    race._due = time.monotonic() + 1000
    assert 0 < feed.patience <= 1000
