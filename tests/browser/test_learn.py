"""The course in a real browser: cards that are links, lessons that follow each other, and the run that survives it."""

from __future__ import annotations

import pytest

from engine.preset import load_preset
from tests.browser.conftest import ATTEMPTS, LIMIT, is_true
from tests.browser.layout import FIGURES, faults
from tests.browser.test_layout import SIZES

pytestmark = pytest.mark.browser

COLUMNS = """(cards => cards.filter(card => card.y === cards[0].y).length)(
[...[...document.querySelectorAll('[class*=st-key-cards_]')]
.map(grid => [...grid.querySelectorAll('[class*=st-key-card_]')])
.reduce((one, other) => other.length > one.length ? other : one)].map(card => card.getBoundingClientRect()))"""
"""How many cards of the fullest chapter stand side by side."""

LINKS_ARE_LIVE = "document.documentElement.dataset.settingLinks === 'in place'"
"""The page listens to clicks on the links of lessons; before that, a click opens a new tab."""


def turn(page, name: str) -> None:
    """A link of the top navigation."""
    page.page.get_by_test_id("stTopNavLink").filter(has_text=name).click()


def learn(page) -> None:
    """The course, once the playground's sidebar has gone and every card stands where it stays."""
    turn(page, "Learn")
    page.page.locator("[class*=st-key-card_] .tags").last.wait_for()
    page.wait("document.querySelector('.st-key-lessons').getBoundingClientRect().left < 100")
    page.settle()  # what the browser kept may draw the page once more


def card(page, slug: str):
    return page.page.locator(f".st-key-card_{slug}")


def open_lesson(page, slug: str) -> None:
    """A click anywhere on its card; one that arrives while the page is drawn anew is lost, and made again."""
    for _ in range(ATTEMPTS):
        page.settle()
        card(page, slug).click(position={"x": 200, "y": 80})
        try:
            return page.wait("location.search === argument", f"?preset={slug}", LIMIT / ATTEMPTS)
        except AssertionError:
            pass
    raise AssertionError(f"the card of {slug} does not open it")


def unfold(page) -> None:
    """The lesson's text, which waits for a guess."""
    page.page.locator(".st-key-lesson summary").filter(has_text="About this").click()
    page.page.locator(".st-key-acting_lesson").wait_for()


def test_a_card_opens_its_lesson_and_next_and_back_go_on_from_there(visit):
    page = visit()
    old = page.token
    learn(page)
    open_lesson(page, "explode")
    page.wait("playground.token !== argument && playground.token && playground.painted > 0", old)
    page.wait("location.search === '?preset=explode'")
    assert page.page.get_by_role("heading", name="What if the gradient grows on its way back?").is_visible()
    assert (page.step, page.get("playground.phase")) == (0, "paused")
    assert page.page.locator(".st-key-guess_first").is_visible()
    old = page.token
    page.click("next_lesson")
    page.wait("location.search === '?preset=clip' && playground.token !== argument", old)
    page.skip_guess()
    page.wait("playground.step > 0")
    old = page.token
    page.click("previous_lesson")
    page.wait("playground.token !== argument && playground.painted > 0", old)
    page.wait("location.search === '?preset=explode'")
    old = page.token
    unfold(page)
    page.click("next_0")
    page.wait("playground.token !== argument && playground.painted > 0", old)
    page.wait("location.search.startsWith('?preset=explode&')")
    page.click("back_to_lesson")
    page.wait("location.search === '?preset=explode'")


def test_guess_run_reveal_act_and_get_a_tick(visit):
    page = visit("preset=default-lstm")
    lesson, old = page.page.locator(".st-key-lesson"), page.token
    lesson.get_by_text("To do.").wait_for()
    assert not lesson.get_by_text("your guess").count()
    page.page.locator(".st-key-guess_first").get_by_text("About a hundredth").click()
    page.page.locator(".st-key-run_it_here_0 button:enabled").click()
    lesson.get_by_text("About a hundredth (your guess)").wait_for()
    assert "✓ Less than a millionth" in lesson.inner_text()
    page.wait("playground.token !== argument && playground.painted > 0", old)
    lesson.locator(".st-key-acting_lesson").wait_for()  # unfolded by itself: the guess was made
    old = page.token
    page.wait(LINKS_ARE_LIVE)
    lesson.get_by_role("link", name="3", exact=True).click()
    page.wait("playground.token !== argument && playground.painted > 0", old)
    page.wait("location.search === '?preset=default-lstm&forget_bias=3.0'")
    page.wait("document.querySelector('.st-key-forget_bias input').value === '3'")
    lesson.get_by_text("Done.").wait_for()
    learn(page)
    assert card(page, "default-lstm").locator(".tick").inner_text() == "✓ done"
    check_kept(page)
    page.page.locator("summary").filter(has_text="Read this chapter").nth(1).click()
    old = page.token
    page.wait(LINKS_ARE_LIVE)
    page.page.locator(".st-key-acting_remember-lstm").get_by_role("link", name="0.88").click()
    page.wait("playground.token !== argument && playground.painted > 0", old)
    page.wait("location.search === '?preset=remember-lstm&forget_bias=2.0'")
    assert len(page.page.context.pages) == 1


def check_kept(page) -> None:
    """The browser has kept what was done: a server that knows nothing of it, as after a restart, shows the tick."""
    page.wait("document.cookie.includes('lessons_done=default-lstm')")
    second = page.page.context.new_page()
    page.page.context.clear_cookies(name="playground")
    second.goto(f"{page.url}/learn", wait_until="commit")
    second.locator(".st-key-card_default-lstm .tick").wait_for()
    second.locator(".st-key-forget_lessons button").click()
    assert is_true(second, "!document.cookie.includes('lessons_done')")
    second.locator(".st-key-card_default-lstm .tick").wait_for(state="detached")
    second.close()


def test_the_browsers_back_undoes_a_change(visit):
    page = visit("preset=remember")
    page.frames(1)
    page.click("next_lesson")
    page.wait("location.search === '?preset=remember-lstm' && playground.token !== argument", page.token)
    page.skip_guess()
    page.frames(1)
    old = page.token
    page.settle()
    page.page.go_back()
    page.wait("location.search === '?preset=remember' && playground.token !== argument", old)
    page.frames(1)
    assert page.page.get_by_role("heading", name="Can a plain RNN remember the first of 40 digits?").is_visible()


def test_the_run_survives_a_look_at_the_course(visit):
    page = visit("speed=max&steps=1000000")
    page.frames(2)
    token, step = page.token, page.step
    for back in (lambda: turn(page, "Playground"), page.page.go_back):
        learn(page)
        assert page.page.locator("[data-figure]").count() == 0
        back()
        page.wait(
            "playground.token === argument && playground.painted > 0 && !!document.querySelector('[data-figure]')",
            token,
        )
        page.frames(2)
        assert page.step > step and page.get("playground.phase") == "running"
        page.wait("location.search.includes('speed=max')")


def test_the_address_of_a_card_opens_the_lesson_in_a_tab_of_its_own(visit):
    page = visit()
    learn(page)
    address = card(page, "explode").locator("a").evaluate("link => link.href")
    second = page.page.context.new_page()
    second.goto(address, wait_until="commit")
    assert is_true(second, "window.playground?.painted > 0 && location.search === '?preset=explode'")
    assert second.evaluate("playground.step") == 0


def test_cards_stand_in_a_grid_and_nothing_runs_over(visit):
    page = visit()
    learn(page)
    for width, height, columns in ((1440, 900, 4), (1024, 768, 2)):
        page.page.set_viewport_size({"width": width, "height": height})
        page.wait(COLUMNS + " === argument", columns)
        boxes = [each.bounding_box() for each in fullest_grid(page).locator("[class*=st-key-card_]").all()]
        assert len(boxes) > columns
        assert sum(box["y"] == boxes[0]["y"] for box in boxes) == columns
        assert len({box["height"] for box in boxes[:columns]}) == 1  # a row of cards ends on one line
        assert page.get("document.scrollingElement.scrollWidth <= innerWidth")
        for box in page.page.locator("[class*=st-key-card_]").all():
            assert box.evaluate("each => each.scrollWidth <= each.clientWidth + 1"), box.inner_text()


def fullest_grid(page):
    """The chapter with most cards."""
    grids = page.page.locator("[class*=st-key-cards_]").all()
    return max(grids, key=lambda grid: grid.locator("[class*=st-key-card_]").count())


@pytest.mark.parametrize("size", ["1280x800", "390x844"])
def test_a_lesson_waits_for_a_guess_above_the_network(visit, size):
    page = visit("preset=xor", guess=True, viewport=SIZES[size])
    asked = page.page.locator(".st-key-guess_first")
    asked.get_by_text("A guess comes first.").wait_for()
    assert (page.step, page.get("playground.phase")) == (0, "paused") and faults(page.page, FIGURES) == []
    assert page.page.locator(".lv-verdict").is_hidden()  # it would give the answer away
    old = page.token
    asked.get_by_text(load_preset("xor").predict[0].answers[0], exact=True).click()
    page.page.locator(".st-key-run_it_here_0 button:enabled").click()
    page.wait("playground.token !== argument && playground.step > 0", old)
    asked.wait_for(state="detached")
