"""What is said of the data of an experiment; names of somebody's own file are escaped."""

from __future__ import annotations

import math
from collections.abc import Mapping

from app.setting_words import LOSSES
from app.text import plain
from engine.data.dataset import dataset_of
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import OWN_DATA, Metric, task_of


def title(experiment: Experiment) -> str:
    """The name of an experiment's data, as Markdown."""
    return foreign(experiment, task_of(experiment).title)


def teaches(experiment: Experiment) -> str:
    """What its data ask of a network, as Markdown."""
    return foreign(experiment, task_of(experiment).teaches)


def foreign(experiment: Experiment, raw: str) -> str:
    """A sentence about its data as Markdown: in one about somebody's own file, names of the file are escaped."""
    return plain(raw, 2000) if experiment.task == OWN_DATA else raw


def about_data(experiment: Experiment) -> str:
    """Below the data: what the task teaches, the losses of its baselines, and where the data come from."""
    task = task_of(experiment)
    nats = "nats: −ln of the probability that the right answer got"
    unit = LOSSES[experiment.loss] if task.outputs == "values" else nats
    bars = [f"“{name}” {value:.3g}" for name, value in RunInfo.of(experiment).held_out_baselines.items()]
    if in_units := simple_answers(experiment):
        return f"{teaches(experiment)} {foreign(experiment, in_units)} {foreign(experiment, task.source)}"
    source = "Generated data." if task.source.startswith("Generated") else task.source
    return f"{teaches(experiment)} To compare a loss with: {'; '.join(bars)} (in {unit}). {source}"


def longer_means(experiment: Experiment) -> str:
    """The next longer unit of which means of a series could be taken, as "hour"; "" where there is none."""
    dataset = dataset_of(experiment)
    summary = {} if dataset is None else dataset.summary
    possible, taken = summary.get("possible_means", []), summary.get("means")
    return next(iter(possible[possible.index(taken) + 1 :] if taken in possible else possible), "")


def best_first(numbers: Mapping[str, float], metric: Metric) -> dict[str, float]:
    """Simple answers with their numbers, the best first; those that are not defined come last."""
    sign = -1 if metric.higher_is_better else 1
    return dict(sorted(numbers.items(), key=lambda item: (not math.isfinite(item[1]), sign * item[1])))


def simple_answers(experiment: Experiment) -> str:
    """What simple answers reach on the held-out sequences, in the metric's unit; "" where nothing is known of that."""
    info = RunInfo.of(experiment)
    if not (numbers := info.metric_baselines):
        return ""
    ordered = best_first(numbers, info.metric)
    written = zip(ordered, info.write_metrics([*ordered.values()]), strict=True)
    said = "; ".join(f"“{name}” {number}" for name, number in written)
    return f"Simple answers on the held-out part, {info.metric_name}: {said}."
