"""The sweeps by hand against the contract: autograd of the cell's step must say the same."""

from __future__ import annotations

import pytest
import torch

from engine.cells import CELLS
from engine.layers.accelerators import ACCELERATORS, ProjectedLSTMTrace
from engine.layers.cell_trace import CellTrace, SweepSpan
from engine.layers.step_gradients import StepGradients
from engine.layers.step_layers import run_steps
from engine.layers.weights import Weights

STEPS, SEEDS, BATCH, INPUTS, UNITS = 9, 2, 3, 4, 5
KINDS = [
    ("rnn", "tanh"), ("rnn", "relu"), ("rnn", "sigmoid"), ("rnn", "identity"), ("gru", "tanh"), ("lstm", "tanh"),
]  # fmt: skip


def drawn(name: str) -> Weights:
    """Random weights in float64, larger than at the start of a training."""
    shapes = CELLS[name].shapes(INPUTS, UNITS)
    return Weights(**{field.removeprefix("weight_"): torch.randn(shape, dtype=torch.float64) / 2
                      for field, shape in shapes.items()})  # fmt: skip


def swept(trace: CellTrace, direct: torch.Tensor, carry: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
    """Everything that a sweep fills and returns, in two blocks."""
    total, cell = direct.clone(), torch.zeros_like(direct) if trace.kind.has_cell_state else None
    through = torch.zeros(*direct.shape[:2], len(trace.weights.ih), dtype=torch.float64)
    for start, stop in ((4, STEPS), (0, 4)):
        carry = trace.backward_sweep(SweepSpan(start, stop, total, cell, through), carry)
    return [total, through, *carry, *([] if cell is None else [cell])]


def weight_terms(found: StepGradients) -> torch.Tensor:
    """dL/dW_hh of every step, (n, G*H, H)."""
    whole = torch.zeros(STEPS, found.from_state.shape[-1], UNITS, dtype=torch.float64)
    for rows, slopes, read in found.state_terms:
        whole[:, rows] += slopes[:, :, None] * read[:, None]
    return whole


def test_each_accelerator_is_tested_here():
    assert set(ACCELERATORS) == {name for name, _ in KINDS}


@pytest.mark.parametrize(("name", "nonlinearity"), KINDS)
def test_by_hand_and_by_autograd(name, nonlinearity):
    torch.manual_seed(1)
    cell, weights = CELLS[name], drawn(name)
    inputs = torch.randn(STEPS, BATCH, INPUTS, dtype=torch.float64)
    first = tuple(torch.randn(BATCH, UNITS, dtype=torch.float64) for _ in cell.states)
    _, states = run_steps(cell, weights, nonlinearity, inputs, first)
    by_hand = ACCELERATORS[name](cell, weights, nonlinearity, inputs, first, states[0])
    by_autograd = CellTrace(cell, weights, nonlinearity, inputs, first)
    assert type(by_hand) is not CellTrace and list(by_hand.gates) == list(by_autograd.gates)
    pairs = [
        (by_hand.hidden, by_autograd.hidden),
        *zip(by_hand.gates.values(), by_autograd.gates.values(), strict=True),
    ]
    if cell.has_cell_state:
        pairs.append((by_hand.cell, by_autograd.cell))
    rows = SEEDS * BATCH
    direct = torch.randn(STEPS, rows, UNITS, dtype=torch.float64)
    carry = tuple(torch.randn(rows, UNITS, dtype=torch.float64) for _ in cell.states)
    pairs += zip(swept(by_hand, direct, carry), swept(by_autograd, direct, carry), strict=True)
    single = [trace.single_sequence(1, STEPS) for trace in (by_hand, by_autograd)]
    total = torch.randn(STEPS, UNITS, dtype=torch.float64)
    for total_cell in (torch.randn_like(total), None) if cell.has_cell_state else (None,):
        mine, theirs = (trace.step_gradients(total, total_cell) for trace in single)
        assert list(mine.paths) == list(cell.paths) == list(theirs.paths)
        pairs += zip(mine.paths.values(), theirs.paths.values(), strict=True)
        pairs += [(mine.from_input, theirs.from_input), (mine.from_state, theirs.from_state)]
        pairs.append((weight_terms(mine), weight_terms(theirs)))
        pairs.append((single[0].state_projection_gradient(mine.from_input[:, None])[:, 0], theirs.from_state))
        if cell.has_cell_state:
            pairs.append((mine.total_cell, theirs.total_cell))
    for one, other in pairs:
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)
        assert one.abs().max() > 1e-6


def test_a_projected_lstm_by_hand_and_by_autograd():
    """Blocks of the sweep, initial states, and h narrower than c; against autograd of a loop written here."""
    torch.manual_seed(2)
    narrow, double = 3, {"dtype": torch.float64}
    weights = Weights(
        torch.randn(4 * UNITS, INPUTS, **double) / 2,
        torch.randn(4 * UNITS, narrow, **double) / 2,
        torch.randn(4 * UNITS, **double),
        torch.randn(4 * UNITS, **double),
        hr=torch.randn(narrow, UNITS, **double),
    )
    inputs = torch.randn(STEPS, BATCH, INPUTS, **double)
    first = (torch.randn(BATCH, narrow, **double), torch.randn(BATCH, UNITS, **double))
    trace = ProjectedLSTMTrace(CELLS["lstm"], weights, "tanh", inputs, first)
    direct = torch.randn(STEPS, BATCH, narrow, **double)
    carry = tuple(torch.randn_like(state) for state in first)
    cells, projections, states = [], [], [state.clone().requires_grad_() for state in first]
    (h, c), loss = states, torch.zeros((), **double)
    for x, seed in zip(inputs, direct, strict=True):
        a = x @ weights.ih.T + weights.bias_ih + h @ weights.hh.T + weights.bias_hh
        projections.append(a)
        i, f, g, o = a.chunk(4, -1)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        cells.append(c)
        h = (o.sigmoid() * c.tanh()) @ weights.hr.T
        loss = loss + (h * seed).sum()
    loss = loss + (h * carry[0]).sum() + (c * carry[1]).sum()
    expected = torch.autograd.grad(loss, [*states, *cells, *projections])
    total, cell = direct.clone(), torch.zeros(STEPS, BATCH, UNITS, **double)
    through = torch.zeros(STEPS, BATCH, 4 * UNITS, **double)
    for start, stop in ((4, STEPS), (0, 4)):
        carry = trace.backward_sweep(SweepSpan(start, stop, total, cell, through), carry)
    for one, other in zip([*carry, *cell, *through], expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-11, atol=1e-13)
    assert torch.equal(trace.state_projection_gradient(through), through)
