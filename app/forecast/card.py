"""The card "Forecast": what a network says of the rows after the last one of somebody's own series."""

from __future__ import annotations

import streamlit as st

from app import own_data_store
from app.figures import forecast as figures
from app.figures.theme import STATIC
from app.forecast import text as forecast_text
from app.hub import RunSlot
from app.text import escaped, plain
from app.waiting import wait_for
from engine.ask.question import reason_not_to_continue
from engine.experiment import Experiment
from engine.tasks import task_of
from engine.tasks.forecast import Forecast
from engine.workers import FORECAST

MOST_STEPS, USUAL_STEPS = 200, 12


@st.fragment
def card(slot: RunSlot) -> None:
    """Draw the fields, and below them the newest forecast of this run; nothing where there is nothing to forecast."""
    run, experiment = slot.run, slot.experiment
    task = task_of(experiment)
    if task.forecast is None:
        return
    with st.container(key="forecast"), st.expander(forecast_text.HEADING, expanded=True):
        with st.form("forecast_form", border=False, enter_to_submit=True):
            asked = _fields(experiment, run.result(FORECAST) is not None)
        if asked is not None:
            has_left = slot.own()
            slot.run.request(FORECAST, **asked)
            if has_left:
                st.rerun()  # the page shows another run now
        if problem := run.problem(FORECAST):
            st.warning(plain(problem, 400))
        wait_for(run, FORECAST, forecast_text.ASKING)
        made = run.result(FORECAST)
        if made is not None:
            _made(made)


def _fields(experiment: Experiment, again: bool) -> dict[str, int] | None:
    """Draw how far and which series; their values once the button was pressed."""
    task, data, chosen = task_of(experiment), own_data_store.option_of(experiment), {"steps": 1, "series": 0}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(task.series_names) > 1:
            every = range(len(task.series_names))
            chosen["series"] = st.selectbox(forecast_text.SERIES, every, format_func=lambda k: task.series_names[k],
                                            key=f"forecast_series_{data}", width=260)  # fmt: skip
        if not reason_not_to_continue(experiment):
            most = min(MOST_STEPS, 4 * experiment.seq_len)
            with st.container(key="forecast_steps_field", width=260):
                chosen["steps"] = st.slider(forecast_text.STEPS, 1, most, min(USUAL_STEPS, most),
                                            key=f"forecast_steps_{data}")  # fmt: skip
        label = forecast_text.AGAIN if again else forecast_text.ASK
        pressed = st.form_submit_button(label, key="forecast_ask", icon=":material/timeline:")
    if why := forecast_text.why_so_far(experiment):
        st.caption(why)
    return chosen if pressed else None


def _made(made: Forecast) -> None:
    rule = forecast_text.best_rule(made, -1)
    for sentence in forecast_text.judged(made):
        st.markdown(escaped(sentence))
    drawn = figures.path(made.known, made.said, None if rule is None else made.baselines[rule], name=made.target,
                         rule_name=rule or "", times=made.times)  # fmt: skip
    st.plotly_chart(drawn, config=STATIC, alt=forecast_text.FIGURE, key="forecast_path")
    if len(made.ahead) > 1 and made.errors[0] != made.errors[-1]:
        drawn = figures.errors(made.ahead, made.errors, forecast_text.drawn_rules(made), unit=made.target)
        st.plotly_chart(drawn, config=STATIC, alt=forecast_text.ERRORS, key="forecast_errors")
    st.caption(forecast_text.made_at(made))
