"""GET /health: what it says, when, and to whom."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
from starlette.requests import Request

from app.hub import HUB
from app.own_data_store import VISITS
from app.serve import health
from app.serve.health import ROUTES
from tests.app.conftest import opened
from tests.fakes import FakePool


def answer(**state: bool) -> tuple[int, dict]:
    found = asyncio.run(ROUTES[0].endpoint(Request({"type": "http", "method": "GET", "headers": [], "state": state})))
    return found.status_code, json.loads(found.body)


@pytest.fixture
def workers(monkeypatch):
    """A server whose pool has two workers; returns it, to say how many are ready."""
    pool = FakePool()
    pool.size, pool.ready, pool.pids = 2, 2, [os.getpid()]
    monkeypatch.setattr(HUB, "_pool", pool)
    return pool


def test_it_says_how_the_server_is_in_numbers(workers, pool):
    assert pool is not None
    opened(cell="rnn")
    status, found = answer()
    assert status == 200 and found["status"] == "ok" and found["workers"] == {"wanted": 2, "ready": 2}
    assert found["runs"]["kept"] == 1 and found["version"] == "0.1.0" and found["uptime_s"] >= 0
    assert found["memory_mib"]["server"] > 50 and found["memory_mib"]["workers"] > 50
    assert {"visitors", "sockets", "live_messages_per_s", "readings_waiting"} <= set(found)
    VISITS.expire()


@pytest.mark.parametrize(("ready", "status", "code"), [(0, "starting", 503), (1, "fewer_workers", 200), (2, "ok", 200)])
def test_a_server_without_a_worker_is_not_ready(workers, ready, status, code):
    workers.ready = ready
    assert answer()[0] == code and answer()[1]["status"] == status


def test_who_does_not_know_the_password_learns_only_that_it_is_there(workers):
    assert answer(stranger=True) == (200, {"status": "ok"})


def test_a_screen_that_trains_nothing_is_well_without_workers(monkeypatch):
    monkeypatch.setattr(HUB, "_pool", None)
    assert answer()[0] == 200 and answer()[1]["workers"] == {"wanted": 0, "ready": 0}


def test_processes_that_are_gone_have_no_memory():
    assert health.memory(2**22 + 1) is None
