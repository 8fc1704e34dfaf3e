"""How large one optimiser step is, and how large it may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.cells import CELLS
from engine.limits import LIMITS


@dataclass(frozen=True)
class UpdateLimit:
    """How large one optimiser step may be, as `step_cost` estimates it: about a second on such a device."""

    multiply_adds: float
    bytes: float
    where: str


ONE_CORE = UpdateLimit(LIMITS.multiply_adds, LIMITS.network_megabytes * 2**20, "one CPU core")
GPU = UpdateLimit(50 * ONE_CORE.multiply_adds, 4 * ONE_CORE.bytes, "a GPU")


def affordable(experiment: Any) -> str:
    """What is accepted instead, of an `Experiment` whose update is too large for its device; "" if it is not."""
    e = experiment
    multiply_adds, size = step_cost(e)
    weights = multiply_adds / (3 * e.time_steps * e.batch_size) + e.embedding_size * e.definition.input_size
    size = max(size, 16 * weights)  # in bytes, with gradients and what Adam remembers
    limit = ONE_CORE if e.device == "cpu" else GPU
    if multiply_adds <= limit.multiply_adds and size <= limit.bytes:
        return ""
    return (
        f"such that one update needs at most {limit.multiply_adds:.0e} multiply-adds and "
        f"{limit.bytes / 2**20:,.0f} MiB on {limit.where} (this one: {multiply_adds:.1e} and "
        f"{size / 2**20:,.0f} MiB), or layers, length or batch smaller"
    )


def step_cost(experiment: Any) -> tuple[float, float]:
    """Estimate the cost of one optimiser step: (multiply-adds, bytes held for the backward pass).

    A backward pass costs about twice a forward pass. Each time step keeps its gates, state and input in float32.

    Args:
        experiment: an `Experiment`.
    """
    e = experiment
    cell, width, outputs = CELLS[e.cell], e.hidden_size * e.directions, e.definition.output_size
    work, kept, size = 0.0, 0.0, float(e.input_size)
    backwards = e.seq_len / e.time_steps if e.rnn_type == "encoder_decoder" else 1.0  # a decoder reads one way
    directions = 1 + (e.directions - 1) * backwards
    for _ in range(e.num_layers):
        work += directions * e.hidden_size * (cell.blocks * size + cell.state_blocks * e.hidden_size)
        kept += size + directions * e.hidden_size * (cell.blocks + 2)
        size = float(width)
    if e.attention != "none":  # each target step meets each source step twice: its score, and what is read of it
        meets = e.seq_len * (e.time_steps - e.seq_len) / e.time_steps
        work += 2 * meets * e.hidden_size
        kept += 3 * meets + e.hidden_size
        size = float(e.readout_size)
    elif e.rnn_type == "encoder_decoder":
        size = float(e.readout_size)
    for _ in range(e.output_layers):
        work += size * e.hidden_size
        kept += size + e.hidden_size
        size = float(e.hidden_size)
    places = (e.time_steps - e.warm_up) * e.batch_size
    return 3.0 * places * (work + size * outputs), 4.0 * places * (kept + 2 * outputs)
