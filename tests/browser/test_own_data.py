"""Somebody's own file in a real browser: brought, understood, changed, and trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from app.own_data import text as own_text
from app.own_data.bring import FOLDER
from app.replay import player
from tests.browser.conftest import LIMIT, Playground
from tests.browser.layout import FIGURES, faults

pytestmark = pytest.mark.browser

AIRLINE = FOLDER / "airline.csv"
DRAWN = "document.querySelectorAll('.st-key-own_understood .js-plotly-plot .main-svg').length >= 2"


def understood(play: Playground) -> None:
    """Somebody brings the file on the page of own data, and it is understood."""
    play.page.goto(f"{play.url}/data", wait_until="commit")
    play.page.locator("input[type=file]").wait_for(state="attached")
    play.page.set_input_files("input[type=file]", AIRLINE)
    play.page.locator(".st-key-own_understood").wait_for()
    play.settle()
    play.wait(DRAWN)
    play.problems[:] = [each for each in play.problems if "404" not in each]  # Streamlit looks below the page


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_a_file_is_understood_on_one_screen_and_trained_on(visit, width: int, height: int):
    expect.set_options(timeout=LIMIT)
    play = visit("speed=slow", viewport={"width": width, "height": height})
    page = play.page
    understood(play)
    shown = page.locator(".st-key-own_data")
    expect(shown.get_by_role("heading", name="airline.csv")).to_be_visible()
    expect(shown.locator(".marked")).to_contain_text(f"changed as usual {own_text.TO_BEAT}16.6")
    assert play.get("document.documentElement.scrollWidth") <= width
    if width > 1000:
        assert play.get("document.querySelector('[data-testid=stMain]').scrollHeight") <= height
    assert faults(page, FIGURES) == []
    play.click("own_train")
    play.wait("window.playground?.step > 20")
    expect(page.locator(".lv-verdict").first).to_contain_text("mean absolute error of Passengers")
    assert "task=own_data" in page.url and "data.name=airline.csv" in page.url


def test_a_recording_that_carries_its_file_is_trained_on_where_nobody_has_brought_it(visit, tmp_path: Path):
    expect.set_options(timeout=LIMIT)
    play = visit("speed=slow")
    understood(play)
    play.click("own_train")
    play.wait("window.playground?.step > 5")
    play.pause()
    play.click("export")
    with play.page.expect_download() as download:
        play.page.locator(f'.exports a[href$="/{player.WITH_FILE}"]').click()
    download.value.save_as(tmp_path / "run.zip")
    other = visit("speed=slow", viewport={"width": 1280, "height": 800})  # a browser of somebody else
    before = other.token
    other.page.get_by_role("link", name="Open a recording").click()
    other.page.locator(".st-key-recording_file input[type=file]").set_input_files(tmp_path / "run.zip")
    other.page.get_by_role("button", name=player.IN_PLAYGROUND).click()
    other.wait("playground.token !== argument && playground.step > 5", before)
    assert "task=own_data" in other.page.url and "data.name=airline.csv" in other.page.url
    expect(other.page.locator(".lv-verdict").first).to_contain_text("mean absolute error of Passengers")


def test_a_changed_choice_changes_what_follows_from_it(visit):
    expect.set_options(timeout=LIMIT)
    play = visit("speed=slow")
    understood(play)
    horizon = play.page.locator(".st-key-own_choice_horizon input")
    horizon.fill("12")
    horizon.press("Enter")
    expect(play.page.locator(".st-key-own_why")).to_contain_text("12 steps ahead")
    expect(play.page.locator(".own-bars .marked")).not_to_contain_text("16.6")
    play.click("own_undo")
    expect(play.page.locator(".own-bars .marked")).to_contain_text("16.6")
