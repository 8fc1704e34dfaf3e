"""Trace one chain of the drawn sequence step by step, forward and backward."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad

from engine.cells import CELLS
from engine.cells.adjoint import CellTrace
from engine.frame.readings import StepFactors
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.jacobians import Links, chains_of_steps
from engine.lens.step_factors import factors_of
from engine.lens.sweep import ChainGradients, SweepResult, chains_of, sweep
from engine.model import RecurrentNetwork
from engine.step_through.sequence_trace import MAX_JACOBIAN_ENTRIES, SequenceTrace, TraceError
from engine.tasks import Batch


def trace_chain(
    model: RecurrentNetwork, batch: Batch, layer: int = -1, direction: int = 0, *, sequence: int = 0, step: int = 0
) -> SequenceTrace:
    """Trace one sequence of a batch through one chain, in evaluation mode. Changes nothing, draws no random numbers.

    Args:
        step: updates made so far, stored in the trace.

    Raises:
        TraceError: if the network has no such layer or direction.
    """
    e = model.experiment
    if not (-e.num_layers <= layer < e.num_layers and 0 <= direction < e.directions):
        raise TraceError(
            f"There is no layer {layer} in direction {direction}: this network has {e.num_layers} "
            f"layer{'s' if e.num_layers > 1 else ''}, and reads {'both ways' if e.bidirectional else 'one way'}."
        )
    layer %= e.num_layers
    trace = trace_forward(model, batch).single_sequence(sequence)
    swept = sweep(trace, seed(trace, ["all"]))
    chains = chains_of(swept, layer, direction)
    positions = np.concatenate([chain.positions for chain in chains])
    with torch.no_grad():
        return SequenceTrace(
            step=step,
            layer=layer,
            direction=direction,
            positions=positions,
            part=np.repeat(np.arange(len(chains)), [len(chain.positions) for chain in chains]),
            cut=np.isin(positions, _truncation_points(trace)),
            **_inputs_and_outputs(trace, positions),
            **_forward(trace, chains),
            **_backward(trace, chains),
            factors=_factors(swept, layer, direction, positions),
            **_jacobians(trace, layer, direction, len(positions)),
        )


def _truncation_points(trace: ForwardTrace) -> list[int]:
    """Positions before which truncation cuts; an encoder-decoder has none."""
    return trace.model.truncation_points(len(trace.batch.valid)) if len(trace.passes) == 1 else []


def _inputs_and_outputs(trace: ForwardTrace, positions: np.ndarray) -> dict[str, Any]:
    """Inputs, outputs, targets and losses at these positions."""
    model, batch = trace.model, trace.batch
    fed_back = batch.inputs[:0] if batch.decoder_inputs is None else batch.decoder_inputs
    target_side = {
        "outputs": (model.predictions(trace.logits, batch), np.nan),
        "targets": (batch.targets, 0),
        "loss": (_array([model.step_losses(trace.logits, batch)]), 0),
        "loss_weight": (_array([model.loss_weights(batch)]) * batch.mask, 0),
    }
    values_by_name = {"read": np.concatenate([batch.inputs, fed_back]), "counted": batch.counted}
    for name, (values, fill) in target_side.items():
        values_by_name[name] = batch.after_source(values, fill)
    return {name: values[positions, 0] for name, values in values_by_name.items()}


def _forward(trace: ForwardTrace, chains: list[ChainGradients]) -> dict[str, Any]:
    """Inputs, preactivation terms, gates and states of every step, in the dtype of the network."""
    e, dtype = trace.model.experiment, trace.output.dtype
    cell_traces, blocks = [chain.cell_trace for chain in chains], (CELLS[e.cell].blocks, e.hidden_size)
    width, vectors = max(cell_trace.inputs.shape[-1] for cell_trace in cell_traces), 1 + CELLS[e.cell].is_recurrent

    def stacked(pick: Callable[[CellTrace], Tensor | None], *shape: int) -> np.ndarray | None:
        """Concatenate over the passes; None if the cell does not have it."""
        parts = [part for cell_trace in cell_traces if (part := pick(cell_trace)) is not None]
        return _array([part.to(dtype).reshape(-1, *(shape or part.shape[-1:])) for part in parts]) if parts else None

    return {
        "inputs": stacked(lambda r: _filled(r.inputs, width)),
        "input_size": tuple(cell_trace.inputs.shape[-1] for cell_trace in cell_traces),
        "hidden": stacked(lambda r: r.hidden),
        "first_hidden": cell_traces[0].initial[0, 0].to(dtype).cpu().numpy(),
        "cell": stacked(lambda r: r.cell),
        "first_cell": None if cell_traces[0].cell is None else _array([torch.zeros(e.hidden_size, dtype=dtype)]),
        "gates": {name: stacked(lambda r, name=name: r.gates[name]) for name in cell_traces[0].gates},  # type: ignore[misc]
        "from_input": stacked(lambda r: r.inputs @ r.weights.ih.T, *blocks),
        "from_state": stacked(lambda r: None if r.weights.hh is None else r.previous_hidden @ r.weights.hh.T, *blocks),
        "biases": stacked(lambda r: torch.stack([b for b in r.weights[2:4] if b is not None]), vectors, *blocks),
        "peepholes": stacked(lambda r: r.weights.ch, CELLS[e.cell].peepholes, e.hidden_size),
        "weight_ih": stacked(lambda r: _filled(r.weights.ih, width), len(cell_traces[0].weights.ih), width),
        "weight_hh": stacked(lambda r: r.weights.hh, len(cell_traces[0].weights.ih), e.hidden_size),
    }


def _backward(trace: ForwardTrace, chains: list[ChainGradients]) -> dict[str, Any]:
    """The backward pass, one step at a time in float64, to keep apart what arrives from the next step."""
    cuts, has_cell = set(_truncation_points(trace)), chains[0].cell is not None
    gradients: dict[str, list[Tensor]] = {}
    grad_carry = tuple(torch.zeros_like(chains[-1].direct[:1]) for _ in range(2 if has_cell else 1))
    for chain in reversed(chains):
        total = chain.direct[:, None].clone()  # (n, 1 row, H)
        cell, grad_input_proj = torch.zeros_like(total), total.new_empty(len(total), 1, chain.grad_input_proj.shape[-1])
        later = [torch.empty_like(total) for _ in grad_carry]
        for t in reversed(range(len(total))):
            for here, incoming in zip(later, grad_carry, strict=True):
                here[t] = incoming
            grad_carry = chain.cell_trace.backward_sweep(
                t, t + 1, total, cell if has_cell else None, grad_input_proj, grad_carry
            )
            if int(chain.positions[t]) in cuts:
                grad_carry = tuple(torch.zeros_like(state) for state in grad_carry)
        parts = {"grad": total, "direct": chain.direct, "later": later[0], "entering": grad_input_proj}
        if chain.cell_trace.weights.hh is not None:
            parts["entering_state"] = chain.cell_trace.grad_state_proj(grad_input_proj[:, None])
        if has_cell:
            parts |= {"grad_cell": cell, "cell_from_hidden": _from_hidden(chain, total), "cell_later": later[1]}
        for name, values in parts.items():
            gradients.setdefault(name, []).insert(0, values.flatten(1))
    absent = dict.fromkeys(("entering_state", "grad_cell", "cell_from_hidden", "cell_later"))
    return absent | {name: _array(parts) for name, parts in gradients.items()}


def _from_hidden(chain: ChainGradients, total: Tensor) -> Tensor:
    """(n, H): the gradient of c_t through h_t of the same step alone. All steps are computed as one batch."""
    beside = total.transpose(0, 1).clone()
    cell, zeros = torch.empty_like(beside), torch.zeros_like(beside[0])
    grad_input_proj = beside.new_empty(*beside.shape[:-1], chain.grad_input_proj.shape[-1])
    cell_trace = chain.cell_trace.map_tensors(lambda values: values.transpose(0, 1))
    cell_trace.backward_sweep(0, 1, beside, cell, grad_input_proj, (zeros, zeros))
    return cell[0]


def _filled(values: Tensor, width: int) -> Tensor:
    """Pad (..., I) with zeros to (..., width)."""
    return pad(values, (0, width - values.shape[-1]))


def _array(parts: Sequence[Tensor]) -> np.ndarray:
    """Concatenate to one array."""
    return torch.cat(list(parts)).cpu().numpy()


def _jacobians(trace: ForwardTrace, layer: int, direction: int, steps: int) -> dict[str, Any]:
    """Jacobians of all units, or of the first ones if there would be more than MAX_JACOBIAN_ENTRIES."""
    e, kind = trace.model.experiment, CELLS[trace.model.experiment.cell]
    states = 2 if kind.has_cell_state else 1
    units = np.arange(min(e.hidden_size, max(1, math.isqrt(MAX_JACOBIAN_ENTRIES // steps) // states)))
    if not kind.is_recurrent:
        return {"jacobians": None, "units": units[:0]}
    jacobians = []
    for links in chains_of_steps(trace)[layer][direction].passes:
        count = len(units)  # rows and columns of these units alone
        part = Links(links.blocks[:, :count, :count], links.through[..., :count], links.direct[..., :count])
        jacobians.append(part.dense(0, links.direct.shape[1]).to(trace.output.dtype))
    return {"jacobians": _array(jacobians), "units": units}


def _factors(swept: SweepResult, layer: int, direction: int, positions: np.ndarray) -> StepFactors:
    """Step factors of this chain, in its order of steps."""
    whole, own = factors_of(swept, (0, 0)), (layer, direction, positions)
    slope = None if whole.slope is None else whole.slope[own]
    weights = None if whole.weights is None else whole.weights[own]
    return StepFactors(whole.factor[own], slope, weights, {name: share[own] for name, share in whole.shares.items()})
