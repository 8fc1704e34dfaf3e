"""What the sockets of a class send: to the teacher the board, to a student what the teacher has done."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from app.classroom.cards import card, newest
from app.classroom.classroom import Classroom, Student
from app.classroom.question import Question
from app.classroom.registry import CLASSES, STUDENTS
from app.live import stream
from app.live.messages import pack
from engine.workers import Listeners

LOOK_EVERY = 1.0  # seconds between two looks at the students' runs
ASK_EVERY = 3.0  # seconds between two frames that the board itself asks of a run that nobody watches
BOARDS = 4  # sockets of one board


class BoardFeed:
    """One socket's view of the board: it knows which cards were sent, and so which are new.

    The students' runs tell it nothing, for they change all the time: it looks at them once a second.
    """

    def __init__(self, classroom: Classroom) -> None:
        self._class = classroom
        self._cards: dict[int, dict[str, Any]] = {}
        self._keys: dict[int, tuple[Any, ...]] = {}
        self._asked: dict[int, float] = {}  # when a frame of a student's run was last asked for
        self._sent: dict[str, Any] = {}
        self._due = 0.0

    @property
    def ended(self) -> bool:
        """True if the class is over."""
        return self._class.is_over

    @property
    def listeners(self) -> Listeners:
        """Told of everything but the runs."""
        return self._class.listeners

    @property
    def patience(self) -> float:
        """Seconds until the runs are looked at again."""
        return max(0.01, self._due - time.monotonic())

    def receive(self, message: str) -> None:
        """A board asks for nothing in particular."""

    def advance(self, *, requested: bool) -> None:
        """Do nothing: the students' runs train without the board."""

    def news(self) -> bytes | None:
        """Nothing is sent without a request: a board that nobody sees costs nothing."""
        return None

    def frame(self) -> bytes | None:
        """Which students there are, the cards that have changed, and the guesses; None if nothing is new."""
        students = self._class.students
        fresh = self._changed(students)
        now = {"order": [student.number for student in students], "question": told(self._class.question)}
        if not fresh and now == self._sent:
            return None
        self._sent = now
        return pack({}, cards=fresh, **now)

    def _changed(self, students: tuple[Student, ...]) -> list[dict[str, Any]]:
        """The cards that differ from those sent: of new students at once, of all after LOOK_EVERY seconds."""
        is_due = time.monotonic() >= self._due
        if is_due:
            self._due = time.monotonic() + LOOK_EVERY
        assigned = self._class.assignment.experiment
        fresh = []
        for student in students:
            if not is_due and student.number in self._keys:
                continue
            key = self._key(student)
            if self._keys.get(student.number) == key:
                continue
            self._keys[student.number] = key
            now = card(student, assigned)
            if self._cards.get(student.number) != now:
                self._cards[student.number] = now
                fresh.append(now)
        return fresh

    def _key(self, student: Student) -> tuple[Any, ...]:
        """On what a student's card depends. It asks for the next frame where nobody else does."""
        slot = student.slot
        if slot is None:
            return (student.abandoned, None)
        run, frame = slot.run, newest(slot.run)
        status, now = run.status(), time.monotonic()
        is_behind = frame is None or frame.step < status.step
        if is_behind and now - self._asked.get(student.number, -ASK_EVERY) >= ASK_EVERY:
            self._asked[student.number] = now
            run.latest()
        measured = None if frame is None else frame.step
        return (student.abandoned, slot.token, measured, status.phase, run.experiment, self._class.assignment.number)


class StudentFeed:
    """What one student's page is told: everything that the teacher has done to it, whenever it changes."""

    patience = stream.LONGEST_SLEEP

    def __init__(self, student: Student) -> None:
        self._student = student
        self._sent: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        """A page that is out of the class is told so, and goes by itself."""
        return False

    @property
    def listeners(self) -> Listeners:
        """Told of everything but the runs."""
        return self._student.classroom.listeners

    def receive(self, message: str) -> None:
        """A guess, {"question": its number, "answer": index}; what does not fit is ignored."""
        with contextlib.suppress(ValueError, TypeError, KeyError, RecursionError):
            guess = json.loads(message)["guess"]
            self._student.classroom.guess(self._student, guess["question"], guess["answer"])

    def advance(self, *, requested: bool) -> None:
        """Do nothing."""

    def news(self) -> bytes | None:
        """Everything, if anything has changed."""
        now = told_student(self._student)
        if now == self._sent:
            return None
        self._sent = now
        return pack({}, **now)

    def frame(self) -> bytes | None:
        """Nothing is asked for."""
        return None


def told(question: Question | None) -> dict[str, Any] | None:
    """A question with its guesses so far, for the teacher."""
    if question is None:
        return None
    return {
        "number": question.number,
        "asks": question.asks,
        "answers": list(question.answers),
        "counts": question.counts,
        "open": question.is_open,
    }


def told_student(student: Student) -> dict[str, Any]:
    """What a student's browser draws by itself, and under "page" what the page itself depends on."""
    classroom, question = student.classroom, student.classroom.question
    shown = None
    if question is not None and (question.is_open or student.number in question.guesses):
        shown = {
            "number": question.number,
            "asks": question.asks,
            "answers": list(question.answers),
            "open": question.is_open,
            "chosen": question.guesses.get(student.number),
            "counts": None if question.is_open else question.counts,
        }
    return {"page": page_key(student), "frozen": classroom.is_frozen and student.attends, "question": shown}


def page_key(student: Student) -> str:
    """Another one says that the student's page has to be drawn anew."""
    classroom = student.classroom
    look = "" if classroom.look is None else classroom.look.token
    question = classroom.question
    asked = question.number if question is not None and question.lesson is not None else ""
    return f"{classroom.assignment.number} {student.attends} {look} {asked}"


async def board_socket(socket: WebSocket) -> None:
    """The stream of a board."""
    await stream.serve(socket, CLASSES, BoardFeed, most=BOARDS)


async def student_socket(socket: WebSocket) -> None:
    """The stream of a student's page."""
    await stream.serve(socket, STUDENTS, StudentFeed)


ROUTES = [
    WebSocketRoute("/live/board/{token}", board_socket),
    WebSocketRoute("/live/student/{token}", student_socket),
]
