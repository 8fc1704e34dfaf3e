"""The playground page, run by Streamlit without a browser and over runs without workers."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re

import pytest
import streamlit as st
from streamlit.runtime.caching.cache_resource_api import clear_session_cache

from app import links, state, text
from app.hub import HUB, Slot, Start
from engine.cells import CELLS
from engine.experiment import CHOICES, FED_BACK, LIVE, Experiment
from engine.preset import SPEEDS, list_presets, load_preset
from engine.tasks import TASKS
from tests.app.conftest import SESSION, Session, move, opened, press, run, slot, waiting, warnings, widgets
from tests.fakes import FakePool, FakeRun, untrained_frame

STABLE = [  # DESIGN, section 6
    "preset", "task", "rnn_type", "cell", "nonlinearity", "hidden_size", "num_layers", "bidirectional", "seq_len",
    "init", "init_gain", "forget_bias", "optimizer", "learning_rate", "clip", "clip_threshold", "batch_size", "tbptt",
    "seed", "output_layers", "window", "embedding_size", "teacher_forcing", "speed", "train", "pause", "step", "reset",
]  # fmt: skip
PRESETS = [preset.slug for preset in list_presets()]
TYPES = [(task.slug, kind) for task in TASKS.values() for kind in task.rnn_types]


# ---- opening


def test_the_page_opens_on_the_first_lesson_with_every_stable_key(pool):
    page = opened()
    found = widgets(page)
    assert [key for key in STABLE if key not in found] == []
    assert found["preset"].value == "remember"
    assert page.title[0].value == load_preset("remember").question
    assert warnings(page) == [] and len(pool.runs) == 1
    assert page.query_params == {"preset": "remember"}


@pytest.mark.parametrize("slug", PRESETS)
def test_a_link_to_a_lesson_opens_it_as_it_says(pool, slug):
    page, preset = opened(preset=slug), load_preset(slug)
    (only,) = pool.runs
    assert only.experiment == preset.experiment
    assert only.opened == {"paused": preset.paused, "speed": SPEEDS[preset.speed]}
    shown = {key: widget.value for key, widget in widgets(page).items()}
    settings = {key: value for key, value in preset.experiment.to_dict().items() if key in shown}
    assert set(settings) == set(state.WIDGETS) and {key: shown[key] for key in settings} == settings
    assert (shown["preset"], shown["speed"]) == (slug, preset.speed)
    assert page.title[0].value == preset.question
    assert page.markdown[0].value.startswith(preset.look_for)
    assert warnings(page) == [] and page.query_params == {"preset": slug}


def test_a_link_can_change_several_settings(pool):
    page = opened(
        preset="remember-lstm", cell="gru", hidden_size="37", bidirectional="true", forget_bias="none", seq_len="33",
        learning_rate="0.0123", init="gaussian", init_gain="1.5", steps="77", speed="max",
    )  # fmt: skip
    assert warnings(page) == []
    assert pool.runs[0].experiment == load_preset("remember-lstm").experiment.replace(
        cell="gru", hidden_size=37, bidirectional=True, forget_bias=None, learning_rate=0.0123, seq_len=33,
        init="gaussian", init_gain=1.5, steps=77,
    )  # fmt: skip
    assert pool.runs[0].opened["speed"] is None
    assert widgets(page)["hidden_size"].value == 37 and widgets(page)["learning_rate"].value == 0.0123


# ---- links that are wrong


@pytest.mark.parametrize(
    ("wrong", "label", "accepted"),
    [
        ({"hidden_size": "0"}, "Units", "a whole number from 1 to 512"),
        ({"hidden_size": "2.5"}, "Units", "a whole number from 1 to 512"),
        ({"hidden_size": "none"}, "Units", "a whole number from 1 to 512"),
        ({"hidden_size": ""}, "Units", "a whole number from 1 to 512"),
        ({"hidden_size": "9" * 5000}, "Units", "a whole number from 1 to 512"),
        ({"seq_len": "100000"}, "Length", r"a whole number from [12] to 1,000\b.*"),
        ({"learning_rate": "nan"}, "Learning rate", "a number from 1e-06 to 10"),
        ({"learning_rate": "1e400"}, "Learning rate", "a number from 1e-06 to 10"),
        ({"learning_rate": ""}, "Learning rate", "a number from 1e-06 to 10"),
        ({"clip_threshold": "inf"}, "Clip threshold", "a number from 1e-06 to 1,000,000"),
        ({"cell": "nope"}, "Cell", f"rnn, gru, lstm, .* or {list(CELLS)[-1]}"),
        ({"task": "nope"}, "Data", "one of those in the list above"),
        ({"rnn_type": "many_to_many"}, "RNN type", "many_to_one for First digit"),
        ({"bidirectional": "maybe"}, "Read both ways", "(?i:.*true.*)"),
        ({"tbptt": "-1"}, r"Cut the gradient after \(steps\)", "a whole number from 0 to 1,000"),
        ({"speed": "warp"}, "Speed", "slow, normal, max"),
        ({"steps": "x"}, "(?i:steps)", "a whole number from 1 to 1,000,000"),
        ({"dropout": "0.5"}, "(?i:dropout)", "0 with one layer.*"),
        ({"embedding_size": "-3"}, "Embedding", "a whole number from 0 to 512"),
        ({"output_layers": "x"}, "Layers above, no links in time", "0, 1, 2 or 3"),
        ({"output_layers": "4"}, "Layers above, no links in time", "0, 1, 2 or 3"),
        ({"output_layers": "9" * 5000}, "Layers above, no links in time", "0, 1, 2 or 3"),
        ({"window": "0"}, "Inputs seen at once", "a whole number from 1 to 64"),
        ({"teacher_forcing": "1.5"}, "Teacher forcing", "a number from 0 to 1"),
        ({"task_options": "x"}, "(?i:task options)", "empty for First digit"),
        ({"device": "tpu"}, "(?i:device)", "cpu or cuda"),
    ],
    ids=lambda each: "&".join(f"{k}={v[:12]}" for k, v in each.items()) if isinstance(each, dict) else "",
)
def test_a_wrong_link_says_what_is_accepted_and_the_rest_of_it_counts(pool, wrong, label, accepted):
    said, preset = left_out(pool, wrong), load_preset("remember")
    ((name, raw),) = wrong.items()
    shown = {"speed": preset.speed, **preset.experiment.to_dict(), "task": "First digit"}[name]
    got = re.escape(text.plain(raw))
    assert re.fullmatch(rf"{label}: the link said {got}, but it must be {accepted}\. Shown is {shown}\.", said), said


def test_what_a_refusal_says_is_shown_is_what_is_shown(pool):
    at = opened(task="teddy", rnn_type="one_to_many")
    assert at.session_state.rnn_type == "many_to_many"
    (said,) = [each.value for each in at.warning]
    assert said.endswith("Shown is many_to_many.")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"preset": "nope"}, "There is no lesson called nope."),
        ({"nonsense": "1"}, "The link has a setting nonsense, which does not exist"),
    ],
    ids=["preset", "setting"],
)
def test_what_does_not_exist_is_left_out_and_the_rest_counts(pool, wrong, words):
    assert left_out(pool, wrong).startswith(words)


def left_out(pool: FakePool, wrong: dict[str, str]) -> str:
    """What is said about this part of a link, whose other settings are taken."""
    page = opened(**{"seed": "5", **wrong, "init": "orthogonal"})
    (said,) = warnings(page)
    assert pool.runs[0].experiment == load_preset("remember").experiment.replace(seed=5, init="orthogonal")
    assert page.query_params == {"preset": "remember", "seed": "5", "init": "orthogonal"}
    assert warnings(move(page, "seed", 6)) == []  # said once; a change by hand settles it
    return said


@pytest.mark.parametrize("spelled", ["", "none"])
def test_a_forget_bias_may_be_empty_in_a_link(pool, spelled):
    """As its field may be: the lesson says 3, and empty is PyTorch's own."""
    page = opened(preset="remember-lstm", forget_bias=spelled)
    assert warnings(page) == []
    assert pool.runs[0].experiment == load_preset("remember-lstm").experiment.replace(forget_bias=None)
    assert page.query_params == {"preset": "remember-lstm", "forget_bias": "none"}


def test_everything_wrong_with_a_link_is_said(pool):
    page = opened(preset="nope", nonsense="1", rubbish="2", hidden_size="0", steps="x")
    said = " ".join(warnings(page))
    assert [word for word in ("nope", "nonsense", "rubbish", "Units", "steps") if word not in said] == []


@pytest.mark.parametrize("spelled", ["true", "True", "false", "False"])
def test_a_switch_takes_what_its_warning_calls_accepted(pool, spelled):
    page = opened(bidirectional=spelled)
    assert warnings(page) == []
    assert pool.runs[0].experiment.bidirectional is (spelled.lower() == "true")


def test_one_wrong_value_does_not_cost_the_others_that_need_each_other(pool):
    """Stock prices are shorter than the lesson's 40 digits: task, type and length only fit in together."""
    page = opened(task="stocks", rnn_type="many_to_many", seq_len="12", hidden_size="0")
    assert pool.runs[0].experiment == load_preset("remember").experiment.replace(
        task="stocks", rnn_type="many_to_many", seq_len=12
    )
    (said,) = warnings(page)
    assert said.startswith("Units")


def test_other_data_in_a_link_brings_its_own_length(pool):
    """As it does when it is picked by hand."""
    page = opened(task="stocks")
    assert (warnings(page), pool.runs[0].experiment.task, pool.runs[0].experiment.seq_len) == ([], "stocks", 12)


@pytest.mark.parametrize(
    "link",
    [
        {"tbptt": "10", "bidirectional": "true"},
        {"bidirectional": "true", "tbptt": "10"},
        {"hidden_size": "512", "num_layers": "4", "batch_size": "512", "seq_len": "1000"},
    ],
    ids=["cut and both ways", "both ways and cut", "too large"],
)
def test_values_of_a_link_that_do_not_fit_together_are_taken_as_far_as_they_fit(pool, link):
    page = opened(**link)
    taken = {name: str(getattr(pool.runs[0].experiment, name)).lower() for name in link}
    refused = [name for name in link if taken[name] != link[name]]
    assert 0 < len(refused) < len(link) and len(warnings(page)) == len(refused)
    for name, said in zip(refused, warnings(page), strict=True):
        assert said.startswith(f"{text.LABELS[name]}: the link said {link[name]}, but it must be ")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ({"task": "melody", "bidirectional": "true"}, "Read both ways: the link said true, but it must be false "),
        ({"task": "reverse", "tbptt": "3"}, "Cut the gradient after (steps): the link said 3, but it must be 0 "),
        ({"task": "melody", "cell": "feedforward", "window": "3"}, "Inputs seen at once: the link said 3, but it must"),
        ({"task": "stocks", "embedding_size": "8"}, "Embedding: the link said 8, but it must be 0 "),
        ({"task": "stocks", "rnn_type": "one_to_many"}, "RNN type: the link said one\\_to\\_many, but it must be "),
        ({"cell": "feedforward", "bidirectional": "true"}, "Read both ways: the link said true, but it must be false "),
    ],
    ids=["both ways", "cut", "window", "embedding", "type", "no direction"],
)  # fmt: skip
def test_what_the_other_data_cannot_have_is_left_out_of_a_link_with_a_sentence(pool, link, said):
    page = opened(**link)
    (only,) = warnings(page)
    *taken, refused = link
    assert only.startswith(said) and refused not in page.query_params
    assert all(getattr(slot().experiment, name) == link[name] for name in taken)


# ---- settings


@pytest.mark.parametrize(
    ("key", "value", "link"),
    [
        ("cell", "lstm", {}),
        ("nonlinearity", "relu", {}),
        ("hidden_size", 64, {}),
        ("num_layers", 3, {}),
        ("bidirectional", True, {}),
        ("seq_len", 100, {}),
        ("rnn_type", "many_to_one", {"preset": "many-to-many"}),
        ("init", "identity", {}),
        ("init_gain", 2.5, {}),
        ("forget_bias", 2.0, {"preset": "default-lstm"}),
        ("optimizer", "sgd", {}),
        ("learning_rate", 0.1, {}),
        ("clip", "value", {}),
        ("clip_threshold", 10.0, {}),
        ("batch_size", 8, {}),
        ("noise", 0.3, {}),
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
    live = key in LIVE
    assert len(pool.runs) == (1 if live else 2)
    assert pool.runs[-1].opened["paused"] == pool.runs[0].opened["paused"]
    assert set(page.query_params) == {"preset", key, *link}


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


@pytest.mark.parametrize(("task", "kind"), TYPES)
def test_all_data_open_under_every_type_they_know(pool, task, kind):
    page = opened(task=task, rnn_type=kind)
    now, found = slot().experiment, widgets(page)
    assert (now.task, now.rnn_type, now.seq_len) == (task, kind, TASKS[task].lengths.default)
    assert warnings(page) == [] and found["rnn_type"].options == [text.RNN_TYPES[each] for each in CHOICES["rnn_type"]]
    assert found["embedding_size"].disabled == (TASKS[task].inputs == "values")
    fed_back = kind in FED_BACK
    assert (found["teacher_forcing"].disabled, found["bidirectional"].disabled) == (not fed_back, fed_back)
    said = [each.value for each in page.sidebar.caption]
    assert text.about_data(now) in said and text.rnn_type(now) in said
    assert any('class="thumbnail"' in each.proto.body for each in page.sidebar.get("html"))


def test_the_tables_of_types_are_complete():
    """Every type has data that show it, and whatever is fed back its own limits."""
    assert tuple(state.EXAMPLES) == CHOICES["rnn_type"] and tuple(links.ONE_WAY) == FED_BACK
    assert all(kind in TASKS[task].rnn_types for kind, task in state.EXAMPLES.items())


@pytest.mark.parametrize("kind", CHOICES["rnn_type"])
def test_a_type_that_the_data_lack_brings_the_data_that_show_it(pool, kind):
    start = {"one_to_one": "remember", "many_to_one": "many-to-many"}.get(kind, "stocks")
    page = opened(preset=start, **({"task": "copy", "rnn_type": "many_to_many"} if kind == "many_to_one" else {}))
    if kind == "many_to_many":
        move(page, "task", "adding")
    assert kind not in TASKS[slot().experiment.task].rnn_types
    move(page, "rnn_type", kind)
    now, task = slot().experiment, TASKS[state.EXAMPLES[kind]]
    assert (now.task, now.rnn_type, now.seq_len) == (task.slug, kind, task.lengths.default)
    assert warnings(page) == [] and widgets(page)["task"].value == task.slug
    base = load_preset(start).experiment
    for name in ("task", "rnn_type"):
        assert page.query_params.get(name, getattr(base, name)) == getattr(now, name)
    clear_session_cache(SESSION)
    opened(**page.query_params)
    assert pool.runs[-1].experiment == now


@pytest.mark.parametrize("kind", FED_BACK)
@pytest.mark.parametrize(
    "link",
    [
        {"bidirectional": "true"},
        {"tbptt": "5"},
        {"cell": "feedforward", "window": "3", "tbptt": "5"},
        {"preset": "truncation"},
        {"task": "characters", "rnn_type": "many_to_many", "embedding_size": "8", "bidirectional": "true"},
        {"task": "digits_by_pixel", "bidirectional": "true"},
    ],
    ids=lambda link: "&".join(link),
)
def test_a_type_that_is_fed_back_drops_what_it_cannot_have(pool, link, kind):
    page = opened(**link)
    assert warnings(page) == []
    move(page, "rnn_type", kind)
    now = slot().experiment
    assert warnings(page) == [] and (now.rnn_type, now.task) == (kind, state.EXAMPLES[kind])
    assert not now.bidirectional and now.window == 1
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


def test_a_cell_drops_a_window_where_the_output_is_fed_back(pool):
    page = opened(task="melody", window="3")  # of no effect with a recurrent cell
    assert warnings(page) == [] and slot().experiment.window == 3
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
        ({"tbptt": "10"}, "bidirectional", True, "for a network that reads both ways, but is 10."),
        ({"bidirectional": "true"}, "tbptt", 5, "for a network that reads both ways, but is 5."),
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
    (said,) = warnings(page)
    assert says in said and said.endswith("The run below still has the settings before this change.")
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
    assert "-badge[Gaussian start]" in move(page, "init", "gaussian").markdown[0].value


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
    assert slot().paused == preset.paused
    assert len(pool.runs) == 2 and pool.runs[1].opened["paused"] == preset.paused
    assert page.title[0].value == preset.question


def test_picking_the_lesson_again_undoes_what_was_changed(pool):
    page = opened(preset="remember", hidden_size="64", speed="max", clip="none")
    move(page, "preset", "explode")
    move(page, "preset", "remember")
    assert slot().experiment == load_preset("remember").experiment and page.query_params == {"preset": "remember"}


# ---- buttons


def test_the_buttons_reach_the_run(pool):
    page = opened()
    first: FakeRun = pool.runs[0]
    for key, told in (
        ("pause", [("pause", None)]),
        ("train", [("resume", None)]),
        ("step", [("pause", None), ("advance", 1)]),
        ("step", [("advance", 1)]),
    ):
        first.calls.clear()
        press(page, key)
        assert first.calls == told, key
    assert len(pool.runs) == 1


def test_reset_goes_back_to_step_0_and_waits(pool):
    page = opened()
    first = pool.runs[0]
    press(page, "reset")
    assert first.calls[-1] == ("stop", None) and len(pool.runs) == 2
    assert pool.runs[1].experiment == first.experiment and pool.runs[1].opened["paused"]
    assert press(page, "train") and pool.runs[1].calls == [("resume", None)]


def test_a_new_seed_is_another_run(pool, monkeypatch):
    page = opened(seed="5")
    monkeypatch.setattr(state.random, "randrange", lambda stop: stop - 1)
    press(page, "new_seed")
    assert len(pool.runs) == 2 and slot().experiment == pool.runs[0].experiment.replace(seed=9999)
    assert widgets(page)["seed"].value == 9999 and page.query_params == {"preset": "remember", "seed": "9999"}


def test_a_new_seed_is_never_the_present_one(pool, monkeypatch):
    page = opened(seed="4")
    draws = itertools.chain([4, 4], itertools.count(8))
    monkeypatch.setattr(state.random, "randrange", lambda stop: next(draws))
    press(page, "new_seed")
    assert slot().experiment.seed != 4


@pytest.mark.parametrize(("first", "loud"), [({}, "pause"), ({"preset": "explode"}, "train")], ids=["runs", "waits"])
def test_what_is_to_be_done_next_stands_out(pool, first, loud):
    page = opened(**first)
    marks = [each.proto.body for each in page.get("html") if each.proto.body.startswith("<span class")]
    assert marks == [f'<span class="next-{loud}"></span>']


# ---- the link is written


@pytest.mark.parametrize(
    ("link", "written"),
    [
        ({"hidden_size": "32", "cell": "rnn"}, {"preset": "remember"}),
        ({"preset": "remember", "hidden_size": "33"}, {"preset": "remember", "hidden_size": "33"}),
        ({"preset": "clip", "learning_rate": "1e-3"}, {"preset": "clip", "learning_rate": "0.001"}),
        ({"preset": "clip", "speed": "normal"}, {"preset": "clip"}),
        ({"preset": "remember-lstm", "forget_bias": "none"}, {"preset": "remember-lstm", "forget_bias": "none"}),
        ({"bidirectional": "true"}, {"preset": "remember", "bidirectional": "true"}),
        ({"target_loss": "0.5"}, {"preset": "remember", "target_loss": "0.5"}),
        ({"output_layers": "2"}, {"preset": "remember", "output_layers": "2"}),
        ({"output_layers": "0", "window": "1", "teacher_forcing": "1"}, {"preset": "remember"}),
        ({"task": "stocks"}, {"preset": "remember", "task": "stocks", "seq_len": "12"}),
        (
            {"task": "characters", "rnn_type": "many_to_many"},
            {"preset": "remember", "task": "characters", "rnn_type": "many_to_many"},
        ),  # as long as the lesson
    ],
)
def test_the_link_says_what_differs_from_the_lesson_and_no_more(pool, link, written):
    assert opened(**link).query_params == written


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": math.pi / 1000, "init_gain": 1 / 3, "cell": "gru", "seed": 2**31 - 1},
        {"task": "stocks", "rnn_type": "many_to_many", "seq_len": 9, "forget_bias": -0.1, "cell": "lstm"},
        {"task": "characters", "rnn_type": "many_to_many", "embedding_size": 12, "reduction": "sum"},
        {"dropout": 0.123456789012345, "num_layers": 2, "clip_threshold": 1e-6, "target_metric": 0.95},
        {"output_layers": 2, "cell": "feedforward", "window": 3, "embedding_size": 4},
        {"teacher_forcing": 1 / 3, "task": "melody", "rnn_type": "one_to_many", "seq_len": 9, "tbptt": 3},
        {"output_layers": 3, "task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 11, "teacher_forcing": 0.0},
        {"task": "adding", "seq_len": 40},  # the lesson's length, and not the data's own
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_written_link_opens_the_very_same_run(pool, changes):
    """Else a reload would not find its run: the hub looks for these very settings."""
    wanted = load_preset("remember").experiment.replace(**changes)
    page = opened(**{name: str(value) for name, value in changes.items()})
    assert pool.runs[0].experiment == wanted
    clear_session_cache(SESSION)
    opened(**page.query_params)
    assert pool.runs[-1].experiment == wanted


@pytest.mark.parametrize(
    ("preset", "task", "key"),
    [("truncation", "reverse", None), ("truncation", "melody", "tbptt"), ("remember", "adding", "seq_len")],
)
def test_a_reload_keeps_the_lessons_own_value_beside_other_data(pool, preset, task, key):
    """Where those data would bring another by themselves."""
    page = opened(preset=preset)
    move(page, "task", task)
    if key:
        move(page, key, getattr(load_preset(preset).experiment, key))
    now = slot().experiment
    clear_session_cache(SESSION)
    assert warnings(opened(**page.query_params)) == [] and pool.runs[-1].experiment == now


# ---- tabs


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(st.context), "cookies", {"playground": "one browser"})


def test_a_reload_finds_its_run(pool, browser):
    page = opened(hidden_size="64")
    mine = slot()
    clear_session_cache(SESSION)  # the tab's connection is gone for good
    assert mine.tabs == 0
    opened(**page.query_params)
    assert slot() is mine and mine.tabs == 1 and len(pool.runs) == 1


def test_a_second_tab_beside_the_first_is_a_second_run(pool, browser):
    opened()
    second = HUB.attach("one browser", Start(load_preset("remember").experiment), speed="normal")
    assert [each is second for each in HUB._slots] == [False, True] and len(pool.runs) == 2


def test_a_dropped_connection_holds_the_same_slot_again(pool):
    page = opened()
    mine = slot()
    clear_session_cache(SESSION)  # Streamlit clears the session's cache and keeps its state
    assert mine.tabs == 0
    run(page)
    assert slot() is mine and mine.tabs == 1 and len(pool.runs) == 1


# ---- the cure


def cured(monkeypatch: pytest.MonkeyPatch, changes: object, slot: Slot) -> Experiment:
    """What is wanted after the browser has sent these changes."""
    monkeypatch.setattr(st, "session_state", Session(live={"cure": changes}, _slot=slot))
    state._show(slot.experiment)
    state.on_cure("live")
    return state.wanted()


@pytest.mark.parametrize("paused", [True, False], ids=["was paused", "was training"])
@pytest.mark.parametrize(
    "changes",
    [{"cell": "lstm", "forget_bias": 3.0}, {"init": "orthogonal", "clip": "norm"}, {"clip": "norm"}],
    ids=["gate", "taming", "clipping alone"],
)
def test_the_cure_changes_the_settings_and_trains(monkeypatch, changes, paused):
    """In a new run, even where the present one could be changed on the way: what broke stays broken."""
    experiment = load_preset("remember").experiment.replace(clip="none")
    slot, _ = waiting(experiment, paused=paused)
    better = cured(monkeypatch, changes, slot)
    assert better == experiment.replace(**changes)
    assert state.st.session_state._begin and not state.st.session_state._start.paused  # which the page obeys next


@pytest.mark.parametrize(
    "changes",
    [None, [], "lstm", 3, {}, {"cell": "nope"}, {"cell": ["lstm"]}, {"nonsense": 1}, {"self": 1}, {"": 1},
     {"hidden_size": 10**9}, {"hidden_size": 64.0}, {"task_options": {"a": 1}}, {"cell": "lstm", "seed": -1}],
    ids=str,
)  # fmt: skip
def test_a_cure_that_cannot_be_is_left_alone(monkeypatch, changes):
    """It comes from the browser, and so from anybody."""
    experiment = load_preset("remember").experiment
    slot, pool = waiting(experiment)
    assert cured(monkeypatch, changes, slot) == experiment
    assert slot.paused and len(pool.runs) == 1 and pool.runs[0].calls == []
