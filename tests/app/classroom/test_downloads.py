"""What a teacher takes away: every student and every guess, and no formula that a spreadsheet would run."""

from __future__ import annotations

import asyncio
import csv
import io
import zipfile

from starlette.requests import Request

from app.classroom import downloads
from app.classroom.registry import CLASSES
from tests.app.classroom.conftest import NASTY, opened_class, run_slot, student_at


def rows(written: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(written)))


def test_the_board_has_a_row_for_every_student_with_the_numbers_of_the_newest_frame(classes):
    classroom, slot, fresh = opened_class(classes), run_slot(), run_slot(step=None)
    for name, runs in (("Ada", slot), ("Ben, Jr.", fresh), ("Eve", None)):
        student_at(classes, classroom, name, runs)
    classroom.students[2].tabs = 0
    ada, ben, eve = rows(downloads.board_csv(classroom))
    frame = slot.run.frame
    assert (ada["name"], ada["here"], ada["cell"], ada["step"]) == ("Ada", "yes", slot.experiment.cell, "3")
    assert float(ada["held_out_loss"]) == frame.judged_loss and ada["verdict"] == frame.diagnosis.kind
    assert (ben["name"], ben["cell"], ben["step"]) == ("Ben, Jr.", fresh.experiment.cell, "")
    assert (eve["name"], eve["here"], eve["cell"]) == ("Eve", "no", "")


def test_every_guess_of_every_question_is_kept(classes):
    classroom = opened_class(classes)
    ada, ben = (student_at(classes, classroom, name) for name in ("Ada", "Ben"))
    classroom.ask("First?", ["Yes", "No"])
    classroom.guess(ada, 1, 1)
    classroom.ask("Second?", ["a", "b", "c"])
    classroom.guess(ada, 2, 0)
    classroom.guess(ben, 2, 2)
    classroom.put_question_away()
    kept = [
        (row["question"], row["asked"], row["name"], row["guess"]) for row in rows(downloads.guesses_csv(classroom))
    ]
    assert kept == [("1", "First?", "Ada", "No"), ("2", "Second?", "Ada", "a"), ("2", "Second?", "Ben", "c")]


def test_foreign_words_are_no_formulas(classes):
    classroom = opened_class(classes)
    for name in (*NASTY, "@SUM(1)", "+1", "-1"):
        student_at(classes, classroom, name)
    classroom.ask("=cmd()", ["-1", "Yes"])
    classroom.guess(classroom.students[0], 1, 0)
    names = [row["name"] for row in rows(downloads.board_csv(classroom))]
    assert names[:4] == NASTY[:4] and names[4] == "'=1+2" and names[-3:] == ["'@SUM(1)", "'+1", "'-1"]
    (guess,) = rows(downloads.guesses_csv(classroom))
    assert guess["asked"] == "'=cmd()" and guess["guess"] == "'-1"


def test_the_zip_is_given_to_whoever_has_the_board(no_classes):
    classroom = opened_class(CLASSES)

    def answer(token: str):
        return asyncio.run(downloads.class_zip(Request({"type": "http", "path_params": {"token": token}})))

    given = answer(classroom.token)
    with zipfile.ZipFile(io.BytesIO(given.body)) as packed:
        assert packed.namelist() == ["board.csv", "guesses.csv"]
        assert packed.read("board.csv").decode("utf-8-sig").startswith("number,name,")
    assert f"class-{classroom.code}-" in given.headers["content-disposition"]
    for token in (classroom.code, classroom.key, "", "x"):
        assert answer(token).status_code == 404
