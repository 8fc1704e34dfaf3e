"""Real pages under the policy that every answer carries: nothing they need is refused, nothing foreign loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from engine.experiment import Experiment
from engine.recording import Recording
from engine.training import train
from tests.browser.conftest import Playground, Server, is_true, new_context
from tests.browser.test_own_kinds import trained

pytestmark = pytest.mark.browser
NOTE = """window.refused = []; addEventListener('securitypolicyviolation', (event) =>
  window.refused.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample} (${event.sourceFile})`))"""
"""Notes in every page and frame what the policy refuses; WebAssembly is not said in the console."""
DRAWN = "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'"
PAGES = ("first", "data", "write", "compare", "map", "glossary", "slow", "steps")


@pytest.fixture
def page(browser: Browser, server: Server):
    context = new_context(browser)
    context.add_init_script(NOTE)
    page = context.new_page()
    page.elsewhere = []
    page.on("request", lambda request: page.elsewhere.append(request.url) if _is_foreign(request.url, server) else None)
    yield page
    context.close()


def _is_foreign(url: str, server: Server) -> bool:
    return not url.startswith((server.url, server.url.replace("http", "ws"), "data:", "blob:", "about:"))


def refused(page: Page) -> list[str]:
    """What was refused so far in the page and its frames, and what was asked of other servers."""
    return [each for frame in page.frames for each in frame.evaluate("window.refused")] + page.elsewhere


def opened(page: Page, server: Server, path: str) -> Playground:
    playground = Playground(page, server.url)
    page.goto(f"{server.url}/{path}", wait_until="commit")
    playground.wait(DRAWN)
    return playground


def test_the_playground_and_learn_have_all_they_need(page, server):
    playground = opened(page, server, "?cell=rnn&hidden_size=8&seq_len=12&steps=1000000")
    playground.wait("window.playground?.painted > 3")
    for figure in ("gradient", "loss"):
        playground.show(figure)
    assert refused(page) == [] == playground.problems
    opened(page, server, "learn")
    assert refused(page) == []


def test_what_is_not_this_servers_is_not_loaded(page, server):
    """The proof that the note above notes something, and that markup which got in would do nothing."""
    opened(page, server, "learn")
    tries = (
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')",
        "document.body.appendChild(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))",
        "document.body.appendChild(Object.assign(document.createElement('script'), {src: 'http://127.0.0.1:9/x.js'}))",
        "fetch('http://127.0.0.1:9/').catch(() => {})",
        "new Image().src = 'http://127.0.0.1:9/x.png'",
        "document.body.appendChild(Object.assign(document.createElement('iframe'), {src: 'http://127.0.0.1:9/'}))",
    )
    for number, each in enumerate(tries, 1):
        page.evaluate(f"() => {{ {each} }}")
        assert is_true(page, "window.refused.length >= argument", number), each
    page.evaluate("() => { try { new WebSocket('ws://127.0.0.1:9/') } catch { } }")
    assert is_true(page, "window.refused.length > argument", len(tries))
    assert page.evaluate("window.ran") is None


def test_no_page_of_somebody_else_shows_this_one(browser, server, page):
    page.goto("about:blank")
    page.set_content(f'<iframe src="{server.url}/glossary"></iframe>')
    frame = page.frames[-1]
    assert is_true(page, "document.querySelector('iframe').contentDocument === null")  # an error page of the browser's
    assert "Streamlit" not in frame.content()


@pytest.mark.full
@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_all_it_needs(page, server, path):
    playground = opened(page, server, path)
    page.keyboard.press("Tab")
    for button in ("Play", "Train"):
        if page.get_by_role("button", name=button, exact=True).count():
            page.get_by_role("button", name=button, exact=True).first.click()
    playground.wait(DRAWN)
    page.evaluate("async () => { for (let n = 0; n < 60; n++) await new Promise(requestAnimationFrame) }")
    assert refused(page) == []


@pytest.mark.full
def test_everything_unfolded_has_all_it_needs(page, server):
    """Formulas, sounds, tables, figures of Streamlit's own, saved pictures."""
    playground = opened(page, server, "?task=melody&cell=gru&hidden_size=8&steps=1000000")
    playground.wait("window.playground?.painted > 3")
    playground.pause()
    for summary in page.locator("[data-testid=stExpander] summary:visible").all():
        summary.click()
        playground.settle()
    assert refused(page) == []


MARKUP = ('<img src=x onerror="window.ran=1">', "<script>window.ran=1</script>", "[a](javascript:window.ran=1)")
RAN = "document.querySelector('img[src=x], a[href^=javascript]') === null && window.ran === undefined"


def test_classes_words_and_files_whose_names_are_markup_are_text(page, server, tmp_path: Path):
    """Where Markdown, HTML and Plotly each would take them for more: what was understood, the figures, a question."""
    rows = [f"{word} {MARKUP[n % 3]},{MARKUP[n % 2]}" for n, word in enumerate(["good", "bad", "fine"] * 40)]
    file = tmp_path / "<img src=x onerror=window.ran=1>.csv"
    file.write_text('"<b>text</b>",label\n' + "\n".join(row.replace('"', "'") for row in rows) + "\n")
    playground = opened(page, server, "?cell=rnn&hidden_size=4&seq_len=5&steps=1000000")
    playground.wait("window.playground?.painted > 0")
    trained(playground, file, 5)
    assert playground.get(RAN) and "<img src=x" in page.locator("body").inner_text()
    for figure in ("prediction", "hidden"):
        playground.show(figure)
    page.get_by_text("Ask the network").first.click()
    playground.settle()
    assert playground.get(RAN) and refused(page) == []


def test_replays_inside_their_page_play(page, server, tmp_path: Path):
    experiment = Experiment(task="adding", cell="gru", hidden_size=4, seq_len=5, steps=2)
    files = [tmp_path / "one.zip", tmp_path / "other.zip"]
    for seed, file in enumerate(files):
        Recording.of(experiment.replace(seed=seed), train(experiment.replace(seed=seed))).save(file)
    field, replay = page.locator(".st-key-recording_file input[type=file]"), page.frame_locator("iframe[srcdoc]")
    opened(page, server, "recording")
    field.set_input_files(files[0])
    replay.locator("[data-figure=gradient] .scatterlayer").first.wait_for(state="attached")
    assert refused(page) == []
    opened(page, server, "recording")
    field.set_input_files(files)
    replay.locator("[data-figure=race_loss] .scatterlayer").first.wait_for(state="attached")
    assert refused(page) == []
