"""What a figure needs to know of a run besides its frames. No torch."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS, Cell
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.parameters import parameter_count
from engine.tasks import TASKS, Batch, held_out, probe
from engine.tasks.base import first_informative

SOLVED_SHARE = 0.1  # of the baseline: a task counts as solved below this loss


@dataclass(frozen=True)
class RunInfo:
    """What a figure needs to know besides the frame; constant during a run, except for live settings.

    Args:
        baselines: {name: loss}, in the unit of the run's own loss; the first is the bar to beat.
        held_out_baselines: the same on the held-out sequences, where they depend on the data.
        constant_loss: the loss of the best answer that is the same for every held-out sequence and step: the mean, or
            the frequencies of the classes.
        lag: how many steps lie between the answer and the input that decides it; None if the task has no such number.
        inputs, outputs: "symbols" or "values"; input_labels, output_labels: the symbols, or the channels' names.
        image: (rows, columns) of the image in the first channels of the inputs, or None.
        valid, counted: for every step of the drawn sequence: it is real, not padding; it has a loss.
        encoder_steps: how many steps of the time axis belong to the encoder; 0 without one. At later steps the inputs
            are symbols of the output.
        causal: the target at t is known only after the input at t; mostly it is the next input.
        looks_ahead: the answer depends on an input that comes after it; the lag then counts forwards.
        same_lengths: all sequences of the probe have real steps and losses at the same positions, so that a median
            over them at t compares like with like.
        first_informative: the first step whose input differs from sequence to sequence.
        chain: (layer, direction) that figures of a single layer show; None for the top layer, forwards.
    """

    experiment: Experiment
    baselines: dict[str, float]
    held_out_baselines: dict[str, float]
    constant_loss: float
    metric_name: str
    metric_percent: bool
    lag: int | None
    inputs: str
    outputs: str
    input_labels: tuple[str, ...]
    output_labels: tuple[str, ...]
    parameter_count: int
    valid: tuple[bool, ...]
    counted: tuple[bool, ...]
    image: tuple[int, int] | None = None
    encoder_steps: int = 0
    causal: bool = False
    looks_ahead: bool = False
    same_lengths: bool = True
    first_informative: int = 0
    chain: tuple[int, int] | None = None

    @classmethod
    def of(cls, experiment: Experiment) -> RunInfo:
        """Derive everything from the experiment; no network is built."""
        task, drawn = TASKS[experiment.task], probe(experiment)
        # Baselines are losses per step; with reduction "sum" the run's loss adds up this many steps.
        counted = float(drawn.mask.sum(0).mean()) if experiment.reduction == "sum" else 1.0
        baselines, sequences = task.baselines(experiment), held_out(experiment)
        of_held_out = baselines if task.baselines_on is None else task.baselines_on(experiment, sequences)
        return cls(
            experiment=experiment,
            baselines={name: counted * loss for name, loss in baselines.items()},
            held_out_baselines={name: counted * loss for name, loss in of_held_out.items()},
            constant_loss=counted * _constant_loss(sequences, task.outputs),
            metric_name=task.metric.name,
            metric_percent=task.metric.percent,
            lag=task.lag(experiment),
            first_informative=first_informative(sequences.inputs),
            inputs=task.inputs,
            outputs=task.outputs,
            input_labels=task.input_labels,
            output_labels=task.output_labels,
            parameter_count=parameter_count(experiment),
            valid=tuple(drawn.valid[:, 0].tolist()),
            counted=tuple(drawn.counted[:, 0].tolist()),
            image=task.image,
            encoder_steps=experiment.seq_len if experiment.rnn_type == "encoder_decoder" else 0,
            causal=task.causal,
            looks_ahead=task.looks_ahead,
            same_lengths=bool(
                (drawn.valid == drawn.valid[:, :1]).all() and (drawn.counted == drawn.counted[:, :1]).all()
            ),
        )

    def showing(self, chain: tuple[int, int] | None) -> RunInfo:
        """The same run, with figures of a single layer showing this one; the top layer if there is no such chain."""
        return dataclasses.replace(self, chain=chain if chain in self.chains else None)

    @property
    def chains(self) -> list[tuple[int, int]]:
        """Every (layer, direction), from the bottom up."""
        e = self.experiment
        return [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]

    @property
    def shown_chain(self) -> tuple[int, int]:
        """(layer, direction) that figures of a single layer show."""
        return self.chain or (self.experiment.num_layers - 1, 0)

    @property
    def baseline(self) -> float:
        """The loss to beat."""
        return next(iter(self.baselines.values()))

    @property
    def solved_loss(self) -> float:
        """The loss below which the task counts as solved."""
        return SOLVED_SHARE * self.baseline

    @property
    def held_out_baseline(self) -> float:
        """The loss to beat on the held-out sequences."""
        return next(iter(self.held_out_baselines.values()))

    @property
    def held_out_solved_loss(self) -> float:
        """The held-out loss below which the task counts as solved, if its metric is good as well."""
        return SOLVED_SHARE * self.held_out_baseline

    @property
    def time_steps(self) -> int:
        """Length of the time axis."""
        return self.experiment.time_steps

    @property
    def measured_lag(self) -> int:
        """The lag at which the ratio is measured: the task's; if it has none, back to the first informative input."""
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
    def cell_kind(self) -> Cell:
        """The cell: its gates, its paths back in time, its weights."""
        return CELLS[self.experiment.cell]

    @property
    def cell_title(self) -> str:
        """The cell's name on the screen."""
        return self.cell_kind.title

    @property
    def memory_symbol(self) -> str:
        """The state that carries memory: c for an LSTM, h otherwise."""
        return "c" if self.cell_kind.has_cell_state else "h"

    @property
    def activation(self) -> str | None:
        """The activation of a plain cell, such as "tanh"; None for a gated cell."""
        return CELLS[self.experiment.cell].activation(self.experiment.nonlinearity)

    @property
    def is_autoregressive(self) -> bool:
        """True where the output of one step is the input of the next."""
        return self.experiment.rnn_type in AUTOREGRESSIVE_TYPES

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the cell's gates; none for a plain cell."""
        gates = self.cell_kind.gates
        return gates if len(gates) > 1 else ()

    @property
    def has_links(self) -> bool:
        """False for a feed-forward network: its steps do not depend on earlier states."""
        return self.cell_kind.is_recurrent


def _constant_loss(batch: Batch, outputs: str) -> float:
    """Loss per counted step of the best constant answer on a batch: the variance, or the entropy of the classes."""
    targets = batch.targets[batch.mask]
    if outputs == "values":
        return float(targets.var(axis=0, dtype=np.float64).mean())
    shares = np.bincount(targets) / len(targets)
    return float(-(shares * np.log(shares, where=shares > 0, out=np.zeros_like(shares))).sum())
