"""One update of the weights in detail, before it is made: inputs, losses, gradients, changes. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.experiment import Experiment
from engine.frame.frame import Frame
from engine.frame.frozen import FrozenArrays
from engine.frame.run_info import RunInfo


@dataclass(frozen=True, eq=False, kw_only=True)
class UpdateTrace(FrozenArrays):
    """The next update, made on a copy of the network. Arrays are read-only; the run itself is unchanged.

    L is the loss that is differentiated: the mean over the update's batch. The drawn sequence is sequence 0 of that
    batch; T is its padded length, the source's steps before the target's.

    States and gradients over time come from the lens: in evaluation mode, with the true inputs. If training is random
    (dropout, noise, teacher forcing below 1) they belong to another forward pass than the loss; see `as_trained`.
    Recurrent dropout is in the weights, so both have it.

    Args:
        experiment: with the live settings of this update.
        step: number of updates before this one.
        loss: L before the update, as `Trainer.advance` would return it. Nats, or an error.
        loss_after: L of the same batch with the same random numbers, after the update.
        batch_size: sequences in the batch.
        as_trained: True if the states and gradients belong to the pass that is differentiated.
        frame: of the drawn sequence alone, as `TypedFrame.frame` is: what the network looks like that is updated.
        inputs, valid, counted: of the drawn sequence, as `Frame` has them.
        hidden: (layers, directions, T, units) of the drawn sequence; 0 in padding.
        outputs: (T, output_size) class probabilities or values, of the pass that is differentiated; NaN where the
            network has no output. targets: (T,) classes or (T, output_size).
        loss_per_step: (T,), 0 where not counted. sequence_loss: l_0, the loss of the drawn sequence alone.
        batch_loss_per_step: (T,), mean over the sequences that have a loss at t; NaN where none has.
        grad_norm: (layers, directions, T) float64, ||dL/dh_t||_2 of the drawn sequence, total, over all paths. Loss per
            unit of h; a gradient below 1e-308 is 0 here.
        entering_norm: the same for the direct gradient, which enters the layer at t from above, not through time.
        norm, norm_clipped: the 2-norm of the gradient of all parameters together, before and after clipping.
        clipped: True if clipping made it smaller.
        parameters: PyTorch's names of the P parameters. shapes: their shapes.
        cut_to_limit: how many weights the cell's own bound has cut after the update (IndRNN); the change includes that.
        weight_norms, gradient_norms, clipped_norms, change_norms: (P,) float64, the 2-norm of each parameter before the
            update, of its gradient, of its gradient after clipping, and of what the update adds to it. Weight decay
            is part of what the update adds, and of neither gradient.
    """

    experiment: Experiment
    step: int
    loss: float
    loss_after: float
    batch_size: int
    as_trained: bool
    frame: Frame
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
    cut_to_limit: int
    parameters: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    weight_norms: np.ndarray
    gradient_norms: np.ndarray
    clipped_norms: np.ndarray
    change_norms: np.ndarray

    def info(self, of_run: RunInfo) -> RunInfo:
        """What a drawing of the sequence's frame needs to know."""
        return of_run.of_sequence(self.frame.valid, self.frame.counted)
