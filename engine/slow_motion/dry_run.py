"""Makes the next update on a copy of the whole trainer and keeps every part of it, see `UpdateTrace`."""

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
from engine.slow_motion.update_trace import UpdateTrace
from engine.tasks import Batch

if TYPE_CHECKING:
    from engine.training import Trainer

SAME = 1e-4
"""Relative: logits of two passes that differ by less are of the same pass, by other kernels of the library."""


def dry_run_update(trainer: Trainer) -> UpdateTrace:
    """The update that this trainer would make next, taken apart. Changes nothing in it and draws nothing.

    Raises:
        NotFiniteError: where the update could not be made, as `Trainer.advance`.
    """
    twin, weights = copy.deepcopy(trainer), _numbers(trainer.model)
    with _heard(twin.model) as passes:
        loss = twin.advance()
    batch, logits = passes[0]
    clipped, moved = _gradients(twin.model), _numbers(twin.model)
    return UpdateTrace(
        experiment=trainer.experiment,
        step=trainer.step,
        loss=loss,
        batch_size=len(batch.lengths),
        **_drawn(trainer.model, batch, logits),
        norm=twin.param_grad_norm,
        norm_clipped=twin.param_grad_norm_clipped,
        clipped=twin.clipped,
        parameters=tuple(name for name, _ in trainer.model.named_parameters()),
        shapes=tuple(tuple(parameter.shape) for parameter in trainer.model.parameters()),
        weight_norms=_norms(weights),
        gradient_norms=_norms(_unclipped(trainer) if twin.clipped else clipped),
        clipped_norms=_norms(clipped),
        change_norms=_norms([after - before for after, before in zip(moved, weights, strict=True)]),
        loss_after=_once_more(twin),
    )


@contextlib.contextmanager
def _heard(model: RecurrentNetwork) -> Iterator[list[tuple[Batch, Tensor]]]:
    """What a network is called with meanwhile, and its logits."""
    found: list[tuple[Batch, Tensor]] = []
    handle = model.register_forward_hook(lambda _, args, logits: found.append((args[0], logits.detach())))
    try:
        yield found
    finally:
        handle.remove()


def _unclipped(trainer: Trainer) -> list[Tensor]:
    """The gradients of the same update without clipping, which changes them where they are."""
    free = copy.deepcopy(trainer)
    free.update(clip="none")
    free.advance()
    return _gradients(free.model)


def _once_more(twin: Trainer) -> float:
    """The loss of the batch that its last update was made with, at the weights as they are; the twin is used up."""
    # it goes last: another update changes everything else that the twin says
    twin.step -= 1  # the batch and the random numbers of an update depend on the seed and the step alone
    with _heard(twin.model) as passes:
        try:
            return twin.advance()
        except ArithmeticError:  # another update could not be made; the loss may be finite all the same
            batch, logits = passes[0]
            return float((twin.model.step_losses(logits, batch) * twin.model.loss_weights(batch)).sum(0).mean())


def _drawn(model: RecurrentNetwork, batch: Batch, logits: Tensor) -> dict[str, Any]:
    """Sequence 0 of a batch: what it reads, becomes and says, what that costs, and the gradient at its states."""
    alone = batch.alone(0)
    with _heard(model) as passes:
        flow = gradient_flow(model, alone)
    losses = model.step_losses(logits, batch).cpu().numpy()
    counted = batch.mask.sum(1)
    mean = np.where(counted > 0, losses.sum(1) / np.maximum(counted, 1), np.nan)
    heard = batch.inputs[:0] if batch.decoder_inputs is None else batch.decoder_inputs
    sequence = logits[:, :1]
    return {
        "as_trained": torch.allclose(passes[0][1], sequence, SAME, SAME, equal_nan=True),
        "inputs": np.concatenate([batch.inputs[:, 0], heard[:, 0]]),
        "valid": batch.valid[:, 0].copy(),
        "counted": batch.counted[:, 0].copy(),
        "hidden": flow.hidden[:, :, :, 0].copy(),
        "outputs": batch.after_source(model.predictions(sequence, alone)[:, 0], np.nan),
        "targets": batch.after_source(batch.targets[:, 0], 0),
        "loss_per_step": batch.after_source(losses[:, 0], 0),
        "sequence_loss": float((losses * model.loss_weights(batch).cpu().numpy())[:, 0].sum()),
        "batch_loss_per_step": batch.after_source(mean, np.nan),
        **_over_time(flow, len(batch.lengths)),
    }


def _over_time(flow: GradientFlow, batch_size: int) -> dict[str, np.ndarray]:
    """The flow is of this sequence's own loss; L is the mean over the batch."""
    found = {"grad_norm": flow.grad_hidden, "entering_norm": flow.grad_hidden_direct}
    return {name: _length(values[:, :, :, 0]) / batch_size for name, values in found.items()}


def _length(values: np.ndarray) -> np.ndarray:
    """(..., units) to (...): the 2-norm, also where the squares would be too small or too large for float64."""
    peak = np.abs(values).max(-1)
    usable = (peak > 0) & np.isfinite(peak)
    scaled = values / np.where(usable, peak, 1)[..., None]
    return np.where(usable, peak * np.sqrt((np.where(usable[..., None], scaled, 0) ** 2).sum(-1)), peak)


def _numbers(model: RecurrentNetwork) -> list[Tensor]:
    """A copy of every parameter, float64."""
    return [parameter.detach().double().clone() for parameter in model.parameters()]


def _gradients(model: RecurrentNetwork) -> list[Tensor]:
    """A copy of every parameter's gradient, float64; zeros where it takes no part."""
    return [
        torch.zeros_like(p, dtype=torch.float64) if p.grad is None else p.grad.double().clone()
        for p in model.parameters()
    ]


def _norms(values: list[Tensor]) -> np.ndarray:
    """(P,) the 2-norm of each."""
    return np.array([float(torch.linalg.vector_norm(each)) for each in values])
