"""A visitor of the page "Your data", readings that are over at once, and small made-up data."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest

from app import own_data_store
from app.own_data import desk
from app.own_data.desk import Desk
from app.own_data_store import Visits
from engine.data import DataError, Dataset, Problem
from engine.reading.job import Sources
from tests.app.conftest import SESSION, run
from tests.engine import own_data as made_up

FINGERPRINT = "5e41e5" + 58 * "0"
PROBLEMS = (
    Problem(3, "sales", "Line 3: '<b>n/a</b>' is not a number; 1 such cell counts as missing."),
    Problem(None, "sales", "The changes of 'sales' are not related: expect no network to beat 'the value before'."),
)


def series(name: str = "sales.csv", fingerprint: str = FINGERPRINT, **choices: Any) -> made_up.MadeUp:
    """A series of 60 months with all that a reader says of it."""
    made = made_up.series(fingerprint=fingerprint)
    summary = {
        **made.summary, "why": "There are numbers over time ('month').", "time": "month", "inputs": ["sales"],
        "ids": None, "series": 1, "step": "month", "period": 12, "window": made_up.WINDOW, "horizon": 1,
        "transform": "differences", "missing": {"sales": 0}, "train": 40, "test": 20, "header": True, "delimiter": ",",
        "encoding": "utf-8", "columns": {"month": "time", "sales": "number", "shops": "number"},
        "baselines": {"the value before": 0.4, "a season before": 0.25, "the mean": float("nan")},
    } | choices  # fmt: skip
    return dataclasses.replace(made, name=name, summary=summary, problems=PROBLEMS, choices=choices)


def labelled() -> made_up.MadeUp:
    """Sixty texts of two classes."""
    made = made_up.labelled()
    held = made.content.held
    summary = {
        "why": "It was chosen.", "rows": 60, "sequences": 60, "text": "review", "label": "opinion", "unit": "words",
        "classes": {"good": 30, "bad": 30}, "lengths": (2, 4, 5), "vocabulary": 6, "unknown": 0.0,
        "train": int((~held).sum()), "test": int(held.sum()), "header": True, "delimiter": ",",
        "columns": {"review": "text", "opinion": "label"}, "baselines": {"always 'good'": 0.5, "naive Bayes": 0.875},
    }  # fmt: skip
    return dataclasses.replace(made, fingerprint="1abe11ed" + 56 * "0", summary=summary)


class FakeReading:
    """A reading that is over at once, or never; what a file becomes is said by its name."""

    known: dict[str, Dataset | DataError] = {}  # noqa: RUF012
    begun: list[FakeReading] = []  # noqa: RUF012
    endless = False

    def __init__(self, sources: Sources, kind: str | None, choices: dict[str, Any]) -> None:
        self.sources, self.kind, self.choices = sources, kind, choices
        self.progress, self.done, self.stopped = (0.25, "Looking at the columns"), not self.endless, False
        found = self.known[sources[0][0]]
        self.error = found if isinstance(found, DataError) else None
        self.dataset = None
        if isinstance(found, Dataset) and self.done:
            summary = {**found.summary, **choices} | ({"why": "It was chosen."} if kind else {})
            self.dataset = dataclasses.replace(found, summary=summary, choices=choices)
        self.begun.append(self)

    def wait(self, seconds: float) -> bool:
        return self.done

    def stop(self) -> None:
        self.stopped = self.done = True


@pytest.fixture(autouse=True)
def readings(monkeypatch: pytest.MonkeyPatch) -> type[FakeReading]:
    """A server without files, and the readings that it begins."""
    monkeypatch.setattr(own_data_store, "VISITS", Visits())
    monkeypatch.setattr(desk, "Reading", FakeReading)
    monkeypatch.setattr(FakeReading, "begun", [])
    monkeypatch.setattr(FakeReading, "known", {"sales.csv": series(), "reviews.csv": labelled()})
    clear_session_cache(SESSION)
    return FakeReading


def state_of(page: AppTest) -> Desk:
    """What the page is doing with files."""
    return page.session_state["_own_data"]


def bring(page: AppTest, name: str = "sales.csv", text: bytes = b"month,sales\n") -> AppTest:
    """Somebody uploads a file. (AppTest cannot: the callback is called as the uploader would.)"""
    state_of(page).bring(((name, text),))
    return run(page)


def html(page: AppTest) -> str:
    """All HTML of the page but for style sheets."""
    return "\n".join(each.proto.body for each in page.get("html") if not each.proto.body.startswith("<style"))


def words(page: AppTest) -> str:
    """All Markdown of the page."""
    return "\n".join(each.value for each in page.markdown)


def wave(rows: int) -> np.ndarray:
    """(rows,) float64."""
    return np.sin(np.arange(rows) / 3)
