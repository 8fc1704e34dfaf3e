"""The card "The same with other seeds": the losses of networks that differ from the run in their seeds alone."""

from __future__ import annotations

import json
from dataclasses import dataclass

import streamlit as st

from app import tab
from app.figures import seeds as figures
from app.figures.theme import STATIC
from app.hub import HUB, RunSlot
from app.seeds import text as seeds_text
from app.seeds.sweep import SEEDS, Plan, SeedSweep
from app.segments import segments
from app.text import plain
from engine.frame import RunPhase
from engine.workers import Measurement, Run

POLL = 0.4  # seconds between two looks at the measurement
LOOK_EVERY = 1.0  # seconds between two looks at networks that train: each look lets them train on
COUNT = "seeds_count"  # the key of the buttons that say how many
REPEATS = 7  # updates that are timed


@dataclass
class SeedsState:
    """A tab's state of this card for one run: how long its update takes, and the networks."""

    pace: Measurement | None = None
    sweep: SeedSweep | None = None

    def begin(self, plan: Plan, slot: RunSlot) -> None:
        """Train the networks of this plan, and no others any more. Side by side they count as one that is started."""
        slot.start_networks()
        if self.sweep is not None:
            self.sweep.stop()
        self.sweep = SeedSweep(HUB.pool(), plan)

    def clear(self) -> None:
        """Stop all work: the tab was closed, or shows another run."""
        for work in (self.pace, self.sweep):
            if work is not None:
                work.stop()


@st.cache_resource(scope="session", max_entries=1, on_release=SeedsState.clear, show_spinner=False)
def _card_state(token: str, settings: str) -> SeedsState:
    """The state for one run with these settings; only the newest is kept."""
    return SeedsState()


@st.fragment
def card(slot: RunSlot) -> None:
    """Draw the card, folded at first; networks are trained only while it is open."""
    experiment = slot.experiment
    card_state = _card_state(slot.token, json.dumps(experiment.to_dict(), sort_keys=True))
    folded = st.expander(seeds_text.HEADING, key="seeds", on_change="rerun")
    if not folded.open:
        return
    if card_state.pace is None:
        card_state.pace = HUB.pool().measure([experiment], repeats=REPEATS)
    with folded:
        st.caption(seeds_text.ABOUT)
        if slot.changes:
            st.caption(seeds_text.CHANGED)
        _choice(slot, card_state, card_state.pace)
        sweep = card_state.sweep
        if sweep is not None and sweep.goes_on:
            st.fragment(_training, run_every=LOOK_EVERY)(sweep, slot.run)
        elif sweep is not None:
            _trained(sweep, slot.run)


def _choice(slot: RunSlot, card_state: SeedsState, pace: Measurement) -> None:
    """Draw how many seeds, and the button; or what they would cost, which is known once an update was timed."""
    sweep = card_state.sweep
    goes_on = sweep is not None and sweep.goes_on
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if tab.load(COUNT) is None:
            tab.store(COUNT, SEEDS[-1])
        seeds = segments(seeds_text.SEEDS, SEEDS, key=COUNT, disabled=goes_on)
        plan = Plan.of(slot.experiment, seeds, pace.result[0] if pace.result else None, _runs_beside(slot.run))
        if sweep is not None and goes_on:
            st.button(seeds_text.STOP, key="seeds_stop", icon=":material/stop:", on_click=sweep.stop)
            return
        st.button(seeds_text.begin(seeds), key="seeds_begin", icon=":material/stacked_line_chart:",
                  disabled=pace.running, on_click=card_state.begin, args=(plan, slot))  # fmt: skip
    if pace.running:
        st.fragment(_measuring, run_every=POLL)(pace)
    else:
        st.caption(seeds_text.costs(plan))


def _runs_beside(run: Run) -> int:
    """The runs that train in the worker of this one, if it trains."""
    status = run.status()
    return round(1 / status.share) if status.phase == RunPhase.RUNNING and status.share else 0


def _measuring(pace: Measurement) -> None:
    st.caption(seeds_text.MEASURING)
    if not pace.running:
        st.rerun()  # the whole page: a fragment cannot draw the one around it


def _training(sweep: SeedSweep, run: Run) -> None:
    """The networks while they train; then the page is drawn again."""
    sweep.watch()
    sweep.update()
    if not sweep.goes_on:
        st.rerun()
    st.progress(sweep.run.made, seeds_text.progress(sweep))
    _shown(sweep, run)


def _trained(sweep: SeedSweep, run: Run) -> None:
    """The networks as they were when their training ended."""
    sweep.update()
    _shown(sweep, run)
    st.caption(f"{seeds_text.ended(sweep)} {seeds_text.HOW}")


def _shown(sweep: SeedSweep, run: Run) -> None:
    if sweep.run.problem:
        st.warning(plain(sweep.run.problem, 400))
    if says := seeds_text.outcome(sweep):
        st.markdown(says)
    steps, losses = sweep.losses()
    own = run.curve.held_out()
    name, line = next(iter(run.info.held_out_baselines.items()))
    drawn = figures.band(
        steps, losses, (own["step"], own["loss"]), line, updates=sweep.plan.updates,
        own_name=seeds_text.own_name(run.experiment), line_name=name,
    )  # fmt: skip
    st.plotly_chart(drawn, config=STATIC, alt=seeds_text.FIGURE, key="seeds_band")
