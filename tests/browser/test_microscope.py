"""The cell microscope by itself, in Chromium: its modules with a run's numbers, without the page around it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from app.stage.microscope.description import configuration
from engine.cells import CELLS

pytestmark = pytest.mark.browser
STAGE = Path(__file__).resolve().parents[2] / "app" / "stage"
ADDRESS = "http://microscope.test"
PAGE = """<!doctype html><div id="host"></div><script type="module">
import { createMicroscope } from "./microscope/microscope.js";
const told = (window.told = []);
const acts = { step: (by) => told.push(by), follow: (k) => told.push(`unit ${k}`), close: () => told.push("close") };
const palette = (v) => (v < 0 ? "rgb(0, 128, 122)" : "rgb(91, 42, 145)");
window.scope = createMicroscope(document.querySelector("#host"), palette, acts);
</script>"""
VIEW = {"t": 3, "steps": 9, "unit": 1, "units": 4, "layer": 1, "layers": 2, "direction": 1, "directions": 2,
        "states": [0.1, -0.2, 0.3, 0.4], "word": "cat"}  # fmt: skip


def answer(route: Route) -> None:
    name = route.request.url.removeprefix(f"{ADDRESS}/")
    kind = "text/html" if not name else "text/javascript"
    body = PAGE if not name else (STAGE / name).read_text(encoding="utf-8")
    route.fulfill(body=body, content_type=f"{kind}; charset=utf-8")


@pytest.fixture
def opened(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(reduced_motion="reduce")
    problems: list[str] = []
    page.on("pageerror", lambda problem: problems.append(str(problem)))
    page.route(f"{ADDRESS}/**", answer)
    page.goto(f"{ADDRESS}/")
    page.wait_for_function("window.scope")
    yield page
    page.close()
    assert problems == []


def configure(page: Page, cell: str, **values: float) -> None:
    described = json.loads(json.dumps(configuration(CELLS[cell], "tanh")))
    every = {node["value"]: 0.5 for node in described["nodes"]} | {wire["value"]: 0.5 for wire in described["wires"]}
    page.evaluate("([d, v, w]) => { scope.configure(d); scope.patch(v, w); }", [described, every | values, VIEW])


def test_the_head_says_which_cell_and_the_picture_has_its_numbers(opened):
    configure(opened, "lstm", **{"c old": -0.42})
    assert opened.locator(".ms-head").inner_text() == "LSTM at t = 3, unit 1 of 4, layer 2, right to left"
    texts = opened.locator(".ms-end text").all_text_contents()
    assert {"c₄ = −0.42", "x₃ = cat", "h₃ = 0.50"} <= set(texts)
    belt = opened.locator('path.ms-belt[data-v="c old"]')
    assert belt.get_attribute("style") == "stroke:rgb(0, 128, 122)"
    assert float(belt.get_attribute("stroke-width")) == pytest.approx(1.8 + 24 * 0.42, abs=0.05)


def test_a_term_lights_everything_that_has_its_value_in_every_cell(opened):
    for cell in CELLS:
        configure(opened, cell)
        lit = opened.evaluate("""() => [...document.querySelectorAll(".ms-term")].map((term) => {
          term.focus();
          const found = [...document.querySelectorAll(".ms-lit")].map((each) => each.dataset.v);
          return [term.dataset.v, [...new Set(found)]];
        })""")
        assert lit and all(found == [value] for value, found in lit), cell


def test_a_frame_writes_only_what_changed(opened):
    configure(opened, "gru")
    written = """([changed, w]) => new Promise((done) => {
      const seen = new Set();
      const watch = new MutationObserver((found) => found.forEach((each) => seen.add(each.target)));
      const all = { attributes: true, childList: true, characterData: true, subtree: true };
      watch.observe(document.querySelector("svg"), all);
      const v = Object.fromEntries([...document.querySelectorAll("svg [data-v]")].map((each) => [each.dataset.v, 0.5]));
      scope.patch({ ...v, ...changed }, w);
      setTimeout(() => { watch.disconnect(); done(seen.size); });
    })"""
    assert opened.evaluate(written, [{}, VIEW]) == 0
    assert opened.evaluate(written, [{"gate r": 0.9}, VIEW]) == 3  # its number and the two shutters of its valve


def test_units_steps_and_closing_are_told(opened):
    configure(opened, "rnn")
    opened.locator(".ms-unit[tabindex='0']").focus()
    opened.keyboard.press("ArrowRight")
    opened.get_by_label("one step later").click()
    opened.keyboard.press("Escape")
    assert opened.evaluate("told") == ["unit 2", 1, "close"]


def test_the_wiring_grows_and_only_the_runs_own_cell_has_numbers(opened):
    configure(opened, "gru")
    for title, box in (("RNN", "tanh"), ("LSTM", "f"), ("GRU", "z")):
        opened.get_by_role("button", name=title, exact=True).click()
        assert opened.locator("svg > g").count() == 1
        assert box in opened.locator(".ms-box .ms-name").all_text_contents()
        numbers = {text for text in opened.locator(".ms-box .ms-number").all_text_contents() if text}
        assert numbers == ({"0.50"} if title == "GRU" else set())


def test_the_names_of_the_course_on_request(opened):
    configure(opened, "gru")
    opened.get_by_role("button", name="write gates and states").click()
    assert "c̃" in opened.locator(".ms-box .ms-name").all_text_contents()
    assert "1 − z" in opened.locator(".ms-remark").inner_text()
