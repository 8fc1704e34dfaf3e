"""What a decoder reads of its encoder, as a matrix, and by which paths the gradient comes back to it."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from app.figures import FIGURES, Curves
from app.figures.over_training.attention import real_steps, step_axis
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.attention import ATTENTION_PATHS
from engine.recording.history import History
from engine.training import Trainer
from tests.app.figures.conftest import decoded, f4, patched

CURVES = Curves(History().updates(), History().looks())
EXPERIMENT = Experiment(
    task="reverse", rnn_type="encoder_decoder", cell="lstm", attention="dot", hidden_size=6, batch_size=4, seq_len=6
)


@cache
def seen(step: int | None = None, **settings: object) -> tuple[RunInfo, Frame]:
    """A frame after two updates, which follows the loss of one step."""
    trainer = Trainer(EXPERIMENT.replace(**settings))
    for _ in range(2):
        trainer.advance()
    return trainer.info, trainer.frame(() if step is None else (f"followed:{step}",))


def drawn(name: str, info: RunInfo, frame: Frame) -> dict:
    template = decoded(FIGURES[name].template(info).to_plotly_json())
    return patched(template, FIGURES[name].patch(info, frame, CURVES))


def test_a_row_of_the_matrix_adds_up_to_one_and_padding_is_left_out():
    info, frame = seen()
    figure = drawn("attention", info, frame)
    (heat,), (source, target) = figure["data"], real_steps(info)
    assert heat["z"].shape == (len(target), len(source)) and len(source) < info.encoder_steps
    np.testing.assert_allclose(heat["z"].sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(heat["z"], f4(frame.attention.weights[: len(target), : len(source)]))
    read = [info.input_labels[int(token)] for token in frame.inputs[source]]
    said = [info.output_labels[int(token)] for token in frame.targets[target]]
    assert figure["layout"]["xaxis"]["ticktext"] == read and figure["layout"]["yaxis"]["ticktext"] == said
    assert read == said[::-1]


def test_many_steps_have_numbers_and_no_shares_written():
    info, frame = seen(seq_len=20)
    figure, (source, _) = drawn("attention", info, frame), real_steps(info)
    assert len(source) > 12 and "texttemplate" not in figure["data"][0]
    assert step_axis(source)["ticktext"][-1] == str(source[-1])
    assert "ticktext" not in step_axis(np.arange(40))


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_shares_of_the_paths_add_up_to_one(cell):
    info, frame = seen(cell=cell)
    figure, (source, _) = drawn("attention_paths", info, frame), real_steps(info)
    bars = [each["y"] for each in figure["data"]]
    for part, whole in ((bars[:3], frame.sequence_grad_norm), (bars[3:], frame.sequence_grad_norm_memory)):
        arrived = whole[0, 0, source] > 0
        np.testing.assert_allclose(np.sum(part, 0)[arrived], 1, atol=1e-5)
    assert "the last loss" in figure["layout"]["annotations"][1]["text"]
    assert f"dl/d{info.memory_symbol}" in figure["layout"]["annotations"][1]["text"]


def test_the_followed_loss_takes_the_place_of_the_last():
    info, last = seen()
    step = info.enters(0) - 1
    frame = seen(step)[1]
    figure, (source, _) = drawn("attention_paths", info, frame), real_steps(info)
    for at, path in enumerate(ATTENTION_PATHS):
        expected = frame.followed.path_shares[path][0, 0, source]
        np.testing.assert_allclose(figure["data"][3 + at]["y"], expected, rtol=1e-6)
        assert not np.allclose(expected, last.attention.last_shares[path][0, 0, source])
    assert f"followed: t = {step}" in figure["layout"]["annotations"][1]["text"]
    assert drawn("attention_paths", info, last)["data"][0]["y"].tolist() == figure["data"][0]["y"].tolist()


def test_a_frame_without_the_reading_changes_nothing():
    info, frame = seen()
    without = dataclasses.replace(frame, attention=None)
    for name in ("attention", "attention_paths"):
        assert FIGURES[name].patch(info, without, CURVES) == {} and FIGURES[name].readout(info, without) == ""
        assert not FIGURES[name].applies(RunInfo.of(EXPERIMENT.replace(attention="none")))
