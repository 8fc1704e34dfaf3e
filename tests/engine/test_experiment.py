"""What a run is: complete, comparable, portable, and refused in a sentence where it cannot be."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import pytest
from torch import nn

from engine.experiment import CHOICES, RANGES, Experiment, ExperimentError
from engine.update_cost import step_cost
from tests.cases import for_each

ROOT = Path(__file__).parents[2]

DEFAULTS = {
    "task": "first_symbol_recall",
    "rnn_type": "many_to_one",
    "cell": "lstm",
    "nonlinearity": "tanh",
    "hidden_size": 64,
    "num_layers": 1,
    "bidirectional": False,
    "attention": "none",
    "learned_start": False,
    "tied_weights": False,
    "output_layers": 0,
    "window": 1,
    "seq_len": 40,
    "shortest": 0,
    "horizon": 1,
    "embedding_size": 0,
    "dropout": 0.0,
    "head_dropout": 0.0,
    "input_dropout": 0.0,
    "recurrent_dropout": 0.0,
    "noise": 0.0,
    "batch_size": 64,
    "train_set": 0,
    "bug": "none",
    "task_options": {},
    "init": "pytorch",
    "init_gain": 1.0,
    "init_all": "pytorch",
    "init_scale": 0.1,
    "init_reach": "all",
    "forget_bias": None,
    "optimizer": "adam",
    "momentum": 0.9,
    "learning_rate": 0.003,
    "schedule": "constant",
    "schedule_steps": 1000,
    "schedule_factor": 0.5,
    "warmup": 0,
    "weight_decay": 0.0,
    "clip": "norm",
    "clip_threshold": 1.0,
    "tbptt": 0,
    "carry_state": False,
    "teacher_forcing": 1.0,
    "loss": "mse",
    "reduction": "mean",
    "steps": 3000,
    "target_loss": None,
    "target_metric": None,
    "seed": 0,
    "device": "cpu",
}

SOME = [
    {},
    {"task": "characters", "rnn_type": "many_to_many", "embedding_size": 8, "tbptt": 10},
    {"task": "stocks", "cell": "gru", "bidirectional": True, "num_layers": 3, "dropout": 0.25, "forget_bias": 2.0},
    {"task": "adding", "cell": "rnn", "init": "gaussian", "init_gain": 3.0, "clip": "none", "target_loss": 0.01},
]

# The ends of every range, written out anew: (setting, low, high, what must stand beside it).
LIMITS = [
    ("hidden_size", 1, 2048, {"seq_len": 2, "batch_size": 1}),
    ("num_layers", 1, 4, {}),
    ("embedding_size", 0, 2048, {"seq_len": 2}),
    ("dropout", 0.0, 0.9, {"num_layers": 2}),
    ("head_dropout", 0.0, 0.99, {}),
    ("input_dropout", 0.0, 0.9, {}),
    ("recurrent_dropout", 0.0, 0.9, {}),
    ("noise", 0.0, 10.0, {}),
    ("batch_size", 1, 2048, {"seq_len": 2}),
    ("train_set", 0, 2048, {}),
    ("horizon", 1, 64, {"task": "sine", "rnn_type": "many_to_many", "seq_len": 9}),
    ("shortest", 0, 1000, {"seq_len": 1000, "hidden_size": 8}),
    ("init_gain", 0.0, 10.0, {}),
    ("init_scale", 0.0, 10.0, {}),
    ("forget_bias", -10.0, 10.0, {}),
    ("learning_rate", 1e-8, 100.0, {}),
    ("momentum", 0.0, 0.999, {}),
    ("schedule_steps", 1, 1_000_000, {}),
    ("schedule_factor", 0.0, 1.0, {}),
    ("warmup", 0, 1_000_000, {}),
    ("weight_decay", 0.0, 1.0, {}),
    ("clip_threshold", 1e-6, 1e6, {}),
    ("window", 1, 64, {}),
    ("tbptt", 0, 1000, {}),
    ("teacher_forcing", 0.0, 1.0, {}),
    ("steps", 1, 1_000_000, {}),
    ("target_loss", 0.0, 1e6, {}),
    ("target_metric", -1e6, 1e6, {}),
    ("seed", 0, 2**31 - 1, {}),
]
SEQ_LEN_LIMITS = [("first_symbol_recall", 1000), ("adding", 1000), ("characters", 400), ("stocks", 24)]  # from 2 on

CARRIED = {"task": "characters", "rnn_type": "many_to_many", "seq_len": None, "carry_state": True}
BAD = [
    # one number out of its range
    ({"hidden_size": 0}, r"^hidden_size must be a whole number from 1 to 2,048, but got 0\.$"),
    ({"seq_len": 100000}, r"^seq_len must be a whole number from 1 to 1,000, but got 100000\.$"),
    ({"seed": -1}, r"^seed must be a whole number from 0 to 2,147,483,647, but got -1\.$"),
    ({"seed": 10**400}, r"^seed must be a whole number from 0 to 2,147,483,647, but got 10{400}\.$"),
    ({"dropout": 0.95, "num_layers": 2}, r"^dropout must be a number from 0 to 0\.9, but got 0\.95\.$"),
    ({"head_dropout": 1.0}, r"^head_dropout must be a number from 0 to 0\.99, but got 1\.0\.$"),
    ({"recurrent_dropout": 1}, r"^recurrent_dropout must be a number from 0 to 0\.9, but got 1\.$"),
    ({"weight_decay": -0.01}, r"^weight_decay must be a number from 0 to 1, but got -0\.01\.$"),
    ({"weight_decay": None}, r"^weight_decay must be a number from 0 to 1, but got None\.$"),
    ({"momentum": 1.0}, r"^momentum must be a number from 0 to 0\.999, but got 1\.0\.$"),
    ({"loss": "mae"}, r"^loss must be mse where the outputs are classes: .* cross-entropy, but got 'mae'\.$"),
    ({"task": "adding", "loss": "l1"}, r"^loss must be mse, mae or huber, but got 'l1'\.$"),
    ({"init_all": "zeros"}, r"^init_all must be pytorch, normal or uniform, but got 'zeros'\.$"),
    ({"learned_start": 1}, r"^learned_start must be False or True, but got 1\.$"),
    ({"task": "adding", "tied_weights": True}, r"^tied_weights must be false where .* not the same symbols, .* Adding"),
    (
        {"tied_weights": True, "embedding_size": 8},
        r"^tied_weights must be false unless embedding_size is 64, .* True\.$",
    ),
    ({"schedule": "linear"}, r"^schedule must be constant, step, cosine or plateau, but got 'linear'\.$"),
    ({"schedule_steps": 0}, r"^schedule_steps must be a whole number from 1 to 1,000,000, but got 0\.$"),
    ({"optimizer": "AdamW"}, r"^optimizer must be sgd, .*, adam or adamw, but got 'AdamW'\.$"),
    ({"learning_rate": math.nan}, r"^learning_rate must be a number from 1e-08 to 100, but got nan\.$"),
    ({"clip_threshold": math.inf}, r"^clip_threshold must be a number from 1e-06 to 1,000,000, but got inf\.$"),
    ({"forget_bias": -math.inf}, r"^forget_bias must be a number from -10 to 10, but got -inf\.$"),
    # one number of another kind
    ({"hidden_size": True}, r"^hidden_size must be a whole number from 1 to 2,048, but got True\.$"),
    ({"hidden_size": 64.0}, r"^hidden_size must be a whole number from 1 to 2,048, but got 64\.0\.$"),
    ({"steps": "3000"}, r"^steps must be a whole number from 1 to 1,000,000, but got '3000'\.$"),
    ({"learning_rate": True}, r"^learning_rate must be a number from 1e-08 to 100, but got True\.$"),
    ({"init_gain": "1"}, r"^init_gain must be a number from 0 to 10, but got '1'\.$"),
    ({"target_loss": False}, r"^target_loss must be a number from 0 to 1,000,000, but got False\.$"),
    # None where it means nothing
    ({"hidden_size": None}, r"^hidden_size must be a whole number from 1 to 2,048, but got None\.$"),
    ({"learning_rate": None}, r"^learning_rate must be a number from 1e-08 to 100, but got None\.$"),
    ({"task": None}, r"^task must be first_symbol_recall, .* or own_data, but got None\.$"),
    ({"bidirectional": None}, r"^bidirectional must be False or True, but got None\.$"),
    ({"task_options": None}, r"^task_options must be .*, but got None\.$"),
    # not among the choices
    ({"cell": "transformer"}, r"^cell must be rnn, gru, lstm, .*, but got 'transformer'\.$"),
    ({"cell": ["lstm"]}, r"^cell must be rnn, .*, but got \['lstm'\]\.$"),
    ({"bidirectional": 1}, r"^bidirectional must be False or True, but got 1\.$"),
    ({"output_layers": 4}, r"^output_layers must be 0, 1, 2 or 3, but got 4\.$"),
    ({"output_layers": False}, r"^output_layers must be 0, 1, 2 or 3, but got False\.$"),
    # good by itself, impossible together
    ({"task": "adding", "rnn_type": "many_to_many"}, r"^rnn_type must be many_to_one for Adding .*'many_to_many'\.$"),
    ({"task": "stocks", "rnn_type": "one_to_one"}, r"^rnn_type must be many_to_one or many_to_many for Stock prices"),
    ({"attention": "dot"}, r"^attention must be none but in an encoder-decoder, but got 'dot'\.$"),
    ({"attention": "general"}, r"^attention must be none, dot or scaled_dot, but got 'general'\.$"),
    ({"task": "stocks", "seq_len": 25}, r"^seq_len must be a whole number from 2 to 24 for Stock .*, but got 25\.$"),
    ({"task_options": {"noise": 1}}, r"^task_options must be empty for First digit, but got \{'noise': 1\}\.$"),
    ({"task_options": []}, r"^task_options must be a table of names and plain values, but got \[\]\.$"),
    *(
        ({"task": "own_data", "task_options": wrong}, r"^task_options must be a table of names and plain values, but ")
        for wrong in (None, [], "{}", 5, [["data", "x"]], {"data": {1, 2}}, {"data": datetime.date(2026, 1, 1)})
    ),
    ({"task": "adding", "embedding_size": 3}, r"^embedding_size must be 0 where the inputs are numbers, but got 3\.$"),
    ({"task": "stocks", "embedding_size": 1}, r"^embedding_size must be 0 where the inputs are numbers, but got 1\.$"),
    ({"dropout": 0.5}, r"^dropout must be 0 with one layer: .*, but got 0\.5\.$"),
    ({"tbptt": 5, "bidirectional": True}, r"^tbptt must be 0 \(never cut\) for a network .* both ways, but got 5\.$"),
    (
        {"bidirectional": True, "task": "melody", "rnn_type": "one_to_many"},
        r"^bidirectional must be false where outputs are fed back: .*, but got True\.$",
    ),
    (
        {"bidirectional": True, "cell": "feedforward"},
        r"^bidirectional must be false for a feed-forward cell, which has no direction in time, but got True\.$",
    ),
    (
        {"tbptt": 4, "task": "addition", "rnn_type": "encoder_decoder"},
        r"^tbptt must be 0 \(never cut\) for an encoder-decoder, but got 4\.$",
    ),
    ({"carry_state": 1}, r"^carry_state must be False or True, but got 1\.$"),
    ({"horizon": 0}, r"^horizon must be a whole number from 1 to 64, but got 0\.$"),
    ({"horizon": "2"}, r"^horizon must be a whole number from 1 to 64, but got '2'\.$"),
    ({"horizon": 2}, r"^horizon must be 1 for First digit, but got 2\.$"),
    (
        {"task": "stocks", "horizon": 13},
        r"^horizon must be a whole number from 1 to 12 for Stock prices, but got 13",
    ),
    ({"task": "stocks", "horizon": 4, "seq_len": 22}, r"^seq_len must be a whole number from 2 to 21 for Stock prices"),
    ({"shortest": 41}, r"^shortest must be 0, or from 2 to seq_len, but got 41\.$"),
    ({"shortest": 1}, r"^shortest must be 0, or from 2 to seq_len, but got 1\.$"),
    ({"shortest": 2.0}, r"^shortest must be a whole number from 0 to 1,000, but got 2\.0\.$"),
    ({"task": "sentiment", "shortest": 5}, r"^shortest must be 0 for .*, but got 5\.$"),
    *(
        (CARRIED | settings, f"^{said}")
        for settings, said in (
            ({"task": "stocks"}, "carry_state must be false for Stock prices, whose sequences do not go on from one "),
            ({"task": "next_word"}, "carry_state must be false for Next word, whose sequences do not go on"),
            ({"rnn_type": "many_to_one"}, "carry_state must be false unless there is an output at every step"),
            ({"cell": "feedforward"}, "carry_state must be false for a feed-forward cell, which has no state, but got"),
            ({"bidirectional": True}, "carry_state must be false for a network that reads both ways: "),
            ({"train_set": 8}, "train_set must be 0 where the state is carried on, which reads the whole text"),
            ({"tbptt": 3}, "tbptt must be 0 where the state is carried on, which cuts after each update, but got 3"),
            ({"seq_len": 201}, "seq_len must be at most 200 where the state is carried on, for a warm-up that is"),
            (
                {"task": "sunspots", "seq_len": 20, "batch_size": 6},
                r"batch_size must be at most 5 where the state is carried on: Sunspots has 10 chunks of seq_len 20, .*",
            ),
        )
    ),
    (
        {"window": 2, "cell": "feedforward", "task": "melody", "rnn_type": "one_to_many"},
        r"^window must be 1 where the output is fed back as the next input, but got 2\.$",
    ),
    (
        {"window": 64, "cell": "feedforward", "task": "reverse", "rnn_type": "encoder_decoder"},
        r"^window must be 1 where the output is fed back as the next input, but got 64\.$",
    ),
    ({"task": "digits", "embedding_size": 3, "rnn_type": "one_to_one"}, r"^embedding_size must be 0 where the inputs"),
    ({"task": "digits"}, r"^rnn_type must be one_to_one for Handwritten digit, but got 'many_to_one'\.$"),
    # 3 * 512,000 * (4 * 512 * 522 + 512 * 10) multiply-adds, 4 * 512,000 * (10 + 6 * 512 + 20) bytes
    (
        {"hidden_size": 512, "seq_len": 1000, "batch_size": 512},
        r"^hidden_size must be such that one update needs at most 2e\+10 multiply-adds and 1,024 MiB on one CPU core "
        r"\(this one: 1\.6e\+12 and 6,059 MiB\), or layers, length or batch smaller, but got 512\.$",
    ),
]

PROBE = """
import sys
import engine.experiment, engine.tasks, engine.frame, engine.diagnosis, engine.recording.history
from engine.tasks.series import weekly_log_prices
assert weekly_log_prices().size
print(*sorted({"torch", "streamlit", "plotly"} & set(sys.modules)))
"""


def shown(settings):
    return ",".join(f"{name}={value}" for name, value in settings.items())[:60]


def test_defaults():
    assert Experiment().to_dict() == DEFAULTS


@pytest.mark.parametrize(
    ("task", "default"), [("first_symbol_recall", 40), ("adding", 50), ("characters", 40), ("stocks", 12)]
)
def test_without_seq_len_the_tasks_own_stands(task, default):
    assert Experiment(task=task).seq_len == default
    assert Experiment(task=task, seq_len=None) == Experiment(task=task, seq_len=default)
    assert Experiment.from_dict({"task": task, "seq_len": None}).seq_len == default
    assert Experiment(seq_len=7).replace(task=task, seq_len=None).seq_len == default


def test_settings_go_by_name_only():
    with pytest.raises(TypeError, match="positional"):
        Experiment("adding")


@pytest.mark.parametrize("name", ["seq_len", "hidden_size", "brand_new"])
def test_frozen(name):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(Experiment(), name, 3)


@pytest.mark.parametrize("settings", SOME, ids=shown)
def test_round_trip(settings):
    e = Experiment(**settings)
    assert Experiment.from_dict(e.to_dict()) == e
    assert Experiment.from_dict(settings) == e
    assert Experiment.from_dict(json.loads(json.dumps(e.to_dict()))) == e
    assert e.replace() == e


def test_replace_changes_what_it_is_told_and_a_copy_only():
    e = Experiment(**SOME[2])
    changed = e.replace(seed=5, cell="rnn")
    assert changed.to_dict() == {**e.to_dict(), "seed": 5, "cell": "rnn"}
    assert (e.seed, e.cell) == (0, "gru")
    with pytest.raises(ExperimentError, match=r"^dropout must be 0 with one layer"):
        e.replace(num_layers=1)


def test_what_to_dict_gives_is_nobody_elses():
    e = Experiment()
    e.to_dict()["task_options"]["noise"] = 1
    assert e == Experiment()


@pytest.mark.parametrize("make", [Experiment.from_dict, lambda settings: Experiment().replace(**settings)],
                         ids=["from_dict", "replace"])  # fmt: skip
def test_an_unknown_setting_is_refused_and_the_known_ones_are_named(make):
    with pytest.raises(ExperimentError, match=r"^colour must be left out, .* hidden_size, .*, but got 3\.$") as caught:
        make({"colour": 3})
    assert (caught.value.field, caught.value.got) == ("colour", 3)
    assert all(name in str(caught.value) for name in DEFAULTS)


@for_each({"settings, message": BAD})
def test_a_bad_value_is_refused_in_a_sentence(settings, message):
    with pytest.raises(ExperimentError, match=message) as caught:
        Experiment(**settings)
    error, match = caught.value, re.match(r"(\w+) must be (.*), but got (.*)\.$", str(caught.value))
    assert match.groups() == (error.field, error.accepts, repr(error.got))
    assert error.got is settings.get(error.field, error.got)


@for_each({"name, low, high, beside": LIMITS})
def test_a_range_holds_both_its_ends_and_nothing_beyond(name, low, high, beside):
    whole = isinstance(low, int)
    below, above = (low - 1, high + 1) if whole else (math.nextafter(low, -math.inf), math.nextafter(high, math.inf))
    for value in (low, high):
        assert getattr(Experiment(**{**beside, name: value}), name) == value
    for value in (below, above, str(low), True, math.nan, *([float(high)] if whole else [])):
        with pytest.raises(ExperimentError, match=rf"^{name} must be a (whole )?number from "):
            Experiment(**{**beside, name: value})


@pytest.mark.parametrize(("task", "longest"), SEQ_LEN_LIMITS)
def test_seq_len_reaches_from_two_to_what_the_task_has(task, longest):
    for seq_len in (2, longest):
        assert Experiment(task=task, seq_len=seq_len).seq_len == seq_len
    for seq_len in (1, longest + 1):
        with pytest.raises(ExperimentError, match=rf"^seq_len must be a whole number from .*, but got {seq_len}\.$"):
            Experiment(task=task, seq_len=seq_len)


def test_the_tables_above_leave_no_setting_out():
    assert {name for name, *_ in LIMITS} | {"seq_len"} == set(RANGES)
    assert set(RANGES) | set(CHOICES) | {"task_options"} == set(DEFAULTS)


def test_whole_numbers_are_numbers_too():
    assert Experiment(learning_rate=1, init_gain=2, target_loss=0).learning_rate == 1


def test_memory_alone_can_be_too_much():
    """4 * 512,000 * (10 + 6H + 3 * 8H + 20) bytes pass 2**30 between H = 16 and 17, the multiply-adds nowhere near."""
    wide = {"cell": "rnn", "num_layers": 4, "bidirectional": True, "seq_len": 1000, "batch_size": 512}
    assert Experiment(**wide, hidden_size=16).hidden_size == 16
    with pytest.raises(ExperimentError, match=r"\(this one: 9\.9e\+09 and 1,055 MiB\), .*, but got 17\.$"):
        Experiment(**wide, hidden_size=17)


def test_weights_alone_can_be_too_many():
    """Four layers of 4 (H + H) H weights, and what an optimiser keeps of each."""
    large = {"num_layers": 4, "seq_len": 2, "batch_size": 1, "hidden_size": 2048}
    assert Experiment(cell="rnn", **large).num_layers == 4
    with pytest.raises(ExperimentError, match=r"\(this one: 7\.1e\+08 and 1,7.. MiB\), or layers, .*, but got 2048\.$"):
        Experiment(cell="lstm", **large)


def test_equal_experiments_hash_alike():
    first, same, other = Experiment(), Experiment(seq_len=40, task_options={}), Experiment(seed=1)
    assert hash(first) == hash(same)
    assert len({first, same, other}) == 2
    assert {first: "found"}[same] == "found"


@pytest.mark.parametrize("settings", SOME, ids=shown)
@pytest.mark.parametrize("name", ["seq_len", "batch_size"])
def test_cost_grows_linearly(name, settings):
    e = Experiment(**{**settings, name: 4})
    once, thrice = step_cost(e), step_cost(e.replace(**{name: 12}))
    assert min(once) > 0
    assert thrice == pytest.approx([3 * each for each in once], rel=1e-12)


@pytest.mark.parametrize("settings", SOME, ids=shown)
def test_cost_counts_every_weight_of_the_librarys_network(settings):
    """Forward each weight is used once per step and sequence, backward twice: biases are added, not multiplied."""
    e = Experiment(**settings)
    sizes = {"first_symbol_recall": (10, 10), "characters": (42, 42), "stocks": (1, 1), "adding": (2, 1)}
    inputs, outputs = sizes[e.task]
    library = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[e.cell](
        e.embedding_size or inputs, e.hidden_size, e.num_layers, bidirectional=e.bidirectional
    )
    weights = sum(weight.numel() for name, weight in library.named_parameters() if name.startswith("weight"))
    head = e.hidden_size * (2 if e.bidirectional else 1) * outputs
    assert step_cost(e)[0] == 3 * e.seq_len * e.batch_size * (weights + head)


@pytest.mark.parametrize(
    ("settings", "directions", "input_size"), [(SOME[0], 1, 10), (SOME[1], 1, 8), (SOME[2], 2, 1), (SOME[3], 1, 2)]
)
def test_what_the_first_layer_sees(settings, directions, input_size):
    e = Experiment(**settings)
    assert (e.directions, e.input_size) == (directions, input_size)


def test_describing_an_experiment_loads_no_torch_and_no_screen():
    """torch takes seconds, and a page should not wait for it. The stocks are read beside plotly, not by it."""
    process = subprocess.run([sys.executable, "-c", PROBE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    assert process.stdout.strip() == ""
