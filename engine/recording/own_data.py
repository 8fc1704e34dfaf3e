"""What a recording keeps of somebody's own data: enough to draw its figures where the data are not. No torch.

Never the data themselves: what is named, measured and counted, and the symbols (the frames have the drawn sequence).
"""

from __future__ import annotations

from typing import Any

from engine.data.dataset import dataset_of
from engine.experiment import Experiment
from engine.frame.run_info import RunInfo
from engine.number_format import to_json
from engine.recording.columns import ColumnError
from engine.tasks import OWN_DATA, task_of
from engine.tasks.base import OWN_FAMILY, Lengths, Metric
from engine.tasks.own import RecordedTask, not_here

FLAGS = ("causal", "looks_ahead", "continues")
WORDS = ("title", "teaches", "source", "inputs", "outputs")
NAMES = ("rnn_types", "input_labels", "output_labels")
STEPS = ("valid", "counted")
LOSSES = ("baselines", "held_out_baselines", "metric_baselines")


def describe(info: RunInfo) -> dict[str, Any]:
    """The task of own data as JSON values, as it was measured for this run."""
    experiment = info.experiment
    task, dataset = task_of(experiment), dataset_of(experiment)
    return {
        "file": task.file if isinstance(task, RecordedTask) else dataset.name if dataset is not None else task.title,
        **{name: getattr(task, name) for name in (*WORDS, *NAMES, *FLAGS)},
        "lengths": [task.lengths.low, task.lengths.high, task.lengths.default],
        "metric": [task.metric.name, task.metric.percent, task.metric.higher_is_better, to_json(task.metric.solved)],
        "lag": task.lag(experiment),
        "target_steps": task.target_steps(experiment),
        "measured": {name: getattr(info, name) for name in (*STEPS, "same_lengths", "step_names", "first_informative")}
        | {name: {each: to_json(value) for each, value in getattr(info, name).items()} for name in LOSSES}
        | {"constant_loss": to_json(info.constant_loss)},
    }


def described(said: dict[str, Any]) -> RecordedTask:
    """The task that a file describes; the inverse of `describe`.

    Raises:
        ColumnError: naming what is not as it should be. Other errors for what is missing.
    """
    for name in (*WORDS, "file"):
        _check(name, isinstance(said[name], str))
    for name in NAMES:
        _check(name, said[name] and all(isinstance(each, str) for each in said[name]))
    for name in FLAGS:
        _check(name, isinstance(said[name], bool))
    for name in ("inputs", "outputs"):
        _check(name, said[name] in ("symbols", "values"))
    lag, target_steps = said["lag"], said["target_steps"]
    _check("lag", lag is None or _counts(lag))
    _check("target_steps", _counts(target_steps))
    low, high, default = said["lengths"]
    _check("lengths", all(map(_counts, (low, high, default))))
    name, percent, higher, solved = said["metric"]
    _check("metric", isinstance(name, str) and isinstance(percent, bool) and isinstance(higher, bool))
    values: dict[str, Any] = {name: said[name] for name in (*WORDS, *FLAGS)}
    return RecordedTask(
        slug=OWN_DATA,
        family=OWN_FAMILY,
        **values | {name: tuple(said[name]) for name in NAMES},
        lengths=Lengths(low, high, default),
        metric=Metric(name, not_here, percent, higher, float(solved)),
        draw=not_here,
        baselines=not_here,
        lag=lambda _: lag,
        target_steps=lambda _: target_steps,
        file=said["file"],
        measured=_measured(said["measured"]),
    )


def check_steps(experiment: Experiment) -> None:
    """Check that what a file says of every step is as long as the time axis of its experiment.

    Raises:
        ColumnError: naming what is not.
    """
    task = task_of(experiment)
    if isinstance(task, RecordedTask):
        for name in STEPS:
            _check(name, len(task.measured[name]) == experiment.time_steps)


def _measured(said: dict[str, Any]) -> dict[str, Any]:
    for name in STEPS:
        _check(name, any(said[name]) and all(isinstance(each, bool) for each in said[name]))
    for name in LOSSES:
        _check(name, isinstance(said[name], dict) and (said[name] or name == "metric_baselines"))
    _check("same_lengths", isinstance(said["same_lengths"], bool))
    _check("first_informative", _counts(said["first_informative"]) and said["first_informative"] < len(said["valid"]))
    names = tuple(map(str, said["step_names"]))
    _check("step_names", len(names) in (0, len(said["valid"])))
    return {
        **{name: tuple(said[name]) for name in STEPS},
        "step_names": names,
        **{name: {str(each): float(value) for each, value in said[name].items()} for name in LOSSES},
        "constant_loss": float(said["constant_loss"]),
        "same_lengths": said["same_lengths"],
        "first_informative": said["first_informative"],
    }


def _counts(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _check(name: str, holds: object) -> None:
    if not holds:
        raise ColumnError(f"What this recording says of its data is damaged: {name}.")
