"""What is measured of networks on held-out sequences: the numbers of the held-out record of their own trainers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.lens.norms import relative_sizes
from engine.many.batches import of_each_seed
from engine.many.networks import Networks
from engine.many.stacked_networks import StackedNetworks
from engine.model import build
from engine.tasks import Batch, held_out, probe
from engine.tasks.base import last_counted
from engine.training.capture_frame import verdicts_gradient
from engine.training.held_out import answered


class HeldOut(NamedTuple):
    """What was measured; see `engine.frame.held_out.HeldOutRecord`, where the names begin with `held_out_`."""

    loss: float
    metric: float
    ratio: float


class HeldOutMeter:
    """Measures networks of these experiments.

    Args:
        beside: True if they can stand side by side. Then their gradients are computed so, in float64; a ratio below
            1e-300 is 0.
    """

    def __init__(self, experiments: Sequence[Experiment], beside: bool) -> None:
        self._infos = [RunInfo.of(e) for e in experiments]
        self._model = build(experiments[0])  # the parameters of one network after the other are copied into it
        self._batches = _for_each_seed(experiments, held_out)
        self._probes = _for_each_seed(experiments, probe)
        self._gradients = StackedNetworks(experiments, torch.float64) if beside else None
        if beside:
            self._last_losses = of_each_seed(experiments, lambda e: _last_loss(probe(e)), torch.float64)

    def measure(self, networks: Networks, places: Iterable[int]) -> list[HeldOut]:
        """Measure the networks at these places."""
        states = {place: networks.state_dict(place) for place in places}
        ratios = self._ratios(states) if self._gradients and states else None
        found = []
        for place, state in states.items():
            self._model.load_state_dict(state)
            loss, metric, _ = answered(self._model, self._batches[place], self._infos[place])
            if ratios is None:
                ratio, _ = verdicts_gradient(self._model, self._probes[place], self._infos[place])
            else:
                ratio = ratios[place]
            found.append(HeldOut(loss, metric, ratio))
        return found

    def _ratios(self, states: Mapping[int, Mapping[str, torch.Tensor]]) -> dict[int, float]:
        """The verdict's ratio of networks with these parameters, by place, from one back-propagation of all."""
        stacked = self._gradients
        assert stacked is not None
        for place, state in states.items():
            stacked.write(place, state)
        stacked.differentiate(self._last_losses)
        norms = [_norms(layer.total) for layer in stacked.layers]
        return {place: self._ratio([each[:, place] for each in norms], place) for place in states}

    def _ratio(self, norms: list[np.ndarray], place: int) -> float:
        """The largest ratio of any layer, as `engine.lens.norms` defines it, of norms (T, B) in each layer."""
        batch, info = self._probes[place], self._infos[place]
        columns, ends = np.arange(len(batch.lengths)), last_counted(batch.counted)
        relevant = np.maximum(ends - info.measured_lag, 0)
        parts = [relative_sizes(each[relevant, columns], each[ends, columns]) for each in norms]
        return float(np.max([np.median(each) for each in parts]))


def _for_each_seed(experiments: Sequence[Experiment], make: Callable[[Experiment], Batch]) -> list[Batch]:
    """The batch of each experiment, made once for each seed."""
    of_seed = {e.seed: e for e in experiments}
    made = {seed: make(e) for seed, e in of_seed.items()}
    return [made[e.seed] for e in experiments]


def _last_loss(batch: Batch) -> Batch:
    """The batch with the last loss of each sequence alone."""
    return dataclasses.replace(batch, mask=np.arange(len(batch.mask))[:, None] == last_counted(batch.mask))


def _norms(gradient: torch.Tensor) -> np.ndarray:
    """Norms over the last axis. Divided by the largest number first: squares of small ones would be 0."""
    largest = gradient.abs().amax(-1)
    safe = torch.where(largest > 0, largest, 1.0)
    return (torch.linalg.vector_norm(gradient / safe[..., None], dim=-1) * largest).numpy()
