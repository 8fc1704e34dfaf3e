"""The page "Map": what varies, and below it hundreds of networks that fill in a picture of where networks learn."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.navigation.page import Page

from app import brought_network, controls, links, setting_help, state, tab, text
from app.brought_network import Brought
from app.map import component, ownership
from app.map import text as map_text
from app.map.axes import KINDS, Axis
from app.map.kept import kept_as, kept_maps
from app.map.plan import MOST_CELLS, MapPlan
from app.map.registry import MapSlot
from app.setting_effects import has_effect
from engine.cells import CELLS
from engine.experiment import CHOICES, RANGES, ExperimentError
from engine.workers import SweepRun

TITLE = map_text.TITLE
STYLE = Path(__file__).with_name("style.css")
OPENING, FAILED = "_map_opening", "_map_failed"
NO_AXIS = "none"  # what stands in the list of the second axis where there is none
SEEDS, UPDATES = [1, 2, 4, 8, 16], [100, 200, 500, 1000, 2000, 5000]
MORE: dict[str, tuple[list[Any], Callable[[Any], str]]] = {
    "hidden_size": (list(controls.SIZES), str),
    "init": (list(CHOICES["init"]), lambda slug: text.INITS[slug]),
    "nonlinearity": (list(CHOICES["nonlinearity"]), lambda slug: text.NONLINEARITIES[slug]),
    "optimizer": (list(CHOICES["optimizer"]), lambda slug: text.OPTIMIZERS[slug]),
    "learning_rate": (list(controls.RATES), lambda rate: f"{rate:g}"),
    "clip": (list(CHOICES["clip"]), lambda slug: text.CLIPS[slug]),
    "clip_threshold": (list(controls.THRESHOLDS), lambda number: f"{number:g}"),
    "batch_size": (list(controls.BATCHES), str),
    "num_layers": ([1, 2, 3, 4], str),
}
"""Settings of all networks behind a popover, with their values and labels."""


def page(playground: Page) -> None:
    """Draw the page from top to bottom; the networks train on meanwhile. A click on one leads to `playground`."""
    state.leave()
    if (run := state.playground_slot()) is not None and not run.paused:
        run.pause()
    plan = ownership.plan()
    slot = ownership.slot(plan)
    if (number := tab.load(OPENING)) is not None:
        _open(slot, number, playground)
    st.html(STYLE)
    with st.container(key="map"):
        st.title(map_text.HEADING, anchor=False)
        st.caption(map_text.says(plan))
        _examples(plan)
        for refused in [*ownership.refused(), *filter(None, [tab.load(FAILED)])]:
            st.warning(refused)
        _choices(plan)
        if notes := map_text.without_effect(plan):
            st.caption(notes)
        _transport(slot, plan)
        component.view(slot.map, on_press)
    ownership.write_link(plan)


def _examples(plan: MapPlan) -> None:
    """A button for each map that was measured beforehand, and what to look for in the one that is shown."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="map_good"):
        for kept in kept_maps():
            chosen = kept.plan == plan
            st.button(kept.title, key=f"map_good_{kept.slug}", type="secondary" if chosen else "tertiary",
                      on_click=ownership.on_change, args=(partial(_same, kept.plan),))  # fmt: skip
    if (shown := kept_as(plan)) is not None:
        st.markdown(shown.text)


def _same(plan: MapPlan) -> MapPlan:
    return plan


def _choices(plan: MapPlan) -> None:
    """Data, cells and the settings that vary; all else behind a popover."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="map_choices"):
        _pick("map_task", map_text.DATA, controls.catalogue(), plan.base.task, text.task, plan.on, width=250)
        tab.store("map_cells", list(plan.cells))
        st.multiselect(
            map_text.CELL_CHOICE, controls.CELL_NAMES, key="map_cells", format_func=lambda slug: CELLS[slug].title,
            max_selections=MOST_CELLS, on_change=ownership.on_change, width=310,
            args=(lambda: dataclasses.replace(plan, cells=tuple(tab.value("map_cells"))),),
        )  # fmt: skip
        for which, label, axis in (("x", map_text.X, plan.x), ("y", map_text.Y, plan.y)):
            names = [*KINDS] if which == "x" else [*KINDS, NO_AXIS]
            _pick(f"map_{which}", label, names, axis.name if axis else NO_AXIS, _axis_title,
                  _along(plan, which), width=215)  # fmt: skip
        with st.popover(map_text.MORE, icon=":material/tune:"):
            _more(plan)


def _more(plan: MapPlan) -> None:
    """The ends of the axes, seeds and updates, and the settings of all networks."""
    for which, axis in (("x", plan.x), ("y", plan.y)):
        if axis is not None:
            _ends(plan, which, axis)
    with st.container(horizontal=True, gap="small"):
        for name, label, values in (("seeds", map_text.SEEDS, SEEDS), ("updates", map_text.UPDATES, UPDATES)):
            _pick(f"map_{name}", label, values, getattr(plan, name), lambda number: f"{number:,}",
                  _to(plan, name), width=150)  # fmt: skip
    st.markdown(f"**{map_text.ALL_NETWORKS}**")
    varying = [plan.x.name, *([plan.y.name] if plan.y else [])]
    shown = [name for name in MORE if name not in varying and has_effect(name, partial(getattr, plan.base))]
    for pair in range(0, len(shown), 2):
        with st.container(horizontal=True, gap="small"):
            for name in shown[pair : pair + 2]:
                values, written = MORE[name]
                _pick(f"map_{name}", setting_help.LABELS[name], values, getattr(plan.base, name), written,
                      _change(plan, name), width=190)  # fmt: skip


def _axis_title(name: str) -> str:
    return map_text.NO_Y if name == NO_AXIS else KINDS[name].title


def _along(plan: MapPlan, which: str) -> Callable[[str], MapPlan]:
    """A function that puts a setting on an axis."""
    return lambda name: plan.along(which, None if name == NO_AXIS else name)


def _ends(plan: MapPlan, which: str, axis: Axis) -> None:
    """The two ends of an axis and the number of its values."""
    limits = RANGES[axis.name]
    kind = int if limits.whole else float
    keys = [f"map_{which}_{part}" for part in ("from", "to", "count")]

    def changed() -> MapPlan:
        low, high, count = map(tab.value, keys)
        if None in (low, high, count):  # the field was emptied
            raise ExperimentError(axis.name, got="nothing", accepts=f"{limits}, and a number of values")
        return dataclasses.replace(plan, **{which: Axis.spread(axis.name, low, high, count)})

    st.markdown(f"**{axis.title[0].upper()}{axis.title[1:]}**")
    with st.container(horizontal=True, gap="small"):
        for key, label, value in zip(
            keys, (map_text.FROM, map_text.TO), (axis.values[0], axis.values[-1]), strict=False
        ):
            tab.store(key, kind(value))
            st.number_input(label, kind(limits.low), kind(limits.high), None, kind(1) if limits.whole else 0.1,
                            None if limits.whole else "%g", key=key, width=120, on_change=ownership.on_change,
                            args=(changed,))  # fmt: skip
        tab.store(keys[2], len(axis.values))
        st.number_input(map_text.VALUES, None, None, None, 1, key=keys[2], width=120,
                        on_change=ownership.on_change, args=(changed,))  # fmt: skip


def _change(plan: MapPlan, name: str) -> Callable[[Any], MapPlan]:
    """A function that changes a setting of all networks to a given value."""
    return lambda value: plan.change(**{name: value})


def _to(plan: MapPlan, name: str) -> Callable[[Any], MapPlan]:
    """A function that changes one part of the plan to a given value."""
    return lambda value: dataclasses.replace(plan, **{name: value})


def _pick(
    key: str, label: str, options: list[Any], value: Any, written: Callable[[Any], str],
    change: Callable[[Any], MapPlan], **widget_options: Any,
) -> None:  # fmt: skip
    """A list; the current value is added if it is missing."""
    tab.store(key, value)
    offered = options if value in options else sorted([*options, value])
    st.selectbox(label, offered, format_func=written, key=key, on_change=ownership.on_change,
                 args=(lambda: change(tab.value(key)),), **widget_options)  # fmt: skip


def _transport(slot: MapSlot, plan: MapPlan) -> None:
    """The button that starts the networks, and afterwards pauses them; and what the map costs."""
    run, kept = slot.map.run, slot.map.kept
    goes_on = run is not None and not run.done
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="map_transport"):
        begin = map_text.AGAIN if run is not None else map_text.BEGIN if kept is None else map_text.HERE
        st.button(begin, key="map_begin", icon=":material/grid_view:", on_click=_begin,
                  type="secondary" if goes_on else "primary")  # fmt: skip
        if run is not None and goes_on:
            _pause_button(run)
        st.caption(map_text.costs(slot.map))


def _begin() -> None:
    """Train the networks; of a map that was measured beforehand a version that is soon there."""
    slot: MapSlot = tab.load(ownership.SLOT)
    if slot.map.kept is not None:
        ownership.on_change(lambda: slot.map.plan.quick)
        slot.enter(ownership.plan())
    slot.begin()


def _pause_button(run: SweepRun) -> None:
    if run.paused:
        st.button(map_text.RESUME, key="map_resume", icon=":material/play_arrow:", type="primary", on_click=run.resume)
    else:
        st.button(map_text.PAUSE, key="map_pause", icon=":material/pause:", on_click=run.pause)


def on_press() -> None:
    """A square was clicked. What it says comes from the browser, so it is checked."""
    slot: MapSlot = tab.load(ownership.SLOT)
    place = tab.pressed(component.KEY).get("point")
    tab.store(FAILED, "")
    if not isinstance(place, list) or len(place) != 3 or not all(type(each) is int for each in place):
        return
    if all(0 <= each < most for each, most in zip(place, slot.map.plan.shape[:3], strict=True)):
        tab.store(OPENING, slot.map.plan.number(*place))


def _open(slot: MapSlot, number: int, playground: Page) -> None:
    """Open a network in the playground as a worker sends it; if it was not trained here, train it there."""
    tab.store(OPENING, None)
    run, experiment = slot.map.run, slot.map.plan.experiments[number]
    link = links.to_link(experiment, None, "normal")
    step = max(0, int(slot.map.results.steps[number]))
    if run is not None:
        with st.spinner(map_text.WAITING):
            taken = run.take(number)
        if taken.problem:
            tab.store(FAILED, map_text.GONE.format(problem=taken.problem))
            return
        step = taken.step
        brought_network.bring(experiment, step, Brought(taken.checkpoint))
    brought_network.remember(experiment)
    st.switch_page(playground, query_params=link | ({"at": str(step)} if step else {}))
