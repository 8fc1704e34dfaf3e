"""What is measured on held-out sequences of networks side by side: of all of them at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.lens.norms import relative_sizes
from engine.many.batches import SEQUENCES, SideBySide, for_each_seed, of_each_seed
from engine.many.held_out import HeldOut
from engine.many.layout import padded
from engine.many.many import Many
from engine.many.stacked_networks import StackedNetworks
from engine.tasks import Batch, held_out, probe, task_of
from engine.tasks.batch import last_counted


class _Part(NamedTuple):
    """Some of the held-out sequences, as many as a batch of the training has: so they need no memory of their own.

    Args:
        share: of all sequences.
        sequences: how many; the batch is filled up.
    """

    share: float
    sequences: int
    batch: SideBySide


class SideBySideMeter:
    """Measures networks side by side; see `engine.many.held_out.HeldOutMeter`.

    Gradients are computed in float64. A ratio below 1e-300 is 0.
    """

    def __init__(self, many: Many) -> None:
        self._many, experiments = many, many.experiments
        self._lags = for_each_seed(experiments, lambda e: RunInfo.of(e).measured_lag)
        self._answers_once = experiments[0].rnn_type == "many_to_one"
        self._batches, self._probes = for_each_seed(experiments, held_out), for_each_seed(experiments, probe)
        self._parts = _parts(experiments, len(self._batches[0].lengths), many.networks)
        self._gradients = StackedNetworks(experiments, torch.float64)
        last_losses = of_each_seed(experiments, lambda e: _last_loss(probe(e)), torch.float64)
        self._last_losses = last_losses.on(self._gradients.weights.device)

    def measure(self, places: Iterable[int]) -> list[HeldOut]:
        """See `engine.many.held_out.HeldOutMeter`."""
        chosen = list(places)
        if not chosen:
            return []
        losses, answers = self._answered()
        ratios, measure = self._ratios(chosen), task_of(self._many.experiments[0]).metric.measure
        return [
            HeldOut(float(losses[place]), measure(self._batches[place], self._on_time_axis(place, answers)), ratio)
            for place, ratio in zip(chosen, ratios, strict=True)
        ]

    @torch.no_grad()
    def _answered(self) -> tuple[np.ndarray, np.ndarray]:
        """Losses (S,), and answers (S, outputs, B, output_size); one output for many_to_one, else T."""
        networks, losses, answers = self._many.networks, [], []
        for share, sequences, batch in self._parts:
            part, outputs = networks.evaluate(batch)
            losses.append(part.double() * share)
            answers.append(outputs[:, :, :sequences])
        return torch.stack(losses).sum(0).cpu().numpy(), torch.cat(answers, 2).cpu().numpy()

    def _on_time_axis(self, place: int, answers: np.ndarray) -> np.ndarray:
        """The answers of one network on the targets' time axis, (T, B, output_size)."""
        own = answers[place]
        return self._batches[place].at_ends(own[0]) if self._answers_once else own

    def _ratios(self, places: list[int]) -> list[float]:
        """The verdict's ratio of networks, from one back-propagation of all."""
        stacked = self._gradients
        stacked.weights.copy_(self._many.networks.weights)
        stacked.differentiate(self._last_losses)
        norms = [_norms(layer.total) for layer in stacked.layers]
        return [self._ratio([each[:, place] for each in norms], place) for place in places]

    def _ratio(self, norms: list[np.ndarray], place: int) -> float:
        """The largest ratio of any layer, as `engine.lens.norms` defines it, of norms (T, B) in each layer."""
        batch = self._probes[place]
        columns, ends = np.arange(len(batch.lengths)), last_counted(batch.counted)
        relevant = np.maximum(ends - self._lags[place], 0)
        parts = [relative_sizes(each[relevant, columns], each[ends, columns]) for each in norms]
        return float(np.max([np.median(each) for each in parts]))


def _parts(experiments: tuple[Experiment, ...], sequences: int, networks: StackedNetworks) -> list[_Part]:
    """The held-out sequences of the experiments, so many each, in parts."""
    drawn = {e.seed: held_out(e) for e in experiments}

    def part(some: slice) -> _Part:
        batch = of_each_seed(experiments, lambda e: drawn[e.seed].some(some), networks.weights.dtype)
        size = some.stop - some.start
        return _Part(size / sequences, size, batch.on(networks.weights.device))

    most = padded(experiments[0].batch_size, SEQUENCES)
    return [part(slice(start, min(start + most, sequences))) for start in range(0, sequences, most)]


def _last_loss(batch: Batch) -> Batch:
    """The batch with the last loss of each sequence alone."""
    return dataclasses.replace(batch, mask=np.arange(len(batch.mask))[:, None] == last_counted(batch.mask))


def _norms(gradient: torch.Tensor) -> np.ndarray:
    """Norms over the last axis. Divided by the largest number first: squares of small ones would be 0."""
    largest = gradient.abs().amax(-1)
    safe = torch.where(largest > 0, largest, 1.0)
    return (torch.linalg.vector_norm(gradient / safe[..., None], dim=-1) * largest).cpu().numpy()
