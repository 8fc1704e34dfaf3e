"""The page "Write a lesson": what is typed, said, kept, tried and saved."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import drafts, links, text
from app.drafts import Draft
from app.hub import HUB
from app.learn import text as learn_text
from app.write import text as write_text
from engine.experiment import Experiment
from engine.preset import list_presets, load_preset, parse_preset, saving
from tests.app.conftest import LIMIT, MAIN, opened, press, run, slot, turn, warnings, widgets

pytestmark = pytest.mark.usefixtures("pool")


@pytest.fixture(autouse=True)
def visitor(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose browser it is: its only entry, which may be changed. Nobody has drafts yet."""
    now = ["one"]
    monkeypatch.setattr(drafts, "browser", lambda: now[0])
    monkeypatch.setattr(drafts, "DRAFTS", drafts.Drafts())
    return now


def shown(page: AppTest) -> Draft:
    """The draft that the page shows."""
    return page.session_state["_draft"]


def field(page: AppTest, *place: str | int):
    """The field at this place."""
    key = f"write_{shown(page).id}_{shown(page).version}_{'_'.join(map(str, place))}"
    return next(each for kind in ("text_input", "text_area", "selectbox", "toggle", "multiselect")
                for each in page.get(kind) if each.key == key)  # fmt: skip


def typed(page: AppTest, value, *place: str | int) -> AppTest:
    """Somebody changes one field."""
    field(page, *place).set_value(value)
    return run(page)


def said(page: AppTest) -> str:
    """All HTML of the page: what is wrong, and the card."""
    return "\n".join(each.proto.body for each in page.get("html") if not each.proto.body.startswith("<style"))


def written(page: AppTest) -> AppTest:
    """A lesson that can be used."""
    for key, value in (("title", "My lesson"), ("question", "Is it?"), ("look_for", "It falls.")):
        typed(page, value, key)
    return page


def test_the_page_opens_by_itself_and_starts_no_run():
    page = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    page._page_hash = calc_hash("write")
    run(page)
    assert page.title[0].value == write_text.TITLE and HUB._slots == []
    assert said(page).count("is missing.") == 3 and write_text.count(3, 3) in said(page)
    assert page.button(key="take_settings").disabled
    assert "save" not in widgets(page)


def test_what_is_typed_is_checked_seen_and_written():
    page = written(turn(opened(), "write"))
    assert write_text.READY in said(page) and '<p class="card-title">1 · My lesson</p>' in said(page)
    typed(page, "0", "experiment", "hidden_size")
    assert "hidden_size must be a whole number from 1 to 2,048, but got 0." in said(page)
    typed(page, "3,5", "experiment", "hidden_size")
    assert "hidden_size must be a whole number from 1 to 2,048, but got &#x27;3,5&#x27;." in said(page)
    typed(page, "16", "experiment", "hidden_size")
    typed(page, "learning_rate=0.01, clip=none", "experiment", "further")
    typed(page, "Now [shorter](set:seq_len=0).", "text")
    assert "link [shorter]: seq_len must be a whole number" in said(page)
    typed(page, "Now [shorter](set:seq_len=10).", "text")
    lesson = parse_preset("my-lesson", shown(page).text, "md")
    assert lesson.experiment == Experiment(
        task="first_symbol_recall", cell="rnn", seq_len=20, hidden_size=16, learning_rate=0.01, clip="none"
    )
    assert (lesson.title, lesson.text) == ("My lesson", "Now [shorter](set:seq_len=10).")


def test_text_of_users_is_no_html():
    page = typed(written(turn(opened(), "write")), "<img src=x onerror=alert(1)>", "title")
    typed(page, "<script>", "experiment", "hidden_size")
    assert "<img" not in said(page) and "<script>" not in said(page) and "&lt;script&gt;" in said(page)


def test_questions_suggestions_and_the_goal():
    page = written(turn(opened(), "write"))
    for key in ("add_predict", "add_next", "add_done"):
        press(page, key)
    assert "asks is missing." in said(page) and "settings is missing." in said(page)
    for value, *place in (("What comes?", "predict", 0, "asks"), ("This\n\nThat\nNone", "predict", 0, "answers"),
                          ("It must.", "predict", 0, "because"), ("Shorter", "next", 0, "says"),
                          ("seq_len=10", "next", 0, "settings"), ("40", "done", "step")):  # fmt: skip
        typed(page, value, *place)
    typed(page, 2, "predict", 0, "right")
    typed(page, "vanished", "done", "kind")
    lesson = shown(page).lesson
    (asked,), (change,) = lesson.predict, lesson.next
    assert (asked.answers, asked.right, asked.when.step) == (("This", "That", "None"), 2, 300)
    assert change.settings == {"seq_len": 10}
    assert (lesson.done.kind, lesson.done.step, lesson.done.solved) == ("vanished", 40, True)
    for key in ("remove_predict_0", "remove_next_0", "remove_done"):
        press(page, key)
    assert not {"predict", "next", "done"} & shown(page).table.keys() and write_text.READY in said(page)


def test_the_playgrounds_settings_and_other_data():
    page = written(turn(opened(preset="gru-adding", hidden_size="24"), "write"))
    press(page, "take_settings")
    assert shown(page).lesson.experiment == slot().experiment
    typed(page, "digits", "experiment", "task")
    assert shown(page).lesson.experiment.task == "digits" and field(page, "experiment", "seq_len").value != "50"
    press(page, "start_playground")
    assert shown(page).table["experiment"]["task"] == "adding" and "title" not in shown(page).table


def test_nothing_is_lost_on_another_page():
    page = written(turn(opened(), "write"))
    typed(page, "seq_len", "experiment", "further")
    press(page, "add_next")
    typed(page, "cell=", "next", 0, "settings")
    before = said(page)
    turn(turn(page, "learn"), "write")
    assert field(page, "title").value == "My lesson" and field(page, "next", 0, "settings").value == "cell="
    assert field(page, "experiment", "further").value == "seq_len" and said(page) == before


def test_a_new_one_leaves_the_old_among_the_drafts():
    page = written(turn(opened(), "write"))
    first = shown(page)
    widgets(page)[f"copy_{shown(page).id}"].set_value("default-lstm")
    run(page)
    assert field(page, "title").value == "An LSTM by itself" and write_text.READY in said(page)
    press(page, f"start_draft_{first.id}")
    assert shown(page) is first and field(page, "title").value == "My lesson"


def test_every_lesson_is_drawn_and_stays_as_it_is_until_it_is_changed():
    page = turn(opened(), "write")
    for preset in list_presets()[::9]:
        widgets(page)[f"copy_{shown(page).id}"].set_value(preset.slug)
        run(page)
        table = shown(page).text
        assert write_text.READY in said(page) and run(page) and shown(page).text == table
        assert shown(page).lesson.experiment == preset.experiment and shown(page).lesson.predict == preset.predict


def test_the_file_can_be_edited_and_a_wrong_one_stays():
    page = written(turn(opened(), "write"))

    def file():
        return page.text_area(key=f"write_raw_{shown(page).id}")

    file().set_value(file().value.replace("My lesson", "Its name"))
    run(page)
    assert field(page, "title").value == "Its name" and 'title = "Its name"' in file().value
    broken = file().value.replace("order = 1", "order 1")
    file().set_value(broken)
    run(page)
    assert file().value == broken and field(page, "title").value == "Its name"
    assert f"{write_text.NOT_READ} It cannot be read: " in said(page) and write_text.RAW in said(page)
    press(page, "undo_raw")
    assert file().value == shown(page).text and write_text.NOT_READ not in said(page)


def test_a_draft_is_tried_and_nobody_else_sees_it(visitor):
    page = typed(written(turn(opened(), "write")), "7", "experiment", "hidden_size")
    slug = shown(page).slug
    assert not page.button("try_lesson").disabled
    turn(page, "playground", preset=slug)
    assert page.title[0].value == "Is it?" and slot().experiment.hidden_size == 7 and warnings(page) == []
    assert page.query_params == {"preset": slug}
    assert learn_text.DRAFT in [each.value for each in page.sidebar.caption]
    assert learn_text.GO_ON_WRITING in [each.proto.label for each in page.get("page_link")]
    assert widgets(page)["preset"].value == slug and slug not in [preset.slug for preset in list_presets()]
    shared = dict(parse_qsl(page.code[0].value.partition("?")[2]))
    assert "preset" not in shared and links.read(shared).experiment == slot().experiment  # for all others
    press(page, "reset")
    turn(page, "write")
    assert field(page, "title").value == "My lesson"
    typed(page, "", "title")
    assert page.button("try_lesson").disabled
    assert opened(preset=slug).title[0].value == "Is it?"  # as it was when nothing was wrong: a reload, another tab
    visitor[0] = "another"
    other = opened(preset=slug)
    assert warnings(other)[0].startswith("The link opens") and other.title[0].value == load_preset("remember").question


def test_a_lesson_is_kept_on_a_server_that_allows_it(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path))
    monkeypatch.setenv(saving.ALLOWED, "1")
    page = written(turn(opened(), "write"))
    press(page, "save")
    assert [each.value for each in page.success] == [write_text.SAVED.format(file="my-lesson.md")]
    assert (tmp_path / "my-lesson.md").read_text(encoding="utf-8") == shown(page).text
    typed(page, "Is it so?", "question")
    press(page, "save")
    assert "“My lesson”" in warnings(page)[0] and "so?" not in (tmp_path / "my-lesson.md").read_text(encoding="utf-8")
    press(page, "replace_not")
    assert warnings(page) == []
    press(press(page, "save"), "replace")
    assert warnings(page) == [] and "so?" in (tmp_path / "my-lesson.md").read_text(encoding="utf-8")
    typed(page, "remember", "file")
    assert page.button(key="save").disabled and "the course has a lesson called remember already" in said(page)
    assert text.preset(load_preset("my-lesson")) == "1 · My lesson"
