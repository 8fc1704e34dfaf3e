"""Read and write the playground's links: a lesson, and the settings that differ from it.

A link is user input: an invalid part is ignored and reported in a sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from app import text
from engine.experiment import (
    CHOICES,
    LIVE_SETTINGS,
    MAY_BE_NONE,
    RANGES,
    Changes,
    Experiment,
    ExperimentError,
    record_change,
)
from engine.preset import Preset
from engine.tasks import TASKS

SETTINGS = tuple(field.name for field in dataclasses.fields(Experiment))

MAX_STEPS = int(RANGES["steps"].high)

FIXED_SETTINGS = {
    "one_to_many": {"bidirectional": False, "window": 1},
    "encoder_decoder": {"bidirectional": False, "window": 1, "tbptt": 0},
}
"""Settings that are fixed for a network whose outputs are fed back, by its RNN type."""

THEN_REFUSED = (
    "The link's changes during training, {got}, cannot be read, so none of them is made. The format is "
    "`300~learning_rate~0.01~~500~clip~none`."
)
AT_REFUSED = (
    "The link asks for step {got}, but a step is a whole number from 0 to {max_steps:,}. The run starts at step 0."
)
HIDE_REFUSED = "The link hides {got}, which is not a control of this page; this part was ignored."


def apply_link(experiment: Experiment, link: dict[str, str], refused: dict[str, str]) -> Experiment:
    """Replace an experiment's settings by the link's values, and ignore those that are invalid.

    Args:
        experiment: the preset's.
        link: setting names and their values as text.
        refused: gets a sentence for each setting that was ignored.
    """
    values: dict[str, Any] = {}
    accepted: dict[str, str] = {}  # by invalid setting: what it accepts
    for name, raw in link.items():
        if name not in SETTINGS:
            refused[name] = text.UNKNOWN_REFUSED.format(name=text.plain(name))
            continue
        try:
            values[name] = _parse(name, raw)
        except ValueError:
            accepted[name] = str(RANGES[name])
    shown = None
    while shown is None:
        try:
            shown = experiment.replace(**{**_task_defaults(experiment, values), **values})
        except ExperimentError as error:
            name = error.field if error.field in values else list(values)[-1]
            accepted[name] = error.accepts
            del values[name]
    for name, accepts in accepted.items():
        refused[name] = refusal(name, link[name], accepts, getattr(shown, name))
    return shown


def _task_defaults(experiment: Experiment, values: dict[str, Any]) -> dict[str, Any]:
    """The settings that follow from a change of task: its default length, and an RNN type that it supports."""
    task = TASKS.get(values.get("task", experiment.task))
    if task is None or task.slug == experiment.task:
        return {}
    defaults: dict[str, Any] = {"seq_len": task.lengths.default}
    kind = values.get("rnn_type", experiment.rnn_type)
    if kind not in task.rnn_types:
        kind = defaults["rnn_type"] = task.rnn_types[0]
    if task.inputs != "symbols":
        defaults["embedding_size"] = 0
    return defaults | FIXED_SETTINGS.get(kind, {})


def _parse(name: str, raw: str) -> Any:
    """Convert the text of a link to a value of the setting's type.

    Raises:
        ValueError: for text that is not a number where one is needed.
    """
    if name in RANGES:
        if raw == "none" or (raw == "" and name in MAY_BE_NONE):
            return None
        return int(raw) if RANGES[name].whole else float(raw)
    if name in CHOICES:
        return {str(choice).lower(): choice for choice in CHOICES[name]}.get(raw.lower(), raw)
    return {} if name == "task_options" and raw == "{}" else raw


def refusal(name: str, got: object, accepts: str, shown: object) -> str:
    """The message for an invalid value: what the setting accepts, and which value is used instead."""
    if name == "task":  # a list of all tasks would fill the page; the widget has it
        accepts, shown = text.ONE_OF_THE_LIST, TASKS[str(shown)].title
    label = text.LABELS.get(name, name.replace("_", " "))
    return text.SETTING_REFUSED.format(label=label, accepts=accepts, got=text.plain(str(got)), shown=shown)


def to_preset(preset: Preset) -> dict[str, str]:
    """The link that opens a preset; a failure card opens in presentation mode."""
    return {"preset": preset.slug} | ({"present": "1"} if preset.kind == "failure" else {})


def parse_changes(experiment: Experiment, raw: str, refused: dict[str, str]) -> Changes:
    """The live changes of a link's `then`: steps, each with settings and values, as `format_changes` writes them.

    Args:
        experiment: the settings before the first change.
        raw: the value of `then`.
        refused: gets a sentence if any part is invalid; then no change is made.
    """
    changes: Changes = ()
    now = experiment
    try:
        for part in filter(None, raw.split("~~")):
            at, *pairs = part.split("~")
            step = int(at)
            values = {name: _parse(name, value) for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
            ascending = 0 < step <= MAX_STEPS and (not changes or step > changes[-1][0])
            if not ascending or not values or not set(values) <= set(LIVE_SETTINGS):
                raise ValueError(part)
            changes, now = record_change(changes, step, now, now.replace(**values)), now.replace(**values)
    except (ValueError, KeyError):  # an ExperimentError is a ValueError
        refused["then"] = THEN_REFUSED.format(got=text.plain(raw))
        return ()
    return changes


def parse_step(raw: str | None, refused: dict[str, str]) -> int:
    """The training step at which a link opens the run; 0 if the link has none."""
    if raw is None:
        return 0
    if raw.isdecimal() and len(raw) <= 7 and int(raw) <= MAX_STEPS:
        return int(raw)
    refused["at"] = AT_REFUSED.format(got=text.plain(raw), max_steps=MAX_STEPS)
    return 0


def parse_names(raw: str | None, known: Iterable[str], key: str, refused: dict[str, str]) -> tuple[str, ...]:
    """A link's list of controls, without unknown names."""
    names = [name for name in (raw or "").split("~") if name]
    if unknown := [name for name in names if name not in set(known)]:
        refused[key] = HIDE_REFUSED.format(got=text.plain(", ".join(unknown)))
    return tuple(name for name in names if name not in unknown)


def format_changes(changes: Changes) -> dict[str, str]:
    """The part of a link with the live changes and their steps; empty if there are none."""
    parts = [
        "~".join([str(step), *(word for name, value in made.items() for word in (name, _format(value)))])
        for step, made in changes
    ]
    return {"then": "~~".join(parts)} if parts else {}


def to_link(experiment: Experiment, preset: Preset, speed: str) -> dict[str, str]:
    """The link of an experiment: the preset, and the settings that differ from it or from the task's defaults."""
    base, settings = preset.experiment.to_dict(), experiment.to_dict()
    defaults = _task_defaults(preset.experiment, settings)
    link = {"preset": preset.slug}
    for name, now in settings.items():
        if now != base[name] or now != defaults.get(name, now):
            link[name] = _format(now)
    return link | ({"speed": speed} if speed != preset.speed else {})


def _format(now: Any) -> str:
    if now is None:
        return "none"
    return str(now).lower() if isinstance(now, bool) else str(now)
