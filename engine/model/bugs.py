"""Networks that have a bug: each is the sound one with the one line changed that people write."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from engine.layers.step_layers import State
from engine.model.carried_state import CarriedState, detach
from engine.model.network import RecurrentNetwork
from engine.tasks import Batch


class ReverseReadAtItsStart(RecurrentNetwork):
    """`head(out[-1])`: there the reverse direction has read a single input."""

    reads_reverse_at_its_start = True

    def final_states(self, output: Tensor, lengths: np.ndarray) -> Tensor:
        """The states of both directions at each sequence's last step, (1, batch, 2 * H)."""
        ends = torch.tensor(lengths - 1, device=output.device)
        return output[ends, torch.arange(len(ends), device=output.device)][None]


class BatchAndTimeSwapped(RecurrentNetwork):
    """`nn.GRU` is given (batch, time) and reads it as (time, batch): it goes from sequence to sequence.

    No step follows from the one before it in time. Shown are the real states, at their place in time and batch.
    """

    reads_across_the_batch = True

    def _run_recurrent(self, inputs: Tensor, lengths: np.ndarray, carried: CarriedState | None = None) -> Tensor:
        return self.recurrent(inputs.transpose(0, 1))[0].transpose(0, 1)

    def truncation_points(self, seq_len: int) -> list[int]:
        """All steps: a gradient that comes to one goes to other sequences, never to the step before."""
        return list(range(1, seq_len))


class SoftmaxTwice(RecurrentNetwork):
    """`cross_entropy(z.softmax(-1), y)`: cross-entropy takes a softmax of its own."""

    def given_to_loss(self, logits: Tensor) -> Tensor:
        """Probabilities."""
        return logits.softmax(-1)


class LossOnPadding(RecurrentNetwork):
    """`cross_entropy(z.flatten(0, 1), y.flatten())`, without a mask: padding counts as well."""

    def loss(self, batch: Batch, carried: CarriedState | None = None) -> Tensor:
        """The mean over all steps of all sequences."""
        return self._losses(self(batch), batch.targets).mean()


class LossOnTheLastStep(RecurrentNetwork):
    """`cross_entropy(z[-1], y[-1])`, where the answers of all steps were meant."""

    def loss(self, batch: Batch, carried: CarriedState | None = None) -> Tensor:
        """The mean over the last steps."""
        return self._losses(self(batch)[-1:], batch.targets[-1:]).mean()


class StateKeptBetweenBatches(RecurrentNetwork):
    """`out, state = rnn(x, state.detach())`, with batches of sequences that have nothing to do with each other.

    In evaluation mode it begins with zeros. So does a batch of another size.
    """

    def _run_recurrent(self, inputs: Tensor, lengths: np.ndarray, carried: CarriedState | None = None) -> Tensor:
        if not self.training:
            return super()._run_recurrent(inputs, lengths)
        output, state = self.recurrent(inputs, self._fitting(inputs.shape[1]))
        self.kept_state = detach(state)
        return output

    def _fitting(self, sequences: int) -> Tensor | State | None:
        """The state of the batch before, if it has so many sequences."""
        state = self.kept_state
        first = state[0] if isinstance(state, tuple) else state
        return state if first is not None and first.shape[1] == sequences else None


NETWORKS: dict[str, type[RecurrentNetwork]] = {
    "reverse_read_at_its_start": ReverseReadAtItsStart,
    "batch_and_time_swapped": BatchAndTimeSwapped,
    "softmax_twice": SoftmaxTwice,
    "loss_on_padding": LossOnPadding,
    "loss_on_the_last_step": LossOnTheLastStep,
    "state_kept_between_batches": StateKeptBetweenBatches,
}
"""By the name of the bug; with any other the network is a sound one."""
