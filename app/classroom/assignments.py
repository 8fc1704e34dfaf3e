"""What a class can work on: a lesson, or the teacher's playground as it stands."""

from __future__ import annotations

from typing import NamedTuple

from app import class_link, data_text, drafts, links, own_data_link, state
from app import text as app_text
from app.classroom import text as class_text
from app.classroom.question import ClassroomError
from app.share.card import without_lesson
from app.stage_mode import MODES
from engine.experiment import Experiment
from engine.preset import Prediction, Preset, load_preset


class Opens(NamedTuple):
    """What a link opens: the link itself, a title in a few words, and the settings."""

    link: dict[str, str]
    title: str
    experiment: Experiment


OWN = ("present", *MODES, class_link.NAME)
"""What a link says of the teacher's own screen."""


def lesson_shown() -> Preset | None:
    """The lesson of the teacher's playground as it was left; None without one."""
    slug = state.playground_link().get("preset")
    return None if slug is None else drafts.load_preset(slug)


def of_link(link: dict[str, str]) -> Opens:
    """What this link of the playground opens."""
    opening = links.read(link)
    experiment, lesson = opening.experiment, opening.preset
    if not opening.is_lesson:
        return Opens(link, data_text.title(experiment), experiment)
    return Opens(link, class_text.title_of(lesson.title, app_text.changed(experiment, lesson.experiment)), experiment)


def of_lesson(slug: str) -> Opens:
    """A lesson, as it opens for everybody."""
    return of_link({"preset": slug})


def of_playground() -> Opens:
    """The teacher's playground as it was left in this tab; before it was opened, its first lesson.

    Raises:
        ClassroomError: if students could not open it, because it needs a file of the teacher's own.
    """
    slot = state.playground_slot()
    if slot is None:
        return of_lesson(links.OPENING)
    link = {name: value for name, value in state.playground_link().items() if name not in OWN}
    if drafts.is_draft(link.get("preset", "")):
        link = without_lesson(link, slot)
    if own_data_link.split(link)[1] is not None:
        raise ClassroomError(class_text.OWN_DATA)
    return of_link(link)


def predictions(slug: str) -> tuple[Prediction, ...]:
    """The questions of a lesson; () without one, and of one that was deleted meanwhile."""
    return load_preset(slug).predict if drafts.exists(slug) else ()
