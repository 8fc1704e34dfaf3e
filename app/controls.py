"""One table of settings: each row is a widget, with its options and their labels."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import state, text
from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, CHOICES, RANGES
from engine.preset import list_presets, load_preset
from engine.tasks import TASKS
from engine.tasks.base import FAMILIES

LENGTHS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000)
SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
THRESHOLDS = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
EMBEDDINGS = (0, 2, 4, 8, 16, 32, 64)
NOISES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


EMPTY = {"forget_bias": "PyTorch's own"}  # the meaning of an empty number field


@dataclass(frozen=True, kw_only=True)
class Control:
    """One widget.

    Args:
        key: its stable key, the name of the setting.
        kind: "pick" (a list), "segments", "scale" (a slider over given values), "number" or "switch".
        options: the values, or a function that returns the current ones; a current value outside them is added.
        show: the label of an option.
        is_enabled: False if the setting has no effect at the moment; the widget is then shown, but disabled.
        on_change: the callback for a change.
    """

    key: str
    kind: str
    options: Sequence[Any] | Callable[[], Sequence[Any]] = ()
    show: Callable[[Any], str] = str
    is_enabled: Callable[[], bool] = lambda: True
    on_change: Callable[[], None] = state.on_change

    def draw(self) -> None:
        """Draw the widget unless a link hides it, and below it any problem with the link's value."""
        if self.key in state.hidden():
            return
        DRAW[self.kind](self)
        if problem := state.refused(self.key):
            st.warning(problem)

    def offered(self) -> list[Any]:
        """The current options, including the current value."""
        values = list(self.options() if callable(self.options) else self.options)
        current = state.value(self.key)
        return values if current in values else sorted([*values, current])

    @property
    def common(self) -> dict[str, Any]:
        """The arguments that all kinds of widgets take."""
        return {
            "key": self.key,
            "help": text.HELP[self.key],
            "on_change": self.on_change,
            "disabled": not self.is_enabled(),
        }


def _pick(control: Control) -> None:
    st.selectbox(text.LABELS[control.key], control.offered(), format_func=control.show, **control.common)


def _segments(control: Control) -> None:
    st.segmented_control(
        text.LABELS[control.key], control.offered(), format_func=control.show, required=True, width="stretch",
        **control.common,
    )  # fmt: skip


def _scale(control: Control) -> None:
    if len(control.offered()) == 1:  # Streamlit has no slider with a single value
        _pick(dataclasses.replace(control, is_enabled=lambda: False))
        return
    st.select_slider(text.LABELS[control.key], control.offered(), format_func=control.show, **control.common)


def _number(control: Control) -> None:
    limits = RANGES[control.key]
    kind = int if limits.whole else float
    st.number_input(
        text.LABELS[control.key], min_value=kind(limits.low), max_value=kind(limits.high), value=None,
        step=kind(1), format=None if limits.whole else "%g", placeholder=EMPTY.get(control.key), **control.common,
    )  # fmt: skip


def _switch(control: Control) -> None:
    st.toggle(text.LABELS[control.key], **control.common)


DRAW = {"pick": _pick, "segments": _segments, "scale": _scale, "number": _number, "switch": _switch}


def _lengths() -> list[int]:
    limits = TASKS[state.value("task")].lengths
    return sorted({limits.low, limits.high, limits.default, *(n for n in LENGTHS if limits.low <= n <= limits.high)})


def _uses_nonlinearity() -> bool:
    return CELLS[state.value("cell")].uses_nonlinearity


def _has_retain_gate() -> bool:
    return CELLS[state.value("cell")].retain_gate is not None


def _is_fed_back() -> bool:
    return state.value("rnn_type") in AUTOREGRESSIVE_TYPES


def _reads_symbols() -> bool:
    return TASKS[state.value("task")].inputs == "symbols"


def _presets() -> list[str]:
    return [preset.slug for preset in list_presets()]


def _tasks() -> list[str]:
    """All tasks, grouped by family, each family in the order of TASKS."""
    return sorted(TASKS, key=lambda slug: FAMILIES.index(TASKS[slug].family))


PRESET = Control(
    key="preset", kind="pick", options=_presets, show=lambda slug: text.preset(load_preset(slug)),
    on_change=state.on_preset,
)  # fmt: skip
TASK = Control(key="task", kind="pick", options=_tasks, show=text.task, on_change=state.on_task)
LENGTH = Control(key="seq_len", kind="scale", options=_lengths)
RNN_TYPE = Control(
    key="rnn_type", kind="segments", options=CHOICES["rnn_type"], show=lambda kind: text.RNN_TYPES[kind],
    on_change=state.on_rnn_type,
)  # fmt: skip
CELL = (
    Control(
        key="cell", kind="segments", options=list(CELLS), show=lambda slug: CELLS[slug].title, on_change=state.on_cell
    ),
    Control(key="hidden_size", kind="scale", options=SIZES),
    Control(key="num_layers", kind="segments", options=(1, 2, 3, 4)),
    Control(key="forget_bias", kind="number", is_enabled=_has_retain_gate),
)
LEARNING = (
    Control(key="learning_rate", kind="scale", options=RATES, show=lambda rate: f"{rate:g}"),
    Control(key="clip", kind="segments", options=CHOICES["clip"], show=lambda slug: text.CLIPS[slug]),
    Control(key="clip_threshold", kind="scale", options=THRESHOLDS, show=lambda number: f"{number:g}",
            is_enabled=lambda: state.value("clip") != "none"),
    Control(key="batch_size", kind="scale", options=BATCHES),
    Control(key="noise", kind="scale", options=NOISES, show=lambda noise: f"{noise:g}"),
    Control(key="teacher_forcing", kind="scale", options=SHARES, is_enabled=_is_fed_back,
            show=lambda share: f"{share:.0%}"),
)  # fmt: skip
MORE = (
    Control(key="nonlinearity", kind="segments", options=CHOICES["nonlinearity"],
            show=lambda slug: text.NONLINEARITIES[slug], is_enabled=_uses_nonlinearity),
    Control(key="bidirectional", kind="switch",
            is_enabled=lambda: not _is_fed_back() and CELLS[state.value("cell")].is_recurrent),
    Control(key="output_layers", kind="segments", options=CHOICES["output_layers"]),
    Control(key="window", kind="number",
            is_enabled=lambda: state.value("cell") == "feedforward" and not _is_fed_back()),
    Control(key="embedding_size", kind="scale", options=EMBEDDINGS, is_enabled=_reads_symbols,
            show=lambda size: str(size) if size else "one-hot"),
    Control(key="init", kind="pick", options=CHOICES["init"], show=lambda slug: text.INITS[slug]),
    Control(key="init_gain", kind="number"),
    Control(key="optimizer", kind="pick", options=CHOICES["optimizer"], show=lambda slug: text.OPTIMIZERS[slug]),
    Control(key="tbptt", kind="number"),
    Control(key="seed", kind="number"),
)  # fmt: skip
