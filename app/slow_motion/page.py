"""The page "Slow motion": the next update in five phases, first computed on a copy, then made by the network."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

from app import paused_page
from app.clickable_figure.component import Uncover, clickable_figure
from app.figures.slow_motion import phases
from app.hub import RunSlot
from app.slow_motion import text as slow_motion_text
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.slow_motion.update_trace import UpdateTrace
from engine.workers import UPDATE_TRACE, Run

TITLE = "Slow motion"
LAST = phases.PHASES[-1]
MIN_SECONDS, SECONDS_PER_STEP, MAX_SECONDS = 0.8, 0.2, 2.6  # duration of the animation
STYLE = Path(__file__).with_name("style.css")


@dataclass
class SlowMotionState:
    """A tab's state of this page for one run: the phase that is shown, and the update that was requested."""

    phase: int = 0
    plays: int = 0  # number of animations so far; a phase that is chosen again is animated again
    shown: int = -1  # the step of the update trace on the page
    until: int = 0  # the training step that was requested
    asked: tuple[int, Experiment] | None = None  # step and settings of the last request for a trace
    made: tuple[int, float] | None = None  # the last update made from here: its step, and its loss on the copy

    def go(self, phase: int) -> None:
        """Show this phase, or animate it again."""
        self.phase, self.plays = min(max(phase, 0), LAST), self.plays + 1

    def move(self, by: int) -> None:
        """Move by some phases from the current one; fast clicks add up."""
        self.go(self.phase + by)

    def make(self, slot: RunSlot, update_trace: UpdateTrace) -> None:
        """Let the network make the update of the trace; a second click does nothing."""
        if self.until <= update_trace.step:
            self.until, self.made = update_trace.step + 1, (update_trace.step + 1, update_trace.loss)
            slot.step()

    def show(self, update_trace: UpdateTrace) -> None:
        """Show the first phase if this is another update."""
        if update_trace.step != self.shown:
            self.shown = update_trace.step
            self.go(0)


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _page_state(token: str) -> SlowMotionState:
    """The page's state for one run."""
    return SlowMotionState()


def page() -> None:
    """Draw the page; the network is that of the playground, or of the link."""
    slot = paused_page.begin(STYLE)
    with st.container(key="slow"):
        st.title(slow_motion_text.HEADING, anchor=False)
        show_update(slot)


@st.fragment
def show_update(slot: RunSlot) -> None:
    """Draw everything that changes with the phase."""
    run, page_state = slot.run, _page_state(slot.token)
    update_trace = run.result(UPDATE_TRACE)
    if problem := run.problem(UPDATE_TRACE) or run.status().message:
        st.warning(problem)
    _request_trace(run, page_state, update_trace)
    if _is_training(run, page_state):
        paused_page.wait(lambda: _is_training(run, page_state), slow_motion_text.MAKING)
    elif run.is_pending(UPDATE_TRACE):
        paused_page.wait(lambda: run.is_pending(UPDATE_TRACE), slow_motion_text.COMPUTING)
    if update_trace is None:
        return
    page_state.show(update_trace)
    _heading(run, page_state, update_trace)
    _phases(slot, page_state, update_trace)
    _phase(run.info, page_state, update_trace)


def _request_trace(run: Run, page_state: SlowMotionState, update_trace: UpdateTrace | None) -> None:
    """Request a trace of the network's next update, once: a request that failed is not repeated."""
    now = (run.status().step, run.experiment)
    current = update_trace is not None and (update_trace.step, update_trace.experiment) == now
    if (
        not current
        and page_state.asked != now
        and not _is_training(run, page_state)
        and not run.is_pending(UPDATE_TRACE)
    ):
        page_state.asked = now
        run.request(UPDATE_TRACE)


def _is_training(run: Run, page_state: SlowMotionState) -> bool:
    """True while the requested update is being made; False if the run reports a problem."""
    return run.status().step < page_state.until and not run.status().message


def _heading(run: Run, page_state: SlowMotionState, update_trace: UpdateTrace) -> None:
    """Which update this is, and whether the previous one was as computed on the copy."""
    st.caption(slow_motion_text.heading(run.info, update_trace))
    if page_state.made is None or page_state.made[0] != update_trace.step:
        return
    rows = run.curve.updates()
    for row in rows[rows["step"] == update_trace.step]:
        message = slow_motion_text.made(*page_state.made, measured=float(row["loss"]))
        st.html(f'<p class="slow-made" role="status">{escape(message)}</p>')


def _phases(slot: RunSlot, page_state: SlowMotionState, update_trace: UpdateTrace) -> None:
    """The five phases in a row with the current one highlighted, then the buttons back and next."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="slow_phases"):
        for k, name in enumerate(slow_motion_text.PHASES):
            kind = "primary" if k == page_state.phase else "secondary" if k < page_state.phase else "tertiary"
            st.button(f"{k + 1}  {name}", key=f"slow_phase_{k + 1}", type=kind, shortcut=str(k + 1), width="stretch",
                      on_click=page_state.go, args=(k,))  # fmt: skip
        st.button(slow_motion_text.BACK, key="slow_back", icon=":material/chevron_left:", type="tertiary",
                  shortcut="Left", disabled=page_state.phase == 0, on_click=page_state.move, args=(-1,))  # fmt: skip
        if page_state.phase < LAST:
            st.button(slow_motion_text.NEXT, key="slow_next", icon=":material/chevron_right:", shortcut="Right",
                      on_click=page_state.move, args=(1,))  # fmt: skip
        else:
            outdated = update_trace.step != slot.run.status().step
            st.button(slow_motion_text.NEXT_UPDATE, key="slow_next_update", icon=":material/skip_next:", type="primary",
                      shortcut="Right", disabled=outdated or _is_training(slot.run, page_state),
                      on_click=page_state.make, args=(slot, update_trace))  # fmt: skip


def _phase(info: RunInfo, page_state: SlowMotionState, update_trace: UpdateTrace) -> None:
    """The meaning of the phase, its figure with a few large numbers beside it, and all its numbers as a table."""
    phase = page_state.phase
    meaning = slow_motion_text.meaning(info, update_trace, phase)
    st.html(f'<p class="slow-said" role="status">{escape(meaning)}</p>')
    left, right = st.columns([4.4, 1], gap="medium")
    with left:
        figure = phases.picture(info, update_trace, phase)
        clickable_figure("slow", figure, label=f"{slow_motion_text.PHASES[phase]}. {meaning}",
                uncover=_uncover(info, page_state, update_trace))  # fmt: skip
        st.caption(slow_motion_text.notes(info, update_trace, phase))
    with right:
        st.html(slow_motion_text.tiles_html(slow_motion_text.tiles(info, update_trace, phase)))
    with st.expander(slow_motion_text.TABLE):
        st.html(slow_motion_text.as_html(slow_motion_text.table(info, update_trace, phase)))


def _uncover(info: RunInfo, page_state: SlowMotionState, update_trace: UpdateTrace) -> Uncover | None:
    """The animation of a phase: along time, in the direction of the phase; None if it has none."""
    animated = phases.uncovered(info, update_trace, page_state.phase)
    if animated is None:
        return None
    side, steps = animated
    seconds = min(max(SECONDS_PER_STEP * steps, MIN_SECONDS), MAX_SECONDS)
    return Uncover(f"{update_trace.step} {page_state.plays}", side, steps, seconds, ("x2y2", "x2y3"))
