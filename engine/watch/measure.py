"""The gradient at every state of one call, or of one-step calls laid side by side, by the engine's own sweep."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.layers.cell_trace import CellTrace
from engine.layers.reverse_sequence import flip
from engine.layers.step_layers import State
from engine.lens.forward_trace import ForwardPass
from engine.lens.incoming import IncomingGradient, IncomingRows
from engine.lens.layer_gradients import Rows
from engine.lens.layer_traces import trace_layers, trace_library_cell
from engine.lens.scaled import Scaled
from engine.lens.sweep import sweep_pass
from engine.watch.entering import LastLoss, last_loss
from engine.watch.refusal import RefusalError
from engine.watch.sweep_input import SweepInput

TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-4}
TOLERANCE_HALF = 0.05  # also with TF32 products
"""How far the recomputed output may be from the module's own, relative to its largest value."""


@dataclass(frozen=True, eq=False)
class Measured:
    """The result of a sweep.

    Args:
        gradients: by [layer][direction], (T, S, R, units), by position. The S seeds are the whole gradient, then those
            of `last`.
        leaving: what goes back to the initial states, by [layer][direction], (S * R, units) for each state.
        last: the loss that enters last; None if nobody asked.
    """

    given: SweepInput
    forward: ForwardPass
    gradients: Rows
    leaving: list[list[IncomingGradient]]
    last: LastLoss | None


@torch.no_grad()
def measured(given: SweepInput, *, with_last: bool = False) -> Measured:
    """Recompute the states and sweep the gradients back.

    Args:
        with_last: sweep the loss that enters last alone, too.

    Raises:
        RefusalError: if the recomputed output is not the module's.
    """
    stack, one = given.stack, _forward(given)
    if (given.masks or stack.projected) and not given.output_is_changed:  # else the output itself is taken as states
        _check(given, one.output)
    ends = list(given.grad_ends)
    if given.hook_has_hidden:
        lstm = one.cell_traces[0][0]
        ends[1] = ends[1] - ends[0] * lstm.cell_to_hidden  # type: ignore[attr-defined]  # always an LSTMTrace
    last = last_loss(given) if with_last else None
    seeds = [(given.grad_output, tuple(ends)), *([] if last is None else last.seeds)]
    exponent = torch.zeros(len(seeds) * len(given.lengths), dtype=torch.int32, device=given.inputs.device)
    incoming: IncomingRows = []
    for layer in range(stack.layers):
        at = range(layer * stack.directions, (layer + 1) * stack.directions)
        of_seeds = [[tuple(end[k] for end in own) for _, own in seeds] for k in at]
        incoming.append([IncomingGradient(_joined(own), exponent) for own in of_seeds])
    above = torch.stack([output * given.real for output, _ in seeds], 1)
    gradients, leaving = sweep_pass(one, Scaled.of(above), incoming)
    return Measured(given, one, gradients, leaving, last)


def _joined(of_seeds: list[State]) -> State:
    """The gradient of each state, (S * R, units): the sequences of the first seed, then those of the next."""
    return tuple(torch.cat(parts) for parts in zip(*of_seeds, strict=True))


def _forward(given: SweepInput) -> ForwardPass:
    """Trace the layers. Where the states of the top layer are its output, they are not computed again."""
    stack = given.stack

    def make(layer: int, direction: int, seen: Tensor, begin: State, top: Tensor | None) -> CellTrace:
        weights = given.weights[layer][direction]
        return trace_library_cell(stack.cell, weights, stack.nonlinearity, seen, begin, top)

    known = None if given.masks or given.output_is_changed else given.output  # masks are checked by the output
    shape = (stack.layers, stack.directions)
    traces = trace_layers(make, shape, given.inputs, given.initial, given.lengths, known, given.masks)
    tops = [trace.hidden for trace in traces[-1]]
    if len(tops) > 1:
        tops[1] = flip(tops[1], given.lengths)
    return ForwardPass(traces, given.inputs, torch.cat(tops, -1), given.lengths, given.masks)


def _check(given: SweepInput, output: Tensor) -> None:
    """Compare the recomputed output with the module's own."""
    scale = float((given.output * given.real).abs().max())
    differs = float(((output - given.output) * given.real).abs().max())
    allowed = TOLERANCE_HALF if given.rounds or given.is_coarse else TOLERANCES[given.output.dtype]
    if differs > allowed * max(scale, 1e-30):  # a number that is none passes: the module's own is none either
        raise RefusalError(
            f"{given.name}: its states, computed again, differ from its output by {differs / scale:.1e} of its "
            "largest: this is not what the module computed"
        )
