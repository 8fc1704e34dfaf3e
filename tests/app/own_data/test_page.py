"""The page "Your data": from a file to what was understood, to a network that trains on it."""

from __future__ import annotations

import dataclasses

import pytest

from app import chosen_data, own_data_link, own_data_store
from app.links import OPENING
from app.own_data import bring as bringing
from app.own_data import text as own_text
from engine.data import DataError
from engine.data.fingerprint import fingerprint
from engine.experiment import ExperimentError
from engine.preset import load_preset
from engine.tasks import OWN_DATA
from tests.app.conftest import move, opened, press, run, slot, turn, widgets
from tests.app.own_data.conftest import FINGERPRINT, bring, html, labelled, series, state_of, words

pytestmark = pytest.mark.usefixtures("pool")


OPTION = f"{own_data_store.OPTION}{FINGERPRINT[: own_data_store.DIGITS]}"


def began(page=None):
    """The page, with a file that was understood."""
    return bring(page or turn(opened(), "data"))


def trained(page=None):
    """The playground, with a network that trains on this file."""
    page = began(page)
    page.button(key="own_train").click()
    return run(page)


def forget_all():
    """What another tab of the browser does, or the store when it is full."""
    files = own_data_store.VISITS._slots[0].files
    for file in files.newest_first:
        files.forget(file)


def test_the_empty_page_offers_three_ways_and_starts_no_reading(readings):
    page = turn(opened(), "data")
    assert page.title[0].value == own_text.TITLE
    assert {"own_paste_read", "own_try_0"} <= set(widgets(page)) and "own_train" not in widgets(page)
    assert readings.begun == []


def test_what_was_understood_stands_on_one_page():
    page = began()
    assert page.title[0].value == "sales.csv"
    said = words(page)
    assert "There are numbers over time" in said and "One value a month, 2001-01-01 to 2005-12-01" in said
    shown = html(page)
    assert "<dd>60</dd>" in shown and "<dd>20</dd>" in shown
    assert shown.index("<span>a season before") < shown.index("<span>the value before") < shown.index("<span>the mean")
    assert f"a season before <em>{own_text.TO_BEAT}</em>" in shown
    assert shown.index("expect no network") < shown.index("line 3"), "the honest sentence stands first"
    assert "&lt;b&gt;n/a" in shown and "<b>n/a" not in shown
    assert len(page.get("plotly_chart")) == 2
    assert "<dt>shops</dt><dd>number</dd>" in shown


def test_a_changed_choice_reads_the_file_again(readings):
    page = began()
    version = state_of(page).version
    move(page, f"own_target_{version}", "shops")
    assert readings.begun[-1].choices == {"target": "shops"} and readings.begun[-1].kind is None
    assert state_of(page).file.dataset.options == {"data": FINGERPRINT, "kind": "series", "target": "shops"}
    move(page, f"own_period_{state_of(page).version}", 6)
    assert readings.begun[-1].choices == {"target": "shops", "period": 6}
    press(page, "own_undo")
    assert readings.begun[-1].choices == {} and "own_undo" not in widgets(page)


def test_other_means_forget_what_was_chosen_in_steps(readings):
    by_the_row = {"step": "10 minutes", "row_step": "10 minutes", "means": "none", "possible_means": ["hour", "day"]}
    readings.known["sales.csv"] = dataclasses.replace(series(**by_the_row), choices={})
    page = began()
    key = f"own_means_{state_of(page).version}"
    assert widgets(page)[key].options == ["every 10 minutes", "means of an hour", "means of a day"]
    assert "the mean of all its rows" not in words(page)
    move(page, f"own_period_{state_of(page).version}", 6)
    move(page, f"own_transform_{state_of(page).version}", "none")
    move(page, f"own_means_{state_of(page).version}", "hour")
    assert readings.begun[-1].choices == {"transform": "none", "means": "hour"}
    assert "the mean of all its rows" in words(page)


def test_nothing_is_asked_of_means_where_there_are_none():
    page = began()
    assert f"own_means_{state_of(page).version}" not in widgets(page)


def test_another_kind_leaves_no_choice_that_means_nothing_to_it(readings):
    page = began()
    move(page, f"own_transform_{state_of(page).version}", "none")
    readings.known["sales.csv"] = labelled()
    move(page, f"own_kind_{state_of(page).version}", "labelled")
    assert (readings.begun[-1].kind, readings.begun[-1].choices) == ("labelled", {})
    assert "as you chose" in words(page) and "naive Bayes <em>" in html(page) and "88%" in html(page)
    assert not page.get("plotly_chart")


def test_a_reading_shows_its_progress_and_can_be_stopped(readings, monkeypatch):
    monkeypatch.setattr(readings, "endless", True)
    page = bring(turn(opened(), "data"))
    assert "Looking at the columns" in page.get("progress")[0].proto.text
    press(page, "own_stop")
    assert readings.begun[0].stopped and state_of(page).reading is None and state_of(page).file is None
    assert "own_paste_read" in widgets(page)


def test_a_bad_file_names_the_place_shows_its_lines_and_loses_nothing(readings):
    page = began()
    readings.known["bad.csv"] = DataError("Line 3 has 3 columns, 2 are expected.", 3, "sales")
    state_of(page).bring((("bad.csv", b"a,b\n1,2\n1,2,<i>\n4,5\n"),))
    run(page)
    shown = html(page)
    assert "bad.csv cannot be used, line 3, column sales." in shown and "Line 3 has 3 columns" in shown
    assert '<li value="3" class=fault><code>1,2,&lt;i&gt;</code>' in shown and '<li value="4">' in shown
    assert "own_paste_read" in widgets(page)
    press(page, "own_file_0")
    assert page.title[0].value == "sales.csv" and "cannot be used" not in html(page)


def test_a_choice_that_cannot_be_read_keeps_what_was_understood(readings):
    page = began()
    readings.known["sales.csv"] = DataError("Column 'shops' has no number at all.")
    move(page, f"own_target_{state_of(page).version}", "shops")
    assert "no number at all" in html(page) and "a season before" in html(page)
    assert not page.button(key="own_train").disabled


def test_pasted_text_and_examples_are_read(readings):
    page = turn(opened(), "data")
    readings.known |= {own_text.PASTED: series(own_text.PASTED), "airline.csv": series("airline.csv")}
    page.text_area(key=f"own_paste_{state_of(page).version}").set_value("\nmonth,sales\n")
    press(page, "own_paste_read")
    assert readings.begun[0].sources == [(own_text.PASTED, b"month,sales")]
    press(page, "own_another")
    press(page, "own_try_0")
    assert readings.begun[1].sources[0][0] == "airline.csv" and b"Passengers" in readings.begun[1].sources[0][1]


def test_the_playground_trains_on_it():
    page = trained()
    link = page.query_params
    assert slot().experiment.task == OWN_DATA and slot().experiment.task_options["data"] == FINGERPRINT
    assert not slot().paused
    assert (link["data"], link["data.name"]) == (FINGERPRINT, "sales.csv")


def test_the_list_of_data_has_the_files_by_name():
    page = turn(began(), "playground")
    assert widgets(page)["task"].options[0] == "sales.csv · Your data"
    move(page, "task", OPTION)
    assert slot().experiment.task == OWN_DATA and slot().experiment.cell == "gru" and page.title[0].value == "sales.csv"
    move(page, "hidden_size", 8)
    assert (slot().experiment.task, slot().experiment.hidden_size) == (OWN_DATA, 8)
    move(page, "task", "adding")
    assert slot().experiment.task == "adding" and slot().experiment.task_options == {}


def test_a_link_asks_for_its_file_and_keeps_the_rest(readings):
    link = {"task": OWN_DATA, "hidden_size": "7", "rnn_type": "many_to_one", "speed": "slow",
            **own_data_link.to_link({"data": FINGERPRINT, "kind": "series", "window": 4}, "sales.csv")}  # fmt: skip
    page = opened(**link)
    assert "sales.csv" in page.info[0].value and FINGERPRINT[:8] in page.info[0].value
    bring(page)
    assert (readings.begun[0].kind, readings.begun[0].choices) == ("series", {"window": 4}) and not page.info
    page.button(key="own_train").click()
    run(page)
    assert (slot().experiment.hidden_size, slot().experiment.rnn_type, slot().speed) == (7, "many_to_one", "slow")
    assert slot().experiment.task_options == {"data": FINGERPRINT, "kind": "series", "window": 4}


def test_an_example_that_a_link_asks_for_is_a_press_away(readings):
    example = bringing.examples()[0]
    needs = {"data": fingerprint([example.read()]), "kind": "series", "window": 4}
    readings.known[example.file] = series(example.file, needs["data"])
    page = opened(task=OWN_DATA, **own_data_link.to_link(needs, example.file))
    press(page, "own_needed_example")
    assert (readings.begun[0].sources[0][0], readings.begun[0].choices) == (example.file, {"window": 4})
    assert not page.info and page.title[0].value == example.file
    other = opened(task=OWN_DATA, **own_data_link.to_link({"data": 64 * "a", "kind": "series"}, example.file))
    assert "own_needed_example" not in widgets(other)


def test_files_that_are_too_large_together_are_not_read(readings, monkeypatch):
    monkeypatch.setattr(bringing, "MAX_FILE_BYTES", 1_000_000)
    page = turn(opened(), "data")
    page.file_uploader[0].set_value([(name, bytes(600_000), "text/csv") for name in ("a*.csv", "sales.csv")])
    run(page)
    assert readings.begun == [] and "a\\*.csv, sales.csv together have" in page.error[0].value
    assert own_text.MOST in page.error[0].value and own_text.LARGEST in [each.value for each in page.caption]
    page.file_uploader[0].set_value(("sales.csv", bytes(600_000), "text/csv"))
    run(page)
    assert len(readings.begun) == 1 and not page.error and page.title[0].value == "sales.csv"


def test_another_file_than_the_links_is_said(readings):
    page = opened(task=OWN_DATA, **own_data_link.to_link({"data": 64 * "a", "kind": "series"}, "prices.csv"))
    bring(page)
    assert "another file" in page.warning[0].value and FINGERPRINT[:8] in page.warning[0].value
    press(page, "own_leave_link")
    assert not page.query_params and not page.warning and page.title[0].value == "sales.csv"


def test_after_a_file_was_forgotten_the_playground_opens_as_usual():
    page = turn(trained(), "data")
    press(page, "own_forget")
    assert own_data_store.VISITS._slots[0].files.newest_first == []
    assert [each.value for each in page.success] == [own_text.FORGOTTEN.format(name="sales.csv")]
    turn(page, "playground")
    assert "own_paste_read" not in widgets(page) and not page.info
    assert page.session_state.preset == OPENING and slot().experiment == load_preset(OPENING).experiment
    turn(page, "data")
    assert not bring(page).success


def test_a_link_to_a_forgotten_file_asks_for_it_until_the_link_is_forgotten():
    page = trained()
    followed = dict(page.query_params)
    press(turn(page, "data"), "own_forget")
    turn(page, "playground", **{name: str(value) for name, value in followed.items()})
    assert page.info and "sales.csv" in page.info[0].value
    press(page, "own_leave_link")
    turn(page, "playground")
    assert not page.info and slot().experiment.task != OWN_DATA


def test_a_link_that_is_forgotten_leaves_the_playground_as_it_was():
    page = opened(task="adding", hidden_size="7")
    turn(page, "playground", task=OWN_DATA, **own_data_link.to_link({"data": 64 * "a", "kind": "series"}, "prices.csv"))
    press(page, "own_leave_link")
    turn(page, "playground")
    assert (slot().experiment.task, slot().experiment.hidden_size) == ("adding", 7)


def test_a_network_whose_file_is_forgotten_stays_on_the_screen():
    page = move(turn(began(), "playground"), "task", OPTION)
    forget_all()
    move(page, "hidden_size", 8)
    assert (slot().experiment.task, slot().experiment.hidden_size) == (OWN_DATA, 8)
    assert widgets(page)["task"].options[0] == "sales.csv · Your data"


def test_a_file_that_was_forgotten_while_it_was_looked_at_is_trained_on():
    page = began()
    forget_all()
    page.button(key="own_train").click()
    run(page)
    assert slot().experiment.task == OWN_DATA and len(own_data_store.VISITS._slots[0].files.newest_first) == 1


def test_a_forgotten_file_that_is_picked_changes_nothing():
    page = turn(began(), "playground")
    before = slot().experiment
    forget_all()
    move(page, "task", OPTION)
    assert slot().experiment == before and widgets(page)["task"].value == before.task
    assert chosen_data.FORGOTTEN in [each.value for each in page.warning]


def test_a_file_that_no_network_fits_says_why_wherever_it_is_picked(monkeypatch):
    def none_fits(dataset):
        raise ExperimentError("hidden_size", got=32, accepts="smaller")

    page = turn(began(), "playground")
    before = slot().experiment
    monkeypatch.setattr(chosen_data, "defaults", none_fits)
    move(page, "task", OPTION)
    assert slot().experiment == before and "No network of the playground fits" in page.warning[0].value
    turn(page, "data")
    assert "No network of the playground fits" in page.error[0].value and page.button(key="own_train").disabled


def test_the_same_file_under_another_name_is_one_entry(readings):
    page = trained()
    readings.known["renamed.csv"] = series("renamed.csv")
    turn(page, "data")
    press(page, "own_another")
    bring(page, "renamed.csv")
    turn(page, "playground")
    options = widgets(page)["task"].options
    assert [each for each in options if each.endswith("Your data")] == ["renamed.csv · Your data"]
    assert slot().experiment.task == OWN_DATA
