"""A screen that shows a folder ends a while after its last browser window; no other server does."""

from __future__ import annotations

import asyncio
import os

import pytest

from app.watched import lifetime
from app.watched.lifetime import ENDS_AFTER, Browsers, end_if_left, open_browser
from engine.recording.growing.folder import FOLDER, OPENS


def test_it_ends_only_without_browsers_and_only_where_a_folder_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr(os, "kill", lambda process, signal: ended.append(process))
    monkeypatch.setattr(lifetime.time, "monotonic", lambda: now)
    monkeypatch.setattr(Browsers, "since", 0.0)
    monkeypatch.setattr(Browsers, "open", 0)
    now = ENDS_AFTER + 1
    end_if_left()
    assert ended == []  # a playground stays
    monkeypatch.setenv(FOLDER, "somewhere")
    now = ENDS_AFTER - 1
    end_if_left()
    assert ended == []

    async def page(*_: object) -> None:
        nonlocal now
        now = 2 * ENDS_AFTER
        end_if_left()

    asyncio.run(Browsers(page)({"type": "websocket"}, None, None))  # type: ignore[arg-type]
    assert ended == [] and Browsers.open == 0
    now += ENDS_AFTER + 1
    end_if_left()
    assert ended == [os.getpid()]


def test_a_server_opens_the_browser_only_where_it_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(lifetime.webbrowser, "open", opened.append)
    open_browser()
    assert opened == []

    class Answer:
        def close(self) -> None:
            pass

    monkeypatch.setattr(lifetime.socket, "create_connection", lambda place, limit: Answer())
    monkeypatch.setenv(OPENS, "http://127.0.0.1:9/recording")
    open_browser()
    assert opened == ["http://127.0.0.1:9/recording"]
