"""A question to the class with a few answers to choose from, and who has chosen what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.classroom import text
from app.classroom.limits import MAX_ANSWER, MAX_ANSWERS, MAX_QUESTION, MIN_ANSWERS
from app.classroom.names import one_line


class ClassroomError(ValueError):
    """What cannot be done, as one sentence for the page; it contains no foreign text."""


@dataclass(eq=False)
class Question:
    """One question. Guesses come in on the server's loop while a teacher's page reads them.

    Args:
        number: says which question of the class it is, from 1.
        asks: the question. answers: two to four.
        guesses: {student's number: index of the answer}.
        lesson: (slug, number) of the lesson's question that it is; None for a typed one.
        is_open: guesses are accepted. is_shown: it stands on the board, and on the pages of those who have guessed.
    """

    number: int
    asks: str
    answers: tuple[str, ...]
    guesses: dict[int, int] = field(default_factory=dict)
    lesson: tuple[str, int] | None = None
    is_open: bool = True
    is_shown: bool = True

    @property
    def counts(self) -> list[int]:
        """How many have chosen each answer."""
        chosen = list(self.guesses.values())
        return [chosen.count(at) for at in range(len(self.answers))]


def new_question(number: int, asks: str, answers: Sequence[str], lesson: tuple[str, int] | None = None) -> Question:
    """A question from what somebody has typed, or from a lesson's; empty answers are left out.

    Raises:
        ClassroomError: if it cannot be asked.
    """
    question = one_line(asks, MAX_QUESTION)
    if not question:
        raise ClassroomError(text.NO_QUESTION)
    given = [answer for answer in (one_line(raw, MAX_ANSWER) for raw in answers) if answer]
    if not MIN_ANSWERS <= len(given) <= MAX_ANSWERS:
        raise ClassroomError(text.WRONG_ANSWERS.format(got=len(given)))
    if len(set(given)) < len(given):
        raise ClassroomError(text.SAME_ANSWERS)
    return Question(number, question, tuple(given), lesson=lesson)
