"""The card of the equations on the page."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from app.equations import card as equations_card
from app.equations import formulas, update_cost
from engine.cells import CELLS
from engine.training import Trainer
from engine.workers import Measurement
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
    planned = update_cost.plan(pool.runs[0].experiment)
    measurement = Measurement(0, tuple(planned.experiments.values()), 15)
    monkeypatch.setattr(type(pool), "measure", lambda self, experiments: measurement, raising=False)
    page = press(page, "measure")
    assert page.button(key="measure").disabled and page.button(key="measure_stop")
    measurement.result = (0.002, 0.001) * 3
    page = run(page)
    assert "At 400 time steps, each costs 2.0 times" in shown(page) and "Median of 15 updates" in shown(page)
    assert not page.button(key="measure").disabled


def test_a_measurement_that_failed_says_why(pool, monkeypatch):
    page = unfolded(cell="lstm", hidden_size="8")
    measurement = Measurement(0, (), 15)
    measurement.error = "The worker process that measured has died, so there is no result."
    monkeypatch.setattr(type(pool), "measure", lambda self, experiments: measurement, raising=False)
    assert measurement.error in shown(press(page, "measure"))


def test_a_tab_that_has_gone_waits_for_no_measurement(monkeypatch):
    stopped = []
    monkeypatch.setattr(Measurement, "stop", lambda self: stopped.append(self))
    card_state = equations_card.EquationsState(measurement=Measurement(0, (), 1))
    card_state.clear()
    equations_card.EquationsState().clear()
    assert stopped == [card_state.measurement]
