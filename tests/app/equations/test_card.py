"""The card of the equations on the page."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from app.equations import card as equations_card
from app.equations import formulas, parallel_time
from engine.cells import CELLS
from engine.training import Trainer
from engine.workers import Measurement
from engine.workers.protocol import Measure, MeasureRecurrence
from tests.app.conftest import move, opened, press, run


def unfolded(**link: str) -> Any:
    page = opened(**link)
    page.session_state["equations"] = True
    return run(page)


def shown(page: Any) -> str:
    return "\n".join(each.value for kind in (page.markdown, page.caption, page.info, page.warning) for each in kind)


@pytest.mark.parametrize("cell", CELLS)
def test_the_card_shows_the_equations_of_the_cell(pool, cell):
    page = unfolded(cell=cell)
    assert f"**Equations of the {CELLS[cell].title} cell**" in shown(page)
    assert all(f"${latex}$" in shown(page) for _, latex in formulas.equations(pool.runs[0].experiment))


def test_the_card_stays_the_same_when_the_cell_is_changed(pool):
    """Streamlit knows by its id that a card is open: with another id it would fold."""
    page = opened()
    before = [each.proto.id for each in page.expander if each.label == formulas.CARD]
    page = move(page, "cell", "gru")
    assert [run.experiment.cell for run in pool.runs] == ["rnn", "gru"]
    assert [each.proto.id for each in page.expander if each.label == formulas.CARD] == before != []


def test_folded_it_makes_nothing(pool):
    assert "W_{ih}" not in shown(opened())


def test_the_numbers_come_when_asked_and_stay_those_of_that_moment(pool):
    page = unfolded()
    assert formulas.HOW_TO in shown(page)
    page = press(page, "equations_now")
    assert formulas.NO_FRAME in shown(page)
    e = pool.runs[0].experiment
    pool.runs[0].frame = Trainer(e).frame()
    page = press(page, "equations_now")
    assert f"After 0 updates, unit 0. Input at t\u00a0=\u00a01: `{pool.runs[0].frame.inputs[1]}`." in shown(page)
    page.number_input(key=f"equations_t_{e.seq_len}").set_value(7)
    assert "Input at t\u00a0=\u00a07" in shown(run(page))


def test_a_padded_step_has_no_numbers(pool):
    page = unfolded()
    frame = Trainer(pool.runs[0].experiment).frame()
    pool.runs[0].frame = dataclasses.replace(frame, valid=np.arange(len(frame.valid)) < 1)
    assert "t = 1 is padding" in shown(press(page, "equations_now"))


def test_a_measurement_is_watched_and_then_said(pool, monkeypatch):
    page = unfolded(cell="gru", hidden_size="8")
    measurement = Measurement(Measure(0, [], 15))
    monkeypatch.setattr(type(pool), "measure", lambda self, experiments: measurement, raising=False)
    page = press(page, "measure")
    assert page.button(key="measure").disabled and page.button(key="measure_stop")
    measurement.result = (0.002, 0.001) * 3
    page = run(page)
    assert "At 400 time steps, each costs 2.0 times" in shown(page) and "Median of 15 updates" in shown(page)
    assert not page.button(key="measure").disabled


def test_a_measurement_that_failed_says_why(pool, monkeypatch):
    page = unfolded(cell="lstm", hidden_size="8")
    measurement = Measurement(Measure(0, [], 15))
    measurement.error = "The worker process that measured has died, so there is no result."
    monkeypatch.setattr(type(pool), "measure", lambda self, experiments: measurement, raising=False)
    assert measurement.error in shown(press(page, "measure"))


def charts(page: Any) -> int:
    return len(page.get("plotly_chart"))


def test_a_linear_cell_shows_the_steps_that_wait_and_measured_times_once_asked(pool, monkeypatch):
    page = unfolded(cell="linear", hidden_size="8", batch_size="4")
    assert parallel_time.WAYS in shown(page) and charts(page) == 1
    asked = []
    measurement = Measurement(MeasureRecurrence(0, (), 15))
    monkeypatch.setattr(type(pool), "measure_recurrence", lambda self, shapes: asked.append(shapes) or measurement,
                        raising=False)  # fmt: skip
    page = press(page, "measure_recurrence")
    assert asked == [parallel_time.plan(pool.runs[0].experiment).shapes]
    assert page.button(key="measure_recurrence").disabled and page.button(key="measure_recurrence_stop")
    measurement.result = (0.003, 0.001) * 8
    page = run(page)
    assert charts(page) == 3 and "the **scan** is 3.0 times as fast" in shown(page)
    assert "Median of 15 repeats" in shown(page) and not page.button(key="measure_recurrence").disabled


def test_a_cell_that_is_not_linear_says_why_it_must_wait(pool):
    page = unfolded(cell="gru")
    assert parallel_time.NOT_LINEAR in shown(page) and charts(page) == 0
    assert "measure_recurrence" not in {each.key for each in page.button}


def test_a_measurement_of_a_recurrence_that_failed_says_why(pool, monkeypatch):
    page = unfolded(cell="linear_signed", hidden_size="8")
    measurement = Measurement(MeasureRecurrence(0, (), 15))
    measurement.error = "The worker process that measured has died, so there is no result."
    monkeypatch.setattr(type(pool), "measure_recurrence", lambda self, shapes: measurement, raising=False)
    assert measurement.error in shown(press(page, "measure_recurrence"))


def test_a_lesson_about_the_card_unfolds_it(pool):
    assert parallel_time.WAYS in shown(opened(preset="parallel-time"))


def test_a_tab_that_has_gone_waits_for_no_measurement(monkeypatch):
    stopped = []
    monkeypatch.setattr(Measurement, "stop", lambda self: stopped.append(self))
    card_state = equations_card.EquationsState(measurement=Measurement(Measure(0, [], 1)))
    card_state.clear()
    equations_card.EquationsState().clear()
    assert stopped == [card_state.measurement]
