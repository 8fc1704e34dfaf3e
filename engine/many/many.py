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

from engine.experiment import Experiment, ExperimentError
from engine.many.adam import Adam
from engine.many.alike import FREE, can_be_beside, shape_of
from engine.many.batches import SideBySide, draw
from engine.many.head import Head
from engine.many.layout import Layout, below, stacked
from engine.many.recurrences import RECURRENCES
from engine.many.recurrences.recurrence import by_network, by_step
from engine.model import build
from engine.tasks import task_of


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
        self.experiments, e = tuple(experiments), experiments[0]
        _check(self.experiments)
        self._layout = Layout(e)
        self._weights = torch.zeros(len(experiments), self._layout.width, dtype=dtype)
        self._layout.write(self._weights, stacked([build(each).state_dict() for each in experiments]))
        self._gradients, self._adam = torch.zeros_like(self._weights), Adam(experiments, self._weights)
        weights, gradients = (self._layout.views(rows) for rows in (self._weights, self._gradients))
        kind = RECURRENCES[e.cell]
        self._layers = [
            kind(below("recurrent.", weights, end), below("recurrent.", gradients, end), e.nonlinearity)
            for end in (f"_l{number}" for number in range(e.num_layers))
        ]
        self._head = Head(weights, gradients, task_of(e))
        self.steps, self.diverged = np.zeros(len(experiments), np.int64), np.zeros(len(experiments), bool)

    @property
    def step(self) -> int:
        """The updates of the networks that have not diverged."""
        return int(self.steps.max())

    @torch.no_grad()
    def advance(self) -> np.ndarray:
        """Make one update of every network that has not diverged. Returns the losses before it, (S,)."""
        step = self.step + 1
        losses = self._differentiate(draw(self.experiments, step, self._weights.dtype))
        norms = torch.linalg.vector_norm(self._gradients, dim=1, keepdim=True)
        self.diverged |= ~(losses.isfinite() & norms[:, 0].isfinite()).numpy()
        self._update(norms, step)
        self.steps[~self.diverged] = step
        return losses.numpy()

    def _differentiate(self, batch: SideBySide) -> Tensor:
        """Compute the losses (S,) and write all gradients."""
        e, inputs = self.experiments[0], batch.inputs
        hidden = None
        for layer in self._layers:
            hidden = layer.forward(inputs if hidden is None else by_network(hidden), e.seq_len)
        assert hidden is not None
        if e.rnn_type == "many_to_one":
            last = (batch.ends, torch.arange(hidden.shape[1])[:, None], torch.arange(hidden.shape[2]))
            losses, at_states = self._head.loss(hidden[last], batch.targets, batch.weights)
            grad = torch.zeros_like(hidden)
            grad[last] = at_states
        else:
            losses, at_states = self._head.loss(by_network(hidden), batch.targets, batch.weights)
            grad = by_step(at_states, e.seq_len).contiguous()
        for layer, beneath in zip(reversed(self._layers), (*reversed(self._layers[:-1]), None), strict=True):
            from_input = layer.backward(grad)
            if beneath is not None:
                grad = by_step(torch.bmm(from_input, layer.weights["weight_ih"]), e.seq_len).contiguous()
        return losses

    def state_dict(self, number: int) -> dict[str, Tensor]:
        """One network's parameters as `RecurrentNetwork.load_state_dict` expects them."""
        one = self._weights[number : number + 1]
        return {name: torch.tensor(values[0]) for name, values in self._layout.read(one).items()}

    def checkpoint(self) -> dict[str, np.ndarray]:
        """All that `restore` needs to continue exactly: arrays with the networks as their first axis.

        "parameters", "mean" and "square" (of Adam), each followed by a dot and a parameter's name; "steps"; "diverged".
        """
        arrays = {
            f"{part}.{name}": values
            for part, rows in self._rows.items()
            for name, values in self._layout.read(rows).items()
        }
        return {**arrays, "steps": self.steps.copy(), "diverged": self.diverged.copy()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Load a checkpoint of the same experiments."""
        for part, rows in self._rows.items():
            self._layout.write(rows, {name: arrays[f"{part}.{name}"] for name in self._layout.places})
        self.steps[:], self.diverged[:] = arrays["steps"], arrays["diverged"]

    @property
    def _rows(self) -> dict[str, Tensor]:
        """All that an update changes, (S, P) each."""
        return {"parameters": self._weights, "mean": self._adam.mean, "square": self._adam.square}

    def _update(self, norms: Tensor, step: int) -> None:
        """Clip and make an update, of all but the networks that have diverged."""
        stopped = torch.tensor(self.diverged)
        kept = [rows[stopped] for rows in self._rows.values()]  # copies
        self._adam.clip(self._gradients, norms)
        self._adam.update(self._weights, self._gradients, step)
        for rows, before in zip(self._rows.values(), kept, strict=True):
            rows[stopped] = before


def _check(experiments: Sequence[Experiment]) -> None:
    """Raise ExperimentError for the first experiment that cannot stand beside the first one."""
    shape = shape_of(experiments[0])
    for e in experiments:
        if reason := can_be_beside(e):
            raise ExperimentError("experiments", got=e, accepts=f"such that they can be trained side by side. {reason}")
        if shape_of(e) != shape:
            raise ExperimentError("experiments", got=e, accepts=f"alike in all but {', '.join(FREE)}")
