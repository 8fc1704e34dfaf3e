"""S networks of one shape trained side by side; each makes the updates that its own `Trainer` would make.

The weights of all networks stand in one tensor, and a step in time is one batched product for all of them; gradients
come from back-propagation through time written out. For small networks that is several times as fast as training one
after the other, because PyTorch's overhead is paid once (BENCHMARKS.md). On a GPU the whole update is one graph.

A network has the same bits whoever stands beside it, with one thread. It differs from that of its trainer by rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from engine.experiment import Experiment
from engine.many.batches import SideBySide, draw
from engine.many.graph import Graphs
from engine.many.optimizers import OPTIMIZERS
from engine.many.stacked_networks import StackedNetworks


class Many:
    """S networks of one shape.

    A network whose loss or gradient is not finite makes no update any more: it stays as it was before, and does not
    touch the others.

    Args:
        experiments: alike in all but `engine.many.alike.FREE`.
        dtype: float32, or float64.

    Attributes:
        networks: their weights.
        make_update: `update`, on a GPU as a graph.
        steps: (S,) the updates that each network has made.
        diverged: (S,) bool.

    Raises:
        ExperimentError: for an experiment that cannot stand beside the others.
    """

    def __init__(self, experiments: Sequence[Experiment], dtype: torch.dtype = torch.float32) -> None:
        self.experiments = tuple(experiments)
        self.networks = StackedNetworks(experiments, dtype)
        self.networks.write_untrained(experiments)
        weights = self.networks.weights
        self._optimizer = OPTIMIZERS[experiments[0].optimizer](experiments, weights)
        self.steps, self.diverged = np.zeros(len(experiments), np.int64), np.zeros(len(experiments), bool)
        self._going = torch.ones(len(experiments), 1, dtype=torch.bool, device=weights.device)
        self.make_update = Graphs(self.update, weights.device) if weights.is_cuda else self.update

    @property
    def step(self) -> int:
        """The updates of the networks that have not diverged."""
        return int(self.steps.max())

    @torch.no_grad()
    def advance(self) -> np.ndarray:
        """Make one update of every network that has not diverged. Returns the losses before it, (S,)."""
        step = self.step + 1
        self._optimizer.begin(step)
        losses = self.make_update(draw(self.experiments, step, self.networks.weights.dtype)).cpu().numpy()
        self.diverged[:] = ~self._going[:, 0].cpu().numpy()
        self.steps[~self.diverged] = step
        return losses

    def state_dict(self, number: int) -> dict[str, Tensor]:
        """One network's parameters as `RecurrentNetwork.load_state_dict` expects them."""
        return self.networks.read(number)

    def checkpoint(self) -> dict[str, np.ndarray]:
        """All that `restore` needs to continue exactly: arrays with the networks as their first axis.

        "parameters" and what the optimiser remembers (of Adam "mean" and "square"), each followed by a dot and a
        parameter's name; "steps"; "diverged".
        """
        arrays = {
            f"{part}.{name}": values
            for part, rows in self._rows.items()
            for name, values in self.networks.layout.read(rows).items()
        }
        return {**arrays, "steps": self.steps.copy(), "diverged": self.diverged.copy()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Load a checkpoint of the same experiments."""
        for part, rows in self._rows.items():
            self.networks.layout.write(rows, {name: arrays[f"{part}.{name}"] for name in self.networks.layout.places})
        self.steps[:], self.diverged[:] = arrays["steps"], arrays["diverged"]
        self._going[:, 0] = torch.tensor(~self.diverged)

    @property
    def _rows(self) -> dict[str, Tensor]:
        """All that an update changes, (S, P) each."""
        return {"parameters": self.networks.weights, **self._optimizer.state}

    @torch.no_grad()
    def update(self, batch: SideBySide) -> Tensor:
        """Make an update of all networks that go on. Returns the losses. No number is read to the host."""
        networks = self.networks
        losses = networks.differentiate(batch)
        norms = torch.linalg.vector_norm(networks.gradients, dim=1, keepdim=True)
        self._going.logical_and_(losses.isfinite()[:, None] & norms.isfinite())
        self._optimizer.clip(networks.gradients, norms)
        self._optimizer.update(networks.weights, networks.gradients, self._going)
        return losses
