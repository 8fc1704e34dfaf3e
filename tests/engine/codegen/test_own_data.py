"""Scripts on somebody's own data read the file, or hold its numbers, and say what the Trainer says."""

from __future__ import annotations

import ast
import csv
import inspect
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.codegen import ScriptError, script
from engine.codegen.packed import fits, packed
from engine.data import Dataset, read
from engine.data.defaults import defaults
from engine.experiment import ExperimentError
from tests.engine.codegen.test_script import RELATIVE, run, trained, unused
from tests.engine.data import format_files, shape_files
from tests.engine.data.series_tables import AIRLINE, airline, waves


def assert_equal(dataset: Dataset, folder, data: bytes | None, **settings) -> str:
    """The script of a small network on a file of this name, run beside the file."""
    experiment = defaults(dataset).replace(hidden_size=4, batch_size=5, **settings)
    text = script(experiment)
    if data is not None:
        (folder / dataset.name).write_bytes(data)
    names = run(text, folder / "script.py")
    ours = trained(experiment, 2)
    for scripts, wanted in zip(names["train"](2), ours, strict=True):
        assert scripts == pytest.approx(wanted, rel=RELATIVE, abs=1e-12)
    task = experiment.definition
    stream = names["stream"]((1, 2), "test")
    batch = names["draw"](stream, 40, "test")
    wanted = task.draw(names["stream"]((1, 2), "test"), experiment, 40, "test")
    for what in ("inputs", "mask", "lengths", "targets"):
        assert np.array_equal(getattr(batch, what), getattr(wanted, what)), what
    assert unused(text) == set()
    return text


def csv_of(frame, **options) -> bytes:
    return frame.to_csv(index=False, **options).encode()


@pytest.mark.parametrize("rnn_type", ["many_to_many", "many_to_one"])
def test_airline_is_read_from_its_file(tmp_path, rnn_type):
    data = csv_of(airline())
    dataset = read(data, name="airline.csv")
    text = assert_equal(dataset, tmp_path, data, rnn_type=rnn_type)
    assert "LINES = np.r_[2:146]" in text and "float(cells[line][column])" in text


def panel() -> pd.DataFrame:
    """Three shops with a price each, days that lack, cells that lack, and a code for missing ones."""
    shops = []
    for shop, rows in (("a", 90), ("b", 70), ("c", 80)):
        frame = (
            waves(rows, 7, seed=len(shops)).round({"y": 4}).assign(shop=shop, price=np.linspace(1, 2, rows).round(3))
        )
        frame.loc[[3, 30], "y"], frame.loc[[5], "price"], frame.loc[[40], "y"] = np.nan, np.nan, -9999
        shops.append(frame.drop([50, 51]))
    return pd.concat(shops).reset_index(drop=True)


def uneven() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    moments = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.cumsum(rng.integers(1, 90, 150)), unit="h")
    return waves(150).assign(date=moments)


SERIES = {
    "several, missing": (csv_of(panel()), {"target": "y"}, "np.isnan", "values.flat[MISSING] = np.nan"),
    "uneven steps": (csv_of(uneven()), {}, "GAPS", "GAPS[begin:end]"),
    "newest first, decimal commas": (csv_of(waves(80).iloc[::-1], sep=";", decimal=","), {}, "number(",
                                     "LINES = np.r_[81:1:-1]"),
    "quoted, three ahead": (csv_of(waves(80), quoting=csv.QUOTE_ALL), {"horizon": 3}, "csv.reader",
                            "later = np.append(level[3:]"),
    "values": (csv_of(waves(80)), {"transform": "none"}, "hold(", 'columns = [level]'),
    "money": (b"day,price\n" + b"".join(b"2020-01-%02d,$%d.50\n" % (day + 1, 7 + day**2 % 11) for day in range(30)), {},
              "DRESSED", "DECIMALS"),
    "no header, no time": ("\n".join(AIRLINE.split()).encode(), {}, "[line]", "LINES = np.r_[1:145]"),
    "utf-16": (csv_of(airline()).decode().encode("utf-16"), {}, 'decode("utf-16")', "FILE"),
}  # fmt: skip


@pytest.mark.parametrize("name", SERIES)
def test_every_shape_of_series_is_read_from_its_file(tmp_path, name):
    data, choices, *holds = SERIES[name]
    text = assert_equal(read(data, kind="series", name="own file.csv", **choices), tmp_path, data)
    assert all(each in text for each in [*holds, "text_of_file()"])
    assert "_PACKED" not in text or name in ("several, missing", "uneven steps")


def test_rows_that_were_averaged_stand_in_the_script(tmp_path):
    frame = waves(60)
    data = csv_of(pd.concat([frame, frame.iloc[20:22].assign(y=[9.0, 8.0])]))
    text = assert_equal(read(data, name="doubled.csv"), tmp_path, None)
    assert "text_of_file" not in text and "This script holds them itself, packed" in text
    assert "# The numbers of doubled.csv, which takes more than a few lines to read: y." in text


def test_means_stand_in_the_script(tmp_path):
    frame = waves(144 * 12, 144, freq="10min").round({"y": 3}).assign(x=np.arange(1728) % 7)
    frame.loc[[5, *range(60, 66)], "y"] = np.nan
    text = assert_equal(read(csv_of(frame), name="station.csv", target="y", means="hour"), tmp_path, None)
    assert "text_of_file" not in text and "# Means of an hour of the numbers of station.csv: y, x." in text


def test_a_stranger_runs_it_beside_the_very_file(tmp_path):
    data = csv_of(airline())
    experiment = defaults(read(data, name="airline.csv")).replace(hidden_size=4)
    path = tmp_path / "run.py"
    path.write_text(script(experiment), encoding="utf-8")
    with pytest.raises(SystemExit, match="which must lie beside"):
        run(path.read_text(encoding="utf-8"), path)
    (tmp_path / "airline.csv").write_bytes(data + b"1961-01-01,450\n")
    with pytest.raises(SystemExit, match="is not the file that the playground has read"):
        run(path.read_text(encoding="utf-8"), path)
    (tmp_path / "airline.csv").write_bytes(data)
    order = [sys.executable, "-I", "run.py", "--steps", "3", "--every", "1"]
    done = subprocess.run(order, cwd=tmp_path, capture_output=True, text=True, check=True)
    printed = [tuple(map(float, line.split(","))) for line in done.stdout.splitlines()[1:]]
    for scripts, ours in zip(printed, trained(experiment, 3), strict=True):
        assert scripts == pytest.approx(ours, rel=1e-5)  # six digits are printed


def test_names_cannot_leave_their_comments(tmp_path):
    frame = airline().set_axis(["Month", 'a\rprint("out")\x1b "quoted" \\N{'], axis=1)
    data = csv_of(frame)
    name = '"""+print("out")+""" \\x.csv'
    dataset = read(data, name=name)
    text = script(defaults(dataset))
    tree = ast.parse(text)
    assert not [each for each in tree.body if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call)]
    assert run_file_name(text) == name


def run_file_name(text: str) -> str:
    (value,) = [each.value for each in ast.parse(text).body if isinstance(each, ast.Assign)
                and isinstance(each.targets[0], ast.Name) and each.targets[0].id == "FILE"]  # fmt: skip
    return ast.literal_eval(value)


# ---- kinds of symbols, and sequences


def conll() -> bytes:
    rng = np.random.default_rng(1)
    words = {"O": ["he", "saw", "the"], "PER": ["anna", "max"], "LOC": ["rome", "oslo"]}
    lines: list[str] = []
    for _ in range(60):
        tags = rng.choice([*words], 5)
        lines += [f"{rng.choice(words[tag])} {tag}" for tag in tags] + [""]
    return "\n".join(lines).encode()


def waves_in_rows(classes: bool) -> bytes:
    rng = np.random.default_rng(2)
    rows = [np.sin(np.arange(12) / (2 + at % 2)) + 0.1 * rng.normal(size=12) for at in range(40)]
    frame = pd.DataFrame(np.round(rows, 3))
    return csv_of(frame.assign(label=["slow" if at % 2 else "fast" for at in range(40)]) if classes else frame)


PROSE = b"It was a dark and stormy night, and the rain fell in torrents on the roofs of the town.\n"
WRAPPED = b"\n\n".join(b"\n".join([PROSE.strip(), b"and  " + PROSE[3:80], b"in the end\x07"]) for _ in range(15))
OTHERS = {
    "labelled": (shape_files.film_reviews(), {}, "without_marks"),
    "characters of classes": (shape_files.film_reviews(), {"unit": "characters"}, "without_marks"),
    "messages": (shape_files.messages(), {}, 'decode("cp1252")'),
    "pairs": (shape_files.phrases(), {}, "pairs_of_file"),
    "text": (PROSE * 20, {}, "lines[at].rstrip()"),
    "words": (PROSE * 20, {"unit": "words"}, "split_text(lines[at]"),
    "broken lines": (WRAPPED, {}, "lines[at].split()"),
    "lines": (shape_files.names_of_lizards(), {}, "lines[at].strip()"),
    "tagged": (conll(), {}, "sentences_of_file"),
    "tagged, with skipped lines": (format_files.treebank(), {}, "SKIPPED"),
    "tagged in a table": (format_files.entities_in_a_table(), {}, "sentences_of_file"),
    "tagged in JSON": (format_files.entities_in_json(), {}, "SENTENCES_JOINED"),
    "sequences": (waves_in_rows(True), {"kind": "sequences"}, "CLASSES.index"),
    "sequences, next": (waves_in_rows(False), {"kind": "sequences"}, "FIRST"),
    "sequences of different lengths": (format_files.ucr_of_different_lengths(), {}, "number(cells"),
    "thinned sequences": (format_files.ucr(), {"thin": 3}, ", 3)"),
    "sequences in an archive": (format_files.strokes(), {}, "STEPS_JOINED"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_other_kind_of_data_is_dealt_the_same(tmp_path, name):
    data, choices, holds = OTHERS[name]
    text = assert_equal(read(data, name="mine.csv", **choices), tmp_path, data)
    assert holds in text and ("text_of_file()" in text) == (name not in ("tagged in JSON", "sequences in an archive"))


@pytest.mark.parametrize("name", ["text", "words", "several, missing", "quoted, three ahead"])
def test_a_state_is_carried_through_the_whole_file(tmp_path, name):
    data, choices, *_ = SERIES[name] if name in SERIES else OTHERS[name]
    kind = "series" if name in SERIES else "text"
    dataset = read(data, kind=kind, name="own file.csv" if name in SERIES else "own file.txt", **choices)
    settings = {"rnn_type": "many_to_many", "hidden_size": 4, "seq_len": 5, "batch_size": 2, "carry_state": True}
    experiment = defaults(dataset).replace(**settings)
    text = script(experiment)
    (tmp_path / dataset.name).write_bytes(data)
    made = run(text, tmp_path / "script.py")["train"](9)
    for scripts, wanted in zip(made, trained(experiment, 9), strict=True):
        assert scripts == pytest.approx(wanted, rel=RELATIVE, abs=1e-12)
    assert unused(text) == set()


def test_lines_that_are_texts_of_their_own_carry_no_state_on():
    data, choices, *_ = OTHERS["lines"]
    dataset = read(data, kind="text", name="names.txt", **choices)
    assert dataset.summary["lines"]
    with pytest.raises(ExperimentError, match=r"^carry_state must be false for names\.txt, whose sequences"):
        defaults(dataset).replace(rnn_type="many_to_many", carry_state=True)


def test_several_files_are_read_as_pairs_or_classes(tmp_path):
    english = [
        f"the {noun} is {many}" for noun in ("boat", "rock", "bird", "lamp") for many in ("red", "blue", "old", "new")
    ]
    for names in (("train.en", "train.fr"), ("Calm.txt", "loud.txt")):
        paths = [tmp_path / name for name in names]
        paths[0].write_text("\n".join(english) + "\n", encoding="utf-8")
        paths[1].write_text("\r\n".join(f"é {text[::-1]}" for text in english), encoding="cp1252")
        text = assert_equal(read(paths), tmp_path, None)
        assert f'FILES = {{"{names[0]}": "utf-8", "{names[1]}": "cp1252"}}' in text
        assert f"{names[0]}, {names[1]} must lie beside it" in " ".join(text.split())
        for path in paths:
            path.write_text("\ufeff" + "\n".join(english), encoding="utf-8")
        assert_equal(read(paths, encoding="utf-8"), tmp_path, None)


def test_what_fits_is_known_without_packing_it():
    rng = np.random.default_rng(0)
    for content in (rng.bytes(3_000), rng.bytes(700_000), bytes(10**6), b"", b"abc"):
        size = len(packed("X", content)) - len(packed("X", b""))
        assert fits(content, size + 20) and not fits(content, size - 20), len(content)


def test_too_many_data_for_a_script_are_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr("engine.codegen.own.writer.MAX_PACKED", 1_000)
    experiment = defaults(read(format_files.strokes(), name="strokes.json"))
    with pytest.raises(ScriptError, match="more than 1,000 characters of packed numbers"):
        script(experiment)


FILES = {name: make for module in (shape_files, format_files) for name, make in vars(module).items()
         if inspect.isfunction(make) and make.__module__ == module.__name__ and not inspect.signature(make).parameters
         and inspect.signature(make).return_annotation == "bytes"}  # fmt: skip


@pytest.mark.full
@pytest.mark.parametrize("name", FILES)
def test_every_file_that_the_reader_knows_is_dealt_the_same(tmp_path, name):
    data = FILES[name]()
    dataset = read(data, name="mine.csv")
    (tmp_path / dataset.name).write_bytes(data)
    experiment = defaults(dataset)
    names = run(script(experiment), tmp_path / "script.py")
    for split in ("train", "test"):
        dealt, wanted = (draw(*extra, 60, split) for draw, extra in (
            (names["draw"], (names["stream"]((1, 2), split),)),
            (experiment.definition.draw, (names["stream"]((1, 2), split), experiment)),
        ))  # fmt: skip
        for what in ("inputs", "targets", "mask", "lengths"):
            assert np.array_equal(getattr(dealt, what), getattr(wanted, what)), what


def test_a_linter_finds_nothing():
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    order = [ruff, "check", "--isolated", "--line-length", "120", "--select", "F,E,I", "--target-version", "py311", "-"]
    for data, choices, *_ in (*OTHERS.values(), *SERIES.values()):
        kind = choices.get("kind") or ("series" if (data, choices) in [each[:2] for each in SERIES.values()] else None)
        text = script(defaults(read(data, **{**choices, "kind": kind, "name": "mine.csv"})))
        done = subprocess.run(order, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
