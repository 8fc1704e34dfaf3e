"""The networks of S experiments in one tensor: their losses and gradients on S batches at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.experiment import Experiment, ExperimentError
from engine.many.alike import FREE, can_be_beside, shape_of
from engine.many.batches import SideBySide
from engine.many.head import Head
from engine.many.layout import Layout, below
from engine.many.recurrences import RECURRENCES
from engine.many.recurrences.recurrence import by_network, by_step
from engine.model import build
from engine.tasks import task_of


class StackedNetworks:
    """S networks of one shape, on the device of their experiments. All parameters are 0 until they are written.

    Args:
        experiments: alike in all but `engine.many.alike.FREE`.
        dtype: float32, or float64.

    Attributes:
        layout: of the rows. weights, gradients: (S, width) rows.
        layers: the recurrent layers from the bottom up.

    Raises:
        ExperimentError: for an experiment that cannot stand beside the others.
    """

    def __init__(self, experiments: Sequence[Experiment], dtype: torch.dtype) -> None:
        _check(experiments)
        self._experiment = e = experiments[0]
        self.layout = Layout(e)
        self.weights = torch.zeros(len(experiments), self.layout.width, dtype=dtype, device=e.device)
        self.gradients = torch.zeros_like(self.weights)
        weights, gradients = (self.layout.views(rows) for rows in (self.weights, self.gradients))
        kind = RECURRENCES[e.cell]
        self.layers = [
            kind(below("recurrent.", weights, end), below("recurrent.", gradients, end), e.nonlinearity)
            for end in (f"_l{number}" for number in range(e.num_layers))
        ]
        self._head = Head(weights, gradients, task_of(e))

    @torch.no_grad()
    def differentiate(self, batch: SideBySide) -> Tensor:
        """Compute the losses (S,), and write the gradients."""
        e = self._experiment
        hidden = self._states(batch)
        if e.rnn_type == "many_to_one":
            last = _ends(batch, hidden)
            losses, from_loss = self._head.loss(self._head.forward(hidden[last]), batch.targets, batch.weights)
            grad = torch.zeros_like(hidden)
            grad[last] = self._head.backward(from_loss)
        else:
            losses, from_loss = self._head.loss(self._head.forward(by_network(hidden)), batch.targets, batch.weights)
            grad = by_step(self._head.backward(from_loss), e.seq_len).contiguous()
        for layer in reversed(self.layers):
            from_input = layer.backward(grad)
            if layer is not self.layers[0]:
                grad = by_step(torch.bmm(from_input, layer.weights["weight_ih"]), e.seq_len).contiguous()
        return losses

    @torch.no_grad()
    def evaluate(self, batch: SideBySide) -> tuple[Tensor, Tensor]:
        """Compute losses (S,), and answers (S, outputs, B, output_size): probabilities or values.

        There is one output for many_to_one, else T.
        """
        hidden = self._states(batch)
        if self._experiment.rnn_type == "many_to_one":
            hidden = hidden[_ends(batch, hidden)][None]
        outputs = self._head.forward(by_network(hidden))
        losses, _ = self._head.loss(outputs, batch.targets, batch.weights)
        return losses, self._head.answers(outputs).unflatten(1, (len(hidden), -1))

    def write_untrained(self, experiments: Sequence[Experiment]) -> None:
        """Give every network the parameters that its experiment begins with."""
        for number, experiment in enumerate(experiments):
            self.write(number, build(experiment).state_dict())

    def _states(self, batch: SideBySide) -> Tensor:
        """The states of the top layer, (T, S, B, H)."""
        hidden = self.layers[0].forward(batch.inputs, self._experiment.seq_len)
        for layer in self.layers[1:]:
            hidden = layer.forward(by_network(hidden), self._experiment.seq_len)
        return hidden

    def read(self, number: int) -> dict[str, Tensor]:
        """One network's parameters as `RecurrentNetwork.load_state_dict` expects them; copies."""
        one = self.layout.read(self.weights[number : number + 1])
        return {name: torch.tensor(values[0]) for name, values in one.items()}

    def write(self, number: int, parameters: Mapping[str, Tensor]) -> None:
        """Give one network these parameters."""
        one = {name: values.detach().cpu().numpy()[np.newaxis] for name, values in parameters.items()}
        self.layout.write(self.weights[number : number + 1], one)


def _ends(batch: SideBySide, hidden: Tensor) -> Any:
    """The index of each sequence's last state in states (T, S, B, H)."""
    if batch.ends is None:
        return -1
    networks, sequences = (torch.arange(size, device=hidden.device) for size in hidden.shape[1:3])
    return batch.ends, networks[:, None], sequences


def _check(experiments: Sequence[Experiment]) -> None:
    """Raise ExperimentError for the first experiment that cannot stand beside the first one."""
    shape = shape_of(experiments[0])
    for e in experiments:
        if reason := can_be_beside(e):
            raise ExperimentError("experiments", got=e, accepts=f"such that they can be trained side by side. {reason}")
        if shape_of(e) != shape:
            raise ExperimentError("experiments", got=e, accepts=f"alike in all but {', '.join(FREE)}")
