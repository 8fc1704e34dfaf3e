"""What a teacher keeps of a class: the board and the guesses, as two CSV files in one zip."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.classroom.cards import newest
from app.classroom.classroom import Classroom, Student
from app.classroom.registry import CLASSES
from engine.frame import Frame, RunInfo

FILE = "class.zip"
GONE = "This class is over; its board and guesses are forgotten."
FORMULA = ("=", "+", "-", "@")
"""A spreadsheet takes what begins so for a formula, and runs it: foreign words get an apostrophe before them."""
BOARD_COLUMNS = ("number", "name", "here", "cell", "hidden_size", "task", "seq_len", "seed", "step", "held_out_loss",
                 "loss_to_beat", "verdict", "sentence")  # fmt: skip
GUESS_COLUMNS = ("question", "asked", "number", "name", "guess")


def board_csv(classroom: Classroom) -> str:
    """A row for each student: the newest frame of the run, as far as it is still there."""
    return _written(BOARD_COLUMNS, (_row(student) for student in classroom.students))


def guesses_csv(classroom: Classroom) -> str:
    """A row for each guess of each question."""
    names = {student.number: student.name for student in classroom.students}
    return _written(GUESS_COLUMNS, (
        (question.number, word(question.asks), number, word(names.get(number, "")), word(question.answers[at]))
        for question in classroom.questions
        for number, at in sorted(dict(question.guesses).items())
    ))  # fmt: skip


def word(foreign: str) -> str:
    """Foreign words as a cell of a spreadsheet, never as a formula."""
    return f"'{foreign}" if foreign.startswith(FORMULA) else foreign


def _row(student: Student) -> Sequence[object]:
    about = (student.number, word(student.name), "no" if student.abandoned else "yes")
    slot = student.slot
    if slot is None:
        return (*about, *[""] * (len(BOARD_COLUMNS) - len(about)))
    run, frame = slot.run, newest(slot.run)
    e = run.experiment
    settings = (e.cell, e.hidden_size, e.task, e.seq_len, e.seed)
    return (*about, *settings, *(("", "", "", "", "") if frame is None else (frame.step, *_judged(run.info, frame))))


def _judged(info: RunInfo, frame: Frame) -> tuple[object, ...]:
    beat = next(iter(info.judged_baselines(frame.has_record).values()))
    kind, sentence = ("", "") if frame.diagnosis is None else (frame.diagnosis.kind, frame.diagnosis.sentence)
    return (frame.judged_loss, beat, kind, sentence)


def _written(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(columns)
    writer.writerows(rows)
    return file.getvalue()


async def class_zip(request: Request) -> Response:
    """GET /live/board/<token>/class.zip; whoever has the board has the token."""
    classroom = CLASSES.find(request.path_params["token"])
    if classroom is None:
        return PlainTextResponse(GONE, 404)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in (("board.csv", board_csv(classroom)), ("guesses.csv", guesses_csv(classroom))):
            packed.writestr(name, "\ufeff" + content)  # by this mark a spreadsheet knows that it is UTF-8
    when = datetime.fromtimestamp(classroom.opened, UTC).date()
    headers = {"Content-Disposition": f'attachment; filename="class-{classroom.code}-{when}.zip"',
               "Cache-Control": "no-store"}  # fmt: skip
    return Response(file.getvalue(), media_type="application/zip", headers=headers)


ROUTES = [Route(f"/live/board/{{token}}/{FILE}", class_zip)]
