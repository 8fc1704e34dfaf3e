"""A lesson that is written and read again is the same: every lesson there is, and random ones."""

from __future__ import annotations

import dataclasses
import random
import tomllib
from typing import Any

import pytest

from engine.experiment import Experiment
from engine.preset import FOLDER, list_presets, parse_preset, teachers_folder
from engine.preset.parser import check_table, read_table
from engine.preset.writer import settings_of, table_of, write_preset, write_table
from tests.cases import for_each

FILES = [*sorted(FOLDER.glob("*.toml")), *sorted(teachers_folder().glob("example.*"))]
PIECES = ("a", "Wort", " ", "  ", "\n", "\n\n", '"', '""', '"""', "'", "'''", "\\", "\\n", "\\u00e9", "+++", "\n+++\n",
          "+++ ", "#", "=", "[x](set:", "é", "日", "🙂", "\t", "\r", "\r\n", "\x00", "\x0b", "\x0c", "\x1c", "\x7f",
          "\x85", "\u2028", "\ufeff", "\u200b", "\U000e0001", "<b>", "{", "]", "\n# ", "1.5", "true")  # fmt: skip


@for_each({"preset": list_presets()})
def test_a_lesson_written_and_read_is_the_same(preset):
    again = parse_preset(preset.slug, write_preset(preset), "md")
    assert dataclasses.replace(again, file=preset.file, order=preset.order) == preset


@for_each({"path": FILES})
def test_the_settings_of_a_file_are_the_same_after_writing(path):
    table = read_table(path.name, path.read_text(encoding="utf-8"), path.suffix[1:])
    assert read_table("x.md", write_table(table)) == {**table, "text": table.get("text", "").strip()} or (
        read_table("x.md", write_table(table)) == table
    )


def words(draw: random.Random) -> str:
    """A random text with what TOML and Markdown could stumble over."""
    return "".join(draw.choice(PIECES) for _ in range(draw.randint(0, 60 if draw.random() < 0.3 else 8)))


def number(draw: random.Random) -> float | int:
    return draw.choice([draw.randint(-5, 10**6), draw.random() * 10 ** draw.randint(-12, 12), 1e-7, 1e22, 0, -0.0])


def settings(draw: random.Random) -> dict[str, Any]:
    known = [lambda: ("seq_len", draw.randint(1, 99)), lambda: ("cell", words(draw)),
             lambda: (words(draw), number(draw)),
             lambda: ("bidirectional", draw.random() < 0.5), lambda: ("learning_rate", number(draw)),
             lambda: ("task_options", {words(draw): [number(draw)]})]  # fmt: skip
    return dict(draw.choice(known)() for _ in range(draw.randint(0, 4)))


def some(draw: random.Random, **makers: Any) -> dict[str, Any]:
    """Some of these entries, each made anew."""
    return {key: make() for key, make in makers.items() if draw.random() < 0.7}


def random_table(draw: random.Random) -> dict[str, Any]:
    """The settings of a lesson that somebody is in the middle of writing: any part may be missing."""

    def text() -> str:
        return words(draw)

    def parts(make: Any) -> list[Any]:
        return [make() for _ in range(draw.randint(0, 3))]

    def texts() -> list[str]:
        return parts(text)

    def change() -> dict[str, Any]:
        return some(draw, says=text, settings=lambda: settings(draw))

    def condition() -> dict[str, Any]:
        return some(draw, step=lambda: draw.randint(0, 9), solved=lambda: True, loss=lambda: number(draw), kind=text)

    def prediction() -> dict[str, Any]:
        return some(draw, asks=text, answers=texts, right=lambda: draw.randint(0, 3), because=text, steps=lambda: 40,
                    when=condition, settings=lambda: settings(draw))  # fmt: skip

    return some(
        draw, order=lambda: draw.randint(-3, 99), title=text, question=text, look_for=text, text=text, explains=text,
        chapter=text, note=text, symptom=text, speed=text, paused=lambda: draw.random() < 0.5, figures=texts, card=text,
        experiment=lambda: settings(draw), next=lambda: parts(change),
        predict=lambda: parts(prediction),
        done=lambda: some(draw, says=text, settings=lambda: settings(draw)) | condition(),
        seen_as=lambda: parts(lambda: some(draw, says=text, figure=text)),
        claims=lambda: parts(lambda: some(draw, says=text, gate=text, above=lambda: number(draw))),
    )  # fmt: skip


@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.full)])
def test_what_somebody_has_written_so_far_is_read_as_it_was(count):
    for seed in range(count):
        table = random_table(random.Random(seed))
        written = write_table(table)
        assert read_table("draft.md", written) == table, f"seed {seed}"
        assert written.encode().decode() == written
        check_table("draft.md", table)  # whatever stands there: problems, never an exception


@for_each({"value": PIECES})
def test_every_character_survives_in_a_line_and_over_several(value):
    for text in (value, f"{value}x", f"x{value}", f"{'long ' * 30}\n{value}", f"{value}\n{'long ' * 30}"):
        table = {"title": text, "text": text}
        assert read_table("draft.md", write_table(table)) == table


def test_the_file_is_one_that_a_person_would_write():
    preset = parse_preset("example", (teachers_folder() / "example.md").read_text(encoding="utf-8"), "md")
    written = write_preset(preset)
    assert written.startswith('+++\norder = 1\nchapter = "An example for teachers"\ntitle = "Half the length"\n')
    assert '\n[experiment]\ntask = "first_symbol_recall"\ncell = "rnn"\n' in written
    assert '\n[[next]]\nsays = "Only 12 digits"\nsettings = { seq_len = 12 }\n' in written
    assert written.endswith("\n+++\n" + preset.text + "\n")
    tomllib.loads(written.split("+++")[1])


def test_a_long_text_stands_over_several_lines():
    written = write_table({"explains": 'The first "line" of it.\n' * 6})
    assert 'explains = """\nThe first "line" of it.\nThe first' in written


@for_each({"preset": list_presets()})
def test_the_settings_of_an_experiment_make_the_same_experiment(preset):
    settings = settings_of(preset.experiment)
    assert Experiment.from_dict(settings) == preset.experiment and {"task", "cell", "seq_len"} <= settings.keys()
    assert table_of(preset)["experiment"] == settings
