"""The card of the equations: the cell's formulas, their current numbers, its parameters, the cost of a time step."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app.equations import formulas, parallel_time, parameter_table, step_numbers, update_cost
from app.figures import parallel_time as parallel_figure
from app.figures.theme import STATIC
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
    """The state of one measurement: of a kind of network, on any task, or of a recurrence."""
    return EquationsState()


@st.fragment
def card(slot: RunSlot, *, unfolded: bool = False) -> None:
    """Draw the card, folded at first unless the lesson is about it; its content is only computed while it is open."""
    experiment = slot.experiment
    folded = st.expander(formulas.CARD, expanded=unfolded, key="equations", on_change="rerun")
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
        st.divider()
        _parallel(experiment)


def _symbols(experiment: Experiment) -> None:
    """The formulas, inline instead of as blocks: in a narrow column they wrap and are not cut off."""
    for name, latex in formulas.equations(experiment):
        st.markdown(f"{name}  \n${latex}$")
    st.caption(" ".join(formulas.remarks(experiment)))
    if read := formulas.attention(experiment):
        st.markdown(f"**{formulas.ATTENTION}**")
        for name, latex in read:
            st.markdown(f"{name}  \n${latex}$")
        st.caption(formulas.ATTENTION_IS)


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
    if sentence := update_cost.attention(e):
        st.caption(sentence)
    if _running(card_state):
        st.fragment(_watch, run_every=POLL)(card_state, update_cost.MEASURING, "measure_stop")
    elif card_state.measurement is not None:
        _measured(e, planned, card_state.measurement)
    if planned.left_out:
        st.caption(update_cost.TOO_LARGE.format(lengths=" and ".join(map(str, planned.left_out))))


def _measure(card_state: EquationsState, planned: update_cost.CostMeasurement) -> None:
    """A callback: it runs before the button is drawn again, so the button cannot be pressed twice."""
    card_state.measurement = HUB.pool().measure(list(planned.experiments.values()))


def _running(card_state: EquationsState) -> bool:
    return card_state.measurement is not None and card_state.measurement.running


def _watch(card_state: EquationsState, says: str, key: str) -> None:
    """Show the progress until the measurement is over; then the page is drawn again."""
    assert card_state.measurement is not None
    st.progress(card_state.measurement.progress, says)
    if st.button(update_cost.STOP, key=key):
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


def _parallel(experiment: Experiment) -> None:
    """Whether all time steps can be computed at once; for a linear recurrence, how many wait, and a measurement."""
    st.markdown(f"**{parallel_time.HEADING}**")
    if reason := parallel_time.why_not(experiment):
        st.caption(reason)
        return
    planned = parallel_time.plan(experiment)
    card_state = _cost_state(f"recurrence/{experiment.batch_size}/{experiment.hidden_size}")
    st.markdown(parallel_time.WAYS)
    st.button(parallel_time.BUTTON, key="measure_recurrence", disabled=_running(card_state),
              on_click=_measure_recurrence, args=(card_state, planned))  # fmt: skip
    if _running(card_state):
        st.fragment(_watch, run_every=POLL)(card_state, parallel_time.MEASURING, "measure_recurrence_stop")
    medians = None if card_state.measurement is None else card_state.measurement.result
    _panels(planned, medians, (experiment.batch_size, experiment.hidden_size))
    if card_state.measurement is not None and card_state.measurement.error:
        st.warning(card_state.measurement.error)
    if medians is not None:
        st.markdown("  \n".join(parallel_time.sentences(planned, medians)))
        st.caption(parallel_time.NOISE.format(repeats=card_state.measurement.repeats))
    if planned.left_out:
        st.caption(parallel_time.TOO_LARGE.format(lengths=" and ".join(f"{n:,}" for n in planned.left_out)))
    if sentence := parallel_time.taken(experiment):
        st.caption(sentence)


def _measure_recurrence(card_state: EquationsState, planned: parallel_time.RecurrenceMeasurement) -> None:
    """A callback, as `_measure`."""
    card_state.measurement = HUB.pool().measure_recurrence(planned.shapes)


def _panels(
    planned: parallel_time.RecurrenceMeasurement, medians: tuple[float, ...] | None, own: tuple[int, int]
) -> None:
    """The steps that wait, which are known, and beside them the times, once they are measured."""
    columns = st.columns(1 + len(planned.lengths), gap="medium")
    with columns[0]:
        loop, scan = parallel_time.depths()
        _panel(parallel_time.STEPS_TITLE, loop, scan, parallel_time.STEPS_AXIS, parallel_figure.limits(loop, scan))
    if medians is None:
        columns[1].caption(parallel_time.HOW_TO)
        return
    times = planned.milliseconds(medians)
    decades = parallel_figure.limits(*(values for ways in times.values() for values in ways))
    for column, (row, (loop, scan)) in zip(columns[1:], times.items(), strict=True):
        with column:
            title = parallel_time.times_title(row, own=row == own)
            _panel(title, loop, scan, parallel_time.TIME_AXIS, decades)


def _panel(title: str, loop: list, scan: list, unit: str, decades: tuple[float, float]) -> None:
    st.markdown(title)
    figure = parallel_figure.panel(parallel_time.LENGTHS, loop, scan, unit=unit, decades=decades)
    alt = f"{title}: the loop's and the scan's, by sequence length."
    st.plotly_chart(figure, config=STATIC, alt=alt, key=f"parallel_{unit}_{title}")
