"""Somebody steps through a sequence, forward and back, in a real browser, and has a number verified."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Playground

pytestmark = pytest.mark.browser


@pytest.fixture
def steps(visit) -> Playground:
    """From the playground, a few updates on, to the page."""
    page = visit("preset=remember&seq_len=12&steps=1000000")
    page.wait("playground.step > 5")
    page.page.get_by_role("link", name="Step through").click()
    stands(page, "Forward · t = 0")
    return page


def stands(page: Playground, where: str) -> None:
    page.page.locator(".st-key-steps").get_by_text(where, exact=False).first.wait_for()


def test_arrow_keys_go_forward_and_back(steps):
    page = steps
    page.wait("document.querySelector('[data-figure=walk]')?.data?.length === 2")
    for t in (1, 2):
        page.page.keyboard.press("ArrowRight")
        stands(page, f"Forward · t = {t}")
    page.page.keyboard.press("ArrowLeft")
    stands(page, "Forward · t = 1")
    page.page.keyboard.press("End")
    stands(page, "Back · t = 0")
    page.page.keyboard.press("ArrowLeft")
    stands(page, "Back · t = 1")
    page.wait(r"document.querySelector('p.factor')?.innerText.match(/\d\.\d+/g)?.length >= 3")
    text = page.page.locator("p.factor").inner_text()
    factor, weights, slope = map(float, re.findall(r"\d\.\d+", text)[:3])
    assert factor == pytest.approx(weights * slope, rel=0.05)


def test_a_press_in_a_picture_follows_that_unit_and_weight(steps):
    page = steps
    page.wait("document.querySelector('[data-figure=jacobian]')?._fullLayout")
    box = page.page.locator("[data-figure=jacobian] .nsewdrag").bounding_box()
    units = page.get("document.querySelector('[data-figure=jacobian]').data[0].x.length")
    side = box["width"] / units
    page.page.mouse.click(box["x"] + 5.5 * side, box["y"] + 3.5 * box["height"] / units)
    stands(page, "from unit 5 of the step before to unit 3")
    box = page.page.locator("[data-figure=walk] .nsewdrag").first.bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 3)  # where nothing has been reached yet
    stands(page, "to unit 0")


def test_verify_repeats_a_number_and_says_how(steps):
    page = steps
    page.page.keyboard.press("End")
    stands(page, "Back · t = 0")
    page.click("steps_verify")
    card = page.page.locator(".st-key-steps_verify_card")
    card.get_by_text("Both calculations").wait_for()
    card.get_by_text("Relative error of the number on this page").wait_for()
    card.get_by_text(re.compile("autograd|central differences")).wait_for()  # the last line: all is there
    shown = card.inner_text()
    match = re.search(r"Relative error of the calculation\s+([\d.e-]+)", shown)
    assert match and float(match[1]) < 1e-6
    assert "autograd" in shown or "central differences" in shown


def test_a_little_training_changes_the_numbers(steps):
    page = steps
    before = re.search(r"after ([\d,]+) update", page.page.locator(".st-key-steps").inner_text())
    page.click("steps_train_100")
    after = int(before[1].replace(",", "")) + 100
    stands(page, f"after {after:,} updates")
