"""The lens of a network with interventions against an unrolled textbook loop with the same ones, made by hand."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.intervention.as_json import check_interventions
from engine.intervention.changed_network import changed_network
from engine.intervention.intervention import (
    KINDS,
    CutLink,
    HoldGate,
    Intervention,
    SetInput,
    SetState,
    ZeroUnit,
)
from engine.lens import gradient_flow, input_saliency, step_jacobians, weight_gradients
from engine.lens.chain_gradients import chains_of
from engine.lens.forward_trace import trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.jacobian_forms import Links, jacobians_of_pass
from engine.lens.preactivations import preactivations
from engine.lens.sweep import sweep
from engine.model import RecurrentNetwork
from engine.tasks import Batch, sample
from tests import reference_unroll as reference
from tests.cases import for_each
from tests.engine.lens.conftest import assert_equal, expected_norms
from tests.engine.networks import LINKED_CELLS, SEED_OF_MANY_LENGTHS, case, lively

SHORT = np.array([5, 4])  # of which the second has padding


def by_hand(interventions: Sequence[Intervention]) -> dict:
    """What `reference_unroll.unroll` is to do; inputs are set in the batch."""
    of_chains = [each for each in interventions if not isinstance(each, SetInput)]

    def change(key: reference.Key, name: str, value: Tensor) -> Tensor:
        layer, d, t, _ = key
        for each in of_chains:
            if (each.layer, each.direction) != (layer, d):
                continue
            if isinstance(each, HoldGate) and name == each.gate and each.t in (None, t):
                value = torch.full_like(value, each.value)
            elif isinstance(each, ZeroUnit) and name in ("h", "c"):
                value = with_unit(value, each.unit, 0)
            elif isinstance(each, SetState) and (name, t) == (each.state, each.t):
                value = with_unit(value, each.unit, each.value)
        return value

    return {
        "change": change,
        "cut": {(each.layer, each.direction, each.t, 0) for each in of_chains if isinstance(each, CutLink)},
    }


def with_unit(value: Tensor, unit: int, number: float) -> Tensor:
    return torch.cat([value[:unit], value.new_tensor([number]), value[unit + 1 :]])


def unrolled(
    model: RecurrentNetwork, batch: Batch, interventions: Sequence[Intervention], **more
) -> reference.Unrolled:
    for each in interventions:
        if isinstance(each, SetInput):
            inputs = batch.inputs.copy()
            inputs[each.t, 0, each.channel] = each.value
            batch = dataclasses.replace(batch, inputs=inputs)
    return reference.unroll(model, batch, **by_hand(interventions), **more)


@cache
def info_of(settings: str) -> RunInfo:
    return RunInfo.of(Experiment(**json.loads(settings)))


def assert_changed_lens_is_right(
    model: RecurrentNetwork, batch: Batch, *interventions: Intervention, loss: str = "all"
) -> None:
    """States, losses and all gradients are those of the loop; something is different from the untouched network."""
    info = info_of(json.dumps(model.experiment.to_dict()))
    check_interventions(interventions, info.of_sequence(batch.valid[:, 0], batch.counted[:, 0]))
    run = unrolled(model, batch, interventions)
    changed, read = changed_network(model, batch, interventions)
    losses = changed.loss_per_step(read) * changed.loss_weights(read)
    torch.testing.assert_close(losses, run.losses, rtol=1e-9, atol=1e-12)
    cell = CELLS[model.experiment.cell].has_cell_state
    expected, flow = run.gradients(loss), gradient_flow(changed, read, loss)
    for name in ("hidden", "grad_hidden", "grad_hidden_direct", *(["cell", "grad_cell"] if cell else [])):
        assert_equal(getattr(flow, name), expected[name])
    assert np.abs(flow.grad_hidden).max() > 1e-6
    assert not torch.allclose(trace_forward(changed, read).output, trace_forward(model, batch).output, rtol=1e-3)
    one = interventions[0]
    if isinstance(one, HoldGate) and len(interventions) == 1:
        gate = flow.gates[one.gate][one.layer, one.direction, :, 0]
        assert (gate[batch.valid[:, 0] if one.t is None else [one.t]] == one.value).all()


def some(found: dict[str, Intervention], model: RecurrentNetwork) -> list[Intervention]:
    """To be made together: of the gates every second one, so that something is left to follow."""
    left = CELLS[model.experiment.cell].gates[1::2]
    return [each for each in found.values() if not isinstance(each, HoldGate) or each.gate not in left]


def each_kind(model: RecurrentNetwork, steps: list[int], d: int) -> dict[str, Intervention]:
    """One of every kind that the network has, at steps of a sequence that has these."""
    cell, place = CELLS[model.experiment.cell], {"layer": model.experiment.num_layers - 1, "direction": d}
    middle = steps[len(steps) // 2]
    found: dict[str, Intervention] = {
        "unit": ZeroUnit(unit=3, **place),
        "h": SetState(t=middle, unit=1, value=-0.7, **place),
        "lower h": SetState(t=middle, unit=0, value=0.9, layer=0, direction=d),
    }
    if cell.has_cell_state:
        found["c"] = SetState(t=middle, unit=2, value=1.3, state="c", **place)
    if cell.is_recurrent:
        found["cut"] = CutLink(t=middle, layer=0, direction=d)
    for gate in cell.gates if len(cell.gates) > 1 else ():
        found[gate] = HoldGate(gate=gate, value=0.3, **place)
    for gate in cell.gates[:1] if len(cell.gates) > 1 else ():
        found[f"{gate} at one step"] = HoldGate(gate=gate, value=0, t=middle, layer=0, direction=d)
    return found


@pytest.mark.parametrize("cell", CELLS)
def test_every_kind_in_two_layers_and_in_both_directions(cell, subtests):
    both = CELLS[cell].is_recurrent
    networks = [case("many_to_many", SHORT, cell=cell, hidden_size=4, **more)
                for more in ({"num_layers": 2}, {"bidirectional": both})]  # fmt: skip
    for number, name in enumerate(each_kind(networks[0][0], list(range(4)), 0)):
        model, batch = networks[number % 2]
        one = each_kind(model, list(range(4)), number % 2 if both else 0)[name]
        with subtests.test(name, intervention=str(one)):
            loss = ("all", "last")[number // 2 % 2]
            assert_changed_lens_is_right(model, batch.single_sequence(1), one, loss=loss)
    with subtests.test("input"):
        assert_changed_lens_is_right(model, batch.single_sequence(1), SetInput(t=1, value=0.8))


@pytest.mark.parametrize("cell", CELLS)
def test_all_together_in_an_encoder_decoder_and_in_one_answer(cell, subtests):
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=4, num_layers=2, output_layers=1)
    model, batch = lively(e), sample(e, 4, SEED_OF_MANY_LENGTHS).single_sequence(1)
    steps, first = np.flatnonzero(batch.valid[:, 0]).tolist(), batch.source_steps
    mixed = [each for among in (steps, [first, first + 1]) for each in some(each_kind(model, among, 0), model)]
    with subtests.test("encoder-decoder"):
        assert_changed_lens_is_right(model, batch, *mixed)
    if CELLS[cell].is_recurrent:
        with subtests.test("nothing from the encoder"):
            cut = [CutLink(t=first, layer=layer) for layer in (0, 1)]
            assert_changed_lens_is_right(model, batch, *cut)
            flow = gradient_flow(changed_network(model, batch, cut)[0], batch)
            assert not flow.grad_hidden[:, :, :first].any() and flow.grad_hidden[:, :, first].any()
            with subtests.test("what is attended is changed, too, and goes around a cut"):
                model = lively(e.replace(attention="dot", output_layers=0))
                assert_changed_lens_is_right(model, batch, *mixed)
                flow = gradient_flow(changed_network(model, batch, cut)[0], batch)
                assert flow.grad_hidden[:, :, :first].any()
            with subtests.test("its encoder reads both ways"):
                model = lively(e.replace(attention="dot", bidirectional=True))
                own = [t for t in steps if t < first]
                more = [each for each in some(each_kind(model, own, 1), model)]
                assert_changed_lens_is_right(model, batch, *mixed, *more)
    with subtests.test("one answer, both ways"):
        both = CELLS[cell].is_recurrent
        model, batch = case("many_to_one", SHORT, cell=cell, bidirectional=both, output_layers=1, reduction="sum")
        mixed = [each for d in range(1 + both) for each in some(each_kind(model, list(range(4)), d), model)]
        assert_changed_lens_is_right(model, batch.single_sequence(1), *mixed[::-1])


def test_every_kind_was_tried():
    model, _ = case("many_to_many", SHORT, cell="lstm", hidden_size=4)
    tried = {each.kind for each in each_kind(model, [0, 1, 2], 0).values()} | {SetInput.kind}
    assert tried == set(KINDS)


@for_each({"cell": ["lstm", "gru", "linear", "feedforward"], "tbptt": [0, 3]})
def test_with_truncation_in_pieces(cell, tbptt):
    model, batch = case("many_to_many", np.array([7]), cell=cell, tbptt=tbptt, hidden_size=4)
    assert_changed_lens_is_right(model, batch, ZeroUnit(layer=0, unit=1), SetState(layer=0, t=5, unit=0, value=0.6))


@for_each({"cell": ["lstm", "gru_2014", "rnn"]})
def test_what_is_fed_back_meets_the_same_interventions(cell):
    """A free run equals a run that is given what the free one said; the steps are counted anew for every run."""
    model, batch = case("one_to_many", np.array([7]), cell=cell, embedding_size=3, num_layers=2)
    changes = [SetState(layer=0, t=2, unit=1, value=2.0), CutLink(layer=1, t=4), ZeroUnit(layer=0, unit=0)]
    changed, _ = changed_network(model, batch, changes)
    assert_changed_lens_is_right(model, batch, *changes)
    with torch.no_grad():
        free = changed.eval().generate(batch)
        said = np.concatenate([batch.inputs[:1], free.argmax(-1).numpy()[:-1]])
        again = changed(dataclasses.replace(batch, inputs=said))
    torch.testing.assert_close(again, free, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(model.eval().generate(batch), free)


def test_the_last_of_several_counts():
    model, batch = case("many_to_many", np.array([6]), cell="lstm", hidden_size=4)
    several = [HoldGate(layer=0, gate="forget_gate", value=1), HoldGate(layer=0, gate="forget_gate", value=0, t=3)]
    gate = gradient_flow(changed_network(model, batch, several)[0], batch).gates["forget_gate"][0, 0, :, 0]
    assert np.array_equal(gate[:, 0], [1, 1, 1, 0, 1, 1])
    assert_changed_lens_is_right(model, batch, *several[:1])
    several.append(SetState(layer=0, t=2, unit=1, value=0.5))
    changed, _ = changed_network(model, batch, [*several, ZeroUnit(layer=0, unit=1)])
    assert not gradient_flow(changed, batch).hidden[..., 1].any()


# ---- against finite differences


@for_each({"cell": ["lstm", "gru", "lstm_peephole", "indrnn"]})
def test_gradient_is_the_slope_of_the_loss(cell):
    """Nudge a state of the loop; also one that is set, as what reads it does."""
    model, batch = case("many_to_one", np.array([6]), cell=cell, hidden_size=4)
    gates = CELLS[cell].gates
    changes = [SetState(layer=0, t=2, unit=1, value=0.4), ZeroUnit(layer=0, unit=3)]
    if len(gates) > 1:
        changes.append(HoldGate(layer=0, gate=gates[0], value=0.6, t=3))
    changed, _ = changed_network(model, batch, changes)
    flow = gradient_flow(changed, batch)
    for t, unit in ((0, 0), (2, 1), (2, 2), (4, 3), (5, 0)):
        nudge = 1e-5 * torch.eye(4, dtype=torch.float64)[unit]
        with torch.no_grad():
            ends = [float(unrolled(model, batch, changes, nudges={(0, 0, t, 0): sign * nudge}).loss())
                    for sign in (1, -1)]  # fmt: skip
        assert flow.grad_hidden[0, 0, t, 0, unit] == pytest.approx((ends[0] - ends[1]) / 2e-5, abs=1e-8)


# ---- in closed form


def test_a_forget_gate_held_open_keeps_the_gradient_along_c():
    """Every step passes on exactly what it has. Where nothing else leads back, it is the same at all steps."""
    model, batch = case("many_to_one", np.array([9]), cell="lstm")
    for value in (1.0, 0.5):
        held = [HoldGate(layer=0, gate="forget_gate", value=value)]
        trace = trace_forward(changed_network(model, batch, held)[0], batch)
        (chain,) = chains_of(sweep(trace, seed(trace, ["all"])), 0, 0)
        assert torch.equal(chain.steps.paths["kept"], value * chain.cell) and chain.cell.abs().max() > 1e-6
        assert not chain.grad_input_proj.chunk(4, -1)[1].any()  # nothing goes through what the gate would have been
    with torch.no_grad():
        model.recurrent.weight_hh_l0.zero_()
    for value in (1.0, 0.5):
        held = [HoldGate(layer=0, gate="forget_gate", value=value)]
        along = gradient_flow(changed_network(model, batch, held)[0], batch).grad_cell[0, 0, :, 0]
        assert np.array_equal(along, along[-1] * value ** np.arange(8, -1, -1)[:, None])


def test_a_gradient_that_float32_does_not_have_is_not_lost():
    model, batch = case("many_to_one", np.array([170]), task="adding", cell="lstm", hidden_size=3)
    with torch.no_grad():
        model.recurrent.weight_hh_l0.zero_()
    half = [HoldGate(layer=0, gate="forget_gate", value=0.5)]
    along = gradient_flow(changed_network(model.float(), batch, half)[0], batch).grad_cell[0, 0, :, 0]
    assert np.array_equal(along, along[-1] * 0.5 ** np.arange(169, -1, -1)[:, None]) and along[0].all()


@for_each({"cell": [name for name in LINKED_CELLS if CELLS[name].retain_gate and not CELLS[name].has_cell_state]})
def test_a_keeping_gate_held_open_keeps_the_whole_gradient(cell):
    model, batch = case("many_to_one", np.array([9]), cell=cell)
    held = [HoldGate(layer=0, gate=CELLS[cell].retain_gate, value=1.0)]
    along = gradient_flow(changed_network(model, batch, held)[0], batch).grad_hidden[0, 0, :, 0]
    if cell == "linear_signed":  # what is written is not 1 - a there, but it leads to no earlier state either
        assert np.array_equal(along, np.broadcast_to(along[-1], along.shape))
    np.testing.assert_allclose(along, np.broadcast_to(along[-1], along.shape), rtol=1e-12)


@pytest.mark.parametrize("cell", LINKED_CELLS)
def test_nothing_crosses_a_cut(cell):
    model, batch = case("many_to_one", np.array([8]), cell=cell)
    changed, _ = changed_network(model, batch, [CutLink(layer=0, t=4)])
    flow = gradient_flow(changed, batch)
    assert not flow.grad_hidden[0, 0, :4].any() and flow.grad_hidden[0, 0, 4:].any(-1).all()
    other = dataclasses.replace(batch, inputs=np.where(np.arange(8)[:, None, None] < 4, 9, batch.inputs))
    with torch.no_grad():
        assert torch.equal(changed(other), changed(batch)) and not torch.equal(model(other), model(batch))


# ---- the other readings


@for_each({"cell": [name for name in LINKED_CELLS if not CELLS[name].has_cell_state]})
def test_jacobians_carry_the_gradient(cell):
    """dL/dh before a step is the transposed Jacobian times dL/dh after it, where one loss at the end says all."""
    model, batch = case("many_to_one", np.array([7]), cell=cell, hidden_size=4)
    changes = [ZeroUnit(layer=0, unit=0), SetState(layer=0, t=3, unit=1, value=0.5), CutLink(layer=0, t=2)]
    changed, _ = changed_network(model, batch, changes)
    grads = gradient_flow(changed, batch).grad_hidden[0, 0, :, 0]
    ((positions, jacobians),) = step_jacobians(trace_forward(changed, batch))[0]
    for t, jacobian in zip(positions, jacobians, strict=True):
        np.testing.assert_allclose(jacobian.T @ grads[t], grads[t - 1], rtol=1e-9, atol=1e-15)


@for_each({"cell": ["lstm", "lstm_peephole", "gru", "linear"]})
def test_both_forms_of_the_jacobians_say_the_same(cell):
    """Factored, and row by row from the derivative of the steps."""
    model, batch = case("many_to_one", np.array([7]), cell=cell, hidden_size=4)
    changes = [ZeroUnit(layer=0, unit=0), CutLink(layer=0, t=2), SetState(layer=0, t=4, unit=1, value=0.5),
               HoldGate(layer=0, gate=CELLS[cell].gates[1], value=0.5, t=3)]  # fmt: skip
    trace = trace_forward(changed_network(model, batch, changes)[0], batch).passes[0].cell_traces[0][0]
    factored = jacobians_of_pass(trace, CELLS[cell], 7, 0)
    assert isinstance(factored, Links)
    torch.testing.assert_close(factored.dense(0, 7), trace.jacobians(0, 7), rtol=1e-12, atol=1e-15)
    assert not factored.dense(2, 3).any() and factored.dense(3, 4).any()


@for_each({"cell": ["lstm", "gru_2014", "indrnn"]})
def test_weight_gradients_and_saliency(cell):
    model, batch = case("many_to_one", np.array([6]), cell=cell, num_layers=2, hidden_size=4)
    changes = [ZeroUnit(layer=0, unit=0), CutLink(layer=1, t=3), SetInput(t=1, value=0.7)]
    if len(CELLS[cell].gates) > 1:
        changes.append(HoldGate(layer=1, gate=CELLS[cell].gates[0], value=0.5))
    changed, read = changed_network(model, batch, changes)
    run, found = unrolled(model, batch, changes, apart=True), weight_gradients(changed, read)
    for name, norms in (("weight_u" if cell == "indrnn" else "weight_hh", found.hh), ("weight_ih", found.ih)):
        np.testing.assert_allclose(norms, expected_norms(run.weight_terms(name, "last"), norms.shape), rtol=1e-9)
    expected = np.linalg.norm(unrolled(model, batch, changes).saliency(5), axis=-1)
    np.testing.assert_allclose(input_saliency(changed, read), expected, rtol=1e-9)


@pytest.mark.parametrize("cell", ["gru_2014", "lstm", "linear", "lstm_layer_norm"])
def test_terms_are_those_of_the_changed_network(cell):
    """W_ih x_t and W_hh h_{t-1}, h as it is now; 0 behind a cut. In gru_2014 the product sees the held reset gate."""
    model, batch = case("many_to_many", np.array([6]), cell=cell, num_layers=2, hidden_size=4)
    changes = [ZeroUnit(layer=0, unit=1), CutLink(layer=1, t=3), SetState(layer=1, t=4, unit=0, value=-0.5)]
    if cell == "gru_2014":
        changes.append(HoldGate(layer=1, gate="reset_gate", value=0.25, t=2))
    changed, _ = changed_network(model, batch, changes)
    run, terms = unrolled(model, batch, changes), preactivations(trace_forward(changed, batch))
    for t in range(6):
        layers, x, h, _ = run.entered[1, 0, t, 0]
        expected = (layers.weight_ih_l1 @ x).detach().numpy().reshape(-1, 4)
        np.testing.assert_allclose(terms.from_input[t], expected, rtol=1e-9, atol=1e-12)
        if terms.from_state is None:
            continue
        reads = [h] * CELLS[cell].blocks
        if cell == "gru_2014":
            w, u, b, c = (
                getattr(layers, f"{name}_l1")[:4] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            )
            reads[2] = h * (0.25 if t == 2 else torch.sigmoid(w @ x + b + u @ h + c))
        blocks = layers.weight_hh_l1.chunk(CELLS[cell].blocks)
        expected = [(block @ read).detach().numpy() for block, read in zip(blocks, reads, strict=True)]
        np.testing.assert_allclose(terms.from_state[t], expected, rtol=1e-9, atol=1e-12)
