"""A link as the playground reads and writes it: a lesson, and whatever differs from it. Links are input like any other:
what cannot be is left out and said in a sentence.
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

ONE_WAY = {
    "one_to_many": {"bidirectional": False, "window": 1},
    "encoder_decoder": {"bidirectional": False, "window": 1, "tbptt": 0},
}
"""What a network whose outputs are fed back cannot have otherwise, by its RNN type."""

THEN_REFUSED = (
    "The link's changes on the way, {got}, cannot be read, so none of them is made. They look like this: "
    "`300~learning_rate~0.01~~500~clip~none`."
)
AT_REFUSED = (
    "The link wants to be opened at step {got}; a step is a whole number from 0 to {most:,}. It begins at step 0."
)
HIDE_REFUSED = "The link hides {got}, which is no control of this page; everything else is as it says."


def overridden(experiment: Experiment, link: dict[str, str], refused: dict[str, str]) -> Experiment:
    """The preset's experiment with the link's values over it. What cannot be is left out, the rest stays.

    Args:
        refused: gets a sentence for each setting that was left out.
    """
    values: dict[str, Any] = {}
    accepted: dict[str, str] = {}  # by what cannot be
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
            shown = experiment.replace(**{**_brought(experiment, values), **values})
        except ExperimentError as error:
            name = error.field if error.field in values else list(values)[-1]
            accepted[name] = error.accepts
            del values[name]
    for name, accepts in accepted.items():
        refused[name] = refusal(name, link[name], accepts, getattr(shown, name))
    return shown


def _brought(experiment: Experiment, values: dict[str, Any]) -> dict[str, Any]:
    """What another task brings with it, unless the link says otherwise: its own length and an RNN type it has."""
    task = TASKS.get(values.get("task", experiment.task))
    if task is None or task.slug == experiment.task:
        return {}
    brought: dict[str, Any] = {"seq_len": task.lengths.default}
    kind = values.get("rnn_type", experiment.rnn_type)
    if kind not in task.rnn_types:
        kind = brought["rnn_type"] = task.rnn_types[0]
    if task.inputs != "symbols":
        brought["embedding_size"] = 0
    return brought | ONE_WAY.get(kind, {})


def _parse(name: str, raw: str) -> Any:
    """A value of the right kind from the text of a link."""
    if name in RANGES:
        if raw == "none" or (raw == "" and name in MAY_BE_NONE):
            return None
        return int(raw) if RANGES[name].whole else float(raw)
    if name in CHOICES:
        return {str(choice).lower(): choice for choice in CHOICES[name]}.get(raw.lower(), raw)
    return {} if name == "task_options" and raw == "{}" else raw


def refusal(name: str, got: object, accepts: str, shown: object) -> str:
    """What was wrong with the link's value, and what stands there instead."""
    if name == "task":  # so many that their list would fill the page; the widget below has it
        accepts, shown = text.ONE_OF_THE_LIST, TASKS[str(shown)].title
    label = text.LABELS.get(name, name.replace("_", " "))
    return text.SETTING_REFUSED.format(label=label, accepts=accepts, got=text.plain(str(got)), shown=shown)


def to(preset: Preset) -> dict[str, str]:
    """The link that opens a preset; a failure card before a room: it is there to be looked at."""
    return {"preset": preset.slug} | ({"present": "1"} if preset.kind == "failure" else {})


def planned(experiment: Experiment, raw: str, refused: dict[str, str]) -> Changes:
    """The live changes of a link's `then`: steps, each with settings and values, as `written` puts them.

    Args:
        refused: gets a sentence if any of it cannot be; then none of them is made.
    """
    changes: Changes = ()
    now = experiment
    try:
        for part in filter(None, raw.split("~~")):
            at, *pairs = part.split("~")
            step = int(at)
            values = {name: _parse(name, value) for name, value in zip(pairs[::2], pairs[1::2], strict=True)}
            rises = 0 < step <= MAX_STEPS and (not changes or step > changes[-1][0])
            if not rises or not values or not set(values) <= set(LIVE_SETTINGS):
                raise ValueError(part)
            changes, now = record_change(changes, step, now, now.replace(**values)), now.replace(**values)
    except (ValueError, KeyError):  # an ExperimentError is a ValueError
        refused["then"] = THEN_REFUSED.format(got=text.plain(raw))
        return ()
    return changes


def step_in(raw: str | None, refused: dict[str, str]) -> int:
    """The training step at which a link wants the run to be opened; 0 where it says none."""
    if raw is None:
        return 0
    if raw.isdecimal() and len(raw) <= 7 and int(raw) <= MAX_STEPS:
        return int(raw)
    refused["at"] = AT_REFUSED.format(got=text.plain(raw), most=MAX_STEPS)
    return 0


def named(raw: str | None, known: Iterable[str], key: str, refused: dict[str, str]) -> tuple[str, ...]:
    """A link's list of controls; what is no control is left out."""
    names = [name for name in (raw or "").split("~") if name]
    if unknown := [name for name in names if name not in set(known)]:
        refused[key] = HIDE_REFUSED.format(got=text.plain(", ".join(unknown)))
    return tuple(name for name in names if name not in unknown)


def plan(changes: Changes) -> dict[str, str]:
    """The part of a link that says which live changes are made at which steps; nothing where there are none."""
    parts = [
        "~".join([str(step), *(word for name, value in made.items() for word in (name, _plain(value)))])
        for step, made in changes
    ]
    return {"then": "~~".join(parts)} if parts else {}


def written(experiment: Experiment, preset: Preset, speed: str) -> dict[str, str]:
    """The link says the preset and what differs from it, or from what other data would bring."""
    base, settings = preset.experiment.to_dict(), experiment.to_dict()
    brought = _brought(preset.experiment, settings)
    link = {"preset": preset.slug}
    for name, now in settings.items():
        if now != base[name] or now != brought.get(name, now):
            link[name] = _plain(now)
    return link | ({"speed": speed} if speed != preset.speed else {})


def _plain(now: Any) -> str:
    if now is None:
        return "none"
    return str(now).lower() if isinstance(now, bool) else str(now)
