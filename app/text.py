"""Sentences and labels that several pages share. Verdicts come from `engine.diagnosis`, lessons from `presets/`."""

from __future__ import annotations

import math
import re
from functools import partial
from typing import Any

import numpy as np

from app.setting_effects import has_effect
from app.setting_help import HELP, LABELS
from app.setting_words import IN_WORDS
from engine.bugs import BUGS, NO_BUG
from engine.cells import CELLS
from engine.claims.table import bounds
from engine.experiment import Experiment
from engine.frame import RunPhase, RunStatus
from engine.number_format import count
from engine.preset import Claim, Preset
from engine.tasks import OWN_DATA, PROBE_SIZE, TASKS, sample, task_of

PAGE_TITLE = "RNN playground"
PAGES = "Pages"

PHASES = {
    RunPhase.STARTING: "starting",
    RunPhase.RUNNING: "training",
    RunPhase.PAUSED: "paused",
    RunPhase.REFUSED: "stopped",
    RunPhase.FINISHED: "finished",
    RunPhase.FAILED: "failed",
    RunPhase.STOPPED: "ended",
}

RNN_TYPES = {
    "one_to_one": "one to one",
    "one_to_many": "one to many",
    "many_to_one": "many to one",
    "many_to_many": "many to many",
    "encoder_decoder": "encoder-decoder",
}
RNN_TYPE_NOTES = {
    "one_to_one": "one input, one output: an ordinary network, without time steps.",
    "one_to_many": "one input; then each output is fed back as the next input.",
    "many_to_one": "reads a whole sequence, then gives one output.",
    "many_to_many": "gives an output while it reads, at every step or at some of them.",
    "encoder_decoder": "reads a whole sequence, then writes another one, of its own length.",
}

NO_CHIP = ("cell", "hidden_size", "seq_len", "batch_size", "learning_rate", "clip_threshold", "steps", "seed", "device")
"""The settings that are on the page anyhow, or whose values are as many as networks: no chip says that they differ."""

DELAYED = "delayed, it first reads and then gives its outputs."

INITS = {
    "pytorch": "PyTorch's own",
    "orthogonal": "orthogonal",
    "identity": "identity",
    "xavier": "Xavier (Glorot)",
    "gaussian": "Gaussian",
}
OPTIMIZERS = {"sgd": "SGD", "momentum": "SGD with momentum", "rmsprop": "RMSprop", "adagrad": "Adagrad",
              "adam": "Adam", "adamw": "AdamW"}  # fmt: skip
CLIPS = {"none": "none", "norm": "norm", "value": "value"}
NONLINEARITIES = {"tanh": "tanh", "relu": "ReLU", "sigmoid": "sigmoid", "identity": "none"}
SCHEDULES = {"constant": "constant", "step": "in steps", "cosine": "cosine", "plateau": "down on a plateau"}
SPEEDS = {"slow": "slow", "normal": "normal", "max": "max"}


def cure(changes: dict[str, Any]) -> str:
    """The label of the cure button: "Try the cure: LSTM, forget bias 3"."""
    return f"Try the cure: {', '.join(setting(*change) for change in changes.items())}" if changes else ""


def setting(name: str, value: Any) -> str:
    """One setting in a few words."""
    if name == "cell":
        return CELLS[value].title
    if name == "task":
        return YOUR_DATA if value == OWN_DATA else TASKS[value].title
    if name == "task_options":
        return "another file" if value else ""
    if name == "init":
        return f"{INITS[value]} initial weights"
    if name == "clip":
        return "no clipping" if value == "none" else f"clip by {value}"
    if name == "schedule":
        return f"learning rate {SCHEDULES[value]}"
    if name == "train_set":
        return f"trained on {count(value, 'sequence')}" if value else "new sequences in every update"
    if name == "bug":
        return f"bug: {bug(value)}" if value != NO_BUG else "without the bug"
    if name == "horizon":
        return f"{count(value, 'step')} ahead"
    if name == "shortest":
        return f"lengths from {value}" if value else "one length"
    if name == "carry_state":
        return "state carried over updates" if value else "state 0 in every update"
    if name == "warmup":
        return f"warm-up of {count(value, 'update')}" if value else "no warm-up"
    if name == "tbptt":
        return f"truncation after {count(value, 'step')}" if value else "no truncation"
    if name in IN_WORDS:
        return IN_WORDS[name][value]
    if name == "nonlinearity":
        return "no activation" if value == "identity" else f"{NONLINEARITIES[value]} activation"
    if name == "rnn_type":
        return RNN_TYPES[value]
    if name == "embedding_size":
        return f"embedding of {value}" if value else "one-hot inputs"
    if name == "output_layers":
        return count(value, "extra output layer")
    if name == "window":
        return f"window of {value} inputs" if value > 1 else "window of one input"
    if name == "teacher_forcing":
        return f"teacher forcing {value:.0%}"
    if value is None:
        return "PyTorch's own forget bias" if name == "forget_bias" else f"no {name.replace('_', ' ')}"
    if name == "optimizer":
        return OPTIMIZERS[value]
    words = {"init_gain": "gain", "init_scale": "initial weights of size",
             "clip_threshold": "threshold", "num_layers": "layers",
             "hidden_size": "units", "seq_len": "length", "schedule_steps": "updates of the schedule",
             "head_dropout": "dropout before the output",
             "input_dropout": "dropout on the inputs"}  # fmt: skip
    shown = f"{value:g}" if isinstance(value, float) else value
    return f"{words.get(name, name.replace('_', ' '))} {shown}"


def bug(name: str) -> str:
    """A bug in a few words."""
    return "none" if name == NO_BUG else BUGS[name].title


def rnn_type(experiment: Experiment) -> str:
    """The chosen RNN type, described below its buttons, as Markdown."""
    note = DELAYED if answers_later(experiment) else RNN_TYPE_NOTES[experiment.rnn_type]
    return f"**{RNN_TYPES[experiment.rnn_type].capitalize()}**: {note}"


def answers_later(experiment: Experiment) -> bool:
    """True for "many to many, delayed": several answers, the first after it has read for a while.

    In training: a held-out window of somebody's series may begin before the held-out part, where nothing is asked.
    """
    if experiment.rnn_type != "many_to_many":
        return False
    counted = np.flatnonzero(sample(experiment, PROBE_SIZE, (experiment.seed, 0)).mask.any(1))
    return len(counted) > 1 and counted[0] > 1


def clock(status: RunStatus) -> str:
    """The line beside the verdict: the run's phase, its step and its speed."""
    parts = [PHASES[status.phase], f"step {status.step:,}"]
    if status.phase == RunPhase.RUNNING and status.steps_per_second:
        rate = status.steps_per_second
        parts.append(f"{rate:,.0f} updates/s" if rate >= 4.5 else f"{rate:.1f} updates/s")
    if status.phase == RunPhase.RUNNING and status.share < 1:
        parts.append(f"1/{round(1 / status.share)} of a core")
    if status.phase == RunPhase.PAUSED and status.step == 0:
        parts.append("press Train or Step")
    if status.solved_at is not None:
        parts.append(f"solved at step {status.solved_at:,}")
    return " · ".join(parts)


def changed(experiment: Experiment, lesson: Experiment) -> list[str]:
    """The settings that differ from the lesson's, each in a few words."""
    names = [name for name in experiment.to_dict() if getattr(experiment, name) != getattr(lesson, name)]
    if "task" in names and "task_options" in names:
        names.remove("task_options")  # which says of own data what the task says of others
    return [
        setting(name, getattr(experiment, name)) for name in names if has_effect(name, partial(getattr, experiment))
    ]


def chips(experiment: Experiment) -> list[str]:
    """Settings that differ from the defaults, so that none stays hidden in a folded section."""
    usual = Experiment(
        task=experiment.task, task_options=experiment.task_options, rnn_type=experiment.rnn_type,
        held=experiment.definition,
    )  # fmt: skip
    names = [
        name for name in usual.to_dict() if name not in NO_CHIP and getattr(experiment, name) != getattr(usual, name)
    ]
    chips = [
        setting(name, getattr(experiment, name)) for name in names if has_effect(name, partial(getattr, experiment))
    ]
    if experiment.bidirectional and task_of(experiment).causal:
        chips.append("sees the answer: it also reads from the end")
    return chips


def help_for(name: str, cell: str) -> str:
    """The help beside a setting's widget; for the forget bias it names the gate of this cell."""
    kind = CELLS[cell]
    if name != "forget_bias" or kind.retain_letter is None or kind.retain_gate is None:
        return HELP[name]
    is_signed = kind.structure.values[kind.retain_letter].made_by == "tanh"
    kept = math.tanh(3) if is_signed else 1 / (1 + math.exp(-3))
    gate, empty = kind.retain_gate.replace("_", " "), no_forget_bias(cell)
    return (
        f"Bias of the {gate}, which keeps the old state. With 3 it keeps {kept:.0%} per step before training. "
        f"Empty: {empty}."
    )


def no_forget_bias(cell: str) -> str:
    """What an empty forget bias means for this cell."""
    return "PyTorch's own" if CELLS[cell].has_bias else "0"


def summary(e: Experiment) -> str:
    """The settings in one line of plain words, for a screen too narrow to show them all."""
    clip = f"clip {e.clip} {e.clip_threshold:g}" if e.clip != "none" else "no clipping"
    parts = [task_of(e).title, RNN_TYPES[e.rnn_type], f"{CELLS[e.cell].title}, {e.hidden_size} units",
             f"length {e.seq_len}", f"{OPTIMIZERS[e.optimizer]} {e.learning_rate:g}", clip]  # fmt: skip
    return " · ".join(parts)


def plain(raw: str, max_length: int = 60) -> str:
    """Shorten foreign text and escape its Markdown: a link must not be able to place images on the page."""
    return escaped(raw if len(raw) <= max_length else f"{raw[: max_length - 3]}...")


def escaped(words: str) -> str:
    """Escape the Markdown in foreign words."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>~$:#" else character for character in words)


def does_not_fit(field: str, accepts: str, got: object) -> str:
    """The message for settings that are each valid but not together, or for an empty number field."""
    is_now = "it is empty" if got is None else f"it is {_on_or_off(str(got)) if isinstance(got, bool) else got}"
    return f"{LABELS.get(field, field)} must be {_as_on_the_page(accepts)}, but {is_now}."


def _as_on_the_page(accepts: str) -> str:
    """What a setting accepts, with other settings called as their widgets are, and switches on or off."""
    names = {name for name in LABELS if "_" in name}
    words = re.sub(r"\b\w+_\w+\b", lambda found: f"“{LABELS[found[0]]}”" if found[0] in names else found[0], accepts)
    return re.sub(r"\b(true|false)\b", lambda found: _on_or_off(found[0]), words)


def _on_or_off(value: str) -> str:
    return "on" if value.lower() == "true" else "off"


# Lessons and failure cards


def place(preset: Preset, count: int, experiment: Experiment) -> str:
    """Above the list of lessons: the lesson's number among its kind, and whether its settings were changed."""
    name = f"{KINDS[preset.kind]} {preset.order}"
    if experiment.task != preset.experiment.task:
        return f"Your own settings, started from {name[0].lower()}{name[1:]}"
    return f"{name} of {count}" + ("" if experiment == preset.experiment else ", with your changes")


def preset(preset: Preset) -> str:
    """A lesson's number and title, as one entry of a list."""
    short = {"lesson": "", "failure": "Failure ", "bug": "Bug "}[preset.kind]
    return f"{short}{preset.order} · {preset.title}"


def claim_evidence(claim: Claim, measured: list[float]) -> str:
    """How reliable a claim is, and the value that was measured for each seed, if any."""
    if claim.gate != "trained":
        return {"exact": "always true, checked in every test run", "shown": "usually visible"}[claim.gate]
    numbers = f": {', '.join(f'{value:.3g}' for value in measured)}" if measured else ""
    return f"measured on {count(len(claim.seeds), 'seed')}{numbers}; required: {bounds(claim)}"


def tags(experiment: Experiment) -> list[str]:
    """The tags on a lesson's card: its RNN type and its cell."""
    return [RNN_TYPES[experiment.rnn_type], CELLS[experiment.cell].title]


def task(slug: str) -> str:
    """One entry in the list of data: first the title, which a narrow box must not cut, then the family, for search."""
    return f"{TASKS[slug].title} · {TASKS[slug].family}"


YOUR_DATA, YOUR_DATA_FAMILY = "your own data", "Your data"
NO_LESSON = "Your own settings, without a lesson"
KINDS = {"lesson": "Lesson", "failure": "Failure card", "bug": "Bug card"}
LEARN = "Learn"
PLAYGROUND = "Playground"
BACK_TO_MAP = "Back to the map"
LEARN_HEADING = "Each lesson opens the playground with a network that shows one thing."
FAILURES_NOTE = (
    "Each card opens the playground with a network that fails in one way, and tells you how to recognise it."
)
BUGS_NOTE = (
    "Each card opens the playground with a network that really has the bug: one wrong line, what it does to training, "
    "and where it shows."
)
ABOUT = {"lesson": "About this lesson", "failure": "About this failure", "bug": "About this bug"}
CHANGE_NEXT = "Change next"
SHOULD_HAPPEN = "What should happen"
BACK_TO = {
    "lesson": "Back to the lesson as it was",
    "failure": "Back to the card as it was",
    "bug": "Back to the card as it was",
}
PREVIOUS = {"lesson": "Previous lesson", "failure": "Previous card", "bug": "Previous card"}
NEXT = {"lesson": "Next lesson", "failure": "Next card", "bug": "Next card"}

CHOOSE = "Choose a lesson"
LAYER_SHOWN = "Figures of one layer show"
DIRECTION_SHOWN = "Figures of one direction show"

STARTS_AGAIN = "Network"
STARTS_AGAIN_NOTE = ":material/replay: A change restarts the run at step 0."
OTHERS = "All other settings"
LIVE = ":material/bolt:"
OTHERS_NOTE = f":material/replay: A change restarts the run, except where {LIVE} stands."
NO_TARGET = "none"
AT_ONCE = "Training"
AT_ONCE_NOTE = ":material/bolt: A change takes effect at once, without a restart."

ONE_OF_THE_LIST = "one of those in the list above"
SETTING_REFUSED = "{label}: the link asks for {got}, but it must be {accepts}. Used instead: {shown}."
PRESET_REFUSED = "There is no lesson called {got}. Shown instead: {shown}. The Learn page lists all lessons."
PRESET_BEING_READ = (
    "The data of the lesson {got} are still being read; open its link again in a moment. Shown instead: {shown}."
)
NO_EFFECT = "{label}: the link asks for {got}, but that has no effect here: {why}."
LAYER_REFUSED = "The link shows layer {got}, but the network has no such layer. Shown instead: layer {shown}."
KEPT_RUNNING = "{problem} The run below still uses the settings from before this change."
