"""A network with attention as it trains: its frames, its weights by name, and that looking changes nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame.attention import ATTENTION_PATHS
from engine.model import build
from engine.parameters import parameter_shapes
from engine.tasks import sample
from engine.training import Trainer
from engine.update_cost import step_cost
from tests.cases import for_each
from tests.engine.conftest import assert_same
from tests.engine.training.test_every_combination import assert_documented

ATTENTIVE = {"rnn_type": "encoder_decoder", "attention": "dot", "hidden_size": 5, "batch_size": 4}


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_trains_and_looking_changes_nothing(cell):
    e = Experiment(task=("reverse", "addition")[len(cell) % 2], cell=cell, num_layers=1 + len(cell) % 2, **ATTENTIVE)
    quiet, watched = Trainer(e), Trainer(e)
    for _ in range(3):
        quiet.advance()
        torch.rand(3)
        watched.frame()
        watched.advance()
    frame = quiet.frame()
    assert_documented(e, frame)
    assert_same(frame, watched.frame())
    restored = Trainer(e)
    restored.restore(quiet.checkpoint())
    assert restored.frame().held_out_attends == frame.held_out_attends
    assert restored.advance() == quiet.advance()


def test_the_reading_is_that_of_the_drawn_sequence():
    trainer = Trainer(Experiment(task="reverse", num_layers=2, **ATTENTIVE))
    trainer.advance()
    frame, source = trainer.frame(), trainer.info.encoder_steps
    found, real = frame.attention, frame.valid[: trainer.info.encoder_steps]
    assert found.weights.shape == found.sent.shape == (len(frame.valid) - source, source)
    assert found.weights.sum(1) == pytest.approx(1) and not found.weights[:, ~real].any()
    assert (found.sent[frame.counted[source:]][:, real] > 0).all() and not found.sent[~frame.counted[source:]].any()
    for shares, norms, whole in (
        (found.shares, found.norms, frame.sequence_grad_norm),
        (found.last_shares, found.last_norms, frame.sequence_grad_norm_memory),
    ):
        assert sum(shares.values())[..., real] == pytest.approx(1, abs=1e-4)
        assert all(np.isnan(each[..., ~real]).all() for each in shares.values())
        assert list(norms) == list(ATTENTION_PATHS) and not sum(norms.values())[..., ~real].any()
        assert (sum(norms.values())[..., real] > 0.999 * whole[:, :, :source][..., real]).all()  # a triangle
    assert 0 < found.even_weight < found.largest_weight < 1 and (found.state_ratio < frame.ratio).all()


def test_running_freely_attends_step_by_step():
    """What it says by itself, said to it, gives the same answers."""
    e = Experiment(task="addition", **ATTENTIVE)
    model, batch = build(e).eval(), sample(e, 4, 1)
    with torch.no_grad():
        free = model.generate(batch)
        batch.decoder_inputs[1:] = free.argmax(-1)[:-1].numpy()
        assert torch.allclose(model(batch), free, atol=1e-6)


@for_each({"cell": ["lstm", "linear"], "embedding_size": [0, 3]})
def test_parameters_are_named_in_the_networks_own_order(cell, embedding_size):
    for layers, above in itertools.product((1, 3), (0, 2)):
        e = Experiment(task="addition", cell=cell, num_layers=layers, output_layers=above,
                       embedding_size=embedding_size, **ATTENTIVE)  # fmt: skip
        shapes = [(name, tuple(parameter.shape)) for name, parameter in build(e).named_parameters()]
        assert shapes == list(parameter_shapes(e).items())
        without = e.replace(attention="none")
        assert all(wide > narrow for wide, narrow in zip(step_cost(e), step_cost(without), strict=True))


def test_the_weights_below_the_head_are_those_without_attention():
    """They are drawn before those of the head, which alone has another shape."""
    e = Experiment(task="reverse", **ATTENTIVE)
    ours, others = (build(each).state_dict() for each in (e, e.replace(attention="none")))
    differing = [name for name in ours if ours[name].shape != others[name].shape]
    assert differing == ["head.weight"] and ours["head.weight"].shape == (8, 10)
    assert all(torch.equal(ours[name], others[name]) for name in ours if not name.startswith("head"))
