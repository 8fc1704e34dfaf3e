"""A sentence that says where numbers stopped being finite."""

from __future__ import annotations

import math

import numpy as np

from engine.lens.gradient_flow import gradient_flow
from engine.model import RecurrentNetwork
from engine.model.carried_state import CarriedState
from engine.tasks import Batch


class NotFiniteError(ArithmeticError):
    """The loss or its gradient is infinite or NaN; the update was not made."""


def describe_nonfinite(
    model: RecurrentNetwork, batch: Batch, update: int, loss: float, carried: CarriedState | None = None
) -> str:
    """Say at which update, and at which step in time, a number was not finite.

    States are checked first, then their gradients, then the loss and the gradient of the weights.

    Args:
        update: number of the update that was not made.
        loss: of `batch`.
        carried: the state that it began with; None: zero.
    """
    flow = gradient_flow(model, batch, carried=carried)
    broken = ~np.isfinite(flow.hidden).all(axis=(0, 1, 3, 4))
    start = f"Update {update:,} was not made: "
    if broken.any():
        return f"{start}going forwards, the state is no longer finite from t = {int(broken.argmax())} on."
    broken = ~np.isfinite(flow.grad_hidden).all(axis=(0, 1, 3, 4))
    if broken.any():
        last = len(broken) - 1 - int(broken[::-1].argmax())
        return f"{start}going back, the gradient is no longer finite at t = {last} and before."
    return f"{start}the {'gradient of the weights' if math.isfinite(loss) else 'loss'} is no longer finite."
