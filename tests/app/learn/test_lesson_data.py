"""A lesson on data of its own: listed while they are read, opened by every visitor, written in the browser."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app import drafts, links, own_data_link, own_data_store, tab, text
from app.drafts import Draft
from app.write import start
from app.write.fields import Form
from app.write.form import replace_experiment
from app.write.preview import readable
from engine.experiment import Experiment
from engine.preset import list_presets, load_preset
from engine.tasks import OWN_DATA
from tests.app.conftest import move, opened, press, run, slot, turn, warnings, widgets
from tests.app.learn.conftest import cards
from tests.engine.lesson_data import LESSON, SALES, read_never, read_now

WAITS = "season.toml, data: sales.csv is being read; the lesson is here once that is done."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path))
    monkeypatch.setattr(links, "DATA_SECONDS", 0.0)
    (tmp_path / "sales.csv").write_text(SALES)
    (tmp_path / "season.toml").write_text(LESSON)
    return tmp_path


@pytest.fixture
def season(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Experiment:
    read_now(monkeypatch)
    list_presets()
    return load_preset("season").experiment


def infos(page: AppTest) -> list[str]:
    return [each.value.replace("\\", "") for each in page.info]


def test_it_is_listed_while_its_data_are_read_and_then_it_is_a_lesson(pool, folder, monkeypatch):
    read_never(monkeypatch)
    page = turn(opened(), "learn")
    assert infos(page) == [WAITS] and "season" not in cards(page) and warnings(page) == []
    opening = links.read({"preset": "season"})
    assert opening.preset.slug == links.OPENING
    assert opening.refused["preset"] == text.PRESET_BEING_READ.format(got="season", shown=opening.preset.title)
    read_now(monkeypatch)
    (folder / "season.toml").write_text(LESSON + "\n")
    (folder / "sales.csv").write_text(SALES + "2020-01,2,200\n")
    list_presets()
    run(page)
    assert infos(page) == [] and cards(page)[-1] == "season"


def test_every_visitor_opens_it_and_changes_it(pool, season):
    page = opened(preset="season", hidden_size="16")
    assert slot().experiment == season.replace(hidden_size=16) and season.task == OWN_DATA
    assert page.title[0].value == "Does it see the season?" and not page.exception
    assert page.query_params == {"preset": "season", "hidden_size": "16"}, "it names no data: the lesson does"
    assert widgets(page)["task"].value == own_data_store.option_of(season)
    turn(page, "learn")
    assert slot().experiment == season.replace(hidden_size=16)


def test_from_its_data_one_goes_to_others_and_back(pool, season):
    page = opened(preset="season")
    move(page, "task", "adding")
    assert slot().experiment.task == "adding" and slot().experiment.task_options == {}
    assert page.query_params["task"] == "adding" and "data" not in page.query_params
    press(page, "back_to_lesson")
    assert slot().experiment == season and page.query_params == {"preset": "season"}


def test_networks_are_compared_on_its_data(pool, season):
    page = turn(opened(), "compare", preset="season")
    chosen = widgets(page)["race_task"]
    assert chosen.value == OWN_DATA and chosen.options[0] == "sales.csv · Your data" and warnings(page) == []
    move(page, "race_task", "adding")
    assert "sales.csv · Your data" not in widgets(page)["race_task"].options


def test_links_name_data_where_they_are_not_those_of_the_lesson(season):
    lesson = load_preset("season")
    assert links.to_link(season, lesson, lesson.speed) == {"preset": "season"}
    alone = links.to_link(season, None, lesson.speed)
    assert alone["task"] == OWN_DATA and alone["data"] == season.task_options["data"]
    needed = own_data_link.split(alone)[1]
    assert needed is not None and needed.options == season.task_options
    other = dataclasses.replace(lesson, experiment=season, slug="other", data="")
    assert links.to_link(season.replace(seed=3), other, lesson.speed) == {"preset": "other", "seed": "3"}


def test_published_data_open_without_the_lesson_too(pool, season, monkeypatch):
    link = links.to_link(season, None, load_preset("season").speed)
    opened(**link)
    assert slot().experiment == season
    monkeypatch.setattr(own_data_store, "mine", own_data_store.Files)
    assert own_data_store.task_here(season.task_options) is season.definition
    assert own_data_store.task_here({**season.task_options, "target": "price"}) is None


def test_the_editor_keeps_the_data_and_shows_them(season, monkeypatch):
    stored: dict = {}
    monkeypatch.setattr(tab, "load", stored.get)
    monkeypatch.setattr(tab, "store", stored.__setitem__)
    monkeypatch.setattr(drafts, "browser", lambda: "one")
    copy = Draft(start.copy_of("season"), name="a-copy")
    assert copy.problems == [] and copy.lesson.experiment == season and copy.table["experiment"] == {"hidden_size": 8}
    assert (copy.table["data"], copy.table["data_choices"]) == ("sales.csv", {"target": "sales", "test_share": 0.25})
    assert readable(copy).experiment == season

    elsewhere = Draft({**copy.table, "data": "else.csv"})
    (problem,) = elsewhere.problems
    assert problem.place == ("data",) and problem.says.startswith("else.csv is read only with a lesson")
    assert elsewhere.lesson is None and 'data = "else.csv"' in elsewhere.text
    assert readable(elsewhere).experiment.task == "first_symbol_recall"
    again = Draft({})
    again.read(elsewhere.text)
    assert again.table == elsewhere.table
    replace_experiment(Form(again), Experiment(task="adding"))
    assert "data" not in again.table and "data_choices" not in again.table and again.lesson is not None


def test_the_form_shows_the_file_and_the_network_that_suits_it(pool, season):
    page = turn(opened(preset="season"), "write")
    key = next(each for each in widgets(page) if each.startswith("copy_"))
    page.selectbox(key=key).set_value("season")
    run(page)
    fields = {each.key: each.value for each in (*page.text_input, *page.selectbox)}

    def value(name: str) -> object:
        return next(shown for key, shown in fields.items() if key and key.endswith(f"_{name}"))

    assert value("data") == "sales.csv" and value("experiment_cell") == "gru" and value("experiment_hidden_size") == "8"
    assert not any(key and key.endswith("experiment_task") for key in fields)
    assert not page.button(key="try_lesson").disabled
    assert any("target=sales" in each.value.replace("\\", "") for each in page.caption)
    press(page, "try_lesson")
