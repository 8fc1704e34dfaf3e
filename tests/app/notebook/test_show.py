"""What a notebook shows: one page in a sandbox that loads nothing, with the network and the figures of every frame."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from app.notebook.show import Shown, show
from engine.experiment import Experiment
from engine.recording import Recording
from engine.training import train
from engine.watch import watch
from tests.app.live.conftest import decoded, header_of

E = Experiment(hidden_size=4, batch_size=4, seq_len=6, steps=4)


@pytest.fixture(scope="module")
def recording() -> Recording:
    return Recording.of(E, train(E, 2))


def data_of(shown: Shown) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="recording">(.*?)</script>', shown.html, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def messages(shown: Shown) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Header and patches of every frame."""
    raw = [gzip.decompress(base64.b64decode(each)) for each in data_of(shown)["frames"]]
    return [(header_of(each)[0], decoded(each)) for each in raw]


def test_the_output_is_one_sandbox_that_loads_nothing(recording):
    shown = show(recording, height=500)
    output = shown._repr_html_()
    assert output.startswith('<iframe sandbox="allow-scripts allow-downloads" srcdoc="') and "height: 500px" in output
    assert "allow-same-origin" not in output[:200]
    assert html.unescape(re.search(r'srcdoc="([^"]*)"', output)[1]) == shown.html
    assert not re.search(r'(?:src|href)="(?!data:)', shown.html) and shown.html.count('id="plotly"') == 1


def test_every_frame_has_the_stage_and_the_figures_of_that_step(recording):
    shown = show(recording)
    data, sent = data_of(shown), messages(shown)
    assert len(sent) == len(recording.frames) == 3
    named = {figure["name"] for figure in data["figures"]}
    assert "gradient" in named and "unrolled" not in named, "the stage stands in its place"
    assert {name for tab in data["tabs"] for name in tab["figures"]} == named
    for (header, patch), frame in zip(sent, recording.frames, strict=True):
        assert (
            header["step"] == header["p"]["stage.step"] == frame.step and len(header["p"]["stage.words"]) == E.seq_len
        )
        np.testing.assert_allclose(patch["gradient.data.2.y"], frame.relative[-1, 0], rtol=1e-5)
    assert data["stage"]["opens"] is False, "nobody computes the numbers of a cell that is opened"


def test_a_run_and_a_file_are_shown_as_their_recording(recording, tmp_path: Path):
    class Run:
        def recording(self) -> Recording:
            return recording

    recording.save(tmp_path / "run.zip")
    assert show(Run()).html == show(recording).html == show(tmp_path / "run.zip").html


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.other = nn.GRU(3, 4), nn.LSTM(4, 5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.one(x)[0])[0][-1].sum()


def test_a_lens_is_shown_module_by_module_and_its_file_look_by_look(tmp_path: Path):
    model, file = Model(), tmp_path / "run.looks"
    with watch(model, every=1) as lens:
        with pytest.raises(ValueError, match="Nothing was measured yet"):
            show(lens)
        lens.record(file)
        for _ in range(3):
            model(torch.randn(9, 2, 3)).backward()
    for module in ("one", "other"):
        shown = show(lens, module=module)
        ((header, _),) = messages(shown)
        assert f"<h1>{module}</h1>" in shown.html and header["step"] == 2
        assert header["verdict"]["sentence"] == lens.diagnosis(module).sentence
    assert [header["step"] for header, _ in messages(show(str(file), module="other"))] == [0, 1, 2]
    with pytest.raises(ValueError, match="has measured one, other, but not third"):
        show(lens, module="third")


def test_anything_else_is_refused_in_a_sentence():
    with pytest.raises(TypeError, match=r"What can be shown is a recording, .* but got int"):
        show(3)
