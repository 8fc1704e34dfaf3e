"""What the lens and the drawing of a network need to know of it: its chain of states, without a task. No torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.cells import CELLS, UNKNOWN_CELL, Cell


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The states of a network along the time axis: which there are, how they are linked, and where losses enter.

    It knows neither experiment nor task, so that any network can be described like this. "The drawn sequence" is the
    first of those on which frames are measured.

    Args:
        cell: one of `engine.cells.CELLS`; any other name stands for a cell that is not known.
        nonlinearity: of a plain cell; gated cells ignore it.
        num_layers, directions, hidden_size: of the recurrent layers. output_layers: feed-forward layers above them.
        proj_size: the units of h where it is a projection of what the cell makes; 0 where it is not.
        input_size: of the first recurrent layer, the inputs of a feed-forward cell's whole window.
        time_steps: length of the time axis. encoder_steps: how many of them belong to an encoder; 0 without one.
        valid, counted: for every step of the drawn sequence: it is real, not padding; it has a loss.
        answers_once: one answer, read where each direction ends; otherwise one at every counted step.
        reads_reverse_at_its_start: that answer reads the reverse direction at the last position, where it begins.
        entering: where the followed loss enters each direction of the drawn sequence, if that was measured; else it
            follows from `counted`.
        reads_across_the_batch: states go from sequence to sequence, and no step follows from the one before it.
        is_autoregressive: the output of one step is the input of the next.
        lag: how many steps lie between the answer and the input that decides it; None if there is no such number.
        looks_ahead: the answer depends on an input that comes after it; the lag then counts forwards.
        first_informative: the first step whose input differs from sequence to sequence.
        same_lengths: all measured sequences have real steps and losses at the same positions, so that a median over
            them at t compares like with like.
        sequences: over how many of them medians are taken; in a run of our own those of the probe.
        cuts: the steps t whose link to t - 1 lets no gradient back, where they are known one by one; see `walls`.
        inputs: "symbols" or "values"; input_labels: the symbols, or the channels' names, where they are known. At the
            steps of a decoder the inputs are symbols of the output.
        step_names: what each step of the drawn sequence is called, as a date; empty where steps have no name.
        shown: (layer, direction) that figures of a single layer show; None for the top layer, forwards.
    """

    cell: str
    nonlinearity: str
    num_layers: int
    directions: int
    hidden_size: int
    input_size: int
    proj_size: int = 0
    output_layers: int = 0
    time_steps: int
    encoder_steps: int = 0
    valid: tuple[bool, ...]
    counted: tuple[bool, ...]
    answers_once: bool = False
    reads_reverse_at_its_start: bool = False
    reads_across_the_batch: bool = False
    entering: tuple[int, ...] = ()
    is_autoregressive: bool = False
    lag: int | None = None
    looks_ahead: bool = False
    first_informative: int = 0
    same_lengths: bool = True
    sequences: int = 16
    cuts: tuple[int, ...] = ()
    inputs: str = "values"
    input_labels: tuple[str, ...] = ()
    step_names: tuple[str, ...] = ()
    shown: tuple[int, int] | None = None

    @property
    def cell_kind(self) -> Cell:
        """The cell: its gates, its paths back in time, its weights."""
        return CELLS.get(self.cell, UNKNOWN_CELL)

    @property
    def is_cell_known(self) -> bool:
        """False for a loop that somebody wrote by hand: then states and their gradients are all that there is."""
        return self.cell in CELLS

    @property
    def has_spectrum(self) -> bool:
        """False where no spectrum is measured: of an unknown cell, of a projection, and across the batch."""
        return self.is_cell_known and not self.proj_size and not self.reads_across_the_batch

    @property
    def cell_title(self) -> str:
        """The cell's name on the screen."""
        return self.cell_kind.title

    @property
    def units(self) -> int:
        """The units of h_t; c_t and the gates have `hidden_size`, which are more where h is a projection."""
        return self.proj_size or self.hidden_size

    @property
    def memory_symbol(self) -> str:
        """The state that carries memory: c for an LSTM, h otherwise."""
        return "c" if self.cell_kind.has_cell_state else "h"

    @property
    def activation(self) -> str | None:
        """The activation of a plain cell, such as "tanh"; None for a gated cell."""
        return self.cell_kind.activation(self.nonlinearity)

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the cell's gates; none for a plain cell."""
        gates = self.cell_kind.gates
        return gates if len(gates) > 1 else ()

    @property
    def has_links(self) -> bool:
        """False where no step depends on earlier states: in a feed-forward network, or across the batch."""
        return self.cell_kind.is_recurrent and not self.reads_across_the_batch

    @property
    def chains(self) -> list[tuple[int, int]]:
        """Every (layer, direction), from the bottom up."""
        return [(layer, d) for layer in range(self.num_layers) for d in range(self.directions)]

    @property
    def shown_chain(self) -> tuple[int, int]:
        """(layer, direction) that figures of a single layer show."""
        return self.shown or (self.num_layers - 1, 0)

    def showing(self, shown: tuple[int, int] | None) -> Self:
        """The same, with figures of a single layer showing this one; the top layer if there is no such chain."""
        return dataclasses.replace(self, shown=shown if shown in self.chains else None)

    def of_sequence(self, valid: np.ndarray, counted: np.ndarray) -> Self:
        """The same network, measured on another sequence alone. Arguments: (T,) bool, as `valid` and `counted`.

        A sequence of another length has no known lag; in an encoder-decoder it is the source that is longer or shorter.
        """
        longer = len(valid) - self.time_steps
        return dataclasses.replace(
            self,
            valid=tuple(valid.tolist()),
            counted=tuple(counted.tolist()),
            same_lengths=True,
            entering=(),
            time_steps=len(valid),
            encoder_steps=self.encoder_steps + longer if self.encoder_steps else 0,
            lag=None if longer else self.lag,
        )

    @property
    def measured_lag(self) -> int:
        """The lag at which the ratio is measured: `lag`; if there is none, back to the first informative input."""
        return self.time_steps - 1 - self.first_informative if self.lag is None else self.lag

    @property
    def reverse_lag(self) -> int:
        """The same for a direction that begins at the end of the sequence, where every input is informative."""
        return self.time_steps - 1 if self.lag is None else self.lag

    @property
    def measured_lag_unpadded(self) -> int:
        """The same in real steps of the drawn sequence: an encoder's padding, which may lie between, is not counted."""
        if not self.encoder_steps:
            return self.measured_lag
        last = max(t for t, counted in enumerate(self.counted) if counted)
        return sum(self.valid[max(last - self.measured_lag, 0) + 1 : last + 1])

    @property
    def measured_on(self) -> str:
        """The sequences over which medians are taken, in words."""
        return f"the {self.sequences} sequences looked at" if self.sequences != 1 else "the one sequence looked at"

    @property
    def walls(self) -> tuple[int, ...]:
        """The steps t whose link to t - 1 lets no gradient back."""
        return self.cuts

    def steps_of(self, direction: int) -> int:
        """How many steps of the time axis this direction has: a decoder has no reverse one, only its encoder can."""
        return self.encoder_steps if direction and self.encoder_steps else self.time_steps

    def has(self, direction: int) -> np.ndarray:
        """(T,) bool: the steps of the time axis that this direction has."""
        return np.arange(self.time_steps) < self.steps_of(direction)

    def is_real(self, direction: int) -> np.ndarray:
        """(T,) bool: the steps of the drawn sequence that this direction has and that are no padding."""
        return np.array(self.valid) & self.has(direction)

    def handed_over(self, states: np.ndarray, valid: np.ndarray) -> np.ndarray:
        """Where a decoder starts in one layer: the sum of its encoder's last states of both directions, (units,).

        Args:
            states: (directions, T, units). valid: (T,) bool, real steps.
        """
        last = int(np.flatnonzero(valid[: self.encoder_steps])[-1])
        return states[0, last] + states[1, 0] if len(states) > 1 else states[0, last]

    def entered(self, direction: int) -> int:
        """The direction in which the followed loss of this direction enters: forwards where a decoder answers."""
        return 0 if self.encoder_steps else direction

    def enters(self, direction: int) -> int:
        """Where the followed loss enters this direction of the drawn sequence.

        Forwards the last loss, at its own step. Backwards: of one answer at t = 0, where that direction ends; of many
        the first loss; where a decoder answers, the last loss enters the decoder. Where it was measured, there.
        """
        if self.entering:
            return self.entering[direction]
        counted = [t for t, has_loss in enumerate(self.counted) if has_loss]
        if not self.entered(direction) or self.reads_reverse_at_its_start:
            return counted[-1]
        return 0 if self.answers_once else counted[0]
