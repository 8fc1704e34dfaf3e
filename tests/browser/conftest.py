"""A real server and a real Chromium. Tests wait on painted frames, never on the clock."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from app.links import OPENING
from engine.preset import list_presets

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
LIMIT = 150_000  # milliseconds that anything in a test may take; what takes longer has failed
OPEN_TAB = """(tabs => {
    const here = tabs.filter(tab => tab.dataset.figures.split(' ').includes(argument))
    if (here.length && !here.some(tab => tab.ariaSelected === 'true')) here[0].click()
})([...document.querySelectorAll('.lv-tabs [role=tab]')])"""
"""Opens the tab of figures that has this one."""
ATTEMPTS = 10  # to open a list; each may take that part of LIMIT
SERVER_START_LIMIT = 120  # seconds
WINDOW = {"width": 1440, "height": 900}
FIGURES = ("hidden", "gradient", "loss", "prediction", "update")


def chromium() -> str:
    """The path of an installed Chromium."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path, "no Chromium: run tests/browser/install_chromium.sh, or name its path in CHROMIUM"
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(url: str, why_ended: Callable[[], str] = lambda: "", path: str = "/_stcore/health") -> None:
    """Ask a server for its health until it answers that it is well.

    Args:
        why_ended: says why it never will.
        path: what it is asked.

    Raises:
        RuntimeError: if it has ended, or does not answer in time.
    """
    pause, deadline = threading.Event(), time.monotonic() + SERVER_START_LIMIT
    while time.monotonic() < deadline:
        if reason := why_ended():
            raise RuntimeError(reason)
        try:
            urllib.request.urlopen(f"{url}{path}", timeout=10).close()
            return
        except OSError:  # nobody listens yet, or the answer takes long
            pause.wait(0.1)
    raise RuntimeError(f"no answer from {url} in {SERVER_START_LIMIT} seconds")


class Server:
    """The app as `make run` starts it, on a port of its own."""

    def __init__(self, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.output = tempfile.TemporaryFile()  # noqa: SIM115 (open as long as the server writes)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app/server.py"],
            cwd=ROOT,
            env={
                **os.environ,
                "STREAMLIT_SERVER_PORT": str(self.port),
                "PLAYGROUND_SUSPEND_AFTER": "2",  # the runs of earlier tests shall not slow the next
            },
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_until_it_answers(self.url, self._why_ended)
        except RuntimeError:
            self.stop()
            raise

    def _why_ended(self) -> str:
        """What it printed, if it has ended; else nothing."""
        code = self.process.poll()
        return "" if code is None else f"the server ended with code {code}:\n{self.written()}"

    def written(self) -> str:
        """What the server has printed so far."""
        file = self.output.fileno()
        return os.pread(file, os.fstat(file).st_size, 0).decode(errors="replace")  # leaves the server's place alone

    def workers(self) -> list[int]:
        """The worker processes, oldest first."""
        listed = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "engine.workers.worker"],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in listed.stdout.split()]

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(SERVER_START_LIMIT)
        finally:
            self.process.kill()
            self.output.close()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS, timeout=LIMIT)
        yield browser
        browser.close()


STATE = """() => ({address: location.search,
script: document.querySelector('[data-testid=stApp]')?.dataset.testScriptState,
token: window.playground?.token, step: window.playground?.step, painted: window.playground?.painted,
phase: window.playground?.phase, clock: document.querySelector('.lv-clock')?.textContent,
message: document.querySelector('.lv-message')?.textContent, open: document.activeElement?.outerHTML?.slice(0, 120)})"""
"""What a failed wait says of the page."""


FEW_PICTURES = """async () => {
    for (let n = 0; n < 4; n++) await new Promise(requestAnimationFrame)
}"""
"""What came into sight has been seen, and drawn."""


HERE_BEFORE = {"name": "first_minute", "value": "1", "domain": "127.0.0.1", "path": "/"}
"""The cookie of a browser that has seen the first minute, which a first visit would open."""


def new_context(browser: Browser, *, newcomer: bool = False, **options: object) -> BrowserContext:
    """A browser of its own, whose every wait has the same generous limit; `newcomer`: it was never here."""
    context = browser.new_context(**{"viewport": WINDOW, **options})
    if not newcomer:
        context.add_cookies([HERE_BEFORE])
    context.set_default_timeout(LIMIT)
    return context


PAUSE = 20  # milliseconds between two looks at a page
LEFT = "Execution context was destroyed"
"""What Playwright says of a page that goes to another address while it is asked."""


def is_true(page: Page, true: str, argument: object = None, timeout: float = LIMIT) -> bool:
    """Wait until this JavaScript is true of the page, or the limit is over. Returns whether it is.

    Playwright's own way of waiting turns text into code inside the page, which the page's policy forbids.
    """
    end = time.monotonic() + timeout / 1000
    while True:
        try:
            if page.evaluate(f"argument => !!({true})", argument):
                return True
        except PlaywrightError as error:
            if LEFT not in str(error):
                raise
        if time.monotonic() > end:
            return False
        page.wait_for_timeout(PAUSE)


class Playground:
    """One open page, and what a person does on it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url, self.problems = page, url, []
        page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)

    def open(self, query: str = "", frames: int = 1, *, guess: bool = False) -> Playground:
        """Go there and wait for the first painted frames.

        Args:
            guess: leave a lesson that waits for a guess as it is; else the guess is skipped, so that it trains, but for
                one that would stand still anyway.
        """
        self.page.goto(f"{self.url}/?{query}", wait_until="commit")
        self.wait(f"window.playground?.painted >= {frames}")
        named = dict(parse_qsl(query)).get("preset", OPENING)
        stands_still = any(preset.slug == named and preset.paused for preset in list_presets())
        if not guess and not stands_still and self.page.locator(".st-key-skip_guess").count():
            self.skip_guess()
        return self

    def skip_guess(self) -> None:
        """Let a lesson train that waits for a guess."""
        self.click("skip_guess")
        self.page.locator(".st-key-skip_guess").wait_for(state="detached")

    def wait(self, true: str, argument: object = None, timeout: float = LIMIT) -> None:
        """Until this JavaScript is true of the page; the limit only ends a test that has failed."""
        if not is_true(self.page, true, argument, timeout):
            raise AssertionError(f"never true: {true}, with {argument!r}. The page: {self.page.evaluate(STATE)}")

    def frames(self, count: int) -> None:
        """Until this many more frames were painted."""
        self.wait("playground.painted >= argument", self.get("playground.painted") + count)

    def settle(self) -> None:
        """Until the page's script has ended: what it sets while it runs would take the place of what is chosen now."""
        self.wait("document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'")

    def get(self, expression: str, argument: object = None):
        """The value of some JavaScript."""
        return self.page.evaluate(f"argument => ({expression})", argument)

    @property
    def step(self) -> int:
        """The training step on the screen."""
        return self.get("playground.step")

    @property
    def token(self) -> str:
        """The run on the screen."""
        return self.get("playground.token")

    def show(self, figure: str) -> None:
        """Open a figure's tab and scroll to it, until it is drawn: what is off the screen has older numbers."""
        plot = f"document.querySelector('[data-figure={figure}]')"
        self.wait(f"{plot} !== null")
        self.get(OPEN_TAB, figure)
        self.get(f"{plot}.scrollIntoView({{ block: 'nearest' }})")
        self.wait(f"{plot}._fullLayout !== undefined")
        self.page.evaluate(FEW_PICTURES)

    def data(self, figure: str, path: str):
        """Something inside a figure, as plain lists: data("gradient", "data[1].y"). Scrolls to it."""
        self.show(figure)
        return self.get(
            "JSON.parse(JSON.stringify(document.querySelector(`[data-figure=${argument}]`)." + path
            + ", (key, value) => ArrayBuffer.isView(value) ? Array.from(value) : value))",
            figure,
        )  # fmt: skip

    def click(self, key: str) -> None:
        """A button by its key."""
        self.page.locator(f".st-key-{key} button").click()

    def choose(self, key: str, option: str) -> None:
        """One segment of a segmented control; a page that is drawn anew at that moment takes the choice back."""
        segment = self.page.locator(f".st-key-{key}").get_by_role("radio", name=option, exact=True)
        for _ in range(ATTEMPTS):
            self.settle()
            if segment.get_attribute("aria-checked") == "true":
                return
            segment.click()
        raise AssertionError(f"{key} cannot be set to {option}")

    def pick(self, key: str, option: str) -> None:
        """An entry of a select box; one that is open while the page is drawn anew closes, and is opened again."""
        box = self.page.locator(f".st-key-{key} [role=combobox], .st-key-{key} input").first
        entry = self.page.get_by_role("option", name=option, exact=True)
        for _ in range(ATTEMPTS):
            self.settle()
            box.click()
            try:
                return entry.click(timeout=LIMIT / ATTEMPTS)
            except PlaywrightTimeoutError:
                self.page.keyboard.press("Escape")
        raise AssertionError(f"{key} has no entry {option}")

    def slide(self, key: str, press: str) -> None:
        """One key press on a slider."""
        self.page.locator(f".st-key-{key} [role=slider], .st-key-{key} input[type=range]").first.press(press)

    def pause(self) -> int:
        """Pause, and wait until the last frame is on the screen. Returns its step."""
        self.click("pause")
        self.wait("playground.phase === 'paused'")
        self.wait(
            "document.querySelector('.lv-clock').textContent.includes('step ' + playground.step.toLocaleString('en'))"
        )
        return self.step


@pytest.fixture(scope="session")
def usual(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that keeps its cache, so that not every page loads every script anew."""
    context = new_context(browser)
    yield context
    context.close()


@pytest.fixture
def visit(browser: Browser, usual: BrowserContext, server: Server) -> Iterator[Callable[..., Playground]]:
    """visit(query) opens a page for somebody new; visit(query, context=...) in a given browser; with options in one of
    its own."""
    contexts: list[BrowserContext] = []
    opened: list[Playground] = []

    def open_page(
        query: str = "", context: BrowserContext | None = None, *, guess: bool = False, **options: object
    ) -> Playground:
        if options:
            context = new_context(browser, **options)
            contexts.append(context)
        if context is None:
            usual.clear_cookies()
            usual.add_cookies([HERE_BEFORE])
        playground = Playground((context or usual).new_page(), server.url)
        opened.append(playground)
        return playground.open(query, guess=guess)

    yield open_page
    problems = [problem for each in opened for problem in each.problems]
    for each in opened:
        if not each.page.is_closed():
            each.page.close()
    for context in contexts:
        context.close()
    assert not problems
