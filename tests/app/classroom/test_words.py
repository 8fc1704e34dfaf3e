"""What people type: codes, names, questions; and what is said of it in one sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.classroom import text as class_text
from app.classroom.code import LENGTH, LETTERS, new_code, read_code
from app.classroom.limits import MAX_ANSWER, MAX_NAME, MAX_QUESTION
from app.classroom.names import name_of, one_line
from app.classroom.question import ClassroomError, new_question
from app.classroom.rate import Rate
from tests.app.classroom.conftest import NASTY, Clock


def test_a_code_has_no_letters_that_are_taken_for_others():
    assert not set(LETTERS) & set("01258BCDEGILOPQSTUVZ") and len(set(LETTERS)) == len(LETTERS)
    code = new_code([])
    assert len(code) == LENGTH and read_code(code) == code


def test_a_code_is_read_however_it_is_typed():
    assert read_code(" af-h k m") == read_code("AFHKM") == "AFHKM"
    assert [read_code(raw) for raw in ("", "AFHK", "AFHKMM", "AFHK0", "<b>", "Ａ" * 5, "A" * 10_000)] == [""] * 7


def test_a_new_code_is_another_one(monkeypatch):
    letters = iter("AAAAAAAAAAFFFFF")
    monkeypatch.setattr("app.classroom.code.secrets.choice", lambda _: next(letters))
    assert new_code(["AAAAA"]) == "FFFFF"


@given(st.text(max_size=300))
def test_a_name_is_one_short_line_that_turns_nothing_around(raw):
    name = name_of(raw, 7, [])
    assert 0 < len(name) <= MAX_NAME and name == " ".join(name.split())
    assert not set(name) & set("\n\r\t\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069\x00\x1b")


def test_names_stay_what_people_have_typed():
    assert [name_of(raw, 1, []) for raw in NASTY[:5]] == NASTY[:5]
    assert name_of("  Ada \n Lovelace ", 1, []) == "Ada Lovelace"
    assert name_of(" \u202e ", 4, []) == "Student 4"
    assert name_of("Ada", 2, ["Ada"]) == "Ada (2)"
    assert one_line("a" + "\u0301" * 50, 40) == "á\u0301\u0301"


def test_a_question_needs_two_to_four_answers_that_differ():
    question = new_question(1, " Will it\nlearn? ", ["Yes", " ", "No"])
    assert (question.asks, question.answers) == ("Will it learn?", ("Yes", "No"))
    assert len(new_question(1, "w" * 999, ["a" * 999, "b"]).asks) == MAX_QUESTION
    assert len(new_question(1, "w", ["a" * 999, "b"]).answers[0]) == MAX_ANSWER
    for asks, answers, says in (
        ("", ["a", "b"], class_text.NO_QUESTION),
        ("why?", ["a", "", ""], class_text.WRONG_ANSWERS.format(got=1)),
        ("why?", list("abcde"), class_text.WRONG_ANSWERS.format(got=5)),
        ("why?", ["a", "a "], class_text.SAME_ANSWERS),
    ):
        with pytest.raises(ClassroomError, match=says.replace("?", r"\?")):
            new_question(1, asks, answers)


def test_a_rate_forgets_after_its_time_and_counts_each_key_alone():
    clock = Clock()
    rate = Rate(2, 60, clock)
    rate.count("a")
    assert not rate.is_used_up("a")
    rate.count("a")
    assert rate.is_used_up("a") and not rate.is_used_up("b")
    clock.now += 61
    assert not rate.is_used_up("a")
