"""The terms of the drawn chain: they are the weights' own, and their sums, squashed, are the gates and states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame
from engine.training import Trainer
from tests.cases import grid, in_turn

UNITS = 4
NETWORKS: dict[str, dict[str, Any]] = {
    "one layer": {"seq_len": 6},
    "both ways": {"seq_len": 6, "num_layers": 2, "bidirectional": True},
    "three layers": {"seq_len": 5, "num_layers": 3},
    "padded": {"task": "sentiment", "rnn_type": "many_to_one", "embedding_size": 3, "num_layers": 2},
    "cut": {"seq_len": 7, "tbptt": 2},
    "two passes": {"task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 6, "embedding_size": 3},
    "values, a window": {"task": "adding", "seq_len": 6, "window": 3},
}
LINKED = ("bidirectional", "tbptt")  # what a feed-forward network cannot have


def looked(cell: str, changes: dict[str, Any]) -> tuple[Trainer, Frame]:
    wanted = {**changes, "window": 1} if cell != "feedforward" else changes
    trainer = Trainer(Experiment(cell=cell, hidden_size=UNITS, batch_size=3, **wanted))
    trainer.advance()
    return trainer, trainer.frame()


def logistic(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def fits(cell: str, changes: dict[str, Any]) -> bool:
    """A feed-forward network has no links, which some settings need."""
    return cell != "feedforward" or not {*LINKED, "encoder_decoder"} & {*changes, changes.get("rnn_type")}


@pytest.mark.parametrize(
    ("cell", "network"),
    grid(list(CELLS), list(NETWORKS), kept=in_turn, possible=lambda cell, name: fits(cell, NETWORKS[name])),
)
def test_squashed_sums_are_the_gates_and_states(cell, network):
    changes = NETWORKS[network]
    trainer, frame = looked(cell, changes)
    start = trainer.info.encoder_steps
    for t in np.flatnonzero(frame.valid):
        one = 1 if start and t >= start else 0
        from_input = frame.from_input[t] + frame.biases[one, 0]  # (G, units)
        from_state = frame.from_state[t] + frame.biases[one, 1] if frame.from_state is not None else 0 * from_input
        assert (frame.from_state is None) == (cell == "feedforward")
        before = t - 1
        if start and t == start:
            before = np.flatnonzero(frame.valid[:start])[-1]
        for at, gate in enumerate(CELLS[cell].gates):
            if cell == "gru" and gate == "candidate":
                total = from_input[at] + frame.gates["reset_gate"][-1, 0, t] * from_state[at]
            else:
                total = from_input[at] + from_state[at]
            if cell == "lstm_peephole" and gate != "cell_candidate":
                now = frame.cell[-1, 0, t]
                old = frame.cell[-1, 0, before] if t else 0 * now
                which = ("input_gate", "forget_gate", "output_gate").index(gate)
                total = total + frame.peepholes[one, which] * (now if gate == "output_gate" else old)
            value = np.tanh(total) if gate in ("hidden", "candidate", "cell_candidate") else logistic(total)
            there = frame.hidden if gate == "hidden" else frame.gates[gate]
            assert np.allclose(value, there[-1, 0, t], atol=2e-6), gate
    assert not frame.from_input[~frame.valid].any()


def test_the_terms_are_the_weights_own():
    trainer, frame = looked("lstm", {"seq_len": 6})
    stack = trainer.model.recurrent
    column = stack.weight_ih_l0.detach().numpy()[:, int(frame.inputs[2])]  # one-hot: a product is a column
    assert np.allclose(frame.from_input[2].ravel(), column)
    product = stack.weight_hh_l0.detach().numpy() @ frame.hidden[0, 0, 1]
    assert np.allclose(frame.from_state[2].ravel(), product, atol=1e-6) and not frame.from_state[0].any()
    assert np.array_equal(frame.biases[0, 0].ravel(), stack.bias_ih_l0.detach().numpy())
    assert np.array_equal(frame.biases[0, 1].ravel(), stack.bias_hh_l0.detach().numpy())
    assert frame.peepholes is None


def test_an_encoder_and_a_decoder_have_biases_of_their_own():
    trainer, frame = looked("lstm_peephole", NETWORKS["two passes"])
    for at, stack in enumerate((trainer.model.encoder, trainer.model.decoder)):
        assert np.array_equal(frame.biases[at, 1].ravel(), stack.bias_hh_l0.detach().numpy())
        assert np.array_equal(frame.peepholes[at].ravel(), stack.weight_ch_l0.detach().numpy())
    start = trainer.info.encoder_steps
    ended = np.flatnonzero(frame.valid[:start])[-1]
    product = trainer.model.decoder.weight_hh_l0.detach().numpy() @ frame.hidden[-1, 0, ended]
    assert np.allclose(frame.from_state[start].ravel(), product, atol=1e-6)
