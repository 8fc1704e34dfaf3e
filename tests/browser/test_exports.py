"""Somebody takes a run away in every form there is, and opens each; and brings a recording back."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import safetensors.torch

from app.replay.player import FILES
from engine.parameters import parameter_shapes
from engine.recording import Recording
from tests.browser.conftest import Playground, new_context

pytestmark = pytest.mark.browser
ALERT = "[data-testid=stAlertContainer]"


@pytest.fixture
def trained(visit) -> Playground:
    """A small run, paused after some updates."""
    page = visit("preset=remember&cell=lstm&seq_len=8&hidden_size=6&steps=1000000")
    page.wait("playground.painted > 5")
    page.pause()
    return page


def downloads(page: Playground, folder: Path) -> dict[str, Path]:
    """Every file that the popover offers, under the name that it comes with."""
    page.click("export")
    files = {}
    for name in FILES:
        with page.page.expect_download() as download:
            page.page.locator(f'.exports a[href$="/{name}"]').click()
        files[name] = folder / download.value.suggested_filename
        download.value.save_as(files[name])
    return files


def test_a_run_is_taken_away_in_every_form_and_brought_back(trained, tmp_path, browser):
    files = downloads(trained, tmp_path)
    run = f"first_symbol_recall-lstm-step-{trained.step}"
    assert files["recording.zip"].name == f"{run}.zip" and files["weights.safetensors"].stem == run
    recording = Recording.load(files["recording.zip"])
    assert (recording.experiment.hidden_size, recording.frames[-1].step) == (6, trained.step)
    assert pd.read_csv(files["curves.csv"])["step"].iloc[-1] == trained.step
    shapes = {
        name: tuple(each.shape) for name, each in safetensors.torch.load_file(files["weights.safetensors"]).items()
    }
    assert shapes == dict(parameter_shapes(recording.experiment))
    compile(files["script.py"].read_text(), "script.py", "exec")
    replays(Playground(new_context(browser).new_page(), ""), files["replay.html"], recording)
    comes_back(trained, files["recording.zip"], f"step {trained.step:,}")


def replays(page: Playground, file: Path, recording: Recording) -> None:
    """From the file alone: what stands on the screen is the frame that the slider and the keys say."""
    page.page.context.set_offline(True)
    page.page.goto(file.as_uri())
    page.wait("window.playground?.painted > 0")
    steps = [frame.step for frame in recording.frames]
    assert page.step == steps[-1]  # what it has come to is seen first
    for key, at in (("Home", 0), ("ArrowRight", 1), ("End", -1), ("ArrowLeft", -2), ("Home", 0)):
        page.page.keyboard.press(key)
        page.wait(f"playground.step === {steps[at]}")
    page.page.keyboard.press("Space")
    page.wait(f"playground.step >= {steps[3]}")
    page.page.keyboard.press("End")  # it also pauses
    page.wait("document.querySelector('.rp-play').textContent === 'Play'")
    page.wait(f"playground.step === {steps[-1]} && document.querySelector('[data-figure=gradient]').data")
    shown = page.get("Array.from(document.querySelector('[data-figure=gradient]').data[2].y)")
    assert shown == pytest.approx(recording.frames[-1].relative[-1, 0].tolist(), rel=1e-5)
    sentence = page.page.locator(".lv-sentence").inner_text()
    assert sentence == recording.frames[-1].diagnosis.sentence
    assert page.problems == []
    page.page.context.close()


def comes_back(page: Playground, file: Path, step: str) -> None:
    """On the page for recordings; a bad file loses nothing, and the network can be trained anew."""
    page.page.keyboard.press("Escape")
    page.page.get_by_role("link", name="Open a recording").click()
    field = page.page.locator(".st-key-recording_file input[type=file]")
    field.set_input_files(file)
    replay = page.page.frame_locator("iframe[srcdoc]")
    replay.locator("[data-figure=gradient] .scatterlayer").first.wait_for(state="attached")
    assert step in page.page.locator(".st-key-recording").inner_text()
    replay.locator(".rp-at").press("End")
    replay.locator(".rp-step").get_by_text(step, exact=True).wait_for()
    bad = {"name": "bad.zip", "mimeType": "application/zip", "buffer": b"hello"}
    field.set_input_files(bad)
    page.page.locator(ALERT).get_by_text("is no recording").wait_for()
    assert replay.locator(".rp-step").inner_text() == step  # it was not even begun anew
    page.page.get_by_role("link", name="Train this network").click()
    page.page.wait_for_url("**hidden_size=6**")
    page.wait("playground.painted > 0")
