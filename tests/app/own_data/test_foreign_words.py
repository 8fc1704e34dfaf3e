"""Names from a file in sentences: words, whatever Markdown stands in them; and each file has fields of its own."""

from __future__ import annotations

import dataclasses
import io

import pytest
from streamlit.testing.v1 import AppTest

from app import text
from app.forecast import text as forecast_text
from app.replay import pair_text, player
from engine.data import read
from engine.recording import Recording
from engine.tasks import register
from engine.training import train
from tests.app.conftest import move, opened, press, run, slot, turn
from tests.app.own_data.conftest import bring, labelled, state_of, words
from tests.engine.own_data import experiment_on

pytestmark = pytest.mark.usefixtures("pool")

NAME, ESCAPED = "a*b*_c_.csv", r"a\*b\*\_c\_.csv"


def recorded() -> tuple[Recording, io.BytesIO]:
    """A run on a file with such a name, and its zip file."""
    e = experiment_on(dataclasses.replace(labelled(), name=NAME), steps=2)
    recording, file = Recording.of(e, train(e, 1)), io.BytesIO()
    recording.save(file)
    return recording, file


def brought(*names: str) -> tuple[AppTest, list[str]]:
    """The playground, with a network on the first of these files, and their entries in the list of data."""
    page = turn(opened(), "data")
    options = [state_of(bring(page, name)).file.option for name in names]
    return move(turn(page, "playground"), "task", options[0]), options


def test_a_saved_replay_says_a_name_as_it_is():
    recording, file = recorded()
    replayed = player.open_file("run.zip", file)
    assert f"<title>{NAME} · " in replayed.html and ESCAPED not in replayed.html
    assert NAME in pair_text.summary(recording, recording)[0]


@pytest.mark.parametrize("count", [1, 2])
def test_the_page_of_recordings_escapes_it_once(count: int):
    page = turn(opened(), "recording")
    page.file_uploader[0].set_value([(f"{n}.zip", recorded()[1].getvalue(), "application/zip") for n in range(count)])
    run(page)
    assert ESCAPED in words(page) and "\\\\" not in words(page)


def test_the_question_and_the_name_are_no_markdown_in_the_playground(readings):
    asking = dataclasses.replace(labelled(), name=NAME, fingerprint=64 * "b")
    register(asking.options, dataclasses.replace(asking.to_task(), asks="A *text*: _ham_ or `spam`?"))
    readings.known[NAME] = asking
    page, _ = brought(NAME)
    assert any(ESCAPED in each.value for each in page.caption)
    assert [each.label for each in page.text_input] == [text.escaped(slot().experiment.definition.asks)]


def test_every_file_has_fields_of_its_own(readings):
    readings.known["others.csv"] = dataclasses.replace(labelled(), name="others.csv", fingerprint=64 * "a")
    page, options = brought("reviews.csv", "others.csv")
    page.text_input[0].set_value("bad film")
    press(page, "predict_ask")
    assert page.text_input[0].value == "bad film"
    move(page, "task", options[1])
    assert page.text_input[0].value == slot().experiment.definition.example


def test_every_series_has_a_forecast_of_its_own(readings):
    for name in ("one.csv", "two.csv"):
        rows = "".join(f"{2000 + n // 12}-{n % 12 + 1:02d}-01,{n % 7}\n" for n in range(60))
        readings.known[name] = read(f"date,{name}\n{rows}".encode(), name=name)
    page, options = brought("one.csv", "two.csv")
    field = next(each for each in page.slider if each.label == forecast_text.STEPS)
    assert field.value == 12
    field.set_value(3)
    press(page, "forecast_ask")
    move(page, "task", options[1])
    assert next(each for each in page.slider if each.label == forecast_text.STEPS).value == 12
