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
from app.find_setting import text as find_text
from app.find_setting.entries import Entry, entries
from app.race.lanes import LETTERS
from app.race.registry import RaceSlot
from app.segments import segments
from app.setting_effects import why_no_effect
from engine.experiment import CHOICES, RANGES, Experiment
from engine.number_format import count
from engine.tasks import OWN_DATA, task_of

TITLE = "Compare"
STYLE = Path(__file__).with_name("style.css")
ICONS = {"train": ":material/play_arrow:", "pause": ":material/pause:", "once": ":material/skip_next:",
         "reset": ":material/replay:"}  # fmt: skip

CONTROLS = {control.key: control for control in controls.ALL if control.key in race_plan.OWN}
"""How the playground shows each setting of a lane."""
LISTS = {
    name: (list(CONTROLS[name].options), CONTROLS[name].show)  # type: ignore[arg-type]
    for name in ("cell", "num_layers", "nonlinearity", "init", "learning_rate", "weight_decay", "head_dropout", "clip",
                 "clip_threshold", "optimizer", "batch_size")
} | {"hidden_size": (list(controls.SIZES), lambda size: count(size, "unit"))}  # fmt: skip
"""The settings that are picked from a list, and their labels."""
MORE_SETTINGS = ("num_layers", "forget_bias", "init", "optimizer", "learning_rate", "clip", "clip_threshold")
"""A lane's settings behind "More" that are always there; all others are found by their names."""
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
        if "seq_len" in setup.common:
            _pick("race_seq_len", text.LABELS["seq_len"], sorted(lengths), e.seq_len, str,
                  _to(setup.share, "seq_len"), width=110)  # fmt: skip
        if "seed" in setup.common:
            _setting("race_seed", "seed", e, _to(setup.share, "seed"), width=130)
        _pick("race_seeds", compare_text.SEEDS, list(compare_text.SEEDS_SHOWN), setup.seeds,
              compare_text.SEEDS_SHOWN.__getitem__, setup.with_seeds, width=175,
              help=compare_text.SEEDS_HELP)  # fmt: skip
        with st.popover(compare_text.SHARED, icon=":material/tune:"):
            _pick("race_rnn_type", text.LABELS["rnn_type"], list(task.rnn_types), e.rnn_type,
                  lambda kind: text.RNN_TYPES[kind], _to(setup.share, "rnn_type"))  # fmt: skip
            for name in ("optimizer", "batch_size", "tbptt"):
                if name in setup.common:
                    _setting(f"race_{name}", name, e, _to(setup.share, name))
            _setting("race_steps", "steps", e, _to(setup.share, "steps"))
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
                _more(setup, lane, _find(letter, change))
                if (playground := state.playground_slot()) is not None:
                    st.button(compare_text.TAKE, key=f"race_take_{letter}", on_click=ownership.on_change,
                              args=(lambda: setup.take(lane, playground.experiment),))  # fmt: skip
                if len(setup.lanes) > MIN_LANES:
                    st.button(compare_text.REMOVE, key=f"race_remove_{letter}", icon=":material/close:",
                              on_click=ownership.on_change, args=(lambda: setup.remove(lane),))  # fmt: skip
        said = {*SHARED, *({"seq_len", "seed", "optimizer", "batch_size", "tbptt"} & set(setup.common))}
        if any(chips := [compare_text.chips(network, setup.usual, tuple(said)) for network in setup.lanes]):
            st.markdown(" ".join(f":blue-badge[{chip}]" for chip in chips[lane]) or "&nbsp;")


def _more(setup: RaceSetup, lane: int, found: str) -> None:
    """A lane's further settings: the one that was found, what differs from lane to lane, and the usual ones."""
    e, change = setup.lanes[lane], partial(setup.change, lane)
    differing = [name for name in CONTROLS if name not in setup.common]
    for name in dict.fromkeys([found, *differing, *MORE_SETTINGS]):
        if name and name not in WIDTHS:
            why = why_no_effect(name, partial(getattr, e))
            if not why:
                _setting(f"race_{LETTERS[lane]}_{name}", name, e, _to(change, name), typed=name == found)
            elif name == found:
                st.caption(f"{text.LABELS[name]}: {find_text.NO_EFFECT.format(why=why)}")


def _find(letter: str, change: Callable[..., RaceSetup]) -> str:
    """Draw a lane's field "Find a setting". Returns the name of the setting that was found; "" without one."""
    key, offered = f"race_find_{letter}", entries(CONTROLS.values())
    st.selectbox(
        find_text.FIND, list(offered), None, format_func=lambda each: offered[each].words, key=key,
        placeholder=find_text.HINT, icon=":material/search:", on_change=_take, args=(key, offered, change),
    )  # fmt: skip
    found = offered.get(tab.load(key) or "")
    return "" if found is None else found.control.key


def _take(key: str, offered: dict[str, Entry], change: Callable[..., RaceSetup]) -> None:
    """An entry was chosen: one that names a value sets it in this lane, and its setting is what was found."""
    found = offered.get(tab.load(key) or "")
    if found is not None and found.value:
        tab.store(key, found.control.key)
        ownership.on_change(lambda: change(**{found.control.key: found.value}))


def _to(change: Callable[..., RaceSetup], name: str) -> Callable[[Any], RaceSetup]:
    """A function that changes one setting to a given value."""
    return lambda value: change(**{name: value})


def _setting(
    key: str, name: str, e: Experiment, change: Callable[[Any], RaceSetup], label: str = "", width: Any = "stretch",
    *, typed: bool = False,
) -> None:  # fmt: skip
    """The widget of one setting: a list for those in LISTS and for choices, else a number field; it if `typed`."""
    label, value = label or text.LABELS[name], getattr(e, name)
    if name in CHOICES or (name in LISTS and not (typed and name in RANGES)):
        options, written = LISTS.get(name) or (list(CHOICES[name]), CONTROLS[name].show)
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
