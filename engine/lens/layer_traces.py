"""The traces of a stack of recurrent layers, recomputed layer by layer from inputs, initial states and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.layers.accelerators import ACCELERATORS, ProjectedLSTMTrace
from engine.layers.cell_trace import CellTrace, LibraryTrace
from engine.layers.reverse_sequence import flip
from engine.layers.step_layers import State
from engine.layers.weights import Weights

MakeTrace = Callable[[int, int, Tensor, State, Tensor | None], CellTrace]
"""(layer, direction, inputs (T, B, I), initial states (B, H) each, its states (T, B, H) or None) -> its trace. All in
the direction's own time order."""


def trace_layers(
    make: MakeTrace,
    shape: tuple[int, int],
    inputs: Tensor,
    initial: State,
    lengths: Tensor,
    output: Tensor | None = None,
    masks: Mapping[int, Tensor] | None = None,
) -> list[list[CellTrace]]:
    """Trace one layer and direction at a time, from the bottom up.

    Args:
        shape: (layers, directions).
        inputs: (T, B, I), by position. lengths: (B,), how many steps of each sequence are real.
        initial: (layers * directions, B, H) for each state.
        output: (T, B, directions * H), the states of the top layer if they are known and need not be computed again.
        masks: by layer, what dropout multiplied its output by; see `ForwardPass`.

    Returns:
        Traces by [layer][direction].
    """
    layers, directions = shape
    rows: list[list[CellTrace]] = []
    for layer in range(layers):
        row, outputs = [], []
        for d in range(directions):
            seen = flip(inputs, lengths) if d else inputs
            begin = tuple(state[layer * directions + d] for state in initial)
            top = None
            if layer == layers - 1 and output is not None:
                top = output.chunk(directions, -1)[d]
                top = flip(top, lengths) if d else top
            cell_trace = make(layer, d, seen, begin, top)
            row.append(cell_trace)
            outputs.append(flip(cell_trace.hidden, lengths) if d else cell_trace.hidden)
        rows.append(row)
        inputs = torch.cat(outputs, dim=-1)
        if masks is not None and layer in masks:
            inputs = inputs * masks[layer]
    return rows


def trace_library_cell(
    cell: str, weights: Weights, nonlinearity: str, inputs: Tensor, initial: State, hidden: Tensor | None
) -> LibraryTrace:
    """Trace one layer in one direction of PyTorch's own RNN, GRU or LSTM.

    Args:
        hidden: (T, B, H), its states if they are known; else PyTorch's kernel computes them.
    """
    kind = CELLS[cell]
    if weights.hr is not None:
        return ProjectedLSTMTrace(kind, weights, nonlinearity, inputs, initial)
    if hidden is None:
        assert kind.torch_layer is not None
        options = (weights.bias_ih is not None, nonlinearity if kind.uses_nonlinearity else None)
        hidden = _run_alone(kind.torch_layer, weights, *options, inputs, initial)
    return ACCELERATORS[cell](kind, weights, nonlinearity, inputs, initial, hidden)


def _run_alone(
    layer: str, weights: Weights, bias: bool, nonlinearity: str | None, inputs: Tensor, initial: State
) -> Tensor:
    """Run one layer in one direction with PyTorch's own kernel. Returns its states, (T, B, H)."""
    shell = _shell(layer, inputs.shape[-1], initial[0].shape[-1], bias, nonlinearity)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    given = {name: value for name, value in zip(names, weights[:4], strict=True) if value is not None}
    state = tuple(part[None] for part in initial)
    return torch.func.functional_call(shell, given, (inputs, state if len(state) > 1 else state[0]))[0]


@cache
def _shell(layer: str, input_size: int, hidden_size: int, bias: bool, nonlinearity: str | None) -> nn.Module:
    """A one-layer module on the meta device, to be called with the weights of another module."""
    options = {} if nonlinearity is None else {"nonlinearity": nonlinearity}
    kind: Callable[..., nn.Module] = getattr(nn, layer)
    return kind(input_size, hidden_size, bias=bias, device="meta", **options)
