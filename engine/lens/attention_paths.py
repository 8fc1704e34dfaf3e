"""By which paths a gradient comes to the states of an encoder that is attended: state, values and scores.

The sweep is linear, so three sweeps of the encoder side by side, one for each way in, add up to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.frame.attention import ATTENTION_PATHS, AttentionReading
from engine.lens.forward_trace import DRAWN, ForwardTrace
from engine.lens.layer_gradients import LayerGradients, Rows
from engine.lens.norms import Endpoints
from engine.lens.scaled import Scaled
from engine.lens.sweep import SweepResult, sweep_pass

PathRows = dict[str, Rows]
"""The encoder's gradients by path."""


@torch.no_grad()
def encoder_paths(swept: SweepResult) -> PathRows:
    """Sweep the encoder once more, each path by itself.

    Args:
        swept: a whole sweep of a network with attention.
    """
    entry, encoder = swept.entry, swept.trace.passes[0]
    assert entry is not None
    nothing = Scaled.of(torch.zeros_like(entry.attention.values.values))
    seeds = nothing.exponent.shape[1]
    above = Scaled.side_by_side([nothing, entry.attention.values, entry.attention.scores])
    above = above.repeated(len(encoder.cell_traces[0]))
    incoming = [[way.with_empty_rows(2) for way in row] for row in entry.bridge]
    rows, _ = sweep_pass(encoder, above, [list(row) for row in incoming])
    return {
        path: [[each.of_seeds(slice(k * seeds, (k + 1) * seeds)) for each in row] for row in rows]
        for k, path in enumerate(ATTENTION_PATHS)
    }


@dataclass(frozen=True, eq=False)
class PathNumbers:
    """Norms and shares of the paths by [layer][direction], float64.

    Args:
        norms, shares: of dL/dh_j, (S, seeds, B). memory_norms, memory_shares: of dL/ds_j, s the state that carries
            memory.
    """

    norms: dict[str, list[list[Tensor]]]
    shares: dict[str, list[list[Tensor]]]
    memory_norms: dict[str, list[list[Tensor]]]
    memory_shares: dict[str, list[list[Tensor]]]


@torch.no_grad()
def path_numbers(swept: SweepResult) -> PathNumbers:
    """Sweep by path, and reduce the vectors to their norms and their shares of the whole."""
    paths, whole = encoder_paths(swept), swept.passes[0]

    def each(pick: Any, number: Any) -> dict[str, list[list[Tensor]]]:
        return {
            path: [
                [number(pick(part), pick(all_of_it)) for part, all_of_it in zip(own, sums, strict=True)]
                for own, sums in zip(rows, whole, strict=True)
            ]
            for path, rows in paths.items()
        }

    def norm(part: Scaled, _: Scaled) -> Tensor:
        return part.norm()

    return PathNumbers(
        each(_hidden, norm), each(_hidden, Scaled.share_of), each(_memory, norm), each(_memory, Scaled.share_of)
    )


def _hidden(gradients: LayerGradients) -> Scaled:
    return gradients.total


def _memory(gradients: LayerGradients) -> Scaled:
    return gradients.total if gradients.total_cell is None else gradients.total_cell


@dataclass(frozen=True, eq=False)
class AttentionRead:
    """What a frame's reading is made of, as tensors.

    Args:
        weights: alpha of all sequences, (B, D, S). sent: (D, S), of the drawn one.
        around: the norm of what attention sends to each state of the encoder, (S, seeds, B).
    """

    weights: Tensor
    sent: Tensor
    around: Tensor
    paths: PathNumbers


@torch.no_grad()
def read_attention(trace: ForwardTrace, swept: SweepResult, gradient: Tensor) -> AttentionRead | None:
    """Sweep by path, and reduce to what a frame shows; None without attention.

    Args:
        swept: of all losses together, and of the followed one.
        gradient: of the losses with respect to what the head reads, as `loss_gradient` gives it.
    """
    if trace.attention is None:
        return None
    assert swept.entry is not None
    around = swept.entry.attention.memory.norm()
    return AttentionRead(trace.attention.weights, trace.attention.sent(gradient), around, path_numbers(swept))


def attention_reading(
    read: AttentionRead, enters: np.ndarray, ends: Endpoints, followed: int, drawn: int = DRAWN
) -> tuple[AttentionReading, float]:
    """The reading of a frame, and the norm of what crosses the bridge.

    Args:
        read: on the CPU.
        enters: (layers, directions, B), the norm where the followed loss enters each chain, at the state that carries
            memory.
        followed: the seed of the followed loss.
    """
    assert ends.source_ends is not None
    weights, sequences = read.weights.numpy(), np.arange(len(ends.source_ends))
    relevant, row = ends.relevant[0], ends.enters[0] - weights.shape[2]
    asked = (ends.enters[0] >= 0) & (relevant < weights.shape[2])
    paths = read.paths

    def deciding(rows: list[list[Tensor]]) -> np.ndarray:
        """(layers, directions, B) at the deciding step."""
        return _stacked(rows, followed)[:, :, np.minimum(relevant, weights.shape[2] - 1), sequences]

    state = _stacked(paths.norms["state"], 0)[:, :, ends.source_ends, sequences]  # (layers, directions, B)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_state = np.where(enters > 0, deciding(paths.memory_norms["state"]) / enters, 0.0)
    around_share = deciding(paths.memory_shares["values"]) + deciding(paths.memory_shares["scores"])
    around = np.linalg.norm(read.around[:, 0].numpy(), axis=0)  # (B,)
    reading = AttentionReading(
        weights=weights[drawn].copy(),
        mean_weights=_mean_over_real(weights, ends.valid),
        sent=read.sent.numpy(),
        norms=of_sequence(paths.norms, 0, drawn),
        shares=of_sequence(paths.shares, 0, drawn),
        last_norms=of_sequence(paths.memory_norms, followed, drawn),
        last_shares=of_sequence(paths.memory_shares, followed, drawn),
        state_ratio=_median(by_state, asked),
        around_share=_median(around_share, asked),
        deciding_weight=float(_median(weights[sequences, row, np.minimum(relevant, weights.shape[2] - 1)], asked)),
        largest_weight=float(_median(weights[sequences, row].max(-1), asked)),
        even_weight=float(np.median(1 / (ends.source_ends + 1))),
        around_grad_norm=float(np.median(around)),
        sequence_around_grad_norm=float(around[drawn]),
    )
    return reading, float(np.median(np.sqrt((state[:, 0] ** 2).sum(0))))


def of_sequence(values: dict[str, list[list[Tensor]]], seed: int = 0, sequence: int = DRAWN) -> dict[str, np.ndarray]:
    """One sequence's norms or shares of one seed, {path: (layers, directions, S)}."""
    return {path: _stacked(rows, seed)[..., sequence].copy() for path, rows in values.items()}


def _stacked(rows: list[list[Tensor]], seed: int) -> np.ndarray:
    """One seed of (S, seeds, B) each: (layers, directions, S, B)."""
    return np.stack([np.stack([values[:, seed].numpy() for values in row]) for row in rows])


def _median(values: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Over the sequences that have the number; NaN if none has."""
    return np.median(values[..., asked], -1) if asked.any() else np.full(values.shape[:-1], np.nan)


def _mean_over_real(weights: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(D, S): the mean over the sequences that are real at both steps; NaN where none is. valid: (T, B)."""
    source = weights.shape[2]
    real = valid[source:].T[:, :, None] & valid[:source].T[:, None]  # (B, D, S)
    count = real.sum(0)
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, np.where(real, weights, 0).sum(0) / count, np.nan)
