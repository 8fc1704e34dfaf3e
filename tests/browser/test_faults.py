"""What a page does when something breaks under it: it goes on by itself, and says what was lost."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, WebSocketRoute

from app.live.stream import GONE
from tests.browser.conftest import LIMIT, Playground, Server, is_true, new_context

TRAINS = "speed=max&steps=1000000&seq_len=20&hidden_size=8"
NOTICE = "document.querySelector('.lv-notice').textContent"
AN_HOUR_HIDDEN = """() => {
    const turn = (hidden) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => hidden })
        document.dispatchEvent(new Event('visibilitychange'))
    }
    const { now } = Date
    turn(true)
    Date.now = () => now.call(Date) + 3600e3
    turn(false)
}"""


def second_is_gone(tab: Page, address: str) -> list[WebSocketRoute]:
    """Let a tab's second stream at this address be told that there is no such run. Returns its streams as they open."""
    streams: list[WebSocketRoute] = []

    def through(stream: WebSocketRoute) -> None:
        if len(streams) != 1:
            stream.connect_to_server()
        else:
            stream.close(code=GONE)
        streams.append(stream)

    tab.route_web_socket(address, through)
    return streams


def has_come(tab: Page, streams: list[WebSocketRoute]) -> bool:
    """Wait until there is a stream, or the limit is over."""
    end = time.monotonic() + LIMIT / 1000
    while not streams and time.monotonic() < end:
        tab.wait_for_timeout(20)
    return bool(streams)


@pytest.fixture
def own_server() -> Iterator[list[Server]]:
    """The one server of this test, which it may end and start again."""
    servers = [Server()]
    yield servers
    servers[-1].stop()


def test_after_a_restart_of_the_server_the_page_goes_on_by_itself_and_says_what_was_lost(browser, own_server):
    context = new_context(browser)
    page = Playground(context.new_page(), own_server[0].url).open(TRAINS, frames=2)
    before = page.token
    assert page.get("document.querySelector('.lv-notice').hidden")
    own_server[0].stop()
    page.wait("document.querySelector('.lv-clock').textContent.includes('reconnecting')")
    own_server.append(Server(own_server[0].port))
    page.wait("playground.token !== argument && playground.painted > 1", before)
    assert page.get(NOTICE).strip().startswith("The server was started again")
    page.frames(2)
    page.settle()
    page.click("reset")  # a run that somebody has chosen needs no explanation
    page.wait("document.querySelector('.lv-notice').hidden")
    context.close()


def test_a_stream_that_is_cut_goes_on_at_the_newest_frame(browser, server):
    streams: list[WebSocketRoute] = []

    def through(stream: WebSocketRoute) -> None:
        stream.connect_to_server()
        streams.append(stream)

    context = new_context(browser)
    tab = context.new_page()
    tab.route_web_socket("**/live/**", through)
    page = Playground(tab, server.url).open(TRAINS, frames=2)
    before, token = page.step, page.token
    streams[-1].close(code=1012)
    page.wait("playground.phase === 'lost'")
    page.wait("playground.phase === 'running' && playground.step > argument", before)
    assert page.token == token and len(streams) == 2 and page.get("document.querySelector('.lv-notice').hidden")
    context.close()


def test_a_tab_that_wakes_after_an_hour_opens_another_stream_and_shows_the_newest_frame(browser, server):
    streams: list[WebSocketRoute] = []

    def through(stream: WebSocketRoute) -> None:
        stream.connect_to_server()
        streams.append(stream)

    context = new_context(browser)
    tab = context.new_page()
    tab.route_web_socket("**/live/**", through)
    page = Playground(tab, server.url).open(TRAINS, frames=2)
    before = page.step
    page.page.evaluate(AN_HOUR_HIDDEN)
    page.wait("playground.step > argument", before)
    page.frames(2)
    assert len(streams) == 2
    context.close()


def test_a_run_that_the_server_does_not_have_is_said_to_be_gone_and_can_be_started_again(browser, server):
    """The page itself is still connected, as after the server has made room for others."""
    context = new_context(browser)
    tab = context.new_page()
    streams = second_is_gone(tab, "**/live/**")
    page = Playground(tab, server.url).open(TRAINS, frames=2)
    streams[-1].close(code=1012)
    page.wait("playground.phase === 'gone'")
    assert "no longer has this run" in page.get(NOTICE)
    page.page.locator(".lv-again").click()
    page.wait("window.playground?.painted >= 2 && playground.phase === 'running'")
    context.close()


def test_a_race_that_the_server_does_not_have_is_opened_anew(browser, server):
    context = new_context(browser)
    tab = context.new_page()
    streams = second_is_gone(tab, "**/race/**")
    tab.goto(f"{server.url}/compare", wait_until="commit")
    assert is_true(tab, "document.querySelector('.st-key-compare') !== null")
    tab.evaluate("() => { window.here = true }")
    assert has_come(tab, streams)
    streams[-1].close(code=1012)
    assert is_true(tab, "window.here === undefined && document.querySelector('.st-key-compare') !== null")
    context.close()
