"""What is said of an update in slow motion, in five phases."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest

from app.slow_motion import text as slow_motion_text
from app.slow_motion.feed import phases
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.number_format import relative_size
from engine.slow_motion.dry_run import dry_run_update
from engine.slow_motion.update_trace import UpdateTrace
from engine.training import Trainer

SHAPES: dict[str, dict[str, Any]] = {
    "many_to_one": {},
    "one_to_one": {"task": "digits", "rnn_type": "one_to_one"},
    "one_to_many": {"task": "melody", "rnn_type": "one_to_many", "output_layers": 1, "teacher_forcing": 0.5},
    "long, both ways": {"task": "characters", "rnn_type": "many_to_many", "seq_len": 40, "bidirectional": True,
                        "num_layers": 2},
    "encoder_decoder": {"task": "reverse", "rnn_type": "encoder_decoder"},
    "attends": {"task": "reverse", "rnn_type": "encoder_decoder", "attention": "dot"},
    "no links": {"task": "stocks", "rnn_type": "many_to_many", "cell": "feedforward"},
    "cut": {"seq_len": 20, "tbptt": 5},
    "one weight per unit": {"cell": "indrnn"},
    "no weights in time": {"cell": "linear"},
}  # fmt: skip


@cache
def rehearsed(shape: str) -> tuple[RunInfo, UpdateTrace]:
    e = Experiment(**{"hidden_size": 4, "batch_size": 3, "cell": "rnn", **SHAPES[shape]})
    trainer = Trainer(e)
    return trainer.info, dry_run_update(trainer)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_phase_has_a_sentence_numbers_and_a_table(shape):
    info, update = rehearsed(shape)
    said = phases(info, update)["phases"]
    assert [each["name"] for each in said] == list(slow_motion_text.PHASES)
    for phase, each in enumerate(said):
        assert len(each["meaning"]) > 20 and "nan" not in each["meaning"] and each["tiles"]
        assert each["rows"] and {len(row) for row in each["rows"]} == {len(each["head"])}
        assert (each["figure"] is not None) == (phase >= slow_motion_text.CLIP)


def test_the_gradient_that_is_said_is_the_one_that_is_drawn():
    info, update = rehearsed("many_to_one")
    drawn = update.frame.relative[-1, 0]
    _, rows = slow_motion_text.table(info, update, slow_motion_text.BACKWARD)
    assert [row[2] for row in rows] == [relative_size(float(each)) for each in drawn[::-1]]


def test_without_links_each_loss_reaches_its_own_step_alone():
    assert "no other" in slow_motion_text.meaning(*rehearsed("no links"), slow_motion_text.BACKWARD)


def test_beyond_a_cut_nothing_is_learned():
    assert "exactly 0" in slow_motion_text.meaning(*rehearsed("cut"), slow_motion_text.BACKWARD)


# ---- sentences


def changed(**values: Any) -> tuple[RunInfo, UpdateTrace]:
    info, update = rehearsed("many_to_one")
    settings = {key: values.pop(key) for key in ("clip", "clip_threshold") if key in values}
    return info, dataclasses.replace(update, experiment=update.experiment.replace(**settings), **values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"clip": "none", "norm": 3.2, "norm_clipped": 3.2, "clipped": False}, "Clipping is off"),
        ({"clip": "norm", "clip_threshold": 5.0, "norm": 3.2, "norm_clipped": 3.2, "clipped": False},
         "threshold is 5. The gradient is short enough: there is nothing to clip"),
        ({"clip": "norm", "clip_threshold": 0.8, "norm": 3.2, "norm_clipped": 0.8, "clipped": True},
         "whole gradient is 3.20, the threshold is 0.8. Every number is multiplied by 0.25"),
        ({"clip": "value", "clip_threshold": 0.5, "norm": 3.2, "norm_clipped": 1.6, "clipped": True},
         "between −0.5 and 0.5. The norm falls from 3.20 to 1.60"),
    ],
)  # fmt: skip
def test_clipping_is_said_plainly(values, text):
    assert text in slow_motion_text.meaning(*changed(**values), slow_motion_text.CLIP)


@pytest.mark.parametrize(
    ("first", "text"),
    [(1.0, "hardly changes: 100%"), (1e-5, "vanishes: 1 part in 100,000"), (0.0, "exactly 0"),
     (500.0, "explodes: it becomes 500 times"), (0.05, "fades: 5.0%"), (3.0, "grows: it becomes 3.00 times")],
)  # fmt: skip
def test_what_became_of_the_gradient_is_said(first, text):
    frame = rehearsed("many_to_one")[1].frame
    norms = np.ones_like(frame.sequence_grad_norm_memory)
    norms[..., 0] = first
    frame = dataclasses.replace(frame, sequence_grad_norm_memory=norms)
    assert text in slow_motion_text.meaning(*changed(frame=frame), slow_motion_text.BACKWARD)


@pytest.mark.parametrize(
    ("after", "text"), [(1.5, "falls from 2 to 1.5"), (2.5, "rises from 2 to 2.5"), (np.inf, "no longer finite")]
)
def test_what_the_update_does_to_the_loss_is_said(after, text):
    assert text in slow_motion_text.meaning(*changed(loss=2.0, loss_after=after), slow_motion_text.UPDATE)


def test_weight_decay_is_said_where_there_is_some():
    assert "decay" not in slow_motion_text.meaning(*changed(), slow_motion_text.UPDATE)
    info, update = changed()
    decayed = dataclasses.replace(update, experiment=update.experiment.replace(weight_decay=0.01))
    said = slow_motion_text.meaning(info, decayed, slow_motion_text.UPDATE)
    assert "That includes the weight decay, 0.01, which pulls all weights towards 0." in said


def test_weights_that_the_cell_itself_cuts_are_counted():
    assert "then cut" not in slow_motion_text.meaning(*changed(cut_to_limit=0), slow_motion_text.UPDATE)
    assert "1 weight was then cut" in slow_motion_text.meaning(*changed(cut_to_limit=1), slow_motion_text.UPDATE)
    assert "3 weights were then cut" in slow_motion_text.meaning(*changed(cut_to_limit=3), slow_motion_text.UPDATE)


def test_what_a_decoder_gets_is_said():
    forward = {shape: phases(*rehearsed(shape))["phases"][0]["meaning"] for shape in ("encoder_decoder", "attends")}
    assert "all that the decoder gets" in forward["encoder_decoder"]
    assert "all that" not in forward["attends"] and "reads all states of the encoder" in forward["attends"]


def test_what_was_measured_otherwise_than_trained_is_said():
    info, update = rehearsed("one_to_many")
    for phase in (slow_motion_text.FORWARD, slow_motion_text.BACKWARD):
        assert slow_motion_text.BY_CHANCE in slow_motion_text.notes(info, update, phase)
    assert slow_motion_text.BY_CHANCE not in slow_motion_text.notes(*rehearsed("many_to_one"), slow_motion_text.FORWARD)


def test_a_table_says_every_parameter():
    info, update = rehearsed("encoder_decoder")
    rows = slow_motion_text.table(info, update, slow_motion_text.UPDATE)[1]
    assert [row[0].split(" (")[0] for row in rows] == list(update.parameters)
