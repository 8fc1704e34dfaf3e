"""From the calls of one backward pass to a flow for each module."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.layers.cell_trace import CellTrace
from engine.layers.reverse_sequence import flip
from engine.lens.layer_gradients import LayerGradients
from engine.lens.scaled import Scaled
from engine.watch.call import Call
from engine.watch.entering import LastLoss
from engine.watch.flow import CallSpan, Flow, LastEntering
from engine.watch.measure import Measured, measured
from engine.watch.refusal import RefusalError
from engine.watch.sweep_input import side_by_side, sweep_input


def groups_of(calls: Iterable[Call]) -> list[list[Call]]:
    """One-step calls that can be laid side by side, each other call alone, in the order of their first calls."""
    groups: dict[tuple[Any, ...], list[Call]] = {}
    for call in calls:
        key: tuple[Any, ...] = (call.number,)
        if len(call.inputs) == 1 and call.layout.packed is None:
            units = (call.inputs.shape[-1], call.inputs.dtype, call.rounds)
            key = (call.name, call.stack, units, tuple(map(id, call.weights)), call.hook_has_hidden)
        groups.setdefault(key, []).append(call)
    return list(groups.values())


@dataclass(frozen=True, eq=False)
class MeasuredCall:
    """The values of one call, by name, (layers, directions, T, R, units) each, and what left its first step.

    Args:
        rows: which sequences. leaving: dL/dh_0, (layers * directions, R, units).
        last: the loss that enters last, whose gradient is the value "last"; None where that is not known.
        sweep: of which this is a part. first_row: where its sequences begin there.
    """

    call: Call
    rows: Tensor
    values: dict[str, Tensor]
    leaving: Tensor
    last: LastLoss | None
    sweep: Measured
    first_row: int

    @property
    def is_whole(self) -> bool:
        """True if all sequences of the call were looked at."""
        return len(self.rows) == self.call.batch


def chosen_rows(calls: Sequence[Call], most: int | None) -> dict[str, Tensor]:
    """Which sequences of each module's calls are looked at: evenly spaced over its largest batch."""
    largest: dict[str, int] = {}
    for call in calls:
        largest[call.name] = max(call.batch, largest.get(call.name, 0))
    return {name: spread_rows(batch, most) for name, batch in largest.items()}


def spread_rows(batch: int, most: int | None) -> Tensor:
    """(R,) int64: at most so many of the sequences of a batch, evenly spaced; None for all."""
    count = batch if most is None else min(batch, most)
    return torch.linspace(0, batch - 1, count, dtype=torch.float64).round().long()


def measure_calls(calls: Sequence[Call], rows: dict[str, Tensor]) -> tuple[list[MeasuredCall], dict[str, str]]:
    """Measure calls, with the reasons for those that cannot be, by module."""
    found: list[MeasuredCall] = []
    refused: dict[str, str] = {}
    counts = Counter(call.name for call in calls)
    for group in groups_of(calls):
        own = [rows[call.name][rows[call.name] < call.batch] for call in group]
        try:
            parts = [sweep_input(call, some) for call, some in zip(group, own, strict=True)]
            alone = counts[group[0].name] == 1  # what comes back to an earlier call is the later one's losses, too
            result = measured(parts[0] if len(parts) == 1 else side_by_side(parts), with_last=alone)
        except RefusalError as reason:
            refused[group[0].name] = str(reason)
            continue
        values, leaving, start = _values(result), _leaving(result), 0
        for call, some in zip(group, own, strict=True):
            stop = start + len(some)
            mine = {name: value[:, :, :, start:stop] for name, value in values.items()}
            found.append(MeasuredCall(call, some, mine, leaving[:, start:stop], result.last, result, start))
            start = stop
    return sorted(found, key=lambda one: one.call.number), refused


def _values(result: Measured) -> dict[str, Tensor]:
    """States, gates and gradients by name, by position; padding is 0."""
    traces, lengths = result.forward.cell_traces, result.forward.lengths

    def states(pick: Callable[[CellTrace], Tensor]) -> Tensor:
        rows = [[flip(pick(trace), lengths) if d else pick(trace) for d, trace in enumerate(row)] for row in traces]
        return _by_chain(rows, result)

    def gradients(pick: Callable[[LayerGradients], Scaled]) -> Tensor:
        rows = [[pick(swept).rows(slice(0, 1)).to_float64()[:, 0] for swept in row] for row in result.gradients]
        return _by_chain(rows, result)

    values = {"hidden": states(lambda trace: trace.hidden)}
    values |= {f"gate {name}": states(lambda trace, n=name: trace.gates[n]) for name in traces[0][0].gates}  # type: ignore[misc]
    values["grad_hidden"] = gradients(lambda swept: swept.total)
    values["direct"] = gradients(lambda swept: swept.direct)
    if traces[0][0].cell is not None:
        values["cell"] = states(lambda trace: trace.cell)  # type: ignore[arg-type, return-value]
        values["grad_cell"] = gradients(lambda swept: swept.total_cell)  # type: ignore[arg-type, return-value]
    if result.last is not None and result.last.seeds:
        values["last"] = _of_last(result)
    return values


def _by_chain(rows: list[list[Tensor]], result: Measured) -> Tensor:
    """(layers, directions, T, R, units) of the values of each, (T, R, units); padding is 0."""
    whole = torch.stack([torch.stack(row) for row in rows]) if len(rows) * len(rows[0]) > 1 else rows[0][0][None, None]
    if int(result.forward.lengths.min()) < len(result.forward.inputs):
        whole = whole * result.given.real
    return whole.cpu()


def _of_last(result: Measured) -> Tensor:
    """dL/d(the state that carries memory) of the loss that enters last, (layers, directions, T, R, units)."""
    rows = []
    for row in result.gradients:
        memories = [swept.total if swept.total_cell is None else swept.total_cell for swept in row]
        picked = [memory.rows(slice(1 + d, 2 + d)) for d, memory in enumerate(memories)]
        rows.append([memory.to_float64()[:, 0] for memory in picked])
    return _by_chain(rows, result)


def _leaving(result: Measured) -> Tensor:
    """dL/dh_0, (layers * directions, R, units), float64."""
    left = [Scaled(one.grad_carry[0], one.exponent).to_float64() for row in result.leaving for one in row]
    return torch.stack(left)[:, : len(result.given.lengths)].cpu()  # of the first seed


def add_direct_of_ends(found: Sequence[MeasuredCall], calls: Sequence[Call]) -> None:
    """Add to the direct gradient what entered through h_n from elsewhere than the next call's steps.

    What arrives at h_n is the sum of what the head makes of it and of what the next call sends back. The second part is
    known where the next call began with that very state, and was measured itself.

    Args:
        calls: all of the pass, those that could not be measured included.
    """
    sent: dict[int, list[Call]] = {}
    for call in calls:
        if call.state_link is not None and call.state_link.call is not None:
            sent.setdefault(call.state_link.call, []).append(call)
    by_number = {one.call.number: one for one in found}
    for one in found:
        end = one.call.gradients.get("h")
        if end is None:
            continue
        stack = one.call.stack
        whole = one.call.layout.state(end).reshape(-1, one.call.batch, stack.width)[:, one.rows].double().cpu()
        for later in sent.get(one.call.number, []):
            link, measured_later = later.state_link, by_number.get(later.number)
            assert link is not None
            leaving = None if measured_later is None else measured_later.leaving
            if leaving is not None and leaving.shape == whole.shape and link.is_whole and link.result == "h":
                whole = whole - leaving
            else:
                whole = torch.full_like(whole, torch.nan)
        last = one.call.layout.lengths[one.rows] - 1
        by_chain = whole.unflatten(0, (stack.layers, stack.directions))
        for d in range(stack.directions):
            at = torch.zeros_like(last) if d else last
            one.values["direct"][:, d, at, torch.arange(len(last))] += by_chain[:, d]


def flow_of(
    name: str, found: Sequence[MeasuredCall], rows: Tensor, backward_pass: int, scale: float, proof: float | None
) -> Flow:
    """Put the calls of one module one after the other on one time axis.

    Args:
        scale: by which a GradScaler has multiplied the loss.
    """
    steps, spans = 0, []
    for one in found:
        count = len(one.call.inputs)
        spans.append(CallSpan(steps, steps + count, one.call.batch, one.call.state_link, one.call.input_link))
        steps += count
    arrays, valid = _on_one_axis(found, spans, len(rows))
    if scale != 1:
        for what in ("grad_hidden", "direct", "grad_cell", "last"):
            if what in arrays:
                arrays[what] = arrays[what] / scale
    last, memory = found[0].last, arrays.get("grad_cell", arrays["grad_hidden"])
    return Flow(
        name=name,
        cell_name=found[0].call.stack.cell,
        hidden=arrays["hidden"],
        grad_hidden=arrays["grad_hidden"],
        grad_hidden_direct=arrays["direct"],
        cell=arrays.get("cell"),
        grad_cell=arrays.get("grad_cell"),
        gates={what.removeprefix("gate "): value for what, value in arrays.items() if what.startswith("gate ")},
        valid=valid,
        rows=rows.numpy(),
        calls=tuple(spans),
        backward_pass=backward_pass,
        last=None
        if last is None
        else LastEntering(arrays.get("last", memory), last.enters.numpy(), last.places.numpy()),
        proof=proof,
        is_coarse=any(one.call.is_coarse for one in found),
    )


def _on_one_axis(
    found: Sequence[MeasuredCall], spans: Sequence[CallSpan], rows: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The values of all calls by name, (layers, directions, T, rows, units), and which steps are real, (T, rows)."""
    valid = np.zeros((spans[-1].stop, rows), dtype=bool)
    for one, span in zip(found, spans, strict=True):
        real = torch.arange(span.stop - span.start)[:, None] < one.call.layout.lengths[one.rows]
        valid[span.start : span.stop, : len(one.rows)] = real.numpy()
    if len(found) == 1:
        return {what: value.numpy() for what, value in found[0].values.items()}, valid
    arrays = {}
    for what, value in found[0].values.items():
        shape = (*value.shape[:2], len(valid), rows, value.shape[-1])
        arrays[what] = np.zeros(shape, dtype=value.numpy().dtype)
        for one, span in zip(found, spans, strict=True):
            arrays[what][:, :, span.start : span.stop, : len(one.rows)] = one.values[what].numpy()
    return arrays, valid
