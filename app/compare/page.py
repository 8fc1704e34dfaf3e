"""The page "Compare": what all lanes share, each lane's own settings, and the race below them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Literal

import streamlit as st

from app import controls, data_text, own_data_store, setting_help, state, tab, text
from app.compare import component, ownership, widgets
from app.compare import lane as lanes
from app.compare import plan as race_plan
from app.compare import text as compare_text
from app.compare.plan import MAX_LANES, RaceSetup
from app.race.registry import RaceSlot
from app.segments import segments
from engine.experiment import Experiment
from engine.tasks import OWN_DATA, task_of

TITLE = "Compare"
STYLE = Path(__file__).with_name("style.css")
ICONS = {"train": ":material/play_arrow:", "pause": ":material/pause:", "once": ":material/skip_next:",
         "reset": ":material/replay:"}  # fmt: skip


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
                lanes.draw(setup, lane)
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
        widgets.pick("race_task", compare_text.DATA, tasks, e.task, partial(_data, e), setup.on, width=330)
        limits = task.lengths
        lengths = {
            limits.low,
            limits.high,
            limits.default,
            *(n for n in controls.LENGTHS if limits.low <= n <= limits.high),
        }
        if "seq_len" in setup.common:
            change = widgets.to(setup.share, "seq_len")
            widgets.pick(
                "race_seq_len", setting_help.LABELS["seq_len"], sorted(lengths), e.seq_len, str, change, width=110
            )
        if "seed" in setup.common:
            widgets.setting("race_seed", "seed", e, setup.share, width=130)
        widgets.pick(
            "race_seeds", compare_text.SEEDS, list(compare_text.SEEDS_SHOWN), setup.seeds,
            compare_text.SEEDS_SHOWN.__getitem__, setup.with_seeds, width=175, help=compare_text.SEEDS_HELP,
        )  # fmt: skip
        with st.popover(compare_text.SHARED, icon=":material/tune:"):
            widgets.pick(
                "race_rnn_type", setting_help.LABELS["rnn_type"], list(task.rnn_types), e.rnn_type,
                text.RNN_TYPES.__getitem__, widgets.to(setup.share, "rnn_type"),
            )  # fmt: skip
            for name in ("optimizer", "batch_size", "tbptt", "steps"):
                if name in setup.common:
                    widgets.setting(f"race_{name}", name, e, setup.share)
        if len(setup.lanes) < MAX_LANES:
            st.button(
                compare_text.ADD, key="race_add", icon=":material/add:", on_click=ownership.on_change, args=(setup.add,)
            )


def _data(experiment: Experiment, task: str) -> str:
    """One entry in the list of data; own data, which only this experiment has, by the file's name."""
    if task != OWN_DATA:
        return text.task(task)
    return f"{own_data_store.name_of(experiment)} · {text.YOUR_DATA_FAMILY}"


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
        segments(setting_help.LABELS["speed"], list(text.SPEEDS), key="race_speed", label_visibility="collapsed",
                 on_change=ownership.on_change, args=(lambda: setup.at(tab.value("race_speed")),))  # fmt: skip
