"""The page "Compare", run by Streamlit without a browser and over runs without workers."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app.compare import ownership
from app.compare import plan as race_plan
from app.compare import text as compare_text
from tests.app.conftest import LIMIT, MAIN, opened, press, run, slot, turn, warnings
from tests.fakes import FakeLanePool as FakePool

LINK = {"preset": "when-what", "seq_len": "6", "batch_size": "4", "hidden_size": "4", "a": "cell.rnn", "b": "cell.gru"}


@pytest.fixture
def raced(monkeypatch) -> FakePool:
    """The runs of races, without workers."""
    made = FakePool()
    monkeypatch.setattr(ownership.RACES, "_pool", lambda: made)
    monkeypatch.setattr(ownership.RACES, "_slots", [])
    return made


@pytest.fixture
def page(pool, raced) -> AppTest:
    return turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "compare", **LINK)


def cells(runs: list[Any]) -> list[str]:
    return [each.experiment.cell for each in runs if not each.stopped]


def test_a_link_opens_its_race_and_stands_in_the_address(page, raced):
    assert cells(raced.runs) == ["rnn", "gru"] and {each.experiment.seq_len for each in raced.runs} == {6}
    assert page.query_params == LINK and not warnings(page)
    labels = [each.label for each in page.selectbox if each.key.endswith("_cell")]
    assert labels == [compare_text.LABELS["cell"].format(letter=letter) for letter in "AB"]


def test_without_a_link_the_usual_three_race(pool, raced):
    page = turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "compare")
    assert cells(raced.runs) == ["rnn", "gru", "lstm"]
    assert page.query_params == {"preset": "when-what", "a": "cell.rnn", "b": "cell.gru", "c": "cell.lstm"}


def test_another_cell_is_another_race_and_another_link(page, raced):
    page.selectbox(key="race_B_cell").select("lstm")
    run(page)
    assert cells(raced.runs) == ["rnn", "lstm"] and [each.stopped for each in raced.runs] == [True, True, False, False]
    assert page.query_params["b"] == "cell.lstm"


def test_what_all_share_changes_in_every_lane(page, raced):
    page.number_input(key="race_seed").set_value(5)
    run(page)
    assert {each.experiment.seed for each in raced.runs if not each.stopped} == {5} and page.query_params["seed"] == "5"


def test_lanes_come_and_go(page, raced):
    press(page, "race_add")
    assert cells(raced.runs) == ["rnn", "gru", "lstm"]
    press(page, "race_remove_A")
    assert cells(raced.runs) == ["gru", "lstm"] and "c" not in page.query_params
    assert not [each for each in page.button if each.key == "race_remove_A"]  # two are the fewest


def test_what_cannot_be_is_said_and_the_race_goes_on(page, raced):
    runs = list(raced.runs)
    page.selectbox(key="race_find_A").set_value("init_gain")
    run(page).number_input(key="race_A_found_init_gain").set_value(None)
    run(page)
    assert raced.runs == runs and any("Gain" in each for each in warnings(page))
    assert page.number_input(key="race_A_found_init_gain").value == 1.0


def test_any_setting_of_a_lane_is_found_by_its_name(page, raced):
    page.selectbox(key="race_find_A").set_value("optimizer=adamw")
    run(page).selectbox(key="race_find_A").set_value("weight_decay")
    run(page)
    page.number_input(key="race_A_found_weight_decay").set_value(0.01)
    run(page)
    (a, b) = [each.experiment for each in raced.runs if not each.stopped]
    assert (a.optimizer, a.weight_decay, b.optimizer, b.weight_decay) == ("adamw", 0.01, "adam", 0.0)
    assert page.query_params["a"] == "cell.rnn~optimizer.adamw~weight_decay.0.01" and not warnings(page)


def test_a_setting_that_was_found_and_has_no_effect_says_why(page, raced):
    page.selectbox(key="race_find_B").set_value("schedule_steps")
    assert any("the learning rate follows no schedule" in each.value for each in run(page).caption)


def test_units_between_those_of_the_list_can_be_typed(page, raced):
    page.selectbox(key="race_find_B").set_value("hidden_size")
    run(page).number_input(key="race_B_found_hidden_size").set_value(7)
    assert run(page).selectbox(key="race_B_hidden_size").value == 7 and not warnings(page)
    assert [each.experiment.hidden_size for each in raced.runs if not each.stopped] == [4, 7]


def test_five_seeds_are_one_choice(page, raced):
    page.selectbox(key="race_seeds").set_value(5)
    run(page)
    trained = [each.experiment for each in raced.runs if not each.stopped]
    assert [each.seed for each in trained] == [0, 1, 2, 3, 4] * 2 and page.query_params["seeds"] == "5"


def test_lanes_may_have_lengths_and_seeds_of_their_own(pool, raced):
    page = turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "compare",
                **{**LINK, "a": "cell.rnn~seq_len.8~seed.2"})  # fmt: skip
    assert [(each.experiment.seq_len, each.experiment.seed) for each in raced.runs] == [(8, 2), (6, 0)]
    keys = {each.key for each in (*page.selectbox, *page.number_input)}
    assert not {"race_seq_len", "race_seed"} & keys  # each lane has its own
    assert {"race_A_seq_len", "race_B_seed"} <= keys and not warnings(page)


def test_a_bad_link_is_said_and_the_rest_stays(pool, raced):
    page = turn(AppTest.from_file(str(MAIN), default_timeout=LIMIT), "compare", **{**LINK, "b": "cell.gru~task.xor"})
    assert any("task.xor" in each for each in warnings(page)) and cells(raced.runs) == ["rnn", "gru"]


def test_a_good_race_is_one_press_away(page, raced):
    press(page, f"race_good_{list(race_plan.EXAMPLES).index('Feed-forward on XOR')}")
    assert cells(raced.runs) == ["feedforward", "rnn"] and page.query_params["preset"] == "xor"


def test_the_playgrounds_network_becomes_a_lane_and_rests_meanwhile(pool, raced):
    page = turn(opened(hidden_size="4", seq_len="6", cell="lstm"), "compare")
    (own,) = pool.runs
    assert slot().paused
    press(page, "race_take_B")
    assert raced.runs[-2].experiment == own.experiment
    assert {each.experiment.task for each in raced.runs[-3:]} == {own.experiment.task}


def test_train_pause_step_and_reset(page, raced):
    race = page.session_state._race_stall.race
    press(page, "race_train")
    assert not race.paused
    press(page, "race_pause")
    assert race.paused
    press(page, "race_reset")
    again = page.session_state._race_stall.race
    assert again is not race and again.paused and race.stopped and cells(raced.runs) == ["rnn", "gru"]


def test_the_race_is_as_it_was_left_when_somebody_comes_back(page, raced):
    count = len(raced.runs)
    turn(page, "learn")
    turn(page, "compare")
    assert len(raced.runs) == count and page.query_params == LINK
