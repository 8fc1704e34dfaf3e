"""What crosses from the trainer to anything else: frozen values, NumPy and floats. No torch."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.frame.readings import (
    ON_DEMAND_READINGS,
    Decomposition,
    FrozenArrays,
    GradientNorms,
    Preactivations,
    Saliency,
    Spectrum,
    StepFactors,
    WeightGradients,
)
from engine.parameters import parameter_count
from engine.tasks import TASKS, probe

SOLVED_SHARE = 0.1  # of the baseline: a loss below that is a solved task


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on a frame, in words.

    Args:
        kind: one word for the flag, as "vanished" or "healthy" (the order and limits stand in `engine.diagnosis`).
        sentence: what a person should know, with the numbers in it.
        evidence: the numbers that it rests on, by name.
        cure: Experiment changes that mend it; empty where there is nothing to mend or no cure.
    """

    kind: str
    sentence: str
    evidence: dict[str, float]
    cure: dict[str, Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingProgress(FrozenArrays):
    """How far the training of a network is.

    Args:
        step: optimiser updates made; step 0 is the untrained network.
        loss: of the batch that made the update, nats or squared error; of a frame at step 0, the probe's.
        seconds: training time so far, without the time that frames took.
        param_grad_norm, param_grad_norm_clipped, clipped: of this update; NaN and False at step 0.
        recent_loss, earlier_loss: mean training loss of the last 20 updates, and of 20 a hundred updates before; NaN
            where there were not so many.
        recent_clipped: the share of the last 20 updates that were clipped.
    """

    step: int
    loss: float
    seconds: float
    param_grad_norm: float
    param_grad_norm_clipped: float
    clipped: bool
    recent_loss: float
    earlier_loss: float
    recent_clipped: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame(Preactivations, GradientNorms, TrainingProgress):
    """One look at a network. Arrays are read-only; looking changed nothing. Its base classes have fields, too.

    Sequence 0 of the probe, the held-out batch that stays the same for the whole run, is the one drawn; T is its
    padded length. The time axis has T steps; in an encoder-decoder the source's, then the target's. Names of fields
    are names of columns in recordings, which stay readable: none may change, and a new one needs a default.

    Args:
        probe_loss, metric: over the probe, evaluation mode.
        hidden, cell: (layers, directions, T, units); cell is None where there is no cell state.
        gates: {name: (layers, directions, T, units)}, values between 0 and 1 (candidates between -1 and 1).
        embedding: (symbols, 2) float32, where each symbol's learned vector lies in two dimensions, and embedding_share,
            the part of their variance that these hold, 0 to 1; see `engine.lens.embedding_map`. An encoder-decoder
            shows the source's. None where inputs are one-hot or values.
        upper: (output_layers, T, units), the layers above that have no links in time; NaN in steps that have none.
        inputs: (T,) tokens or (T, input_size); in a decoder's steps the target tokens that are fed back.
        outputs: (T, output_size) class probabilities or values, NaN where the network says nothing. Where outputs are
            fed back, with the true ones coming in (teacher forcing).
        free_outputs: the same with the network's own outputs coming in; None where nothing is fed back.
        targets: (T,) classes or (T, output_size).
        loss_per_step: (T,), 0 where not counted. valid, counted: (T,) bool, real steps and steps with a loss.
        sequence_loss: (16,) l_b of every sequence of the probe, whose mean is probe_loss.
        factors, weight_gradients: of the drawn sequence's last counted loss (in the reverse direction the first).
        decomposition: of the drawn sequence and the top layers' losses; spectrum; saliency: None where nobody asked
            for them (`engine.frame.readings.ON_DEMAND_READINGS`); else of this very step.
        diagnosis: the verdict; None only before it is made.
    """

    probe_loss: float
    metric: float
    hidden: np.ndarray
    cell: np.ndarray | None
    gates: dict[str, np.ndarray]
    embedding: np.ndarray | None
    embedding_share: float | None
    upper: np.ndarray
    inputs: np.ndarray
    outputs: np.ndarray
    free_outputs: np.ndarray | None
    targets: np.ndarray
    loss_per_step: np.ndarray
    sequence_loss: np.ndarray
    valid: np.ndarray
    counted: np.ndarray
    factors: StepFactors
    weight_gradients: WeightGradients
    decomposition: Decomposition | None = None
    spectrum: Spectrum | None = None
    saliency: Saliency | None = None
    diagnosis: Diagnosis | None = None

    @property
    def on_demand(self) -> frozenset[str]:
        """Which of ON_DEMAND_READINGS it has."""
        return frozenset(name for name in ON_DEMAND_READINGS if getattr(self, name) is not None)


@dataclass(frozen=True)
class RunInfo:
    """What a figure needs to know besides the frame; the same for the whole run.

    Args:
        baselines: {name: loss}, in the unit of the run's own loss; the first is the bar to beat.
        lag: how many steps back the task's answer lies; None where the task has no such number.
        inputs, outputs: "symbols" or "values"; input_labels, output_labels: the symbols, or the channels' names.
        image: (rows, columns) of the picture in the first channels of the inputs, or None.
        valid, counted: of the drawn sequence at every step: it is real, not padding; it has a loss.
        encoder_steps: how many steps of the time axis belong to an encoder; 0 where there is none. From there on the
            inputs are the outputs' symbols.
        causal: the target at t lies in the future of the input at t, mostly the next input.
        looks_ahead: what decides the answer comes only after the step that is asked; the lag then counts forwards.
        same_lengths: every sequence of the probe has its real steps and its losses where the drawn one has them, so
            that a median over them at t compares like with like.
    """

    experiment: Experiment
    baselines: dict[str, float]
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

    @classmethod
    def of(cls, experiment: Experiment) -> RunInfo:
        """Everything follows from the experiment; no network is built."""
        task, drawn = TASKS[experiment.task], probe(experiment)
        # the loss is then a sum over this many steps
        counted = float(drawn.mask.sum(0).mean()) if experiment.reduction == "sum" else 1.0
        return cls(
            experiment=experiment,
            baselines={name: counted * loss for name, loss in task.baselines(experiment).items()},
            metric_name=task.metric.name,
            metric_percent=task.metric.percent,
            lag=task.lag(experiment),
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

    @property
    def baseline(self) -> float:
        """The loss to beat."""
        return next(iter(self.baselines.values()))

    @property
    def solved_loss(self) -> float:
        """Below this loss the task is solved."""
        return SOLVED_SHARE * self.baseline

    @property
    def time_steps(self) -> int:
        """Length of the time axis."""
        return self.experiment.time_steps

    @property
    def measured_lag(self) -> int:
        """The lag at which the ratio is measured: the task's, or from end to end where it has none."""
        return self.time_steps - 1 if self.lag is None else self.lag

    @property
    def measured_lag_unpadded(self) -> int:
        """The same in steps that are really there, of the drawn sequence: an encoder's padding may lie in between."""
        if not self.encoder_steps:
            return self.measured_lag
        last = max(t for t, counted in enumerate(self.counted) if counted)
        return sum(self.valid[max(last - self.measured_lag, 0) + 1 : last + 1])

    @property
    def cell_title(self) -> str:
        """The cell's name on the screen."""
        return CELLS[self.experiment.cell].title

    @property
    def memory_symbol(self) -> str:
        """h, or c where the cell state carries the memory."""
        return "c" if CELLS[self.experiment.cell].has_cell_state else "h"

    @property
    def is_autoregressive(self) -> bool:
        """True where the output of one step is the input of the next."""
        return self.experiment.rnn_type in AUTOREGRESSIVE_TYPES

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the cell's gates; none for a plain cell."""
        gates = CELLS[self.experiment.cell].gates
        return gates if len(gates) > 1 else ()

    @property
    def has_links(self) -> bool:
        """False for a feed-forward network, in which no step is linked to the one before."""
        return CELLS[self.experiment.cell].is_recurrent


class RunPhase(enum.StrEnum):
    """Where a run is; always exactly one."""

    STARTING = "starting"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class RunStatus:
    """How a run is doing, besides its frames.

    Args:
        step: the newest step that the worker reported, drawn or not.
        steps_per_second: over the last second or so of training; 0 while paused.
        share: the part of one core that this run gets, 0 to 1.
        message: what went wrong, in a sentence; empty where nothing did.
        solved_at: the first step at which the mean loss of recent training was below a tenth of the baseline.
    """

    phase: RunPhase
    step: int
    steps_per_second: float
    share: float
    message: str = ""
    solved_at: int | None = None
