"""Somebody lets three networks race in a real browser, changes one by the keyboard, and sends the link to somebody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Playground, Server, new_context

pytestmark = pytest.mark.browser
TIMES = "Time per update"  # what differs from one computer, and one moment, to the next


@pytest.fixture
def visitor(browser: Browser, server: Server) -> Iterator[Callable[[str], Playground]]:
    """visitor(link) opens the page, in a browser of its own each time, and waits for its first picture."""
    opened: list[Playground] = []

    def visit(link: str) -> Playground:
        page = Playground(new_context(browser).new_page(), server.url)
        opened.append(page)
        page.page.goto(f"{server.url}/compare{link}", wait_until="commit")
        page.wait("window.race?.painted >= 1")
        return page

    yield visit
    for each in opened:
        each.page.context.close()
    # Streamlit looks for its own routes beside the page's address first, which is no problem of ours.
    assert not [problem for each in opened for problem in each.problems if "404 (Not Found)" not in problem]


def numbers(page: Page) -> list[list[str]]:
    """The table to read off, without the times."""
    page.get_by_role("tab", name="In numbers").click()
    rows = [row.inner_text().split("\t") for row in page.locator(".rc-table tr").all()]
    return [row for row in rows if row[0] != TIMES]


def test_three_networks_race_in_step_and_the_link_says_it_all(visitor):
    page = visitor("")
    assert page.page.locator(".rc-lane > header strong").all_inner_texts() == ["A · RNN", "B · GRU", "C · LSTM"]
    page.click("race_train")
    page.wait("race.step > 2 && race.log.length > 3")
    page.click("race_pause")
    page.wait(
        "race.phase === 'paused' && document.querySelector('.lv-clock').textContent.includes(`step ${race.step} `)"
    )
    log = page.get("race.log")
    assert all(len(set(steps)) == 1 for steps in log) and log == sorted(log)
    page.show("race_update")
    page.wait("document.querySelector('[data-figure=race_update]').data[2].x.at(-1) === race.step")
    assert [list(page.data("race_update", f"data[{lane}].x"))[-1] for lane in range(3)] == [page.step] * 3
    page.page.locator("[role=status].rc-sentence", has_text=f"At step {page.step:,} ").wait_for()  # once a second

    page.page.locator(".rc-lane").nth(1).locator('.chip[data-t="0"]').click()
    page.wait("race.stages.every(stage => stage.view.t === 0)")  # one time axis
    page.wait("race.stages.every(stage => stage.frame.step === race.step && stage.frame.relative.length === 50)")

    before = page.get("race.token")
    page.page.locator(".st-key-race_C_cell input").focus()
    page.page.keyboard.type("Feed")
    page.page.keyboard.press("Enter")
    page.wait("race.token !== argument && race.token", before)
    assert page.page.locator(".rc-lane > header strong").all_inner_texts()[2] == "C · Feed-forward"
    page.wait("location.search.includes('cell.feedforward')")
    first = numbers(page.page)
    assert first[0] == ["", "A · RNN", "B · GRU", "C · Feed-forward"] and page.step == 0

    other = visitor(page.get("location.search"))
    assert numbers(other.page) == first


def test_five_seeds_of_each_lane_are_drawn_as_a_band(visitor):
    page = visitor("?preset=when-what&seeds=5&seq_len=4&hidden_size=4&batch_size=4&a=cell.rnn&b=cell.gru~seq_len.6")
    page.show("race_loss")
    page.wait(  # before training: up and back at step 0
        "[3, 4].every(area => new Set(document.querySelector('[data-figure=race_loss]').data[area].y).size === 2)"
    )
    assert ["Of all seeds: solved by", "0 of 5", "0 of 5"] in numbers(page.page)
