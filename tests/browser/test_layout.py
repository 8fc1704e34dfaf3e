"""Nothing on the page lies over other text, is cut, or makes the page wider than its window."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Playground, new_context
from tests.browser.layout import FIGURES, faults, faults_of_whole_page

pytestmark = pytest.mark.browser

HEAD = "<!doctype html><style>* { margin: 0; font: 16px/20px sans-serif } .at { position: absolute }</style>"


def at(left: int, top: int, inner: str, style: str = "", tag: str = "div") -> str:
    """An element at this place of the page."""
    return f'<{tag} class="at" style="left: {left}px; top: {top}px; {style}">{inner}</{tag}>'


def svg(left: int, top: int, inner: str) -> str:
    return at(left, top, f'<svg width="100" height="30">{inner}</svg>')


ONE_LINE = "overflow: hidden; white-space: nowrap;"
SOUND = (
    at(0, 0, "touches") + at(0, 20, "the next line"),
    at(200, 0, "", "width: 80px; height: 40px; background: #ccc") + at(210, 5, "on a box"),
    at(0, 60, "below") + at(0, 60, "clear", "opacity: 0") + at(0, 60, "unseen", "visibility: hidden"),
    at(0, 60, "below") + at(0, 60, "spoken", "width: 1px; height: 1px; overflow: hidden"),
    at(200, 60, "<summary>folded</summary>away", tag="details") + at(200, 80, "under it"),
    at(0, 100, "behind") + at(0, 100, "in front", "background: white; z-index: 2"),
    at(0, 140, "to be scrolled", "width: 60px; height: 20px; overflow: auto; white-space: nowrap"),
    at(100, 140, '<p title="said in full">said in full</p>', f"width: 40px; {ONE_LINE} text-overflow: ellipsis"),
    svg(-1000, 0, '<text y="15">measured</text><text y="15">also</text>'),
    svg(0, 180, '<text y="20">left</text><text x="50" y="20">right</text>'),
    at(0, 220, '<p style="line-height: 14px">tight</p><p style="line-height: 14px">lines</p>'),
    at(0, 280, '<div style="width: 200px">fits</div>', "width: 60px; overflow: hidden"),
)
FAULTS = {
    "text over text": (
        at(0, 400, "first") + at(9, 405, "second"),
        svg(0, 440, '<text y="20">tick</text><text x="5" y="20">label</text>'),
        at(0, 480, "in glass") + at(0, 480, "over it", "background: rgb(255 255 255 / 0.4)"),
    ),
    "covered text": (
        at(0, 500, '<p>half hidden</p><b style="display: inline-block; width: 90px; height: 20px; margin-top: -16px;'
                   ' background: #eee; vertical-align: top"></b>', "width: 300px"),
    ),
    "clipped text": (
        at(300, 400, "cut off", f"width: 30px; {ONE_LINE}"),
        at(300, 440, "two lines", "width: 60px; height: 26px; overflow: hidden"),
        at(300, 480, "shortened", f"width: 30px; text-overflow: ellipsis; {ONE_LINE}"),
        at(300, 520, "clamped words", "width: 60px; overflow: hidden; display: -webkit-box; -webkit-line-clamp: 1;"
                                      " -webkit-box-orient: vertical"),
        svg(300, 400, '<text x="80" y="15">a label</text>'),
    ),
    "outside the window": (at(620, 440, "too far right", "position: fixed"),),
    "page too wide": (at(600, 600, "", "width: 100px; height: 1px"),),
}  # fmt: skip


def test_every_kind_of_fault_is_found_and_nothing_else(browser: Browser):
    context = new_context(browser, viewport={"width": 640, "height": 700})
    page = context.new_page()
    for example in SOUND:
        page.set_content(HEAD + example)
        assert faults(page) == [], example
    for kind, examples in FAULTS.items():
        for example in examples:
            page.set_content(HEAD + SOUND[0] + example)
            found = faults(page)
            assert found and all(fault.startswith(kind) for fault in found), (example, found)
    overlap = FAULTS["text over text"][0]
    page.set_content(HEAD + overlap)
    (fault,) = faults(page)
    assert re.fullmatch(r'text over text: "first" \[0,4\d\d,\d+,\d+\] and "second" \[9,4\d\d,\d+,\d+\]', fault)
    assert faults(page, "div") == []
    page.set_content(HEAD + '<p style="height: 2000px"></p>' + overlap.replace("top: 4", "top: 16"))
    assert faults(page) == [] and len(faults_of_whole_page(page)) == 1
    context.close()


# ---- the playground

SIZES = {f"{width}x{height}": {"width": width, "height": height}
         for width, height in ((1440, 900), (1280, 800), (1024, 768), (820, 1180), (390, 844))}  # fmt: skip
LESSON = "preset=remember&steps=1000000"
ROWS = """[...document.querySelectorAll('.st-key-transport button')].filter(each => each.offsetParent)
.map(each => each.getBoundingClientRect()).map(({ top, height }) => Math.round(top + height / 2))"""
FIRST_SCREEN = "document.querySelector('.lv-verdict').getBoundingClientRect().bottom"


def training(page: Playground) -> None:
    page.frames(3)
    page.pause()


def untouched(page: Playground) -> None:
    """It opens paused, or is paused as it is."""
    if page.get("playground.phase") == "running":
        page.pause()


def looking_back(page: Playground) -> None:
    page.pause()
    page.page.locator(".lv-timeline-slider").focus()
    page.page.keyboard.press("Home")
    page.wait("playground.at === 0 && playground.step === 0")


def diverging(page: Playground) -> None:
    page.wait("document.querySelector('.lv-verdict').dataset.kind === 'diverged'")
    page.pause()


def in_slow_motion(page: Playground) -> None:
    """In the phase with the most text beside the picture, then in the last, with the norms of all matrices."""
    page.page.get_by_role("button", name="3 Backward").click()
    assert faults_of_whole_page(page.page) == []
    page.page.get_by_role("button", name="5 Update").click()
    page.page.locator(".stage-norms .main-svg").first.wait_for()


def stepping_through(page: Playground) -> None:
    """On the way forward, then on the way back with a number verified."""
    page.page.keyboard.press("ArrowRight")
    page.wait("document.querySelector('.stage-happens strong')?.textContent.includes('step 2 of')")
    assert faults_of_whole_page(page.page) == []
    page.page.keyboard.press("End")
    page.wait("document.querySelector('.stage-happens strong')?.textContent.startsWith('Back')")
    page.page.get_by_role("button", name="Verify").click()
    page.page.locator(".stage-verified table").wait_for()


def in_every_tab(page: Playground) -> None:
    page.pause()
    for tab in page.page.locator(".lv-tabs [role=tab]").all()[1:]:
        tab.click()
        assert faults_of_whole_page(page.page) == []


FEW = [("1280x800", "light", LESSON), ("390x844", "dark", LESSON), ("1280x800", "light", f"{LESSON}&present=1")]


EXPERIMENTS = {
    "first lesson": ("preset=wave&steps=1000000", training),
    "two layers, both ways": (
        "task=sentiment&rnn_type=many_to_one&cell=gru&num_layers=2&bidirectional=true&steps=1000000", training),
    "translation": ("task=english_french&rnn_type=encoder_decoder&cell=gru&steps=1000000", training),
    "diverged": ("preset=gru-adding&learning_rate=1&steps=1000000", diverging),
    "looking back": (LESSON, looking_back),
    "long title": ("preset=blind-gate", untouched),
    "slow motion": ("preset=remember&slow=1", in_slow_motion),
    "step through": ("preset=remember-lstm&walk=1", stepping_through),
    "step through, translation": (
        "task=english_french&rnn_type=encoder_decoder&cell=gru&walk=1", stepping_through),
    "step through, both ways": (
        "task=sentiment&rnn_type=many_to_one&cell=gru&num_layers=2&bidirectional=true&walk=1", stepping_through),
    "step through, no link": ("task=stocks&rnn_type=many_to_many&cell=feedforward&walk=1", stepping_through),
    "tabs": ("preset=remember-lstm&steps=1000000", in_every_tab),
}  # fmt: skip


@pytest.mark.parametrize(("size", "scheme", "query"), FEW)
def test_a_lesson_stands_whole_on_every_screen(visit, size: str, scheme: str, query: str):
    check(visit(query, viewport=SIZES[size], color_scheme=scheme), training)


@pytest.mark.full
@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_kind_of_run_stands_whole_on_every_screen(visit, size: str, scheme: str, experiment: str):
    query, act = EXPERIMENTS[experiment]
    check(visit(query, viewport=SIZES[size], color_scheme=scheme), act)


@pytest.mark.parametrize(("size", "scheme"), [("1280x800", "light"), ("390x844", "dark")])
@pytest.mark.parametrize("mode", ["slow motion", "step through"])
def test_a_mode_of_the_stage_stands_whole(visit, size: str, scheme: str, mode: str):
    query, act = EXPERIMENTS[mode]
    check(visit(query, viewport=SIZES[size], color_scheme=scheme, reduced_motion="reduce"), act)


PAGES = {"compare": ".rc-lane > header", "learn": ".st-key-card_failure-nan", "glossary": ".glossary",
         "first": ".fm .chip", "recording": "[data-testid=stFileUploader]",
         "map": ".mp-panels .lv-card", "write": ".st-key-acting_preview"}  # fmt: skip
"""{address of a page: what stands there when it is drawn}."""


@pytest.mark.parametrize(("size", "scheme", "name"), [
    ("1280x800", "light", "compare"), ("390x844", "dark", "compare"), ("390x844", "light", "first"),
    ("390x844", "light", "map"), ("390x844", "dark", "learn"),
    *(pytest.param(size, scheme, name, marks=pytest.mark.full)
      for size in SIZES for scheme in ("light", "dark") for name in PAGES),
])  # fmt: skip
def test_every_page_stands_whole(visit, size: str, scheme: str, name: str):
    page = visit(LESSON, viewport=SIZES[size], color_scheme=scheme)
    page.page.goto(f"{page.url}/{name}", wait_until="commit")
    page.page.locator(PAGES[name]).first.wait_for()
    assert faults_of_whole_page(page.page) == []
    page.problems[:] = [each for each in page.problems if "404" not in each]  # Streamlit looks below it


def test_every_page_can_be_reached_on_a_phone_and_the_link_fits(visit):
    page = visit(LESSON, viewport=SIZES["390x844"])
    page.pause()
    page.page.get_by_role("button", name="Share").click()
    page.page.locator(".st-key-share code").wait_for()
    assert faults(page.page, FIGURES) == []
    page.page.keyboard.press("Escape")
    page.page.get_by_role("button", name="Pages").click()
    page.page.get_by_role("link", name="Glossary").click()
    page.page.locator(".glossary").first.wait_for()
    page.page.goto(f"{page.url}/learn", wait_until="commit")  # a page without a sidebar, opened by its address
    page.page.get_by_role("button", name="Pages").click()
    in_menu = page.page.get_by_test_id("stPageLink-NavLink")  # Streamlit's own, in the sidebar, is there for a moment
    in_menu.filter(has_text="Playground").wait_for()
    page.problems[:] = [each for each in page.problems if "404" not in each]  # Streamlit looks below it


def test_the_verdict_grows_with_its_text_and_keeps_its_height(visit):
    page = visit(LESSON, viewport=SIZES["1440x900"])
    page.pause()
    height = "document.querySelector('.lv-verdict').offsetHeight"
    width = page.get("document.querySelector('.lv').offsetWidth")
    low, said = page.get(height), page.page.locator(".lv-sentence").inner_text()
    assert width >= 1000 and low <= 84
    page.get("document.querySelector('.lv-sentence').textContent = argument", said * 4)
    page.wait("parseFloat(document.querySelector('.lv-verdict').style.minHeight) > argument", low)
    high = page.get(height)
    assert faults(page.page, FIGURES) == []
    page.get("document.querySelector('.lv-sentence').textContent = argument", said)
    assert page.get(height) == high > low
    old = page.token
    page.click("reset")
    page.wait("playground.token !== argument && playground.painted > 0", old)
    page.wait(f"{height} < argument", high)


def check(page: Playground, act: Callable[[Playground], None]) -> None:
    """Do what leads to the state to look at, then look at the whole page."""
    act(page)
    assert faults_of_whole_page(page.page) == []
    check_head(page)
    page.problems[:] = [each for each in page.problems if "<path> attribute d" not in each]  # Plotly's, of a figure


def check_head(page: Playground) -> None:
    """Title, buttons and verdict leave room for a picture, and every page can be reached."""
    width, presents = page.get("innerWidth"), page.page.locator(".presenting").count()
    if width >= 1280:
        assert page.get(FIRST_SCREEN) <= 310  # 250 below a navigation bar of 60 pixels
    if not presents:
        assert (
            page.page.get_by_role("link", name="Glossary")
            .or_(page.page.get_by_role("button", name="Pages"))
            .first.is_visible()
        )
    rows = len(set(page.get(ROWS)))
    assert rows <= (1 if width >= 1280 else 3)
