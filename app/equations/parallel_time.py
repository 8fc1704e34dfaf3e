"""Can all time steps of a cell be computed at once: what is measured for a linear recurrence, and the sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.cells import CELLS
from engine.cells.parallel_time import dependent_steps, scan_pays
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment

LENGTHS = (64, 256, 1024, 4096)
NARROW = (1, 16)
"""(B, H) of the row that is measured beside the network's own."""
MAX_NUMBERS = 2**23
"""T * B * H: 32 MiB for each tensor, of which a measurement holds about eight."""

HEADING = "In parallel over time"
BUTTON = "Measure loop and scan"
MEASURING = "Measuring: loop and scan in turn. Runs continue to train."
STEPS_TITLE = "Steps that wait for one another"
STEPS_AXIS, TIME_AXIS = "steps", "ms"
WAYS = (
    "The step is linear in the old state, so two steps together are again one step of the same kind. A **loop** makes "
    "T steps one after the other. A **scan** joins neighbours, all pairs at once, then pairs of pairs: about "
    "2 log₂ T steps wait for one another. It makes more multiplications in all."
)
HOW_TO = "Fewer steps that wait are faster only where arithmetic is idle. Measure it on this server."
NOT_LINEAR = (
    "Each state passes through a nonlinearity before the next state is known. Two such steps are not one step of the "
    "same kind, so they cannot be joined exactly, and all T steps wait for one another."
)
IDENTITY = (
    "With the identity as its activation this step is linear in the old state, so time could be computed in parallel; "
    "this program computes it step by step."
)
NO_STATE = "No step reads a state of the step before: all time steps are computed at once, and none waits."
NOISE = (
    "B × H: sequences times units. Forward and backward, without the gates' products. Median of {repeats} repeats "
    "each, on one core, in a worker of this server that may do other work as well. Another measurement will give "
    "slightly different numbers."
)
TOO_LARGE = "Not measured for this network, because it would be too large for this server: {lengths} time steps."


@dataclass(frozen=True)
class RecurrenceMeasurement:
    """What is measured.

    Args:
        lengths: of each row (B, H) that is measured, the network's own first, if it fits at any length.
        left_out: the lengths at which the network's own row would be too large.
    """

    lengths: dict[tuple[int, int], tuple[int, ...]]
    left_out: tuple[int, ...]

    @property
    def shapes(self) -> list[tuple[int, int, int]]:
        """(T, B, H) in the order of the measurement."""
        return [(steps, *row) for row, lengths in self.lengths.items() for steps in lengths]

    def milliseconds(self, medians: Sequence[float]) -> dict[tuple[int, int], tuple[list[float], list[float]]]:
        """The loop's and the scan's times by row, from the medians in seconds."""
        times, begin = {}, 0
        for row, lengths in self.lengths.items():
            end = begin + 2 * len(lengths)
            own = [1e3 * seconds for seconds in medians[begin:end]]
            times[row], begin = (own[::2], own[1::2]), end
        return times


def why_not(e: Experiment) -> str:
    """Why there is nothing to measure, in a sentence; empty for a cell that is linear in its state."""
    cell = CELLS[e.cell]
    if not cell.is_recurrent:
        return NO_STATE
    if cell.structure.is_linear:
        return ""
    return IDENTITY if cell.uses_nonlinearity and e.nonlinearity == "identity" else NOT_LINEAR


def plan(e: Experiment) -> RecurrenceMeasurement:
    """The network's own row and the narrow one, at every length within the limit."""
    own = e.batch_size, e.hidden_size
    lengths = {
        (batch, hidden): tuple(steps for steps in LENGTHS if steps * batch * hidden <= MAX_NUMBERS)
        for batch, hidden in dict.fromkeys([own, NARROW])
    }
    left_out = LENGTHS[len(lengths[own]) :]
    return RecurrenceMeasurement({row: steps for row, steps in lengths.items() if steps}, left_out)


def depths() -> tuple[list[int], list[int]]:
    """The dependent steps of the loop and of the scan at every length."""
    counts = [dependent_steps(steps) for steps in LENGTHS]
    return [each.loop for each in counts], [each.scan for each in counts]


def times_title(row: tuple[int, int], own: bool) -> str:
    """The title of a panel of times."""
    batch, hidden = row
    return f"Milliseconds, {batch} × {hidden}{' (this network)' if own else ''}"


def sentences(measured: RecurrenceMeasurement, medians: Sequence[float]) -> list[str]:
    """At the greatest length of each row: how much longer one way takes than the other."""
    lines = []
    for row, (loop, scan) in measured.milliseconds(medians).items():
        batch, hidden = row
        steps = measured.lengths[row][-1]
        faster, share = ("scan", loop[-1] / scan[-1]) if scan[-1] < loop[-1] else ("loop", scan[-1] / loop[-1])
        verdict = f"the **{faster}** is {share:.1f} times as fast" if share >= 1.05 else "both take about as long"
        lines.append(f"{batch} × {hidden} numbers a step, T = {steps:,}: {verdict}.")
    return lines


def taken(e: Experiment) -> str:
    """Which way this network takes in training, in a sentence; empty where it does not run over all steps at once."""
    if e.rnn_type in AUTOREGRESSIVE_TYPES or e.tbptt:
        return ""
    way = "scan" if scan_pays(e.time_steps, e.batch_size * e.hidden_size) else "loop"
    size = f"{e.time_steps} time steps of {e.batch_size} × {e.hidden_size} numbers"
    return f"This network is trained with the **{way}**: {size}."
