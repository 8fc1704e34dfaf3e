"""Somebody steps through a sequence, forward and back, in a real browser, and has a number verified."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import Playground

pytestmark = pytest.mark.browser

WHERE = "document.querySelector('.stage-happens strong')?.textContent"
CELLS = "[...document.querySelectorAll('.stage-svg .cell')].filter(each => each.getBoundingClientRect().width).length"
SHOWN = "document.querySelector(argument)?.getBoundingClientRect().width > 0"
END = "document.querySelector('.stage-svg .river').getBBox().x"
FOLLOWED = "[...document.querySelectorAll('.stage-walk-fields input')].map(each => Number(each.value)).join()"


@pytest.fixture
def steps(visit) -> Playground:
    """On the playground, a few updates on, by the key."""
    page = visit("preset=remember&seq_len=12&steps=1000000", reduced_motion="reduce")
    page.wait("playground.step > 5")
    page.page.keyboard.press("w")
    page.wait("location.search.includes('walk=1') && playground.phase === 'paused'")
    stands(page, "Forward · t = 0")
    return page


def stands(page: Playground, where: str) -> None:
    page.wait(f"{WHERE}?.startsWith(argument)", where)


def updates(page: Playground) -> int:
    return page.get("playground.stage.frame.walk.step")


def test_arrow_keys_go_forward_and_back_and_only_what_has_happened_is_drawn(steps):
    page = steps
    for t in (1, 2):
        page.page.keyboard.press("ArrowRight")
        stands(page, f"Forward · t = {t}")
        assert page.get(CELLS) == t + 1
        assert not page.get(SHOWN, ".stage-svg .says") and not page.get(SHOWN, ".stage-svg .drop")
    page.wait("document.querySelector('.stage-walk-sums .ms-term b')?.textContent.match(/0/)")
    page.page.keyboard.press("ArrowLeft")
    stands(page, "Forward · t = 1")
    page.page.keyboard.press("End")
    stands(page, "Back · t = 0")
    whole = page.get(END)
    assert page.get(SHOWN, ".stage-svg .says") and page.get(SHOWN, ".stage-svg .arrives")
    page.page.keyboard.press("ArrowLeft")
    stands(page, "Back · t = 1")
    assert page.get(END) > whole and not page.get(SHOWN, ".stage-svg .arrives")  # the ribbon ends at this step
    page.wait(r"document.querySelector('.stage-walk-factor').textContent.match(/\d\.\d+/g)?.length >= 3")
    text = page.page.locator(".stage-walk-factor").inner_text()
    factor, weights, slope = map(float, re.findall(r"\d\.\d+", text)[:3])
    assert factor == pytest.approx(weights * slope, rel=0.05)
    page.page.keyboard.press("m")  # the two modes exclude each other
    page.wait("location.search.includes('slow=1') && !location.search.includes('walk')")
    page.page.keyboard.press("w")
    page.wait("location.search.includes('walk=1') && !location.search.includes('slow')")
    page.page.keyboard.press("Escape")
    page.wait("!location.search.includes('walk') && document.querySelector('.stage-walk-bar').hidden")
    assert page.get(SHOWN, ".stage-svg .says")


def test_a_press_in_a_picture_follows_that_unit_and_weight_or_goes_to_that_step(steps):
    page = steps
    units = page.get("playground.stage.info.hidden")
    box = page.page.locator(".stage-jacobian").bounding_box()
    side = box["width"] / units
    page.page.mouse.click(box["x"] + 5.5 * side, box["y"] + 3.5 * side)
    page.wait(f"{FOLLOWED} === '3,5'")
    page.page.locator(".stage-walk .stage-tiles", has_text="W_hh[3, 5]").wait_for()
    page.page.locator(".stage-walk-fields input").first.fill("1")
    page.page.keyboard.press("Enter")
    page.page.locator(".stage-walk .stage-tiles", has_text="W_hh[1, 5]").wait_for()
    page.page.locator(".stage-svg .chip").last.click()
    stands(page, "Forward · t = 11")
    page.page.get_by_role("button", name="Next ›").click()
    stands(page, "Back · t = 11 · 0 steps back")
    page.page.locator(".stage-svg .cell").first.click()
    stands(page, "Back · t = 0")


def test_verify_repeats_a_number_and_says_how(steps):
    page = steps
    page.page.keyboard.press("End")
    stands(page, "Back · t = 0")
    page.page.get_by_role("button", name="Verify").click()
    card = page.page.locator(".stage-verified")
    card.get_by_text("Both calculations").wait_for()
    card.get_by_text("Relative error, on the screen").wait_for()
    card.get_by_text(re.compile("autograd|central differences")).wait_for()
    match = re.search(r"Relative error, calculation\s+([\d.e-]+)", card.inner_text())
    assert match and float(match[1]) < 1e-6
    svg, result = (page.page.locator(each).bounding_box() for each in (".stage-svg", ".stage-verified table"))
    assert svg["y"] >= 0 and result["y"] + result["height"] <= 900  # both on one screen


def test_a_little_training_changes_the_numbers_at_the_same_place(steps):
    page = steps
    page.page.keyboard.press("End")
    stands(page, "Back · t = 0")
    before, numbers = updates(page), page.page.locator(".stage-walk-flow").first.inner_text()
    page.page.get_by_role("button", name="100 updates").click()
    page.wait("playground.stage.frame.walk?.step === argument", before + 100)
    stands(page, "Back · t = 0")
    assert page.page.locator(".stage-walk-flow").first.inner_text() != numbers
    page.page.get_by_role("button", name="1 update", exact=True).click()
    page.wait("playground.stage.frame.walk?.step === argument", before + 101)


def test_an_old_link_to_the_page_leads_there_and_every_chain_can_be_followed(visit):
    page = visit()
    page.page.goto(
        f"{page.url}/steps?task=xor&rnn_type=many_to_many&cell=gru&num_layers=2&bidirectional=true&seq_len=8"
    )
    stands(page, "Forward · t = 0")
    assert "walk=1" in page.get("location.search")
    page.page.get_by_label("Layer and direction", exact=True).select_option("layer 1 ← backwards")
    stands(page, "Forward · t = 0 · step 8 of 8")  # the same place of a chain that reads from the end
    page.page.keyboard.press("Home")
    stands(page, "Forward · t = 7 · step 1 of 8")
    assert page.get(CELLS) == 2  # the first step of either direction, in layer 1 alone
    page.problems[:] = [each for each in page.problems if "404" not in each]  # Streamlit looks for the server's root
