"""The gradient norms of a frame from a backward sweep: medians over the probe, and the ratio for the verdict."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from engine.frame.chain import Chain
from engine.frame.readings import GradientNorms
from engine.lens.sweep import LayerGradients
from engine.tasks import Batch
from engine.tasks.base import first_counted, last_counted


def gradient_norms(gradients: list[list[LayerGradients]], probe: Batch, chain: Chain) -> GradientNorms:
    """Summarise a sweep as norms: medians over the probe, and those of the drawn sequence.

    Args:
        gradients: [layer][direction], from a sweep with the seeds of `capture_frame`: all, last and first loss, in this
            order; losses that are the same have one seed.
    """
    seeds = gradients[0][0].total.values.shape[1]
    last = [min(1, seeds - 1), seeds - 1]  # the seed for the verdict, by direction
    norm = [[each.total.norm().cpu().numpy() for each in row] for row in gradients]  # (T, S, B) each
    direct = [[each.direct.rows(slice(0, 1)).norm().cpu().numpy() for each in row] for row in gradients]
    cell = [[None if each.total_cell is None else each.total_cell.norm().cpu().numpy() for each in row]
            for row in gradients]  # fmt: skip
    memory = cell if cell[0][0] is not None else norm
    relative = [[_relative(norms[:, last[d]], d, probe, chain) for d, norms in enumerate(row)] for row in memory]  # type: ignore[index]
    kinds = {
        "grad_norm": _seeds(norm, [0, 0]),
        "grad_norm_direct": _seeds(direct, [0, 0]),
        "grad_norm_last": _seeds(norm, last),
        "grad_norm_memory": _seeds(memory, last),
    }
    values: dict[str, Any] = {"grad_norm_cell": None, "sequence_grad_norm_cell": None}
    if cell[0][0] is not None:
        kinds["grad_norm_cell"] = _seeds(cell, [0, 0])
    values |= dict(zip(kinds, _medians(np.stack(list(kinds.values())), probe), strict=True))
    values |= {f"sequence_{name}": whole[..., 0].copy() for name, whole in kinds.items()}
    low, middle, high = (np.array([[each.quartiles[k] for each in row] for row in relative]) for k in range(3))
    return GradientNorms(
        **values,
        relative=middle,
        relative_low=low,
        relative_high=high,
        ratio=np.array([[each.ratio for each in row] for row in relative]),
        output_grad_norm=max(each.enters for each in relative[-1]),
        bottleneck_grad_norm=_bottleneck(norm, probe) if probe.source_steps else None,
    )


def _bottleneck(norms: list, probe: Batch) -> float:
    """Median over the probe of the norm at the encoder's last state, all layers together."""
    ends, columns = probe.lengths - 1, np.arange(len(probe.lengths))
    squares = sum(row[0][ends, 0, columns] ** 2 for row in norms)
    return float(np.median(np.sqrt(squares)))


def _seeds(rows: list, seed: list[int]) -> np.ndarray:
    """Pick one seed for each direction: (layers, directions, T, sequences)."""
    return np.stack([np.stack([norms[:, seed[d]] for d, norms in enumerate(row)]) for row in rows])


def _medians(norms: np.ndarray, probe: Batch) -> np.ndarray:
    """Median over the sequences that are real at t, (..., T, sequences) to (..., T); 0 where none is."""
    real = probe.valid
    if real.all():
        return np.median(norms, -1)
    some, medians = real.any(1), np.zeros(norms.shape[:-1])
    medians[..., some] = np.nanmedian(np.where(real, norms, np.nan)[..., some, :], -1)
    return medians


class _Relative(NamedTuple):
    """The gradient of one loss in one chain, relative to where that loss enters it.

    Args:
        quartiles: (3, T), the lower quartile, the median and the upper quartile over the sequences real at t.
        ratio: the median at the first step that matters. enters: the median of the norms where the loss enters.
    """

    quartiles: np.ndarray
    ratio: float
    enters: float


def _relative(norms: np.ndarray, direction: int, probe: Batch, chain: Chain) -> _Relative:
    """Divide the norms of every sequence by that where the loss enters, then summarise over the probe.

    In the forward direction the last loss enters at its own step. In the reverse direction of a network with one answer
    it enters at position 0, and the step that matters is the same as forwards. In the reverse direction of one with
    many answers the first loss is used, and time runs the other way.

    Args:
        norms: (T, B), of one loss, layer and direction.
    """
    columns, ends = np.arange(norms.shape[1]), last_counted(probe.counted)
    relevant = np.maximum(ends - chain.measured_lag, 0)
    if direction:
        if chain.answers_once:
            ends = np.zeros_like(ends)
        else:
            ends = first_counted(probe.counted)
            relevant = np.minimum(ends + chain.reverse_lag, probe.lengths - 1)
    enters = norms[ends, columns]
    parts = relative_sizes(norms, enters)
    ratio = float(np.median(parts[relevant, columns]))
    return _Relative(quartiles(parts, probe.valid), ratio, float(np.median(enters)))


def relative_sizes(norms: np.ndarray, enters: np.ndarray) -> np.ndarray:
    """Norms (T, B) divided by those where the loss enters, (B,): 0 where none enters, NaN where that is NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(enters > 0, norms / enters, np.where(np.isnan(enters), np.nan, 0.0))


def quartiles(parts: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Lower quartile, median and upper quartile over the sequences that are real at t, (T, B) to (3, T); else 0.

    Args:
        real: (T, B) bool.
    """
    shares = (25, 50, 75)
    if real.all():
        return np.percentile(parts, shares, axis=-1)
    some, result = real.any(1), np.zeros((3, len(parts)))
    result[:, some] = np.nanpercentile(np.where(real, parts, np.nan)[some], shares, axis=-1)
    return result
