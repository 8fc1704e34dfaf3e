"""All classes of this server, who may run them, and how they are found, joined and forgotten."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from app.classroom import limits, text
from app.classroom.classroom import Assignment, Classroom, Student
from app.classroom.code import new_code
from app.classroom.look import LOOKS, Look
from app.classroom.question import ClassroomError
from app.classroom.rate import Rate
from app.slot_registry import SlotRegistry
from engine.experiment import Experiment

EVERYBODY = "everybody"  # the key of what is counted of all browsers together


class Classes(SlotRegistry[Classroom]):
    """All open classes. They live in the server's memory as long as they are used, and no longer than a school day."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._openings = Rate(limits.CLASSES_OF_A_BROWSER, limits.PER, clock)
        self._joins = Rate(limits.JOINS_OF_A_BROWSER, limits.PER, clock)
        self._joins_of_class = Rate(limits.JOINS_OF_A_CLASS, limits.PER, clock)
        self._wrong = Rate(limits.WRONG_CODES_OF_A_BROWSER, limits.PER, clock)
        self._wrong_of_all = Rate(limits.WRONG_CODES_OF_ALL, limits.PER, clock)

    def open(self, owner: str, link: dict[str, str], title: str, experiment: Experiment) -> Classroom:
        """Open a class that begins with a link of the playground.

        Raises:
            ClassroomError: if there are too many.
        """
        with self._lock:
            if len(self._slots) >= limits.MAX_CLASSES:
                raise ClassroomError(text.TOO_MANY_CLASSES.format(most=limits.MAX_CLASSES))
            if self._openings.is_used_up(owner):
                raise ClassroomError(text.TOO_FAST)
            self._openings.count(owner)
            code = new_code([each.code for each in self._slots])
            classroom = Classroom(owner, code, Assignment(1, link, title, experiment), self._clock())
            self._slots.append(classroom)
            return classroom

    def of(self, owner: str) -> Classroom | None:
        """The class that this browser has opened last; None if there is none."""
        with self._lock:
            return next((each for each in reversed(self._slots) if owner and each.owner == owner), None)

    def by_key(self, key: str) -> Classroom | None:
        """The class with this secret key."""
        with self._lock:
            return next((each for each in self._slots if secrets.compare_digest(each.key.encode(), key.encode())), None)

    def by_code(self, code: str) -> Classroom | None:
        """The class with this code."""
        with self._lock:
            return next((each for each in self._slots if each.code == code), None)

    def asked_for(self, code: str, owner: str) -> Classroom:
        """The class that somebody asks for by its code.

        Raises:
            ClassroomError: if there is none, or if somebody tries one code after the other.
        """
        with self._lock:
            if self._wrong.is_used_up(owner) or self._wrong_of_all.is_used_up(EVERYBODY):
                raise ClassroomError(text.TOO_FAST)
            if (found := self.by_code(code)) is None:
                self._wrong.count(owner)
                self._wrong_of_all.count(EVERYBODY)
                raise ClassroomError(text.NO_SUCH_CLASS)
            return found

    def join(self, code: str, owner: str, raw_name: str) -> Student:
        """A new student of a class.

        Raises:
            ClassroomError: if there is no such class, it is full, or too many come at once.
        """
        with self._lock:
            classroom = self.asked_for(code, owner)
            if self._joins.is_used_up(owner) or self._joins_of_class.is_used_up(code):
                raise ClassroomError(text.TOO_FAST)
            self._joins.count(owner)
            self._joins_of_class.count(code)
            return classroom.join(owner, raw_name)

    def remove(self, student: Student) -> None:
        """Take a student out of the class."""
        with self._lock:
            student.classroom.remove(student)

    def show(self, classroom: Classroom, look: Look | None) -> None:
        """Show a run to all students of a class, in the place of the one before; None to end that."""
        before = classroom.look
        if look is not None:
            LOOKS.acquire(look)
        classroom.show(look)
        if before is not None:
            LOOKS.release(before)

    def end(self, classroom: Classroom) -> None:
        """End a class and forget it."""
        with self._lock:
            if classroom in self._slots:
                self._slots.remove(classroom)
        self.show(classroom, None)
        classroom.stop()

    def expire(self) -> None:
        """Forget the classes that nobody has used for a while, and those of yesterday."""
        with self._lock:
            now = self._clock()
            for classroom in list(self._slots):
                if classroom.is_used:
                    classroom.used = now
                unused, age = now - classroom.used, now - classroom.began
                is_old = unused > 60 * limits.UNUSED_MINUTES or age > 3600 * limits.AT_MOST_HOURS
                if is_old or classroom.is_over:
                    self.end(classroom)


CLASSES = Classes()
"""The classes of this server."""
STUDENTS: SlotRegistry[Student] = SlotRegistry()
"""The students whose pages are open, by the tokens of their sockets."""


def expire() -> None:
    """Forget what nobody uses any more."""
    CLASSES.expire()
    STUDENTS.expire()
    LOOKS.expire()
