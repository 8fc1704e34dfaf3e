"""What the tests of the course share."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app import text
from engine.preset import list_presets

LESSONS = [preset for preset in list_presets() if preset.kind == "lesson" and not preset.file]
FAILURES = [preset for preset in list_presets() if preset.kind == "failure" and not preset.file]
BUGS = [preset for preset in list_presets() if preset.kind == "bug" and not preset.file]
PAGES_IN_MENU = 8
KINDS = [pytest.param(kin, id=kin[0].kind) for kin in (LESSONS, FAILURES, BUGS) if kin]


def page_links(page: AppTest) -> list:
    """The links on the page itself, after those of the menu of all pages."""
    return page.get("page_link")[PAGES_IN_MENU:]


def card_links(page: AppTest) -> list:
    """The links of the page's cards, in order: their labels are those of the list of lessons."""
    labels = {text.preset(preset) for preset in list_presets()}
    return [each for each in page_links(page) if each.proto.label in labels]


def cards(page: AppTest) -> list[str]:
    """The lessons that the page's cards open, in order."""
    return [each.proto.query_string.split("&")[0].removeprefix("preset=") for each in card_links(page)]


def bodies(page: AppTest, mark: str) -> list[str]:
    """The page's HTML that has this in it."""
    return [each.proto.body for each in page.get("html") if mark in each.proto.body]
