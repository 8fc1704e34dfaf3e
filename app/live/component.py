"""The component that owns the live figures.

It gets the templates once per run; frames come over its own socket and never pass through Streamlit.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping
from typing import Any, overload

import streamlit as st

from app import partial, stage_mode, state, tab, text
from app.experiment_cache import cached_by_experiment
from app.figures import ChainFigure, LiveFigure, applicable, theme
from app.figures.theme import SCALES, TIME_MARGIN
from app.hub import RunSlot
from app.live import how_measured, past_runs
from app.live import text as live_text
from app.live.assets import MARKUP, PLOTLY_ROUTE
from app.live.by_address import FIGURES, HIDDEN, LOADER
from app.live.tabs import tabs
from app.past_runs import KeptRun
from app.stage.description import describe
from app.stage.microscope.description import configuration
from engine.experiment import Experiment
from engine.frame import Chain, RunInfo
from engine.preset import Preset

KEY, LOOK = "live", "look"
SERVER = secrets.token_hex(4)  # another one after a restart
LARGE = 1.45  # scale of the figures in presentation mode


def view(slot: RunSlot, lesson: Preset | None) -> None:
    """Mount the live view of this slot's run; if it is mounted already, it switches to this run in place.

    In presentation mode the figures are enlarged, and of a lesson only its own are shown.
    """
    component = st.components.v2.component("live_view", html=MARKUP, css=HIDDEN, js=LOADER, isolate_styles=False)
    info = slot.run.info.showing(state.chain())
    shown = tabs(info, lesson)
    if lesson is not None and state.presenting():
        shown = shown[:1]
    beside = slot.beside
    named = frozenset(name for tab in shown for name in tab["figures"])
    component(
        key=KEY,
        data={
            "token": slot.token,
            "figures": _address(info, named, beside),
            "beside": past_runs.key(beside),
            "tabs": shown,
            "lesson": lesson.slug if lesson is not None else "",
            "large": LARGE if state.presenting() else 1,
            "mode": stage_mode.now(),
            "cure": "cure" not in state.hidden(),
            **drawn(info),
        },
        on_cure_change=lambda: state.on_cure(KEY),
        on_noted_change=partial.on_step_recorded,
        on_redraw_change=lambda: partial.on_redraw(KEY),
        on_mode_change=lambda: state.on_mode(KEY),
        on_branch_change=lambda: state.on_branch(KEY),
        on_chain_change=lambda: state.on_chain(KEY),
    )


def look(slot: RunSlot, token: str, figures: Collection[str] | None = None) -> None:
    """Mount the view of somebody else's run, in which nothing can be changed.

    Args:
        token: the last part of the address of its socket.
        figures: names of those to draw; None for all, in their tabs.
    """
    component = st.components.v2.component("live_view", html=MARKUP, css=HIDDEN, js=LOADER, isolate_styles=False)
    info = slot.run.info
    shown = tabs(info, None) if figures is None else [{"name": "", "figures": list(figures)}]
    named = frozenset(name for tab in shown for name in tab["figures"])
    component(
        key=LOOK,
        data={
            "token": token,
            "figures": _address(info, named, {}),
            "beside": past_runs.key({}),
            "tabs": shown,
            "lesson": "",
            "large": 1,
            "mode": "",
            "cure": False,
            **drawn(info),
        },
    )


def drawn(info: RunInfo) -> dict[str, Any]:
    """What a live view draws of a run before its first frame, its figures apart."""
    return {
        "stage": stage(info.experiment),
        "cell": configuration(info.cell_kind, info.nonlinearity),
        "scales": SCALES,
        "time": {**TIME_MARGIN, "last": info.time_steps - 1},
        "origin": {"server": SERVER, "session": tab.session()},
        "words": {
            "gone": live_text.RUN_GONE,
            "again": live_text.OPEN_AGAIN,
            "forgotten": live_text.RUN_FORGOTTEN,
            "restarted": live_text.SERVER_RESTARTED,
        },
        "how": how_measured.paragraphs(info),
        "plotly": PLOTLY_ROUTE,
        "chains": chains(info),
        "chain": info.chains.index(info.shown_chain),
        "show": text.LAYER_SHOWN if info.num_layers > 1 else text.DIRECTION_SHOWN,
    }


def _address(info: RunInfo, names: frozenset[str], beside: Mapping[int, KeptRun]) -> str:
    """Where the browser finds these figures without data, with a trace for each of the past runs beside this one."""
    figures = [figure for figure in templates(info.experiment, info.shown) if figure["name"] in names]
    return FIGURES.address(past_runs.with_traces(figures, info, beside))


def chains(info: Chain) -> list[dict[str, Any]]:
    """The layers and directions to choose from, from the bottom up: each for its button, and as part of a sentence."""
    if info.num_layers == 1:
        names = [("→ forwards", "the forward direction"), ("← backwards", "the backward direction")]
    else:
        arrows = (" →", " ←") if info.directions == 2 else ("",)
        names = [(f"layer {layer + 1}{arrows[d]}", theme.chain_name(info, layer, d)) for layer, d in info.chains]
    return [
        {"at": at, "label": label, "name": name} for at, (label, name) in zip(info.chains, names, strict=False)
    ]  # a single layer that reads one way has one entry, which is not shown


@cached_by_experiment(maxsize=64)
def stage(experiment: Experiment) -> dict[str, Any]:
    """What the stage is told once of such a run."""
    return describe(RunInfo.of(experiment))


@cached_by_experiment(maxsize=64)
def templates(experiment: Experiment, chain: tuple[int, int] | None = None) -> list[dict[str, Any]]:
    """The figures of such a run without data, as JSON values: what the browser draws before the first frame.

    Args:
        chain: (layer, direction) that figures of a single layer show; None for the top layer, forwards.
    """
    info = RunInfo.of(experiment).showing(chain)
    return [template(name, figure, info) for name, figure in applicable(info).items()]


@overload
def template(name: str, figure: ChainFigure, info: Chain) -> dict[str, Any]: ...
@overload
def template(name: str, figure: LiveFigure, info: RunInfo) -> dict[str, Any]: ...
def template(name: str, figure: Any, info: Any) -> dict[str, Any]:
    """One figure without data, as JSON values."""
    return {
        "name": name,
        "over": figure.over,
        "title": figure.title(info),
        "look_for": figure.look_for(info),
        "label": figure.label,
        "how": figure.how(info),
        "fits": figure.fits,
        "needs": figure.requires,
        "steps": figure.steps,
        "figure": json.loads(figure.template(info).to_json()),
    }
