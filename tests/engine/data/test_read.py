"""From a file to a dataset and its task: what is understood and said, what is refused, and nothing but DataError."""

from __future__ import annotations

import hashlib
import io
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.data import KINDS, DataError, Problem, read
from engine.data.reading import Progress
from engine.experiment import Experiment
from engine.tasks import held_out, sample
from tests.cases import for_each
from tests.engine.data import format_files, shape_files

SHAPES = {
    shape_files.growing_months: (
        {"kind": "series", "rows": 144, "target": "Passengers: monthly totals in thousands", "period": 12,
         "step": "month", "header": True, "transform": "log differences"},
        [],
    ),
    shape_files.years_without_a_century: (
        {"kind": "series", "rows": 36, "target": "Sales", "step": "month", "header": True},
        ["1-01"],
    ),
    shape_files.hours_in_four_columns: (
        {"kind": "series", "rows": 200, "target": "pm2.5", "step": "hour", "period": 24},
        ["together are the time", "pm2.5", "cbwd", "No"],
    ),
    shape_files.date_and_clock: (
        {"kind": "series", "rows": 180, "target": "Global_active_power", "step": "minute", "time": "Date+Time"},
        ["Date and Time together are the time", "62"],
    ),
    shape_files.wide_with_decimal_commas: (
        {"kind": "series", "rows": 200, "target": "MT_001", "step": "15 minutes", "delimiter": ";"},
        ["decimal comma"],
    ),
    shape_files.nights_with_footer: (
        {"kind": "series", "rows": 200, "target": "Daily minimum temperatures", "step": "day"},
        ["102", "footer"],
    ),
    shape_files.newest_first: (
        {"kind": "series", "rows": 180, "target": "Close", "step": "weekday"},
        ["newest first"],
    ),
    shape_files.long_series: (
        {"kind": "series", "rows": 180, "series": 5, "ids": ["unique_id"], "target": "y", "step": "month"},
        [],
    ),
    shape_files.film_reviews: (
        {"kind": "labelled", "rows": 120, "classes": 2, "text": "review", "label": "sentiment"},
        ["HTML"],
    ),
    shape_files.messages: ({"kind": "labelled", "rows": 150, "classes": 2, "header": False}, ["not UTF-8", "cp1252"]),
    shape_files.flyers: (
        {"kind": "labelled", "rows": 120, "classes": 3, "text": "text", "label": "airline_sentiment"},
        [],
    ),
    shape_files.rated_reviews: (
        {"kind": "labelled", "rows": 100, "classes": 5, "text": "reviewText", "label": "overall"},
        ["helpful"],
    ),
    shape_files.phrases: ({"kind": "pairs", "rows": 120, "header": False}, ["column 3", "left out"]),
    format_files.newswire_entities: ({"kind": "tagged", "sequences": 30, "classes": 3}, ["DOCSTART"]),
    shape_files.names_of_lizards: ({"kind": "text", "unit": "characters", "rows": 100, "lines": True}, []),
    shape_files.heart_beats: ({"kind": "sequences", "rows": 90, "classes": 3, "label": "column 61"}, []),
    shape_files.moves: ({"kind": "sequences", "rows": 40, "classes": 2, "channels": 2}, []),
    shape_files.harbour: (
        {"kind": "series", "rows": 72, "target": "Tonnes", "step": "month", "period": 12},
        ["title", "sheet", "total or a footer"],
    ),
}  # fmt: skip
TEXT = format_files.novel()
TABLE = shape_files.long_series()


def refusal(source, kind=None, **choices) -> DataError:
    with pytest.raises(DataError) as caught:
        read(source, kind, **choices)
    return caught.value


# ---- what is understood


@pytest.mark.parametrize("maker", SHAPES, ids=lambda maker: maker.__name__)
def test_what_is_understood_and_said(maker):
    expected, says = SHAPES[maker]
    dataset = read(maker())
    found = {"kind": dataset.kind, **dataset.summary}
    if isinstance(found.get("classes"), dict):
        found["classes"] = len(found["classes"])
    assert {key: found.get(key) for key in expected} == expected
    said = " ".join(f"{problem.line} {problem.sentence}" for problem in dataset.problems)
    assert [words for words in says if words not in said] == []


@pytest.mark.parametrize("maker", SHAPES, ids=lambda maker: maker.__name__)
def test_the_task_of_each_deals_from_the_side_it_says(maker):
    """And reading again with what the options of the experiment say gives the same data."""
    dataset = read(maker())
    task = dataset.to_task()
    experiment = Experiment(
        task="own_data", task_options=dataset.options, rnn_type=task.rnn_types[0], seq_len=task.lengths.default
    )
    train, test = sample(experiment, 8, 1), held_out(experiment)
    assert train.origin is not None
    assert train.mask.any(0).all()
    baselines = task.baselines_on(experiment, test) if task.baselines_on else task.baselines(experiment)
    assert all(np.isfinite(list(baselines.values())))
    assert all(np.isfinite(list(task.metric_baselines(experiment, test).values())))
    options = {key: value for key, value in dataset.options.items() if key not in ("data", "kind")}
    again = read(maker(), dataset.kind, **options)
    assert {**again.summary, "why": ""} == {**dataset.summary, "why": ""}


def test_summaries_are_plain_values():
    for maker in (shape_files.growing_months, shape_files.film_reviews, shape_files.heart_beats, format_files.novel):
        summary = read(maker()).summary
        assert {"rows", "sequences", "train", "test", "baselines", "why"} <= set(summary)
        json.dumps(summary)


# ---- sources


def test_a_path_bytes_and_an_open_file_are_the_same(tmp_path):
    path = tmp_path / "engines.csv"
    path.write_bytes(TABLE)
    with path.open("rb") as file:
        datasets = [read(path), read(str(path)), read(TABLE, name="engines.csv"), read(file), read([path])]
    assert {dataset.name for dataset in datasets} == {"engines.csv"}
    assert {dataset.fingerprint for dataset in datasets} == {hashlib.sha256(TABLE).hexdigest()}
    assert datasets[2].choices == {}


def test_one_class_a_file(tmp_path):
    for name in ("french", "german"):
        (tmp_path / f"{name}.txt").write_text("\n\n".join(f"{name[0]}{sentence}" for sentence in "abcdefghijklmnop"))
    paths = sorted(tmp_path.iterdir())
    dataset = read(paths)
    assert (dataset.kind, dataset.name) == ("labelled", "french.txt, german.txt")
    assert dataset.summary["classes"] == {"french": 16, "german": 16}
    hashes = "".join(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths)
    assert dataset.fingerprint == hashlib.sha256(hashes.encode()).hexdigest()
    assert dataset.content.lines.tolist()[14:18] == [29, 31, 1, 3]


def test_two_files_of_parallel_lines(tmp_path):
    for name, mark in (("train.en", ""), ("train.fr", "é")):
        (tmp_path / name).write_text("\n".join(format_files.sentence(at) + mark for at in range(30)), encoding="utf-8")
    paths = [tmp_path / "train.en", tmp_path / "train.fr"]
    assert read(paths).kind == "pairs"
    assert read(paths).summary["source"] == "train.en"
    assert read(paths, "labelled").kind == "labelled"
    paths[1].write_text("one\ntwo\n")
    assert "train.en has 30 lines, train.fr has 2 lines" in str(refusal(paths, "pairs"))


def test_several_files_must_be_texts(tmp_path):
    assert "no plain text" in str(refusal([shape_files.moves(), TEXT]))
    assert "the kind 'series' has one file" in str(refusal([TEXT, TEXT], "series"))
    assert "names must differ" in str(refusal([TEXT, TEXT], "labelled"))
    assert "No file was given" in str(refusal([]))


# ---- choices and kinds


def test_another_kind_can_be_chosen():
    reviews = shape_files.film_reviews()
    assert read(reviews, "text").kind == "text"
    assert read(reviews, "text", text="review").summary["header"] is True
    assert read(shape_files.heart_beats(), "series").kind == "series"
    assert "not as 'series'" in str(refusal(shape_files.moves(), "series"))
    assert "No delimiter was found" in str(refusal(TEXT, "pairs"))
    assert "'poem' is not known" in str(refusal(TEXT, "poem"))


def test_the_order_of_the_file_can_be_chosen_as_time():
    summary = read(format_files.pandas_with_row_numbers(), time="").summary
    assert (summary["time"], summary["step"]) == (None, "row")


def test_a_few_columns_of_years_do_not_make_it_a_table_of_years():
    rows = "\n".join(
        f"2020-01-{day:02d},{day % 7},{day % 5},{day % 4},{day % 6},{day},3,{day % 3}" for day in range(1, 29)
    )
    dataset = read(f"date,a,b,c,2001,2002,2003,2004\n{rows}\n".encode(), header=True)
    assert dataset.summary["why"] == "There are numbers over time ('date')."


def test_choices_are_kept_and_checked():
    dataset = read(TABLE, target="y", test_share=0.3, period=None)
    assert dataset.choices == {"target": "y", "test_share": 0.3}
    assert dataset.options == {"data": dataset.fingerprint, "kind": "series", "target": "y", "test_share": 0.3}
    assert "'test_share' is 2" in str(refusal(TABLE, test_share=2))
    assert "'colour' is not known" in str(refusal(TABLE, colour="red"))
    assert "'unit' means nothing" in " ".join(problem.sentence for problem in read(TABLE, unit="words").problems)


def test_progress_rises_from_nothing_to_done():
    shares, sentences = [], []

    def note(share: float, sentence: str) -> None:
        shares.append(share)
        sentences.append(sentence)

    progress: Progress = note
    read(TABLE, on_progress=progress)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert len(shares) >= 4
    assert all(sentences)


def test_problems_that_change_numbers_come_first():
    problems = read(shape_files.film_reviews()).problems
    harmless = [problem.harmless for problem in problems]
    assert harmless == sorted(harmless)
    assert len(set(problems)) == len(problems)
    assert Problem(1, None, "a") == Problem(1, None, "a", False)


# ---- what is refused


@for_each(
    {
        "source, words": [
            (b"", "empty"),
            (b" \n\n", "empty"),
            (b";;;\n;;;\n", "nothing but separators"),
            (b"a,b\n", "only one line"),
            (b"date,value\n2020-01-01,5\n", "at least"),
            (b"\x89PNG\r\n\x1a\n" + b"\0" * 90, "PNG picture"),
            (b"<!DOCTYPE html><html>", "web page"),
            (b"[" * 200_000 + b"]" * 200_000, "nested"),
            (b'{"a": 1}\n{"a": \n', "Line 2 is not JSON"),
            (b"@relation x\n@data\n1,2\n", ".arff"),
            (b"\x80\x04\x95" + b"x" * 20 + b".", "pickle"),
            (
                format_files.csv([["text", "label"], *([f"{at} or more words", "a"] for at in range(30))]).encode(),
                "only one class",
            ),
        ]
    }
)
def test_what_cannot_be_read_is_refused_in_a_sentence(source, words):
    assert words in str(refusal(source))


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(250_000_000)
    assert "250 MB; at most 50 MB" in str(refusal(path))


# ---- fuzz


SEEDS = [TABLE[:1200], shape_files.messages()[:900], shape_files.date_and_clock()[:1200], format_files.ucr()[:1500],
         shape_files.rated_reviews()[:900], format_files.newswire_entities()[:600], format_files.m4()[:1500],
         format_files.carbon_dioxide()[:1200], format_files.world_bank()[:1500]]  # fmt: skip
PIECES = [b"\n", b",", b";", b"\t", b'"', b"-", b".", b"0", b"1e999", b"nan", b"\xff", b"\0", b"9999999999",
          b"2020-13-45", b"inf", b"[", b"{", b"null", b"\xef\xbb\xbf", b"1.5.2", b" ", b"00:00", b"-200",
          b"\r"]  # fmt: skip


@st.composite
def mutated(draw) -> bytes:
    """A file with pieces put in, cut out and doubled at some places."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 8))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 40)))
        piece = draw(st.sampled_from(PIECES))
        data = draw(st.sampled_from([data[:at] + piece + data[at:], data[:at] + data[end:], data[:end] + data[at:],
                                     data.replace(piece, b"", 1), data[:at] + piece + data[end:]]))  # fmt: skip
    return data


FILES = st.one_of(mutated(), st.binary(max_size=300), st.text(max_size=300).map(str.encode))


def is_understood_or_refused(data: bytes, kind: str | None) -> None:
    try:
        dataset = read(io.BytesIO(data), kind)
    except DataError as error:
        assert error.sentence
        assert error.line is None or error.line >= 1
        return
    assert dataset.kind == (kind or dataset.kind)
    assert all(np.isfinite(value) for value in dataset.summary["baselines"].values())
    dataset.to_task()


def test_a_number_of_400_digits_is_no_time():
    rows = [["date", "value"], *([2000 + at, at * at % 7] for at in range(30))]
    rows[9][0] = "1" * 400
    is_understood_or_refused(format_files.csv(rows).encode(), None)


def fuzzed(examples: int):
    return settings(
        max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )


@fuzzed(100)
@given(FILES, st.sampled_from([None, None, None, *KINDS]))
def test_nothing_but_a_data_error_comes_out(data, kind):
    is_understood_or_refused(data, kind)


@pytest.mark.full
@fuzzed(2000)
@given(FILES, st.sampled_from([None, None, None, *KINDS]))
@example(b"a,b\n" * 20, None)
def test_nothing_but_a_data_error_comes_out_of_many(data, kind):
    is_understood_or_refused(data, kind)
