"""Somebody takes an update apart with the keyboard alone, and lets the network make it."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

PRESSED = "document.querySelector('.stage-phase-buttons [aria-pressed=true]')?.textContent"
SEEN = "getComputedStyle(document.querySelector(argument)).visibility === 'visible'"


def test_an_update_in_five_phases_by_the_keys(visit):
    page = visit("preset=remember&seq_len=12&steps=1000000", reduced_motion="reduce")
    page.wait("playground.step > 2")
    step = page.pause()
    page.page.keyboard.press("m")
    page.wait(f"{PRESSED} === '1  Forward' && location.search.includes('slow=1') && playground.phase === 'paused'")
    assert not page.get(SEEN, ".stage-svg .says") and not page.get(SEEN, ".stage-svg .river")
    for number, name in enumerate(("Forward", "Loss", "Backward", "Clip", "Update"), 1):
        page.wait(f"{PRESSED} === argument", f"{number}  {name}")
        assert page.get(SEEN, ".stage-svg .says") == (number > 1) and page.get(SEEN, ".stage-svg .river") == (
            number > 2
        )
        assert page.page.locator(".stage-norms").is_visible() == (number > 3)
        page.page.keyboard.press("ArrowRight")
    page.page.locator(".stage-update", has_text="exactly as on the copy").wait_for()
    page.wait(f"{PRESSED} === '1  Forward' && playground.step === argument", step + 1)
    page.page.keyboard.press("4")
    page.page.locator(".stage-norms .main-svg").first.wait_for()
    page.page.keyboard.press("Escape")
    page.wait("!location.search.includes('slow') && document.querySelector('.stage-phases').hidden")
    assert page.get(SEEN, ".stage-svg .river") and page.page.locator(".stage-place svg").is_visible()


def test_an_old_link_to_slow_motion_leads_there(visit):
    page = visit()
    page.page.goto(f"{page.url}/slow?preset=remember-lstm&seq_len=12")
    page.wait(f"{PRESSED} === '1  Forward' && location.search === '?preset=remember-lstm&seq_len=12&slow=1'")
    page.click("train")
    page.wait("playground.step > 0 && document.querySelector('.stage-phases').hidden")
    page.problems[:] = [each for each in page.problems if "404" not in each]  # Streamlit looks for the server's root
