"""The widgets of a race's settings: each changes the setup when somebody changes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from app import controls, setting_help, tab
from app.compare import ownership
from app.compare import plan as race_plan
from app.compare import text as compare_text
from app.compare.plan import RaceSetup
from engine.experiment import CHOICES, RANGES, Experiment
from engine.number_format import count

CONTROLS = {control.key: control for control in controls.ALL if control.key in race_plan.OWN}
"""How the playground shows each setting of a lane."""
LISTS = {
    name: (list(CONTROLS[name].options), CONTROLS[name].show)  # type: ignore[arg-type]
    for name in ("cell", "num_layers", "nonlinearity", "init", "learning_rate", "weight_decay", "head_dropout", "clip",
                 "clip_threshold", "optimizer", "batch_size")
} | {"hidden_size": (list(controls.SIZES), lambda size: count(size, "unit"))}  # fmt: skip
"""The settings that are picked from a list, and their labels."""


def to(change: Callable[..., RaceSetup], name: str) -> Callable[[Any], RaceSetup]:
    """A function that changes one setting to a given value."""
    return lambda value: change(**{name: value})


def setting(
    key: str, name: str, e: Experiment, change: Callable[..., RaceSetup], label: str = "", width: Any = "stretch"
) -> None:
    """The widget of one setting: a list for those in LISTS and for choices, else a number field.

    Args:
        change: of this setting, named as its argument.
    """
    if name in LISTS:
        options, written = LISTS[name]
        alone = {"label_visibility": "collapsed"} if name in compare_text.LABELS else {}
        pick(
            key,
            label or setting_help.LABELS[name],
            options,
            getattr(e, name),
            written,
            to(change, name),
            width=width,
            **alone,
        )
    else:
        typed(key, name, e, change, width)


def typed(key: str, name: str, e: Experiment, change: Callable[..., RaceSetup], width: Any = "stretch") -> None:
    """The widget of one setting in which any number can be typed; of a setting without numbers its choices."""
    value = getattr(e, name)
    if name in CHOICES:
        written = compare_text.SWITCHES.__getitem__ if CONTROLS[name].kind == "switch" else CONTROLS[name].show
        pick(key, setting_help.LABELS[name], list(CHOICES[name]), value, written, to(change, name), width=width)
        return
    limits = RANGES[name]
    kind = int if limits.whole else float
    tab.store(key, None if value is None else kind(value))
    st.number_input(
        setting_help.LABELS[name], kind(limits.low), kind(limits.high), None, kind(controls.step_of(name, value)),
        None if limits.whole else "%g", key=key, width=width, placeholder=controls.placeholder(name, e.cell),
        on_change=ownership.on_change, args=(lambda: change(**{name: tab.value(key)}),),
    )  # fmt: skip


def pick(
    key: str, label: str, options: list[Any], value: Any, written: Callable[[Any], str],
    change: Callable[[Any], RaceSetup], **widget_options: Any,
) -> None:  # fmt: skip
    """A list; the current value is added if it is missing."""
    tab.store(key, value)
    offered = options if value in options else sorted([*options, value])
    st.selectbox(label, offered, format_func=written, key=key, on_change=ownership.on_change,
                 args=(lambda: change(tab.value(key)),), **widget_options)  # fmt: skip
