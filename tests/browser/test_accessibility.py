"""Figures for whoever reads numbers, uses keys or a finger, asked for less motion, or takes a figure away."""

from __future__ import annotations

import csv
import re
import struct
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import Playground, new_context
from tests.colours import contrast

pytestmark = pytest.mark.browser

CARD = '[data-card="{}"]'
CELLS = """[...document.querySelectorAll(`[data-card=${argument}] .lv-table tr`)]
.map(row => [...row.cells].map(cell => cell.textContent))"""
PLACES = """[...document.querySelectorAll('.lv-card:not([hidden]) header, .lv-word, .lv-clock')]
.map(each => [each.getBoundingClientRect(), each.matches('.lv-clock')]).filter(([{ top }]) => top < 700)
.map(([{ top, left, right, height }, flushRight]) => [top, flushRight ? right : left, height])"""
FILLS = """[...document.querySelectorAll('.stage-svg .says text, .stage-svg .says tspan, .stage-svg .arrives')]
.filter(each => each.textContent && each.checkVisibility()).map(each => getComputedStyle(each).fill)"""
HEADER = "document.querySelector('[data-card=loss] header').offsetHeight"
MOVING = """[...document.querySelectorAll('.lv, .lv *')].map(each => getComputedStyle(each))
.filter(({ transitionDuration: one, animationDuration: other }) => parseFloat(one) + parseFloat(other) > 0).length"""
SMALL = """[...document.querySelectorAll('.lv button, .lv summary')]
.filter(each => each.checkVisibility({ opacityProperty: true }) && each.getBoundingClientRect().height < 24)
.map(each => each.textContent)"""


def card(page: Playground, name: str):
    return page.page.locator(CARD.format(name))


def press(page: Playground, name: str, button: str) -> None:
    """A button of a card, which shows while somebody is there."""
    page.show(name)
    card(page, name).hover()
    card(page, name).get_by_role("button", name=button, exact=True).click()


def saved(page: Playground, name: str, kind: str, folder: Path) -> Path:
    """A figure saved as this kind of file, under the name that the page gave it."""
    press(page, name, "save")
    with page.page.expect_download() as waiting:
        card(page, name).locator(f".lv-menu [data-kind={kind}]").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_tables_files_and_keys_give_what_the_eye_and_the_mouse_get(visit, browser, tmp_path):
    page = visit("preset=remember-lstm&steps=1000000")
    page.pause()
    check_tables(page)
    check_csv(page, saved(page, "gradient", "csv", tmp_path))
    check_files(page, browser, tmp_path)
    check_keys(page)
    check_colours(page)


def check_colours(page: Playground) -> None:
    """What the network says, right in green and wrong in the text colour, can be read on the stage's ground."""
    fills = page.get(FILLS)
    on = "document.querySelector('.stage')"
    (ground,) = hexadecimal([page.get(f"getComputedStyle({on}).backgroundColor")])
    assert len(fills) >= 2 and all(contrast(each, ground) >= 4.5 for each in hexadecimal(fills))


def hexadecimal(colours: list[str]) -> list[str]:
    return ["#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", each)[:3]) for each in colours]


def check_tables(page: Playground) -> None:
    for name in ("hidden", "gradient"):
        press(page, name, "table")
    assert card(page, "gradient").get_by_role("button", name="table").get_attribute("aria-expanded") == "true"
    table = card(page, "gradient").get_by_role("table")
    assert table.locator("caption").inner_text() == card(page, "gradient").locator("h2").inner_text()
    assert table.locator("thead th[scope=col]").count() == 4 and table.locator("tbody th[scope=row]").count() == 40
    head, *rows = page.get(CELLS, "gradient")
    assert head == ["t", "half of the sequences, from", "half of the sequences, to", "relative size"]  # nothing empty
    assert [int(row[0]) for row in rows] == list(range(40))
    drawn = {trace["name"]: trace["y"] for trace in page.data("gradient", "data") if "y" in trace}
    assert [float(row[3]) for row in rows] == pytest.approx(drawn["relative size"], rel=1e-3)
    head, *rows = page.get(CELLS, "hidden")
    states = page.data("hidden", "data[0].z.map(row => [...row])")
    assert [[float(cell) for cell in row[1:]] for row in rows] == [pytest.approx(row, abs=1e-3) for row in states]


def check_csv(page: Playground, path: Path) -> None:
    assert path.name == f"gradient-step-{page.step}.csv"
    with path.open() as file:
        sizes = [float(row["relative size"]) for row in csv.DictReader(file)]
    assert sizes == pytest.approx(page.data("gradient", "data[2].y"), rel=1e-7)


def check_files(page: Playground, browser: Browser, folder: Path) -> None:
    """The picture has twice the figure's size and room for a title, the drawing can be read, the page needs nothing."""
    shown = page.page.locator("[data-figure=gradient]").bounding_box()
    png = saved(page, "gradient", "png", folder).read_bytes()
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG") and width == 2 * round(shown["width"]) and height > 2 * shown["height"]
    words = "".join(ElementTree.parse(saved(page, "gradient", "svg", folder)).getroot().itertext())
    assert "Gradient that reaches each step" in words and f"step {page.step:,}" in words
    path = saved(page, "gradient", "html", folder)
    context = new_context(browser, offline=True)
    alone = context.new_page()
    alone.goto(path.as_uri())
    alone.wait_for_function("document.querySelectorAll('.scatterlayer .point').length === 40")
    assert alone.title() == f"Gradient that reaches each step, step {page.step:,}"
    context.close()


def check_keys(page: Playground) -> None:
    figure, line = page.page.locator("[data-figure=gradient]"), page.page.locator(".lv-cursor")
    described = [
        page.page.locator(f"#{each}").inner_text() for each in figure.get_attribute("aria-describedby").split()
    ]
    assert described == [card(page, "gradient").locator(each).first.inner_text() for each in ("p", ".lv-readout")]
    figure.focus()
    for key, t in (("End", 39), ("ArrowLeft", 38), ("Home", 0), ("ArrowLeft", 0), ("ArrowRight", 1)):
        page.page.keyboard.press(key)
        assert line.inner_text() == f"t = {t}"
    at = page.get("(a => a._offset + a.d2p(1))(document.querySelector('[data-figure=gradient]')._fullLayout.xaxis)")
    assert abs(line.bounding_box()["x"] - figure.bounding_box()["x"] - at) < 2
    announced = card(page, "gradient").locator("[aria-live]").inner_text()
    size = re.search(r"^t = 1: .*relative size ([\d.e-]+)$", announced)
    assert size and float(size[1]) == pytest.approx(page.data("gradient", "data[2].y[1]"), rel=1e-3)
    assert page.page.locator("[data-figure=gradient] .hoverlayer .hovertext").count() > 0
    assert page.get("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.page.keyboard.press("Escape")
    assert line.is_hidden()
    page.page.keyboard.press("Escape")  # once more: the table
    assert card(page, "gradient").locator(".lv-table").is_hidden()
    assert page.get("document.activeElement.textContent") == "table"


def test_an_open_table_follows_the_training_and_nothing_jumps(visit):
    page = visit("preset=remember&steps=1000000&speed=max")
    page.show("gradient")
    press(page, "gradient", "table")
    page.frames(2)
    numbers, places, step = page.get(CELLS, "gradient"), page.get(PLACES), page.step
    page.wait("playground.step > argument + 200", step)
    page.wait(
        "JSON.stringify((argument => " + CELLS + ")('gradient')) !== JSON.stringify(argument)",
        numbers,
    )
    assert len(page.get(CELLS, "gradient")) == len(numbers) == 41
    assert page.get(PLACES) == places and len(places) >= 4
    page.pause()
    low = page.get(HEADER)
    page.get("document.querySelector('[data-card=loss] .lv-readout').textContent = argument", "1234567890 " * 5)
    page.wait("parseFloat(document.querySelector('[data-card=loss] header').style.minHeight) > argument", low)
    high = page.get(HEADER)
    page.get("document.querySelector('[data-card=loss] .lv-readout').textContent = argument", "1")
    assert page.get(HEADER) == high > low  # what once needed two lines keeps them


def test_who_asked_for_less_motion_gets_a_picture_a_second(visit):
    page = visit("preset=remember&steps=1000000&speed=max", reduced_motion="reduce")
    page.wait("playground.painted >= 7")  # at first, figures come into sight one by one, and are drawn at once
    page.frames(6)
    ends = page.get("playground.log.slice(-6).map(([at]) => at)")
    assert (ends[-1] - ends[0]) / (len(ends) - 1) > 850
    assert page.get(MOVING) == 0


def test_a_finger_moves_the_line_and_finds_what_it_presses(visit):
    page = visit("preset=remember", has_touch=True, is_mobile=True)
    assert page.get(SMALL) == []
    page.show("gradient")
    figure = page.page.locator("[data-figure=gradient]")
    axis = page.get("(a => a._offset + a.d2p(7))(document.querySelector('[data-figure=gradient]')._fullLayout.xaxis)")
    box = figure.bounding_box()
    page.page.touchscreen.tap(box["x"] + axis, box["y"] + box["height"] / 2)
    assert page.page.locator(".lv-cursor").inner_text() == "t = 7"
    card(page, "gradient").get_by_role("button", name="table").tap()
    assert card(page, "gradient").get_by_role("table").is_visible()
