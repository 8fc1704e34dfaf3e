"""The same network with other seeds, in a real browser: it learns beside the run, is stopped, and is gone with it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

LOWEST = "document.querySelector('.st-key-seeds_band .js-plotly-plot')?.calcdata?.[0]?.length"


def test_networks_with_other_seeds_train_beside_the_run_until_they_are_stopped(visit):
    page = visit("task=first_symbol_recall&cell=lstm&seq_len=40&hidden_size=4&batch_size=4&steps=1000000")
    card = page.page.locator(".st-key-seeds")
    card.locator("summary").click()
    card.locator(".st-key-seeds_begin button:not([disabled])").wait_for()
    page.choose("seeds_count", "4")
    page.click("seeds_begin")
    page.wait(f"{LOWEST} >= 4")  # two measurements of all networks at least: the band's edge goes there and back
    card.get_by_text("of 4 have solved it").wait_for()
    step = page.step
    page.wait("playground.step > argument", step)  # the run goes on
    page.click("seeds_stop")
    card.get_by_text("Stopped after").wait_for()
    page.click("reset")
    card.locator(".st-key-seeds_band").wait_for(state="detached")
