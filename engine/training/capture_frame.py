"""Capturing a frame: outputs, states and gradients of a network on the probe, as one value."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Any

import numpy as np
import torch

from engine.cells import CELLS
from engine.diagnosis import best_chain, diagnose
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.frame import TrainingProgress
from engine.frame.held_out import HeldOutRecord
from engine.lens.embedding_map import EmbeddingMap
from engine.lens.forward_trace import DRAWN, ForwardTrace, trace_forward
from engine.lens.gradient_flow import losses_and_gradient, seed
from engine.lens.norms import Endpoints, SequenceNorms, gradient_norms
from engine.lens.on_demand import compute_on_demand
from engine.lens.preactivations import preactivations
from engine.lens.step_factors import factors_of
from engine.lens.sweep import sweep
from engine.lens.weight_gradients import weight_gradients_of, where_enters
from engine.model import RecurrentNetwork
from engine.tasks import Batch, task_of


def capture_frame(
    model: RecurrentNetwork,
    probe: Batch,
    info: RunInfo,
    progress: TrainingProgress,
    record: HeldOutRecord,
    untrained_map: EmbeddingMap | None,
    requested: Collection[str] = (),
) -> Frame:
    """Capture a frame of a network as it is. Changes nothing and draws no random number.

    Args:
        info: of the run, with the settings in force now.
        record: what was measured on the held-out sequences until now.
        untrained_map: `embedding_map` of the same network before training; None if it has no embedding.
        requested: readings that a frame has only on request, written as `engine.frame.reading_request` says; those that
            this network does not have stay None.
    """
    trace = trace_forward(model, probe)
    per_step, gradient = losses_and_gradient(trace)
    losses = swept_losses(info.experiment)
    swept = sweep(trace, seed(trace, losses, gradient))
    seeds = followed_seeds(losses)
    norms = gradient_norms(SequenceNorms.of(swept.chains, seeds[: info.directions]), Endpoints.of(probe, info), DRAWN)
    enters = [where_enters(trace, DRAWN, d, loss) for d, loss in enumerate(("last", "first"))]
    with torch.no_grad():
        sequence_loss = (per_step * model.loss_weights(probe)).sum(0)
        outputs, free_outputs = model.predictions(trace.logits, probe), _free_outputs(model, probe, info)
    probe_loss = float(sequence_loss.mean())
    if not progress.step:
        progress = dataclasses.replace(progress, loss=probe_loss)
    frame = Frame(
        probe_loss=probe_loss,
        metric=task_of(info.experiment).metric.measure(probe, outputs if free_outputs is None else free_outputs),
        outputs=probe.after_source(outputs[:, DRAWN], np.nan),
        free_outputs=None if free_outputs is None else probe.after_source(free_outputs[:, DRAWN], np.nan),
        loss_per_step=probe.after_source(per_step[:, DRAWN].cpu().numpy(), 0),
        sequence_loss=sequence_loss.cpu().numpy(),
        factors=factors_of(swept, seeds),
        mean_weights=_mean_weights(model),
        spectral_norms=_spectral_norms(model),
        weight_gradients=weight_gradients_of(swept, seeds, enters),
        **_states(trace),
        **_data(probe),
        **_embedding(model, untrained_map),
        **compute_on_demand(trace, requested),
        **vars(progress),
        **vars(record),
        **vars(norms),
        **vars(preactivations(trace)),
    )
    return dataclasses.replace(frame, diagnosis=diagnose(info, frame))


def verdicts_gradient(model: RecurrentNetwork, probe: Batch, info: RunInfo) -> tuple[float, float]:
    """(the verdict's ratio, the gradient norm where the last loss enters), without the rest of a frame."""
    trace = trace_forward(model, probe)
    _, gradient = losses_and_gradient(trace)
    losses = swept_losses(info.experiment)
    swept, seeds = sweep(trace, seed(trace, losses, gradient)), followed_seeds(losses)
    norms = gradient_norms(SequenceNorms.of(swept.chains, seeds[: info.directions]), Endpoints.of(probe, info))
    return float(norms.ratio[best_chain(info, norms)]), norms.output_grad_norm


def swept_losses(experiment: Experiment) -> list[str | int]:
    """Choose the losses to sweep: all, the last, and, if there is a reverse direction, the first."""
    if experiment.rnn_type == "many_to_one":
        return ["all"]  # the only loss is all of them, the last and the first
    return ["all", "last", "first"] if experiment.bidirectional else ["all", "last"]


def followed_seeds(losses: list[str | int]) -> tuple[int, int]:
    """Which of `swept_losses` is followed for the verdict, by direction; losses that are the same have one seed."""
    return min(1, len(losses) - 1), len(losses) - 1


def embedding_map(model: RecurrentNetwork, untrained: EmbeddingMap | None = None) -> EmbeddingMap | None:
    """Project the embedding to two dimensions, aligned to the untrained network's; None without an embedding."""
    table = model.embedding
    return None if table is None else EmbeddingMap.of(table.weight.detach().cpu().numpy(), untrained)


def _free_outputs(model: RecurrentNetwork, probe: Batch, info: RunInfo) -> np.ndarray | None:
    """`predictions` of a network that is given only its own outputs; None if it is not autoregressive."""
    if not info.is_autoregressive:
        return None
    training = model.training
    model.eval()
    try:
        return model.predictions(model.generate(probe), probe)
    finally:
        model.train(training)


@torch.no_grad()
def _mean_weights(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """The mean size of the weights of every matrix."""
    matrices = ((name, weights) for name, weights in model.named_parameters() if weights.ndim == 2)
    return {name: np.array(weights.abs().mean(dtype=torch.float64).item()) for name, weights in matrices}


@torch.no_grad()
def _spectral_norms(model: RecurrentNetwork) -> dict[str, np.ndarray]:
    """The largest singular value of the weights from state to state, in a cell whose gradient nothing else scales."""
    cell = CELLS[model.experiment.cell]
    if not cell.is_plain:
        return {}
    recurrent = ("weight_hh_", *(f"{vector.name}_" for vector in cell.vectors if vector.is_recurrent))
    return {
        name: np.array(torch.linalg.matrix_norm(weights if weights.ndim == 2 else weights.diag(), 2).item())
        for name, weights in model.named_parameters()
        if name.partition(".")[2].startswith(recurrent)
    }


def _states(trace: ForwardTrace) -> dict[str, Any]:
    """What the layers did with the drawn sequence."""
    return {
        "hidden": trace.states(lambda cell_trace: cell_trace.hidden, DRAWN),
        "cell": trace.states(lambda cell_trace: cell_trace.cell, DRAWN) if trace.has_cell_state else None,
        "gates": trace.gates(DRAWN),
        "upper": trace.upper(DRAWN),
    }


def _data(probe: Batch) -> dict[str, Any]:
    """The drawn sequence: inputs, targets, and which steps are real or have a loss."""
    fed_back = probe.inputs[:0] if probe.decoder_inputs is None else probe.decoder_inputs
    return {
        "inputs": np.concatenate([probe.inputs[:, DRAWN], fed_back[:, DRAWN]]),
        "targets": probe.after_source(probe.targets[:, DRAWN], 0),
        "valid": probe.valid[:, DRAWN].copy(),
        "counted": probe.counted[:, DRAWN].copy(),
    }


def _embedding(model: RecurrentNetwork, untrained: EmbeddingMap | None) -> dict[str, Any]:
    """The fields of a frame that show the embedding."""
    symbols = embedding_map(model, untrained)
    return {"embedding": None, "embedding_share": None} if symbols is None else vars(symbols)
