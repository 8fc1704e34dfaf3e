"""What "Train on it" trains is what the page shows, whatever link or run was there before."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from app import own_data_link, own_data_store
from app.own_data import bring as bringing
from app.own_data import desk as own_desk
from app.own_data import text as own_text
from engine.data import read
from engine.data.defaults import defaults
from engine.data.fingerprint import fingerprint
from engine.experiment import Experiment
from engine.tasks import OWN_DATA
from tests.app.conftest import move, opened, press, run, slot, turn, widgets
from tests.app.own_data.conftest import state_of, words
from tests.engine.data.series_tables import waves

pytestmark = pytest.mark.usefixtures("pool")
CSV = waves(120).to_csv(index=False).encode()
OTHER = waves(100).to_csv(index=False).encode()


class ReadAtOnce:
    """A true reading, in the place of one in the background."""

    def __init__(self, sources: Any, kind: str | None, choices: dict[str, Any]) -> None:
        (name, data), *_ = sources
        self.dataset = read(data, name=name, kind=kind, **choices)
        self.error, self.done, self.progress = None, True, (1.0, "")

    def wait(self, seconds: float) -> bool:
        return True

    def stop(self) -> None:
        pass


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_desk, "Reading", ReadAtOnce)


def link_to(data: bytes = CSV, **settings: str) -> dict[str, str]:
    """A link of somebody else to a network on these data."""
    options = {"data": fingerprint([data]), "kind": "series"}
    return {"task": OWN_DATA, "rnn_type": "many_to_many", **settings, **own_data_link.to_link(options, "waves.csv")}


def brought(page: AppTest, data: bytes = CSV) -> AppTest:
    state_of(page).bring((("waves.csv", data),))
    return run(page)


def trains_what_is_shown(page: AppTest) -> Experiment:
    """Train on it; the network reads as many steps as the page has said."""
    said = words(page)
    press(page, "own_train")
    assert f"has read {slot().initial.seq_len} steps" in said
    return slot().initial


def trains_the_usual_network(page: AppTest) -> None:
    """Train on it; nothing of a link or of an earlier run is in it."""
    expected = defaults(state_of(page).file.dataset)
    assert trains_what_is_shown(page) == expected and slot().changes == ()


def choose_period(page: AppTest, period: int) -> AppTest:
    return move(page, f"own_period_{state_of(page).version}", period)


def test_another_choice_lets_go_of_the_links_settings():
    page = brought(opened(**link_to(seq_len="24", hidden_size="7", then="300~learning_rate~0.01")))
    assert own_text.LINK_KEPT in [each.value for each in page.caption] and "has read 24 steps" in words(page)
    choose_period(page, 7)
    assert [each.value for each in page.info] == [own_text.LINK_LET_GO] and not page.query_params
    choose_period(page, 5)
    assert [each.value for each in page.info] == [own_text.LINK_LET_GO]
    trains_the_usual_network(page)


def test_the_page_says_how_many_steps_a_links_network_reads():
    page = brought(opened(**link_to(seq_len="9", hidden_size="7")))
    shown = trains_what_is_shown(page)
    assert (shown.seq_len, shown.hidden_size) == (9, 7)


def test_nothing_of_a_run_on_a_forgotten_file_survives():
    page = brought(turn(opened(), "data"))
    choose_period(page, 9)
    press(page, "own_train")
    move(turn(page, "playground"), "hidden_size", 8)
    press(turn(page, "data"), "own_forget")
    turn(page, "playground")
    brought(turn(page, "data"))
    choose_period(page, 7)
    trains_the_usual_network(page)


def test_nothing_of_an_earlier_run_survives_a_return():
    page = brought(turn(opened(), "data"))
    press(page, "own_train")
    move(turn(page, "playground"), "hidden_size", 8)
    turn(page, "data")
    choose_period(page, 7)
    turn(page, "playground")
    assert slot().initial.hidden_size == 8, "it goes on as it was left"
    turn(page, "data")
    trains_the_usual_network(page)


def recorded(page: AppTest, files: Any, link: dict[str, str]) -> AppTest:
    """The button of "Open a recording" is pressed: the desk is given the files, and the playground opens."""
    bringing.bring_recorded(state_of(page), files, link)
    return turn(page, "playground", **link)


def test_the_files_of_a_recording_are_brought_and_trained_on():
    page = recorded(turn(opened(), "data"), (("waves.csv", CSV),), link_to(seq_len="9", hidden_size="7"))
    got = slot().experiment
    assert (got.task, got.seq_len, got.hidden_size) == (OWN_DATA, 9, 7)
    assert [file.name for file in own_data_store.VISITS._slots[0].files.newest_first] == ["waves.csv"]
    assert state_of(page).needed is None


@pytest.mark.parametrize("most, data", [(1_000_000, CSV + bytes(1_000_000)), (10**8, OTHER)])
def test_files_of_a_recording_that_are_too_large_or_others_are_not_read(monkeypatch, most: int, data: bytes):
    monkeypatch.setattr(bringing, "MAX_FILE_BYTES", most)
    page = recorded(turn(opened(), "data"), (("waves.csv", data),), link_to())
    assert len(page.error) == 1 and "waves.csv" in page.error[0].value and "own_train" not in widgets(page)
    assert own_data_store.VISITS._slots[0].files.newest_first == [] and slot().experiment.task != OWN_DATA
