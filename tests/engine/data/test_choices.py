"""What may be chosen in place of a guess, and what is said of a wrong choice."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.data import DataError
from engine.data.choices import CHOICES, FORMS, checked, say_idle
from engine.data.dataset import KINDS
from engine.data.problems import Notes
from tests.cases import for_each

ROOT = Path(__file__).parents[3]
GOOD = {
    "name": ["mine.csv"],
    "encoding": ["utf-8", "cp1252", "UTF-16", "latin-1", "utf_16_le", "big5"],
    "delimiter": [",", "\t", " "],
    "header": [True, False],
    "time": ["", "Date+Time"],
    "inputs": [[], ["a", "b"]],
    "means": ["none", "hour", "year"],
    "window": [2, 1000],
    "period": [0, 365],
    "test_share": [0.05, 0.2, 0.5],
    "thin": [1, 7],
    "unit": ["words"],
}
BAD = {
    "time": [5, ["Date"]],
    "name": ["", 3, "x" * 2000],
    "encoding": ["no such", "zip", "hex", 8, "utf-8\0"],
    "delimiter": [",,", "", None.__class__],
    "header": [1, "yes"],
    "inputs": ["a", [1], [""]],
    "ids": ["a"],
    "window": [1, 2.0, True, 10**9, float("nan")],
    "transform": ["logarithm", 1],
    "means": ["hours", "second", 1, ""],
    "test_share": [0, 0.9, True, "0.2", float("nan"), float("inf")],
    "decimal": [";"],
}


def test_every_choice_has_a_form_and_a_kind():
    for choice in CHOICES.values():
        assert choice.accepts.form in FORMS
        assert set(choice.kinds) <= set(KINDS)
        assert choice.kinds
        assert choice.accepts.sentence


@for_each({"name, value": [(name, value) for name, values in GOOD.items() for value in values]})
def test_what_is_accepted_is_kept(name, value):
    assert checked({name: value}) == {name: value}


@for_each({"name, value": [(name, value) for name, values in BAD.items() for value in values]})
def test_what_is_not_accepted_is_named(name, value):
    with pytest.raises(DataError) as caught:
        checked({name: value})
    assert f"'{name}'" in str(caught.value)
    assert CHOICES[name].accepts.sentence in str(caught.value)


def test_a_choice_means_something_to_every_kind_that_asks_for_it():
    files = {
        kind: [
            path
            for path in (ROOT / "engine/data/kinds").glob("*.py")
            if path.stem in (kind, kind.removesuffix("s") + "_arrays") or path.stem.startswith(f"{kind}_")
        ]
        for kind in KINDS
    }
    assert all(files.values())
    for kind, paths in files.items():
        asked = {name for path in paths for name in re.findall(r'choices(?:\.get\(|\[)"(\w+)"', path.read_text())}
        assert asked and all(kind in CHOICES[name].kinds for name in asked), (kind, asked)


def test_an_unknown_choice_is_told_the_known_ones():
    with pytest.raises(DataError, match=r"'colour' is not known; there are .*delimiter"):
        checked({"colour": "red"})


def test_none_leaves_the_guess_and_a_tuple_is_a_list():
    assert checked({"target": None, "inputs": ("a",)}) == {"inputs": ["a"]}


def test_a_choice_of_another_kind_is_said():
    notes = Notes()
    say_idle({"window": 5, "unit": "words"}, "text", notes)
    assert [problem.sentence for problem in notes] == [
        "The choice 'window' means nothing to data of the kind 'text'; it changes nothing."
    ]
