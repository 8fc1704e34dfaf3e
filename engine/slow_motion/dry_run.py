"""Make the next update on a copy of the trainer and record every part of it, see `UpdateTrace`."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from engine.lens.gradient_flow import GradientFlow, gradient_flow
from engine.model import RecurrentNetwork
from engine.model.carried_state import CarriedState
from engine.model.recurrent_dropout import masked_copy
from engine.slow_motion.update_trace import UpdateTrace
from engine.tasks import Batch
from engine.training.chance import chance_of

if TYPE_CHECKING:
    from engine.training import Trainer

SAME_PASS_TOLERANCE = 1e-4
"""Relative and absolute tolerance: smaller differences of logits come from other kernels, not from another pass."""


def dry_run_update(trainer: Trainer) -> UpdateTrace:
    """Trace the update that this trainer would make next, without changing the trainer or drawing random numbers.

    Raises:
        NotFiniteError: if the update cannot be made, like `Trainer.advance`.
    """
    twin, weights = copy.deepcopy(trainer), _parameter_values(trainer.model)
    with _recorded_calls(twin.model) as passes:
        loss = twin.advance()
    batch, logits = passes[0]
    carried = None if trainer.carried is None else trainer.carried.single_sequence(0)
    clipped, moved = _gradients(twin.model), _parameter_values(twin.model)
    reader = _reader(trainer)
    return UpdateTrace(
        experiment=trainer.experiment,
        step=trainer.step,
        loss=loss,
        batch_size=len(batch.lengths),
        frame=reader.sequence_frame(batch.single_sequence(0), carried=carried),
        **_drawn_sequence(reader.model, batch, logits, carried),
        norm=twin.param_grad_norm,
        norm_clipped=twin.param_grad_norm_clipped,
        clipped=twin.clipped,
        cut_to_limit=twin.cut_to_limit,
        parameters=tuple(name for name, _ in trainer.model.named_parameters()),
        shapes=tuple(tuple(parameter.shape) for parameter in trainer.model.parameters()),
        weight_norms=_norms(weights),
        gradient_norms=_norms(_unclipped(trainer) if twin.clipped else clipped),
        clipped_norms=_norms(clipped),
        change_norms=_norms([after - before for after, before in zip(moved, weights, strict=True)]),
        loss_after=_loss_after(twin, trainer),
    )


def _reader(trainer: Trainer) -> Trainer:
    """A trainer whose network reads with the weights of this update: some links dropped, if there is such dropout."""
    if not trainer.experiment.recurrent_dropout:
        return trainer
    reader = copy.deepcopy(trainer)
    with chance_of(trainer.experiment, trainer.step):
        reader.model = masked_copy(trainer.model, trainer.experiment)
    return reader


@contextlib.contextmanager
def _recorded_calls(model: RecurrentNetwork, *, training: bool = True) -> Iterator[list[tuple[Batch, Tensor]]]:
    """Record (batch, logits) of the network's forward calls in training mode, or of those in evaluation mode."""
    calls: list[tuple[Batch, Tensor]] = []

    def record(module: torch.nn.Module, args: tuple[Batch], logits: Tensor) -> None:
        if module.training == training:
            calls.append((args[0], logits.detach()))

    handle = model.register_forward_hook(record)
    try:
        yield calls
    finally:
        handle.remove()


def _unclipped(trainer: Trainer) -> list[Tensor]:
    """The gradients of the same update without clipping, from another copy: clipping works in place."""
    free = copy.deepcopy(trainer)
    free.update(clip="none")
    free.advance()
    return _gradients(free.model)


def _loss_after(twin: Trainer, before: Trainer) -> float:
    """The loss of the last update's batch with the new weights. Makes another update, so the twin is used up."""
    twin.model.kept_state = before.model.kept_state
    twin.step_back()
    with _recorded_calls(twin.model) as passes:
        try:
            return twin.advance()
        except ArithmeticError:  # that update failed, but the loss may be finite
            batch, logits = passes[0]
            return float((twin.model.step_losses(logits, batch) * twin.model.loss_weights(batch)).sum(0).mean())


def _drawn_sequence(
    model: RecurrentNetwork, batch: Batch, logits: Tensor, carried: CarriedState | None
) -> dict[str, Any]:
    """Sequence 0 of a batch: inputs, states, outputs, losses, and the gradient at its states."""
    single = batch.single_sequence(0)
    with _recorded_calls(model, training=False) as passes:
        flow = gradient_flow(model, single, carried=carried)
    losses = model.step_losses(logits, batch).cpu().numpy()
    counted = batch.mask.sum(1)
    mean = np.where(counted > 0, losses.sum(1) / np.maximum(counted, 1), np.nan)
    decoder_inputs = batch.inputs[:0] if batch.decoder_inputs is None else batch.decoder_inputs
    sequence = logits[:, :1]
    return {
        "as_trained": torch.allclose(passes[0][1], sequence, SAME_PASS_TOLERANCE, SAME_PASS_TOLERANCE, equal_nan=True),
        "inputs": np.concatenate([batch.inputs[:, 0], decoder_inputs[:, 0]]),
        "valid": batch.valid[:, 0].copy(),
        "counted": batch.counted[:, 0].copy(),
        "hidden": flow.hidden[:, :, :, 0].copy(),
        "outputs": batch.after_source(model.predictions(sequence, single)[:, 0], np.nan),
        "targets": batch.after_source(batch.targets[:, 0], 0),
        "loss_per_step": batch.after_source(losses[:, 0], 0),
        "sequence_loss": float((losses * model.loss_weights(batch).cpu().numpy())[:, 0].sum()),
        "batch_loss_per_step": batch.after_source(mean, np.nan),
        **_gradient_norms(flow, len(batch.lengths)),
    }


def _gradient_norms(flow: GradientFlow, batch_size: int) -> dict[str, np.ndarray]:
    """Gradient norms of L: the flow is that of this sequence's own loss, and L is the mean over the batch."""
    gradients = {"grad_norm": flow.grad_hidden, "entering_norm": flow.grad_hidden_direct}
    return {name: _safe_norm(values[:, :, :, 0]) / batch_size for name, values in gradients.items()}


def _safe_norm(values: np.ndarray) -> np.ndarray:
    """The 2-norm, (..., units) to (...), without underflow or overflow of the squares in float64."""
    peak = np.abs(values).max(-1)
    usable = (peak > 0) & np.isfinite(peak)
    scaled = values / np.where(usable, peak, 1)[..., None]
    return np.where(usable, peak * np.sqrt((np.where(usable[..., None], scaled, 0) ** 2).sum(-1)), peak)


def _parameter_values(model: RecurrentNetwork) -> list[Tensor]:
    """A copy of every parameter, float64."""
    return [parameter.detach().double().clone() for parameter in model.parameters()]


def _gradients(model: RecurrentNetwork) -> list[Tensor]:
    """A copy of every parameter's gradient, float64; zeros for an unused parameter."""
    return [
        torch.zeros_like(p, dtype=torch.float64) if p.grad is None else p.grad.double().clone()
        for p in model.parameters()
    ]


def _norms(values: list[Tensor]) -> np.ndarray:
    """The 2-norm of each tensor, (P,)."""
    return np.array([float(torch.linalg.vector_norm(each)) for each in values])
