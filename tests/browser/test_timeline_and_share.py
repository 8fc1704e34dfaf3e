"""Playing with time, sharing, showing to a room: as a person does it, some of it with the keyboard alone."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.browser.conftest import new_context

pytestmark = pytest.mark.browser

NUMBERS = (
    "data.filter(trace => !['the other future', 'previous run'].includes(trace.name))"
    ".map(trace => [trace.x ?? null, trace.y ?? null, trace.z ?? null])"
)


def numbers(page) -> list:
    """What is drawn of the gradient and of the states."""
    return [page.data("gradient", NUMBERS), page.data("hidden", NUMBERS)]


def arrive(page, step: int) -> None:
    """Until the run stands paused at this step and shows it."""
    page.wait("playground.phase === 'paused' && playground.step === argument", step)


def test_scrubbing_shows_what_was_and_live_returns_by_keyboard_alone(visit):
    page = visit("preset=explode&steps=1000000")
    arrive(page, 0)
    untrained = numbers(page)
    for step in (1, 2, 3):
        page.click("step")
        arrive(page, step)
    trained = numbers(page)
    assert trained != untrained
    page.page.locator(".lv-timeline-slider").focus()
    page.page.keyboard.press("Home")
    page.wait("playground.at === 0 && playground.step === 0")
    assert numbers(page) == untrained
    page.page.keyboard.press("ArrowRight")
    page.wait("playground.at === 1")
    page.page.keyboard.press(" ")  # plays on to the end, and is live again
    page.wait("playground.at === null && playground.step === 3")
    assert numbers(page) == trained


def test_a_run_branches_is_shared_and_opens_elsewhere_at_the_same_step_with_the_same_numbers(visit, browser):
    page = visit("preset=remember-lstm&steps=1000000")
    page.wait("playground.step > 20")
    page.pause()
    first, token = page.get("document.querySelector('.lv-timeline-slider').max"), page.token
    assert int(first) > 1
    page.page.locator(".lv-timeline-slider").focus()
    page.page.keyboard.press("ArrowLeft")
    page.wait("playground.at !== null")
    fork = page.get("playground.at")
    page.page.locator(".lv-timeline-branch summary").click()
    page.page.get_by_role("button", name="no clipping").click()
    page.wait("playground.token !== argument", token)
    page.wait("playground.step > argument", fork)
    step = page.pause()
    names = page.data("loss", "data.filter(trace => trace.x.length).map(trace => trace.name)")
    assert "the other future" in names
    page.page.get_by_role("button", name="Share").click()
    page.page.get_by_text("Open it paused at a step").click()
    code = page.page.locator(".st-key-share code")
    page.wait("document.querySelector('.st-key-share code')?.textContent.includes('at=' + argument)", step)
    link = code.inner_text().strip()
    query = parse_qs(urlsplit(link).query)
    assert query["then"] == [f"{fork}~clip~none"] and query["at"] == [str(step)]
    context = new_context(browser)
    try:
        other = visit(urlsplit(link).query, context=context)
        arrive(other, step)
        other.wait("document.querySelector('.lv-clock').textContent.includes('paused')")
        assert numbers(other) == numbers(page)
        other.wait("!location.search.includes('at=') && location.search.includes('then=')")
    finally:
        context.close()


def test_copy_link_copies_the_link(visit, browser):
    context = new_context(browser, permissions=["clipboard-read", "clipboard-write"])
    page = visit("preset=explode", context=context)
    page.page.get_by_role("button", name="Share").click()
    page.page.get_by_role("button", name="Copy link").click()
    page.page.get_by_role("button", name="Copied").wait_for()
    copied = page.get("navigator.clipboard.readText()")
    assert copied == page.page.locator(".st-key-share code").inner_text().strip()
    assert copied.startswith(page.url) and "preset=explode" in copied
    context.close()


def test_a_room_sees_large_figures_and_is_led_by_keys(visit):
    page = visit("preset=failure-exploding&present=1&steps=1000000")
    page.page.locator("[data-testid=stSidebar]").wait_for(state="hidden")
    assert page.page.locator("[data-figure]:visible").count() <= 4  # the stage, and up to three figures
    assert page.get("parseFloat(getComputedStyle(document.querySelector('.lv-sentence')).fontSize)") >= 20
    arrive(page, 0)
    page.page.keyboard.press("s")
    arrive(page, 1)
    page.page.keyboard.press("0")
    arrive(page, 0)
    page.page.keyboard.press("t")
    page.wait("playground.step > 1")
    page.page.keyboard.press("p")
    page.wait("playground.phase === 'paused'")
    question = page.page.locator("h1").first.inner_text()
    page.page.keyboard.press("n")
    page.wait("document.querySelector('h1').textContent !== argument", question)
    page.wait("location.search.includes('present=1')")
    page.click("present")
    page.page.locator("[data-testid=stSidebar]").wait_for(state="visible")
    page.wait("!location.search.includes('present')")


def test_a_link_hides_controls_and_says_what_it_cannot_do(visit):
    page = visit("preset=remember&hide=cell~lesson~nonsense&at=soon&then=5~cell~gru")
    assert page.page.locator(".st-key-cell, .st-key-lesson").count() == 0
    assert page.page.locator(".st-key-hidden_size").count() == 1
    text = " ".join(page.page.locator("[data-testid=stAlert]").all_inner_texts())
    assert re.search("nonsense.*not a control", text) and "soon" in text and "cannot be read" in text
    page.frames(2)
