"""Classes without a server, and students whose runs have a frame."""

from __future__ import annotations

import pytest

from app.classroom.classroom import Classroom, Student
from app.classroom.look import LOOKS
from app.classroom.registry import CLASSES, STUDENTS, Classes
from app.hub import RunSlot
from app.run_start import Start
from engine.experiment import Experiment
from tests.clock import Clock
from tests.fakes import SMALL, FakePool, at_step

NASTY = [
    "<img src=x onerror=alert(1)>",
    "**x** `y` [z](//a.b) $a$ :red[b]",
    "عُمَر",
    "👩\u200d🔬 Marie",
    "=1+2",
    "w" * 200,
]
"""Names that would do harm as HTML, as Markdown or in a spreadsheet, read from right to left, or are long."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def classes(clock: Clock) -> Classes:
    return Classes(clock)


@pytest.fixture
def no_classes() -> None:
    """Every test of a page has a server of its own."""
    for each in (CLASSES, STUDENTS, LOOKS):
        each.__init__()


def opened_class(classes: Classes, owner: str = "teacher") -> Classroom:
    return classes.open(owner, {"preset": "remember"}, "Remember the first", SMALL)


def run_slot(experiment: Experiment = SMALL, step: int | None = 3) -> RunSlot:
    """A tab's runs; the present one has a frame of this step, or none yet."""
    slot = RunSlot(FakePool(), "", Start(experiment), speed="normal")
    train_to(slot, step)
    return slot


def train_to(slot: RunSlot, step: int | None) -> None:
    if step is not None:
        slot.run.frame = at_step(step)
        slot.run.frames = (slot.run.frame,)


def student_at(classes: Classes, classroom: Classroom, name: str, slot: RunSlot | None = None) -> Student:
    """A student whose page is open. Whoever calls keeps the slot: the class does not."""
    student = classes.join(classroom.code, f"browser of {name[:20]}", name)
    student.tabs = 1
    if slot is not None:
        student.slot = slot
    return student
