"""The page "Compare": what all lanes share, each lane's own settings, and the race below them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from app import controls, data_text, own_data_store, state, tab, text
from app.compare import component, ownership
from app.compare import plan as race_plan
from app.compare import text as compare_text
from app.compare.plan import MAX_LANES, MIN_LANES, SHARED, RaceSetup
from app.figures.compare.catalogue import LANES
from app.race.lanes import LETTERS
from app.race.registry import RaceSlot
from app.segments import segments
from app.setting_effects import has_effect
from engine.cells import CELLS
from engine.experiment import CHOICES, RANGES, Experiment
from engine.number_format import count
from engine.tasks import OWN_DATA, task_of

TITLE = "Compare"
STYLE = Path(__file__).with_name("style.css")
ICONS = {"train": ":material/play_arrow:", "pause": ":material/pause:", "once": ":material/skip_next:",
         "reset": ":material/replay:"}  # fmt: skip

Options = tuple[list[Any], Callable[[Any], str]]
CHOSEN: dict[str, Options] = {
    "cell": (controls.CELL_NAMES, lambda slug: CELLS[slug].title),
    "hidden_size": (list(controls.SIZES), lambda size: count(size, "unit")),
    "num_layers": ([1, 2, 3, 4], str),
    "nonlinearity": (list(CHOICES["nonlinearity"]), lambda slug: text.NONLINEARITIES[slug]),
    "init": (list(CHOICES["init"]), lambda slug: text.INITS[slug]),
    "learning_rate": (list(controls.RATES), lambda rate: f"{rate:g}"),
    "weight_decay": (list(controls.DECAYS), lambda decay: f"{decay:g}"),
    "head_dropout": (list(controls.DROPOUTS), lambda share: f"{share:g}"),
    "clip": (list(CHOICES["clip"]), lambda slug: text.CLIPS[slug]),
    "clip_threshold": (list(controls.THRESHOLDS), lambda number: f"{number:g}"),
    "optimizer": (list(CHOICES["optimizer"]), lambda slug: text.OPTIMIZERS[slug]),
    "batch_size": (list(controls.BATCHES), str),
}
"""The settings that are picked from a list, and their labels; all others are numbers."""
MORE_SETTINGS = ("num_layers", "forget_bias", "nonlinearity", "init", "init_gain", "learning_rate", "weight_decay",
                 "head_dropout", "clip", "clip_threshold", "window")  # fmt: skip
"""A lane's settings behind "More"."""
WIDTHS: dict[str, Any] = {"cell": "stretch", "hidden_size": 118}
"""A lane's other settings, and the widths of their lists."""


def page() -> None:
    """Draw the page from top to bottom; the race goes on meanwhile."""
    state.leave()
    if (playground := state.playground_slot()) is not None and not playground.paused:
        playground.pause()
    setup = ownership.setup()
    slot = ownership.slot(setup)
    st.html(STYLE)
    with st.container(key="compare"):
        st.title(compare_text.HEADING, anchor=False)
        st.caption(f"{compare_text.LOOK_FOR} {data_text.teaches(setup.shared)}")
        _examples(setup)
        _shared(setup)
        for column, lane in zip(st.columns(len(setup.lanes)), range(len(setup.lanes)), strict=True):
            with column:
                _lane(setup, lane)
        for refused in ownership.refused():
            st.warning(refused)
        _transport(slot, setup)
        component.view(slot.race)
    ownership.write_link(setup)


def _examples(setup: RaceSetup) -> None:
    """A button for each example race."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="race_good"):
        st.markdown(f"**{compare_text.EXAMPLES}**", width="content")
        for number, (title, link) in enumerate(race_plan.EXAMPLES.items()):
            st.button(title, key=f"race_good_{number}", type="tertiary", on_click=ownership.on_change,
                      args=(partial(race_plan.from_link, link | {"speed": setup.speed}, []),))  # fmt: skip


def _shared(setup: RaceSetup) -> None:
    """Data, length and seed; the rest behind a popover."""
    e, task = setup.shared, task_of(setup.shared)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="race_shared"):
        tasks = [*([OWN_DATA] if e.task == OWN_DATA else []), *controls.catalogue()]
        _pick("race_task", compare_text.DATA, tasks, e.task, partial(_data, e), setup.on, width=330)
        limits = task.lengths
        lengths = {
            limits.low,
            limits.high,
            limits.default,
            *(n for n in controls.LENGTHS if limits.low <= n <= limits.high),
        }
        _pick("race_seq_len", text.LABELS["seq_len"], sorted(lengths), e.seq_len, str,
              _to(setup.share, "seq_len"), width=110)  # fmt: skip
        _setting("race_seed", "seed", e, _to(setup.share, "seed"), width=130)
        with st.popover(compare_text.SHARED, icon=":material/tune:"):
            _pick("race_rnn_type", text.LABELS["rnn_type"], list(task.rnn_types), e.rnn_type,
                  lambda kind: text.RNN_TYPES[kind], _to(setup.share, "rnn_type"))  # fmt: skip
            for name in ("optimizer", "batch_size", "tbptt"):
                _setting(f"race_{name}", name, e, _to(setup.share, name))
        if len(setup.lanes) < MAX_LANES:
            st.button(
                compare_text.ADD, key="race_add", icon=":material/add:", on_click=ownership.on_change, args=(setup.add,)
            )


def _data(experiment: Experiment, task: str) -> str:
    """One entry in the list of data; own data, which only this experiment has, by the file's name."""
    if task != OWN_DATA:
        return text.task(task)
    return f"{own_data_store.name_of(experiment)} · {text.YOUR_DATA_FAMILY}"


def _lane(setup: RaceSetup, lane: int) -> None:
    """Letter, cell and units; the rest behind "More"; settings that differ from the lesson as chips."""
    e, letter, change = setup.lanes[lane], LETTERS[lane], partial(setup.change, lane)
    with st.container(key=f"race_lane_{letter.lower()}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.html(f'<b class="race-letter" style="--lane: {LANES[lane].colour}">{letter}</b>', width="content")
            for name, width in WIDTHS.items():
                _setting(f"race_{letter}_{name}", name, e, _to(change, name),
                         compare_text.LABELS[name].format(letter=letter), width)  # fmt: skip
            with st.popover(compare_text.MORE, key=f"race_more_{letter}"):
                for name in MORE_SETTINGS:
                    if has_effect(name, partial(getattr, e)):
                        _setting(f"race_{letter}_{name}", name, e, _to(change, name))
                if (playground := state.playground_slot()) is not None:
                    st.button(compare_text.TAKE, key=f"race_take_{letter}", on_click=ownership.on_change,
                              args=(lambda: setup.take(lane, playground.experiment),))  # fmt: skip
                if len(setup.lanes) > MIN_LANES:
                    st.button(compare_text.REMOVE, key=f"race_remove_{letter}", icon=":material/close:",
                              on_click=ownership.on_change, args=(lambda: setup.remove(lane),))  # fmt: skip
        if any(chips := [compare_text.chips(network, setup.usual, SHARED) for network in setup.lanes]):
            st.markdown(" ".join(f":blue-badge[{chip}]" for chip in chips[lane]) or "&nbsp;")


def _to(change: Callable[..., RaceSetup], name: str) -> Callable[[Any], RaceSetup]:
    """A function that changes one setting to a given value."""
    return lambda value: change(**{name: value})


def _setting(
    key: str, name: str, e: Experiment, change: Callable[[Any], RaceSetup], label: str = "", width: Any = "stretch"
) -> None:
    """The widget of one setting: a list for the settings in CHOSEN, else a number field."""
    label, value = label or text.LABELS[name], getattr(e, name)
    if name in CHOSEN:
        options, written = CHOSEN[name]
        alone = {"label_visibility": "collapsed"} if name in compare_text.LABELS else {}
        _pick(key, label, options, value, written, change, width=width, **alone)
        return
    tab.store(key, value)
    limits = RANGES[name]
    kind = int if limits.whole else float
    st.number_input(
        label, kind(limits.low), kind(limits.high), None, kind(1), None if limits.whole else "%g", key=key, width=width,
        placeholder=controls.placeholder(name, e.cell), on_change=ownership.on_change,
        args=(lambda: change(tab.value(key)),),
    )  # fmt: skip


def _pick(
    key: str, label: str, options: list[Any], value: Any, written: Callable[[Any], str],
    change: Callable[[Any], RaceSetup], **widget_options: Any,
) -> None:  # fmt: skip
    """A list; the current value is added if it is missing."""
    tab.store(key, value)
    offered = options if value in options else sorted([*options, value])
    st.selectbox(label, offered, format_func=written, key=key, on_change=ownership.on_change,
                 args=(lambda: change(tab.value(key)),), **widget_options)  # fmt: skip


def _transport(slot: RaceSlot, setup: RaceSetup) -> None:
    """Train, Pause, Step, Reset and the speed. The next useful button is highlighted."""
    race = slot.race
    orders = {
        "train": lambda: slot.race.train(), "pause": lambda: slot.race.pause(), "once": lambda: slot.race.once(),
        "reset": slot.reset,
    }  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="race_transport"):
        for key, label in compare_text.ORDERS.items():
            kind: Literal["primary", "secondary"] = (
                "primary" if key == ("train" if race.paused else "pause") else "secondary"
            )
            st.button(label, key=f"race_{key}", icon=ICONS[key], type=kind, on_click=orders[key])
        tab.store("race_speed", setup.speed)
        segments(text.LABELS["speed"], list(text.SPEEDS), key="race_speed", label_visibility="collapsed",
                 on_change=ownership.on_change, args=(lambda: setup.at(tab.value("race_speed")),))  # fmt: skip
