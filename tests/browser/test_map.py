"""Somebody lets a small map of networks fill in, points at a square, and opens its network in the playground."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Playground, new_context

pytestmark = pytest.mark.browser
SMALL = "?x=init_gain~0.5~2~4&y=seq_len~2~8~3&cells=rnn.lstm&updates=60&hidden_size=8"


def test_a_map_fills_in_and_a_square_opens_its_network_as_it_is(browser, server):
    page = Playground(new_context(browser).new_page(), server.url)
    page.page.goto(f"{page.url}/map{SMALL}", wait_until="commit")
    page.wait("window.map?.painted >= 1")
    assert page.get("map.phase") == "empty"
    page.click("map_begin")
    page.wait("map.phase === 'done' && map.step === 60")
    page.wait("document.querySelector('[data-figure=map_1]').data[0].z.every((row) => row.every(Number.isFinite))")
    assert len(page.data("map_0", "data[0].z")) == 3

    page.page.locator('[data-figure="map_0"] .nsewdrag').hover(position={"x": 8, "y": 8})
    page.page.locator(".mp-says h3", has_text=re.compile(r"RNN · .* 0\.5 · .* 8")).wait_for()
    page.wait("document.querySelector('[data-figure=map_point]').data[0].x.length > 3")
    said = page.page.locator(".mp-says p").inner_text()
    page.page.get_by_role("radio", name="Gradient").click()
    page.wait("document.querySelector('[data-figure=map_0]').data[0].zmin === -8")

    page.page.locator('[data-figure="map_0"] .nsewdrag').click(position={"x": 8, "y": 8})
    page.page.wait_for_url(re.compile(r"init_gain=0\.5"))
    page.wait("playground.step === 60 && playground.painted >= 1")
    accuracy = re.search(r"accuracy (\d+%)", said)
    assert accuracy is not None
    page.page.locator(".lv-numbers", has_text=f"accuracy: {accuracy[1]}").wait_for()
    page.page.get_by_role("link", name="Back to the map").click()
    page.wait("window.map?.phase === 'done' && map.step === 60")
    page.page.context.close()
    # Streamlit looks for its own routes beside the page's address first, which is no problem of ours.
    assert not [problem for problem in page.problems if "404 (Not Found)" not in problem]
