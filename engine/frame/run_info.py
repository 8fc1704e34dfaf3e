"""What a figure needs to know of a run besides its frames. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine import number_format
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.frame.chain import Chain
from engine.parameters import parameter_count
from engine.tasks import Batch, held_out, probe, task_of
from engine.tasks.base import Metric, first_informative
from engine.tasks.losses import best_constant_loss, losses_of_answers
from engine.tasks.music import semitones
from engine.tasks.own import RecordedTask

SOLVED_SHARE = 0.1  # of the baseline: a task counts as solved below this loss


@dataclass(frozen=True, kw_only=True)
class RunInfo(Chain):
    """The network of a run and its task: all that a figure needs besides the frame.

    Constant during a run, except for the live settings of the experiment.

    Args:
        baselines: {name: loss}, in the unit of the run's own loss; the first is the bar to beat.
        held_out_baselines: the same on the held-out sequences, where they depend on the data.
        metric_baselines: {name: metric} of simple answers on the held-out sequences, in the metric's unit; empty where
            the task has none.
        constant_loss: the loss of the best answer that is the same for every held-out sequence and step: the mean, or
            the frequencies of the classes.
        outputs: "symbols" or "values"; output_labels: the symbols, or the channels' names.
        image: (rows, columns) of the image in the first channels of the inputs, or None.
        pitches: of outputs that are notes, their heights in semitones above A4; None for other outputs.
        causal: the target at t is known only after the input at t; mostly it is the next input.
    """

    experiment: Experiment
    baselines: dict[str, float]
    held_out_baselines: dict[str, float]
    constant_loss: float
    metric_name: str
    metric_percent: bool
    outputs: str
    output_labels: tuple[str, ...]
    parameter_count: int
    image: tuple[int, int] | None = None
    causal: bool = False
    pitches: tuple[int, ...] | None = None
    metric_baselines: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, experiment: Experiment) -> RunInfo:
        """Derive everything from the experiment; no network is built."""
        task = task_of(experiment)
        return cls(
            **_chain(experiment),
            **(task.measured if isinstance(task, RecordedTask) else measured(experiment)),
            experiment=experiment,
            metric_name=task.metric.name,
            metric_percent=task.metric.percent,
            inputs=task.inputs,
            outputs=task.outputs,
            input_labels=task.input_labels,
            output_labels=task.output_labels,
            parameter_count=parameter_count(experiment),
            image=task.image,
            causal=task.causal,
            pitches=tuple(map(semitones, task.output_labels)) if task.audible else None,
        )

    @property
    def measured_on(self) -> str:
        """The probe, in words."""
        return f"the {self.sequences} sequences of the probe"

    @property
    def walls(self) -> tuple[int, ...]:
        """The steps t whose link to t - 1 is cut by truncation; not those in a warm-up, where there is no gradient."""
        reach, every = self.experiment.reach, not self.experiment.carry_state
        cuts = range(self.time_steps - reach, 0, -reach) if reach else ()
        return tuple(t for t in cuts if every or any(self.counted[t : t + reach]))

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
    def metric(self) -> Metric:
        """The task's metric."""
        return task_of(self.experiment).metric

    def beaten(self, metric: float) -> dict[str, float]:
        """Those of `metric_baselines` than which a metric on the same sequences is better."""
        sign = 1 if self.metric.higher_is_better else -1
        return {name: value for name, value in self.metric_baselines.items() if sign * metric > sign * value}

    @property
    def best_metric_baseline(self) -> str:
        """The name of the best of `metric_baselines`; "" if there are none."""
        return self.metric.best(self.metric_baselines)

    def judged_baselines(self, has_record: bool) -> dict[str, float]:
        """{name: loss} on the sequences by which a frame is judged (`Frame.judged_loss`); the first is to be beaten."""
        return self.held_out_baselines if has_record else self.baselines

    def write_metric(self, value: float) -> str:
        """A value of the metric as it is written."""
        return number_format.metric(value, self.metric_percent)

    def write_metrics(self, values: Sequence[float]) -> list[str]:
        """Values of the metric as they are written beside each other: different ones never look alike."""
        return number_format.metrics(values, self.metric_percent)

    @property
    def held_out_solved_loss(self) -> float:
        """The held-out loss below which the task counts as solved, if its metric is good as well."""
        return SOLVED_SHARE * self.held_out_baseline


def measured(experiment: Experiment) -> dict[str, Any]:
    """The fields of a RunInfo that need the data themselves, by name."""
    task, drawn, sequences = task_of(experiment), probe(experiment), held_out(experiment)
    # Baselines are losses per step; with reduction "sum" the run's loss adds up this many steps.
    counted = float(drawn.mask.sum(0).mean()) if experiment.reduction == "sum" else 1.0
    baselines, of_held_out = _baselines(experiment, drawn, sequences)
    return {
        "valid": tuple(drawn.valid[:, 0].tolist()),
        "counted": tuple(drawn.counted[:, 0].tolist()),
        "same_lengths": bool(
            (drawn.valid == drawn.valid[:, :1]).all() and (drawn.counted == drawn.counted[:, :1]).all()
        ),
        "step_names": task.step_names(drawn),
        "first_informative": first_informative(sequences.inputs),
        "baselines": {name: counted * loss for name, loss in baselines.items()},
        "held_out_baselines": {name: counted * loss for name, loss in of_held_out.items()},
        "metric_baselines": {
            name: float(value)
            for name, value in task.metric_baselines(experiment, sequences).items()
            if np.isfinite(value)  # a simple answer that needs more of the past than a sequence has
        },
        "constant_loss": counted * _constant_loss(experiment, sequences),
    }


def _lag(e: Experiment) -> int | None:
    """The steps from the first relevant input to the answer; None where that cannot be said."""
    lag = None if e.bug == "padding_read_as_data" else task_of(e).lag(e)
    return e.seq_len - 1 if e.carry_state and lag is None else lag


def _chain(e: Experiment) -> dict[str, Any]:
    """The chain of an experiment's network, but for what depends on its sequences."""
    task = task_of(e)
    return {
        "cell": e.cell,
        "nonlinearity": e.nonlinearity,
        "num_layers": e.num_layers,
        "directions": e.directions,
        "hidden_size": e.hidden_size,
        "input_size": e.input_size,
        "output_layers": e.output_layers,
        "time_steps": e.time_steps,
        "encoder_steps": e.seq_len if e.rnn_type == "encoder_decoder" else 0,
        "answers_once": e.rnn_type == "many_to_one",
        "reads_reverse_at_its_start": e.bug == "reverse_read_at_its_start",
        "reads_across_the_batch": e.bug == "batch_and_time_swapped",
        "is_autoregressive": e.rnn_type in AUTOREGRESSIVE_TYPES,
        "lag": _lag(e),
        "looks_ahead": task.looks_ahead,
    }


def _baselines(experiment: Experiment, drawn: Batch, sequences: Batch) -> tuple[dict[str, float], dict[str, float]]:
    """The losses of simple answers per counted step, for the run's probe and for its held-out sequences.

    Where the loss is not the usual one, those of the same answers on these very sequences.
    """
    task = task_of(experiment)
    if experiment.loss != "mse":
        on_probe, on_held_out = (
            losses_of_answers(experiment.loss, task.simple_answers(experiment, batch), batch)
            for batch in (drawn, sequences)
        )
        return on_probe, on_held_out
    measured_on = task.baselines_on if experiment.warm_up else None  # the probe is longer than others' sequences
    baselines = task.baselines(experiment) if measured_on is None else measured_on(experiment, drawn)
    return baselines, baselines if task.baselines_on is None else task.baselines_on(experiment, sequences)


def _constant_loss(experiment: Experiment, batch: Batch) -> float:
    """Loss per counted step of the best constant answer on a batch: the variance, or the entropy of the classes."""
    targets = batch.targets[batch.mask]
    if task_of(experiment).outputs == "values":
        return best_constant_loss(experiment.loss, targets)
    shares = np.bincount(targets) / len(targets)
    return float(-(shares * np.log(shares, where=shares > 0, out=np.zeros_like(shares))).sum())
