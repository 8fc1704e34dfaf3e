"""One table of settings: each row is a widget, with its options, how they are written, and where it stands."""

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


EMPTY = {"forget_bias": "PyTorch's own"}  # what an empty number field stands for


@dataclass(frozen=True, kw_only=True)
class Control:
    """One widget.

    Args:
        key: its stable key, the name of the setting.
        kind: "pick" (a list), "segments", "scale" (a slider over given values), "number" or "switch".
        options: the values, or a function that gives them for the moment; a present value outside of them is added.
        show: how an option is written.
        works: False where the setting has no effect at the moment; it is then shown but cannot be moved.
        on_change: what else happens when it is moved.
    """

    key: str
    kind: str
    options: Sequence[Any] | Callable[[], Sequence[Any]] = ()
    show: Callable[[Any], str] = str
    works: Callable[[], bool] = lambda: True
    on_change: Callable[[], None] = state.on_change

    def draw(self) -> None:
        """The widget, unless a link hides it, and beneath it what was wrong with the link's value, if anything."""
        if self.key in state.hidden():
            return
        DRAW[self.kind](self)
        if problem := state.refused(self.key):
            st.warning(problem)

    def offered(self) -> list[Any]:
        """The options of this moment, the present value among them."""
        values = list(self.options() if callable(self.options) else self.options)
        present = state.value(self.key)
        return values if present in values else sorted([*values, present])

    @property
    def common(self) -> dict[str, Any]:
        """What every widget is given."""
        return {"key": self.key, "help": text.HELP[self.key], "on_change": self.on_change, "disabled": not self.works()}


def _pick(control: Control) -> None:
    st.selectbox(text.LABELS[control.key], control.offered(), format_func=control.show, **control.common)


def _segments(control: Control) -> None:
    st.segmented_control(
        text.LABELS[control.key], control.offered(), format_func=control.show, required=True, width="stretch",
        **control.common,
    )  # fmt: skip


def _scale(control: Control) -> None:
    if len(control.offered()) == 1:  # nothing to slide, and Streamlit has no slider of one value
        _pick(dataclasses.replace(control, works=lambda: False))
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
    """Family by family, each in the order of TASKS."""
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
    Control(key="forget_bias", kind="number", works=_has_retain_gate),
)
LEARNING = (
    Control(key="learning_rate", kind="scale", options=RATES, show=lambda rate: f"{rate:g}"),
    Control(key="clip", kind="segments", options=CHOICES["clip"], show=lambda slug: text.CLIPS[slug]),
    Control(key="clip_threshold", kind="scale", options=THRESHOLDS, show=lambda number: f"{number:g}",
            works=lambda: state.value("clip") != "none"),
    Control(key="batch_size", kind="scale", options=BATCHES),
    Control(key="noise", kind="scale", options=NOISES, show=lambda noise: f"{noise:g}"),
    Control(key="teacher_forcing", kind="scale", options=SHARES, works=_is_fed_back,
            show=lambda share: f"{share:.0%}"),
)  # fmt: skip
MORE = (
    Control(key="nonlinearity", kind="segments", options=CHOICES["nonlinearity"],
            show=lambda slug: text.NONLINEARITIES[slug], works=_uses_nonlinearity),
    Control(key="bidirectional", kind="switch",
            works=lambda: not _is_fed_back() and CELLS[state.value("cell")].is_recurrent),
    Control(key="output_layers", kind="segments", options=CHOICES["output_layers"]),
    Control(key="window", kind="number", works=lambda: state.value("cell") == "feedforward" and not _is_fed_back()),
    Control(key="embedding_size", kind="scale", options=EMBEDDINGS, works=_reads_symbols,
            show=lambda size: str(size) if size else "one-hot"),
    Control(key="init", kind="pick", options=CHOICES["init"], show=lambda slug: text.INITS[slug]),
    Control(key="init_gain", kind="number"),
    Control(key="optimizer", kind="pick", options=CHOICES["optimizer"], show=lambda slug: text.OPTIMIZERS[slug]),
    Control(key="tbptt", kind="number"),
    Control(key="seed", kind="number"),
)  # fmt: skip
