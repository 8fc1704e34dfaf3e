"""What the stage is told: once of the run, and with every frame; against the frame's own arrays."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.figures import Quantised
from app.live.messages import pack
from app.stage.description import UNITS, describe, real_steps, units
from app.stage.values import values, words
from engine.experiment import Experiment
from engine.frame import RunInfo
from tests.app.figures.conftest import CASES, over, seen


@over(CASES)
def test_every_frame_can_be_told(case):
    info, frame, _ = seen(case)
    told = describe(info)
    json.dumps(told, allow_nan=False)
    count = told["steps"]
    assert count == len(real_steps(info)) == sum(info.valid)
    assert [len(told[name]) for name in ("at", "counted")] == [count, count]
    changed = {**values(info, frame), **words(info, frame)}
    assert pack({"stage": changed})  # also where numbers are not finite
    assert len(changed["words"]) == len(changed["targets"]) == count
    chains = info.num_layers * info.directions
    for name, per in (("relative", chains), ("norms", chains), ("direct", chains), ("losses", 1), ("best", 1)):
        assert changed[name].shape == (per * count,), name
    assert changed["h"].values.shape == (chains * count * told["units"],)


@pytest.mark.parametrize(
    "case", ["both ways", "english_french-encoder_decoder-gru", "sentiment-many_to_one-lstm", "cut"]
)
def test_numbers_are_those_of_the_frame(case):
    info, frame, _ = seen(case)
    changed, real = values(info, frame), real_steps(info)
    relative = 10 ** changed["relative"].astype(np.float64).reshape(info.num_layers, info.directions, -1)
    if info.same_lengths:
        np.testing.assert_allclose(relative, frame.relative[:, :, real], rtol=2e-5)
    for d in range(info.directions):
        at = describe(info)["enters"][d]
        np.testing.assert_allclose(relative[:, d, at], 1, rtol=1e-5)  # where the loss enters
    hidden = changed["h"].values.reshape(*relative.shape, -1) * changed["h"].scale / 127
    expected = np.clip(frame.hidden[:, :, real][..., units(info)], -changed["hScale"], changed["hScale"])
    np.testing.assert_allclose(hidden, expected, atol=changed["hScale"] / 127)
    counted = frame.counted[real]
    np.testing.assert_allclose(changed["losses"][counted], frame.loss_per_step[real][counted], rtol=1e-5)
    assert np.isnan(changed["losses"][~counted]).all()
    chosen = frame.outputs[real][counted].argmax(-1)
    np.testing.assert_array_equal(changed["best"][counted], chosen)
    targets = frame.targets[real][counted]
    expected = frame.outputs[real][counted][np.arange(len(targets)), targets]
    np.testing.assert_allclose(changed["chance"][counted], expected, rtol=1e-6)


def test_a_gradient_below_float32_keeps_its_size_and_exactly_0_stays_0():
    info, frame, _ = seen("cut")
    relative = frame.relative.copy()
    relative[0, 0, :3] = [1e-60, 0.0, 1e60]
    changed = values(info, frame.__class__(**{**vars(frame), "relative": relative}))
    np.testing.assert_allclose(changed["relative"][:3], [-60, -np.inf, 60])


def test_a_frame_of_an_old_recording_shows_the_drawn_sequence():
    info, frame, _ = seen("both ways")
    old = frame.__class__(**{**vars(frame), "relative": None, "relative_low": None, "relative_high": None})
    relative = 10 ** values(info, old)["relative"].astype(np.float64).reshape(2, 2, -1)
    norms = frame.sequence_grad_norm_memory
    np.testing.assert_allclose(relative[1, 0], norms[1, 0] / norms[1, 0, info.enters(0)], rtol=1e-4)


def test_at_most_so_many_units_are_drawn_and_all_of_a_small_layer():
    for hidden, drawn in ((6, 6), (32, 32), (512, UNITS)):
        assert len(units(RunInfo.of(Experiment(hidden_size=hidden, seq_len=4)))) == drawn


@pytest.mark.parametrize(
    ("settings", "kind", "editable"),
    [
        ({}, "symbols", 40),
        ({"task": "adding", "seq_len": 12}, "numbers", 0),
        ({"task": "digits_by_row"}, "channels", 0),
        ({"task": "digits", "rnn_type": "one_to_one"}, "image", 0),
        ({"task": "melody", "rnn_type": "one_to_many"}, "symbols", 1),
    ],
)
def test_inputs_are_drawn_as_what_they_are(settings, kind, editable):
    told = describe(RunInfo.of(Experiment(**settings)))
    assert (told["inputs"], told["editable"]) == (kind, editable)


def test_walls_stand_where_truncation_cuts():
    info, frame, _ = seen("cut")
    relative = values(info, frame)["relative"]
    walls = describe(info)["walls"]
    assert walls == [3, 7]  # 11 steps in pieces of 4, counted from the end
    assert np.isneginf(relative[: walls[-1]]).all() and np.isfinite(relative[walls[-1] :]).all()


def test_the_legend_names_the_matrices_that_the_network_has():
    info, frame, _ = seen("english_french-encoder_decoder-gru")
    for matrix in describe(info)["matrices"]:
        assert matrix["name"] in frame.mean_weights
    assert isinstance(values(info, frame)["h"], Quantised)


def test_what_a_decoder_reads_is_told_of_real_steps_alone():
    info, frame, _ = seen("attends")
    told, changed, real = describe(info), values(info, frame), real_steps(info)
    source, target = told["encoder"], told["steps"] - told["encoder"]
    assert told["attention"] and not all(info.valid)  # there is padding to leave out
    weights = changed["attention"].reshape(target, source)
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-6)
    for i, row in enumerate(weights):
        own = frame.attention.weights[real[source + i] - info.encoder_steps]
        np.testing.assert_allclose(row, own[real[:source]], rtol=1e-6)
    sent = 10.0 ** changed["attentionSent"].reshape(target, source)
    np.testing.assert_allclose(sent[0, 0], frame.attention.sent[0, 0], rtol=1e-5)
    without = seen("reverse-encoder_decoder-lstm")
    assert not describe(without[0])["attention"] and "attention" not in values(*without[:2])
