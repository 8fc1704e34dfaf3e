"""Read and write the playground's links: a lesson, and the settings that differ from it.

A link is user input: an invalid part is ignored and reported in a sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from app import class_link, drafts, own_data_link, own_data_store, setting_help, text
from app.setting_effects import why_no_effect
from app.stage_mode import MODES
from engine.experiment import (
    CHOICES,
    MAY_BE_NONE,
    RANGES,
    Changes,
    Experiment,
    ExperimentError,
    record_change,
    settings_at,
)
from engine.live_settings import live_settings
from engine.preset import SPEEDS, Preset, load_preset, wait_until_read
from engine.tasks import OWN_DATA, TASKS, Task
from engine.tasks.own import known

SETTINGS = tuple(field.name for field in dataclasses.fields(Experiment))
USUAL = Experiment()
"""The settings of a network of which nothing was said."""

NO_EFFECT = "no effect"
ON_THE_PAGE = ("speed", "then", "at", "hide", "layer", NO_EFFECT)
"""The problems of a link that are told beside the run; those of a setting stand below its widget."""

MAX_STEPS = int(RANGES["steps"].high)

WIDGETS = tuple(name for name in SETTINGS if name not in ("task_options", "device"))
"""The settings that have a widget of the same key."""
HIDEABLE = ("preset", "lesson", *WIDGETS, "speed", "new_seed", "reset", "step", "cure")
"""What a link can hide."""
OPENING = "remember"
"""The playground's lesson without a link: it shows in 30 seconds what the playground is for."""
DATA_SECONDS = 5.0  # that the visitor who opens a lesson waits for its data, if they are being read

FIXED_SETTINGS: dict[str, dict[str, Any]] = {
    **{kind: {"attention": "none"} for kind in ("one_to_one", "many_to_one", "many_to_many")},
    "one_to_many": {"attention": "none", "bidirectional": False, "window": 1},
    "encoder_decoder": {"window": 1, "tbptt": 0},
}
"""Settings that are fixed for a network, by its RNN type."""

THEN_REFUSED = (
    "The link's changes during training, {got}, cannot be read, so none of them is made. The format is "
    "`300~learning_rate~0.01~~500~clip~none`."
)
AT_REFUSED = (
    "The link asks for step {got}, but a step is a whole number from 0 to {max_steps:,}. The run starts at step 0."
)
DATA_REFUSED = "The link was made with somebody's own data ({name}), which are not here; other data are shown instead."
UNKNOWN_REFUSED = "The link has a setting {name}, which does not exist; it was ignored."
HIDE_REFUSED = "The link hides {got}, which is not a control of this page; this part was ignored."


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A link to the playground, read completely.

    Args:
        preset: its lesson, or the one shown instead of an unknown one. The settings are changes of it.
        is_lesson: False for a link that names settings and no lesson: they are then changes of the first lesson's, but
            nothing of its text is shown.
        speed: a name of SPEEDS.
        experiment: the settings of step 0.
        changes: live changes and their steps.
        at: the training step at which the run opens.
        chain: (layer, direction) that figures of a single layer show; None for the top layer, forwards.
        hidden: the controls that it hides.
        presenting: in presentation mode.
        mode: of the stage, a name of `app.stage_mode`; of a link that names both, slow motion.
        refused: {name of a part: what is wrong with it, in a sentence}.
    """

    preset: Preset
    is_lesson: bool
    speed: str
    experiment: Experiment
    changes: Changes
    at: int
    chain: tuple[int, int] | None
    hidden: tuple[str, ...]
    presenting: bool
    mode: str
    refused: dict[str, str]


def read(link: dict[str, str]) -> Opening:
    """Read a link to the playground: first its lesson, then its own values; what is invalid is left out and said."""
    settings, refused = dict(link), dict[str, str]()
    hidden = parse_names(settings.pop("hide", None), HIDEABLE, "hide", refused)
    is_on = {name: settings.pop(name, "") not in ("", "0", "false") for name in ("present", *MODES)}
    mode = next(filter(is_on.get, MODES), "")
    at, then = parse_step(settings.pop("at", None), refused), settings.pop("then", "")
    layer = settings.pop("layer", None)
    settings.pop(class_link.NAME, None)  # app.classroom reads it
    is_lesson = "preset" in settings or not set(settings) & set(SETTINGS)
    slug = settings.pop("preset", OPENING)
    is_waiting = wait_until_read(slug, DATA_SECONDS)
    if not drafts.exists(slug):
        refusal_of = drafts.REFUSED if drafts.is_draft(slug) else text.PRESET_REFUSED
        refusal_of = text.PRESET_BEING_READ if is_waiting else refusal_of
        refused["preset"] = refusal_of.format(got=text.plain(slug), shown=load_preset(OPENING).title)
        slug = OPENING
    preset = drafts.load_preset(slug)
    speed = settings.pop("speed", preset.speed)
    if speed not in SPEEDS:
        refused["speed"] = refusal("speed", speed, ", ".join(SPEEDS), preset.speed)
        speed = preset.speed
    experiment = apply_link(preset.experiment, settings, refused)
    changes = parse_changes(experiment, then, refused)
    used = [experiment, *(settings_at(experiment, changes, step) for step, _ in changes)]
    note_no_effect(settings, used, refused)
    chain = parse_layer(layer, experiment, refused)
    return Opening(
        preset=preset, is_lesson=is_lesson, speed=speed, experiment=experiment, changes=changes, at=at,
        chain=chain, hidden=hidden, presenting=is_on["present"], mode=mode, refused=refused,
    )  # fmt: skip


def apply_link(experiment: Experiment, link: dict[str, str], refused: dict[str, str]) -> Experiment:
    """Replace an experiment's settings by the link's values, and ignore those that are invalid.

    Args:
        experiment: the preset's.
        link: setting names and their values as text.
        refused: gets a sentence for each setting that was ignored.
    """
    values: dict[str, Any] = {}
    accepted: dict[str, str] = {}  # by invalid setting: what it accepts
    link, needed = own_data_link.split(link)
    held = None
    if link.get("task") == OWN_DATA:
        if needed is not None and (held := own_data_store.task_here(needed.options)) is not None:
            values["task_options"] = needed.options
        else:
            refused["task"] = DATA_REFUSED.format(name=text.plain(needed.name if needed else ""))
            del link["task"]
    for name, raw in link.items():
        if name not in SETTINGS:
            refused[name] = UNKNOWN_REFUSED.format(name=text.plain(name))
            continue
        try:
            values[name] = _parse(name, raw)
        except ValueError:
            accepted[name] = str(RANGES[name])
    shown = None
    while shown is None:
        try:
            own = held if values.get("task") == OWN_DATA else None
            shown = experiment.replace(own, **{**_task_defaults(experiment, values), **values})
        except ExperimentError as error:
            name = error.field if error.field in values else list(values)[-1]
            accepted[name] = error.accepts
            del values[name]
    for name, accepts in accepted.items():
        refused[name] = refusal(name, link[name], accepts, getattr(shown, name))
    return shown


def note_no_effect(link: dict[str, str], used: Iterable[Experiment], refused: dict[str, str]) -> None:
    """Say of which of the link's settings nothing can be seen.

    Args:
        link: setting names and their values as text.
        used: the experiments that have these settings: of a run all that it has one after the other, since a change
            during training may give a setting its effect.
        refused: gets under NO_EFFECT a sentence for each setting that has no effect in any of them, unless it has its
            usual value.
    """
    sentences = []
    for name, raw in link.items():
        if name not in SETTINGS or name in refused:
            continue
        reasons = [why_no_effect(name, partial(getattr, experiment)) for experiment in used]
        unusual = any(getattr(experiment, name) != getattr(USUAL, name) for experiment in used)
        if unusual and all(reasons):
            label = setting_help.LABELS.get(name, name.replace("_", " "))
            sentences.append(text.NO_EFFECT.format(label=label, got=text.plain(raw), why=reasons[0]))
    if sentences:
        refused[NO_EFFECT] = " ".join(sentences)


def _task_defaults(experiment: Experiment, values: dict[str, Any]) -> dict[str, Any]:
    """The settings that follow from a link's change of task; empty if it changes none."""
    slug, options = values.get("task", experiment.task), values.get("task_options", {})
    task = _task(slug, options)
    if task is None or (slug == experiment.task and (slug != OWN_DATA or options == experiment.task_options)):
        return {}
    return {"task_options": options} | task_defaults(task, values.get("rnn_type", experiment.rnn_type))


def task_defaults(task: Task, rnn_type: str) -> dict[str, Any]:
    """The settings of a network that is given another task: its length, and an RNN type that it supports."""
    defaults: dict[str, Any] = {"seq_len": task.lengths.default, "horizon": 1, "shortest": 0, "carry_state": False,
                                "tied_weights": False}  # fmt: skip
    if rnn_type not in task.rnn_types:
        rnn_type = defaults["rnn_type"] = task.rnn_types[0]
    if task.inputs != "symbols":
        defaults["embedding_size"] = 0
    if task.outputs != "values":
        defaults["loss"] = "mse"
    return defaults | FIXED_SETTINGS[rnn_type]


def _task(slug: str, options: dict[str, Any]) -> Task | None:
    """The task of this slug, or of somebody's own data; None if there is none."""
    return known(options) if slug == OWN_DATA else TASKS.get(slug)


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
        accepts, shown = text.ONE_OF_THE_LIST, text.setting("task", shown)
    label = setting_help.LABELS.get(name, name.replace("_", " "))
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
            if not ascending or not values or not set(values) <= set(live_settings(experiment)):
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


def parse_layer(raw: str | None, experiment: Experiment, refused: dict[str, str]) -> tuple[int, int] | None:
    """The (layer, direction) that a link's figures show; None for the top layer, forwards, or where there is none."""
    every = {
        _layer(layer, d): (layer, d) for layer in range(experiment.num_layers) for d in range(experiment.directions)
    }
    if raw is None or raw in every:
        return None if raw is None else every[raw]
    refused["layer"] = text.LAYER_REFUSED.format(got=text.plain(raw), shown=experiment.num_layers)
    return None


def format_layer(experiment: Experiment, chain: tuple[int, int] | None) -> dict[str, str]:
    """The part of a link with the (layer, direction) that its figures show; empty for the top layer, forwards."""
    top = (experiment.num_layers - 1, 0)
    fits = chain is not None and chain[0] <= top[0] and chain[1] < experiment.directions
    return {"layer": _layer(*chain)} if chain is not None and fits and chain != top else {}


def _layer(layer: int, direction: int) -> str:
    return f"{layer + 1}{'~backwards' if direction else ''}"


def parse_names(raw: str | None, known: Iterable[str], key: str, refused: dict[str, str]) -> tuple[str, ...]:
    """A link's list of controls, without unknown names."""
    names = [name for name in (raw or "").split("~") if name]
    if unknown := [name for name in names if name not in set(known)]:
        refused[key] = HIDE_REFUSED.format(got=text.plain(", ".join(unknown)))
    return tuple(name for name in names if name not in unknown)


def format_changes(changes: Changes) -> dict[str, str]:
    """The part of a link with the live changes and their steps; empty if there are none."""
    parts = [
        "~".join([str(step), *(word for name, value in made.items() for word in (name, format_setting(value)))])
        for step, made in changes
    ]
    return {"then": "~~".join(parts)} if parts else {}


def to_link(experiment: Experiment, lesson: Preset | None, speed: str) -> dict[str, str]:
    """The link of an experiment: the lesson, and the settings that differ from it or from the task's defaults.

    Without a lesson the link always names the task, since an empty one would open the first lesson.
    """
    preset = lesson or load_preset(OPENING)
    base, settings = preset.experiment.to_dict(), experiment.to_dict()
    defaults = _task_defaults(preset.experiment, settings)
    link = {"task": experiment.task} if lesson is None else {"preset": lesson.slug}
    for name, now in settings.items():
        if name != "task_options" and (now != base[name] or now != defaults.get(name, now)):
            link[name] = format_setting(now)
    if experiment.task == OWN_DATA and not (lesson is not None and experiment.has_data_of(lesson.experiment)):
        link["task"] = OWN_DATA
        link |= own_data_link.to_link(experiment.task_options, own_data_store.name_of(experiment))
    return link | ({"speed": speed} if speed != preset.speed else {})


def format_setting(now: Any) -> str:
    """A setting's value as a link has it."""
    if now is None:
        return "none"
    return str(now).lower() if isinstance(now, bool) else str(now)
