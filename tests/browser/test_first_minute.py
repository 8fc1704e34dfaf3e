"""Somebody opens the app for the first time: presses Play, puts words in between, and goes on into the lab."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Playground, Server, new_context

pytestmark = pytest.mark.browser


def test_a_first_visit_plays_adds_words_and_opens_the_lab(browser: Browser, server: Server):
    context = new_context(browser, newcomer=True)
    page = Playground(context.new_page(), server.url).open()
    play, clock = page.page.locator(".fm-play"), page.page.locator(".fm-clock")
    assert page.get("location.pathname + location.search") == "/first?words=0"
    assert page.step == 0 and play.inner_text() == "Play" and "At most 800 updates" in clock.inner_text()
    assert page.page.locator('.chip:visible, .stage text:text-is("they")').count() > 0

    play.press("Enter")
    page.page.locator(".fm-play", has_text="Pause").wait_for()
    page.wait("playground.phase === 'finished'")
    page.page.locator(".fm-conclusion", has_text="learn").wait_for()
    assert play.inner_text() == "Play again"

    slider, before = page.page.locator(".fm-words input"), page.token
    for _ in range(2):
        slider.press("ArrowRight")
    page.wait("playground.token !== argument && playground.step > 0", before)  # both start again, with no further press
    page.wait("location.search === '?words=2'")
    play.click()
    page.page.locator(".fm-play", has_text="Play").wait_for()

    page.page.reload()
    page.wait("window.playground?.painted >= 1")
    assert page.step > 0 and slider.input_value() == "2"  # the same race, as it was left

    page.page.get_by_role("link", name="Open the lab").click()
    page.wait("location.pathname === '/' && location.search.includes('seq_len=6') && playground.painted >= 1")
    page.page.goto(f"{server.url}/")
    page.wait("window.playground?.painted >= 1")
    assert page.get("location.pathname + location.search") == "/?preset=remember"
    context.close()
    # Streamlit looks for its own routes beside the page's address first, which is no problem of ours.
    assert not [problem for problem in page.problems if "404 (Not Found)" not in problem]
