"""One table of settings: each row is a widget, with its options and their labels."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from app import chosen_data, drafts, own_data_store, partial, setting_help, state, tab, text
from app.segments import segments
from app.setting_effects import has_effect
from app.setting_words import ATTENTIONS, INIT_ALL, INIT_REACH, LOSSES
from engine.cells import CELLS
from engine.experiment import CHOICES, LIVE_SETTINGS, MAY_BE_NONE, RANGES
from engine.preset import list_presets
from engine.tasks import TASKS
from engine.tasks.base import FAMILIES

LENGTHS = (2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40, 50, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000)
SIZES = (1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048)
RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0, 3.0)
THRESHOLDS = (0.001, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1000.0)
EMBEDDINGS = (0, 2, 4, 8, 16, 32, 64, 128, 256, 512)
NOISES = (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SHARES = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3, 1.0)
MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999)
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)


def _place(slug: str) -> tuple[bool, ...]:
    """The place of a cell in the list: PyTorch's own, LSTMs, other cells, linear ones; last those without links."""
    cell = CELLS[slug]
    rare = cell.torch_layer is None
    return (not cell.is_recurrent, rare, rare and not cell.has_cell_state, cell.structure.is_linear)


MISFIT = "_misfit"
"""Where the tab keeps which setting does not fit the others, "" if all do."""
CELL_NAMES = sorted(CELLS, key=_place)
"""All cells, in the order of the lists."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """One widget.

    Args:
        key: its stable key, the name of the setting.
        kind: "pick" (a list), "segments", "scale" (a slider over given values), "number" or "switch".
        options: the values, or a function that returns the current ones; a current value outside them is added.
        show: the label of an option.
        is_enabled: False if there is nothing to choose. (A setting without effect at the moment is disabled as well.)
        note: a line below the widget.
        can_type: False for a list that is too short to search in: on a phone no keyboard then covers it.
        on_change: the callback for a change.
        widget: the key of a widget that shows the setting a second time; "" for the one of the setting itself.
        is_folded: True in a group whose other settings may restart the run: a sign says if this one does not.
    """

    key: str
    kind: str
    options: Sequence[Any] | Callable[[], Sequence[Any]] = ()
    show: Callable[[Any], str] = str
    is_enabled: Callable[[], bool] = lambda: True
    note: Callable[[], str] | None = None
    can_type: bool = True
    on_change: Callable[[], object] = state.on_change
    widget: str = ""
    is_folded: bool = False

    def draw(self) -> None:
        """Draw the widget unless a link hides it, and below it any problem with the link's value."""
        if self.is_hidden:
            return
        DRAW[self.kind](self)
        if self.note is not None:
            st.caption(self.note())
        if problem := state.refused(self.key):
            st.warning(problem)

    def keep(self) -> None:
        """Keep the value of a widget that is not drawn: Streamlit forgets it otherwise."""
        tab.store(self.key, tab.value(self.key))

    def offered(self) -> list[Any]:
        """The current options, including the current value if there is one."""
        values = list(self.options() if callable(self.options) else self.options)
        current = tab.value(self.key)
        return values if current is None or current in values else sorted([*values, current])

    @property
    def is_hidden(self) -> bool:
        """True if the link hides it."""
        return self.key in state.hidden()

    @property
    def does_not_fit(self) -> bool:
        """True if the settings are invalid because of this one, which must then be possible to set back."""
        return bool(tab.load(MISFIT) == self.key)

    @property
    def is_live(self) -> bool:
        """True if a run takes a change over while it trains."""
        return self.key in LIVE_SETTINGS

    @property
    def label(self) -> str:
        """What stands above the widget."""
        return f"{setting_help.LABELS[self.key]}{f' {text.LIVE}' if self.is_folded and self.is_live else ''}"

    def _changed(self) -> None:
        """The widget was changed. A list accepts any text that a browser sends: what it does not offer is put back."""
        options, now = self.options() if callable(self.options) else self.options, tab.value(self.widget or self.key)
        if self.kind == "pick" and now not in options:
            before = getattr(state.last_valid(), self.key, None)
            tab.store(self.widget or self.key, before if before in options else next(iter(options)))
        else:
            self.on_change()

    @property
    def common(self) -> dict[str, Any]:
        """The arguments that all kinds of widgets take."""
        return {
            "key": self.widget or self.key,
            "help": text.help_for(self.key, tab.value("cell")),
            "on_change": self._changed,
            "disabled": not (self.is_enabled() and (has_effect(self.key, chosen_data.value) or self.does_not_fit)),
        }


def _pick(control: Control) -> None:
    labels = {value: control.show(value) for value in control.offered()}
    st.selectbox(
        control.label, list(labels), format_func=labels.__getitem__,
        filter_mode="fuzzy" if control.can_type else None, placeholder=text.CHOOSE, **control.common,
    )  # fmt: skip


def _segments(control: Control) -> None:
    segments(control.label, control.offered(), format_func=control.show, width="stretch", **control.common)


def _scale(control: Control) -> None:
    if len(control.offered()) == 1:  # Streamlit has no slider with a single value
        _pick(dataclasses.replace(control, is_enabled=lambda: False))
        return
    st.select_slider(control.label, control.offered(), format_func=control.show, **control.common)


def _number(control: Control) -> None:
    limits = RANGES[control.key]
    kind = int if limits.whole else float
    st.number_input(
        control.label, min_value=kind(limits.low), max_value=kind(limits.high), value=None,
        step=step_of(control.key, tab.value(control.key)), format=None if limits.whole else "%g",
        placeholder=placeholder(control.key, tab.value("cell")),
        **control.common,
    )  # fmt: skip


def step_of(name: str, value: float | None) -> float:
    """By what + and - change a number: 1, or where it need not be whole, one of its first digit."""
    limits = RANGES[name]
    if limits.whole:
        return 1
    return 10.0 ** math.floor(math.log10(abs(value))) if value else 0.1 if limits.high <= 1 else 1.0


def placeholder(name: str, cell: str) -> str | None:
    """What stands in an empty number field; None where it may not be empty."""
    if name == "forget_bias":
        return text.no_forget_bias(cell)
    return text.NO_TARGET if name in MAY_BE_NONE else None


def _switch(control: Control) -> None:
    st.toggle(control.label, **control.common)


DRAW = {"pick": _pick, "segments": _segments, "scale": _scale, "number": _number, "switch": _switch}


def _lengths() -> list[int]:
    limits = chosen_data.task().lengths
    return sorted({limits.low, limits.high, limits.default, *(n for n in LENGTHS if limits.low <= n <= limits.high)})


def _presets() -> list[str]:
    chosen = tab.value("preset")
    return [*(preset.slug for preset in list_presets()), *([chosen] if drafts.is_draft(str(chosen)) else [])]


def _tasks() -> list[str]:
    """This visitor's files, then all tasks."""
    own, chosen = [file.option for file in own_data_store.mine().newest_first], tab.value("task")
    if own_data_store.is_option(chosen) and chosen not in own:
        own.append(chosen)  # of a run that goes on after its file was forgotten
    return [*own, *catalogue()]


def catalogue() -> list[str]:
    """All tasks, grouped by family, each family in the order of TASKS."""
    return sorted(TASKS, key=lambda slug: FAMILIES.index(TASKS[slug].family))


def _task(option: str) -> str:
    """One entry in the list of data."""
    if not own_data_store.is_option(option):
        return text.task(option)
    file = own_data_store.file_of(option)
    name = own_data_store.name_of(state.last_valid()) if file is None else file.name
    return f"{name} · {text.YOUR_DATA_FAMILY}"


PRESET = Control(
    key="preset", kind="pick", options=_presets, show=lambda slug: text.preset(drafts.load_preset(slug)),
    on_change=state.on_preset,
)  # fmt: skip
TASK = Control(key="task", kind="pick", options=_tasks, show=_task, on_change=state.on_task)
LENGTH = Control(key="seq_len", kind="scale", options=_lengths)
RNN_TYPE = Control(
    key="rnn_type", kind="segments", options=CHOICES["rnn_type"], show=lambda kind: text.RNN_TYPES[kind],
    on_change=state.on_rnn_type,
)  # fmt: skip
CELL = (
    Control(
        key="cell", kind="pick", options=CELL_NAMES, show=lambda slug: CELLS[slug].title, can_type=False,
        note=lambda: CELLS[tab.value("cell")].summary, on_change=state.on_cell,
    ),
    Control(key="hidden_size", kind="scale", options=SIZES),
    Control(key="num_layers", kind="segments", options=(1, 2, 3, 4), on_change=state.on_cell),
    Control(key="forget_bias", kind="number"),
)  # fmt: skip
_live = functools.partial(Control, on_change=partial.on_live_change)  # no other widget or card depends on them
LEARNING = (
    _live(key="learning_rate", kind="scale", options=RATES, show=lambda rate: f"{rate:g}"),
    Control(key="clip", kind="segments", options=CHOICES["clip"], show=lambda slug: text.CLIPS[slug]),
    _live(key="clip_threshold", kind="scale", options=THRESHOLDS, show=lambda number: f"{number:g}"),
    Control(key="batch_size", kind="scale", options=BATCHES),
)


@dataclass(frozen=True)
class Group:
    """Settings that few people change, behind one title.

    Args:
        slug: in the keys of the page. title: what it says while it is folded.
    """

    slug: str
    title: str
    controls: tuple[Control, ...]

    @property
    def key(self) -> str:
        """The key of its expander: True in the tab while it is unfolded."""
        return f"settings_{self.slug}"


GROUPS = (
    Group("network", "Network", (
        Control(key="nonlinearity", kind="segments", options=CHOICES["nonlinearity"],
                show=lambda slug: text.NONLINEARITIES[slug]),
        Control(key="bidirectional", kind="switch"),
        Control(key="attention", kind="segments", options=CHOICES["attention"], show=ATTENTIONS.__getitem__),
        Control(key="learned_start", kind="switch"),
        Control(key="tied_weights", kind="switch"),
        Control(key="output_layers", kind="segments", options=CHOICES["output_layers"]),
        Control(key="window", kind="number"),
        Control(key="embedding_size", kind="scale", options=EMBEDDINGS,
                show=lambda size: str(size) if size else "one-hot"),
    )),
    Group("start", "Initial weights, seed", (
        Control(key="init", kind="pick", options=CHOICES["init"], show=lambda slug: text.INITS[slug]),
        Control(key="init_gain", kind="number"),
        Control(key="init_all", kind="segments", options=CHOICES["init_all"], show=INIT_ALL.__getitem__),
        Control(key="init_scale", kind="number"),
        Control(key="init_reach", kind="segments", options=CHOICES["init_reach"], show=INIT_REACH.__getitem__),
        Control(key="seed", kind="number"),
    )),
    Group("data", "Reading the data", (
        _live(key="noise", kind="scale", options=NOISES, show=lambda noise: f"{noise:g}"),
        Control(key="teacher_forcing", kind="scale", options=SHARES, show=lambda share: f"{share:.0%}"),
        Control(key="train_set", kind="number"),
        Control(key="shortest", kind="number"),
        Control(key="horizon", kind="number"),
        Control(key="carry_state", kind="switch"),
        Control(key="bug", kind="pick", options=CHOICES["bug"], show=text.bug),
    )),
    Group("optimiser", "Optimiser, schedule", (
        Control(key="optimizer", kind="pick", options=CHOICES["optimizer"], show=lambda slug: text.OPTIMIZERS[slug],
                can_type=False),
        _live(key="momentum", kind="scale", options=MOMENTA, show=lambda share: f"{share:g}"),
        Control(key="schedule", kind="pick", options=CHOICES["schedule"], show=lambda slug: text.SCHEDULES[slug],
                can_type=False),
        Control(key="schedule_steps", kind="number"),
        Control(key="schedule_factor", kind="number"),
        Control(key="warmup", kind="number"),
    )),
    Group("regularisation", "Regularisation", (
        _live(key="weight_decay", kind="scale", options=DECAYS, show=lambda decay: f"{decay:g}"),
        Control(key="dropout", kind="scale", options=DROPOUTS, show=lambda share: f"{share:g}"),
        _live(key="head_dropout", kind="scale", options=DROPOUTS, show=lambda share: f"{share:g}"),
        _live(key="input_dropout", kind="scale", options=DROPOUTS, show=lambda share: f"{share:g}"),
        _live(key="recurrent_dropout", kind="scale", options=DROPOUTS, show=lambda share: f"{share:g}"),
    )),
    Group("loss", "Loss, gradient, stopping", (
        Control(key="loss", kind="segments", options=CHOICES["loss"], show=LOSSES.__getitem__),
        Control(key="reduction", kind="segments", options=CHOICES["reduction"]),
        Control(key="tbptt", kind="number"),
        Control(key="steps", kind="number"),
        Control(key="target_loss", kind="number"),
        Control(key="target_metric", kind="number"),
    )),
)  # fmt: skip
"""All other settings, by what they are about."""
ALL = (TASK, LENGTH, RNN_TYPE, *CELL, *LEARNING, *(control for group in GROUPS for control in group.controls))
"""Every setting with a widget, in the order of the page."""
