"""The page "Class" and the line above a student's page, run by Streamlit without a browser."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from app import class_link, links, text
from app.classroom import assignments, invitation, teacher
from app.classroom import text as class_text
from app.classroom.look import Look
from app.classroom.registry import CLASSES
from engine.preset import list_presets, load_preset
from tests.app.classroom.conftest import NASTY, run_slot
from tests.app.conftest import opened, press, run, slot, turn, warnings, widgets


@pytest.fixture(autouse=True)
def server(pool, no_classes):
    """A server of its own."""


def open_class(page: AppTest | None = None) -> AppTest:
    page = press(turn(page or opened(), "class"), "class_open_button")
    assert page.title[0].value == class_text.HEADING.format(code=the_class().code)
    return page


def the_class():
    (only,) = CLASSES._slots
    return only


def begun(**link: str):
    """A class that another browser has opened."""
    opens = assignments.of_link(link or {"preset": "remember"})
    return CLASSES.open("another browser", *opens)


def join(name: str, code: str, *, by_link: bool = True) -> AppTest:
    page = turn(opened(), "class", **({"code": code} if by_link else {}))
    if not by_link:
        page.text_input(key="class_code").set_value(code)
    page.text_input(key="class_name").set_value(name)
    page = press(page, "class_join_button")
    page._page_hash = ""  # the browser is led to the playground, and stays there
    return page


def bar(page: AppTest) -> dict | None:
    """What the line above the page is given; None without one."""
    found = [each.proto for each in page.get("bidi_component") if each.proto.component_name.endswith("class_bar")]
    return json.loads(found[0].json) if found else None


def test_a_class_begins_with_what_stands_in_the_playground():
    page = open_class(opened(preset="remember-lstm", hidden_size="8"))
    given = the_class().assignment
    assert given.link == {"preset": "remember-lstm", "hidden_size": "8"} and given.experiment.hidden_size == 8
    assert given.title.startswith(load_preset("remember-lstm").title) and "units 8" in given.title
    assert the_class().code in "".join(each.proto.body for each in page.get("html"))
    assert len(page.button) >= 4
    press(page, "class_freeze")
    assert the_class().is_frozen
    press(page, "class_set_lesson")
    assert the_class().assignment.number == 2
    press(page, "class_end")
    assert CLASSES._slots == []


def test_a_student_joins_by_link_and_starts_from_the_teachers_experiment():
    classroom = begun(preset="remember-lstm", hidden_size="8")
    page = join("Ada", classroom.code)
    (ada,) = classroom.students
    assert slot().experiment == classroom.assignment.experiment and ada.slot is slot() and ada.tabs == 1
    assert page.query_params["class"] == f"{classroom.code}~1" and page.query_params["preset"] == "remember-lstm"
    assert (bar(page)["code"], bar(page)["name"], bar(page)["shown"]) == (classroom.code, "Ada", False)
    assert warnings(page) == []


def test_a_student_joins_by_typing_the_code_and_a_wrong_one_gets_a_sentence():
    classroom = begun()
    page = join("", "AAAAA" if classroom.code != "AAAAA" else "FFFFF", by_link=False)
    assert warnings(page) == [class_text.NO_SUCH_CLASS] and classroom.students == ()
    page.text_input(key="class_code").set_value(classroom.code.lower())
    page = press(page, "class_join_button")
    assert bar(page)["name"] == "Student 1"


def test_the_link_of_a_class_that_is_not_there_leaves_a_field_for_another_code():
    page = turn(opened(), "class", code="AAAAA")
    assert warnings(page) == [class_text.NO_SUCH_CLASS]
    page.text_input(key="class_code").set_value(begun().code)
    page = press(page, "class_join_button")
    assert bar(page)["name"] == "Student 1"


def test_the_class_sets_all_to_a_lesson_and_is_left_with_the_run_in_place():
    classroom = begun()
    page = join("Ada", classroom.code)
    classroom.assign(*assignments.of_lesson("wave"))
    page = run(page)
    assert page.query_params["preset"] == "wave" and slot().experiment == load_preset("wave").experiment
    before = slot().run
    CLASSES.remove(classroom.students[0])  # as "Leave" does, in the browser
    page = run(page)
    assert bar(page) is None and "class" not in page.query_params and slot().run is before
    assert classroom.students == ()


def test_the_end_of_a_class_is_said():
    classroom = begun()
    page = join("Ada", classroom.code)
    CLASSES.end(classroom)
    page = run(page)
    assert page.info[0].value == class_text.ENDED.format(code=classroom.code)
    assert bar(page) is None and slot().experiment == classroom.assignment.experiment


def test_the_teachers_run_is_shown_in_the_place_of_the_students_and_ends():
    classroom = begun()
    page = join("Ada", classroom.code)
    own = slot()
    CLASSES.show(classroom, Look(run_slot(), ("loss",)))
    page = run(page)
    keys = [each.proto.component_name for each in page.get("bidi_component")]
    assert bar(page)["shown"] and any(name.endswith("live_view") for name in keys) and "train" not in widgets(page)
    CLASSES.show(classroom, None)
    page = run(page)
    assert (
        not bar(page)["shown"]
        and "train" in widgets(page)
        and slot() is own
        and own.run.calls.count(("stop", None)) == 0
    )


def test_a_link_of_a_class_that_is_over_opens_the_experiment_and_says_so():
    page = opened(preset="remember", **{"class": "AAAAA"})
    assert page.info[0].value == class_text.NOT_THERE and warnings(page) == []
    assert links.read({"preset": "remember", "class": "AAAAA"}).refused == {}


def test_an_address_says_who_it_is_and_nonsense_says_nothing():
    read = [class_link.read({"class": raw}) for raw in ("AFHKM~3", "AFHKM", "AFHKM~-1", "~", "AFHKM~٣", "A~9999999")]
    assert read == [("AFHKM", 3), ("AFHKM", 0), ("AFHKM", 0), ("", 0), ("AFHKM", 0), ("A", 0)]
    assert class_link.read({}) == ("", 0)


def test_a_copied_address_of_a_student_asks_the_next_one_for_a_name():
    classroom = begun()
    page = opened(preset="remember", **{"class": classroom.code})
    assert page.text_input(key="class_name") is not None and classroom.students == ()


@pytest.mark.parametrize("name", NASTY)
def test_a_name_is_text_wherever_the_teacher_reads_it(name):
    page = open_class()
    student = CLASSES.join(the_class().code, "b", name)
    page.session_state[teacher.OPENED] = student.number
    page = run(page)
    assert page.subheader[0].value == text.escaped(student.name)
    assert page.info[0].value == class_text.NO_RUN_YET.format(name=text.escaped(student.name))
    assert all(student.name not in each.proto.body for each in page.get("html"))


def test_a_typed_question_is_asked_and_a_bad_one_gets_a_sentence():
    page = open_class()
    page.text_input(key="class_asks").set_value("Will it?")
    page.text_input(key="class_answer_1").set_value("Yes")
    page = press(page, "class_ask_own")
    assert warnings(page)[-1] == class_text.WRONG_ANSWERS.format(got=1) and the_class().questions == ()
    page.text_input(key="class_answer_2").set_value("No")
    page = press(page, "class_ask_own")
    assert the_class().question.answers == ("Yes", "No")
    page = press(press(page, "class_close_question"), "class_close_question")
    assert the_class().question is None and len(the_class().questions) == 1


def test_a_question_of_the_lesson_counts_the_guess_that_was_made_beside_it():
    slug = next(preset.slug for preset in list_presets() if preset.predict)
    classroom = begun(preset=slug)
    page = join("Ada", classroom.code)
    radio = next(each for each in page.radio if each.key.startswith("guess_here_"))
    radio.set_value(1)
    page = press(run(page), "run_it_here_0")
    question = load_preset(slug).predict[0]
    classroom.ask(question.asks, question.answers, (slug, 0))
    run(page)
    assert classroom.question.guesses == {1: 1}


def test_own_data_are_no_start_for_others(monkeypatch):
    monkeypatch.setattr(assignments.own_data_link, "split", lambda link: (link, "a file"))
    page = turn(opened(), "class")
    assert [each.value for each in page.info] == [class_text.OWN_DATA]


def test_the_qr_code_is_an_image_with_words_and_no_markup_of_an_address():
    drawn = invitation.qr_code('http://a.b/class?code="><b>', 'a "code"')
    assert drawn.count("<") == 1 and 'alt="a &quot;code&quot;"' in drawn and 'src="data:image/svg+xml' in drawn
    assert invitation.address("http://a.b/class?x=1", code="AFHKM") == "http://a.b/class?code=AFHKM"
    assert invitation.is_local("http://127.0.0.1:8501/class") and not invitation.is_local("http://10.0.0.4:8501/class")
