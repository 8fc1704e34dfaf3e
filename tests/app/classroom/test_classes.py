"""Who may run a class, who gets in, what all are told, and when a class is forgotten."""

from __future__ import annotations

import gc

import pytest

from app.classroom import limits, registry
from app.classroom import text as class_text
from app.classroom.board_feed import told_student
from app.classroom.look import LOOKS, Look
from app.classroom.question import ClassroomError
from tests.app.classroom.conftest import opened_class, run_slot, student_at


def refusal(act) -> str:
    with pytest.raises(ClassroomError) as refused:
        act()
    return str(refused.value)


def test_a_class_belongs_to_its_browser_and_to_whoever_has_its_key(classes):
    mine, other = opened_class(classes), opened_class(classes, "another")
    assert classes.of("teacher") is mine and classes.of("nobody") is None
    assert classes.by_key(mine.key) is mine and classes.by_key(mine.code) is None and classes.by_key("") is None
    assert len({mine.key, mine.token, other.key, other.token}) == 4 and len(mine.key) >= 22
    nameless = opened_class(classes, "")
    assert classes.of("") is None and classes.by_key(nameless.key) is nameless


def test_a_student_joins_by_the_code_and_a_reload_finds_the_same(classes):
    classroom = opened_class(classes)
    ada, ben = (classes.join(classroom.code, "one machine", name) for name in ("Ada", ""))
    assert [student.name for student in classroom.students] == ["Ada", "Student 2"] and ada.token != ben.token
    assert [classroom.known("one machine", number) for number in (0, 1, 2, 3)] == [None, ada, ben, None]
    assert classroom.known("another", 1) is None  # who opens a copied address joins under a name of their own
    ben.owner = ""
    assert classroom.known("", 2) is None


def test_too_many_are_refused_in_a_sentence(classes, clock, monkeypatch):
    classroom = opened_class(classes)
    assert refusal(lambda: classes.join("FFFFF", "b", "")) == class_text.NO_SUCH_CLASS
    for _ in range(limits.WRONG_CODES_OF_A_BROWSER - 1):
        refusal(lambda: classes.join("", "b", ""))
    assert refusal(lambda: classes.join(classroom.code, "b", "")) == class_text.TOO_FAST
    clock.now += limits.PER + 1
    for _ in range(limits.JOINS_OF_A_BROWSER):
        classes.join(classroom.code, "b", "")
    assert refusal(lambda: classes.join(classroom.code, "b", "")) == class_text.TOO_FAST
    while len(classroom.students) < limits.MAX_STUDENTS:
        clock.now += limits.PER
        classes.join(classroom.code, f"b{len(classroom.students)}", "")
    full = class_text.CLASS_IS_FULL.format(most=limits.MAX_STUDENTS)
    assert refusal(lambda: classes.join(classroom.code, "last", "")) == full
    for number in range(1, limits.MAX_CLASSES):
        opened_class(classes, f"teacher {number}")
    many = class_text.TOO_MANY_CLASSES.format(most=limits.MAX_CLASSES)
    assert refusal(lambda: opened_class(classes, "late")) == many


def test_a_class_lives_as_long_as_it_is_used_and_no_longer_than_a_day_at_school(classes, clock):
    classroom = opened_class(classes)
    student = student_at(classes, classroom, "Ada")
    clock.now += 60 * limits.UNUSED_MINUTES + 1
    classes.expire()
    assert classes.of("teacher") is classroom  # a student is there
    student.tabs = 0
    clock.now += 60 * limits.UNUSED_MINUTES - 1
    classes.expire()
    assert not classroom.is_over
    clock.now += 2
    classes.expire()
    assert classroom.is_over and classes.of("teacher") is None and not student.attends
    other = opened_class(classes)
    other.tabs = 1
    clock.now += 3600 * limits.AT_MOST_HOURS + 1
    classes.expire()
    assert other.is_over


def test_what_the_teacher_does_is_told_to_all(classes, no_classes):
    classroom = opened_class(classes)
    student = student_at(classes, classroom, "Ada")
    told = []
    classroom.listeners.add(lambda: told.append(told_student(student)))
    classroom.freeze(True)
    assert told[-1]["frozen"]
    classroom.assign({"preset": "sine"}, "Sine", classroom.assignment.experiment)
    assert classroom.assignment.number == 2 and told[-1]["page"] != told[-2]["page"]
    classes.show(classroom, look := Look(run_slot(), ("loss",)))
    assert told[-1]["page"] != told[-2]["page"] and LOOKS.find(look.token) is look
    classes.show(classroom, None)
    assert look.abandoned and classroom.look is None
    classes.remove(student)
    assert not told[-1]["frozen"] and told[-1]["page"] != told[-2]["page"]
    number = len(told)
    classes.end(classroom)
    assert len(told) > number and classes.by_code(classroom.code) is None


def test_guesses_are_counted_while_the_question_is_open(classes):
    classroom = opened_class(classes)
    ada, ben, eve = (student_at(classes, classroom, name) for name in ("Ada", "Ben", "Eve"))
    classroom.ask("Will it learn?", ["Yes", "No"])
    for student, answer in ((ada, 0), (ben, 1), (ben, 0), (eve, 1), (eve, 2), (eve, -1), (eve, True), (eve, "0")):
        classroom.guess(student, 1, answer)
    classroom.guess(ada, 2, 1)
    assert classroom.question.counts == [2, 1] and classroom.question.guesses == {1: 0, 2: 0, 3: 1}
    classroom.guess(ada, 1, 1, keep=True)  # made beside the lesson, after that on this question
    assert classroom.question.counts == [2, 1]
    assert told_student(ada)["question"] | {"counts": None} == {
        "number": 1, "asks": "Will it learn?", "answers": ["Yes", "No"], "open": True, "chosen": 0, "counts": None,
    }  # fmt: skip
    assert told_student(ada)["question"]["counts"] is None  # nobody follows the others
    classroom.close_question()
    classroom.guess(ada, 1, 1)
    assert told_student(ada)["question"]["counts"] == [2, 1]
    classes.remove(eve)
    assert classroom.question.counts == [2, 0] and told_student(eve)["question"] is None
    classroom.put_question_away()
    assert classroom.question is None and told_student(ada)["question"] is None
    classroom.ask("And now?", ["a", "b"])
    assert classroom.question.number == 2 and [each.is_open for each in classroom.questions] == [False, True]
    for number in range(3, limits.MAX_QUESTIONS + 1):
        classroom.ask(f"{number}?", ["a", "b"])
    many = class_text.TOO_MANY_QUESTIONS.format(most=limits.MAX_QUESTIONS)
    assert refusal(lambda: classroom.ask("more?", ["a", "b"])) == many


def test_a_class_keeps_no_runs_that_the_hub_has_forgotten(classes):
    classroom = opened_class(classes)
    slot = run_slot()
    student = student_at(classes, classroom, "Ada", slot)
    assert student.slot is slot
    del slot
    gc.collect()
    assert student.slot is None


def test_the_server_forgets_classes_students_and_looks_together(no_classes):
    registry.CLASSES.open("teacher", {"preset": "remember"}, "Remember", run_slot().experiment)
    registry.expire()
    assert registry.CLASSES.of("teacher") is not None


def test_a_class_that_ended_while_its_page_was_drawn_is_forgotten_again(classes):
    classroom = opened_class(classes)
    classes.end(classroom)
    classes.acquire(classroom)
    classes.expire()
    assert classes.of("teacher") is None
