"""The app's pages, run by Streamlit without a browser and over runs without workers, and what a person does there.

Torch computes in one thread, as in a worker: on networks this small two threads wait for each other more than they
compute.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import allowance, controls
from app.allowance import Buckets
from app.export import routes
from app.first_minute import visit
from app.hub import HUB, Hub, RunSlot
from app.learn.lesson_panel import CLAIMS
from app.run_start import Start
from app.share import card as share_card
from engine.experiment import Experiment
from engine.limits import LIMITS
from engine.preset import Preset
from tests.fakes import TOKEN, Exported, FakePool

torch.set_num_threads(1)

MAIN = Path(__file__).parents[2] / "app" / "main.py"
SESSION = "test session id"  # AppTest gives it to every session, so what one session cached the next would find
LIMIT = 150  # seconds that a page may take; one that takes longer has failed
KINDS = ("selectbox", "select_slider", "number_input", "toggle", "button", "segmented_control")


@pytest.fixture(scope="session", autouse=True)
def installed_components() -> Iterator[None]:
    """What Streamlit finds among the installed packages, looked up once instead of at every run of a page."""
    with pytest.MonkeyPatch.context() as patch:
        once = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture(autouse=True)
def nobody_has_started_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests of a process are the same visitor, and start more networks than a person."""
    monkeypatch.setattr(allowance, "STARTED", Buckets(LIMITS.networks_per_minute / 60, LIMITS.networks_per_minute))


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakePool]:
    """Every test has a server of its own: no workers, no slots, no session."""
    fake = FakePool()
    monkeypatch.setattr(Hub, "pool", lambda hub: fake)
    monkeypatch.setattr(HUB, "_slots", [])
    monkeypatch.setattr(visit, "known", lambda cookies, names: True)  # not a first visit, which opens another page
    clear_session_cache(SESSION)
    yield fake
    clear_session_cache(SESSION)


def opened(*, unfolded: bool = True, **link: str) -> AppTest:
    """The page as a link opens it, with what is drawn only when somebody opens it, or without."""
    page = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    groups = [group.key for group in controls.GROUPS]
    for folded in (*groups, CLAIMS, share_card.OPEN) if unfolded else ():
        page.session_state[folded] = True
    page.query_params.update(link)
    return run(page)


def run(page: AppTest) -> AppTest:
    """Run the page's script once more, without an exception.

    Where a click has only parts of the page drawn again, AppTest forgets the others: then it is run a second time.
    """
    for _ in range(2):
        page.run()
        assert not page.exception, page.exception[0].value
        if page.get("page_link"):  # the menu of pages, which every page has
            break
    return page


def turn(page: AppTest, to: str, **link: str) -> AppTest:
    """Somebody follows a link to another page; Streamlit then clears what the address said."""
    page._page_hash = calc_hash(to)
    page.query_params.clear()
    page.query_params.update(link)
    return run(page)


def widgets(page: AppTest) -> dict[str, Any]:
    """Every widget by its key."""
    return {widget.key: widget for kind in KINDS for widget in page.get(kind)}


def move(page: AppTest, key: str, value: Any) -> AppTest:
    """Somebody moves one widget."""
    widgets(page)[key].set_value(value)
    return run(page)


def press(page: AppTest, key: str) -> AppTest:
    """Somebody presses one button."""
    page.button(key=key).click()
    return run(page)


def warnings(page: AppTest) -> list[str]:
    """What the page warns of, in order."""
    return [each.value for each in page.warning]


def waits(preset: Preset) -> bool:
    """Whether a lesson that was not opened before stands still: its questions are asked first, or it says so itself."""
    return preset.paused or bool(preset.predict)


def slot() -> RunSlot:
    """The only tab's place."""
    (only,) = HUB._slots
    return only


class Session(dict):
    """st.session_state without a session."""

    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__


def waiting(experiment: Experiment, *, paused: bool = True) -> tuple[RunSlot, FakePool]:
    """A tab's place without a page, and its pool."""
    pool = FakePool()
    return RunSlot(pool, "", Start(experiment, paused=paused), speed="normal"), pool


# ---- a run to take away


@pytest.fixture(scope="session")
def exported() -> Exported:
    """A run of three updates, of which every frame is kept. Never change it."""
    return Exported()


async def answered(name: str, token: str = TOKEN) -> Response:
    """What the routes answer to GET /live/<token>/<name>."""
    scope = {"type": "http", "method": "GET", "path": f"/live/{token}/{name}"}
    (matched,) = (
        (route, more) for route in routes.ROUTES for match, more in [route.matches(scope)] if match == Match.FULL
    )
    return await matched[0].endpoint(Request({**scope, **matched[1]}))


@pytest.fixture
def get(monkeypatch, exported):
    """get(name) of this run."""
    monkeypatch.setattr(HUB, "find", lambda token: exported if token == TOKEN else None)
    return lambda name, **options: asyncio.run(answered(name, **options))


def name_of(answer: Response) -> str:
    """The file's name, as the answer gives it."""
    return re.fullmatch(r'attachment; filename="(.+)"', answer.headers["content-disposition"])[1]
