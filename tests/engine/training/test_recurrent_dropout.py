"""Recurrent dropout: one mask of the old states for all steps of an update, others in the next, never in a frame."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.lens import gradient_flow
from engine.model import build
from engine.model.recurrent_dropout import masked_copy, masked_weights
from engine.slow_motion.dry_run import dry_run_update
from engine.tasks import sample
from engine.training import Trainer
from tests import reference_unroll as reference
from tests.engine.conftest import assert_same

SMALL: dict[str, Any] = {"task": "characters", "rnn_type": "many_to_many", "seq_len": 7, "hidden_size": 5}
LINKED = [cell for cell in CELLS if CELLS[cell].recurrent_weights]


def drawn(e: Experiment) -> dict[str, torch.Tensor]:
    """The masks that a network in training draws first of all."""
    torch.manual_seed(3)
    model = build(e).double()
    torch.manual_seed(3)
    return {name: values / model.get_parameter(name) for name, values in masked_weights(model, e).items()}


@pytest.mark.parametrize("cell", LINKED)
def test_gradients_in_training_are_those_of_a_loop_with_this_mask(cell):
    """W_hh reads m * h at every step, and what is kept without a weight is not dropped: the textbook's loop."""
    e = Experiment(**SMALL, cell=cell, num_layers=2, recurrent_dropout=0.4, batch_size=3)
    model, batch, masks = build(e).double(), sample(e, 3, 1), drawn(e)
    assert set(CELLS[cell].recurrent_weights) == {name.split(".")[1].rsplit("_l", 1)[0] for name in masks}
    for name, mask in masks.items():
        assert all(value in (0.0, pytest.approx(1 / 0.6)) for value in mask.unique().tolist()), name
        assert mask.ndim == 1 or torch.allclose(mask, mask[0]), name  # columns: what all gates read of a unit
    torch.manual_seed(3)
    loss = model.train().loss(batch)
    loss.backward()
    loop = build(e).double()
    with torch.no_grad():
        for name, mask in masks.items():
            loop.get_parameter(name).mul_(mask)
    unrolled = reference.unroll(loop, batch)
    assert loss.item() == pytest.approx(unrolled.loss().item(), rel=1e-9)
    unrolled.loss().backward()
    for (name, ours), theirs in zip(model.named_parameters(), loop.parameters(), strict=True):
        wanted = theirs.grad * masks[name] if name in masks else theirs.grad
        torch.testing.assert_close(ours.grad, wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", ["lstm", "gru", "indrnn"])
def test_the_lens_on_the_dropped_links_equals_the_unrolled_loop(cell):
    e = Experiment(**SMALL, cell=cell, recurrent_dropout=0.5)
    model, batch = masked_copy(build(e).double(), e), sample(e, 3, 2)
    ours, theirs = gradient_flow(model, batch), reference.gradients(model, batch)
    np.testing.assert_allclose(ours.grad_hidden, theirs["grad_hidden"], rtol=1e-9, atol=1e-13)


def test_a_dropped_unit_of_a_plain_rnn_has_no_way_back():
    e = Experiment(**SMALL, cell="rnn", recurrent_dropout=0.5)
    model, batch = masked_copy(build(e), e), sample(e, 2, 2)
    gone = ~model.recurrent.weight_hh_l0.any(0).numpy()
    assert gone.any() and not gone.all()
    flow = gradient_flow(model, batch)
    own = flow.grad_hidden - flow.grad_hidden_direct
    assert not own[..., gone].any() and own[..., ~gone].any()


def test_updates_draw_masks_by_seed_and_step_and_a_frame_has_none():
    e = Experiment(**SMALL, cell="gru", recurrent_dropout=0.5)
    first, second, without = Trainer(e), Trainer(e), Trainer(e.replace(recurrent_dropout=0.0))
    at_start = without.frame()
    assert at_start.probe_loss == first.frame().probe_loss and np.array_equal(at_start.hidden, first.frame().hidden)
    losses = [first.advance(), first.advance()]
    second.advance()
    resumed = Trainer(e)
    resumed.restore(second.checkpoint())
    assert resumed.advance() == losses[1]
    assert_same(first.frame(), resumed.frame())
    assert losses[0] != without.advance()


def test_it_can_be_switched_off_on_the_way():
    e = Experiment(**SMALL, cell="lstm", recurrent_dropout=0.5)
    trainer, plain = Trainer(e), Trainer(e.replace(recurrent_dropout=0.0))
    trainer.update(recurrent_dropout=0.0)
    assert trainer.advance() == plain.advance()


def test_a_rehearsal_shows_the_links_that_are_dropped():
    trainer = Trainer(Experiment(**SMALL, cell="rnn", recurrent_dropout=0.5))
    update = dry_run_update(trainer)
    assert update.as_trained and not np.array_equal(update.hidden, trainer.frame().hidden)
    np.testing.assert_allclose(update.frame.hidden, update.hidden, atol=1e-6)
    assert trainer.advance() == update.loss
