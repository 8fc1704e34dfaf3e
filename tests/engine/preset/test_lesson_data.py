"""Lessons on data of their own: a file beside the lesson's file, read in the background."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from engine.data import DataError
from engine.data.dataset import dataset_of
from engine.data.defaults import defaults
from engine.data.fingerprint import fingerprint
from engine.experiment import Experiment
from engine.preset import (
    BeingReadError,
    PresetError,
    being_read,
    list_presets,
    load_preset,
    parse_preset,
    published_data,
    save_lesson,
    unreadable,
    wait_until_read,
    write_preset,
)
from engine.preset import lesson_data as module
from engine.preset.lesson_data import DATA, read_beside, sentence
from engine.tasks import OWN_DATA
from tests.engine.lesson_data import LESSON, SALES, read_now


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path))
    return tmp_path


def theirs() -> list[str]:
    return [preset.slug for preset in list_presets() if preset.file]


def read(slug: str) -> None:
    assert not wait_until_read(slug, 60), being_read()


def test_a_lesson_is_there_once_its_data_are_read_and_follows_them(folder):
    (folder / "sales.csv").write_text(SALES)
    (folder / "season.toml").write_text(LESSON)
    assert being_read() == {
        "season": "season.toml, data: sales.csv is being read; the lesson is here once that is done."
    }
    assert theirs() == [] and unreadable() == ()
    read("season")
    assert theirs() == ["season"] and unreadable() == () and list_presets() is list_presets()

    lesson = load_preset("season")
    dataset, experiment = dataset_of(lesson.experiment), lesson.experiment
    choices = {"target": "sales", "test_share": 0.25}
    assert (lesson.data, lesson.data_choices) == ("sales.csv", choices)
    assert experiment.task == OWN_DATA and dataset.name == "sales.csv"
    assert experiment.task_options == {"data": fingerprint([SALES.encode()]), "kind": "series", **choices}
    assert experiment == defaults(dataset).replace(hidden_size=8) and experiment.cell == "gru"
    assert experiment.noise == 0.3  # of the usual network for a series, not of Experiment
    values = dataset.content.series[0].values
    assert np.allclose(np.sort(values[:, dataset.content.channels.index("sales")])[[0, -1]], [100, 294])
    again = published_data("sales.csv", {"test_share": 0.25, "target": "sales"})
    assert (again.fingerprint, again.choices) == (dataset.fingerprint, choices)

    again = parse_preset("season", write_preset(lesson), "md", lambda name, choices: dataset)
    assert dataclasses.replace(again, file=lesson.file) == lesson and "fingerprint" not in write_preset(lesson)
    assert "[experiment]\nhidden_size = 8\n+++" in write_preset(lesson)

    (folder / "sales.csv").write_text(SALES.replace("2019-12,4,294", "2019-12,4,5,294"))
    assert "season" in being_read() and theirs() == [] and load_preset("season") is lesson  # whoever has it keeps it
    read("season")
    assert dataset_of(load_preset("season").experiment).fingerprint != dataset.fingerprint


def test_what_is_wrong_with_the_data_is_the_lessons_problem(folder, subtests):
    (folder / "absent.toml").write_text(LESSON.replace("sales.csv", "absent.csv"))
    assert unreadable() == ("absent.toml, data: absent.csv is not there; put it beside the lesson's file.",)
    (folder / "absent.csv").write_text(SALES)
    assert "absent" in being_read(), "a file that comes later is seen"
    (folder / "absent.csv").unlink()
    (folder / "ragged.csv").write_text(SALES + "2020-01,1\n" * 40)
    (folder / "ragged.toml").write_text(LESSON.replace("sales.csv", "ragged.csv"))
    (folder / "open.toml").write_text(LESSON.replace("sales.csv", "sales.csv").replace("look_for", "look_at"))
    (folder / "sales.csv").write_text(SALES)
    (folder / "kind.toml").write_text(LESSON.replace('target = "sales"', 'kind = "table"'))
    (folder / "choice.toml").write_text(LESSON.replace("test_share = 0.25", "share = 0.25"))
    read("ragged")
    problems = {each.partition(",")[0].partition(":")[0]: each for each in unreadable()}
    for file, parts in {
        "absent.toml": ("data: absent.csv is not there",),
        "ragged.toml": ("data: ragged.csv", "ine 98", "3 are expected"),
        "open.toml": ("look_at is not a key",),
        "kind.toml": ("data: the kind of the data is one of series, text", "'table'"),
        "choice.toml": ("data: sales.csv: The choice 'share' is not known",),
    }.items():
        with subtests.test(file=file):
            assert [part for part in parts if part not in problems[file]] == [], problems[file]
    assert being_read() == {} and theirs() == []
    with pytest.raises(PresetError, match=r"^ragged\.toml, data: ragged\.csv"):
        load_preset("ragged")


@pytest.mark.parametrize(
    "name", ["../sales.csv", "/etc/passwd", "sub/sales.csv", "sub\\sales.csv", ".hidden", "", ".."]
)
def test_data_lie_in_the_folder_of_the_lesson_itself(folder, name):
    (folder / "season.toml").write_text(LESSON.replace('"sales.csv"', f"'{name}'"))
    (problem,) = unreadable()
    assert problem == (
        f"season.toml, data: the name of a file beside the lesson is expected, without a directory, but got {name!r}."
    )


def test_a_link_out_of_the_folder_and_a_file_that_is_too_large_are_refused(folder, tmp_path_factory, monkeypatch):
    outside = tmp_path_factory.mktemp("outside") / "secret.csv"
    outside.write_text(SALES)
    (folder / "sales.csv").symlink_to(outside)
    (folder / "season.toml").write_text(LESSON)
    assert unreadable() == (
        "season.toml, data: sales.csv leads out of the folder of the lesson; put the file itself there.",
    )
    (folder / "sales.csv").unlink()
    (folder / "sales.csv").write_text(SALES)
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 100)
    assert f"has {len(SALES):,} bytes; a file of data has at most 100" in unreadable()[0]
    monkeypatch.setattr(module, "MAX_FILE_BYTES", 10_000)
    monkeypatch.setattr(module, "MAX_BYTES", 1_000)
    (folder / "season.toml").write_text(LESSON + " ")
    assert f"The data of all lessons have {len(SALES):,} bytes, more than 1,000." in unreadable()[0]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (LESSON.replace('data = "sales.csv"', "data = 3"), "x.toml: data must be a text, but got 3."),
        (
            LESSON.replace('data = "sales.csv"\n', ""),
            "data_choices is about data of the lesson's own, so it needs data",
        ),
        (LESSON + 'task = "adding"', "task must be left out, because the lesson has data of its own."),
        (LESSON + 'rnn_type = "encoder_decoder"', "rnn_type must be many_to_one or many_to_many for sales.csv"),
        (LESSON.replace("hidden_size=4", "hidden_size=0"), r"link \[make it narrow\]: hidden_size must be"),
        (LESSON.replace("order = 1", ""), "order is missing"),
    ],
    ids=lambda each: each[-30:],
)
def test_settings_that_do_not_fit_the_data_are_refused(folder, wrong, says, dataset):
    with pytest.raises(PresetError, match=says):
        parse_preset("x", wrong, "toml", lambda name, choices: dataset)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    place = tmp_path_factory.mktemp("lesson")
    (place / "sales.csv").write_text(SALES)
    return read_beside(place, "sales.csv", {"kind": "series", "target": "sales"})


def test_it_needs_no_experiment_and_can_be_read_at_once(dataset):
    alone = LESSON.partition("[data_choices]")[0]
    lesson = parse_preset("x", alone, "toml", lambda name, choices: dataset)
    assert lesson.experiment == defaults(dataset) and "[experiment]" not in write_preset(lesson)
    with pytest.raises(PresetError, match=r"x\.toml, data: sales\.csv is not here: only the lessons of a teacher's"):
        parse_preset("x", alone)
    with pytest.raises(PresetError, match=r"absent\.csv: There is no file"):
        read_beside(Path(__file__).parent, "absent.csv", {})


def test_while_it_is_being_read_every_other_problem_is_told_first():
    def find(name, choices):
        raise BeingReadError("it is being read.")

    with pytest.raises(PresetError, match="order is missing") as problem:
        parse_preset("x", LESSON.replace("order = 1", ""), "toml", find)
    assert not isinstance(problem.value, BeingReadError)
    with pytest.raises(BeingReadError):
        parse_preset("x", LESSON, "toml", find)


def test_only_data_of_a_lesson_are_published(folder, monkeypatch):
    read_now(monkeypatch)
    (folder / "sales.csv").write_text(SALES)
    (folder / "grades.csv").write_text(SALES)
    (folder / "season.toml").write_text(LESSON)
    read("season")
    choices = load_preset("season").data_choices
    for name, chosen in (("grades.csv", choices), ("sales.csv", {}), ("../sales.csv", choices)):
        with pytest.raises(PresetError, match="is read only with a lesson in the teacher's folder"):
            published_data(name, chosen)
    monkeypatch.setenv("PLAYGROUND_SAVE_LESSONS", "1")
    text = write_preset(load_preset("season"))
    save_lesson("copied", text)
    assert theirs() == ["copied", "season"], "the same file with the same choices is not read again"
    with pytest.raises(PresetError, match="is read only with"):
        save_lesson("spied", text.replace("sales.csv", "grades.csv"))
    for file in ("season.toml", "copied.md"):
        (folder / file).unlink()
    assert theirs() == [] and DATA._found == {}, "data that no lesson has any more are forgotten"


def test_a_visit_never_waits_for_a_file(folder):
    (folder / "sales.csv").write_text(SALES * 200)
    (folder / "season.toml").write_text(LESSON)
    list_presets()
    began = time.monotonic()
    for _ in range(50):
        list_presets(), being_read()
    assert time.monotonic() - began < 0.5
    (folder / "season.toml").unlink()
    assert being_read() == {} and DATA._found == {}, "it is stopped where the lesson is gone"


def test_a_sentence_names_file_line_and_column_once():
    assert sentence("a.csv", DataError("It is empty.")) == "a.csv: It is empty."
    assert sentence("a.csv", DataError("Nothing.", 3, "price")) == "a.csv, line 3, column price: Nothing."
    assert sentence("a.csv", DataError("Line 3: price is none.", 3, "price")) == "a.csv: Line 3: price is none."


def test_lessons_of_the_catalogue_have_no_data():
    assert all(preset.data == "" and preset.data_choices == {} for preset in list_presets() if not preset.file)
    assert load_preset("remember").experiment.task_options == Experiment().task_options == {}


def test_a_line_is_named_once_and_another_one_that_begins_alike_is_no_such_line():
    assert sentence("a.csv", DataError("Line 1 has 3 columns where in line 12 are 4.", 1)).startswith("a.csv: Line 1")
    assert sentence("a.csv", DataError("In line 12 are 4.", 1)) == "a.csv, line 1: In line 12 are 4."
    assert sentence("a.csv", DataError("In line 1,200 are 4.", 1)) == "a.csv, line 1: In line 1,200 are 4."
    assert sentence("a.csv", DataError("First in line 1, and then on.", 1)).startswith("a.csv: First")
