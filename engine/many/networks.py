"""Networks that are trained as one piece of work: side by side, or each by a trainer of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from torch import Tensor

from engine.experiment import Experiment
from engine.many.many import Many
from engine.training import NotFiniteError, Trainer


class Networks(Protocol):
    """S networks. `steps` (S,) are the updates that each has made; one that has `diverged` (S,) makes no more."""

    experiments: tuple[Experiment, ...]
    steps: np.ndarray
    diverged: np.ndarray

    def advance(self) -> object:
        """Make one update of every network that has not diverged."""

    def state_dict(self, number: int) -> dict[str, Tensor]:
        """One network's parameters as `RecurrentNetwork.load_state_dict` expects them."""

    def checkpoint(self) -> dict[str, np.ndarray]:
        """All that `restore` needs to continue exactly."""

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Load a checkpoint of the same experiments."""


class Separate:
    """Networks that have a trainer each; see `Networks`."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        self.experiments = tuple(experiments)
        self._trainers = [Trainer(e) for e in experiments]
        self.steps, self.diverged = np.zeros(len(experiments), np.int64), np.zeros(len(experiments), bool)

    def advance(self) -> None:
        """See `Networks`."""
        for number, trainer in enumerate(self._trainers):
            if not self.diverged[number]:
                try:
                    trainer.advance()
                except NotFiniteError:
                    self.diverged[number] = True
                self.steps[number] = trainer.step

    def state_dict(self, number: int) -> dict[str, Tensor]:
        """See `Networks`."""
        return {name: values.detach().clone() for name, values in self._trainers[number].model.state_dict().items()}

    def checkpoint(self) -> dict[str, np.ndarray]:
        """See `Networks`; the checkpoints of the trainers, as bytes."""
        of_trainers = {
            f"trainer.{number}": np.frombuffer(trainer.checkpoint(), np.uint8)
            for number, trainer in enumerate(self._trainers)
        }
        return {**of_trainers, "diverged": self.diverged.copy()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """See `Networks`."""
        for number, trainer in enumerate(self._trainers):
            trainer.restore(arrays[f"trainer.{number}"].tobytes())
            self.steps[number] = trainer.step
        self.diverged[:] = arrays["diverged"]


def make_networks(experiments: Sequence[Experiment], beside: bool) -> Networks:
    """Build networks that are trained side by side if `beside`, else each by a trainer of its own."""
    return Many(experiments) if beside else Separate(experiments)
