"""The page "Step through": the drawn sequence forward step by step, then back, with the network's own numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st

from app import paused_page, state
from app.clickable_figure.component import key, picture
from app.equations import formulas
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
    """What a tab's page remembers of one run: where a person stands, and in which chain."""

    place: Place | None = None  # until the first walk is there
    layer: int = -1
    direction: int = 0
    until: int = 0  # the training step that was asked for

    def train(self, run: Run, updates: int) -> None:
        """A little more training; the walk is taken again when it is done."""
        self.until = run.status().step + updates
        run.advance(updates)

    def stand(self, trace: SequenceTrace) -> Place:
        """Where the person stands. At first: at the beginning, following the unit that the loss asks most of."""
        if self.place is None:
            self.place = Place(unit=int(np.abs(np.nan_to_num(trace.grad)).max(0).argmax()))
        return self.place

    def go(self, **changes: int) -> None:
        """Stand elsewhere, or follow something else."""
        self.place = dataclasses.replace(self.place or Place(), **changes)

    def move(self, by: int, steps: int) -> None:
        """So many steps on; pressed quickly, every press counts from where the one before has led."""
        self.go(at=min(max((self.place or Place()).at + by, 0), 2 * steps - 1))


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _page_state(token: str) -> StepThroughState:
    """Of one run."""
    return StepThroughState()


def page() -> None:
    """Draw the page; the network is the playground's, or the one that the link says."""
    slot = paused_page.begin(STYLE)
    with st.container(key="steps"):
        st.title(step_through_text.HEADING, anchor=False)
        walk_through(slot)


@st.fragment
def walk_through(slot: RunSlot) -> None:
    """Everything that moves when a person takes a step."""
    run, page_state = slot.run, _page_state(slot.token)
    trace, info = run.result(SEQUENCE_TRACE), run.info
    chain = (page_state.layer % info.experiment.num_layers, page_state.direction)
    current = trace is not None and (trace.layer, trace.direction, trace.step) == (*chain, run.status().step)
    if problem := run.problem(SEQUENCE_TRACE) or run.status().message:
        st.warning(problem)
    if _trains(run, page_state):
        paused_page.wait(lambda: _trains(run, page_state), step_through_text.TRAINING)
    elif not run.is_pending(SEQUENCE_TRACE) and not current:
        run.request(SEQUENCE_TRACE, layer=page_state.layer, direction=page_state.direction)
    if run.is_pending(SEQUENCE_TRACE):
        paused_page.wait(lambda: run.is_pending(SEQUENCE_TRACE), step_through_text.WALKING)
    if trace is None:
        return
    place = page_state.stand(trace)
    st.caption(f"{step_through_text.LOOK_FOR} {step_through_text.heading(info, trace)}")
    _transport(slot, page_state, info, trace)
    left, right = st.columns([1.72, 1], gap="medium")
    with left:
        _over_time(info, trace, page_state, place)
        _account(info, trace, place)
    with right:
        _jacobian(info, trace, page_state, place)
        _weight(info, trace, page_state, place)
        _verify(slot, info, trace, place)


def _trains(run: Run, page_state: StepThroughState) -> bool:
    """True while updates that were asked for are being made; a message says that they cannot be."""
    return run.status().step < page_state.until and not run.status().message


def _transport(slot: RunSlot, page_state: StepThroughState, info: RunInfo, trace: SequenceTrace) -> None:
    """Where one stands, the four buttons with their keys, and a little more training."""
    n, place = len(trace.positions), page_state.stand(trace)
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
    """Where there are several layers or directions: which one is walked through."""
    e = info.experiment
    every = [(layer, d) for layer in range(e.num_layers) for d in range(e.directions)]
    if len(every) == 1:
        return
    now = (page_state.layer % e.num_layers, page_state.direction)

    def chosen() -> None:
        page_state.layer, page_state.direction = state.value("steps_chain")

    st.selectbox(step_through_text.CHAIN, every, every.index(now), format_func=lambda at: step_through_text.chain(info,
                 *at), key="steps_chain", label_visibility="collapsed", width=240, on_change=chosen)  # fmt: skip


def _over_time(info: RunInfo, trace: SequenceTrace, page_state: StepThroughState, place: Place) -> None:
    """States and gradients; a press goes to that step and follows that unit. One on a gradient is on the way back."""
    n = len(trace.positions)

    def pressed() -> None:
        point = state.pressed(key("walk"))
        stands = {int(t): k for k, t in enumerate(trace.positions)}
        k, unit = stands.get(point.get("x")), str(point.get("y", "")).removeprefix("unit ")  # type: ignore[arg-type]
        if k is not None and unit.isdecimal():
            back = place.back(n) or point.get("plot") == 1
            page_state.go(at=2 * n - 1 - k if back else k, unit=min(int(unit), info.experiment.hidden_size - 1))

    picture("walk", step_through.over_time(info, trace, place), label=step_through_text.LOOK_FOR, on_press=pressed)


def _account(info: RunInfo, trace: SequenceTrace, place: Place) -> None:
    """Forward: the equations with the numbers put in. Back: what arrives, enters and is handed on."""
    at = place.step(len(trace.positions))
    st.markdown(step_through_text.reads(info, trace, at))
    if place.back(len(trace.positions)):
        st.markdown(f"**{step_through_text.NUMBERS}**")
        st.html(step_through_text.flow(info, trace, place))
        st.caption(step_through_text.NORMS)
    with st.expander(step_through_text.EQUATIONS, expanded=not place.back(len(trace.positions))):
        numbers = formulas.walked(info, trace, place.unit, at)
        for check in formulas.checks(info, numbers):
            st.markdown(formulas.worked(check))
        st.caption(formulas.footnote(info))


def _jacobian(info: RunInfo, trace: SequenceTrace, page_state: StepThroughState, place: Place) -> None:
    """One step's Jacobian as a picture; a press follows that unit and the weight that leads to it."""
    if trace.jacobians is None:
        st.info(step_through_text.NO_LINK)
        return

    def pressed() -> None:
        point = state.pressed(key("jacobian"))
        names = [str(point.get(axis, "")).lstrip("hc") for axis in "yx"]
        if all(name.isdecimal() for name in names):
            unit, source = (min(int(name), info.experiment.hidden_size - 1) for name in names)
            page_state.go(unit=unit, source=source)

    st.markdown(f"**{step_through_text.JACOBIAN.format(s='s' if info.memory_symbol == 'c' else 'h')}**")
    scale = step_through.scale_of(trace.jacobians[place.step(len(trace.positions))])
    caption = step_through_text.JACOBIAN_NOTE.format(scale=scale)
    if len(trace.units) < info.experiment.hidden_size:
        caption += " " + step_through_text.FIRST_UNITS.format(count=len(trace.units), units=info.experiment.hidden_size)
    st.caption(caption)
    picture("jacobian", step_through.jacobian(info, trace, place), label=caption, on_press=pressed)


def _weight(info: RunInfo, trace: SequenceTrace, page_state: StepThroughState, place: Place) -> None:
    """The unit and the weight that are followed, as fields, and what this step does to the weight."""
    most, gates = info.experiment.hidden_size - 1, step_through_text.gates(info)
    # What was pressed in a picture stands in the keys: another place, another field.
    unit, source, gate = f"steps_unit_{place.unit}", f"steps_source_{place.source}", f"steps_gate_{place.gate}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.number_input(step_through_text.UNIT, 0, most, place.unit, key=unit, width=150,
                        on_change=lambda: page_state.go(unit=int(state.value(unit))))  # fmt: skip
        if trace.weight_hh is None:
            return
        st.number_input(step_through_text.SOURCE, 0, most, place.source, key=source, width=170,
                        on_change=lambda: page_state.go(source=int(state.value(source))))  # fmt: skip
        if len(gates) > 1:
            st.selectbox(step_through_text.GATE, gates, place.gate, key=gate, width=170,
                         on_change=lambda: page_state.go(gate=gates.index(state.value(gate))))  # fmt: skip
    st.markdown(step_through_text.weight(info, trace, place))


def _verify(slot: RunSlot, info: RunInfo, trace: SequenceTrace, place: Place) -> None:
    """Which number to repeat, the button, and what came of it."""
    run, offered = slot.run, step_through_text.claims(info, trace, place)
    with st.container(border=True, key="steps_verify_card"):
        st.caption(step_through_text.VERIFY_NOTE)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            which = st.selectbox(
                step_through_text.VERIFY, list(offered), key="steps_claim", label_visibility="collapsed", width=230
            )
            st.button(step_through_text.VERIFY, key="steps_verify", icon=":material/verified:", type="primary",
                      on_click=run.request, args=(VERIFICATION,), kwargs={"entry": offered[which]})  # fmt: skip
        if run.is_pending(VERIFICATION):
            paused_page.wait(lambda: run.is_pending(VERIFICATION), step_through_text.VERIFYING)
        elif problem := run.problem(VERIFICATION):
            st.warning(problem)
        elif (verification := run.result(VERIFICATION)) is not None:
            _verified(verification)


def _verified(verification: Verification) -> None:
    st.markdown(f"**{step_through_text.claimed(verification.what)}**  \n{step_through_text.agrees(verification)}")
    rows = step_through_text.verified(verification)
    st.table(
        {"": [what for what, _ in rows], " ": [number for _, number in rows]}, border="horizontal", hide_index=True
    )
    st.caption(step_through_text.how(verification))
