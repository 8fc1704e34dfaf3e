"""The gradient norms of a frame from a backward sweep: medians over the probe, and the ratio for the verdict."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.frame import RunInfo
from engine.frame.readings import GradientNorms
from engine.lens.sweep import LayerGradients
from engine.tasks import Batch
from engine.tasks.base import first_counted, last_counted


def gradient_norms(gradients: list[list[LayerGradients]], probe: Batch, info: RunInfo) -> GradientNorms:
    """Summarise a sweep as norms: medians over the probe, and those of the drawn sequence.

    Args:
        gradients: [layer][direction], from a sweep with the seeds of `capture_frame`: all, last and first loss, in this
            order; losses that are the same have one seed.
    """
    seeds = gradients[0][0].total.values.shape[1]
    last = [min(1, seeds - 1), seeds - 1]  # the seed for the verdict, by direction
    norm = [[chain.total.norm().cpu().numpy() for chain in row] for row in gradients]  # (T, S, B) each
    direct = [[chain.direct.rows(slice(0, 1)).norm().cpu().numpy() for chain in row] for row in gradients]
    cell = [[None if chain.total_cell is None else chain.total_cell.norm().cpu().numpy() for chain in row]
            for row in gradients]  # fmt: skip
    memory = cell if cell[0][0] is not None else norm
    ratios = [[_ratio(norms[:, last[d]], d, probe, info) for d, norms in enumerate(row)] for row in memory]  # type: ignore[index]
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
    return GradientNorms(
        **values,
        ratio=np.array([[ratio for ratio, _ in row] for row in ratios]),
        output_grad_norm=max(enters for _, enters in ratios[-1]),
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


def _ratio(norms: np.ndarray, direction: int, probe: Batch, info: RunInfo) -> tuple[float, float]:
    """Return (ratio, norm where the loss enters), medians over the probe.

    In the forward direction the last loss enters at its own step. In the reverse direction of a many-to-one network it
    enters at position 0, and the relevant step is the same as forwards. In the reverse direction of a many-to-many
    network the first loss is used, and time runs the other way.

    Args:
        norms: (T, B), of one loss, layer and direction.
    """
    columns, ends = np.arange(norms.shape[1]), last_counted(probe.counted)
    relevant = np.maximum(ends - info.measured_lag, 0)
    if direction:
        if info.experiment.rnn_type == "many_to_one":
            ends = np.zeros_like(ends)
        else:
            ends = first_counted(probe.counted)
            relevant = np.minimum(ends + info.reverse_lag, probe.lengths - 1)
    enters, arrives = norms[ends, columns], norms[relevant, columns]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(enters > 0, arrives / enters, np.where(np.isnan(enters), np.nan, 0.0))
    return float(np.median(ratios)), float(np.median(enters))
