"""The page "Step through", run by Streamlit without a browser and over runs without workers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.figures.step_through import Place
from app.step_through import text as step_through_text
from app.step_through.page import StepThroughState
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import StateEntry, WeightEntry
from engine.training import Trainer
from engine.workers import SEQUENCE_TRACE, VERIFICATION
from engine.workers.requests import trace_sequence
from tests.app.conftest import LIMIT, MAIN, move, opened, press, run, slot, turn, warnings, widgets
from tests.app.step_through.conftest import verification

LINK = {"hidden_size": "4", "seq_len": "6", "cell": "lstm"}


def page_text(page: AppTest) -> str:
    return "\n".join(each.value for kind in (page.markdown, page.caption, page.info) for each in kind)


def walk_of(experiment: Experiment, layer: int = -1, direction: int = 0) -> SequenceTrace:
    return trace_sequence(Trainer(experiment), layer, direction)


@pytest.fixture
def page(pool) -> AppTest:
    """Somebody comes over from the playground, and the walk has arrived."""
    page = turn(opened(**LINK), "steps")
    (only,) = pool.runs
    assert (SEQUENCE_TRACE.name, {"layer": -1, "direction": 0}) in only.calls
    assert step_through_text.TRACING in page_text(page)
    only.finish(SEQUENCE_TRACE, walk_of(only.experiment))
    return run(page)


def test_a_link_to_the_page_opens_its_own_network(pool):
    page = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    turn(page, "steps", preset="xor", hidden_size="5")
    (only,) = pool.runs
    assert (only.experiment.task, only.experiment.hidden_size) == ("xor", 5)
    assert page.query_params == {"preset": "xor", "hidden_size": "5"} and slot().paused


def test_the_address_says_the_experiment_of_the_playground(pool):
    page = turn(opened(**LINK), "steps")
    assert page.query_params == {"task": "first_symbol_recall", **LINK}


def test_training_pauses_while_somebody_steps_through(pool):
    page = opened(**LINK)
    (only,) = pool.runs
    assert not slot().paused
    turn(page, "steps")
    assert slot().paused and ("pause", None) in only.calls


def test_a_step_forward_a_step_back_and_either_end(page):
    assert "**Forward** · t = 0" in page_text(page)
    page = press(press(page, "steps_next"), "steps_next")
    assert "**Forward** · t = 2" in page_text(page)
    assert "**Forward** · t = 1" in page_text(press(page, "steps_back"))
    page = press(page, "steps_last")
    assert "**Back** · t = 0" in page_text(page) and page.button(key="steps_next").disabled
    page = press(page, "steps_first")
    assert "**Forward** · t = 0" in page_text(page) and page.button(key="steps_back").disabled


def test_every_quick_press_counts(page):
    """Two presses before the page was drawn again: both lead on."""
    page_state = StepThroughState(place=Place(at=4))
    page_state.move(1, 6)
    page_state.move(1, 6)
    assert page_state.place == Place(at=6)
    page_state.move(100, 6)
    assert page_state.place == Place(at=11)
    page_state.move(-100, 6)
    assert page_state.place == Place(at=0)


def test_keys_do_what_the_buttons_do(page):
    keys = {name: page.button(key=f"steps_{name}").proto.shortcut for name in ("first", "back", "next", "last")}
    assert keys == {"first": "home", "back": "left", "next": "right", "last": "end"}


def test_going_forward_the_equations_stand_open_and_coming_back_the_account(page):
    assert "cell state, recorded" in page_text(page)
    assert not [each for each in page.get("html") if 'class="flow"' in each.proto.body]
    page = press(page, "steps_last")
    assert [each for each in page.get("html") if 'class="flow"' in each.proto.body]


def followed(page: AppTest) -> int:
    """The unit that is followed."""
    return next(int(key.removeprefix("steps_unit_")) for key in widgets(page) if str(key).startswith("steps_unit_"))


def test_at_first_the_unit_is_followed_that_the_loss_asks_most_of(pool, page):
    trace = pool.runs[0].result(SEQUENCE_TRACE)
    assert followed(page) == np.abs(trace.grad).max(0).argmax()


def test_another_unit_and_another_weight_are_followed(page):
    page = move(page, f"steps_unit_{followed(page)}", 3)
    page = move(page, "steps_source_0", 2)
    assert "from unit 2 of the step before to unit 3" in page_text(page)
    page = move(page, "steps_gate_0", "forget gate")
    assert f"W_hh[{4 + 3}, 2]" in page_text(page)


def test_verify_asks_for_the_number_that_is_chosen(pool, page):
    (only,), unit = pool.runs, followed(page)
    page = press(page, "steps_verify")
    assert only.calls[-1] == (VERIFICATION.name, {"entry": StateEntry(layer=0, position=0, unit=unit)})
    assert step_through_text.VERIFYING in page_text(page)
    step = only.result(SEQUENCE_TRACE).step
    only.finish(VERIFICATION, verification(step=step))
    page = run(page)
    assert "By central differences" in page_text(page)
    only.finish(VERIFICATION, verification(step=step + 7))  # of another network than the one on the page
    assert "By central differences" not in page_text(run(page))
    page = press(move(page, "steps_claim", step_through_text.ENTRIES[1]), "steps_verify")
    assert only.calls[-1] == (VERIFICATION.name, {"entry": WeightEntry(layer=0, row=unit, column=0, part=0)})


def test_what_went_wrong_is_said(pool, page):
    (only,) = pool.runs
    only.finish(VERIFICATION, problem="There is no such unit.")
    only.finish(SEQUENCE_TRACE, problem="This run has ended.")
    assert set(warnings(run(page))) == {"There is no such unit.", "This run has ended."}


def test_after_an_update_the_walk_is_taken_again(pool, page):
    (only,) = pool.runs
    page = press(page, "steps_train_1")
    assert ("advance", 1) in only.calls and step_through_text.TRAINING in page_text(page)
    only.frame = dataclasses.replace(Trainer(only.experiment).frame(), step=1)
    only.calls.clear()
    run(page)
    assert only.calls == [(SEQUENCE_TRACE.name, {"layer": -1, "direction": 0})]


def test_layers_and_directions_are_chosen(pool):
    page = turn(opened(**LINK, num_layers="2"), "steps")
    (only,) = pool.runs
    only.finish(SEQUENCE_TRACE, walk_of(only.experiment))
    page = run(page)
    assert widgets(page)["steps_chain"].value == (1, 0)
    page = move(page, "steps_chain", (0, 0))
    assert only.calls[-1] == (SEQUENCE_TRACE.name, {"layer": 0, "direction": 0})


def test_a_cell_without_links_says_so(pool):
    page = turn(opened(hidden_size="4", seq_len="6", cell="feedforward"), "steps")
    (only,) = pool.runs
    only.finish(SEQUENCE_TRACE, walk_of(only.experiment))
    assert step_through_text.NO_LINK in page_text(run(page)) and RunInfo.of(only.experiment).gates == ()
