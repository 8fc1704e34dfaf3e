"""Somebody trains a model of their own, and looks at it on the page that the lens opens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.recording.growing import GrowingFile
from tests.browser.conftest import ROOT, Playground, new_context, wait_until_it_answers
from tests.engine.recording.growing.conftest import recorded

pytestmark = pytest.mark.browser
TRAINING = """
import torch
from torch import nn
from engine.watch import screen, watch

torch.manual_seed(0)
torch.set_num_threads(1)

class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(3, 8), nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.lstm(x)[0][-1])

model = Model()
optimiser = torch.optim.Adam(model.parameters(), 1e-2)
with watch(model, every=20) as lens:
    print(lens.show(), screen._started[0].pid, flush=True)
    while True:
        x = torch.randn(16, 8, 3)
        optimiser.zero_grad()
        (model(x)[:, 0] - x[0, :, 0]).pow(2).mean().backward()
        optimiser.step()
"""
LINE = "document.querySelector('[data-figure=gradient]')?.data?.find(({name}) => name?.startsWith('relative size'))"


@pytest.fixture
def training(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A training in a process of its own that is being shown: the address of the page, and the process."""
    with subprocess.Popen(
        [sys.executable, "-c", TRAINING],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BROWSER": "true", "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        address, screen = process.stdout.readline().split()
        try:
            yield address, process
        finally:
            process.kill()
            os.kill(int(screen), signal.SIGKILL)


def test_the_gradient_of_a_training_in_another_process_moves_on_the_page(training, browser):
    address, process = training
    wait_until_it_answers(address.rpartition("/")[0])
    with new_context(browser) as context:
        page = Playground(context.new_page(), address)
        page.page.goto(address, wait_until="commit")
        page.wait("window.playground?.module === 'lstm'")
        page.page.locator("[data-figure=gradient]").scroll_into_view_if_needed()
        page.wait(f"{LINE}?.y?.length === 16")
        step, line = page.page.evaluate(f"[window.playground.step, [...{LINE}.y]]")
        page.wait(f"{LINE}.y.some((y, t) => y !== argument[t])", line)
        assert page.page.evaluate("window.playground.step") > step
        assert page.page.locator(".lv-verdict strong").inner_text() != "Waiting"
        assert page.page.locator("#the-stage .cell").count() == 16  # cards are drawn
        process.kill()  # a crash
        process.wait()
        page.page.locator(".lv-timeline-slider").press("Home")
        page.wait("window.playground.at === 0")
        assert page.page.locator(".lv-timeline-at").inner_text() == "step 0"
        page.page.get_by_role("button", name="newest").click()
        page.wait("window.playground.at === null && window.playground.step > 0")
        assert [each for each in page.problems if each.startswith("page error")] == []


def test_a_finished_recording_is_opened_with_its_mistakes_and_its_advice(visit, tmp_path):
    with GrowingFile(tmp_path / "run.looks") as file:
        for step in range(3):
            file.append(recorded(step))
    page: Playground = visit("preset=remember&seq_len=8&hidden_size=4&steps=2")
    page.page.get_by_role("link", name="Open a recording").click()
    page.page.locator(".st-key-recording_file input[type=file]").set_input_files(tmp_path / "run.looks")
    page.wait("window.playground?.module === 'rnn'")
    assert page.page.locator(".wt-advice code").inner_text() == "nn.LSTM(3, 5)"
    assert "Nothing reads it. Read it." in page.page.locator(".wt-facts").inner_text()  # of a module not shown
    page.page.get_by_label("Module").select_option("decoder.rnn")
    page.wait("window.playground.module === 'decoder.rnn'")
    page.page.get_by_role("button", name="the backward direction").click()
    page.page.get_by_role("tab", name="Gates").click()
    page.page.locator("[data-figure=gates] .scatterlayer .trace").first.wait_for(state="attached")
    assert page.problems == []
