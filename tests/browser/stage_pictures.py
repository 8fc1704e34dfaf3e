"""The pictures of docs/stage, of today's page: the twins of the first drafts, `make pictures`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.browser.conftest import Playground, is_true, new_context

RECALL = "hidden_size=32&learning_rate=0.003"
CELL = '.stage-svg .cell[data-t="3"]'


def dots(page: Page) -> None:
    """Halfway through the journey of a thousand dots."""
    page.locator(".stage-dots").click()
    is_true(page, "document.querySelector('.arrives').textContent.includes('of 1,000')")
    is_true(page, "parseInt(document.querySelector('.arrives-at').textContent) < 400")  # on their way


def opened(page: Page) -> None:
    """The cell at t = 3 under the microscope, unit 16."""
    page.evaluate("window.playground.stage.choose(3)")
    page.locator(CELL).first.click()
    page.locator(".ms-units button").nth(16).click()


def folded(page: Page) -> None:
    """All steps in one cell with its loop."""
    page.locator(".stage-fold").click()
    is_true(page, "window.playground.stage.view.fold === 0")


def nothing(page: Page) -> None:
    """The picture as it is."""


@dataclass(frozen=True)
class Twin:
    """A picture: the experiment, how many updates it has at least, and how it is looked at."""

    query: str
    updates: int = 0
    scheme: str = "light"
    size: tuple[int, int] = (1440, 900)
    act: Callable[[Page], None] = nothing


BOTH = "task=teddy&seq_len=10&rnn_type=many_to_many&cell=gru&bidirectional=true&num_layers=2&hidden_size=16"
LETTERS = "task=characters&rnn_type=many_to_many&cell=gru&seq_len=24&hidden_size=32&learning_rate=0.005"
TRANSLATE = "task=english_french&rnn_type=encoder_decoder&cell=gru&hidden_size=32&learning_rate=0.005"
TWINS = {
    "1-who-is-it": Twin("task=themselves&cell=rnn&hidden_size=16&learning_rate=0.005&seq_len=21", 400),
    "2-thousand-dots": Twin(f"{RECALL}&cell=rnn", scheme="dark", act=dots),
    "3-microscope-lstm": Twin(f"{RECALL}&cell=lstm&forget_bias=3", 800, act=opened),
    "4-both-ways": Twin(BOTH),
    "5-letters": Twin(LETTERS, 600),
    "6-translate": Twin(TRANSLATE, 600, "dark"),
    "6-folded": Twin(TRANSLATE, 0, "dark", act=folded),
    "7-present": Twin(f"{RECALL}&cell=rnn&present=1", size=(1280, 800)),
    "8-phone": Twin(f"{RECALL}&cell=rnn", size=(390, 844)),
}


def take_twins(browser: Browser, url: str, folder: Path, settle: Callable[[Page], object]) -> None:
    """All of them, paused at about the step that is asked for; `settle` waits until a page has finished drawing."""
    for name, twin in TWINS.items():
        width, height = twin.size
        viewport = {"width": width, "height": height}
        page = new_context(browser, viewport=viewport, color_scheme=twin.scheme).new_page()
        playground = Playground(page, url).open(f"{twin.query}&speed=max")
        playground.wait(f"playground.step >= {twin.updates}")
        playground.pause()
        if width < height:
            page.locator(".stage").evaluate("stage => stage.scrollIntoView()")
        settle(page)
        twin.act(page)
        is_true(page, "document.querySelector('.stage-micro').getAnimations().length === 0")
        page.screenshot(path=folder / f"{name}.png")
        page.context.close()
