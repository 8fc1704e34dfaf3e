"""The lessons: files that can be read, in an order, and errors that name the file, the key and what is accepted."""

from __future__ import annotations

import tomllib

import pytest

from engine.experiment import Experiment
from engine.preset import (
    FOLDER,
    KINDS,
    SPEEDS,
    Change,
    Claim,
    Preset,
    PresetError,
    list_presets,
    load_preset,
    parse_preset,
)

PRESETS = list_presets()
GOOD = """
order = 3
title = "Title"
question = "Question?"
look_for = "Look."

[experiment]
task = "adding"
cell = "gru"
"""

each_preset = pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.slug)


# ---- the lessons there are


def test_every_file_is_a_lesson():
    files = {path.stem for path in FOLDER.glob("*.toml")}
    assert {preset.slug for preset in PRESETS} == files and len(files) >= 11


@pytest.mark.parametrize("kind", KINDS)
def test_orders_count_from_1_without_a_gap(kind):
    orders = [preset.order for preset in PRESETS if preset.kind == kind]
    assert orders == list(range(1, len(orders) + 1))


@each_preset
def test_a_lesson_says_what_it_is_in_sentences(preset):
    assert preset.title.strip() == preset.title != "" and not preset.title.endswith(".")
    assert preset.question.endswith("?") and preset.question[0].isupper()
    assert preset.look_for.endswith((".", "!", "?")) and preset.look_for[0].isupper()
    assert preset.note == "" or preset.note.endswith(".")
    assert preset.speed in SPEEDS


@each_preset
def test_a_lesson_is_what_its_file_says(preset):
    table = tomllib.loads((FOLDER / f"{preset.slug}.toml").read_text(encoding="utf-8"))
    for key, value in table.pop("experiment").items():
        assert getattr(preset.experiment, key) == value
    for key in ("next", "claims"):
        parts = table.pop(key, [])
        assert len(getattr(preset, key)) == len(parts)
        for part, read in zip(getattr(preset, key), parts, strict=True):
            for name, value in read.items():
                assert getattr(part, name) == (tuple(value) if name == "seeds" else value)
    for key, value in table.items():
        assert getattr(preset, key) == value
    assert load_preset(preset.slug) is preset
    assert Experiment.from_dict(preset.experiment.to_dict()) == preset.experiment


def test_titles_and_questions_are_told_apart():
    assert len({preset.title for preset in PRESETS}) == len({preset.question for preset in PRESETS}) == len(PRESETS)


def test_the_opening_lesson_is_the_one_of_the_design():
    first = load_preset("remember")
    assert (first.slug, first.paused) == ("remember", False)
    assert first.experiment == Experiment(
        task="first_symbol_recall", rnn_type="many_to_one", cell="rnn", nonlinearity="tanh", seq_len=40, hidden_size=32,
        num_layers=1, optimizer="adam", learning_rate=0.003, clip="norm", clip_threshold=1.0, init="pytorch", tbptt=0,
    )  # fmt: skip


def test_its_cure_is_the_lesson_that_follows():
    """One click on the cure gives what the next lesson shows, but for the number of updates."""
    first, second = load_preset("remember"), load_preset("remember-lstm")
    assert second.order == first.order + 1
    assert first.experiment.replace(cell="lstm", forget_bias=3.0, steps=second.experiment.steps) == second.experiment


def test_lessons_are_listed_once_read():
    assert list_presets() is PRESETS and isinstance(PRESETS, tuple)


def test_an_unknown_slug_is_told_the_known_ones():
    with pytest.raises(PresetError, match=r"^There is no preset 'nope'; there are ") as error:
        load_preset("nope")
    for preset in PRESETS:
        assert preset.slug in str(error.value)


@pytest.mark.parametrize("slug", ["", "Remember", "remember.toml", "../presets/remember", "remember\0"], ids=repr)
def test_a_slug_is_a_name_and_no_path(slug):
    with pytest.raises(PresetError, match="There is no preset"):
        load_preset(slug)


# ---- reading

NEXT = """
[[next]]
says = "Shorter"
settings = { seq_len = 10 }
"""
CLAIM = """
[[claims]]
says = "It grows."
gate = "exact"
measure = "ratio"
settings = { cell = "rnn" }
above = 1
seeds = [4]
"""


def test_what_to_change_next_and_what_is_claimed_is_read():
    preset = parse_preset("demo", GOOD + NEXT + CLAIM)
    assert preset.next == (Change(says="Shorter", settings={"seq_len": 10}),)
    assert preset.claims == (
        Claim(says="It grows.", gate="exact", measure="ratio", settings={"cell": "rnn"}, above=1, seeds=(4,)),
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seq_len = 10", "seq_len = 0", r"^demo\.toml, next: seq_len must be .*, but got 0\.$"),
        ("seq_len = 10", "sequence = 10", r"^demo\.toml, next: .*sequence"),
        ('says = "Shorter"\n', "", r"^demo\.toml, next: says is missing\.$"),
        ('says = "Shorter"', "says = 1", r"^demo\.toml, next: says must be a text, but got 1\.$"),
        ('"exact"', '"sure"', r"^demo\.toml, claims: gate must be exact, trained, shown, but got 'sure'\.$"),
        ('"exact"', '"shown"', r"^demo\.toml, claims: a claim that is only shown has no measure\.$"),
        ("above = 1\n", "", r"^demo\.toml, claims: an exact claim needs measure, and above, below or equals\.$"),
        ('"rnn" }', '"none" }', r"^demo\.toml, claims: cell must be "),
        ("[4]", "4", r"^demo\.toml, claims: seeds must be a list, but got 4\.$"),
        ("[[claims]]", "[claims]", r"^demo\.toml: claims must be a list, but got "),
    ],
)
def test_a_change_or_a_claim_that_cannot_be_says_why(old, new, says):
    assert old in NEXT + CLAIM
    with pytest.raises(PresetError, match=says):
        parse_preset("demo", GOOD + (NEXT + CLAIM).replace(old, new))


def test_a_lesson_can_be_read_from_text():
    assert parse_preset("demo", GOOD) == Preset(
        slug="demo", order=3, title="Title", question="Question?", look_for="Look.", speed="normal", paused=False,
        note="", experiment=Experiment(task="adding", cell="gru"),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "updates"), [("slow", 2.0), ("normal", 25.0), ("max", None)])
def test_speeds_have_names(name, updates):
    assert parse_preset("demo", f'speed = "{name}"\npaused = true\n{GOOD}').speed == name
    assert SPEEDS[name] == updates


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("order = 3", "order 3", r"^demo\.toml cannot be read: .*line 2"),
        ('"Look."', '"Look.', r"^demo\.toml cannot be read: .*line 5"),
        ("order = 3", "order = 3\norder = 4", r"^demo\.toml cannot be read: "),
        ("order", "oder", r"^demo\.toml: oder is not a key of a preset; those are title, .*order.*claims\.$"),
        ("order = 3", "order = 3\nslug = 'other'", r"^demo\.toml: slug is not a key of a preset"),
        ("order = 3\n", "", r"^demo\.toml: order is missing\.$"),
        ('title = "Title"\n', "", r"^demo\.toml: title is missing\.$"),
        ('question = "Question?"\n', "", r"^demo\.toml: question is missing\.$"),
        ('look_for = "Look."\n', "", r"^demo\.toml: look_for is missing\.$"),
        ('[experiment]\ntask = "adding"\ncell = "gru"\n', "", r"^demo\.toml: experiment is missing\.$"),
        ("order = 3", "order = '3'", r"^demo\.toml: order must be a whole number, but got '3'\.$"),
        ("order = 3", "order = 3.0", r"^demo\.toml: order must be a whole number, but got 3\.0\.$"),
        ("order = 3", "order = true", r"^demo\.toml: order must be a whole number, but got True\.$"),
        ('"Title"', "7", r"^demo\.toml: title must be a text, but got 7\.$"),
        ("order = 3", "order = 3\npaused = 1", r"^demo\.toml: paused must be true or false, but got 1\.$"),
        ("order = 3", "order = 3\npaused = 'yes'", r"^demo\.toml: paused must be true or false, but got 'yes'\.$"),
        ("order = 3", "order = 3\nspeed = 25", r"^demo\.toml: speed must be a text, but got 25\.$"),
        ("order = 3", "order = 3\nspeed = 'warp'", r"^demo\.toml: speed must be slow, normal, max, but got 'warp'\.$"),
        ("order = 3", "order = 3\nspeed = ''", r"^demo\.toml: speed must be slow, normal, max, but got ''\.$"),
        ("[experiment]", "experiment = 3\n[other]", r"^demo\.toml: experiment must be a table, but got 3\.$"),
        ("[experiment]", "[[experiment]]", r"^demo\.toml: experiment must be a table"),
        ('"adding"', '"subtracting"', r"^demo\.toml: task must be .*adding.*, but got 'subtracting'\.$"),
        ('"gru"', '"gru"\nhidden_size = 0', r"^demo\.toml: hidden_size must be a whole number from 1 to 512, but"),
        ('"gru"', '"gru"\nlearning_rate = nan', r"^demo\.toml: learning_rate must be a number .*, but got nan\.$"),
        ('"gru"', '"gru"\nunits = 4', r"^demo\.toml: units must be left out, for the settings are .*hidden_size"),
        ('"gru"', '"gru"\nseq_len = 1', r"^demo\.toml: seq_len must be a whole number from 2 to 1000 for Adding"),
        ('"gru"', '"gru"\n[experiment.task_options]\na = 1', r"^demo\.toml: task_options must be empty"),
    ],
    ids=lambda each: each.replace("\n", " ")[:40] if isinstance(each, str) and not each.startswith("^") else "",
)  # fmt: skip
def test_a_file_that_cannot_be_says_why(old, new, says):
    assert old in GOOD
    with pytest.raises(PresetError, match=says):
        parse_preset("demo", GOOD.replace(old, new))
