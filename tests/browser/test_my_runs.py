"""Somebody tries another seed, draws the run before beside the new one, names it, and reloads the page."""

from __future__ import annotations

import io

import pandas as pd
import pytest

from tests.browser.conftest import Playground

pytestmark = pytest.mark.browser
ROWS = ".my-runs-table tbody tr"
OWN = "document.querySelector('[data-figure=loss]').data"


def test_a_run_that_ended_is_drawn_under_its_own_name_and_survives_a_reload(visit):
    page: Playground = visit("preset=remember&cell=rnn&seq_len=8&hidden_size=6&steps=1000000")
    page.wait("playground.step > 120")  # so that a held-out loss was measured after the start
    old = page.token
    page.click("new_seed")
    page.wait("playground.token !== argument && playground.token !== null", old)
    page.frames(3)
    page.pause()
    page.page.locator(".my-runs summary").click()
    row = page.page.locator(ROWS)
    row.first.wait_for()
    name = row.get_by_label("Name of this run")
    assert name.input_value() == "RNN, 6 units"
    name.fill("<b>before</b>")
    name.press("Enter")
    page.show("loss")
    traces = page.get(f"{OWN}.length")
    row.get_by_role("checkbox").check()
    page.wait(f"{OWN}.length > argument && {OWN}.at(-1).x.length > 1", traces)
    line = page.get(f"(({{ name, line, showlegend }}) => ({{ name, line, showlegend }}))({OWN}.at(-1))")
    assert line["name"] == "&lt;b&gt;before&lt;/b&gt;" and line["line"]["dash"] == "dash" and line["showlegend"]
    drawn = page.page.locator("[data-figure=loss] .legendtext", has_text="<b>before</b>")
    drawn.wait_for()  # as text, never as markup

    page.page.reload()
    page.wait("window.playground?.painted >= 1")
    page.page.locator(".my-runs summary").click()
    row.first.wait_for()
    assert name.input_value() == "<b>before</b>" and row.get_by_role("checkbox").is_checked()
    file = page.page.request.get(page.page.locator(".my-runs-csv").get_attribute("href")).text()
    table = pd.read_csv(io.StringIO(file))
    assert table["run"].unique().tolist() == ["<b>before</b>", "present run: RNN, 6 units"]
    before = page.token
    row.get_by_role("link", name="Open its settings").click()
    page.wait("playground.token !== argument && playground.token !== null", before)
    page.wait("!location.search.includes('seed=')")


def test_a_finished_run_is_listed_and_stays_when_another_link_is_opened(visit):
    page: Playground = visit("preset=remember&cell=rnn&seq_len=6&hidden_size=5&steps=30")
    page.wait("playground.phase === 'finished'")
    row, name = page.page.locator(ROWS), page.page.locator(ROWS).get_by_label("Name of this run")
    page.page.locator(".my-runs summary").click()
    row.first.wait_for()
    assert row.first.get_by_text("this run", exact=True).is_visible() and not row.get_by_role("checkbox").is_visible()
    name.fill("the short one")
    name.press("Enter")
    page.page.goto(page.page.url.split("?")[0] + "?preset=remember&cell=gru&seq_len=6&hidden_size=5&steps=1000000")
    page.wait("window.playground?.painted >= 1")
    page.page.locator(".my-runs summary").click()
    row.first.wait_for()
    assert name.input_value() == "the short one" and row.get_by_role("checkbox").is_visible()
    page.pause()
