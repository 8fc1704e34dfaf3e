"""The two modes of the stage: how a link opens one, how a browser enters and leaves it, and what it may say."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import links, stage_mode, state
from app.live import component
from tests.app.conftest import LIMIT, MAIN, Session, opened, press, slot, turn

LINK = {"hidden_size": "4", "seq_len": "6"}


@pytest.mark.parametrize("mode", stage_mode.MODES)
def test_a_link_opens_a_mode_with_the_run_paused_and_train_leaves_it(pool, mode):
    page = opened(**LINK, **{mode: "1"})
    assert slot().paused and page.query_params[mode] == "1"
    page = press(page, "train")
    assert not slot().paused and mode not in page.query_params


@pytest.mark.parametrize(("link", "mode"), [
    ({}, ""), ({"walk": "1"}, "walk"), ({"slow": "1"}, "slow"), ({"walk": "1", "slow": "1"}, "slow"),
    ({"walk": "0"}, ""), ({"walk": ""}, ""), ({"walk": "false", "slow": "true"}, "slow"),
])  # fmt: skip
def test_one_mode_at_a_time(link, mode):
    opening = links.read(link)
    assert opening.mode == mode and not opening.refused


@pytest.mark.parametrize(("address", "mode"), [("steps", "walk"), ("slow", "slow")])
def test_an_old_link_to_its_page_leads_to_the_playground(pool, address, mode):
    page = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    turn(page, address, preset="xor", hidden_size="5", slow="1")
    (only,) = pool.runs
    assert (only.experiment.task, only.experiment.hidden_size) == ("xor", 5) and slot().paused
    assert page.query_params == {"preset": "xor", "hidden_size": "5", mode: "1"}


@pytest.fixture
def session(pool, monkeypatch) -> Session:
    """A tab in the session of a page."""
    stored = Session(_slot=slot() if opened(**LINK) else None)
    monkeypatch.setattr(state.st, "session_state", stored)
    return stored


@pytest.mark.parametrize("wanted", [None, "nonsense", 0, -1, 101, True, 1.0, [], {"mode": "walk"}])
def test_what_a_browser_says_is_checked(session, pool, wanted: Any):
    session[component.KEY] = {"mode": wanted}
    state.on_mode(component.KEY)
    assert stage_mode.now() == "" and not [call for call in pool.runs[0].calls if call[0] == "advance"]


def test_a_browser_enters_trains_and_leaves(session, pool):
    def says(what: Any) -> str:
        session[component.KEY] = {"mode": what}
        state.on_mode(component.KEY)
        return stage_mode.now()

    assert [says(what) for what in ("walk", 100, "slow", 1, stage_mode.OFF)] == ["walk", "walk", "slow", "slow", ""]
    assert [call for call in pool.runs[0].calls if call[0] == "advance"] == [("advance", 100), ("advance", 1)]
