"""How many networks of a sweep have solved their task, and how sure one can be of the share. No torch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.frame.held_out import counts_as_solved
from engine.sweeps.row import Row

Z = 1.959964
"""The standard normal distribution has 95 % of its weight between -Z and Z."""
OF_THE_DATA = ("task", "rnn_type", "seq_len", "reduction", "seed")
"""The settings that decide below which loss a task of the catalogue counts as solved."""


@dataclass(frozen=True)
class Success:
    """So many networks of so many have solved their task."""

    solved: int
    of: int

    @property
    def rate(self) -> float:
        """The share of them, from 0 to 1; NaN of no network."""
        return self.solved / self.of if self.of else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """See `wilson`."""
        return wilson(self.solved, self.of)


@dataclass(frozen=True)
class Outcome:
    """What became of one network.

    Args:
        experiment: its settings.
        solved_at: the first step at which it was measured and counted as solved, as in
            `engine.frame.run_status.RunStatus`; None if it did at none. One that forgets again has solved its task.
        ratio: of the gradient before training, as in `engine.frame.held_out.HeldOutRecord`; NaN if it was not measured.
    """

    experiment: Experiment
    solved_at: int | None
    ratio: float = math.nan


def wilson(solved: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a rate, of which so many successes in so many trials were seen: (low, high).

    It lies within [0, 1], also for few trials, where the usual rate +- Z * deviation does not. Of no trial: (0, 1).
    Source: Wilson (1927), Journal of the American Statistical Association 22, 209; without correction for continuity.
    """
    if not of:
        return 0.0, 1.0
    rate, weight = solved / of, Z * Z / of
    middle = (rate + weight / 2) / (1 + weight)
    reach = Z * math.sqrt((rate * (1 - rate) + weight / 4) / of) / (1 + weight)
    low = 0.0 if solved == 0 else middle - reach  # at the ends exact, whatever is rounded
    high = 1.0 if solved == of else middle + reach
    return low, high


def outcomes(experiments: Sequence[Experiment], rows: Iterable[Row]) -> list[Outcome]:
    """What became of the networks that have rows, in the order of their numbers.

    Args:
        experiments: of the sweep. rows: of its networks, in any order, each with the number of its experiment.
    """
    of_each: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.number, row.step)):
        of_each.setdefault(row.number, []).append(row)
    return [_outcome(experiments[number], those) for number, those in of_each.items()]


def _outcome(experiment: Experiment, rows: Sequence[Row]) -> Outcome:
    """What became of the network with these rows, in the order of their steps."""
    solved_at = (row.step for row in rows if is_solved(experiment, row.held_out_loss, row.metric))
    return Outcome(experiment, next(solved_at, None), rows[0].ratio if rows[0].step == 0 else math.nan)


def is_solved(experiment: Experiment, held_out_loss: float, metric: float) -> bool:
    """True if loss and metric on the held-out sequences count as solved, as in the held-out record of a run."""
    info = _info(*(getattr(experiment, name) for name in OF_THE_DATA))
    return counts_as_solved(info, held_out_loss, metric, before=False)


def success_by(names: Sequence[str], networks: Iterable[Outcome]) -> dict[tuple[Any, ...], Success]:
    """The success at each combination of these settings, over all that differs otherwise, as the seeds."""
    of: Counter[tuple[Any, ...]] = Counter()
    solved: Counter[tuple[Any, ...]] = Counter()
    for each in networks:
        place = tuple(getattr(each.experiment, name) for name in names)
        of[place] += 1
        solved[place] += each.solved_at is not None
    return {place: Success(solved[place], count) for place, count in of.items()}


@lru_cache(maxsize=1024)
def _info(*of_the_data: Any) -> RunInfo:
    """What is known of the task of every network with these values of OF_THE_DATA; of networks it is the smallest."""
    settings = dict(zip(OF_THE_DATA, of_the_data, strict=True))
    return RunInfo.of(Experiment(**settings, cell="rnn", hidden_size=1, batch_size=1))
