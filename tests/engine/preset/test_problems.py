"""Every problem of a lesson at once, each with the place where it stands; for the first, a file is refused."""

from __future__ import annotations

import pytest

from engine.preset import PresetError, parse_preset
from engine.preset.parser import check_table, read_table
from engine.preset.writer import write_table

WRONG = {
    "order": "first",
    "title": "T",
    "speed": "warp",
    "experiment": {"task": "adding", "hidden_size": 0},
    "next": [{"says": "Shorter"}, {"settings": {}}],
    "predict": [{"asks": "What?", "answers": ["one"], "right": 4, "when": {"kind": "gone", "step": -1}}],
    "done": {"says": "Do it."},
    "seen_as": [{"says": "Flat", "figure": "gates"}],
    "claims": [{"says": "So.", "gate": "sure"}],
    "text": "[x](set:cell)",
}


def test_all_problems_are_found_each_with_its_place():
    preset, problems = check_table("demo.md", WRONG)
    assert preset is None
    assert {problem.place: problem.says.split(" must ")[0].split(" is missing")[0] for problem in problems} == {
        ("order",): "order",
        ("question",): "question",
        ("look_for",): "look_for",
        ("speed",): "speed",
        ("experiment", "hidden_size"): "hidden_size",
        ("text",): "link [x]: expected name=value, but got 'cell'.",
        ("seen_as", 0, "figure"): "figure",
        ("done",): "says alone is no condition; add one of step, solved, broken, kind, loss, metric, settings.",
        ("next", 0, "settings"): "settings",
        ("next", 1, "says"): "says",
        ("predict", 0, "because"): "because",
        ("predict", 0, "answers"): "answers",
        ("predict", 0, "right"): "right",
        ("predict", 0, "when", "step"): "step",
        ("predict", 0, "when", "kind"): "kind",
        ("claims", 0, "gate"): "gate",
    }
    assert [problem.place for problem in problems if problem.is_shape] == [("order",)]


def test_a_file_is_refused_for_the_first_of_them():
    _, problems = check_table("demo.md", WRONG)
    with pytest.raises(PresetError) as refused:
        parse_preset("demo", write_table(WRONG), "md")
    assert str(refused.value) == str(problems[0]) == "demo.md: order must be a whole number, but got 'first'."
    assert problems[0].says == "order must be a whole number, but got 'first'."


def test_settings_of_parts_are_checked_once_those_of_the_lesson_are_right():
    table = read_table("demo.md", write_table(WRONG)) | {"experiment": {"task": "adding"}}
    table["next"] = [{"says": "Shorter", "settings": {"seq_len": 0}}]
    _, problems = check_table("demo.md", table)
    (found,) = [problem for problem in problems if problem.place[0] == "next"]
    assert found.place == ("next", 0, "settings") and found.says.startswith("seq_len must be ")
