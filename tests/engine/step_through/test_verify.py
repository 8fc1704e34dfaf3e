"""The slow loop is the network's own; a number repeated by it agrees, and a wrong one is noticed."""

from __future__ import annotations

import copy
import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.layers.accelerators.gru import GRUTrace
from engine.layers.cell_trace import GradCarry
from engine.lens import gradient_flow
from engine.model import RecurrentNetwork, build
from engine.step_through import verify as verification
from engine.step_through.sequence_trace import TraceError
from engine.step_through.tracing import trace_chain
from engine.step_through.unrolled import Nudge, unroll
from engine.step_through.verification_result import (
    AUTOGRAD,
    CENTRAL_DIFFERENCES,
    SLOW,
    TRUNCATED,
    UNSURE,
    VANISHED,
    GradientEntry,
    JacobianEntry,
    StateEntry,
    WeightEntry,
)
from engine.step_through.verify import differences, verify
from engine.tasks import Batch, probe, sample
from engine.training import Trainer
from engine.workers.requests import trace_sequence, verify_entry
from tests.cases import grid
from tests.engine.networks import EVERY_NETWORK, PADDED, case
from tests.engine.step_through.conftest import CASES, SEQUENCE, SHAPES, fits, made, walked


def deep(cell: str = "rnn", gain: float = 1.0, **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """An untrained network over many steps, and its probe: the gradient of one loss at the end."""
    e = Experiment(cell=cell, hidden_size=8, init="orthogonal", init_gain=gain, **settings)
    return build(e), probe(e)


# ---- the loop


@CASES
def test_the_loop_has_the_networks_losses_and_the_lens_gradients(cell, shape):
    model, batch, _ = walked(cell, shape)
    run, flow, size = unroll(model, batch, SEQUENCE), gradient_flow(model, batch), len(batch.lengths)
    losses = model.loss_per_step(batch)[:, SEQUENCE]
    assert torch.allclose(run.losses, losses, rtol=1e-12, atol=1e-14)
    assert run.loss.item() == pytest.approx((losses * model.loss_weights(batch)[:, SEQUENCE]).sum().item(), rel=1e-12)
    real = {(layer, d, int(t)) for layer, d in np.ndindex(flow.hidden.shape[:2])
            for t in np.flatnonzero(batch.valid[:, SEQUENCE])
            if not (d and 0 < batch.source_steps <= t)}  # fmt: skip
    assert set(run.hidden) == real and set(run.cell) == (real if CELLS[cell].has_cell_state else set())
    pairs = [(run.hidden, flow.hidden, flow.grad_hidden), (run.cell, flow.cell, flow.grad_cell)]
    for states, there, swept in pairs[: 1 + CELLS[cell].has_cell_state]:
        grads = torch.autograd.grad(run.loss, list(states.values()), retain_graph=True, materialize_grads=True)
        for (place, state), grad in zip(states.items(), grads, strict=True):
            assert np.allclose(state.detach(), there[*place, SEQUENCE], rtol=1e-12, atol=1e-14)
            expected = swept[*place, SEQUENCE] * size
            assert np.linalg.norm(grad.numpy() - expected) <= 1e-9 * np.linalg.norm(expected), place


@EVERY_NETWORK
def test_the_loop_knows_every_activation_window_and_upper_layer(network):
    model, batch = case("many_to_many", PADDED, num_layers=2, output_layers=2, reduction="sum", **network)
    for sequence in range(len(PADDED)):
        run, losses = unroll(model, batch, sequence), model.loss_per_step(batch)[:, sequence]
        assert torch.allclose(run.losses, losses, rtol=1e-12, atol=1e-14)
        assert run.loss.item() == pytest.approx(losses.sum().item(), rel=1e-12)


@pytest.mark.parametrize("settings", [
    {"task": "sentiment", "rnn_type": "many_to_one", "embedding_size": 3},
    {"task": "digit_name", "rnn_type": "one_to_many"},
    {"task": "digits", "rnn_type": "one_to_one"},
    {"task": "addition", "rnn_type": "encoder_decoder"},
    {"task": "addition", "rnn_type": "encoder_decoder", "attention": "dot", "output_layers": 1},
    {"task": "addition", "rnn_type": "encoder_decoder", "attention": "dot", "bidirectional": True, "num_layers": 2},
], ids=lambda each: each.get("attention", each["rnn_type"]))  # fmt: skip
def test_the_loop_reads_what_the_network_reads(settings):
    e = Experiment(cell="gru", hidden_size=5, **settings)
    model, batch = build(e).double(), sample(e, 4, 20)
    for sequence in range(4):
        losses = model.loss_per_step(batch)[:, sequence]
        assert torch.allclose(unroll(model, batch, sequence).losses, losses, rtol=1e-12, atol=1e-14)


def test_a_nudge_moves_one_unit_and_what_comes_after():
    model, batch = case("many_to_many", PADDED, cell="lstm_peephole", num_layers=2)
    still, moved = unroll(model, batch, 0), unroll(model, batch, 0, Nudge("c", (0, 0, 3), 2, 0.125))
    assert torch.allclose(moved.cell[0, 0, 3] - still.cell[0, 0, 3], torch.eye(5).double()[2] * 0.125)
    changed = {place for place in still.hidden if not torch.equal(still.hidden[place], moved.hidden[place])}
    assert changed == {(layer, 0, t) for layer in range(2) for t in range(3, 7)}
    assert (still.hidden[0, 0, 3] != moved.hidden[0, 0, 3]).tolist() == [False, False, True, False, False]


# ---- what agrees


def claims(model: RecurrentNetwork, batch: Batch) -> list[GradientEntry]:
    """Of every kind, in the first and last chain."""
    e, steps = model.experiment, np.flatnonzero(batch.valid[:, SEQUENCE])
    last = {"layer": e.num_layers - 1, "direction": e.directions - 1}
    entries: list[GradientEntry] = [
        StateEntry(layer=0, position=int(steps[1]), unit=1),
        WeightEntry(weight="weight_ih", row=1, column=0, **last),
    ]
    if CELLS[e.cell].is_recurrent:
        entries.append(JacobianEntry(position=int(steps[2]), row=1, column=1, **last))
    if CELLS[e.cell].state_blocks:
        entries.append(WeightEntry(layer=0, row=3, column=1))
    if CELLS[e.cell].has_cell_state:
        entries.append(StateEntry(state="c", layer=0, position=int(steps[2]), unit=0))
        entries.append(JacobianEntry(position=int(steps[2]), row=2, column=7, **last))
    return entries


@pytest.mark.parametrize(
    ("cell", "shape"),
    grid(list(CELLS), list(SHAPES), kept=lambda cell, shape: (cell + 2 * shape) % 3 == 0, possible=fits),
)
def test_every_kind_of_number_is_repeated(cell, shape):
    model, batch, shared = walked(cell, shape)
    ways, walks = set(), {(one.layer, one.direction): one for one in shared}
    for what in claims(model, batch):
        result = verify(model, batch, what, sequence=SEQUENCE, step=7)
        expected = walks[what.layer, what.direction].number(what)
        assert result.what == what and result.step == 7 and result.value == expected
        assert result.relative_error < (1e-6 if result.method == CENTRAL_DIFFERENCES else 1e-9), result
        assert result.relative_error32 < 1e-6 and (result.method == AUTOGRAD) == bool(result.reason), result
        assert result.reason != UNSURE or result.value == 0, result
        ways.add(result.method)
    assert CENTRAL_DIFFERENCES in ways


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.is_recurrent])
def test_the_running_networks_number_stands_beside_that_of_its_copy(cell):
    trainer = Trainer(Experiment(cell=cell, hidden_size=8, seq_len=12, num_layers=2))
    trainer.advance()
    what = StateEntry(layer=0, position=9, unit=3)
    result = verify_entry(trainer, what)
    assert result.step == 1 and result.value == trace_sequence(trainer, 0).number(what) != result.value64
    assert result.relative_error < 1e-6 and 0 < result.relative_error32 < 1e-3 and result.norm > abs(result.value)
    assert result.relative_error32 == pytest.approx(abs(result.value / result.independent - 1), rel=1e-3)


# ---- where differences do not do


def test_a_vanished_gradient_is_repeated_by_autograd():
    model, batch = deep(gain=0.5, seq_len=100)
    result = verify(model, batch, StateEntry(position=0, unit=1))
    assert (result.method, result.reason) == (AUTOGRAD, VANISHED) and 0 < result.norm < 1e-25
    assert result.relative_error < 1e-9 and result.relative_error32 < 1e-2 and result.runs == 1

    # differences of these losses would be nothing but rounding
    def move(amount: float) -> float:
        with torch.no_grad():
            return float(unroll(model.double(), batch, 0, Nudge("h", (0, 0, 0), 1, amount)).loss)

    assert differences(move, 1.0).uncertainty > 1e-3


def test_an_exploding_gradient_is_repeated():
    model, batch = deep(gain=3.0, seq_len=30, nonlinearity="identity", optimizer="sgd")
    result = verify(model, batch, StateEntry(position=2, unit=1))
    assert result.norm > 1e8 and result.relative_error < 1e-6 and result.relative_error32 < 1e-2


def test_a_chaotic_network_is_repeated():
    model, batch = deep(gain=2.0, seq_len=30)
    result = verify(model, batch, StateEntry(position=2, unit=1))
    assert result.relative_error < 1e-6


@pytest.mark.parametrize("cell", [name for name, cell in CELLS.items() if cell.is_recurrent])
def test_a_gradient_that_truncation_cuts_is_repeated_by_autograd(cell):
    model, batch, _ = walked(cell, "cut")
    walls = np.flatnonzero(trace_chain(model, batch, sequence=SEQUENCE).cut)
    early = verify(model, batch, StateEntry(position=int(walls[0]) - 1, unit=1), sequence=SEQUENCE)
    late = verify(model, batch, StateEntry(position=int(walls[-1]), unit=1), sequence=SEQUENCE)
    named = "weight_hh" if CELLS[cell].state_blocks else "weight_ih"
    weight = verify(model, batch, WeightEntry(weight=named, row=1, column=0), sequence=SEQUENCE)
    assert early.reason == weight.reason == TRUNCATED and early.relative_error < 1e-9 > weight.relative_error
    assert late.method == CENTRAL_DIFFERENCES and late.relative_error < 1e-6
    alone = CELLS[cell].structure.is_unitwise and not CELLS[cell].state_blocks  # no unit sees another
    entry = JacobianEntry(position=int(walls[0]), row=1, column=1 if alone else 2)
    across = verify(model, batch, entry, sequence=SEQUENCE)
    assert across.method == CENTRAL_DIFFERENCES and across.relative_error < 1e-6 and across.value != 0


def test_exactly_zero_is_exactly_zero():
    model, batch = case("many_to_many", PADDED, cell="rnn", nonlinearity="relu")
    with torch.no_grad():
        model.recurrent.bias_ih_l0[0] = -100.0  # a dead unit
    result = verify(model, batch, WeightEntry(row=0, column=1))
    assert (
        result.value == result.value64 == result.independent == result.relative_error == 0 and result.method == AUTOGRAD
    )


def test_a_kink_is_noticed():
    """A ReLU at exactly 0 has two slopes, and the mean of both is neither."""
    smooth = differences(lambda amount: math.exp(3 * amount), 3.0)
    assert smooth.slope == pytest.approx(3.0, rel=1e-10) and smooth.uncertainty < 1e-9
    for kink in (0.0, 1e-4, 1e-3):
        result = differences(lambda amount, kink=kink: max(amount - kink, 0.0) + 0.3 * amount**2 + amount + 1.0, 1.0)
        assert result.uncertainty > 1e-3


def test_a_loop_that_takes_too_long_is_not_run_often_or_not_at_all(monkeypatch):
    model, batch = made("gru", "one to answer")
    monkeypatch.setattr(verification, "SECONDS_PER_STEP", 0.1)
    result = verify(model, batch, StateEntry(position=1, unit=1), sequence=SEQUENCE)
    assert result.reason == SLOW and result.runs == 1 and result.relative_error < 1e-9
    monkeypatch.setattr(verification, "SECONDS_PER_STEP", 1.0)
    with pytest.raises(TraceError, match="too large"):
        verify(model, batch, StateEntry(position=1, unit=1), sequence=SEQUENCE)


# ---- what does not agree


@pytest.mark.parametrize("what", [
    StateEntry(position=1, unit=2),
    StateEntry(state="c", position=1, unit=2),
    WeightEntry(row=3, column=2),
    WeightEntry(weight="weight_ih", row=3, column=0),
    JacobianEntry(position=2, row=6, column=1),
], ids=lambda each: f"{type(each).__name__}-{getattr(each, 'state', '')}{getattr(each, 'weight', '')}")  # fmt: skip
@pytest.mark.parametrize("by", [1 + 1e-5, 0.0, -1.0], ids=["a little", "nothing", "the other way"])
def test_a_wrong_number_is_noticed(monkeypatch, what, by):
    """Whatever the lens says, the repetition is the same as before, and says how far off it is."""
    model, batch = case("many_to_many", PADDED, cell="lstm")
    right = verify(model, batch, what, sequence=SEQUENCE)

    def wrong(*args: object, **more: object) -> object:
        one = trace_chain(*args, **more)
        names = ("grad", "grad_cell", "entering", "entering_state", "jacobians")
        return dataclasses.replace(one, **{name: getattr(one, name) * by for name in names})

    monkeypatch.setattr(verification, "trace_chain", wrong)
    result = verify(model, batch, what, sequence=SEQUENCE)
    assert result.independent == pytest.approx(right.independent, rel=1e-6)
    assert result.relative_error == pytest.approx(abs(1 - by), rel=1e-2)
    assert right.relative_error < 1e-6


def test_a_broken_sweep_is_noticed(monkeypatch):
    """A sweep that keeps a thousandth less than the update gate does."""
    model, batch = case("many_to_many", PADDED, cell="gru")
    what, sweep = StateEntry(position=1, unit=2), GRUTrace.backward_sweep
    assert verify(model, batch, what).relative_error < 1e-6

    def forgetful(self: GRUTrace, *args: Any) -> GradCarry:
        broken = copy.copy(self)
        broken.keep = self.keep * 0.999
        return sweep(broken, *args)

    monkeypatch.setattr(GRUTrace, "backward_sweep", forgetful)
    assert verify(model, batch, what).relative_error > 1e-5


# ---- manners


@pytest.mark.parametrize("what", [StateEntry(position=1, unit=1), WeightEntry(row=0, column=0)])
def test_verifying_changes_nothing_and_draws_nothing(what):
    trainer = Trainer(Experiment(cell="lstm", hidden_size=5, seq_len=6, num_layers=2, dropout=0.5))
    trainer.advance()
    before, random = trainer.checkpoint(), torch.random.get_rng_state()
    first = verify_entry(trainer, what)
    assert verify_entry(trainer, what) == first
    assert trainer.checkpoint() == before and torch.equal(torch.random.get_rng_state(), random)
    assert trainer.model.training and trainer.model.dtype == torch.float32
    trainer.advance()


def test_numbers_that_are_not_there_or_not_finite_are_refused():
    model, batch = made("rnn", "one to answer")
    for what in (
        StateEntry(state="c", position=1, unit=1),
        StateEntry(position=6, unit=1),
        WeightEntry(row=9, column=0),
    ):
        with pytest.raises(TraceError):
            verify(model, batch, what, sequence=SEQUENCE)
    with torch.no_grad():
        model.head.weight.fill_(math.inf)
    with pytest.raises(TraceError, match="not finite"):
        verify(model, batch, StateEntry(position=1, unit=1), sequence=SEQUENCE)


def test_where_differences_cannot_agree_autograd_is_asked():
    """A unit that hardly matters beside its neighbours."""
    model, batch = made("rnn", "one to answer")
    with torch.no_grad():
        model.head.weight[:, 1] = 1e-11
    result = verify(model, batch, StateEntry(position=4, unit=1), sequence=SEQUENCE)
    assert (result.method, result.reason) == (AUTOGRAD, UNSURE) and result.norm > 1e-6 and result.relative_error < 1e-9
