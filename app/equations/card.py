"""The card of the equations: the cell's formulas, their current numbers, its parameters, the cost of a time step."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.equations import formulas, parameter_table, step_numbers, update_cost
from app.hub import HUB, RunSlot
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.workers import Measurement

POLL = 0.4  # seconds between two checks of a measurement


@dataclass
class TakenFrame:
    """The frame whose numbers are shown, and its run."""

    info: RunInfo
    frame: Frame


@dataclass
class EquationsState:
    """A tab's state of this card: the frame that was taken of a run, or the measurement of a cell."""

    taken: TakenFrame | None = None
    missing: bool = False
    measurement: Measurement | None = None

    def clear(self) -> None:
        """Stop the measurement: the tab was closed, or shows another network."""
        if self.measurement is not None:
            self.measurement.stop()


@st.cache_resource(scope="session", max_entries=2, show_spinner=False)
def _frame_state(token: str) -> EquationsState:
    """The state for one run."""
    return EquationsState()


@st.cache_resource(scope="session", max_entries=8, on_release=EquationsState.clear, show_spinner=False)
def _cost_state(what: str) -> EquationsState:
    """The state for one kind of network, on any task."""
    return EquationsState()


@st.fragment
def card(slot: RunSlot) -> None:
    """Draw the card, folded at first; its content is only computed while it is open."""
    experiment = slot.experiment
    folded = st.expander(formulas.CARD, key="equations", on_change="rerun")
    if not folded.open:
        return
    with folded:
        st.markdown(f"**{formulas.title(slot.run.info)}**")
        left, right = st.columns(2, gap="medium")
        with left:
            _symbols(experiment)
        with right:
            _numbers(slot)
        st.divider()
        left, right = st.columns(2, gap="medium")
        with left:
            _weights(experiment)
        with right:
            _cost(experiment)


def _symbols(experiment: Experiment) -> None:
    """The formulas, inline instead of as blocks: in a narrow column they wrap and are not cut off."""
    for name, latex in formulas.equations(experiment):
        st.markdown(f"{name}  \n${latex}$")
    st.caption(" ".join(formulas.remarks(experiment)))


def _numbers(slot: RunSlot) -> None:
    """The numbers of one unit at one step, taken at the click; another unit or step needs no further click."""
    run, card_state = slot.run, _frame_state(slot.token)
    e, steps = run.info.experiment, run.info.time_steps
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        # The keys contain the bounds, so that other bounds make another field.
        unit = st.number_input("Unit", 0, e.hidden_size - 1, key=f"equations_unit_{e.hidden_size}", width=110)
        t = st.number_input("t", 0, steps - 1, min(1, steps - 1), key=f"equations_t_{steps}", width=110)
        if st.button(formulas.PUT_IN, key="equations_now"):
            frame = run.latest()
            card_state.taken = TakenFrame(run.info, frame) if frame is not None else None
            card_state.missing = frame is None
    if card_state.missing:
        st.info(formulas.NO_FRAME)
    elif card_state.taken is None:
        st.caption(formulas.HOW_TO)
    else:
        _worked(card_state.taken, int(unit), int(t))


def _worked(taken: TakenFrame, unit: int, t: int) -> None:
    info, frame = taken.info, taken.frame
    if not frame.valid[t]:
        st.info(formulas.PADDING.format(t=t))
        return
    st.markdown(formulas.when(info, frame, unit, t))
    numbers = step_numbers.values(info, frame, unit, t)
    for check in formulas.checks(info, numbers):
        st.markdown(formulas.worked(check))
    st.caption(formulas.footnote(info))


def _weights(experiment: Experiment) -> None:
    columns = parameter_table.table(experiment)
    tall = len(columns["Symbol"]) > 12
    st.table(columns, border="horizontal", hide_index=True, height=420 if tall else "content")
    st.caption("  \n".join(parameter_table.sentences(experiment)))


def _cost(experiment: Experiment) -> None:
    """The button, the progress of the measurement, then its table and sentences."""
    e, planned = experiment, update_cost.plan(experiment)
    card_state = _cost_state(f"{e.cell}/{e.nonlinearity}/{e.hidden_size}/{e.num_layers}")
    st.button(update_cost.BUTTON, key="measure", disabled=not planned.experiments or _running(card_state),
              on_click=_measure, args=(card_state, planned))  # fmt: skip
    st.caption(update_cost.setting(e))
    if _running(card_state):
        st.fragment(_watch, run_every=POLL)(card_state)
    elif card_state.measurement is not None:
        _measured(e, planned, card_state.measurement)
    if planned.left_out:
        st.caption(update_cost.TOO_LARGE.format(lengths=" and ".join(map(str, planned.left_out))))


def _measure(card_state: EquationsState, planned: update_cost.CostMeasurement) -> None:
    """A callback: it runs before the button is drawn again, so the button cannot be pressed twice."""
    card_state.measurement = HUB.pool().measure(list(planned.experiments.values()))


def _running(card_state: EquationsState) -> bool:
    return card_state.measurement is not None and card_state.measurement.running


def _watch(card_state: EquationsState) -> None:
    """Show the progress until the measurement is over; then the page is drawn again."""
    assert card_state.measurement is not None
    st.progress(card_state.measurement.progress, update_cost.MEASURING)
    if st.button(update_cost.STOP, key="measure_stop"):
        card_state.measurement.stop()
    if not card_state.measurement.running:
        st.rerun()  # the whole page: a fragment cannot draw the one around it


def _measured(e: Experiment, planned: update_cost.CostMeasurement, measurement: Measurement) -> None:
    if measurement.error:
        st.warning(measurement.error)
    elif measurement.result is not None:
        medians = dict(zip(planned.experiments, measurement.result, strict=True))
        st.table(update_cost.table(e, medians), border="horizontal", hide_index=True)
        st.markdown("  \n".join(update_cost.sentences(e, medians)))
        st.caption(update_cost.NOISE.format(repeats=measurement.repeats))
