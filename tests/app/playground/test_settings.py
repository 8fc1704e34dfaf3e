"""Settings that somebody changes: what the run then has, what follows them, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache

from app import chosen_data, data_text, links, text
from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, CHOICES, LIVE_SETTINGS
from engine.preset import load_preset
from engine.tasks import TASKS
from tests.app.conftest import SESSION, move, opened, slot, waits, warnings, widgets
from tests.cases import grid, in_turn
from tests.fakes import untrained_frame

TYPES = [(task.slug, kind) for task in TASKS.values() for kind in task.rnn_types]
OPENED = sorted(TYPES, key=lambda each: each[1])
FIRST = {kind: pair for pair in reversed(OPENED) for kind in pair[1:]}
OPENED = [pair for place, pair in enumerate(OPENED) if place % 2 == 0 or pair in FIRST.values()]
"""What a normal run opens: every RNN type, and every second of the data; each of them is drawn elsewhere."""


@pytest.mark.parametrize(
    ("key", "value", "link"),
    [
        ("cell", "lstm", {}),
        ("nonlinearity", "relu", {}),
        ("hidden_size", 64, {}),
        ("num_layers", 3, {}),
        ("bidirectional", True, {}),
        ("attention", "dot", {"preset": "encoder-decoder"}),
        ("learned_start", True, {}),
        ("tied_weights", True, {"task": "characters", "embedding_size": "16", "hidden_size": "16"}),
        ("seq_len", 100, {}),
        ("rnn_type", "many_to_one", {"preset": "many-to-many"}),
        ("init", "identity", {}),
        ("init_gain", 2.5, {}),
        ("init_all", "normal", {}),
        ("init_scale", 0.01, {"init_all": "uniform"}),
        ("init_reach", "ends", {"init_all": "uniform"}),
        ("forget_bias", 2.0, {"preset": "default-lstm"}),
        ("optimizer", "sgd", {}),
        ("learning_rate", 0.1, {}),
        ("clip", "value", {}),
        ("clip_threshold", 10.0, {}),
        ("batch_size", 8, {}),
        ("noise", 0.3, {}),
        ("weight_decay", 0.1, {}),
        ("head_dropout", 0.5, {}),
        ("dropout", 0.3, {"num_layers": "2"}),
        ("input_dropout", 0.5, {}),
        ("recurrent_dropout", 0.5, {}),
        ("momentum", 0.5, {"optimizer": "momentum"}),
        ("schedule", "cosine", {}),
        ("schedule_steps", 300, {"schedule": "plateau"}),
        ("schedule_factor", 0.1, {"schedule": "step"}),
        ("warmup", 100, {}),
        ("train_set", 16, {}),
        ("reduction", "sum", {}),
        ("steps", 77, {}),
        ("target_loss", 0.5, {}),
        ("target_metric", 0.9, {}),
        ("loss", "huber", {"task": "sunspots", "seq_len": "12"}),
        ("bug", "softmax_twice", {}),
        ("shortest", 9, {}),
        ("horizon", 3, {"task": "sine"}),
        ("carry_state", True, {"task": "characters", "rnn_type": "many_to_many"}),
        ("tbptt", 7, {}),
        ("seed", 12, {}),
        ("output_layers", 2, {}),
        ("window", 3, {"cell": "feedforward"}),
        ("embedding_size", 8, {}),
        ("teacher_forcing", 0.5, {"task": "melody", "rnn_type": "one_to_many", "seq_len": "9"}),
    ],
    ids=lambda each: each if isinstance(each, str) and each.islower() else None,
)
def test_a_moved_widget_is_what_the_run_has(pool, key, value, link):
    page = opened(**link)
    base = slot().experiment
    assert getattr(base, key) != value
    move(page, key, value)
    assert slot().experiment == base.replace(**{key: value})
    live = key in LIVE_SETTINGS
    assert len(pool.runs) == (1 if live else 2)
    assert pool.runs[-1].opened["paused"] == pool.runs[0].opened["paused"]
    assert set(page.query_params) == {"preset" if not link or "preset" in link else "task", key, *link}


def test_speed_reaches_the_run(pool):
    page = opened()
    move(page, "speed", "max")
    assert pool.runs[0].calls == [("speed", None)] and page.query_params == {"preset": "remember", "speed": "max"}
    move(page, "speed", "slow")
    assert pool.runs[0].calls[1:] == [("speed", 2.0)]
    assert len(pool.runs) == 1


@pytest.mark.parametrize(
    ("link", "task", "kind", "length", "embedding"),
    [
        ({"preset": "stocks", "rnn_type": "many_to_many"}, "first_symbol_recall", "many_to_one", 40, 0),
        ({"preset": "remember"}, "stocks", "many_to_one", 12, 0),
        ({"preset": "remember"}, "characters", "many_to_many", 40, 0),
        ({"preset": "many-to-many", "embedding_size": "8"}, "adding", "many_to_one", 50, 0),
        ({"preset": "many-to-many", "embedding_size": "8"}, "first_symbol_recall", "many_to_one", 40, 8),
        ({"preset": "many-to-many"}, "stocks", "many_to_many", 12, 0),
    ],
)
def test_other_data_brings_its_length_and_a_type_that_it_knows(pool, link, task, kind, length, embedding):
    page = opened(**link)
    move(page, "task", task)
    now = slot().experiment
    assert (now.task, now.seq_len, now.embedding_size) == (task, length, embedding)
    assert now.rnn_type == kind or task == "characters"  # characters knows both types
    assert warnings(page) == [] and widgets(page)["rnn_type"].value == now.rnn_type


@pytest.mark.parametrize(
    ("task", "kind"), [pytest.param(*each, marks=() if each in OPENED else pytest.mark.full) for each in TYPES]
)
def test_all_data_open_under_every_type_they_know(pool, task, kind):
    page = opened(task=task, rnn_type=kind)
    now, keys = slot().experiment, widgets(page)
    assert (now.task, now.rnn_type, now.seq_len) == (task, kind, TASKS[task].lengths.default)
    assert warnings(page) == [] and keys["rnn_type"].options == [text.RNN_TYPES[each] for each in CHOICES["rnn_type"]]
    assert keys["embedding_size"].disabled == (TASKS[task].inputs == "values")
    fed_back = kind in AUTOREGRESSIVE_TYPES
    assert (keys["teacher_forcing"].disabled, keys["bidirectional"].disabled) == (not fed_back, kind == "one_to_many")
    captions = [each.value for each in page.sidebar.caption]
    assert data_text.about_data(now) in captions and text.rnn_type(now) in captions
    assert any('class="thumbnail"' in each.proto.body for each in page.sidebar.get("html"))


def test_every_type_is_opened_in_a_normal_run():
    assert {kind for _, kind in OPENED} == set(CHOICES["rnn_type"])


def test_the_tables_of_types_are_complete():
    """Every type has data that show it, and its own limits."""
    assert tuple(chosen_data.EXAMPLES) == CHOICES["rnn_type"]
    assert set(links.FIXED_SETTINGS) == {*CHOICES["rnn_type"]}
    assert all(kind in TASKS[task].rnn_types for kind, task in chosen_data.EXAMPLES.items())


@pytest.mark.parametrize("kind", CHOICES["rnn_type"])
def test_a_type_that_the_data_lack_brings_the_data_that_show_it(pool, kind):
    start = {"one_to_one": "remember", "many_to_one": "many-to-many"}.get(kind, "stocks")
    page = opened(preset=start, **({"task": "copy", "rnn_type": "many_to_many"} if kind == "many_to_one" else {}))
    if kind == "many_to_many":
        move(page, "task", "adding")
    assert kind not in TASKS[slot().experiment.task].rnn_types
    move(page, "rnn_type", kind)
    now, task = slot().experiment, TASKS[chosen_data.EXAMPLES[kind]]
    assert (now.task, now.rnn_type, now.seq_len) == (task.slug, kind, task.lengths.default)
    assert warnings(page) == [] and widgets(page)["task"].value == task.slug
    base = load_preset(start).experiment
    for name in ("task", "rnn_type"):
        assert page.query_params.get(name, getattr(base, name)) == getattr(now, name)
    clear_session_cache(SESSION)
    opened(**page.query_params)
    assert pool.runs[-1].experiment == now


BESIDE_FEEDBACK = [
    {"bidirectional": "true"},
    {"tbptt": "5"},
    {"cell": "feedforward", "window": "3", "tbptt": "5"},
    {"preset": "truncation"},
    {"task": "characters", "rnn_type": "many_to_many", "embedding_size": "8", "bidirectional": "true"},
    {"task": "digits_by_pixel", "bidirectional": "true"},
]


@pytest.mark.parametrize(
    ("link", "kind"),
    grid(BESIDE_FEEDBACK, AUTOREGRESSIVE_TYPES, kept=in_turn),
    ids=lambda each: each if isinstance(each, str) else "&".join(each),
)
def test_a_type_that_is_fed_back_drops_what_it_cannot_have(pool, link, kind):
    page = opened(**link)
    assert warnings(page) == []
    move(page, "rnn_type", kind)
    now = slot().experiment
    assert warnings(page) == [] and (now.rnn_type, now.task) == (kind, chosen_data.EXAMPLES[kind])
    reads_both_ways = link.get("bidirectional") == "true" and kind == "encoder_decoder"
    assert now.bidirectional == reads_both_ways and now.window == 1
    clear_session_cache(SESSION)
    opened(**page.query_params)
    assert pool.runs[-1].experiment == now


@pytest.mark.parametrize(
    ("task", "before", "after", "length"),
    [("characters", "many_to_many", "many_to_one", "33"), ("stocks", "many_to_one", "many_to_many", "9"),
     ("parity", "many_to_one", "many_to_many", "11")],
)  # fmt: skip
def test_a_type_that_the_data_have_keeps_them(pool, task, before, after, length):
    page = opened(task=task, rnn_type=before, seq_len=length, tbptt="4")
    base = slot().experiment
    move(page, "rnn_type", after)
    assert slot().experiment == base.replace(rnn_type=after) and warnings(page) == []


def test_a_cell_without_links_in_time_drops_the_second_direction(pool):
    """Its switch rests there: nobody could take it back."""
    page = opened(bidirectional="true")
    move(page, "cell", "feedforward")
    assert warnings(page) == [] and not slot().experiment.bidirectional
    assert widgets(page)["bidirectional"].disabled and not widgets(page)["window"].disabled


def test_a_single_layer_drops_what_acts_between_layers(pool):
    page = opened(num_layers="2", dropout="0.5")
    move(page, "num_layers", 1)
    assert warnings(page) == [] and (slot().experiment.num_layers, slot().experiment.dropout) == (1, 0.0)
    assert widgets(page)["dropout"].disabled


def test_a_cell_drops_a_window_where_the_output_is_fed_back(pool):
    page = opened(task="melody", window="3")
    (message,) = warnings(page)
    assert "no effect here: the network reads its own outputs" in message and slot().experiment.window == 3
    move(page, "cell", "feedforward")
    assert warnings(page) == [] and (slot().experiment.cell, slot().experiment.window) == ("feedforward", 1)


def test_the_gradient_may_be_cut_where_one_input_speaks(pool):
    page = opened(task="melody", tbptt="5")
    move(page, "task", "digit_name")
    assert warnings(page) == [] and (slot().experiment.task, slot().experiment.tbptt) == ("digit_name", 5)


def test_data_of_one_length_leave_nothing_to_slide(pool):
    page = opened()
    move(page, "task", "digits_by_row")
    assert widgets(page)["seq_len"].disabled and widgets(page)["seq_len"].value == 8
    move(page, "task", "adding")
    assert not widgets(page)["seq_len"].disabled and slot().experiment.seq_len == 50


@pytest.mark.parametrize(
    ("link", "key", "value", "says"),
    [
        ({"tbptt": "10"}, "bidirectional", True, "for a network that reads both ways, but it is 10."),
        ({"bidirectional": "true"}, "tbptt", 5, "for a network that reads both ways, but it is 5."),
        (
            {"hidden_size": "512", "num_layers": "4"},
            "batch_size",
            512,
            "Units must be such that one update needs at most 2e+10",
        ),
        ({"hidden_size": "512", "batch_size": "512"}, "seq_len", 1000, "multiply-adds"),
        ({}, "seed", None, "Seed must be a whole number from 0 to 2,147,483,647"),
        ({}, "init_gain", None, "Gain of the initial weights must be a number from 0 to 10"),
        ({}, "tbptt", None, "Cut the gradient after (steps) must be a whole number from 0 to 1,000"),
        (
            {"task": "reverse"},
            "tbptt",
            5,
            "Cut the gradient after (steps) must be 0 (never cut) for an encoder-decoder",
        ),
        ({"cell": "feedforward"}, "window", None, "Inputs seen at once must be a whole number from 1 to 64"),
    ],
    ids=[
        "both ways and cut",
        "cut and both ways",
        "too large",
        "too long",
        "no seed",
        "no gain",
        "no cut",
        "cut encoder",
        "no window",
    ],
)
def test_settings_that_do_not_fit_together_keep_the_old_run_and_say_so(pool, link, key, value, says):
    page = opened(**link)
    before, link = slot().experiment, dict(page.query_params)
    move(page, key, value)
    (message,) = warnings(page)
    assert says in message and message.endswith("The run below still uses the settings from before this change.")
    assert slot().experiment == before and len(pool.runs) == 1
    assert pool.runs[0].calls == [] and page.query_params == link
    move(page, key, getattr(before, key))
    assert warnings(page) == [] and len(pool.runs) == 1


def test_the_forget_bias_may_be_left_empty_and_rests_where_there_is_no_gate(pool):
    page = opened(preset="remember-lstm")
    assert not page.number_input(key="forget_bias").disabled
    move(page, "forget_bias", None)
    assert slot().experiment == load_preset("remember-lstm").experiment.replace(forget_bias=None)
    assert warnings(page) == [] and page.query_params["forget_bias"] == "none"
    move(page, "cell", "rnn")
    assert page.number_input(key="forget_bias").disabled
    assert not widgets(page)["nonlinearity"].disabled
    move(page, "cell", "gru")
    assert not page.number_input(key="forget_bias").disabled
    assert widgets(page)["nonlinearity"].disabled


def test_no_clipping_leaves_the_threshold_without_effect(pool):
    page = opened()
    assert not widgets(page)["clip_threshold"].disabled
    assert widgets(move(page, "clip", "none"))["clip_threshold"].disabled


def test_an_unusual_setting_shows_as_a_chip(pool):
    page = opened()
    assert "-badge[" not in page.markdown[0].value
    assert "-badge[Gaussian initial weights]" in move(page, "init", "gaussian").markdown[0].value


def test_what_was_changed_stands_out_and_is_said_once(pool):
    """Blue is a change from the lesson, grey what the lesson itself has of unusual things."""
    page = opened(preset="explode", num_layers="2")
    line, preset = page.markdown[0].value, load_preset("explode").experiment
    assert ":blue-badge[layers 2]" in line and line.count("-badge[") == 1 + len(text.chips(preset))
    assert all(f":gray-badge[{chip}]" in line for chip in text.chips(preset))


# ---- lessons


@pytest.mark.parametrize(
    ("before", "picked"),
    [("remember", "default-lstm"), ("default-lstm", "remember"), ("clip", "explode"), ("explode", "clip")],
)
def test_a_picked_lesson_begins_at_step_0_as_it_says(pool, before, picked):
    """Also where two lessons differ only in what a run could change live."""
    page, preset = opened(preset=before), load_preset(picked)
    pool.runs[0].frame = dataclasses.replace(untrained_frame(), step=7)
    move(page, "preset", picked)
    assert slot().experiment == preset.experiment and page.query_params == {"preset": picked}
    assert widgets(page)["speed"].value == preset.speed == slot().speed
    assert slot().paused == waits(preset)
    assert len(pool.runs) == 2 and pool.runs[1].opened["paused"] == waits(preset)
    assert page.title[0].value == preset.question


def test_picking_the_lesson_again_undoes_what_was_changed(pool):
    page = opened(preset="remember", hidden_size="64", speed="max", clip="none")
    move(page, "preset", "explode")
    move(page, "preset", "remember")
    assert slot().experiment == load_preset("remember").experiment and page.query_params == {"preset": "remember"}


def test_all_cells_are_in_one_list_the_usual_first_and_the_one_without_memory_last(pool):
    offered = widgets(opened())["cell"].options
    assert offered[:3] == ["RNN", "GRU", "LSTM"] and offered[-1] == "Feed-forward"
    assert sorted(offered) == sorted(cell.title for cell in CELLS.values())


def test_what_has_no_effect_on_a_cell_rests(pool):
    page = opened()
    for cell, resting in {
        "rnn": ["carry_state", "forget_bias", "teacher_forcing", "window"],
        "indrnn": ["carry_state", "forget_bias", "init", "nonlinearity", "teacher_forcing", "window"],
        "linear": [
            "carry_state",
            "init",
            "init_gain",
            "nonlinearity",
            "recurrent_dropout",
            "teacher_forcing",
            "window",
        ],
        "feedforward": [
            "bidirectional",
            "carry_state",
            "forget_bias",
            "init",
            "init_gain",
            "learned_start",
            "recurrent_dropout",
            "teacher_forcing",
        ],
    }.items():
        move(page, "cell", cell)
        others = ["attention", "dropout", "horizon", "init_reach", "init_scale", "loss", "momentum", "schedule_factor",
                  "schedule_steps"]  # fmt: skip
        assert sorted(key for key in links.WIDGETS if widgets(page)[key].disabled) == sorted(resting + others)
        assert CELLS[cell].summary in [caption.value for caption in page.caption]


def test_an_initialisation_that_a_cell_does_not_need_can_be_taken_back(pool):
    page = opened(init="identity", cell="linear")
    assert not widgets(page)["init"].disabled
    move(page, "init", "pytorch")
    assert slot().experiment.init == "pytorch" and widgets(page)["init"].disabled
