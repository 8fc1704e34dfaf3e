"""A notebook's output in a real browser, with no network and in its sandbox."""

from __future__ import annotations

from pathlib import Path

from app.notebook.show import show
from engine.experiment import Experiment
from engine.recording import Recording
from engine.training import train
from tests.browser.conftest import new_context

E = Experiment(hidden_size=6, batch_size=4, seq_len=8, steps=4)


def test_network_and_figures_are_painted_and_follow_the_slider(browser, tmp_path: Path):
    file = tmp_path / "notebook.html"
    file.write_text(f"<!doctype html>{show(Recording.of(E, train(E, 2)))._repr_html_()}", encoding="utf-8")
    with new_context(browser) as context:
        context.set_offline(True)
        page, problems = context.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"file://{file}")
        frame = page.frames[1]
        frame.wait_for_function("window.playground?.painted > 0")
        assert frame.evaluate("playground.step") == 4, "the newest frame comes first"
        assert frame.evaluate("document.querySelectorAll('.stage-place svg').length") >= 1
        frame.wait_for_function("document.querySelector('[data-figure] .main-svg') !== null")
        frame.click("text=‹")
        frame.wait_for_function("playground.step === 2")
        frame.click("text=Fold")
        frame.click(".lv-tabs button >> text=Weights")
        frame.press("body", "ArrowRight")  # the stage's
        frame.click("text=‹")
        frame.wait_for_function("playground.step === 0")
        assert problems == []
