"""What the app says by itself: a word for every verdict, setting and phase, and sentences that read as sentences."""

from __future__ import annotations

import ast
import functools
import re
from pathlib import Path

import pytest
import torch

from app import controls, data_text, links, setting_help, text
from app.figures import FIGURES
from app.live import how_measured
from app.setting_effects import has_effect
from app.verdicts import BAD, FIGURE_OF_EVIDENCE, LOOK_AT, VERDICTS, figure_of
from engine import diagnosis
from engine.cells import CELLS
from engine.diagnosis import plateau
from engine.experiment import CHOICES, Experiment
from engine.frame import RunInfo, RunPhase, RunStatus, readings
from engine.model import build
from engine.preset import SPEEDS, list_presets
from engine.tasks import TASKS
from tests.cases import for_each
from tests.engine.diagnosis.conftest import judged

BUTTONS = ("train", "pause", "step", "reset", "new_seed")
WORDS = re.compile(r"[^_{}\[\]]+")  # no name from the code, no Python value
CONTROLS = (controls.PRESET, *controls.ALL)
TYPES = [(task.slug, kind) for task in TASKS.values() for kind in task.rnn_types]


def kinds() -> set[str]:
    """Every kind that `diagnose` can return: the bands of LIMITS, and what its sources call a Finding."""
    sources = [path.read_text(encoding="utf-8") for path in Path(diagnosis.__file__).parent.glob("*.py")]
    calls = [node for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    first = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Finding"]
    constants = {each.value for each in first if isinstance(each, ast.Constant)}
    assert {
        "not_finite",
        "solved",
        "cut",
        "clipped",
    } <= constants  # else they are written in another way
    return constants | {kind for _, kind in diagnosis.LIMITS}


# ---- tables


def test_every_verdict_has_a_word_a_sign_and_a_tone():
    assert VERDICTS.keys() == kinds()
    words, signs, tones = zip(*VERDICTS.values(), strict=True)
    assert len(set(words)) == len(words) and all(word[0].isupper() and WORDS.fullmatch(word) for word in words)
    assert all(len(sign) == 1 for sign in signs) and set(tones) == {"good", "warn", "bad", "none"}


def test_every_setting_and_button_has_a_label():
    assert set(setting_help.LABELS) == {*links.WIDGETS, "preset", "speed", *BUTTONS}
    assert len(set(setting_help.LABELS.values())) == len(setting_help.LABELS) and all(
        map(WORDS.fullmatch, setting_help.LABELS.values())
    )


def test_every_control_has_help():
    assert sorted(each.key for each in CONTROLS) == sorted([*links.WIDGETS, "preset"])
    assert {each.key for each in CONTROLS} <= text.HELP.keys()
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in text.HELP.values())


@pytest.mark.parametrize(
    ("table", "wanted"),
    [
        (text.RNN_TYPES, CHOICES["rnn_type"]),
        (text.RNN_TYPE_NOTES, CHOICES["rnn_type"]),
        (text.INITS, CHOICES["init"]),
        (text.OPTIMIZERS, CHOICES["optimizer"]),
        (text.SCHEDULES, CHOICES["schedule"]),
        (text.CLIPS, CHOICES["clip"]),
        (text.NONLINEARITIES, CHOICES["nonlinearity"]),
        (text.SPEEDS, SPEEDS),
        (text.PHASES, RunPhase),
    ],
    ids=["rnn_type", "what a type is", "init", "optimizer", "schedule", "clip", "nonlinearity", "speed", "phase"],
)
def test_every_choice_has_a_name(table, wanted):
    assert list(table) == list(wanted) and len(set(table.values())) == len(table)
    assert all(map(WORDS.fullmatch, table.values()))


# ---- settings in words


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": "lstm", "forget_bias": 3.0}, "Try the cure: LSTM, forget bias 3"),
        ({"forget_bias": 2.5}, "Try the cure: forget bias 2.5"),
        ({"tbptt": 0}, "Try the cure: no truncation"),
        (
            {"init": "orthogonal", "init_gain": 1.0, "clip": "norm", "clip_threshold": 1.0},
            "Try the cure: orthogonal initial weights, gain 1, clip by norm, threshold 1",
        ),
        ({"output_layers": 1, "window": 3}, "Try the cure: 1 extra output layer, window of 3 inputs"),
        ({"output_layers": 0, "window": 1}, "Try the cure: 0 extra output layers, window of one input"),
        ({"embedding_size": 8, "teacher_forcing": 0.5}, "Try the cure: embedding of 8, teacher forcing 50%"),
        ({"embedding_size": 0, "teacher_forcing": 0.0}, "Try the cure: one-hot inputs, teacher forcing 0%"),
        ({"nonlinearity": "identity", "tbptt": 1}, "Try the cure: no activation, truncation after 1 step"),
        ({"rnn_type": "encoder_decoder", "task": "reverse"}, "Try the cure: encoder-decoder, Say it backwards"),
        ({}, ""),
    ],
    ids=[
        "gate",
        "bias",
        "truncation",
        "taming",
        "above",
        "nothing above",
        "symbols",
        "one-hot",
        "least",
        "type",
        "none",
    ],
)
def test_a_cure_is_said_in_words(changes, message):
    assert text.cure(changes) == message


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize(
    "numbers",
    [
        {"ratio": 1e-9},
        {"ratio": 1e-4},
        {"ratio": 50.0},
        {"ratio": 1e9, "clip": "none", "init": "gaussian", "init_gain": 3.0},
        {"ratio": 1e9, "clip": "value", "clip_threshold": 50.0},
        {"ratio": 0.0, "tbptt": 5},
        {"ratio": 0.0, "nonlinearity": "relu", "state": 0.0},
        {"ratio": 0.0, "state": 1.0, "init_gain": 10.0},
        {"ratio": 0.0},
        {"ratio": float("nan"), "init": "identity"},
    ],
    ids=str,
)
def test_every_cure_reads_as_words(cell, numbers):
    cure = judged(**{**numbers, "cell": cell}).cure
    message = text.cure(cure)
    assert (message == "") == (cure == {})
    if cure:
        assert message.startswith("Try the cure: ") and WORDS.fullmatch(message)
        assert len(message.removeprefix("Try the cure: ").split(", ")) == len(cure)
        assert not re.search(r"\b(None|True|False|nan)\b|\.0\b", message)


# ---- chips


@for_each({"task, kind": TYPES, "cell": CELLS})
def test_a_usual_experiment_has_no_chips(task, kind, cell):
    usual = Experiment(task=task, rnn_type=kind, cell=cell)
    assert text.chips(usual) == []
    length = TASKS[task].lengths.low  # some data have one length only
    assert text.chips(usual.replace(hidden_size=5, seq_len=length, learning_rate=0.1, seed=3, batch_size=2)) == []


@pytest.mark.parametrize(
    ("changes", "chips"),
    [
        ({"init": "gaussian", "init_gain": 3.0}, ["Gaussian initial weights", "gain 3"]),
        ({"init": "gaussian", "init_gain": 3.0, "cell": "linear"}, []),  # it has no recurrent weights
        ({"init": "identity", "init_gain": 3.0, "cell": "linear"}, ["identity initial weights"]),  # sets biases too
        ({"init": "orthogonal", "init_gain": 3.0, "cell": "indrnn"}, ["gain 3"]),
        ({"nonlinearity": "sigmoid", "cell": "indrnn"}, []),
        ({"forget_bias": 3.0, "cell": "linear_signed"}, ["forget bias 3"]),
        ({"num_layers": 3}, ["layers 3"]),
        ({"bidirectional": True}, ["both directions"]),
        ({"forget_bias": 3.0}, ["forget bias 3"]),
        ({"forget_bias": 0.0, "cell": "gru"}, ["forget bias 0"]),
        ({"forget_bias": 3.0, "cell": "rnn"}, []),  # it has no such gate
        ({"nonlinearity": "relu", "cell": "lstm"}, []),  # it has its own
        ({"clip": "none"}, ["no clipping"]),
        ({"clip": "value"}, ["clip by value"]),
        ({"tbptt": 10}, ["truncation after 10 steps"]),
        ({"embedding_size": 8}, ["embedding of 8"]),
        ({"output_layers": 1}, ["1 extra output layer"]),
        ({"output_layers": 2}, ["2 extra output layers"]),
        ({"window": 3, "cell": "feedforward"}, ["window of 3 inputs"]),
        ({"window": 3}, []),  # it remembers instead
        ({"nonlinearity": "sigmoid", "cell": "feedforward"}, ["sigmoid activation"]),
        ({"forget_bias": 3.0, "cell": "lstm_no_forget"}, []),
        ({"forget_bias": 3.0, "cell": "gru_simple"}, ["forget bias 3"]),
        ({"teacher_forcing": 0.25}, []),  # nothing is fed back
        ({"teacher_forcing": 0.25, "task": "melody", "rnn_type": "one_to_many"}, ["teacher forcing 25%"]),
        ({"teacher_forcing": 0.0, "task": "reverse", "rnn_type": "encoder_decoder"}, ["teacher forcing 0%"]),
        ({"nonlinearity": "identity", "cell": "rnn"}, ["no activation"]),
        ({"dropout": 0.25, "num_layers": 2}, ["layers 2", "dropout 0.25"]),
        ({"head_dropout": 0.5}, ["dropout before the output 0.5"]),
        ({"weight_decay": 1e-4}, ["weight decay 0.0001"]),
        ({"reduction": "sum"}, ["reduction sum"]),
    ],
    ids=str,
)
def test_an_unusual_setting_has_a_chip(changes, chips):
    assert text.chips(Experiment(**{"cell": "lstm", **changes})) == chips


@pytest.mark.parametrize(
    "changes", [{"nonlinearity": "relu", "cell": "rnn"}, {"optimizer": "rmsprop"}, {"optimizer": "adamw"}], ids=str
)
def test_a_chip_calls_a_choice_what_its_widget_calls_it(changes):
    (chip,) = text.chips(Experiment(**changes))
    names = {**text.NONLINEARITIES, **text.OPTIMIZERS}
    assert names[next(iter(changes.values()))] in chip


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("lstm", "Bias of the forget gate, which keeps the old state. With 3 it keeps 95%"),
        ("gru_2014", "Bias of the update gate, which keeps the old state. With 3 it keeps 95%"),
        ("linear_signed", "Bias of the retain factor, which keeps the old state. With 3 it keeps 100%"),
        ("rnn", "This cell has no such gate."),
    ],
)
def test_the_forget_bias_names_the_gate_of_the_cell(cell, words):
    assert words in text.help_for("forget_bias", cell)


@for_each({"cell": CELLS})
def test_a_setting_without_effect_changes_no_weight(cell):
    """What a control says of the untrained network, and what the network says."""
    plain = Experiment(cell=cell, hidden_size=3, seed=1)
    for name, other in {"init": "orthogonal", "init_gain": 2.0, "forget_bias": 1.5}.items():
        changed = plain.replace(**{name: other})
        pairs = zip(build(plain).parameters(), build(changed).parameters(), strict=True)
        same = all(torch.equal(one, two) for one, two in pairs)
        assert has_effect(name, functools.partial(getattr, changed)) != same, name


# ---- what was changed from the lesson


@pytest.mark.parametrize(
    ("lesson", "changes", "message"),
    [
        ({}, {}, []),
        ({}, {"cell": "gru"}, ["GRU"]),
        ({}, {"seed": 5, "hidden_size": 32, "learning_rate": 1e-4}, ["units 32", "learning rate 0.0001", "seed 5"]),
        ({"init": "gaussian", "init_gain": 3.0}, {"init": "pytorch", "init_gain": 1.0},
         ["PyTorch's own initial weights", "gain 1"]),  # what is usual elsewhere is a change here
        ({"clip": "none"}, {"clip": "norm"}, ["clip by norm"]),
        ({"tbptt": 10}, {"tbptt": 0}, ["no truncation"]),
        ({"forget_bias": 3.0}, {"cell": "rnn", "forget_bias": None}, ["RNN"]),  # it has no such gate
        ({"forget_bias": 1.0}, {"cell": "gru", "forget_bias": 2.0}, ["GRU", "forget bias 2"]),
        ({}, {"cell": "lstm", "nonlinearity": "relu"}, []),  # it has its own
        ({"cell": "rnn"}, {"nonlinearity": "relu"}, ["ReLU activation"]),
        ({}, {"task": "stocks", "seq_len": 12}, ["Stock prices", "length 12"]),
        ({}, {"bidirectional": True, "num_layers": 2}, ["layers 2", "both directions"]),
        ({"window": 3, "cell": "feedforward"}, {"window": 1}, ["window of one input"]),
        ({"window": 3, "cell": "feedforward"}, {"window": 1, "cell": "rnn"}, ["RNN"]),  # it has no such thing
        ({"output_layers": 2, "embedding_size": 8}, {"output_layers": 0, "embedding_size": 0},
         ["0 extra output layers", "one-hot inputs"]),
        ({}, {"task": "melody", "rnn_type": "one_to_many", "seq_len": 24, "teacher_forcing": 0.5},
         ["A tune from one note", "one to many", "length 24", "teacher forcing 50%"]),
    ],
    ids=str,
)  # fmt: skip
def test_what_was_changed_from_the_lesson_is_said(lesson, changes, message):
    lesson = Experiment(**lesson)
    assert text.changed(lesson.replace(**changes), lesson) == message


@pytest.mark.parametrize(
    ("lesson", "changes"),
    [
        ({"cell": "gru", "forget_bias": 2.0}, {"forget_bias": None}),
        ({"task": "stocks"}, {"rnn_type": "many_to_many"}),
        ({"target_loss": 0.5}, {"target_loss": None}),
        ({}, {"steps": 77, "reduction": "sum", "target_metric": 0.5, "device": "cuda"}),
    ],
    ids=["empty bias", "type", "no target", "settings without a widget"],
)
def test_what_was_changed_reads_as_words(lesson, changes):
    lesson = Experiment(**lesson)
    messages = text.changed(lesson.replace(**changes), lesson)
    assert len(messages) == len(changes)
    assert [
        each for each in messages if not WORDS.fullmatch(each) or re.search(r"\b(None|True|False|nan)\b", each)
    ] == []


@for_each({"preset": list_presets()})
def test_a_lesson_is_not_changed_from_itself(preset):
    assert text.changed(preset.experiment, preset.experiment) == []


def test_a_network_that_sees_the_answer_is_marked():
    letters = {"task": "characters", "rnn_type": "many_to_many"}
    assert any("answer" in chip for chip in text.chips(Experiment(bidirectional=True, **letters)))
    assert not any("answer" in chip for chip in text.chips(Experiment(bidirectional=True)))
    assert not any("answer" in chip for chip in text.chips(Experiment(**letters)))


@for_each({"preset": list_presets()})
def test_every_lesson_has_readable_chips_and_a_summary(preset):
    e = preset.experiment
    assert all(map(WORDS.fullmatch, [*text.chips(e), text.summary(e)]))
    assert f"{e.hidden_size} units" in text.summary(e) and f"length {e.seq_len}" in text.summary(e)


# ---- the clock


@pytest.mark.parametrize(
    ("status", "message"),
    [
        ((RunPhase.STARTING, 0, 0.0, 0.0), "starting · step 0"),
        ((RunPhase.RUNNING, 0, 0.0, 1.0), "training · step 0"),
        ((RunPhase.RUNNING, 1240, 310.4, 1.0), "training · step 1,240 · 310 updates/s"),
        ((RunPhase.RUNNING, 7, 1234.5, 1.0), "training · step 7 · 1,234 updates/s"),
        (
            (RunPhase.RUNNING, 12, 5.0, 1 / 6),
            "training · step 12 · 5 updates/s · 1/6 of a core",
        ),
        ((RunPhase.PAUSED, 0, 0.0, 1.0), "paused · step 0 · press Train or Step"),
        ((RunPhase.PAUSED, 1, 0.0, 1.0), "paused · step 1"),
        ((RunPhase.PAUSED, 12, 0.0, 1 / 6), "paused · step 12"),
        ((RunPhase.PAUSED, 900, 0.0, 1.0, "", 840), "paused · step 900 · solved at step 840"),
        ((RunPhase.FINISHED, 3000, 0.0, 1.0, "", 1840), "finished · step 3,000 · solved at step 1,840"),
        ((RunPhase.FAILED, 0, 0.0, 0.0, "It ended."), "failed · step 0"),
        ((RunPhase.REFUSED, 14, 0.0, 1.0, "Update 15 was not made."), "stopped · step 14"),
        ((RunPhase.STOPPED, 5, 0.0, 1.0), "ended · step 5"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_clock_says_where_the_run_is(status, message):
    assert text.clock(RunStatus(*status)) == message


def test_every_phase_has_a_clock():
    assert {text.clock(RunStatus(phase, 3, 0.0, 1.0)) for phase in RunPhase} == {
        f"{word} · step 3" for word in text.PHASES.values()
    }


def test_a_slow_network_is_not_said_to_stand_still():
    assert "· 0 updates/s" not in text.clock(RunStatus(RunPhase.RUNNING, 3, 0.4, 1.0))


# ---- sentences


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "the task's lag, 39 steps"),
        ({"task": "stocks"}, "10 steps, back to the first input that differs from sequence to sequence"),
        ({"seq_len": 7}, "6 steps"),
    ],
    ids=["lag", "no lag", "short"],
)
@pytest.mark.parametrize(("cell", "symbol"), [("lstm", "c"), ("gru", "h"), ("rnn", "h")])
def test_how_it_is_measured_names_the_state_and_the_way(settings, message, cell, symbol):
    plain, first, *others = how_measured.paragraphs(RunInfo.of(Experiment(cell=cell, **settings)))
    assert "would the loss at the end have changed?" in plain and plain.endswith(".")
    assert not re.search(r"[‖0-9]|dL|derivative|gradient", plain)  # in words that need no calculus
    assert message in first and f"‖dL/d{symbol}‖" in first and f"the state {symbol} " in first
    assert "16 held-out sequences" in others[0] and all(each.endswith(".") for each in (first, *others))


@for_each({"task, kind": TYPES})
def test_a_type_says_what_it_is(task, kind):
    message = text.rnn_type(Experiment(task=task, rnn_type=kind))
    assert message.lower().startswith(f"**{text.RNN_TYPES[kind]}**: ") and message[2].isupper()
    assert message.endswith(".") and ".." not in message and "_" not in message


@for_each({"task, kind": TYPES})
def test_the_data_say_what_they_teach_what_to_beat_and_whether_they_are_real(task, kind):
    experiment = Experiment(task=task, rnn_type=kind)
    message, info = data_text.about_data(experiment), RunInfo.of(experiment)
    real = TASKS[task].source.startswith("Real:")
    assert message.startswith(TASKS[task].teaches) and message.endswith(
        f" {TASKS[task].source}" if real else " Generated data."
    )
    assert ("(in nats: −ln of the prob" if TASKS[task].outputs == "symbols" else "(in squared error)") in message
    assert info.baselines and all(f"“{name}” {loss:.3g}" in message for name, loss in info.held_out_baselines.items())
    assert not re.search(r"\bnan\b|[*$~`\[\]]|\.\.", message)  # Markdown would make something else of it


def test_the_limits_that_are_said_are_those_of_the_diagnosis():
    bands = how_measured.paragraphs(RunInfo.of(Experiment()))[3]
    for limit, kind in diagnosis.LIMITS[:-1]:
        shown = {1e-6: "10⁻⁶", 1e-3: "10⁻³"}.get(limit, f"{limit:,g}" if limit < 1e4 else f"{limit:,.0f}")
        assert re.search(rf"(Below|Up to) {shown}: {kind}\b", bands), kind
    assert bands.count(":") == len(diagnosis.LIMITS) and "Above: exploding" in bands


def test_the_figure_that_shows_the_evidence_of_a_kind_exists():
    assert {kind.figure for kind in diagnosis.KINDS} == FIGURE_OF_EVIDENCE.keys()
    assert {figure_of(kind) for kind in VERDICTS} <= set(FIGURES) and figure_of("unheard of") == ""
    assert figure_of("same_answer") == "loss"  # two rules find it: the first one counts


def test_every_bad_verdict_says_what_to_look_at_without_a_cure():
    assert LOOK_AT.keys() == {kind for kind, style in VERDICTS.items() if style.severity in BAD}
    for sentence in LOOK_AT.values():  # the name of the figure follows
        assert re.fullmatch(r"Look (at|for) [a-z -]+(, [a-z -]+)?", sentence) and len(sentence) <= 75, sentence


def test_the_kinds_that_read_losses_are_explained():
    learning = how_measured.paragraphs(RunInfo.of(Experiment()))[4]
    for word in ("Solved", "nearly", "Diverged", "By heart", "Stuck at one answer", "Behind"):
        assert f"{word}: " in learning, word


def test_the_numbers_behind_the_reasons_are_those_of_the_diagnosis():
    reasons, stands = how_measured.paragraphs(RunInfo.of(Experiment()))[5:7]
    assert f"within {readings.SATURATION_MARGIN} of a limit" in reasons
    assert f"within {100 * plateau.PLATEAU_TOLERANCE:g} % of a known level" in stands
    assert plateau.PLATEAU_UPDATES == 100 and "a hundred steps earlier" in stands
    assert not {text.OPTIMIZERS[name] for name in CHOICES["optimizer"] if name not in plateau.SLOWED_OPTIMIZERS} - {
        word for word in re.findall(r"\w+", stands)
    }


def test_the_code_that_is_named_exists():
    root, code = Path(__file__).parents[2], how_measured.paragraphs(RunInfo.of(Experiment()))[-1]
    named = re.findall(r"(engine/[\w/]+\.py) \((\w+)\)", code)
    assert len(named) == 3
    for file, function in named:
        assert re.search(rf"^def {function}\b", (root / file).read_text(encoding="utf-8"), re.MULTILINE), file


def test_settings_that_do_not_go_together_are_told_in_the_words_of_the_page():
    accepts = "false unless embedding_size is 32, the number of values that the head reads"
    assert text.does_not_fit("tied_weights", accepts, True) == (
        "Tied weights must be off unless “Embedding” is 32, the number of values that the head reads, but it is on."
    )
    assert text.does_not_fit("seq_len", "a whole number from 2 to 8", 1).endswith("from 2 to 8, but it is 1.")
