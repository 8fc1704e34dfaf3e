"""One update of the weights, taken apart before it is made: what comes in, what it costs, what changes. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.experiment import Experiment
from engine.frame.frozen import FrozenArrays


@dataclass(frozen=True, eq=False, kw_only=True)
class UpdateTrace(FrozenArrays):
    """The update that would come next, made on a copy of the network. Arrays are read-only; the run is as it was.

    L is the loss that is differentiated: the mean over the update's batch. Sequence 0 of that batch is the one drawn;
    T is its padded length, an encoder's steps before its decoder's.

    States and gradients over time are the lens's: in evaluation mode, with the true inputs. Where training draws random
    numbers (dropout, noise, teacher forcing below 1) they are of another pass than the loss: `as_trained` says so.

    Args:
        experiment: with the live settings that this update would be made with.
        step: updates made before it.
        loss: L before the update, as `Trainer.advance` would return it. Nats, or squared error.
        loss_after: the same of the same batch and the same random numbers, with the weights after the update.
        batch_size: sequences in the batch.
        as_trained: the drawn states and gradients belong to the very pass that is differentiated.
        inputs, valid, counted: of the drawn sequence, as `Frame` has them.
        hidden: (layers, directions, T, units) of the drawn sequence; 0 in padding.
        outputs: (T, output_size) class probabilities or values, of the pass that is differentiated; NaN where the
            network says nothing. targets: (T,) classes or (T, output_size).
        loss_per_step: (T,), 0 where not counted. sequence_loss: l_0, the drawn sequence's part of L, times batch_size.
        batch_loss_per_step: (T,), mean over the sequences that have a loss at t; NaN where none has.
        grad_norm: (layers, directions, T) float64, ||dL/dh_t||_2 of the drawn sequence, total: every path. Loss per
            unit of h; a gradient below 1e-308 is 0 here.
        entering_norm: the same for what enters the layer at t from above, not through time.
        norm, norm_clipped: the 2-norm of the gradient of all parameters together, before and after clipping.
        clipped: the second is smaller.
        parameters: PyTorch's names of the P parameters. shapes: theirs.
        weight_norms, gradient_norms, clipped_norms, change_norms: (P,) float64, the 2-norm of each parameter before the
            update, of its gradient, of its gradient after clipping, and of what the update adds to it.
    """

    experiment: Experiment
    step: int
    loss: float
    loss_after: float
    batch_size: int
    as_trained: bool
    inputs: np.ndarray
    valid: np.ndarray
    counted: np.ndarray
    hidden: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray
    loss_per_step: np.ndarray
    sequence_loss: float
    batch_loss_per_step: np.ndarray
    grad_norm: np.ndarray
    entering_norm: np.ndarray
    norm: float
    norm_clipped: float
    clipped: bool
    parameters: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    weight_norms: np.ndarray
    gradient_norms: np.ndarray
    clipped_norms: np.ndarray
    change_norms: np.ndarray
