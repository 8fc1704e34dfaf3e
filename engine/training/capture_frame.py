"""Capturing a frame: outputs, states and gradients of a network on the probe, as one value."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.diagnosis import best_chain, diagnose
from engine.diagnosis.attention import AttentionUse
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.frame import TrainingProgress
from engine.frame.held_out import HeldOutRecord
from engine.layers.crossing import to_cpu
from engine.lens.attention_paths import AttentionRead, attention_reading, read_attention
from engine.lens.cut_gradient import cut_gradient_norm
from engine.lens.embedding_map import EmbeddingMap
from engine.lens.forward_trace import DRAWN, ForwardTrace, trace_forward
from engine.lens.gradient_flow import losses_and_gradient, seed
from engine.lens.norms import Endpoints, NormRows, SequenceNorms, entering_norms, gradient_norms, norm_rows
from engine.lens.on_demand import compute_on_demand
from engine.lens.preactivations import preactivations
from engine.lens.step_factors import factors_of
from engine.lens.sweep import SweepResult, sweep
from engine.lens.weight_gradients import weight_gradients_of, where_enters
from engine.lens.wiring import wiring_of
from engine.model import RecurrentNetwork
from engine.model.carried_state import CarriedState
from engine.tasks import Batch, task_of
from engine.training.held_out import VerdictsGradient


def capture_frame(
    model: RecurrentNetwork,
    probe: Batch,
    info: RunInfo,
    progress: TrainingProgress,
    record: HeldOutRecord,
    untrained_map: EmbeddingMap | None,
    requested: Collection[str] = (),
    carried: CarriedState | None = None,
) -> Frame:
    """Capture a frame of a network as it is. Changes nothing and draws no random number.

    Args:
        info: of the run, with the settings in force now.
        record: what was measured on the held-out sequences until now.
        untrained_map: `embedding_map` of the same network before training; None if it has no embedding.
        requested: readings that a frame has only on request, written as `engine.frame.reading_request` says; those that
            this network does not have stay None.
        carried: the state with which the sequences begin; None: zero.
    """
    trace = trace_forward(model, probe, carried)
    losses = swept_losses(info.experiment)
    seeds = followed_seeds(losses)
    read = _read(model, probe, info, trace, losses)
    norms = SequenceNorms.from_rows(read.norms, seeds[: info.directions])
    ends = Endpoints.of(probe, info)
    backwards = "last" if probe.source_steps else "first"
    enters = [where_enters(trace, DRAWN, d, loss) for d, loss in enumerate(("last", backwards))]
    outputs = model.predictions(read.logits, probe)
    free_outputs = None if read.free_logits is None else model.predictions(read.free_logits, probe)
    probe_loss = float(read.sequence_loss.mean())
    given = model.given_to_loss(read.logits) if info.outputs == "symbols" else None
    if not progress.step:
        progress = dataclasses.replace(progress, loss=probe_loss)
    frame = Frame(
        probe_loss=probe_loss,
        metric=task_of(info.experiment).metric.measure(probe, outputs if free_outputs is None else free_outputs),
        outputs=probe.after_source(outputs[:, DRAWN], np.nan),
        free_outputs=None if free_outputs is None else probe.after_source(free_outputs[:, DRAWN], np.nan),
        loss_per_step=probe.after_source(read.loss_per_step[:, DRAWN].numpy(), 0),
        sequence_loss=read.sequence_loss.numpy(),
        factors=factors_of(read.swept, seeds),
        mean_weights={name: mean.numpy() for name, mean in read.mean_weights.items()},
        spectral_norms=_spectral_norms(read.plain_weights),
        weight_gradients=weight_gradients_of(read.swept, seeds, enters),
        **_states(read),
        **_start(model),
        **_data(probe),
        **_embedding(read.embedding, untrained_map),
        **compute_on_demand(trace, requested),
        **vars(progress),
        **vars(record),
        **_gradients(read.attention, norms, ends, seeds[0]) | {"cut_grad_norm": _cut(model, probe)},
        **vars(wiring_of(probe, norms, ends, given)),
        **vars(preactivations(read.swept.trace)),
    )
    return dataclasses.replace(frame, diagnosis=diagnose(info, frame))


@dataclass(frozen=True, eq=False)
class _Read:
    """What a frame is made of, as tensors.

    Args:
        swept: the sweep, and the trace in it: at least of the drawn sequence, which is the first.
        norms: of all sequences. logits, free_logits: of all; the latter None if nothing is fed back. loss_per_step: (T,
            B). sequence_loss: (B,).
        attention: what the decoder reads of its encoder, or None.
        upper: the states of the output layers. mean_weights: the mean size of the weights of every matrix.
        plain_weights: the weights from state to state, of a cell whose gradient nothing else scales.
        embedding: the table, or None.
    """

    swept: SweepResult
    norms: NormRows
    logits: Tensor
    free_logits: Tensor | None
    loss_per_step: Tensor
    sequence_loss: Tensor
    attention: AttentionRead | None
    upper: list[Tensor]
    mean_weights: dict[str, Tensor]
    plain_weights: dict[str, Tensor]
    embedding: Tensor | None


def _read(
    model: RecurrentNetwork, probe: Batch, info: RunInfo, trace: ForwardTrace, losses: Sequence[str | int]
) -> _Read:
    """Sweep, and bring to the CPU in one copy all that is needed; from another device no more than that."""
    per_step, gradient = losses_and_gradient(trace)
    swept = sweep(trace, seed(trace, losses, gradient))
    with torch.no_grad():
        whole = _Read(
            swept=swept if trace.output.device.type == "cpu" else swept.single_sequence(DRAWN),
            norms=norm_rows(swept.chains),
            logits=trace.logits,
            free_logits=_free_logits(model, probe, info),
            loss_per_step=per_step,
            sequence_loss=(per_step * model.loss_weights(probe)).sum(0),
            attention=read_attention(trace, swept, gradient),
            upper=trace.upper_states(DRAWN),
            mean_weights=_mean_weights(model),
            plain_weights=_plain_weights(model),
            embedding=None if model.embedding is None else model.embedding.weight.detach(),
        )
    return to_cpu(whole)


def verdicts_gradient(model: RecurrentNetwork, probe: Batch, info: RunInfo) -> VerdictsGradient:
    """What the verdict needs of the gradient, without the rest of a frame."""
    trace = trace_forward(model, probe)
    _, gradient = losses_and_gradient(trace)
    losses = swept_losses(info.experiment)
    swept, seeds = sweep(trace, seed(trace, losses, gradient)), followed_seeds(losses)
    every, ends = SequenceNorms.of(swept.chains, seeds[: info.directions]), Endpoints.of(probe, info)
    norms = gradient_norms(every, ends)
    chain, use = best_chain(info, norms), None
    if (read := to_cpu(read_attention(trace, swept, gradient))) is not None:
        use = AttentionUse.of(attention_reading(read, entering_norms(every.memory, ends), ends, seeds[0])[0], chain)
    return VerdictsGradient(float(norms.ratio[chain]), norms.output_grad_norm, use)


def _gradients(attention: AttentionRead | None, norms: SequenceNorms, ends: Endpoints, followed: int) -> dict[str, Any]:
    """The fields that summarise the gradients, and with attention by which paths they came."""
    values = vars(gradient_norms(norms, ends, DRAWN))
    if attention is None:
        return values
    reading, bridge = attention_reading(attention, entering_norms(norms.memory, ends), ends, followed)
    return values | {"attention": reading, "bottleneck_grad_norm": bridge}


def swept_losses(experiment: Experiment) -> list[str | int]:
    """Choose the losses to sweep: all, the last, and, if there is a reverse direction that answers, the first."""
    if experiment.rnn_type == "many_to_one":
        return ["all"]  # the only loss is all of them, the last and the first
    answers_backwards = experiment.bidirectional and experiment.rnn_type != "encoder_decoder"
    return ["all", "last", "first"] if answers_backwards else ["all", "last"]


def followed_seeds(losses: list[str | int]) -> tuple[int, int]:
    """Which of `swept_losses` is followed for the verdict, by direction; losses that are the same have one seed."""
    return min(1, len(losses) - 1), len(losses) - 1


def embedding_map(model: RecurrentNetwork) -> EmbeddingMap | None:
    """Project the embedding of a network to two dimensions; None without an embedding."""
    table = model.embedding
    return None if table is None else EmbeddingMap.of(table.weight.detach().cpu().numpy())


def _cut(model: RecurrentNetwork, probe: Batch) -> float | None:
    """`GradientNorms.cut_grad_norm`."""
    if not model.experiment.carry_state or not model.truncation_points(len(probe.inputs)):
        return None
    return cut_gradient_norm(model, probe.single_sequence(DRAWN))


def _free_logits(model: RecurrentNetwork, probe: Batch, info: RunInfo) -> Tensor | None:
    """Logits of a network that is given only its own outputs; None if it is not autoregressive."""
    if not info.is_autoregressive:
        return None
    training = model.training
    model.eval()
    try:
        return model.generate(probe)
    finally:
        model.train(training)


def _mean_weights(model: RecurrentNetwork) -> dict[str, Tensor]:
    """The mean size of the weights of every matrix."""
    matrices = ((name, weights) for name, weights in model.named_parameters() if weights.ndim == 2)
    return {name: weights.abs().mean(dtype=torch.float64) for name, weights in matrices}


def _plain_weights(model: RecurrentNetwork) -> dict[str, Tensor]:
    """The weights from state to state, in a cell whose gradient nothing else scales; of other cells none."""
    cell = CELLS[model.experiment.cell]
    if not cell.is_plain:
        return {}
    recurrent = ("weight_hh_", *(f"{vector.name}_" for vector in cell.vectors if vector.is_recurrent))
    return {
        name: weights.detach()
        for name, weights in model.named_parameters()
        if name.partition(".")[2].startswith(recurrent)
    }


def _spectral_norms(plain_weights: Mapping[str, Tensor]) -> dict[str, np.ndarray]:
    """The largest singular value of each."""
    return {
        name: np.array(torch.linalg.matrix_norm(weights if weights.ndim == 2 else weights.diag(), 2).item())
        for name, weights in plain_weights.items()
    }


def _states(read: _Read) -> dict[str, Any]:
    """What the layers did with the drawn sequence."""
    trace = read.swept.trace
    assert isinstance(trace, ForwardTrace)
    return {
        "hidden": trace.states(lambda cell_trace: cell_trace.hidden, DRAWN),
        "cell": trace.states(lambda cell_trace: cell_trace.cell, DRAWN) if trace.has_cell_state else None,
        "gates": trace.gates(DRAWN),
        "upper": trace.upper(DRAWN, read.upper),
    }


def _start(model: RecurrentNetwork) -> dict[str, Any]:
    """The learned state before the first step; empty where it is 0."""
    e, states = model.experiment, model.start(1)
    if states is None:
        return {}
    rows = [each[:, 0].detach().cpu().numpy() for each in (states if isinstance(states, tuple) else (states,))]
    named = zip(("first_hidden", "first_cell"), rows, strict=False)
    return {name: row.reshape(e.num_layers, e.directions, -1) for name, row in named}


def _data(probe: Batch) -> dict[str, Any]:
    """The drawn sequence: inputs, targets, and which steps are real or have a loss."""
    fed_back = probe.inputs[:0] if probe.decoder_inputs is None else probe.decoder_inputs
    return {
        "inputs": np.concatenate([probe.inputs[:, DRAWN], fed_back[:, DRAWN]]),
        "targets": probe.after_source(probe.targets[:, DRAWN], 0),
        "valid": probe.valid[:, DRAWN].copy(),
        "counted": probe.counted[:, DRAWN].copy(),
    }


def _embedding(table: Tensor | None, untrained: EmbeddingMap | None) -> dict[str, Any]:
    """The fields of a frame that show the embedding."""
    if table is None:
        return {"embedding": None, "embedding_share": None}
    return vars(EmbeddingMap.of(table.numpy(), untrained))
