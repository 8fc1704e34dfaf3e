"""Tokens, vocabulary and split, which the kinds of words share."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.kinds import labelled, pairs, tagged, text
from engine.data.kinds.columns import by_name
from engine.data.kinds.split import SplitColumns, held_by, held_out, split_column
from engine.data.kinds.tokens import clean, split_text, usual_unit
from engine.data.kinds.vocabulary import Numbered, known_symbols, vocabulary_of
from engine.data.problems import DataError, Notes, named
from engine.tasks.unknown_words import UNKNOWN, UNKNOWN_CHARACTER
from tests.engine.data.word_tables import column_of, said, table_of


def test_words_and_characters():
    assert split_text("Don't stop, it's 3 o’clock!", "words") == [
        "don't", "stop", ",", "it's", "3", "o’clock", "!",
    ]  # fmt: skip
    assert split_text("Añb c", "characters") == ["A", "ñ", "b", " ", "c"]
    assert usual_unit(["Smith", "Jones", "van Dyke"]) == "characters"
    assert usual_unit(["a good film", "bad", "not so good"]) == "words"


def test_the_marks_of_html_are_left_out_and_said_and_other_signs_stay():
    notes = Notes()
    texts = [
        "A <br />fine  film<br>",
        "Tom &amp; Jerry",
        "1 < 2 and 3 > 2",
        "I <3 it",
        7,
        "<p class='x'>so</p>",
        "a\ud800b",
    ]
    cleaned = clean(texts, np.arange(10, 17), notes, "review")
    assert cleaned == ["A fine film", "Tom & Jerry", "1 < 2 and 3 > 2", "I <3 it", "7", "so", "a\ufffdb"]
    assert said(notes) == "10 3 texts, first in line 10, hold HTML such as <br />; the marks are left out."
    clean(["plain"], np.arange(1), notes, "review")
    assert len(notes) == 1


def test_the_vocabulary_is_that_of_the_trained_part_without_what_occurs_once():
    notes = Notes()
    numbered = Numbered.of([["b", "a", "b"], ["a", "c"], ["d", "d", "a"]])
    vocabulary, sequences = vocabulary_of(numbered, np.array([False, False, True]), "words", notes)
    assert vocabulary == (UNKNOWN, "a", "b")  # c occurs once there, d is held out
    assert [each.tolist() for each in sequences] == [[2, 1, 2], [1, 0], [0, 0, 1]]
    assert all(each.dtype == np.int32 for each in sequences)
    assert "1 of 3 different words occur only once in the trained part" in said(notes) and "unknown" in said(notes)
    with pytest.raises(DataError, match="twice"):
        vocabulary_of(numbered, np.array([True, False, True]), "words", notes)


def test_the_most_common_symbols_are_kept_and_the_file_may_hold_the_sign_of_the_unknown():
    notes = Notes()
    symbols = [UNKNOWN_CHARACTER, *(chr(0x4E00 + place) for place in range(6_000))]
    vocabulary, number = known_symbols(symbols, np.arange(9, 6_010), "characters", notes)
    assert vocabulary == (UNKNOWN_CHARACTER, *(chr(0x4E00 + place) for place in range(1_000, 6_000)))
    assert number[0] == 0 and number[1_000] == 0 and number[1_001] == 1 and number[6_000] == 5_000
    assert "1,000 characters are beyond the 5,000 most common" in said(notes)


def test_copies_stay_on_one_side_classes_in_proportion_and_order_is_nothing():
    texts = [f"text {number % 150}" for number in range(200)]
    classes = ["rare" if number % 10 == 0 else "common" for number in range(200)]
    held = held_out(texts, 0.2, classes)
    assert held.sum() == pytest.approx(40, abs=2)
    sides = {text: {bool(out) for other, out in zip(texts, held, strict=True) if other == text} for text in texts}
    assert all(len(side) == 1 for side in sides.values())
    rare = np.array([each == "rare" for each in classes])
    assert held[rare].sum() == pytest.approx(4, abs=1)
    order = np.random.default_rng(0).permutation(200)
    own = {text: kind for text, kind in reversed(list(zip(texts, classes, strict=True)))}
    again = held_out([texts[place] for place in order], 0.2, [own[texts[place]] for place in order])
    assert (again == held_out(texts, 0.2, [own[text] for text in texts])[order]).all()


def test_groups_are_whole_and_one_that_is_too_big_is_trained():
    groups = ["big"] * 80 + [f"small {number // 4}" for number in range(40)]
    held = held_out(groups, 0.2)
    assert not held[:80].any() and held.sum() == 24
    assert held_out(["one", "other"] * 5, 0.01).sum() == 5  # at least one
    assert not held_out(["same"] * 4, 0.5).any()  # never all


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=2), st.sampled_from("abc")), min_size=1, max_size=40), st.floats(0.05, 0.5))
def test_a_split_is_about_the_share_and_keeps_keys_whole(rows, share):
    keys, kinds = zip(*rows, strict=True)
    held = held_out(keys, share, kinds)
    assert not held.all()
    assert len(set(keys) & {key for key, out in zip(keys, held, strict=True) if out}) == len(
        {key for key, out in zip(keys, held, strict=True) if out}
    )
    assert not ({key for key, out in zip(keys, held, strict=True) if out}
                & {key for key, out in zip(keys, held, strict=True) if not out})  # fmt: skip


def test_a_split_column_of_the_file_is_obeyed():
    cells = ["train", "Test", "train", "valid"]
    column = column_of("Split", "label", cells)
    assert split_column([column_of("fold", "label", ["1", "2", "1", "2"]), column]) is column
    notes = Notes()
    held = held_by(column, np.array([0, 1, 3]), notes)
    assert held is not None and held.tolist() == [False, True, True]
    assert "2 of 3 rows are held out" in said(notes)
    assert held_by(column, np.array([0, 2]), notes) is None and "not obeyed" in said(notes)


def test_a_sentence_names_a_few_columns_of_many():
    assert named([]) == "" and named(["a", "b"]) == "'a', 'b'"
    assert named(range(300)) == "'0', '1', '2', '3', '4', '5' and 294 more"
    many = {"source": [f"how are you {at % 9}" for at in range(40)], "target": ["well", "bad"] * 20}
    many |= {f"column number {at}": ["x"] * 40 for at in range(300)}
    table = table_of({**dict.fromkeys(many, "text"), "target": "label"}, **many)
    for read, choices in ((pairs, {}), (text, {}), (tagged, {"text": "source", "label": "target"}), (labelled, {})):
        notes = Notes()
        with contextlib.suppress(DataError):
            read.of_table(*table, notes, choices)
        assert notes and all(len(problem.sentence) < 400 for problem in notes)
    with pytest.raises(DataError, match=r"there are 'source', .* and 296 more"):
        by_name(table[1], "missing", "texts")


def test_groups_are_kept_whole_unless_the_file_has_a_split_of_its_own():
    users, fold = column_of("user", "label", "aabb"), column_of("split", "label", ["train", "test", "train", "train"])
    split, notes = SplitColumns.among([users, column_of("x", "text", "wxyz")], 4), Notes()
    assert split.groups is users and [each.name for each in split.others([users, fold])] == ["split"]
    given = split.given(np.arange(4), notes)
    assert given.groups == list("aabb") and given.only([3, 0]).groups == ["b", "a"]
    held = given.divided(list("wxyz"), 0.5)
    assert held[0] == held[1] != held[2] == held[3]
    assert split.given(np.arange(2), notes).groups is None and "one group only" in said(notes)
    both = SplitColumns.among([fold, users], 4).given(np.arange(4), notes)
    assert both.groups is None and both.only([1, 2]).held.tolist() == [True, False]
