"""The gradient norms of a frame from a backward sweep: medians over the probe, and the ratio for the verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from torch import Tensor

from engine.frame.chain import Chain
from engine.frame.readings import GradientNorms
from engine.layers.crossing import to_cpu
from engine.lens.layer_gradients import LayerGradients, Rows
from engine.lens.scaled import Scaled
from engine.tasks import Batch
from engine.tasks.batch import first_counted, last_counted


class NormRows(NamedTuple):
    """Norms by [layer][direction], (T, S, B) float64 each: of dL/dh_t, of its direct part (of the whole loss alone),
    and of dL/dc_t, or None."""

    total: list[list[Tensor]]
    direct: list[list[Tensor]]
    cell: list[list[Tensor]] | None


@dataclass(frozen=True, eq=False)
class SequenceNorms:
    """Norms of the gradients of every sequence, (layers, directions, T, B) float64 each.

    Args:
        total: ||dL/dh_t|| of the whole loss. direct: of its part that enters the layer at t from above.
        cell: ||dL/dc_t||; None without a cell state.
        last, last_cell: as total and cell, of the followed loss alone (of each direction's own).
    """

    total: np.ndarray
    direct: np.ndarray
    cell: np.ndarray | None
    last: np.ndarray
    last_cell: np.ndarray | None

    @classmethod
    def of(cls, gradients: Rows, followed: Sequence[int]) -> Self:
        """Read them from a sweep; see `from_rows`."""
        return cls.from_rows(to_cpu(norm_rows(gradients)), followed)

    @classmethod
    def from_rows(cls, rows: NormRows, followed: Sequence[int]) -> Self:
        """Read them from what `norm_rows` computed, on the CPU.

        Args:
            followed: for each direction the seed of the loss that is followed; seed 0 is the whole loss.
        """
        whole = [0] * len(followed)
        return cls(
            total=_of_seeds(rows.total, whole),
            direct=_of_seeds(rows.direct, whole),
            cell=None if rows.cell is None else _of_seeds(rows.cell, whole),
            last=_of_seeds(rows.total, followed),
            last_cell=None if rows.cell is None else _of_seeds(rows.cell, followed),
        )

    def divided_by(self, scale: float) -> Self:
        """The same, of a loss that had been multiplied by this."""
        cell, last_cell = (None if norms is None else norms / scale for norms in (self.cell, self.last_cell))
        return replace(
            self,
            total=self.total / scale,
            direct=self.direct / scale,
            cell=cell,
            last=self.last / scale,
            last_cell=last_cell,
        )

    @property
    def memory(self) -> np.ndarray:
        """Of the followed loss, at the state that carries memory: c if there is one, else h."""
        return self.last if self.last_cell is None else self.last_cell


def norm_rows(gradients: Rows) -> NormRows:
    """The norms of a sweep, where it was made."""

    def norms(pick: Callable[[LayerGradients], Scaled | None]) -> list[list[Tensor]] | None:
        rows = [[pick(each) for each in row] for row in gradients]
        return None if rows[0][0] is None else [[each.norm() for each in row if each] for row in rows]

    total, cell = norms(lambda each: each.total), norms(lambda each: each.total_cell)
    direct = norms(lambda each: each.direct.rows(slice(0, 1)))
    assert total is not None and direct is not None
    return NormRows(total, direct, cell)


def _of_seeds(rows: list[list[Tensor]], seeds: Sequence[int]) -> np.ndarray:
    """Pick one seed for each direction, of (T, S, B) each: (layers, directions, T, B)."""
    return np.stack([np.stack([norms[:, seeds[d]].numpy() for d, norms in enumerate(row)]) for row in rows])


@dataclass(frozen=True, eq=False)
class Endpoints:
    """From where to where the gradient of the followed loss goes in every sequence.

    Args:
        valid: (T, B) bool, real steps.
        enters: (directions, B), the position where the loss enters; -1 in a sequence that has none.
        relevant: (directions, B), the position of the first step that matters.
        source_ends: (B,), an encoder's last steps; None without an encoder.
        entered: by direction, the direction of the chain that the loss enters; see `Chain.entered`.
    """

    valid: np.ndarray
    enters: np.ndarray
    relevant: np.ndarray
    source_ends: np.ndarray | None = None
    entered: tuple[int, ...] = (0, 1)

    @classmethod
    def of(cls, probe: Batch, chain: Chain) -> Self:
        """Find them from where a task has its losses.

        In the forward direction the last loss enters at its own step. In the reverse direction of a network with one
        answer it enters at position 0, and the step that matters is the same as forwards. In the reverse direction of
        one with many answers the first loss is used, and time runs the other way. Where a decoder answers, its last
        loss is used for both directions of the encoder.
        """
        enters = [last_counted(probe.counted)]
        relevant = [np.maximum(enters[0] - chain.measured_lag, 0)]
        if chain.directions > 1 and chain.encoder_steps:
            enters.append(enters[0])
            relevant.append(relevant[0])
        elif chain.directions > 1 and chain.answers_once:
            enters.append(enters[0] if chain.reads_reverse_at_its_start else np.zeros_like(enters[0]))
            relevant.append(relevant[0])
        elif chain.directions > 1:
            enters.append(first_counted(probe.counted))
            relevant.append(np.minimum(enters[1] + chain.reverse_lag, probe.lengths - 1))
        source_ends = probe.lengths - 1 if probe.source_steps else None
        entered = tuple(chain.entered(d) for d in range(chain.directions))
        return cls(probe.valid, np.stack(enters), np.stack(relevant), source_ends, entered)


def gradient_norms(norms: SequenceNorms, ends: Endpoints, drawn: int = 0) -> GradientNorms:
    """Summarise the norms of all sequences: medians over them, and those of the drawn sequence."""
    kinds = {
        "grad_norm": norms.total,
        "grad_norm_direct": norms.direct,
        "grad_norm_last": norms.last,
        "grad_norm_memory": norms.memory,
    }
    values: dict[str, Any] = {"grad_norm_cell": None, "sequence_grad_norm_cell": None}
    if norms.cell is not None:
        kinds["grad_norm_cell"] = norms.cell
    values |= dict(zip(kinds, _medians(np.stack(list(kinds.values())), ends.valid), strict=True))
    values |= {f"sequence_{name}": whole[..., drawn].copy() for name, whole in kinds.items()}
    relative = [[_relative(each, row[ends.entered[d]], d, ends) for d, each in enumerate(row)] for row in norms.memory]
    low, middle, high = (np.array([[each.quartiles[k] for each in row] for row in relative]) for k in range(3))
    entering = [max(each.enters for each in row) for row in relative]
    return GradientNorms(
        **values,
        relative=middle,
        relative_low=low,
        relative_high=high,
        ratio=np.array([[each.ratio for each in row] for row in relative]),
        output_grad_norm=entering[-1] or max(entering),  # a loss may read the end of a lower layer alone
        bottleneck_grad_norm=None if ends.source_ends is None else _bottleneck(norms.total, ends.source_ends),
    )


def _bottleneck(total: np.ndarray, source_ends: np.ndarray) -> float:
    """Median over the probe of the norm at the encoder's last state, all layers together."""
    columns = np.arange(len(source_ends))
    squares = sum(row[0][source_ends, columns] ** 2 for row in total)
    return float(np.median(np.sqrt(squares)))


def _medians(norms: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Median over the sequences that are real at t, (..., T, B) to (..., T); 0 where none is, NaN where one is NaN."""
    if real.all():
        return np.median(norms, -1)
    some, medians = real.any(1), np.zeros(norms.shape[:-1])
    known, broken = _known(norms, real)
    medians[..., some] = np.nanmedian(known[..., some, :], -1)
    medians[broken] = np.nan
    return medians


def _known(values: np.ndarray, real: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (..., T, B) with NaN for what is not real, and (..., T) bool: one that is real is NaN; it has zeros."""
    broken = (np.isnan(values) & real).any(-1)
    return np.where(broken[..., None], 0.0, np.where(real, values, np.nan)), broken


def entering_norms(memory: np.ndarray, ends: Endpoints) -> np.ndarray:
    """Where the followed loss enters each chain, (layers, directions, B); 0 in a sequence that has none.

    Args:
        memory: as `SequenceNorms.memory`.
    """
    columns = np.arange(memory.shape[-1])
    pairs = zip(ends.enters, ends.entered, strict=False)
    rows = [memory[:, entered, np.maximum(at, 0), columns] * (at >= 0) for at, entered in pairs]
    return np.stack(rows, axis=1)


class _Relative(NamedTuple):
    """The gradient of one loss in one chain, relative to where that loss enters it.

    Args:
        quartiles: (3, T), the lower quartile, the median and the upper quartile over the sequences real at t.
        ratio: the median at the first step that matters. enters: the median of the norms where the loss enters.
    """

    quartiles: np.ndarray
    ratio: float
    enters: float


def _relative(norms: np.ndarray, entered: np.ndarray, direction: int, ends: Endpoints) -> _Relative:
    """Divide the norms (T, B) of every sequence by that where the loss enters, then summarise over those that have one.

    0 where no sequence has one.

    Args:
        entered: the norms (T, B) of the chain that the loss enters.
    """
    having = np.flatnonzero(ends.enters[direction] >= 0)
    if not len(having):
        return _Relative(np.zeros((3, len(norms))), 0.0, 0.0)
    norms, columns = norms[:, having], np.arange(len(having))
    enters = entered[ends.enters[direction, having], having]
    parts = relative_sizes(norms, enters)
    ratio = float(np.median(parts[ends.relevant[direction, having], columns]))
    return _Relative(quartiles(parts, ends.valid[:, having]), ratio, float(np.median(enters)))


def relative_sizes(norms: np.ndarray, enters: np.ndarray) -> np.ndarray:
    """Norms (T, B) divided by those where the loss enters, (B,): 0 where none enters, NaN where that is NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(enters > 0, norms / enters, np.where(np.isnan(enters), np.nan, 0.0))


def quartiles(parts: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Lower quartile, median and upper quartile over the sequences that are real at t, (T, B) to (3, T).

    0 where none is real, NaN where one of them is NaN.

    Args:
        real: (T, B) bool.
    """
    shares = (25, 50, 75)
    if real.all():
        return np.percentile(parts, shares, axis=-1)
    some, result = real.any(1), np.zeros((3, len(parts)))
    known, broken = _known(parts, real)
    result[:, some] = np.nanpercentile(known[some], shares, axis=-1)
    result[:, broken] = np.nan
    return result
