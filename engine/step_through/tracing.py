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
from engine.frame.readings import StepFactors
from engine.layers.cell_trace import CellTrace, SweepSpan
from engine.lens.chain_gradients import ChainGradients, chains_of
from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.gradient_flow import seed
from engine.lens.jacobians import chains_of_steps
from engine.lens.step_factors import factors_of
from engine.lens.sweep import SweepResult, sweep
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
        TraceError: if the network has no such layer or direction, or no step follows from another.
    """
    e = model.experiment
    if not (-e.num_layers <= layer < e.num_layers and 0 <= direction < e.directions):
        raise TraceError(
            f"There is no layer {layer} in direction {direction}: this network has {e.num_layers} "
            f"layer{'s' if e.num_layers > 1 else ''}, and reads {'both ways' if e.bidirectional else 'one way'}."
        )
    if model.reads_across_the_batch:
        raise TraceError("This network reads across the batch: no step of a sequence follows from the one before it.")
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
            cut=np.isin(positions, trace.cuts),
            **_inputs_and_outputs(trace, positions),
            **_forward(trace, chains),
            **_backward(trace, chains, chains_of(swept, layer, 0)[len(chains) :]),
            factors=_factors(swept, layer, direction, positions),
            **_jacobians(trace, layer, direction, len(positions)),
        )


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
    kind = CELLS[e.cell]
    cell_traces, blocks = [chain.cell_trace for chain in chains], (kind.blocks, e.hidden_size)
    width = max(cell_trace.inputs.shape[-1] for cell_trace in cell_traces)
    symbols = {vector.name: len(vector.symbols) for vector in kind.vectors}
    biases = kind.has_bias * (1 + (kind.state_blocks > 0))

    def stacked(pick: Callable[[CellTrace], Tensor | None], *shape: int) -> np.ndarray | None:
        """Concatenate over the passes; None if the cell does not have it."""
        parts = [part for cell_trace in cell_traces if (part := pick(cell_trace)) is not None]
        return _array([part.to(dtype).reshape(-1, *(shape or part.shape[-1:])) for part in parts]) if parts else None

    return {
        "inputs": stacked(lambda r: _filled(r.inputs, width)),
        "input_size": tuple(cell_trace.inputs.shape[-1] for cell_trace in cell_traces),
        "hidden": stacked(lambda r: r.hidden),
        "first_hidden": cell_traces[0].initial[0][0, 0].to(dtype).cpu().numpy(),
        "cell": stacked(lambda r: r.cell),
        "first_cell": cell_traces[0].initial[1][0, 0].to(dtype).cpu().numpy() if kind.has_cell_state else None,
        **_bridge(trace, cell_traces),
        "gates": {name: stacked(lambda r, name=name: r.gates[name]) for name in cell_traces[0].gates},  # type: ignore[misc]
        "from_input": stacked(lambda r: r.inputs @ r.weights.ih.T, *blocks),
        "from_state": stacked(_from_state, *blocks),
        "state_arguments": stacked(_state_arguments, *blocks) if kind.state_arguments else None,
        # The first axis is written out: it cannot be found where a cell has no biases.
        "biases": _array([_biases(each).to(dtype).reshape(1, biases, *blocks) for each in cell_traces]),
        "vectors": {
            name: stacked(lambda r, name=name: r.weights.vectors[name], size, e.hidden_size)  # type: ignore[misc]
            for name, size in symbols.items()
        },
        "weight_ih": stacked(lambda r: _filled(r.weights.ih, width), len(cell_traces[0].weights.ih), width),
        "weight_hh": stacked(lambda r: r.weights.hh, kind.state_blocks * e.hidden_size, e.hidden_size),
    }


def _bridge(trace: ForwardTrace, cell_traces: list[CellTrace]) -> dict[str, np.ndarray]:
    """Where a decoder starts, if not from the last state before it: the sum of both directions of its encoder."""
    if trace.shape[1] == 1 or len(cell_traces) == 1:
        return {}
    states = [each[0, 0].to(trace.output.dtype).cpu().numpy() for each in cell_traces[1].initial]
    return dict(zip(("bridge_hidden", "bridge_cell"), states, strict=False))


def _backward(
    trace: ForwardTrace, chains: list[ChainGradients], beyond: Sequence[ChainGradients] = ()
) -> dict[str, Any]:
    """The backward pass, one step at a time in float64, to keep apart what arrives from the next step.

    Args:
        beyond: what comes after the chain without being a part of it: a decoder that reads one way.
    """
    cuts, has_cell = set(trace.cuts), chains[0].cell is not None
    gradients: dict[str, list[Tensor]] = {}
    grad_carry = tuple(torch.zeros_like(chains[-1].direct[:1]) for _ in range(2 if has_cell else 1))
    for chain in reversed([*chains, *beyond]):
        total = chain.direct[:, None].clone()  # (n, 1 row, H)
        cell, grad_input_proj = torch.zeros_like(total), total.new_empty(len(total), 1, chain.grad_input_proj.shape[-1])
        later = [torch.empty_like(total) for _ in grad_carry]
        for t in reversed(range(len(total))):
            for here, incoming in zip(later, grad_carry, strict=True):
                here[t] = incoming
            span = SweepSpan(t, t + 1, total, cell if has_cell else None, grad_input_proj)
            grad_carry = chain.cell_trace.backward_sweep(span, grad_carry)
            if int(chain.positions[t]) in cuts:
                grad_carry = tuple(torch.zeros_like(state) for state in grad_carry)
        if chain in beyond:
            continue
        parts = {"grad": total, "direct": chain.direct, "later": later[0], "entering": grad_input_proj}
        apart = chain.cell_trace.step_gradients(total[:, 0], cell[:, 0] if has_cell else None)
        if apart.from_state is not None:
            parts["entering_state"] = apart.from_state
        if has_cell:
            parts |= {"grad_cell": cell, "cell_from_hidden": _from_hidden(chain, total), "cell_later": later[1]}
        for name, values in parts.items():
            gradients.setdefault(name, []).insert(0, values.flatten(1))
    absent = dict.fromkeys(("entering_state", "grad_cell", "cell_from_hidden", "cell_later"))
    return absent | {name: _array(parts) for name, parts in gradients.items()}


def _from_hidden(chain: ChainGradients, total: Tensor) -> Tensor:
    """(n, H): the gradient of c_t through h_t of the same step alone."""
    found = chain.cell_trace.step_gradients(total[:, 0], None).total_cell
    assert found is not None
    return found


def _state_arguments(trace: CellTrace) -> Tensor | None:
    """(n, G*H): what every block of weight_hh was multiplied with, unit by unit; None without a weight_hh."""
    if trace.weights.hh is None:
        return None
    zeros = torch.zeros_like(trace.hidden[:, 0])
    arguments = trace.hidden.new_zeros(len(zeros), len(trace.weights.hh))
    for rows, _, read in trace.step_gradients(zeros, zeros if trace.cell is not None else None).state_terms:
        arguments[:, rows] = read.repeat(1, (rows.stop - rows.start) // read.shape[-1])
    return arguments


def _from_state(trace: CellTrace) -> Tensor | None:
    """(n, G*H): W_hh times what its blocks read, without biases."""
    arguments = _state_arguments(trace)
    if arguments is None:
        return None
    units = trace.hidden.shape[-1]
    blocks = zip(arguments.split(units, -1), trace.weights.recurrent.split(units), strict=True)
    return torch.cat([argument @ block.T for argument, block in blocks], -1)


def _biases(trace: CellTrace) -> Tensor:
    """Both bias vectors, one, or none: (0, G*H)."""
    found = [bias for bias in trace.weights[2:4] if bias is not None]
    return torch.stack(found) if found else trace.weights.ih.new_zeros(0, len(trace.weights.ih))


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
    passes = chains_of_steps(trace)[layer][direction].passes
    jacobians = [part.of_units(len(units)).to(trace.output.dtype) for part in passes]
    return {"jacobians": _array(jacobians), "units": units}


def _factors(swept: SweepResult, layer: int, direction: int, positions: np.ndarray) -> StepFactors:
    """Step factors of this chain, in its order of steps."""
    whole, own = factors_of(swept, (0, 0)), (layer, direction, positions)
    slope = None if whole.slope is None else whole.slope[own]
    weights = None if whole.weights is None else whole.weights[own]
    shares, normalisations = (
        {name: values[own] for name, values in group.items()} for group in (whole.shares, whole.normalisations)
    )
    return StepFactors(whole.factor[own], slope, weights, shares, normalisations)
