"""The state that a network carries on from one chunk of a text to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.layers.step_layers import State


def detach(state: Tensor | State) -> Tensor | State:
    """The same state, from which no gradient goes back."""
    return tuple(part.detach() for part in state) if isinstance(state, tuple) else state.detach()


class CarriedState:
    """The state of every layer after the last chunk that was read: h, or (h, c), each (layers, batch, H), detached.

    `RecurrentNetwork.forward` begins with it and puts the new one in its place. None: nothing was read, it is zero.
    """

    def __init__(self, state: Tensor | State | None = None) -> None:
        self.state = state

    def going_on(self, begins: np.ndarray) -> CarriedState:
        """One of its own for the next chunk, 0 for the sequences that begin anew with it, (batch,) bool."""
        if self.state is None:
            return CarriedState()
        parts = self.state if isinstance(self.state, tuple) else (self.state,)
        anew = torch.tensor(begins, device=parts[0].device)[:, None]
        kept = tuple(part.masked_fill(anew, 0.0) for part in parts)
        return CarriedState(kept if isinstance(self.state, tuple) else kept[0])

    def single_sequence(self, sequence: int) -> CarriedState:
        """That of one sequence, as a batch of one."""
        chosen = slice(sequence, sequence + 1)
        if isinstance(self.state, tuple):
            return CarriedState(tuple(part[:, chosen] for part in self.state))
        return CarriedState(None if self.state is None else self.state[:, chosen])

    def tensors(self) -> list[Tensor]:
        """For a checkpoint: none, h alone, or h and c."""
        if self.state is None:
            return []
        return [*self.state] if isinstance(self.state, tuple) else [self.state]

    @classmethod
    def of_tensors(cls, tensors: Sequence[Tensor], device: torch.device) -> CarriedState:
        """The inverse of `tensors`, on a device."""
        parts = tuple(each.to(device) for each in tensors)
        return cls(parts if len(parts) > 1 else parts[0] if parts else None)
