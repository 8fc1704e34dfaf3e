"""S networks of one shape trained side by side; each makes the updates that its own `Trainer` would make.

The weights of all networks stand in one tensor, and a step in time is one batched product for all of them; gradients
come from back-propagation through time written out. For small networks that is several times as fast as training one
after the other, because PyTorch's overhead is paid once (BENCHMARKS.md).

A network has the same bits whoever stands beside it, with one thread. It differs from that of its trainer by rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.experiment import Experiment
from engine.many.adam import Adam
from engine.many.batches import draw
from engine.many.stacked_networks import StackedNetworks


class Many:
    """S networks of one shape.

    A network whose loss or gradient is not finite makes no update any more: it stays as it was before, and does not
    touch the others.

    Args:
        experiments: alike in all but `engine.many.alike.FREE`.
        dtype: float32, or float64.

    Attributes:
        steps: (S,) the updates that each network has made.
        diverged: (S,) bool.

    Raises:
        ExperimentError: for an experiment that cannot stand beside the others.
    """

    def __init__(self, experiments: Sequence[Experiment], dtype: torch.dtype = torch.float32) -> None:
        self.experiments = tuple(experiments)
        self._networks = StackedNetworks(experiments, dtype)
        self._adam = Adam(experiments, self._networks.weights)
        self.steps, self.diverged = np.zeros(len(experiments), np.int64), np.zeros(len(experiments), bool)

    @property
    def step(self) -> int:
        """The updates of the networks that have not diverged."""
        return int(self.steps.max())

    @torch.no_grad()
    def advance(self) -> np.ndarray:
        """Make one update of every network that has not diverged. Returns the losses before it, (S,)."""
        step = self.step + 1
        losses = self._networks.differentiate(draw(self.experiments, step, self._networks.weights.dtype)).numpy()
        norms = torch.linalg.vector_norm(self._networks.gradients, dim=1, keepdim=True)
        self.diverged |= ~(np.isfinite(losses) & np.isfinite(norms[:, 0].numpy()))
        self._update(norms, step)
        self.steps[~self.diverged] = step
        return losses

    def state_dict(self, number: int) -> dict[str, Tensor]:
        """One network's parameters as `RecurrentNetwork.load_state_dict` expects them."""
        return self._networks.read(number)

    def checkpoint(self) -> dict[str, np.ndarray]:
        """All that `restore` needs to continue exactly: arrays with the networks as their first axis.

        "parameters", "mean" and "square" (of Adam), each followed by a dot and a parameter's name; "steps"; "diverged".
        """
        arrays = {
            f"{part}.{name}": values
            for part, rows in self._rows.items()
            for name, values in self._networks.layout.read(rows).items()
        }
        return {**arrays, "steps": self.steps.copy(), "diverged": self.diverged.copy()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Load a checkpoint of the same experiments."""
        for part, rows in self._rows.items():
            self._networks.layout.write(rows, {name: arrays[f"{part}.{name}"] for name in self._networks.layout.places})
        self.steps[:], self.diverged[:] = arrays["steps"], arrays["diverged"]

    @property
    def _rows(self) -> dict[str, Tensor]:
        """All that an update changes, (S, P) each."""
        return {"parameters": self._networks.weights, "mean": self._adam.mean, "square": self._adam.square}

    def _update(self, norms: Tensor, step: int) -> None:
        """Clip and make an update, of all but the networks that have diverged."""
        stopped = np.flatnonzero(self.diverged)
        kept = [rows[stopped] for rows in self._rows.values()] if len(stopped) else []  # copies
        self._adam.clip(self._networks.gradients, norms)
        self._adam.update(self._networks.weights, self._networks.gradients, step)
        for rows, before in zip(self._rows.values(), kept, strict=False):
            rows[stopped] = before
