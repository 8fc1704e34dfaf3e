"""The gradient at every state: of the whole loss, of its last or first term, or of the loss of one step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from engine.lens.forward_trace import ForwardTrace, trace_forward
from engine.lens.layer_gradients import LayerGradients
from engine.lens.scaled import Scaled
from engine.lens.sweep import sweep
from engine.model import RecurrentNetwork
from engine.model.carried_state import CarriedState
from engine.tasks import Batch
from engine.tasks.batch import first_counted, last_counted


@dataclass(frozen=True, eq=False)
class GradientFlow:
    """States and gradients of a network for one batch, at every step in time.

    NumPy arrays (layers, directions, T, batch, units), an encoder's steps before its decoder's. States have the model's
    dtype, gradients are float64 (a norm of 1e-60 does not become 0). Padded steps are 0. The reverse direction is
    indexed by position, too.

    Args:
        hidden: h_t. cell: c_t, or None. gates: {name: values}.
        grad_hidden: dL/dh_t, total: every path, also through later steps. Unit: loss per unit of h.
        grad_hidden_direct: the part that enters the layer at t from above (head, or the layer above).
        grad_cell: dL/dc_t, total, or None.
    """

    hidden: np.ndarray
    grad_hidden: np.ndarray
    grad_hidden_direct: np.ndarray
    cell: np.ndarray | None
    grad_cell: np.ndarray | None
    gates: dict[str, np.ndarray]


def gradient_flow(
    model: RecurrentNetwork, batch: Batch, loss: str | int = "all", carried: CarriedState | None = None
) -> GradientFlow:
    """Compute the gradient of L, the mean loss of the batch, at every state, in evaluation mode.

    Calls model(batch) exactly once (hooks fire), in the model's dtype, and changes nothing.

    Args:
        loss: "all" for L itself; "last" or "first" for the weighted term of each sequence's last or first counted step
            alone; a number k for the term of step k, counted as `batch.mask` counts.
        carried: as of `trace_forward`.
    """
    trace = trace_forward(model, batch, carried)
    chains = sweep(trace, seed(trace, [loss])).chains
    size = len(batch.lengths)

    def gradient(pick: Callable[[LayerGradients], Scaled | None]) -> np.ndarray | None:
        values = [[pick(chain) for chain in row] for row in chains]
        if values[0][0] is None:
            return None
        return np.stack([[grad.to_float64()[:, 0].cpu().numpy() / size for grad in row if grad] for row in values])

    total, direct = gradient(lambda chain: chain.total), gradient(lambda chain: chain.direct)
    assert total is not None and direct is not None
    return GradientFlow(
        hidden=trace.states(lambda cell_trace: cell_trace.hidden),
        grad_hidden=total,
        grad_hidden_direct=direct,
        cell=trace.states(lambda cell_trace: cell_trace.cell) if trace.has_cell_state else None,
        grad_cell=gradient(lambda chain: chain.total_cell),
        gates=trace.gates(),
    )


def seed(trace: ForwardTrace, losses: Sequence[str | int], gradient: Tensor | None = None) -> Tensor:
    """Return the seeds of a sweep: the gradient of each of `losses` with respect to the output.

    Args:
        losses: as the argument `loss` of `gradient_flow`; for each sequence the chosen part of l_b.
        gradient: `loss_gradient(trace)`, if it is known already.

    Returns:
        (T, S, B, directions * H), one seed per entry of `losses`.
    """
    gradient = loss_gradient(trace) if gradient is None else gradient
    zero = torch.zeros((), dtype=trace.output.dtype, device=trace.output.device)
    return torch.stack([torch.where(_where(trace, which), gradient, zero) for which in losses], dim=1)


def loss_gradient(trace: ForwardTrace) -> Tensor:
    """Gradient of every sequence's loss l_b with respect to the output, (T, B, directions * H).

    The value at step t comes from the loss of step t alone, because the output layers have no connections in time. (In
    many_to_one the only loss reads each direction at its last step.)
    """
    return losses_and_gradient(trace)[1]


def losses_and_gradient(trace: ForwardTrace) -> tuple[Tensor, Tensor]:
    """The loss of every step, (T, B), as from `RecurrentNetwork.step_losses`, and `loss_gradient`."""
    model, batch = trace.model, trace.batch
    with torch.enable_grad():
        output = trace.output.detach().requires_grad_()
        per_step = model.step_losses(model.apply_head(output, batch.lengths), batch)
        gradient = torch.autograd.grad((per_step * model.loss_weights(batch)).sum(), output)[0]
    return per_step.detach(), gradient


def _where(trace: ForwardTrace, which: str | int) -> Tensor:
    """Where the chosen losses read the output: (T, B, 1) bool, (1, B, 1) for many_to_one."""
    chosen = _chosen(trace.batch, which)
    if trace.answers_once:
        chosen = np.any(chosen, axis=0)[None]
    return torch.tensor(chosen, device=trace.output.device)[..., None]


def _chosen(batch: Batch, which: str | int) -> np.ndarray:
    """The counted steps that one value of the argument `loss` of `gradient_flow` means, (T, batch) bool."""
    t = np.arange(len(batch.mask))[:, None]
    if which == "all":
        return batch.mask
    if which == "last":
        return t == last_counted(batch.mask)
    if which == "first":
        return t == first_counted(batch.mask)
    return batch.mask & (t == which)
