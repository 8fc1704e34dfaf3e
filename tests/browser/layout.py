"""Faults of layout, measured on the boxes of a real page: text over text, covered or clipped text, a page too wide."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.pictures import FINISHED

MEASURE = Path(__file__).with_suffix(".js").read_text()
FIGURES = ".js-plotly-plot"
SCROLLER = "document.querySelector('[data-testid=stMain]') ?? document.scrollingElement"
STEP = 0.75  # of the window's height, from one place to the next
MOVE = """(({{ scroller, by }}) => {{
    const before = scroller.scrollTop
    scroller.scrollTop += by * innerHeight
    return scroller.scrollTop > before
}})({{ scroller: {scroller}, by: {by} }})"""
QUIET = 8  # frames in which nothing changes, after which a page is drawn


def faults(page: Page, ignoring: str = "") -> list[str]:
    """What is wrong with what the window shows now, a line for each fault: its kind, the texts, their boxes in pixels
    (left, top, width, height).

    Text of two elements overlaps if their letters share more than 2 pixels in both directions, and no opaque layer
    hides one of them. Text is covered if an opaque neighbour in the page's flow lies over it; a layer, as a bar or a
    menu, may. Text is clipped if it is cut by an element that hides what overflows, by an ellipsis or a line clamp
    without the full text in a title, or by the edge of the window. What can be scrolled is not clipped.

    Args:
        ignoring: a selector of elements whose text is not measured.
    """
    return page.evaluate(MEASURE, ignoring)


def faults_of_whole_page(page: Page, ignoring: str = "") -> list[str]:
    """The same at every place of the page, from top to bottom, each once; figures are drawn when they come into sight.

    The page must not change by itself: its run is paused.
    """
    found: dict[str, str] = {}
    page.mouse.move(0, 0)  # a card's tools lie over its header while the mouse is on it
    page.evaluate(MOVE.format(scroller=SCROLLER, by=-1000))
    moves = True
    while moves:
        page.evaluate(FINISHED, QUIET)
        for fault in faults(page, ignoring):
            found.setdefault(re.sub(r"\[[-\d,]*\]", "", fault), fault)  # its box moves with the page
        moves = page.evaluate(MOVE.format(scroller=SCROLLER, by=STEP))
    page.evaluate(MOVE.format(scroller=SCROLLER, by=-1000))
    return list(found.values())
