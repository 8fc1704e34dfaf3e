"""The README's pictures, of today's page: `make pictures`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import FLAGS, LIMIT, Playground, Server, chromium, new_context, wait_until_it_answers
from tests.browser.stage_pictures import take_twins

FOLDER = Path(__file__).resolve().parents[2] / "docs"

FINISHED = """async quietFrames => {
    await document.fonts.ready
    let quiet = 0
    const observer = new MutationObserver(() => { quiet = 0 })
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true })
    while (quiet < quietFrames) {
        await new Promise(requestAnimationFrame)
        const loading = "[data-testid=stSkeleton], [data-testid=stStatusWidget], [data-stale=true]"
        quiet = document.querySelector(loading) ? 0 : quiet + 1
    }
    observer.disconnect()
}"""
"""Resolves when the fonts are there, nothing stands in for a part still to come, and nothing changes any more."""


def main() -> None:
    """All pictures, light and dark."""
    server = Server()
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS, timeout=LIMIT)
            for scheme in ("light", "dark"):
                take(browser, server.url, scheme)
                take_watched(browser, scheme)
                take_class(browser, server.url, scheme)
            take_twins(browser, server.url, FOLDER / "stage", lambda page: page.evaluate(FINISHED, 30))
            browser.close()
    finally:
        server.stop()


def save(page: Page, name: str) -> None:
    """A picture of a page that has finished drawing."""
    page.evaluate(FINISHED, 30)
    page.screenshot(path=FOLDER / f"{name}.png")


def take(browser: Browser, url: str, scheme: str) -> None:
    """The opening lesson after the cure, the run before it in grey; the third phase of its next update; a step on the
    way back; the course; a race; a map; what is understood of a file; and the first minute."""
    page = new_context(browser, viewport={"width": 1440, "height": 940}, color_scheme=scheme).new_page()
    playground = Playground(page, url).open("speed=max")
    playground.wait("playground.step >= 600")
    page.locator(".lv-cure").click()
    playground.wait("document.querySelector('.lv-verdict').dataset.kind === 'solved'")
    playground.pause()
    save(page, f"playground-{scheme}")
    page.emulate_media(reduced_motion="reduce")  # the end of the way back, at once
    page.keyboard.press("m")
    page.get_by_role("button", name="3 Backward").click()
    save(page, f"slow-{scheme}")
    page.keyboard.press("m")
    page.emulate_media(reduced_motion="no-preference")
    page.keyboard.press("w")
    page.locator(".stage-happens", has_text="step 1 of").wait_for()
    page.keyboard.press("End")
    page.get_by_text("39 steps back").wait_for()
    for back in range(38, 26, -1):
        page.keyboard.press("ArrowLeft")
        page.get_by_text(f"{back} steps back").wait_for()
    page.get_by_role("button", name="Verify").click()
    page.locator(".stage-verified table").wait_for()
    save(page, f"steps-{scheme}")
    page.keyboard.press("w")
    page.get_by_role("link", name="Learn", exact=True).click()
    page.locator(".st-key-card_failure-nan").wait_for()
    save(page, f"learn-{scheme}")
    page.get_by_role("link", name="Compare", exact=True).click()
    page.get_by_role("button", name="Train").click()
    page.locator("[role=status]").get_by_text("GRU has solved it").wait_for(timeout=180_000)
    save(page, f"compare-{scheme}")
    page.goto(f"{url}/map")
    line = page.locator(".mp-panels [role=figure] path.js-line").first  # of theory
    line.wait_for(state="attached", timeout=180_000)
    save(page, f"map-{scheme}")
    page.goto(f"{url}/data")
    page.get_by_role("button", name="Airline passengers").click()
    page.locator(".st-key-own_understood .js-plotly-plot .main-svg").first.wait_for()
    save(page, f"data-{scheme}")
    page.goto(f"{url}/first?words=20")
    page.get_by_role("button", name="Play").click()
    page.get_by_text("Only the LSTM learns it").wait_for(timeout=180_000)
    save(page, f"first-{scheme}")
    page.context.close()


NAMES = {
    "Ada": "",
    "Alan": "&cell=gru",
    "Emmy": "&cell=lstm&forget_bias=3",
    "Grace": "&seq_len=6",
}
"""Students of a class, and what they have changed."""


def take_class(browser: Browser, url: str, scheme: str) -> None:
    """The board of a class, grouped by verdict, with a question to which all have guessed."""
    options: dict = {"viewport": {"width": 1440, "height": 940}, "color_scheme": scheme}
    teacher = Playground(new_context(browser, **options).new_page(), url).open("preset=remember&steps=600")
    teacher.page.get_by_role("link", name="Class", exact=True).click()
    teacher.click("class_open_button")
    code = teacher.page.locator(".invitation .code").inner_text()
    students = []
    for name, changed in NAMES.items():
        student = Playground(new_context(browser).new_page(), url)
        student.page.goto(f"{url}/class?code={code}")
        student.page.locator(".st-key-class_name input").fill(name)
        student.click("class_join_button")
        student.wait("window.playground?.painted >= 1 && window.classBar?.heard >= 1")
        student.page.goto(f"{url}/?preset=remember&steps=600&speed=max&class={code}~{len(students) + 1}{changed}")
        student.wait("window.playground?.painted >= 1 && window.classBar?.heard >= 1")
        if student.page.locator(".st-key-skip_guess").count():
            student.skip_guess()
        students.append(student)
    teacher.page.get_by_text("How to join").click()
    teacher.page.get_by_role("radio", name="By verdict").click()
    teacher.page.get_by_role("button", name="Ask").first.click()
    asks = ("Will the plain RNN learn the first of 40 digits?", "Yes", "Only after long", "Never")
    for key, typed in zip(("class_asks", *(f"class_answer_{k}" for k in (1, 2, 3))), asks, strict=True):
        teacher.page.locator(f".st-key-{key} input").fill(typed)
    teacher.page.get_by_role("button", name="Ask the class").click()
    for number, student in enumerate(students):
        student.page.locator(".cb-answers button").nth((0, 2, 2, 1)[number]).click()
    teacher.page.keyboard.press("Escape")
    for student in students:
        student.wait("playground.phase === 'finished'")
    save(teacher.page, f"class-{scheme}")
    for each in (teacher, *students):
        each.page.context.close()


def take_watched(browser: Browser, scheme: str) -> None:
    """One of our worked examples, watched in a process of its own, after a few looks."""
    with watched("examples/watch/characters.py", "--steps", "200") as address:
        page = new_context(browser, viewport={"width": 1440, "height": 940}, color_scheme=scheme).new_page()
        page.goto(address)
        page.locator(".lv-timeline-at", has_text="step 180").wait_for(timeout=180_000)
        save(page, f"watch-{scheme}")
        page.context.close()


@contextmanager
def watched(*script: str) -> Iterator[str]:
    """The address of the page of a script that is watched; both end afterwards."""
    command = [sys.executable, "-m", "engine", "watch", "--every", "20", "--show", *script]
    own = {"cwd": FOLDER.parent, "env": os.environ | {"BROWSER": "true"}}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, **own) as process:
        assert process.stderr is not None
        try:
            address = next(line.split()[1] for line in process.stderr if "http" in line)
            wait_until_it_answers(address.rpartition("/")[0])
            yield address
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
