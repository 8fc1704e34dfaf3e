"""What a frame says of a gradient: norms of a swept batch, medians over its sequences, and the ratio of the verdict."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine import lens
from engine.frame import RunInfo
from engine.tasks import Batch


@dataclass(frozen=True, eq=False)
class Norms:
    """The gradient norms of a frame; fields and units as `Frame` has them."""

    grad_norm: np.ndarray
    grad_norm_direct: np.ndarray
    grad_norm_last: np.ndarray
    grad_norm_cell: np.ndarray | None
    sequence_grad_norm: np.ndarray
    ratio: np.ndarray
    output_grad_norm: float

    @classmethod
    def of(cls, swept: list[list[lens.Swept]], probe: Batch, info: RunInfo) -> Norms:
        """Medians over the probe of what a sweep of the seeds of `Trainer._seeds` found."""
        seeds = swept[0][0].total.values.shape[1]
        last = [min(1, seeds - 1), seeds - 1]  # the seed that the verdict reads, by direction
        norm = [[each.total.norm().cpu().numpy() for each in row] for row in swept]  # (T, S, B) each
        direct = [[each.direct.norm().cpu().numpy() for each in row] for row in swept]
        cell = [[None if each.total_cell is None else each.total_cell.norm().cpu().numpy() for each in row]
                for row in swept]  # fmt: skip
        memory = cell if cell[0][0] is not None else norm
        ratios = [[_ratio(each[:, last[d]], d, probe, info) for d, each in enumerate(row)] for row in memory]  # type: ignore[index]
        return cls(
            grad_norm=_medians(norm, probe, [0, 0]),
            grad_norm_direct=_medians(direct, probe, [0, 0]),
            grad_norm_last=_medians(norm, probe, last),
            grad_norm_cell=None if cell[0][0] is None else _medians(cell, probe, [0, 0]),
            sequence_grad_norm=np.stack([np.stack([each[:, 0, 0] for each in row]) for row in norm]),
            ratio=np.array([[each[0] for each in row] for row in ratios]),
            output_grad_norm=max(each[1] for each in ratios[-1]),
        )


def _medians(rows: list, probe: Batch, seed: list[int]) -> np.ndarray:
    """(layers, directions, T): the median over the sequences that are real at t."""
    real = np.arange(len(probe.mask))[:, None] < probe.lengths
    if real.all():
        return np.stack([np.stack([np.median(each[:, seed[d]], -1) for d, each in enumerate(row)]) for row in rows])
    return np.stack([
        np.stack([np.nanmedian(np.where(real, each[:, seed[d]], np.nan), -1) for d, each in enumerate(row)])
        for row in rows
    ])  # fmt: skip


def _ratio(norms: np.ndarray, direction: int, probe: Batch, info: RunInfo) -> tuple[float, float]:
    """(ratio, norm where the loss enters), medians over the probe. norms: (T, B) of one loss, layer and direction.

    Forwards the last loss enters at its own step. The reverse direction of a many-to-one net enters at position 0,
    and the relevant step is where it is; of a many-to-many net the first loss counts, and time runs the other way.
    """
    columns, ends = np.arange(norms.shape[1]), lens.last_counted(probe)
    relevant = np.maximum(ends - info.reach, 0)
    if direction:
        if info.experiment.rnn_type == "many_to_one":
            ends = np.zeros_like(ends)
        else:
            ends = lens.first_counted(probe)
            relevant = np.minimum(ends + info.reach, probe.lengths - 1)
    enters, arrives = norms[ends, columns], norms[relevant, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(enters > 0, arrives / enters, np.where(np.isnan(enters), np.nan, 0.0))
    return float(np.median(ratios)), float(np.median(enters))
