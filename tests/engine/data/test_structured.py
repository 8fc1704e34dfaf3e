"""JSON, .npz, files of tagged words and fastText's lines: what is found in each shape, and what is refused."""

from __future__ import annotations

import io
import json
import zipfile

import numpy as np
import pytest

from engine.data import DataError, read
from engine.data.files.json_text import read_json
from engine.data.files.marked_text import read_fasttext, refuse_declared
from engine.data.files.npz import read_npz
from engine.data.files.structured import Arrays, RunningText
from engine.data.files.tagged_text import read_sentences_in_lines, read_words_in_lines
from engine.data.problems import Notes
from engine.data.table import Table
from tests.cases import for_each


def found(data, kind=None, name="data.json"):
    text = data if isinstance(data, str) else json.dumps(data)
    return read_json(text, name, kind, Notes())


def table_of(data, kind=None) -> dict[str, list]:
    table = found(data, kind)
    assert isinstance(table, Table)
    return dict(zip(table.names, table.columns, strict=True))


ROWS = {"a": [1, 2, 3], "b": ["x", "y", "z"]}


@for_each(
    {
        "data": [
            [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}],
            ROWS,
            {"data": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]},
            {"columns": ["a", "b"], "index": [0, 1, 2], "data": [[1, "x"], [2, "y"], [3, "z"]]},
            {"a": {"0": 1, "1": 2, "2": 3}, "b": {"0": "x", "1": "y", "2": "z"}},
            {"0": {"a": 1, "b": "x"}, "1": {"a": 2, "b": "y"}, "2": {"a": 3, "b": "z"}},
            [["a", "b"], [1, "x"], [2, "y"], [3, "z"]],
            {"units": {"a": "m"}, "hourly": ROWS},
            [{"page": 1}, [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}, {"a": 3, "b": "z"}]],
            '{"a": 1, "b": "x"}\n{"a": 2, "b": "y"}\n\n{"a": 3, "b": "z"}\n',
        ]
    }
)
def test_a_table_in_many_shapes(data):
    assert table_of(data) == ROWS


def test_lines_are_those_of_the_file_where_each_row_has_one():
    table = found('{"a": 1}\n\n{"a": 2}\n')
    assert table.lines.tolist() == [1, 3]


def test_missing_fields_and_objects_within():
    assert table_of([{"a": 1, "b": {"c": 2}}, {"a": None}]) == {"a": [1, None], "b.c": [2, None]}


def test_a_list_of_numbers_is_a_column():
    assert table_of([1, 2.5, None]) == {"value": [1, 2.5, None]}
    assert table_of({"values": [1, 2, 3]}) == {"values": [1, 2, 3]}


def test_points_with_a_time_are_rows_and_other_lists_are_sequences():
    assert table_of([[1, 5], [2, 3], [4, 4]]) == {"column 1": [1, 2, 4], "column 2": [5, 3, 4]}
    sequences = found([[1, 5, 2], [2, 3], [1, 4]])
    assert isinstance(sequences, Arrays)
    assert [array[:, 0].tolist() for array in sequences.arrays] == [[1, 5, 2], [2, 3], [1, 4]]
    assert isinstance(found([[2, 1], [1, 2], [2, 2]], "series"), Table)


def test_sequences_with_a_class():
    rows = [{"id": i, "x": [[i, 1], [2, None]], "kind": "ab"[i % 2]} for i in range(6)]
    sequences = found(rows)
    assert isinstance(sequences, Arrays)
    assert sequences.labels == list("ababab")
    assert sequences.label == "kind"
    assert sequences.arrays[1].shape == (2, 2)
    assert np.isnan(sequences.arrays[1][1, 1])


def test_words_with_tags_also_as_numbers():
    rows = [{"tokens": ["a", "b"], "ner_tags": [0, 1]}, {"tokens": ["c"], "ner_tags": [2]}]
    assert found(rows).sentences == [[(1, "a", "0"), (1, "b", "1")], [(2, "c", "2")]]
    with pytest.raises(DataError, match="Row 3 has 2 tokens but 1 ner_tags") as caught:
        found([*rows, {"tokens": ["c", "d"], "ner_tags": [2]}] + rows * 5)
    assert (caught.value.line, caught.value.column) == (3, "ner_tags")


def test_words_of_one_list_are_a_text():
    rows = [{"words": ["a", "b"], "label": "x"}, {"words": ["c"], "label": "y"}]
    assert table_of(rows) == {"words": ["a b", "c"], "label": ["x", "y"]}


def test_lists_beside_prose_are_left_out_and_said():
    notes = Notes()
    rows = [{"text": "a long text of words", "votes": [0, 1]}] * 3
    table = read_json(json.dumps(rows), "x", None, notes)
    assert table.names == ("text",)
    assert "'votes' holds lists" in notes[0].sentence


def test_parts_for_training_and_testing():
    rows = {"train": [{"a": 1}, {"a": 2}], "test": [{"a": 3}]}
    assert table_of(rows) == {"a": [1, 2, 3], "split": ["train", "train", "test"]}


def test_a_list_of_texts():
    text = found(["one line", "another"])
    assert isinstance(text, RunningText)
    assert text.text == "one line\nanother"


@for_each(
    {
        "data, line": [
            ('{"a": 1}\n{"a": 2\n', 2),
            ('[{"a": 1},\n {"a": }]', 2),
            ('[{"a": 1}, 5]', 2),
            ("[]", 1),
            ('{"a": "b"}', 1),
            ("[" * 100_000, None),
            ('[{"x": [1, 2]}, {"x": [1, "b"]}]', 2),
            ("[[[[1]]]]", 1),
        ]
    }
)
def test_bad_json_names_its_line(data, line):
    with pytest.raises((DataError, RecursionError)) as caught:  # the reader makes the second the first
        found(data)
    assert getattr(caught.value, "line", None) == line


@for_each({"text": ["[1] Introduction, and so on", "a,b\n1,2\n", "[Category]", "{curly} prose", "-5\n6\n"]})
def test_what_only_looks_like_json_is_left_alone(text):
    assert read_json(text, "x.txt", None, Notes()) is None


def test_huge_whole_numbers_are_read():
    assert table_of("[" + "1" * 5000 + ", 2]")["value"][0] == np.inf


# ---- .npz


def npz(**arrays) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


X = np.arange(24.0).reshape(4, 3, 2)


def test_the_classes_decide_which_axis_is_time():
    y = np.array(["a", "b", "a", "b"])
    plain = read_npz(npz(x=X, y=y), Notes(), {})
    turned = read_npz(npz(x=X.transpose(1, 0, 2), y=y), Notes(), {})
    for sequences in (plain, turned):
        assert np.array_equal(np.stack(sequences.arrays), X)
        assert sequences.labels == ["a", "b", "a", "b"]


def test_without_classes_the_first_axis_counts_sequences_unless_chosen():
    notes = Notes()
    assert len(read_npz(npz(x=X), notes, {}).arrays) == 4
    assert "4 sequences of 3 steps with 2 channels" in notes[0].sentence
    assert len(read_npz(npz(x=X), Notes(), {"time_first": True}).arrays) == 3


def test_a_part_for_testing_is_held_out():
    arrays = {"X_train": X, "y_train": np.array([0, 1, 0, 1]), "X_test": X[:2] + 1, "y_test": np.array([1.0, 0.0])}
    sequences = read_npz(npz(**arrays), Notes(), {})
    assert sequences.held.tolist() == [False] * 4 + [True] * 2
    assert sequences.labels == ["0", "1", "0", "1", "1", "0"]


def test_classes_of_another_shape_are_left_out_and_said(subtests):
    y = np.eye(2)[[0, 1, 0, 1]]
    parts = {"x_train": X, "y_train": y, "x_test": X, "y_test": y}
    for name, arrays in (("y", {"x": X, "y": y}), ("y_train", parts)):
        with subtests.test(array=name):
            notes = Notes()
            assert read_npz(npz(**arrays), notes, {}).labels is None
            assert f"'{name}' has shape (4, 2), but one class for each sequence is expected" in notes[0].sentence
    column = np.array([[1.0], [0.0], [1.0], [0.0]])
    assert read_npz(npz(x=X, y=column), Notes(), {}).labels == ["1", "0", "1", "0"]


def test_nothing_is_unpickled():
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    with pytest.raises(DataError, match="'x' holds Python objects, which are never unpickled"):
        read_npz(npz(x=np.array([Trap()], object)), Notes(), {})


def test_a_header_that_claims_more_than_there_is():
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (100_000, 1_000_000)}
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.npy", header.getvalue() + b"\0" * 80)
    with pytest.raises(DataError, match="claims 800,000,000,000 bytes, but only 80 are there"):
        read_npz(stream.getvalue(), Notes(), {})


@for_each(
    {
        "data, sentence": [
            (npz(x=np.arange(5)), "No array of sequences"),
            (npz(x=X, y=np.arange(5)), "4 sequences, but 'y' has 5"),
            (npz(x=np.array(["a"])), "No array of sequences"),
            (npz(x=X)[:-60], "cannot be read"),
            (npz(), "holds no arrays"),
        ]
    }
)
def test_a_bad_archive_is_told_what_is_expected(data, sentence):
    with pytest.raises(DataError, match=sentence):
        read_npz(data, Notes(), {})


# ---- tagged words

CONLL = "-DOCSTART- -X- -X- O\n\n" + "".join(
    f"Ann NNP B-NP B-PER\nsaw VBD B-VP O\nRome{i % 3} NNP B-NP B-LOC\n. . O O\n\n" for i in range(6)
)
TREEBANK = "".join(
    f"# sent_id = {i}\n"
    "1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "1\tde\tde\tADP\t_\t_\t2\tcase\t_\t_\n"
    "2\tle\tle\tDET\t_\t_\t0\troot\t_\t_\n"
    "2.1\tnul\tnul\tNOUN\t_\t_\t_\t_\t_\t_\n"
    f"3\tmot{i}\tmot\tNOUN\t_\t_\t2\tobj\t_\t_\n\n"
    for i in range(5)
)


def test_words_in_lines():
    notes = Notes()
    sentences = read_words_in_lines(CONLL, notes)
    assert len(sentences.sentences) == 6
    assert sentences.sentences[0][:2] == [(3, "Ann", "B-PER"), (4, "saw", "O")]
    assert sentences.documents == [1] * 6
    assert "-DOCSTART-" in notes[0].sentence


def test_documents_are_kept_whole_where_there_are_five():
    each = ["-DOCSTART- O\n\n" + f"word{i} O\nAnn B-PER\n\nGo{i} O\n. O\n\n" for i in range(5)]
    assert read_words_in_lines("".join(each), Notes()).documents == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    for count, says in ((5, "name 5 groups; each is kept whole"), (4, "name 4 groups; fewer than 5 are not kept")):
        dataset = read("".join(each[:count]).encode(), "tagged")
        assert any(says in problem.sentence for problem in dataset.problems)
        whole = dataset.content.held[::2] == dataset.content.held[1::2]
        assert whole.all() if count == 5 else not whole.all()


def test_a_treebank_has_its_words_once():
    sentences = read_words_in_lines(TREEBANK, Notes())
    assert sentences.column == "UPOS"
    assert sentences.sentences[1] == [(10, "de", "ADP"), (11, "le", "DET"), (13, "mot1", "NOUN")]


def test_a_ragged_line_is_left_out_and_said():
    notes = Notes()
    read_words_in_lines(CONLL.replace("saw VBD B-VP O", "saw VBD", 1), notes)
    assert notes[0].line == 4
    assert "2 columns where 4 are expected" in notes[0].sentence


def test_sentences_in_lines():
    text = "".join(f"BOS fly to rome{i} EOS\tO O O B-city intent\n" for i in range(5))
    sentences = read_sentences_in_lines(text)
    assert sentences.sentences[2] == [(3, "fly", "O"), (3, "to", "O"), (3, "rome2", "B-city")]


@for_each(
    {
        "text": [
            "a,b\n1,2\n\n3,4\n" * 9,
            "Prose of many words here.\n\nAnd more of it there.\n\n" * 9,
            "date value\n\n" + "2020-01-01 5\n\n2020-01-02 6\n" * 9,
            "one\ttwo\n" * 20,
        ]
    }
)
def test_other_files_are_no_tagged_words(text):
    assert read_words_in_lines(text, Notes()) is None
    assert read_sentences_in_lines(text) is None


# ---- lines with a mark


def test_fasttext():
    notes = Notes()
    lines = ["__label__a a text", "__label__b __label__c another, with commas", "no label", ""] + ["__label__a x"] * 60
    texts = read_fasttext("\n".join(lines[:2] + lines[4:] + lines[2:3]), notes)
    assert texts.texts[:2] == ["a text", "another, with commas"]
    assert texts.labels[:2] == ["a", "b"]
    assert [problem.line for problem in notes] == [63, 2]


def test_declared_formats_are_refused_politely():
    with pytest.raises(DataError, match="Save what stands below @data as CSV") as caught:
        refuse_declared("% a comment\n@relation weather\n@attribute a numeric\n@data\n1\n2\n")
    assert caught.value.line == 4
    refuse_declared("mail me @data\n@relation\n")
