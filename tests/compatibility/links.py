"""Open a link in the page, over runs without workers, and say what the page makes of it."""

from __future__ import annotations

import urllib.parse
from typing import Any

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache

from app.hub import HUB, Hub
from tests.app.conftest import SESSION, opened, run, widgets
from tests.fakes import FakePool


def open_link(address: str) -> dict[str, Any]:
    """Open the page by a link, as the first visitor of a server.

    Returns:
        The settings that the run begins with, its live changes, how it begins, which widgets the page has, its
        warnings, and the link that the page writes: the one in its address, or, where the link names a step to open
        at, the one that the card "Share" offers.
    """
    pool = FakePool()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Hub, "pool", lambda hub: pool)
        patch.setattr(HUB, "_slots", [])
        clear_session_cache(SESSION)
        try:
            return _opened(dict(urllib.parse.parse_qsl(address, keep_blank_values=True)), pool)
        finally:
            clear_session_cache(SESSION)


def _opened(link: dict[str, str], pool: FakePool) -> dict[str, Any]:
    page = opened(**link)
    (only,) = pool.runs
    keys = sorted(key for key in widgets(page) if key)
    warnings = [each.value for each in page.warning]
    written = urllib.parse.urlencode(dict(page.query_params))
    if step := only.opened.get("until"):
        page.checkbox(key="share_at").check()
        run(page)
        page.number_input(key="share_step").set_value(step)
        run(page)
        written = page.code[0].value.partition("?")[2]
    return {
        "experiment": only.info.experiment.to_dict(),
        "changes": [[step, settings] for step, settings in only.changes],
        "opened": only.opened,
        "widgets": keys,
        "warnings": warnings,
        "written": urllib.parse.unquote(written),
    }
