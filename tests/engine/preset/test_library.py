"""The lessons: files that can be read, in an order, and errors that name the file, the key and what is accepted."""

from __future__ import annotations

import dataclasses
import tomllib
from pathlib import Path
from typing import Any

import pytest

from app import verdicts
from app.figures import applicable
from engine.experiment import Experiment
from engine.frame import Diagnosis, Frame, RunInfo, RunPhase, RunStatus
from engine.preset import (
    ASK,
    FOLDER,
    KINDS,
    SPEEDS,
    VERDICTS,
    Change,
    Claim,
    Condition,
    Prediction,
    Preset,
    PresetError,
    SeenAs,
    list_presets,
    load_preset,
    parse_preset,
    setting_links,
    teachers_folder,
    unreadable,
)
from engine.tasks import TASKS
from tests.cases import for_each
from tests.engine.conftest import untrained_frame

PRESETS = tuple(preset for preset in list_presets() if not preset.file)
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


@for_each({"preset": PRESETS})
def test_a_lesson_says_what_it_is_in_sentences(preset):
    assert preset.title.strip() == preset.title != "" and not preset.title.endswith(".")
    assert preset.question.endswith("?") and preset.question[0].isupper()
    assert preset.look_for.endswith((".", "!", "?")) and preset.look_for[0].isupper()
    assert preset.note == "" or preset.note.endswith(".")
    assert preset.speed in SPEEDS


@for_each({"preset": PRESETS})
def test_a_lesson_is_what_its_file_says(preset):
    table = tomllib.loads((FOLDER / f"{preset.slug}.toml").read_text(encoding="utf-8"))
    for key, value in table.pop("experiment").items():
        assert getattr(preset.experiment, key) == value
    for key in ("next", "claims", "predict", "seen_as"):
        parts = table.pop(key, [])
        assert len(getattr(preset, key)) == len(parts)
        for part, read in zip(getattr(preset, key), parts, strict=True):
            when = {
                **read.pop("when", {}),
                **({"step": read.pop("steps")} if key == "predict" and "steps" in read else {}),
            }
            assert key != "predict" or part.when == Condition(**when)
            for name, value in read.items():
                assert getattr(part, name) == (tuple(value) if isinstance(value, list) else value)
    assert preset.done == (Condition(**table.pop("done")) if "done" in table else None)
    for key, value in table.items():
        assert getattr(preset, key) == (tuple(value) if isinstance(value, list) else value)
    assert load_preset(preset.slug) is preset
    assert Experiment.from_dict(preset.experiment.to_dict()) == preset.experiment


@for_each({"preset": PRESETS})
def test_a_lesson_can_be_done_and_names_figures_that_show_something(preset):
    assert preset.done is not None and preset.done.says.endswith(".")
    assert 2 <= len(preset.figures) <= 3
    assert set(preset.figures) <= applicable(RunInfo.of(preset.experiment)).keys()
    assert (preset.kind != "lesson") == bool(preset.symptom)
    assert (preset.kind == "bug") == bool(preset.wrong) == bool(preset.right)


def test_the_first_16_lessons_ask_before_they_show_and_six_have_prose_that_acts():
    silent = [preset.order for preset in PRESETS if preset.kind == "lesson" and not preset.predict]
    assert min(silent, default=17) > 16
    for preset in PRESETS:
        for each in preset.predict:
            assert each.asks.endswith("?") and each.because.endswith(".")
    assert sum(bool(setting_links.links(preset.explains + preset.text)) for preset in PRESETS) >= 6


def test_the_kinds_that_a_condition_can_wait_for_are_the_verdicts():
    assert set(VERDICTS) == verdicts.VERDICTS.keys()


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
    assert list_presets() is list_presets() and isinstance(list_presets(), tuple)


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


SEEN_AS = """
[[seen_as]]
says = "The loss is flat"
figure = "loss"
settings = { seq_len = 10 }
"""


def test_the_symptoms_that_lead_to_a_lesson_are_read():
    preset = parse_preset("demo", GOOD + SEEN_AS)
    assert preset.seen_as == (SeenAs(says="The loss is flat", figure="loss", settings={"seq_len": 10}),)
    (asked,) = parse_preset("demo", GOOD + SEEN_AS.replace('"loss"', '"ask"')).seen_as
    assert asked.figure == ASK


@for_each({"old, new, says": [
        ('says = "The loss is flat"\n', "", r"^demo\.toml, seen_as: says is missing\.$"),
        ('figure = "loss"\n', "", r"^demo\.toml, seen_as: figure is missing\.$"),
        ('"loss"', '"gates"', r"^demo\.toml, seen_as: figure must be unrolled, gradient, loss, ask, but got 'gates'"),
        ("seq_len = 10", "seq_len = 0", r"^demo\.toml, seen_as: seq_len must be .*, but got 0\.$"),
        ("settings", "setting", r"^demo\.toml, seen_as: setting is not a key of a symptom; those are says, figure, "),
        ("[[seen_as]]", "[seen_as]", r"^demo\.toml: seen_as must be a list, but got "),
    ]})  # fmt: skip
def test_a_symptom_that_cannot_be_says_why(old, new, says):
    assert old in SEEN_AS
    with pytest.raises(PresetError, match=says):
        parse_preset("demo", GOOD + SEEN_AS.replace(old, new))


@for_each({"preset": [preset for preset in PRESETS if preset.seen_as]})
def test_every_symptom_is_a_few_words_and_its_figure_shows_something(preset):
    for seen in preset.seen_as:
        assert len(seen.says) <= 70 and seen.says[-1] not in ".!?"
        shown = applicable(RunInfo.of(preset.experiment.replace(**seen.settings)))
        assert seen.figure in shown or (seen.figure == ASK and TASKS[preset.experiment.task].continues)


def test_every_failure_card_is_found_by_a_symptom_and_no_symptom_leads_to_two():
    assert all(preset.seen_as for preset in PRESETS if preset.kind != "lesson")
    says = [seen.says for preset in PRESETS for seen in preset.seen_as]
    assert len(says) == len(set(says))


def test_a_card_that_a_lesson_unfolds_is_one_there_is():
    assert parse_preset("demo", 'card = "equations"' + GOOD).card == "equations"
    with pytest.raises(PresetError, match=r"^demo\.toml: card must be equations, but got 'ask'\.$"):
        parse_preset("demo", 'card = "ask"' + GOOD)


def test_a_lesson_can_be_read_from_text():
    assert parse_preset("demo", GOOD) == Preset(
        slug="demo", order=3, title="Title", question="Question?", look_for="Look.", speed="normal", paused=False,
        note="", experiment=Experiment(task="adding", cell="gru"),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "updates"), [("slow", 2.0), ("normal", 25.0), ("max", None)])
def test_speeds_have_names(name, updates):
    assert parse_preset("demo", f'speed = "{name}"\npaused = true\n{GOOD}').speed == name
    assert SPEEDS[name] == updates


@for_each({"old, new, says": [
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
        ('"gru"', '"gru"\nhidden_size = 0', r"^demo\.toml: hidden_size must be a whole number from 1 to 2,048, but"),
        ('"gru"', '"gru"\nlearning_rate = nan', r"^demo\.toml: learning_rate must be a number .*, but got nan\.$"),
        ('"gru"', '"gru"\nunits = 4', r"^demo\.toml: units must be called hidden_size"),
        ('"gru"', '"gru"\nseq_len = 1', r"^demo\.toml: seq_len must be a whole number from 2 to 1000 for Adding"),
        ('"gru"', '"gru"\n[experiment.task_options]\na = 1', r"^demo\.toml: task_options must be empty"),
    ]})  # fmt: skip
def test_a_file_that_cannot_be_says_why(old, new, says):
    assert old in GOOD
    with pytest.raises(PresetError, match=says):
        parse_preset("demo", GOOD.replace(old, new))


# ---- predictions, what completes a lesson, links that act

PREDICT = """
[[predict]]
asks = "What comes?"
answers = ["This", "That"]
right = 1
because = "It must."
steps = 40
when = { kind = "vanished" }
"""
DONE = """
[done]
says = "Solve it."
solved = true
settings = { cell = "lstm" }
"""
LINKED = 'text = "Now [open\\nthe gate](set:forget_bias=3, cell=lstm) or [close it](set:forget_bias=none)."\n'


def test_a_prediction_and_what_completes_the_lesson_are_read():
    preset = parse_preset("demo", 'figures = ["loss"]\n' + GOOD + PREDICT + DONE)
    assert preset.predict == (
        Prediction(asks="What comes?", answers=("This", "That"), right=1, because="It must.",
                   when=Condition(step=40, kind="vanished")),
    )  # fmt: skip
    assert preset.done == Condition(says="Solve it.", solved=True, settings={"cell": "lstm"})
    assert preset.figures == ("loss",)


def test_links_in_prose_set_figures():
    written = parse_preset("demo", LINKED + GOOD).text
    assert setting_links.links(written) == [
        ("open\nthe gate", {"forget_bias": 3, "cell": "lstm"}),
        ("close it", {"forget_bias": None}),
    ]
    assert type(setting_links.links(written)[0][1]["forget_bias"]) is float  # as the setting is
    led = setting_links.with_addresses(written, lambda settings: f"/?{len(settings)}")
    assert led == "Now [open\nthe gate](/?2) or [close it](/?1)."


def test_settings_are_written_as_they_are_read():
    written = "cell=lstm, forget_bias=none, clip=none, bidirectional=true, seq_len=12, learning_rate=0.01"
    changes = setting_links.settings(written)
    assert changes == {"cell": "lstm", "forget_bias": None, "clip": "none", "bidirectional": True, "seq_len": 12,
                       "learning_rate": 0.01}  # fmt: skip
    assert setting_links.written(changes) == written and Experiment().replace(**changes).clip == "none"


@for_each({"old, new, says": [
        ("right = 1", "right = 2", r"^demo\.toml, predict: right must be from 0 \(the first answer\) to 1, but got 2"),
        ('["This", "That"]', '["This"]', r"^demo\.toml, predict: answers must be a list of 2 to 4 different texts"),
        ('["This", "That"]', '["This", "This"]', r"^demo\.toml, predict: answers must be a list of 2 to 4 different"),
        ('asks = "What comes?"\n', "", r"^demo\.toml, predict: asks is missing\.$"),
        ("steps = 40", "steps = -1", r"^demo\.toml, predict, when: step must be 0 or more, but got -1\.$"),
        ('"vanished"', '"gone"', r"^demo\.toml, predict, when: kind must be .*vanished.*, but got 'gone'\.$"),
        ("steps = 40", 'settings = { cell = "x" }', r"^demo\.toml, predict: cell must be .*, but got 'x'\.$"),
        ('cell = "lstm" }', "units = 3 }", r"^demo\.toml, done: units must be called hidden_size"),
        ('says = "Solve it."\n', "", r"^demo\.toml, done: says is missing\.$"),
        ("solved = true\nsettings", "# settings", r"^demo\.toml, done: says alone is no condition; add one of step, "),
        ("set:forget_bias=3", "set:forget_bias=99", r"^demo\.toml, text, link \[open the gate\]: forget_bias must be "),
        ("set:forget_bias=3", "set:forget_bias", r"^demo\.toml, text, link \[open the gate\]: expected name=value"),
        ("cell=lstm)", "cell=lstm", r"^demo\.toml, text: a link that sets something is written "),
        ('text = "', 'figures = []\ntext = "', r"^demo\.toml: figures must be a list of 1 to 3 different"),
    ]})  # fmt: skip
def test_what_asks_completes_or_acts_and_cannot_be_says_why(old, new, says):
    whole = LINKED + GOOD + PREDICT + DONE
    assert old in whole
    with pytest.raises(PresetError, match=says):
        parse_preset("demo", whole.replace(old, new))


def looked(step: int, kind: str = "healthy", **changes: Any) -> Frame:
    return dataclasses.replace(untrained_frame(), step=step, diagnosis=Diagnosis(kind, "", {}, {}), **changes)


def status(step: int = 0, solved_at: int | None = None, message: str = "") -> RunStatus:
    return RunStatus(RunPhase.RUNNING, step, 0.0, 1.0, message, solved_at)


@pytest.mark.parametrize(
    ("condition", "shows", "lacks"),
    [
        ({"step": 9}, (status(), looked(9)), (status(9), looked(8))),
        ({"solved": True}, (status(solved_at=3), looked(0)), (status(9), looked(9))),
        ({"broken": True}, (status(message="Infinite."), looked(0)), (status(), looked(0))),
        ({"kind": "dead"}, (status(), looked(0, "dead")), (status(), looked(0))),
        ({"kind": "dead", "step": 5}, (status(), looked(5, "dead")), (status(9), looked(4, "dead"))),
        ({"kind": "healthy"}, (status(), looked(0, "untrained")), (status(), looked(0, "vanishing"))),
        ({"loss": 1.0}, (status(), looked(0, probe_loss=0.9)), (status(), looked(0, probe_loss=1.0))),
        ({"metric": 0.9}, (status(), looked(0, metric=0.9)), (status(), looked(0, metric=0.8))),
        ({"settings": {"seed": 0}}, (status(), looked(0)), None),
        ({"settings": {"seed": 1}}, None, (status(), looked(0))),
    ],
    ids=str,
)
def test_a_condition_holds_where_the_run_shows_all_of_it(condition, shows, lacks):
    held = Condition(**condition)
    if shows:
        assert held.holds(Experiment(), shows[0], [looked(0, "rising", probe_loss=9.0, metric=0), shows[1]]) is not None
    if lacks:
        assert held.holds(Experiment(), lacks[0], [lacks[1]]) is None
    assert held.holds(Experiment(), status(99, 9, "Infinite."), []) is None


# ---- Markdown, and a teacher's own folder

MARKDOWN = f"+++\n{GOOD}{DONE}+++\n\nRead **this**, then [try](set:seq_len=20).\n"


def test_a_lesson_may_be_markdown_with_its_settings_above():
    preset = parse_preset("demo", MARKDOWN, "md")
    plain = parse_preset("demo", GOOD + DONE)
    assert preset == dataclasses.replace(plain, text="Read **this**, then [try](set:seq_len=20).")
    assert parse_preset("demo", "\ufeff" + MARKDOWN.replace("\n", "\r\n"), "md") == preset


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("# No settings\n", r"^demo\.md: a lesson in Markdown begins with a line \+\+\+, then come its settings"),
        (MARKDOWN.replace("order = 3", "order 3"), r"^demo\.md cannot be read: .*line 3"),
        (MARKDOWN.replace("order = 3", 'order = 3\ntext = "x"'), r"^demo\.md: text stands below the second"),
        (MARKDOWN.replace("seq_len=20", "seq_len=0"), r"^demo\.md, text, link \[try\]: seq_len must be "),
    ],
)  # fmt: skip
def test_markdown_that_cannot_be_a_lesson_says_why(wrong, says):
    with pytest.raises(PresetError, match=says):
        parse_preset("demo", wrong, "md")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path))
    return tmp_path


def theirs() -> dict[str, Preset]:
    return {preset.slug: preset for preset in list_presets() if preset.file}


def test_a_file_dropped_into_the_teachers_folder_is_a_lesson_at_once(folder):
    assert theirs() == {} and unreadable() == ()
    (folder / "README.md").write_text("# Not a lesson\n")
    (folder / "zero.md").write_text(MARKDOWN)
    (folder / "first.toml").write_text(GOOD.replace("order = 3", "order = 1"))
    assert [(preset.slug, preset.file, preset.order) for preset in theirs().values()] == [
        ("first", "first.toml", 1),
        ("zero", "zero.md", 2),
    ]
    assert list_presets() is list_presets() and list_presets()[: len(PRESETS)] == PRESETS
    (folder / "zero.md").write_text(MARKDOWN.replace('"Title"', '"Another title"'))
    assert load_preset("zero").title == "Another title"
    (folder / "zero.md").unlink()
    assert "zero" not in theirs()
    assert load_preset("zero").title == "Another title"  # whoever has it open keeps it


@pytest.mark.parametrize(
    ("name", "written", "says"),
    [
        ("wave.md", MARKDOWN, "wave.md: the course has a lesson called wave already; give the file another name."),
        ("good.md", MARKDOWN, "good.toml: good.md is called good already; give one of them another name."),
        ("My lesson.md", MARKDOWN, "My lesson.md: the name must be small letters, digits and single hyphens"),
        ("bad.toml", "order = ", "bad.toml cannot be read: "),
        ("bytes.md", b"\xff\xfe", "bytes.md cannot be read: it is not UTF-8 text."),
        ("long.md", MARKDOWN + " " * 200_000, "long.md: a lesson has at most 200,000 bytes, this one 200,"),
        ("sure.toml", GOOD + CLAIM, "sure.toml, claims: nothing measures a lesson of this folder"),
    ],
    ids=lambda each: each[:10] if isinstance(each, str) else "bytes",
)
def test_a_file_that_is_no_lesson_is_named_and_the_others_still_are(folder, name, written, says):
    (folder / "good.toml").write_text(GOOD)
    (folder / name).write_bytes(written if isinstance(written, bytes) else written.encode())
    (problem,) = unreadable()
    assert problem.startswith(says) and list(theirs()) == ["good"]


def test_the_example_for_teachers_shows_every_part(monkeypatch):
    monkeypatch.delenv("PLAYGROUND_LESSONS", raising=False)
    example = load_preset("example")
    assert example.file == "example.md" and not [each for each in unreadable() if each.startswith("example")]
    assert all((example.next, example.predict, example.done, example.claims, example.figures, example.chapter))
    assert len(setting_links.links(example.text)) >= 3
    explained = (teachers_folder() / "README.md").read_text(encoding="utf-8")
    keys = {each.name for each in dataclasses.fields(Preset)} - {"slug", "file"}
    assert [key for key in keys if f"`{key}`" not in explained and f"[{key}]" not in explained] == []
