"""Our own network watched while its trainer makes an update: a frame of it is that of `capture_frame`."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame.frame import TrainingProgress
from engine.frame.held_out import HeldOutRecord
from engine.tasks import sample
from engine.training import Trainer
from engine.training.capture_frame import capture_frame
from engine.watch import watch

PER_SEQUENCE = (
    "grad_norm", "grad_norm_direct", "grad_norm_last", "grad_norm_cell", "grad_norm_memory", "sequence_grad_norm",
    "sequence_grad_norm_direct", "sequence_grad_norm_last", "sequence_grad_norm_cell", "sequence_grad_norm_memory",
    "output_grad_norm",
)  # fmt: skip
"""Of one sequence's loss in a frame; a watched loss is the mean over the batch."""
ALIKE = ("ratio", "relative", "relative_low", "relative_high", "hidden", "cell", "from_input", "from_state", "biases")
NETWORKS = {
    "last symbol": {"task": "first_symbol_recall", "rnn_type": "many_to_one", "cell": "lstm", "num_layers": 2},
    "every step": {"task": "parity", "rnn_type": "many_to_many", "cell": "gru"},
    "both ways": {"task": "first_symbol_recall", "rnn_type": "many_to_one", "cell": "rnn", "bidirectional": True},
    "both ways at every step": {"task": "parity", "rnn_type": "many_to_many", "cell": "lstm", "bidirectional": True},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_watched_as_captured(name):
    experiment = Experiment(**NETWORKS[name], seq_len=10, hidden_size=6, batch_size=8)
    trainer = Trainer(experiment)
    trainer.model.double()
    batch = sample(experiment, experiment.batch_size, (experiment.seed, 1))
    progress = TrainingProgress(
        step=0, loss=0.0, seconds=0.0, param_grad_norm=0.0, param_grad_norm_clipped=0.0, clipped=False,
        recent_loss=np.nan, earlier_loss=np.nan, recent_clipped=0.0,
    )  # fmt: skip
    info = dataclasses.replace(trainer.info, valid=(True,) * 10, first_informative=0, lag=None)
    frame = capture_frame(trainer.model, batch, info, progress, HeldOutRecord(), None)
    with watch(trainer.model, every=1, rows=None) as lens:
        trainer.advance()
    look, chain = lens.frame(), lens.chain()
    for field in (*PER_SEQUENCE, *ALIKE):
        mine, theirs = getattr(look, field), getattr(frame, field)
        if theirs is None:
            assert mine is None
            continue
        if field == "ratio" and chain.answers_once:  # backwards a task knows which step matters
            mine, theirs = mine[:, :1], theirs[:, :1]
        size = experiment.batch_size if field in PER_SEQUENCE else 1
        np.testing.assert_allclose(np.multiply(mine, size), theirs, rtol=1e-9, atol=1e-12, err_msg=field)
    for gate in frame.gates:
        np.testing.assert_allclose(look.gates[gate], frame.gates[gate], rtol=1e-9)
    np.testing.assert_allclose(look.factors.factor, frame.factors.factor, rtol=1e-9)
    terms = look.weight_gradients.hh * experiment.batch_size
    np.testing.assert_allclose(terms, frame.weight_gradients.hh, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(look.weight_gradients.ih_beyond, frame.weight_gradients.ih_beyond, rtol=1e-6, atol=1e-9)
    assert [chain.enters(d) for d in range(chain.directions)] == [info.enters(d) for d in range(info.directions)]
    shared = ("cell", "nonlinearity", "num_layers", "directions", "hidden_size", "input_size", "time_steps", "valid",
              "counted", "answers_once", "same_lengths", "cuts")  # fmt: skip
    assert [getattr(chain, field) for field in shared] == [getattr(info, field) for field in shared]
