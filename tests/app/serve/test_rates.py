"""How much one browser can take."""

from __future__ import annotations

import asyncio

import pytest

from app.serve import rates
from app.serve.rates import BURST, LONGEST, Rates
from app.serve.traffic import SECONDS, TRAFFIC, Traffic
from engine.limits import Limits
from tests.app.serve.asgi import Inside, ask, open_socket

FEW = Limits(
    connections=3, connections_per_address=2, downloads_per_minute=2, page_messages_per_second=10,
    live_messages_per_second=20,
)  # fmt: skip


@pytest.fixture
def app(monkeypatch) -> Rates:
    monkeypatch.setattr(rates, "LIMITS", FEW)
    return Rates(Inside(), lambda: 0)


@pytest.mark.parametrize(("path", "rate"), [("/_stcore/stream", 10), ("/live/a-token", 20)])
def test_who_sends_too_fast_is_slowed_down_and_loses_nothing(app, monkeypatch, path, rate):
    waited = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    sent = int(rate * BURST) + 20
    assert open_socket(app, path, [b"x"] * sent).status == 101
    assert len(app.app.heard) == sent
    assert len(waited) == 20 and max(waited) == pytest.approx(20 / rate, rel=0.2)  # nobody has waited in truth


def test_a_message_that_no_live_view_sends_ends_its_socket(app):
    answer = open_socket(app, "/live/a-token", ["short", "x" * (LONGEST + 1), "never heard"])
    assert answer.status == 1009 and [each["text"] for each in app.app.heard] == ["short"]
    assert open_socket(app, "/_stcore/stream", [b"x" * (LONGEST + 1)]).status == 101  # a text that was pasted


class Staying(Inside):
    """Opens other sockets while this one is open."""

    def __init__(self, then) -> None:
        super().__init__()
        self.then = then

    async def __call__(self, scope, receive, send) -> None:
        await asyncio.to_thread(self.then)
        await super().__call__(scope, receive, send)


def test_sockets_are_counted_by_address_and_all_together(monkeypatch):
    monkeypatch.setattr(rates, "LIMITS", FEW)
    seen = []

    def third() -> None:
        seen.append((TRAFFIC.sockets, TRAFFIC.visitors))
        app.app = Inside()
        seen.append(open_socket(app, client="1.1.1.1").status)  # a third one from there
        seen.append(open_socket(app, client="2.2.2.2").status)

    def second() -> None:
        app.app = Staying(third)
        open_socket(app, client="1.1.1.1", cookie="playground=ann")

    app = Rates(Staying(second), lambda: 0)
    before = TRAFFIC.sockets
    assert open_socket(app, client="1.1.1.1", cookie="playground=ann").status == 101
    assert seen == [(before + 2, 1), 1008, 101]
    assert TRAFFIC.sockets == before and app._sockets.total() == 0 and len(app._sockets) == 0


def test_files_of_one_network_are_fetched_now_and_then(app):
    asked = [ask(app, "/live/one/recording.zip").status for _ in range(3)]
    assert asked == [200, 200, 429] and ask(app, "/live/two/recording.zip").status == 200
    assert ask(app, "/learn").status == 200


def test_what_is_uploaded_has_to_fit_beside_what_is_held(app):
    held = Rates(Inside(), lambda: FEW.uploads_megabytes * 10**6 + 1)
    assert ask(held, "/_stcore/upload_file/session/file", method="PUT").status == 413
    assert ask(held, "/_stcore/upload_file/session/file", method="DELETE").status == 200
    assert ask(app, "/_stcore/upload_file/session/file", method="PUT").status == 200


def test_messages_a_second_are_those_of_the_last_whole_seconds():
    now = [100.0]
    traffic = Traffic(lambda: now[0])
    assert traffic.per_second == 0
    for second in range(3 * SECONDS):
        now[0] = 100.5 + second
        for _ in range(4):
            traffic.count()
    now[0] += 1
    assert traffic.per_second == 4
    now[0] += SECONDS
    assert traffic.per_second == 0


def test_the_files_that_all_live_views_share_are_no_networks_downloads(app):
    assert [ask(app, f"/live/files/figures-{each}.json").status for each in range(5)] == [200] * 5
