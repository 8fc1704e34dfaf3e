"""A lesson is written in a real browser: typed, checked, tried in the playground, and found again."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.learn import text as learn_text
from tests.browser.conftest import LIMIT
from tests.browser.test_learn import learn

pytestmark = pytest.mark.browser

COPY = """[...document.querySelector('[class*=st-key-copy_]').classList]
.find(name => name.startsWith('st-key-copy_')).slice('st-key-'.length)"""
"""The key of the list of lessons to copy, which belongs to the draft that is shown."""
VALUES = """JSON.stringify([...document.querySelectorAll('.st-key-write_form input')]
.filter(({ ariaLabel }) => ['Title', 'Units'].includes(ariaLabel))
.map(({ value }) => value)) === JSON.stringify(argument)"""
"""These are the title and the units; while the page is drawn anew, a field may stand there twice."""


def test_a_lesson_is_typed_checked_tried_and_found_again(visit):
    """What is typed counts after a pause, also in a field of several lines, and stays while the page is drawn anew."""
    expect.set_options(timeout=LIMIT)
    play = visit("preset=explode")
    page, form = play.page, play.page.locator(".st-key-write_form")
    learn(play)
    page.get_by_role("link", name=learn_text.WRITE).click()
    form.wait_for()
    play.settle()
    page.locator("[class*=st-key-start_] button").click()
    page.locator("[class*=st-key-copy_]").wait_for()
    play.pick(play.get(COPY), "6 · An LSTM by itself")
    field = {name: form.get_by_role("textbox", name=name, exact=True) for name in ("Title", "Text", "Units")}
    expect(field["Title"]).to_have_value("An LSTM by itself")
    play.settle()  # every field of the new draft has been drawn
    field["Title"].fill("")
    expect(form.locator(".missing").first).to_have_text("title is missing.")
    field["Title"].press_sequentially("Mine")
    field["Text"].fill("Set [it](set:units=3)")  # before the title has counted
    expect(form.locator(".problem")).to_contain_text("link [it]: units must be called hidden_size")
    field["Text"].press("ControlOrMeta+ArrowLeft")
    field["Text"].fill("Set **it** [now](set:forget_bias=2).")
    expect(page.locator(".ready")).to_be_visible()
    expect(page.locator(".st-key-acting_preview a")).to_have_text("now")
    play.wait(VALUES, ["Mine", ""])
    play.settle()
    old = play.token
    field["Units"].fill("8")
    play.click("try_lesson")  # while the last field is still being typed in
    play.wait("playground.token && playground.token !== argument && playground.painted > 0", old)
    assert "?preset=draft-" in page.url and page.get_by_text(learn_text.DRAFT).is_visible()
    assert "8" in page.locator(".st-key-hidden_size").inner_text().split()
    page.get_by_role("link", name=learn_text.GO_ON_WRITING).click()
    expect(field["Title"]).to_have_value("Mine")
    second = page.context.new_page()
    page.context.clear_cookies(name="playground")  # as for a server that was started anew: the browser has kept it
    second.goto(f"{play.url}/write", wait_until="commit")
    expect(second.get_by_role("textbox", name="Text", exact=True)).to_have_value("Set **it** [now](set:forget_bias=2).")
    second.close()
