"""The page "Step through": one sequence forward step by step, then back, with the network's own numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from app import paused_page, tab
from app.clickable_figure.component import clickable_figure, component_key
from app.equations import formulas, step_numbers
from app.figures import step_through
from app.figures.step_through import Place
from app.hub import RunSlot
from app.step_through import text as step_through_text
from engine.frame import RunInfo
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import Verification
from engine.workers import SEQUENCE_TRACE, VERIFICATION, Run

TITLE = "Step through"
STYLE = Path(__file__).with_name("style.css")


@dataclass
class StepThroughState:
    """A tab's state of this page for one run: the current place, and the chain."""

    place: Place | None = None  # None until the first trace arrives
    layer: int = -1
    direction: int = 0
    until: int = 0  # the training step that was requested

    def train(self, run: Run, updates: int) -> None:
        """Make some updates; the trace is requested again after them."""
        self.until = run.status().step + updates
        run.advance(updates)

    def current_place(self, trace: SequenceTrace) -> Place:
        """The current place; at first the first step, with the unit that has the largest gradient."""
        if self.place is None:
            self.place = Place(unit=int(np.abs(np.nan_to_num(trace.grad)).max(0).argmax()))
        return self.place

    def go(self, **changes: int) -> None:
        """Move to another step, unit or weight."""
        self.place = dataclasses.replace(self.place or Place(), **changes)

    def move(self, by: int, steps: int) -> None:
        """Move by some steps from the current place; fast clicks add up."""
        self.go(at=min(max((self.place or Place()).at + by, 0), 2 * steps - 1))


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _page_state(token: str) -> StepThroughState:
    """The page's state for one run."""
    return StepThroughState()


def page() -> None:
    """Draw the page; the network is that of the playground, or of the link."""
    slot = paused_page.begin(STYLE)
    with st.container(key="steps"):
        st.title(step_through_text.HEADING, anchor=False)
        show_trace(slot)


@st.fragment
def show_trace(slot: RunSlot) -> None:
    """Draw everything that changes with a step."""
    run, page_state = slot.run, _page_state(slot.token)
    trace, info = run.result(SEQUENCE_TRACE), run.info
    chain = (page_state.layer % info.num_layers, page_state.direction)
    current = trace is not None and (trace.layer, trace.direction, trace.step) == (*chain, run.status().step)
    if problem := run.problem(SEQUENCE_TRACE) or run.status().message:
        st.warning(problem)
    if _is_training(run, page_state):
        paused_page.wait(lambda: _is_training(run, page_state), step_through_text.TRAINING)
    elif not run.is_pending(SEQUENCE_TRACE) and not current:
        run.request(SEQUENCE_TRACE, layer=page_state.layer, direction=page_state.direction)
    if run.is_pending(SEQUENCE_TRACE):
        paused_page.wait(lambda: run.is_pending(SEQUENCE_TRACE), step_through_text.TRACING)
    if trace is None:
        return
    place = page_state.current_place(trace)
    st.caption(f"{step_through_text.LOOK_FOR} {step_through_text.heading(info, trace)}")
    _transport(slot, page_state, info, trace)
    left, right = st.columns([1.72, 1], gap="medium")
    with left:
        _over_time(info, trace, page_state, place)
        _step_numbers(info, trace, place)
    with right:
        _jacobian(info, trace, page_state, place)
        _weight(info, trace, page_state, place)
        _verify(slot, info, trace, place)


def _is_training(run: Run, page_state: StepThroughState) -> bool:
    """True while requested updates are being made; False if the run reports a problem."""
    return run.status().step < page_state.until and not run.status().message


def _transport(slot: RunSlot, page_state: StepThroughState, info: RunInfo, trace: SequenceTrace) -> None:
    """Draw the four buttons with their keys, the buttons for more training, and the current step."""
    n, place = len(trace.positions), page_state.current_place(trace)
    moves = (
        ("steps_first", step_through_text.FIRST, ":material/first_page:", "Home", -2 * n),
        ("steps_back", step_through_text.BACK, ":material/chevron_left:", "Left", -1),
        ("steps_next", step_through_text.NEXT, ":material/chevron_right:", "Right", 1),
        ("steps_last", step_through_text.LAST, ":material/last_page:", "End", 2 * n),
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="steps_transport"):
        for name, label, icon, shortcut, by in moves:
            kind = "primary" if name == "steps_next" else "secondary"
            at_the_end = place.at == (0 if by < 0 else 2 * n - 1)
            st.button(label, key=name, icon=icon, type=kind, shortcut=shortcut, disabled=at_the_end,
                      on_click=page_state.move, args=(by, n))  # fmt: skip
        for updates, label in step_through_text.TRAIN.items():
            st.button(label, key=f"steps_train_{updates}", icon=":material/fitness_center:", type="tertiary",
                      on_click=page_state.train, args=(slot.run, updates))  # fmt: skip
        _chains(page_state, info)
    st.markdown(step_through_text.where(info, trace, place))


def _chains(page_state: StepThroughState, info: RunInfo) -> None:
    """Draw the choice of the chain, if there are several layers or directions."""
    e = info.experiment
    every = [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]
    if len(every) == 1:
        return
    now = (page_state.layer % e.num_layers, page_state.direction)

    def chosen() -> None:
        page_state.layer, page_state.direction = tab.value("steps_chain")

    st.selectbox(step_through_text.CHAIN, every, every.index(now), format_func=lambda at: step_through_text.chain(info,
                 *at), key="steps_chain", label_visibility="collapsed", width=240, on_change=chosen)  # fmt: skip


def _over_time(info: RunInfo, trace: SequenceTrace, page_state: StepThroughState, place: Place) -> None:
    """States and gradients; a click goes to that step and unit. A click on a gradient selects the backward pass."""
    n = len(trace.positions)

    def pressed() -> None:
        point = tab.pressed(component_key("walk"))
        steps = {int(t): k for k, t in enumerate(trace.positions)}
        k, unit = steps.get(point.get("x")), str(point.get("y", "")).removeprefix("unit ")  # type: ignore[arg-type]
        if k is not None and unit.isdecimal():
            back = place.back(n) or point.get("plot") == 1
            page_state.go(at=2 * n - 1 - k if back else k, unit=min(int(unit), info.hidden_size - 1))

    figure = step_through.over_time(info, trace, place)
    clickable_figure("walk", figure, label=step_through_text.LOOK_FOR, on_press=pressed)


def _step_numbers(info: RunInfo, trace: SequenceTrace, place: Place) -> None:
    """Forward: the equations with their numbers. Back: the gradient that arrives, enters and is passed on."""
    at = place.step(len(trace.positions))
    st.markdown(step_through_text.reads(info, trace, at))
    if place.back(len(trace.positions)):
        st.markdown(f"**{step_through_text.NUMBERS}**")
        st.html(step_through_text.flow(info, trace, place))
        st.caption(step_through_text.NORMS)
    with st.expander(step_through_text.EQUATIONS, expanded=not place.back(len(trace.positions))):
        numbers = step_numbers.values_from_trace(info, trace, place.unit, at)
        for check in formulas.checks(info, numbers):
            st.markdown(formulas.worked(check))
        st.caption(formulas.footnote(info))


def _jacobian(info: RunInfo, trace: SequenceTrace, page_state: StepThroughState, place: Place) -> None:
    """One step's Jacobian as a figure; a click selects a unit and the weight that leads to it."""
    if trace.jacobians is None:
        st.info(step_through_text.NO_LINK)
        return

    def pressed() -> None:
        point = tab.pressed(component_key("jacobian"))
        names = [str(point.get(axis, "")).lstrip("hc") for axis in "yx"]
        if all(name.isdecimal() for name in names):
            unit, source = (min(int(name), info.hidden_size - 1) for name in names)
            page_state.go(unit=unit, source=source)

    st.markdown(f"**{step_through_text.JACOBIAN.format(s='s' if info.memory_symbol == 'c' else 'h')}**")
    scale = step_through.scale_of(trace.jacobians[place.step(len(trace.positions))])
    caption = step_through_text.JACOBIAN_NOTE.format(scale=scale)
    if len(trace.units) < info.hidden_size:
        caption += " " + step_through_text.FIRST_UNITS.format(count=len(trace.units), units=info.hidden_size)
    st.caption(caption)
    clickable_figure("jacobian", step_through.jacobian(info, trace, place), label=caption, on_press=pressed)


def _weight(info: RunInfo, trace: SequenceTrace, page_state: StepThroughState, place: Place) -> None:
    """Fields for the followed unit and weight, and what this step contributes to the weight's gradient."""
    last, gates = info.hidden_size - 1, step_through_text.gates(info)
    # The keys contain the place, so that a click in a figure makes new fields with the clicked values.
    unit, source, gate = f"steps_unit_{place.unit}", f"steps_source_{place.source}", f"steps_gate_{place.gate}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(step_through_text.UNIT, 0, last, place.unit, key=unit, width=150,
                        on_change=lambda: page_state.go(unit=int(tab.value(unit))))  # fmt: skip
        if trace.weight_hh is None:
            return
        st.number_input(step_through_text.SOURCE, 0, last, place.source, key=source, width=170,
                        on_change=lambda: page_state.go(source=int(tab.value(source))))  # fmt: skip
        if len(gates) > 1:
            st.selectbox(step_through_text.GATE, gates, place.gate, key=gate, width=170,
                         on_change=lambda: page_state.go(gate=gates.index(tab.value(gate))))  # fmt: skip
    st.markdown(step_through_text.weight(info, trace, place))


def _verify(slot: RunSlot, info: RunInfo, trace: SequenceTrace, place: Place) -> None:
    """The choice of a number to verify, the button, and the result."""
    run, offered = slot.run, step_through_text.entries(info, trace, place)
    verification = run.result(VERIFICATION)
    with st.container(border=True, key="steps_verify_card"):
        st.caption(step_through_text.VERIFY_NOTE)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            name = st.selectbox(
                step_through_text.VERIFY, list(offered), key="steps_claim", label_visibility="collapsed", width=230
            )
            st.button(step_through_text.VERIFY, key="steps_verify", icon=":material/verified:", type="primary",
                      on_click=run.request, args=(VERIFICATION,), kwargs={"entry": offered[name]})  # fmt: skip
        if run.is_pending(VERIFICATION):
            paused_page.wait(lambda: run.is_pending(VERIFICATION), step_through_text.VERIFYING)
        elif problem := run.problem(VERIFICATION):
            st.warning(problem)
        elif verification is not None and verification.step == trace.step:  # else it is of an earlier network
            _verification(verification)


def _verification(verification: Verification) -> None:
    st.markdown(f"**{step_through_text.entry_symbol(verification.what)}**  \n{step_through_text.agrees(verification)}")
    rows = step_through_text.verification_rows(verification)
    st.table(
        {"": [what for what, _ in rows], " ": [number for _, number in rows]}, border="horizontal", hide_index=True
    )
    st.caption(step_through_text.how(verification))
