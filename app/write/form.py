"""The form: the texts of a lesson, its network, its figures, and what is rarely used."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from app import controls, links, setting_help, state, tab, text
from app.figures import FIGURES, applicable
from app.write import parts
from app.write import text as write_text
from app.write.fields import PAUSE, Form, fill, lines, read_settings, show_settings
from app.write.text import LABELS, PLACEHOLDERS
from engine.cells import CELLS
from engine.data.defaults import defaults
from engine.experiment import CHOICES, Experiment, ExperimentError
from engine.frame import RunInfo
from engine.preset import FIGURES as USUAL_FIGURES
from engine.preset import KINDS, SPEEDS, PresetError, published_data, settings_of
from engine.preset.parser import MAX_FIGURES
from engine.tasks import TASKS, Task

OWN_FIELD = ("task", "rnn_type", "cell", "hidden_size", "seq_len", "steps")
"""The settings that have a field; all others are written as text."""
FURTHER = ("experiment", "further")


def form(form: Form) -> None:
    """Draw all fields; what few lessons need is folded."""
    for key in ("title", "question"):
        form.line((key,), LABELS[key], placeholder=PLACEHOLDERS[key])
    form.area(("look_for",), LABELS["look_for"], 68, placeholder=PLACEHOLDERS["look_for"])
    if form.value(("explains",)) is not None:
        form.area(("explains",), LABELS["explains"], 120)
    form.area(("text",), LABELS["text"], 200)
    st.caption(write_text.TEXT_NOTE)
    network(form)
    figures(form)
    parts.predictions(form)
    parts.suggestions(form)
    parts.goal(form)
    more(form)


# ---- the network


def network(form: Form) -> None:
    """The data, the network, and the playground's settings at a click."""
    settings = form.value(("experiment",))
    settings = settings if isinstance(settings, dict) else {}
    why_not = write_text.not_taken(state.playground_slot())
    with form.section(write_text.NETWORK, ("experiment",), unfolded=True):
        st.button(write_text.NETWORK_TAKE, key="take_settings", icon=":material/download:", disabled=bool(why_not),
                  help=why_not or None, on_click=on_take, args=(form,))  # fmt: skip
        has_data = form.value(("data",)) is not None
        left, right = st.columns(2)
        with left:
            if has_data:
                own_data(form)
            else:
                form.pick(("experiment", "task"), setting_help.LABELS["task"], controls.catalogue(), text.task,
                          usual=Experiment.task, then=partial(on_task, form))  # fmt: skip
        usual = usual_on_own_data(form) if has_data else Experiment()
        if usual is not None:
            task = usual.definition if has_data else TASKS.get(settings.get("task", Experiment.task))
            with right:
                form.pick(("experiment", "rnn_type"), setting_help.LABELS["rnn_type"],
                          task.rnn_types if task else CHOICES["rnn_type"], lambda kind: text.RNN_TYPES[kind],
                          usual=usual.rnn_type)  # fmt: skip
            sizes(form, usual, task)
        further(form)


def sizes(form: Form, usual: Experiment, task: Task | None) -> None:
    """Cell, units, length and updates."""
    cell, units, length, updates = st.columns([2, 1, 1, 1])
    with cell:
        form.pick(("experiment", "cell"), setting_help.LABELS["cell"], controls.CELL_NAMES,
                  lambda name: CELLS[name].title, usual=usual.cell)  # fmt: skip
    for column, name, label, shown in (
        (units, "hidden_size", setting_help.LABELS["hidden_size"], str(usual.hidden_size)),
        (length, "seq_len", setting_help.LABELS["seq_len"], str(task.lengths.default) if task else ""),
        (updates, "steps", write_text.STEPS, str(usual.steps)),
    ):
        with column:
            form.number(("experiment", name), label, placeholder=shown)


def own_data(form: Form) -> None:
    """The file beside the lesson that has its data, and what its author chose instead of the reader's guesses."""
    form.line(("data",), LABELS["data"], help=write_text.DATA_HELP)
    if (choices := form.value(("data_choices",))) is not None:
        st.caption(text.plain(write_text.DATA_CHOICES.format(choices=show_settings(choices)), 300))
        form.tell(("data_choices",))


def usual_on_own_data(form: Form) -> Experiment | None:
    """The network that usually suits the lesson's own data; None where they are not here."""
    try:
        return defaults(published_data(form.value(("data",)), form.value(("data_choices",)) or {}))
    except (PresetError, ExperimentError):
        return None


def further(form: Form) -> None:
    """All other settings, as text."""
    key = form.key(FURTHER)
    if tab.load(key) is None:
        typed = form.draft.unread.get(FURTHER)
        others = {name: value for name, value in (form.value(("experiment",)) or {}).items() if name not in OWN_FIELD}
        tab.store(key, typed[0] if typed else show_settings(others))
    st.text_input(write_text.FURTHER, key=key, help=write_text.FURTHER_HELP, on_change=on_further, args=(form,),
                  live=PAUSE, autocomplete="off", placeholder="learning_rate=0.01, seed=3")  # fmt: skip
    form.tell(("experiment",))


def on_further(form: Form) -> None:
    """Take over the other settings; while they cannot be read, those before stay."""
    typed = tab.value(form.key(FURTHER))
    form.draft.unread.pop(FURTHER, None)
    try:
        others = read_settings(typed) or {}
        if own := [name for name in others if name in OWN_FIELD]:
            raise ValueError(f"{own[0]} has a field of its own")
        kept = {name: value for name, value in form.draft.table.get("experiment", {}).items() if name in OWN_FIELD}
        form.draft.table["experiment"] = kept | others
    except ValueError as error:
        form.draft.unread[FURTHER] = (typed, f"{error}.")
    form.changed()


def on_take(form: Form) -> None:
    """Take over the settings of the playground's run."""
    slot = state.playground_slot()
    if slot is not None:
        replace_experiment(form, slot.experiment)


def on_task(form: Form) -> None:
    """Take over other data, with their usual length and an RNN type that they support, as the playground does."""
    task = tab.value(form.key(("experiment", "task")))
    try:
        now = Experiment.from_dict(form.draft.table.get("experiment", {}))
    except ExperimentError:
        now = Experiment()
    replace_experiment(form, links.apply_link(now, {"task": task}, {}))


def replace_experiment(form: Form, experiment: Experiment) -> None:
    """Set the whole experiment, and draw its fields anew."""
    form.draft.table["experiment"] = settings_of(experiment)
    for key in ("data", "data_choices"):
        form.draft.table.pop(key, None)
    form.draft.unread.pop(FURTHER, None)
    form.draft.version += 1
    form.changed()


# ---- figures, and how it opens


def figures(form: Form) -> None:
    """The figures to show, the speed, and whether it waits at step 0."""
    with form.section(write_text.SHOWN, ("figures",), ("speed",), ("paused",), unfolded=False):
        place = ("figures",)
        chosen = form.value(place)
        now = list(USUAL_FIGURES) if chosen is None else [str(each) for each in chosen]
        key = form.key(place)
        fill(key, now)
        info = RunInfo.of(form.draft.lesson.experiment if form.draft.lesson else Experiment())
        st.multiselect(LABELS["figures"], [*FIGURES, *(name for name in now if name not in FIGURES)], key=key,
                       format_func=lambda name: figure_title(name, info), max_selections=max(MAX_FIGURES, len(now)),
                       on_change=form.write, args=(place, list))  # fmt: skip
        form.tell(place)
        if form.draft.lesson and (others := [figure_title(name, info) for name in now if name not in applicable(info)]):
            st.caption(text.plain(write_text.NO_FIGURE.format(names=", ".join(others)), 300))
        left, right = st.columns(2, vertical_alignment="bottom")
        with left:
            form.pick(("speed",), LABELS["speed"], list(SPEEDS), lambda name: text.SPEEDS[name], usual="normal")
        with right:
            form.switch(("paused",), LABELS["paused"])


def figure_title(name: str, info: RunInfo) -> str:
    """A figure as the playground names it; an unknown one by its name."""
    return FIGURES[name].title(info) if name in FIGURES else name


# ---- what few lessons need


def more(form: Form) -> None:
    """Its place, its kind, and what is for teachers."""
    keys = ("order", "chapter", "kind", "symptom", "wrong", "right", "claims", "card", "note", "seen_as")
    with form.section(write_text.MORE, *((key,) for key in keys)):
        left, right = st.columns(2)
        with left:
            form.number(("order",), LABELS["order"])
            form.pick(("kind",), LABELS["kind"], KINDS, lambda kind: write_text.KINDS[kind], usual="lesson")
        with right:
            form.line(("chapter",), LABELS["chapter"], placeholder=PLACEHOLDERS["chapter"])
            form.switch(("card",), LABELS["card"], on="equations")
        if form.value(("kind",)) in ("failure", "bug") or form.value(("symptom",)):
            form.area(("symptom",), LABELS["symptom"], 80)
        for key in ("wrong", "right"):
            if form.value(("kind",)) == "bug" or form.value((key,)):
                form.area((key,), LABELS[key], 80)
        form.area(("claims",), LABELS["claims"], 80, read=claims, show=show_claims)
        form.line(("note",), LABELS["note"])
        if form.value(("seen_as",)):
            st.caption(write_text.SEEN_AS)
            form.tell(("seen_as",))


def claims(raw: str) -> list[dict[str, Any]] | None:
    """A claim per line; nothing measures those of teachers."""
    said = lines(raw)
    return [{"says": says, "gate": "shown"} for says in said] if said else None


def show_claims(claims: Any) -> str:
    """The inverse of `claims`."""
    return "\n".join(str(claim.get("says", "")) for claim in claims)
