"""Layers that run a cell's step, and the derivative of a step, for every cell of the catalogue."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.layers import linear_scan, step_layers
from engine.layers.cell_trace import CellTrace
from engine.layers.step_layers import StepLayers
from engine.layers.weights import weights_of
from engine.model.limits import limited_parameters
from engine.training import Trainer
from tests import reference_unroll as reference

INPUTS, UNITS = 3, 4


def layers_of(name: str) -> StepLayers:
    torch.manual_seed(5)
    layers = StepLayers(CELLS[name], INPUTS, UNITS, 1, nonlinearity="tanh").double()
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return layers


def traced(name: str, steps: int = 6) -> CellTrace:
    """The trace of one sequence that begins with states other than 0."""
    layers, cell = layers_of(name), CELLS[name]
    inputs = torch.randn(steps, 1, INPUTS, dtype=torch.float64)
    first = tuple(torch.randn(1, UNITS, dtype=torch.float64) for _ in cell.states)
    return CellTrace(cell, weights_of(layers, 0, 0).detached(), "tanh", inputs, first)


def textbook(name: str, layers: StepLayers, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    """One step of the textbook, written independently."""
    model = type("Model", (), {"experiment": Experiment(cell=name)})()
    return reference.step(model, layers, 0, 0, x, h, c)[: len(CELLS[name].states)]


@pytest.mark.parametrize("name", CELLS)
def test_states_and_jacobians_are_the_textbooks(name):
    trace, layers, cell = traced(name), layers_of(name), CELLS[name]
    old = trace.before
    jacobians = trace.jacobians(0, len(trace.hidden)) if cell.is_recurrent else None
    for t in range(len(trace.hidden)):
        h, c = old["h"][t, 0], old["c"][t, 0] if cell.has_cell_state else old["h"][t, 0]
        after = textbook(name, layers, trace.inputs[t, 0], h, c)
        torch.testing.assert_close(trace.hidden[t, 0], after[0], rtol=1e-12, atol=1e-14)
        if jacobians is None:
            continue
        state = torch.cat([h, c][: len(cell.states)])

        def stacked(state: Tensor, x: Tensor = trace.inputs[t, 0]) -> Tensor:
            parts = state.chunk(len(cell.states))
            return torch.cat(textbook(name, layers, x, parts[0], parts[-1]))

        expected = torch.autograd.functional.jacobian(stacked, state)
        torch.testing.assert_close(jacobians[t], expected, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.is_recurrent])
def test_the_paths_and_products_add_up(name):
    """What arrives at the old states, path by path, is what the sweep carries; and dL/dW is the sum of its terms."""
    trace, cell = traced(name), CELLS[name]
    total = torch.randn(len(trace.hidden), UNITS, dtype=torch.float64)
    total_cell = torch.randn_like(total) if cell.has_cell_state else None
    found = trace.step_gradients(total, total_cell)
    assert set(found.paths) == set(cell.paths)
    for t in range(len(total)):
        layers = layers_of(name)
        h, c = (trace.before[state][t, 0].clone().requires_grad_() for state in (cell.states * 2)[:2])
        after = textbook(name, layers, trace.inputs[t, 0], h, c)
        grads = [total[t]]
        if total_cell is not None:  # what arrives at c beside what comes through h
            through = torch.autograd.grad(after[0], after[1], total[t], retain_graph=True)[0]
            grads.append(total_cell[t] - through)
        wanted = [h, *([c] if cell.has_cell_state else []), *layers.parameters()]
        expected = torch.autograd.grad(after, wanted, grads, materialize_grads=True, allow_unused=True)
        for carried, gradient in zip(found.carry(cell), expected, strict=False):
            torch.testing.assert_close(carried[t], gradient, rtol=1e-10, atol=1e-12)
        by_name = dict(zip([each for each, _ in layers.named_parameters()], expected[len(cell.states) :], strict=True))
        if cell.state_blocks:
            made = torch.zeros_like(by_name["weight_hh_l0"])
            for rows, slopes, read in found.state_terms:
                made[rows] += slopes[t, :, None] * read[t]
            torch.testing.assert_close(made, by_name["weight_hh_l0"], rtol=1e-10, atol=1e-12)
        for vector, terms in found.vectors.items():
            torch.testing.assert_close(terms[t], by_name[f"{vector}_l0"], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", [name for name, cell in CELLS.items() if cell.retain_gate is not None])
def test_the_retain_gate_is_what_the_kept_path_multiplies_by(name):
    """Near 1 it keeps: a gate declared the wrong way round would be opened by the wrong bias."""
    trace, cell = traced(name), CELLS[name]
    total = torch.randn(len(trace.hidden), UNITS, dtype=torch.float64)
    found = trace.step_gradients(total, total if cell.has_cell_state else None)
    torch.testing.assert_close(found.paths["kept"], trace.gates[cell.retain_gate][:, 0] * total, rtol=1e-12, atol=0)


def test_by_what_a_normalisation_multiplies():
    """Against its transposed Jacobian by autograd: of W_hh h, with all gates together, and of c on its way to h."""
    trace, layers = traced("lstm_layer_norm"), layers_of("lstm_layer_norm")
    total, total_cell = torch.randn(2, len(trace.hidden), UNITS, dtype=torch.float64)
    found = trace.step_gradients(total, total_cell)
    assert list(found.normalisations) == ["gain_hh", "gain_c"]
    o, c = trace.gates["output_gate"][:, 0], trace.cell[:, 0]
    for t in range(1, len(total)):
        at = c[t].clone().requires_grad_()
        m = torch.nn.functional.layer_norm(at, (UNITS,), layers.gain_c_l0, layers.shift_c_l0)
        after = total[t] * o[t] * (1 - torch.tanh(m) ** 2)
        before = torch.autograd.grad(m, at, after)[0]
        assert found.normalisations["gain_c"][t].item() == pytest.approx(
            (before.norm() / after.norm()).item(), rel=1e-9
        )
        products = (trace.weights.recurrent @ trace.before["h"][t, 0]).requires_grad_()
        scaled = torch.nn.functional.layer_norm(products, (4 * UNITS,), layers.gain_hh_l0, layers.shift_hh_l0)
        above = found.vectors["shift_hh"][t]  # the gradient right after the normalisation
        before = torch.autograd.grad(scaled, products, above)[0]
        assert found.normalisations["gain_hh"][t].item() == pytest.approx(
            (before.norm() / above.norm()).item(), rel=1e-9
        )


@pytest.mark.parametrize("name", ["linear", "linear_signed"])
@pytest.mark.parametrize("scan", [False, True])
def test_a_linear_cell_trains_the_same_with_the_scan_and_the_loop(name, scan, monkeypatch):
    """Outputs, last state and gradients are those of one step after the other."""
    way = linear_scan.scan if scan else linear_scan.loop
    monkeypatch.setattr(step_layers, "linear_recurrence", way)
    layers = layers_of(name)
    inputs = torch.randn(37, 2, INPUTS, dtype=torch.float64)
    first = torch.randn(1, 2, UNITS, dtype=torch.float64)
    output, last = layers(inputs, first)
    h, states = first[0], []
    for x in inputs:
        h = torch.stack([textbook(name, layers, x[b], h[b], h[b])[0] for b in range(2)])
        states.append(h)
    expected = torch.stack(states)
    torch.testing.assert_close(output, expected, rtol=1e-11, atol=1e-13)
    torch.testing.assert_close(last[0], expected[-1], rtol=1e-11, atol=1e-13)
    weights = list(layers.parameters())
    for one, other in zip(
        torch.autograd.grad(output.sin().sum(), weights),
        torch.autograd.grad(expected.sin().sum(), weights),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_a_bound_of_the_cell_holds_after_every_update():
    """u of an IndRNN is cut to 2^(1/T), in every layer and direction; it starts below."""
    e = Experiment(cell="indrnn", task="sine", rnn_type="many_to_many", seq_len=8, num_layers=2, bidirectional=True,
                   optimizer="sgd", learning_rate=3.0, hidden_size=6, clip="none")  # fmt: skip
    trainer = Trainer(e)
    limit, cut = 2 ** (1 / 8), 0
    assert len(limited_parameters(trainer.model)) == 4 and not trainer.cut_to_limit
    for _ in range(4):
        trainer.advance()
        cut += trainer.cut_to_limit
        for parameter, largest in limited_parameters(trainer.model):
            assert largest == pytest.approx(limit) and parameter.abs().max() <= limit * (1 + 1e-6)
    assert cut > 0
    assert limited_parameters(Trainer(Experiment(cell="lstm")).model) == []
