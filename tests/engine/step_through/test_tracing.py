"""A walk along one chain: its numbers are those of the frame, of the textbook's loop, and of each other."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.lens import gradient_flow
from engine.step_through.sequence_trace import MAX_JACOBIAN_ENTRIES, SequenceTrace, TraceError
from engine.step_through.tracing import trace_chain
from engine.step_through.verification_result import JacobianEntry, StateEntry, WeightEntry
from engine.tasks import Batch
from engine.training import Trainer
from engine.workers.requests import trace_sequence
from tests import reference_unroll as reference
from tests.engine.networks import PADDED, case
from tests.engine.step_through.conftest import CASES, LINKED_CASES, SEQUENCE, walked


def logistic(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def close(actual: np.ndarray, expected: np.ndarray, relative: float = 1e-9) -> None:
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max(initial=0) <= relative * max(np.abs(expected).max(initial=0), 1e-12)


# ---- against what else there is


def own_steps(batch: Batch, direction: int) -> np.ndarray:
    """The real steps that a direction has: a decoder has none backwards."""
    real = np.flatnonzero(batch.valid[:, SEQUENCE])
    return real[real < batch.source_steps] if direction and batch.source_steps else real


@CASES
def test_the_walk_is_the_textbooks(cell, shape):
    """States, and the gradient of this sequence's own loss, in the chain's own order."""
    model, batch, walks = walked(cell, shape)
    expected = reference.gradients(model, batch)
    for one in walks:
        at, real = (one.layer, one.direction, one.positions, SEQUENCE), own_steps(batch, one.direction)
        assert one.positions.tolist() == (real[::-1] if one.direction else real).tolist()
        close(one.hidden, expected["hidden"][at])
        close(one.grad, expected["grad_hidden"][at] * len(batch.lengths))
        close(one.direct, expected["grad_hidden_direct"][at] * len(batch.lengths))
        assert np.abs(one.grad).max() > 1e-6
        if CELLS[cell].has_cell_state:
            close(one.cell, expected["cell"][at])
            close(one.grad_cell, expected["grad_cell"][at] * len(batch.lengths))
        else:
            assert one.cell is None and one.grad_cell is None and one.first_cell is None and one.cell_before is None


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm_peephole"])
def test_the_walk_is_the_lens_own_and_the_frames(cell):
    trainer = Trainer(Experiment(task="stocks", cell=cell, rnn_type="many_to_many", hidden_size=6, num_layers=2))
    for _ in range(3):
        trainer.advance()
    frame, one = trainer.frame(), trace_sequence(trainer, layer=0)
    flow = gradient_flow(trainer.model, trainer._probe)
    assert one.step == frame.step == 3 and one.layer == 0 and one.hidden.dtype == np.float32
    assert np.array_equal(one.hidden, frame.hidden[0, 0]) and np.array_equal(one.read, frame.inputs)
    assert np.array_equal(one.loss, frame.loss_per_step) and np.array_equal(one.counted, frame.counted)
    assert np.array_equal(one.outputs, frame.outputs) and np.array_equal(one.targets, frame.targets)
    close(one.grad, flow.grad_hidden[0, 0, :, 0] * 16, 1e-5)
    close(np.linalg.norm(one.grad, axis=-1), frame.sequence_grad_norm[0, 0], 1e-5)
    close(np.linalg.norm(one.direct, axis=-1), frame.sequence_grad_norm_direct[0, 0], 1e-5)
    assert float(one.loss @ one.loss_weight) == pytest.approx(float(frame.sequence_loss[0]), rel=1e-5)
    top = trace_sequence(trainer)
    assert top.layer == 1
    for name in ("from_input", "from_state"):
        close(getattr(top, name), getattr(frame, name), 1e-5)
    assert np.array_equal(top.biases, frame.biases)
    assert list(top.vectors) == list(frame.vectors)
    assert all(np.array_equal(values, frame.vectors[name]) for name, values in top.vectors.items())
    for name, values in frame.gates.items():
        close(top.gates[name], values[1, 0], 1e-5)


def test_a_decoder_says_and_an_encoder_does_not():
    trainer = Trainer(Experiment(task="reverse", rnn_type="encoder_decoder", hidden_size=6))
    frame, one = trainer.frame(), trace_sequence(trainer)
    assert one.part.tolist() == [0] * int((one.part == 0).sum()) + [1] * int((one.part == 1).sum())
    start = trainer.info.encoder_steps
    assert np.all(one.positions[one.part == 1] >= start) and np.all(one.positions[one.part == 0] < start)
    for name in ("outputs", "targets", "counted"):
        assert np.array_equal(getattr(one, name), getattr(frame, name)[one.positions], equal_nan=name == "outputs")
    assert np.isnan(one.outputs[one.part == 0]).all() and not one.loss[one.part == 0].any()
    sizes = [trainer.model.encoder.weight_ih_l0.shape[1], trainer.model.decoder.weight_ih_l0.shape[1]]
    assert list(one.input_size) == sizes
    for part, stack in enumerate((trainer.model.encoder, trainer.model.decoder)):
        assert np.array_equal(one.weight_ih[part, :, : sizes[part]], stack.weight_ih_l0.detach().numpy())
        assert np.array_equal(one.weight_hh[part], stack.weight_hh_l0.detach().numpy())


# ---- against each other


ADDED_UP = set(CELLS) - {"lstm_layer_norm"}
"""Cells whose gates are activations of the sum of all terms."""


@CASES
def test_forwards_every_term_adds_up(cell, shape):
    _, _, walks = walked(cell, shape)
    for one in walks:
        assert (one.from_state is None) == (one.weight_hh is None) == (CELLS[cell].state_blocks == 0)
        for k, part in enumerate(one.part):
            from_input = (one.weight_ih[part] @ one.inputs[k]).reshape(one.from_input[k].shape)
            close(one.from_input[k], from_input)
            if one.weight_hh is not None:
                blocks = np.split(one.weight_hh[part], len(from_input))
                from_state = np.stack([block @ one.state_argument(at)[k] for at, block in enumerate(blocks)])
                close(one.from_state[k], from_state)
            if cell not in ADDED_UP:
                continue
            total = from_input + one.biases[part, 0]
            if one.weight_hh is not None:
                if cell == "gru":
                    from_state[2] *= one.gates["reset_gate"][k]
                    total[2] += one.gates["reset_gate"][k] * one.biases[part, 1, 2]
                    total[:2] += one.biases[part, 1, :2]
                else:
                    total += one.biases[part, 1]
                total += from_state
            for at, gate in enumerate(CELLS[cell].gates):
                seen = total[at]
                if "weight_ch" in one.vectors and gate != "cell_candidate":
                    which = ("input_gate", "forget_gate", "output_gate").index(gate)
                    state = one.cell if gate == "output_gate" else one.cell_before
                    seen = seen + one.vectors["weight_ch"][part, which] * state[k]
                if cell == "indrnn":
                    value = np.maximum(seen + one.vectors["weight_u"][part, 0] * one.hidden_before[k], 0)
                elif cell.startswith("linear") and gate == "candidate":
                    value = seen
                else:
                    squashed = gate in ("hidden", "candidate", "cell_candidate", "retain_factor")
                    value = np.tanh(seen) if squashed else logistic(seen)
                close(one.hidden[k] if gate == "hidden" else one.gates[gate][k], value)


def test_the_candidate_of_the_first_gru_reads_the_reset_state():
    _, _, walks = walked("gru_2014", "one to answer")
    for one in walks:
        close(one.state_argument(2), one.gates["reset_gate"] * one.hidden_before)
        close(one.state_argument(0), one.hidden_before)


@CASES
def test_backwards_what_arrives_is_the_jacobian_of_the_next_step_times_its_gradient(cell, shape):
    model, _, walks = walked(cell, shape)
    size = model.experiment.hidden_size
    for one in walks:
        close(one.grad, one.direct + one.later)
        goes_on = shape == "encoder both ways" and one.direction  # what comes next is the decoder, of another chain
        assert one.later[-1].any() == bool(goes_on)
        if one.cell is not None:
            close(one.grad_cell, one.cell_from_hidden + one.cell_later)
            assert one.cell_later[-1].any() == bool(goes_on)
        if one.jacobians is None:
            assert not one.later.any() and not len(one.units)
            continue
        assert one.jacobians.shape[1] == (1 if one.cell is None else 2) * size and len(one.units) == size
        for k in range(len(one.positions) - 1):
            after = one.grad[k + 1]
            if one.cell is not None:  # dl/dc_after without what comes through h_after: that goes by its own rows
                after = np.concatenate([after, one.cell_later[k + 1]])
            arrives = one.jacobians[k + 1].T @ after
            arrives = np.zeros_like(arrives) if one.cut[k + 1] else arrives
            close(one.later[k], arrives[:size])
            if one.cell is not None:
                close(one.cell_later[k], arrives[size:])
        assert one.cut.any() == (shape == "cut")


@CASES
def test_weights_learn_the_sum_over_time(cell, shape):
    """Against autograd through the library's own fused layers, of this sequence alone."""
    shared, batch, walks = walked(cell, shape)
    model, alone = copy.deepcopy(shared), batch.single_sequence(SEQUENCE)
    model.loss(alone).backward()
    for one in walks:
        for part, stack in enumerate(model.stacks):
            suffix = f"_l{one.layer}" + ("_reverse" if one.direction else "")
            for weight in ("weight_ih", "weight_hh"):
                if part and one.direction:
                    assert not hasattr(stack, weight + suffix)
                    with pytest.raises(TraceError):
                        one.weight_gradient(weight, part)
                    continue
                if weight == "weight_hh" and not hasattr(stack, weight + suffix):
                    with pytest.raises(TraceError):
                        one.weight_gradient(weight)
                    continue
                learned = getattr(stack, weight + suffix)  # an encoder that nothing links to its decoder learns nothing
                expected = np.zeros(learned.shape) if learned.grad is None else learned.grad.numpy()
                close(one.weight_gradient(weight, part), expected)


@LINKED_CASES
def test_the_factors_are_those_of_this_gradient(cell, shape):
    _, _, walks = walked(cell, shape)
    for one in walks:
        memory, later = (one.grad, one.later) if one.cell is None else (one.grad_cell, one.grad_cell)
        norm = np.linalg.norm
        factor = norm(later[:-1], axis=-1) / norm(memory[1:], axis=-1)
        linked = ~one.cut[1:]
        close(one.factors.factor[1:][linked], factor[linked])
        assert np.isnan(one.factors.factor[0]) and not one.factors.factor[one.cut].any()
        assert (one.factors.slope is None) == (cell not in ("rnn", "indrnn"))
        if one.factors.slope is not None:
            close(one.factors.slope[1:][linked], (norm(one.entering, axis=-1) / norm(one.grad, axis=-1))[1:][linked])
            close((one.factors.slope * one.factors.weights)[1:][linked], one.factors.factor[1:][linked])


# ---- as a value


def test_taking_a_walk_changes_nothing_and_draws_nothing():
    trainer = Trainer(Experiment(task="sentiment", rnn_type="many_to_one", cell="lstm", hidden_size=5, dropout=0.5,
                                 num_layers=2))  # fmt: skip
    trainer.advance()
    before, random = trainer.checkpoint(), torch.random.get_rng_state()
    one, again = trace_sequence(trainer), trace_sequence(trainer)
    assert trainer.checkpoint() == before and torch.equal(torch.random.get_rng_state(), random)
    assert trainer.model.training
    for field in dataclasses.fields(SequenceTrace):
        value = getattr(one, field.name)
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, getattr(again, field.name), equal_nan=value.dtype.kind == "f"), field.name


def test_arrays_stay_read_only_in_another_process():
    one = pickle.loads(pickle.dumps(trace_sequence(Trainer(Experiment(cell="gru", hidden_size=4, seq_len=5)))))
    for array in (one.grad, one.jacobians, one.gates["update_gate"], one.factors.factor, one.entering_state):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_too_many_jacobians_are_those_of_the_first_units():
    few = trace_sequence(Trainer(Experiment(cell="lstm", hidden_size=80, seq_len=100)))
    assert 70 < 2 * len(few.units) < 160 and few.jacobians.size <= MAX_JACOBIAN_ENTRIES
    n = len(few.units)
    assert few.jacobians.shape == (100, 2 * n, 2 * n) and few.units.tolist() == list(range(n))
    forget = few.gates["forget_gate"][7, :n]
    assert np.allclose(np.diagonal(few.jacobians[7, n:, n:]), forget)  # dc/dc_before: a unit of c is where it says
    last = n - 1
    assert few.number(JacobianEntry(position=7, row=80 + last, column=80 + last)) == pytest.approx(forget[last])
    with pytest.raises(TraceError, match=f"Unit {n} is not"):
        few.number(JacobianEntry(position=7, row=n, column=0))


def test_numbers_are_found_by_name_and_what_is_not_there_is_refused():
    model, batch = case("many_to_many", PADDED, cell="lstm", bidirectional=True)
    one = trace_chain(model, batch, 0, 1, sequence=SEQUENCE)
    assert one.number(StateEntry(position=1, unit=3)) == one.grad[3, 3]  # five steps: 4 3 2 1 0
    assert one.number(StateEntry(state="c", position=4, unit=0)) == one.grad_cell[0, 0]
    assert one.number(WeightEntry(row=2, column=1)) == one.weight_gradient()[2, 1]
    assert one.number(JacobianEntry(position=0, row=1, column=6)) == one.jacobians[4, 1, 6]
    wrong = [
        StateEntry(position=6, unit=0),
        StateEntry(position=1, unit=5),
        StateEntry(state="z", position=1, unit=0),
        WeightEntry(weight="bias_ih", row=0, column=0),
        WeightEntry(row=20, column=0),
        WeightEntry(row=0, column=0, part=1),
        JacobianEntry(position=1, row=10, column=0),
        JacobianEntry(position=1, row=-1, column=0),
    ]
    for what in wrong:
        with pytest.raises(TraceError):
            one.number(what)
    for layer, direction in ((1, 0), (-2, 0), (0, 2), (0, -1)):
        with pytest.raises(TraceError, match="1 layer, and reads both ways"):
            trace_chain(model, batch, layer, direction)
