"""A class: its code, its students, what it works on, and what the teacher does with it. Nothing of it is on disk."""

from __future__ import annotations

import secrets
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass

from app.classroom import text
from app.classroom.limits import MAX_QUESTIONS, MAX_STUDENTS
from app.classroom.look import Look
from app.classroom.names import name_of
from app.classroom.question import ClassroomError, Question, new_question
from app.hub import RunSlot
from app.slot_registry import TabSlot
from engine.experiment import Experiment
from engine.workers import Listeners


@dataclass(frozen=True)
class Assignment:
    """What the class works on: a link to the playground.

    Args:
        number: rises with every new one.
        link: of the playground. title: what it opens, in a few words. experiment: its settings.
    """

    number: int
    link: dict[str, str]
    title: str
    experiment: Experiment


class Student(TabSlot):
    """One tab of a student; several on one machine are several students. It goes with its class.

    Attributes:
        number: in the order of joining, from 1. name: as it is shown; foreign text.
        followed: the number of the assignment that the student's page has opened.
    """

    def __init__(self, owner: str, classroom: Classroom, number: int, name: str) -> None:
        super().__init__(owner)
        self.classroom, self.number, self.name = classroom, number, name
        self.followed = classroom.assignment.number
        self._token = secrets.token_urlsafe(16)
        self._slot: weakref.ref[RunSlot] | None = None

    @property
    def token(self) -> str:
        """The name by which the socket of this student's page finds the class."""
        return self._token

    @property
    def slot(self) -> RunSlot | None:
        """The student's runs; None before the playground was opened, and once they were forgotten."""
        return None if self._slot is None else self._slot()

    @slot.setter
    def slot(self, slot: RunSlot) -> None:
        if self.slot is not slot:
            self._slot = weakref.ref(slot)

    @property
    def attends(self) -> bool:
        """True while the class goes on and this student is in it."""
        return not self.classroom.is_over and self in self.classroom.students

    def stop(self) -> None:
        """Nothing works for a student alone: the runs are the hub's."""


class Classroom(TabSlot):
    """One class. `listeners` are told of everything but the students' runs.

    Args:
        owner: the teacher's browser.
        code: for the students.
        assignment: what they open.
        now: by the registry's clock.

    Attributes:
        began, used: when it was opened, and when it was last seen to be used, by the same clock.
        key: opens the board in another browser of the teacher's; unguessable.
        opened: when, in seconds since 1970.
        students: in the order of joining.
        is_frozen: the students' controls do nothing.
        look: the teacher's run that all see; None for none.
        questions: all that were asked, the newest last.
    """

    def __init__(self, owner: str, code: str, assignment: Assignment, now: float) -> None:
        super().__init__(owner)
        self.code, self.assignment = code, assignment
        self.began = self.used = now
        self.key, self._token = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        self.opened = time.time()
        self.listeners = Listeners()
        self.students: tuple[Student, ...] = ()  # replaced, never changed: sockets read it meanwhile
        self.questions: tuple[Question, ...] = ()
        self.look: Look | None = None
        self.is_frozen = self.is_over = False
        self._joined = 0

    @property
    def token(self) -> str:
        """The name by which the board's socket and its files find the class."""
        return self._token

    @property
    def is_used(self) -> bool:
        """True while a page of the class is open, the teacher's or a student's."""
        return not self.abandoned or any(not student.abandoned for student in self.students)

    def stop(self) -> None:
        """End the class: its students go on alone."""
        self.is_over = True
        self.look = None
        self.listeners.tell()

    # Students.

    def join(self, owner: str, raw_name: str) -> Student:
        """A new student. Several may come at once, so the registry calls this one after the other.

        Raises:
            ClassroomError: if the class is full.
        """
        if len(self.students) >= MAX_STUDENTS:
            raise ClassroomError(text.CLASS_IS_FULL.format(most=MAX_STUDENTS))
        self._joined += 1
        name = name_of(raw_name, self._joined, {student.name for student in self.students})
        student = Student(owner, self, self._joined, name)
        self.students = (*self.students, student)
        self.listeners.tell()
        return student

    def known(self, owner: str, number: int) -> Student | None:
        """The student with this number, for the browser in which that student has joined; None for any other."""
        return next((each for each in self.students if owner and (each.owner, each.number) == (owner, number)), None)

    def remove(self, student: Student) -> None:
        """Take a student out of the class, with the guesses made."""
        self.students = tuple(other for other in self.students if other is not student)
        for question in self.questions:
            question.guesses.pop(student.number, None)
        self.listeners.tell()

    # What the teacher does.

    def assign(self, link: dict[str, str], title: str, experiment: Experiment) -> None:
        """Set all students to a link of the playground."""
        self.assignment = Assignment(self.assignment.number + 1, link, title, experiment)
        self.listeners.tell()

    def freeze(self, on: bool) -> None:
        """Make the students' controls inert, or give them back."""
        self.is_frozen = on
        self.listeners.tell()

    def show(self, look: Look | None) -> None:
        """Show a run to all students; None to end that."""
        self.look = look
        self.listeners.tell()

    # Guesses.

    @property
    def question(self) -> Question | None:
        """The newest question, until it is put away."""
        return self.questions[-1] if self.questions and self.questions[-1].is_shown else None

    def ask(self, asks: str, answers: Sequence[str], lesson: tuple[str, int] | None = None) -> None:
        """Ask all students; the question before is closed.

        Args:
            lesson: (slug, number) of a lesson's question.

        Raises:
            ClassroomError: if it cannot be asked.
        """
        if len(self.questions) >= MAX_QUESTIONS:
            raise ClassroomError(text.TOO_MANY_QUESTIONS.format(most=MAX_QUESTIONS))
        question = new_question(len(self.questions) + 1, asks, answers, lesson)
        self.close_question()
        self.questions = (*self.questions, question)
        self.listeners.tell()

    def close_question(self) -> None:
        """Accept no further guesses."""
        if self.questions:
            self.questions[-1].is_open = False
            self.listeners.tell()

    def put_question_away(self) -> None:
        """Show it no longer; its guesses stay."""
        if self.questions:
            self.questions[-1].is_shown = False
            self.listeners.tell()

    def guess(self, student: Student, number: object, answer: object, *, keep: bool = False) -> None:
        """A student's guess, which may be changed while the question is open; what does not fit is ignored.

        Args:
            keep: a guess that was made before stays.
        """
        question = self.question
        if question is None or not question.is_open or question.number != number or not student.attends:
            return
        if type(answer) is int and 0 <= answer < len(question.answers):
            before = question.guesses.get(student.number)
            if before == answer or (keep and before is not None):
                return
            question.guesses[student.number] = answer
            self.listeners.tell()
