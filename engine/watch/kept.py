"""What a look keeps of a module, so that a frame can be made of it when somebody asks for one.

Of all sequences the norms of the gradients; of one, the drawn sequence, the traces and the gradients themselves, and a
copy of the weights in float64: the training goes on to change those. Two layers of 256 LSTM units over 200 steps, 16
sequences looked at: 20 MB beside the 79 MB of the flow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from engine.layers.cell_trace import CellTrace, to_float64_cpu
from engine.lens.forward_trace import ForwardPass, LayersTrace
from engine.lens.layer_gradients import LayerGradients, Rows
from engine.lens.norms import SequenceNorms
from engine.lens.scaled import Scaled
from engine.lens.sweep import SweepResult
from engine.watch.flow import Flow
from engine.watch.flows import MeasuredCall
from engine.watch.measure import Measured
from engine.watch.modules import Stack
from engine.watch.wiring import Link

Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class WatchedTrace(LayersTrace):
    """The drawn sequence's trace in all calls of a module in one backward pass; see `LayersTrace`.

    One-step calls that follow one another are one pass. detached: steps that begin with a state without its graph.
    """

    passes: list[ForwardPass]
    detached: list[int]

    @property
    def cuts(self) -> list[int]:
        """See `LayersTrace`."""
        return self.detached


@dataclass(frozen=True, eq=False)
class Kept:
    """What was kept of one module.

    Args:
        input_size: I of its first layer.
        norms: of all sequences that were looked at, on the flow's time axis. Unit: that of the loss as it was
            differentiated.
        drawn: which of these sequences the others are of. swept: its trace and gradients.
        starts: the steps at which a call begins, the first left out. links: how each call's state is linked.
        scale: by which a GradScaler has multiplied the gradients in `swept`.
    """

    stack: Stack
    input_size: int
    norms: SequenceNorms
    drawn: int
    swept: SweepResult
    starts: tuple[int, ...]
    links: tuple[Link | None, ...]
    scale: float

    @property
    def seeds(self) -> tuple[int, int]:
        """For each direction the seed of the followed loss."""
        return _followed(self.swept.passes[0])

    @property
    def cuts(self) -> tuple[int, ...]:
        """The steps whose link to the step before lets no gradient back: detached states, and calls that begin anew.

        Backwards nothing goes on from call to call.
        """
        linked = [link is not None and link.kind == "call" and self.stack.directions == 1 for link in self.links[1:]]
        return tuple(start for start, is_linked in zip(self.starts, linked, strict=True) if not is_linked)

    @property
    def trace(self) -> WatchedTrace:
        """Of the drawn sequence."""
        assert isinstance(self.swept.trace, WatchedTrace)
        return self.swept.trace


def _followed(gradients: Rows) -> tuple[int, int]:
    """For each direction the seed of the loss that enters last; the only one if all that enters is the last."""
    count = gradients[0][0].total.values.shape[1]
    return min(1, count - 1), count - 1


@torch.no_grad()
def kept_of(found: Sequence[MeasuredCall], flow: Flow, scale: float) -> Kept:
    """Keep what is needed of the calls of one module, of which `flow` was made."""
    everywhere = min(len(one.rows) for one in found)
    drawn = int(flow.valid[:, :everywhere].sum(0).argmax())
    starts = np.cumsum([len(one.call.inputs) for one in found])[:-1].tolist()
    links = tuple(one.call.state_link for one in found)
    passes, gradients = [], []
    for calls in _runs(found):
        one, rows = _kept_pass(calls, drawn)
        passes.append(one)
        gradients.append(rows)
    linked = zip(starts, links[1:], strict=True)
    detached = [start for start, link in linked if link is not None and link.kind == "detached"]
    return Kept(
        stack=found[0].call.stack,
        input_size=found[0].call.inputs.shape[-1],
        norms=_norms(found, flow, scale),
        drawn=drawn,
        swept=SweepResult(WatchedTrace(passes, detached), gradients),
        starts=tuple(starts),
        links=links,
        scale=scale,
    )


def _runs(found: Sequence[MeasuredCall]) -> list[list[MeasuredCall]]:
    """Calls in their order: one-step calls of one sweep that hand their state on together, each other call alone."""
    runs: list[list[MeasuredCall]] = []
    for one in found:
        link = one.call.state_link
        goes_on = link is not None and not link.is_fresh and one.call.stack.directions == 1
        alike = bool(runs) and runs[-1][0].sweep is one.sweep and len(one.call.inputs) == 1
        if goes_on and alike:
            runs[-1].append(one)
        else:
            runs.append([one])
    return runs


def _kept_pass(calls: Sequence[MeasuredCall], drawn: int) -> tuple[ForwardPass, Rows]:
    """The drawn sequence of one call, or of one-step calls, put one after the other in time."""
    sweep = calls[0].sweep
    columns = torch.tensor([one.first_row + drawn for one in calls])
    own, rows = _own_columns(sweep, columns)
    link = calls[0].call.state_link
    is_linked = link is not None and not link.is_fresh
    if len(calls) > 1:
        own, rows = _in_time(own), [[_gradients_in_time(each) for each in row] for row in rows]
    return replace(own, is_linked=is_linked), rows


def _own_columns(sweep: Measured, columns: Tensor) -> tuple[ForwardPass, Rows]:
    """Copies of some sequences' traces and gradients."""

    def chosen(values: Tensor) -> Tensor:
        return values[:, columns.to(values.device)]

    def of_seeds(scaled: Scaled) -> Scaled:
        at = columns.to(scaled.values.device)
        return Scaled(scaled.values[:, :, at], scaled.exponent[:, :, at])

    one = sweep.forward
    traces = [[_copied(trace, chosen) for trace in row] for row in one.cell_traces]
    own = ForwardPass(traces, chosen(one.inputs), chosen(one.output), one.lengths[columns])
    own = replace(own, masks={layer: chosen(mask) for layer, mask in one.masks.items()})
    rows = [
        [
            LayerGradients(
                of_seeds(each.total),
                of_seeds(each.direct),
                None if each.total_cell is None else of_seeds(each.total_cell),
                of_seeds(each.grad_input_proj),
            )
            for each in row
        ]
        for row in sweep.gradients
    ]
    return own, rows


def _copied(trace: CellTrace, chosen: Change) -> CellTrace:
    """A trace of some sequences, with weights of its own: those of the module change in the next update."""
    own = trace.map_tensors(chosen)
    own.weights = trace.weights.map_tensors(lambda weight: to_float64_cpu(weight.clone()))
    return own


def _in_time(side_by_side: ForwardPass) -> ForwardPass:
    """One-step calls that lie side by side as one sequence; each step keeps the states that it began with."""

    def turned(values: Tensor) -> Tensor:
        return values.transpose(0, 1)

    rows = [[trace.map_tensors(turned) for trace in row] for row in side_by_side.cell_traces]
    for row in rows:
        for trace in row:
            trace.given_before, trace.initial = trace.initial, tuple(state[:1] for state in trace.initial)
    steps = torch.tensor([len(side_by_side.lengths)])
    masks = {layer: turned(mask) for layer, mask in side_by_side.masks.items()}
    return ForwardPass(rows, turned(side_by_side.inputs), turned(side_by_side.output), steps, masks)


def _gradients_in_time(rows: LayerGradients) -> LayerGradients:
    """The same for gradients, (1, S, n, H) to (n, S, 1, H)."""

    def turned(scaled: Scaled) -> Scaled:
        return Scaled(scaled.values.transpose(0, 2), scaled.exponent.transpose(0, 2))

    cell = None if rows.total_cell is None else turned(rows.total_cell)
    return LayerGradients(turned(rows.total), turned(rows.direct), cell, turned(rows.grad_input_proj))


def _norms(found: Sequence[MeasuredCall], flow: Flow, scale: float) -> SequenceNorms:
    """The norms of all calls, on one time axis."""
    assert flow.grad_hidden_direct is not None
    by_sweep: dict[int, SequenceNorms] = {}
    for one in found:
        if id(one.sweep) not in by_sweep:
            rows = one.sweep.gradients
            by_sweep[id(one.sweep)] = SequenceNorms.of(rows, _followed(rows)[: len(rows[0])])

    def on_axis(pick: Callable[[SequenceNorms], np.ndarray | None]) -> np.ndarray | None:
        first = pick(by_sweep[id(found[0].sweep)])
        if first is None:
            return None
        whole, start = np.zeros((*first.shape[:2], *flow.valid.shape)), 0
        for one in found:
            values, stop = pick(by_sweep[id(one.sweep)]), start + len(one.call.inputs)
            assert values is not None
            own = values[..., one.first_row : one.first_row + len(one.rows)]
            whole[:, :, start:stop, : len(one.rows)] = own / scale
            start = stop
        return whole

    total, last = on_axis(lambda norms: norms.total), on_axis(lambda norms: norms.last)
    assert total is not None and last is not None
    return SequenceNorms(
        total=total,
        direct=np.linalg.norm(flow.grad_hidden_direct, axis=-1),
        cell=on_axis(lambda norms: norms.cell),
        last=last,
        last_cell=on_axis(lambda norms: norms.last_cell),
    )
