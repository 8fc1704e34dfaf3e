"""Somebody takes an update apart with the keyboard alone, and lets the network make it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser


def test_an_update_in_five_phases_by_the_arrow_keys(visit):
    page = visit("preset=remember&seq_len=12&steps=1000000", reduced_motion="reduce")
    page.wait("playground.step > 2")
    page.page.get_by_role("link", name="Slow motion").click()
    for phase in ("Forward", "Loss", "Backward", "Clip", "Update"):
        drawn = page.page.locator(f"[data-figure=slow][aria-label^='{phase}.'] .main-svg").first
        drawn.wait_for()
        if phase == "Backward":
            arrows = page.data("slow", "data").copy()
            assert sum(each.get("marker", {}).get("symbol") == "triangle-left" for each in arrows) == 11
            assert page.get("document.querySelector('[data-figure=slow]').getAnimations({ subtree: true }).length") == 0
        page.page.keyboard.press("ArrowRight")
    page.page.get_by_text("exactly as on the copy").wait_for()
    page.page.locator("[data-figure=slow][aria-label^='Forward.']").wait_for()
    page.page.keyboard.press("4")
    page.page.locator("[data-figure=slow][aria-label^='Clip.']").wait_for()
