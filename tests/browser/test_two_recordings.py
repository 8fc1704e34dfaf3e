"""Somebody opens the recordings of before and after a change at once."""

from __future__ import annotations

import pytest

from engine.experiment import Experiment
from engine.recording import Recording
from engine.training import train
from tests.browser.conftest import Playground

pytestmark = pytest.mark.browser
BEFORE = Experiment(task="first_symbol_recall", cell="rnn", seq_len=8, hidden_size=4, steps=6)


def test_two_recordings_are_shown_one_over_the_other(visit, tmp_path):
    files = []
    for name, e in (("before", BEFORE), ("after", BEFORE.replace(cell="lstm", steps=9))):
        files.append(tmp_path / f"{name}.zip")
        Recording.of(e, train(e, record_every=3)).save(files[-1])
    page: Playground = visit("preset=remember&seq_len=8&hidden_size=4&steps=2")
    page.page.get_by_role("link", name="Open a recording").click()
    page.page.locator(".st-key-recording_file input[type=file]").set_input_files(files)
    replay = page.page.frame_locator("iframe[srcdoc]")
    replay.locator("[data-figure=race_loss] .scatterlayer").first.wait_for(state="attached")
    assert "B has LSTM" in page.page.locator(".st-key-recording").inner_text()
    replay.locator(".rp-at").press("End")
    replay.locator(".pair-at").nth(1).get_by_text("step 9", exact=True).wait_for()
    assert replay.locator(".pair-lane strong").all_inner_texts() == ["A · RNN", "B · LSTM"]
    assert replay.locator(".pair-at").first.inner_text() == "step 6"  # its last frame stays
    replay.get_by_role("tab", name="Gradient").click()
    gradient = replay.locator("[data-figure=race_gradient]")
    gradient.locator(".scatterlayer .trace").nth(1).wait_for(state="attached")
    styles = gradient.evaluate("plot => plot.data.slice(0, 2).map(({ line, y }) => [line.dash, y.length])")
    assert styles == [["solid", 8], ["dash", 8]]
    replay.get_by_role("tab", name="In numbers").click()
    assert replay.locator(".pair-table thead th").all_inner_texts() == ["", "A · RNN", "B · LSTM"]
    page.page.get_by_role("button", name="Swap A and B").click()
    replay.locator(".pair-lane strong").get_by_text("A · LSTM", exact=True).wait_for()
    assert page.problems == []
