"""The terms of every chain: they are the weights' own, and their sums, squashed, are the gates and states."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.cells import CELLS
from engine.cells.numpy_ops import NumpyOps
from engine.experiment import Experiment
from engine.frame import Frame
from engine.training import Trainer
from tests import reference_unroll as reference
from tests.cases import grid, in_turn

UNITS = 4
NETWORKS: dict[str, dict[str, Any]] = {
    "one layer": {"seq_len": 6},
    "both ways": {"seq_len": 6, "num_layers": 2, "bidirectional": True},
    "three layers": {"seq_len": 5, "num_layers": 3},
    "padded": {"task": "sentiment", "rnn_type": "many_to_one", "embedding_size": 3, "num_layers": 2},
    "padded, both ways": {"task": "teddy", "rnn_type": "many_to_many", "num_layers": 2, "bidirectional": True},
    "cut": {"seq_len": 7, "tbptt": 2},
    "two passes": {"task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 6, "embedding_size": 3},
    "two passes, two layers": {"task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 5, "num_layers": 2},
    "values, a window": {"task": "adding", "seq_len": 6, "window": 3},
}
LINKED = ("bidirectional", "tbptt")  # what a feed-forward network cannot have


def looked(cell: str, changes: dict[str, Any]) -> tuple[Trainer, Frame]:
    wanted = {**changes, "window": 1} if cell != "feedforward" else changes
    trainer = Trainer(Experiment(cell=cell, hidden_size=UNITS, batch_size=3, **wanted))
    trainer.advance()
    return trainer, trainer.frame()


def fits(cell: str, changes: dict[str, Any]) -> bool:
    """A feed-forward network has no links, which some settings need."""
    return cell != "feedforward" or not {*LINKED, "encoder_decoder"} & {*changes, changes.get("rnn_type")}


@pytest.mark.parametrize(
    ("cell", "network"),
    grid(list(CELLS), list(NETWORKS), kept=in_turn, possible=lambda cell, name: fits(cell, NETWORKS[name])),
)
def test_the_step_makes_gates_and_states_of_the_terms(cell, network):
    trainer, frame = looked(cell, NETWORKS[network])
    kind, start, real = CELLS[cell], trainer.info.encoder_steps, np.flatnonzero(frame.valid)
    states = {"h": frame.hidden, "c": frame.cell}
    for layer, d in trainer.info.chains:
        terms, before = trainer.frame([f"terms:{layer}:{d}"]).terms, None
        for t in real[::-1] if d else real:
            one = 1 if start and t >= start else 0
            old = {
                name: np.zeros(UNITS, np.float32) if before is None else states[name][layer, d, before]
                for name in kind.states
            }
            from_state = None if terms.from_state is None else terms.from_state[t]
            vectors = {name: vector[one] for name, vector in terms.vectors.items()}
            ops = NumpyOps(kind, "tanh", terms.from_input[t], from_state, terms.biases[one], vectors)
            values, new = kind.step(ops, None, lambda path, state, old=old: old[state])
            expected = {
                letter: frame.gates[gate][layer, d, t]
                for gate, letter in zip(kind.gates, kind.letters, strict=True)
                if gate != "hidden"
            }
            expected |= {name: states[name][layer, d, t] for name in kind.states}  # fmt: skip
            for name, value in expected.items():
                assert np.allclose((values | new)[name], value, atol=1e-5), name
            before = t
        assert not terms.from_input[~frame.valid].any()
        assert terms.from_state is None or not terms.from_state[~frame.valid].any()


@pytest.mark.parametrize("network", ["both ways", "padded, both ways", "two passes, two layers", "values, a window"])
def test_the_terms_are_products_with_what_an_unrolled_loop_reads(network):
    cell = "feedforward" if "window" in network else "lstm"
    trainer, frame = looked(cell, NETWORKS[network])
    run = reference.unroll(trainer.model, trainer.probe.single_sequence(0))
    for layer, d in trainer.info.chains:
        terms, suffix = trainer.frame([f"terms:{layer}:{d}"]).terms, f"_l{layer}" + "_reverse" * d
        assert (terms.layer, terms.direction) == (layer, d)
        for t in np.flatnonzero(frame.valid):
            layers, x, h, _ = run.entered[layer, d, t, 0]
            product = getattr(layers, "weight_ih" + suffix) @ x
            assert np.allclose(terms.from_input[t].ravel(), product.detach().numpy(), atol=1e-6)
            if cell == "lstm":
                product = getattr(layers, "weight_hh" + suffix) @ h
                assert np.allclose(terms.from_state[t].ravel(), product.detach().numpy(), atol=1e-6)
                bias = terms.biases[int(layers is not run.entered[layer, d, 0, 0][0]), 1]
                assert np.array_equal(bias.ravel(), getattr(layers, "bias_hh" + suffix).detach().numpy())


def test_those_of_the_top_layer_forwards_are_the_frames_own():
    trainer, frame = looked("gru_2014", NETWORKS["both ways"])
    terms = trainer.frame(["terms:1:0"]).terms
    for name in ("from_input", "from_state", "biases"):
        assert np.array_equal(getattr(terms, name), getattr(frame, name)), name
    assert not np.array_equal(trainer.frame(["terms:1:1"]).terms.from_state, frame.from_state)


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_has_the_terms_of_its_parameters(cell):
    _, frame = looked(cell, {"seq_len": 6})
    names = CELLS[cell].shapes(10, UNITS)
    blocks = (CELLS[cell].blocks, UNITS)
    assert frame.from_input.shape == (6, *blocks)
    assert (frame.from_state is not None) == ("weight_hh" in names)
    assert frame.biases.shape == (1, sum(name.startswith("bias") for name in names), *blocks)
    assert frame.biases.dtype == frame.from_input.dtype == np.float32
    assert {name: vector.shape for name, vector in frame.vectors.items()} == {
        vector.name: (1, len(vector.symbols), UNITS) for vector in CELLS[cell].vectors
    }
    assert (frame.peepholes is None) == ("weight_ch" not in names)


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
        assert np.array_equal(frame.vectors["weight_ch"][at].ravel(), stack.weight_ch_l0.detach().numpy())
        assert frame.peepholes is frame.vectors["weight_ch"]
    start = trainer.info.encoder_steps
    ended = np.flatnonzero(frame.valid[:start])[-1]
    product = trainer.model.decoder.weight_hh_l0.detach().numpy() @ frame.hidden[-1, 0, ended]
    assert np.allclose(frame.from_state[start].ravel(), product, atol=1e-6)


def test_a_product_with_something_made_of_the_old_state_is_that_product():
    trainer, frame = looked("gru_2014", NETWORKS["two passes"])
    start = trainer.info.encoder_steps
    ended = np.flatnonzero(frame.valid[:start])[-1]
    for t, before, stack in ((2, 1, trainer.model.encoder), (start, ended, trainer.model.decoder)):
        matrix = stack.weight_hh_l0.detach().numpy()
        old, reset = frame.hidden[-1, 0, before], frame.gates["reset_gate"][-1, 0, t]
        assert np.allclose(frame.from_state[t, :2].ravel(), matrix[: 2 * UNITS] @ old, atol=1e-6)
        assert np.allclose(frame.from_state[t, 2], matrix[2 * UNITS :] @ (reset * old), atol=1e-6)
