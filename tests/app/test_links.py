"""The parts of a link that say what is changed on the way, where it opens and what it hides: read, written, refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache

from app import links
from app.live import timeline
from app.share import text as share_text
from engine.experiment import LIVE_SETTINGS, RANGES, Experiment, record_change, settings_at
from engine.preset import load_preset
from tests.app.conftest import SESSION, move, opened, slot, warnings

BASE = Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", hidden_size=8)
CHOICES = {
    "learning_rate": [1e-8, 0.0123, 100.0], "clip": ["none", "norm", "value"], "clip_threshold": [1e-6, 0.3, 1000.0],
    "noise": [0.0, 0.25, 3.0], "teacher_forcing": [0.0, 0.5, 1.0], "batch_size": [1, 7, 512],
    "weight_decay": [0.0, 1e-5, 0.1], "momentum": [0.0, 0.9, 0.999], "head_dropout": [0.0, 0.5, 0.99],
    "recurrent_dropout": [0.0, 0.5, 0.9], "input_dropout": [0.0, 0.5, 0.9],
}  # fmt: skip


def some_changes(seed: int):
    """A few live changes, at random."""
    rng = np.random.default_rng(seed)
    changes, now = (), BASE
    for step in np.sort(rng.choice(10_000, rng.integers(0, 6), replace=False)) + 1:
        names = rng.choice(LIVE_SETTINGS, rng.integers(1, 4), replace=False)
        after = now.replace(**{str(name): CHOICES[str(name)][rng.integers(3)] for name in names})
        changes, now = record_change(changes, int(step), now, after), after
    return changes


@pytest.mark.parametrize("seed", range(20))
def test_changes_on_the_way_survive_a_link(seed):
    assert set(CHOICES) == set(LIVE_SETTINGS)
    changes = some_changes(seed)
    written, refused = links.format_changes(changes), {}
    assert links.parse_changes(BASE, written.get("then", ""), refused) == changes and not refused
    assert set("".join(written.values())) <= set("abcdefghijklmnopqrstuvwxyz0123456789_~.-+")  # needs no escaping


@pytest.mark.parametrize(
    "raw",
    ["nonsense", "5", "5~clip", "0~clip~none", "-3~clip~none", "9~clip~none~~5~clip~norm", "5~cell~gru",
     "5~learning_rate~fast", "5~learning_rate~-1", "5~learning_rate~nan", "5~clip~sometimes", "5~batch_size~99999",
     "5~nonsense~1", "2000000~clip~none", "5~clip~none~~5~clip~norm", "~~5~", "5~~clip~none", "٥~clip~none~"],
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_nothing_is_changed(raw):
    refused = {}
    assert links.parse_changes(BASE, raw, refused) == () and raw[:4].strip("~") in refused["then"].replace("\\", "")


@pytest.mark.parametrize(("raw", "step"), [(None, 0), ("0", 0), ("300", 300), (str(int(RANGES["steps"].high)), 10**6)])
def test_a_step_to_open_at(raw, step):
    refused = {}
    assert links.parse_step(raw, refused) == step and not refused


@pytest.mark.parametrize("raw", ["", "-1", "1.5", "soon", "1000001", "9" * 400, "1e3"])
def test_a_step_that_is_none_is_said(raw):
    refused = {}
    assert links.parse_step(raw, refused) == 0 and "whole number" in refused["at"]


def test_controls_are_hidden_by_name_and_what_is_none_is_said():
    refused = {}
    assert (
        links.parse_names("cell~lesson", ("cell", "lesson", "seed"), "hide", refused) == ("cell", "lesson")
        and not refused
    )
    assert links.parse_names(None, ("cell",), "hide", refused) == () and not refused
    assert links.parse_names("cell~*x*", ("cell",), "hide", refused) == ("cell",) and "\\*x\\*" in refused["hide"]


def test_a_whole_address_is_where_the_page_stands_and_what_it_opens():
    assert (
        share_text.address("http://here/app/?old=1", {"preset": "xor", "at": "5"}) == "http://here/app/?preset=xor&at=5"
    )


@pytest.mark.parametrize("clip", ["none", "norm"])
def test_other_futures_differ_from_this_one_and_can_be(clip):
    experiment = BASE.replace(clip=clip, learning_rate=50.0)
    offered = timeline.what_ifs(experiment)
    assert all(settings_at(experiment, ((1, each["changes"]),)) != experiment for each in offered)
    says = [each["says"] for each in offered]
    assert ("no clipping" in says) == (clip != "none") and not any("faster" in each for each in says)  # 500 is too much


def test_a_failure_card_opens_before_a_room_and_a_lesson_does_not():
    assert links.to_preset(load_preset("failure-nan")) == {"preset": "failure-nan", "present": "1"}
    assert links.to_preset(load_preset("remember")) == {"preset": "remember"}


# ---- the link that the page writes


@pytest.mark.parametrize(
    ("link", "written"),
    [
        ({"hidden_size": "32", "cell": "rnn"}, {"task": "first_symbol_recall"}),
        ({"preset": "remember", "hidden_size": "33"}, {"preset": "remember", "hidden_size": "33"}),
        ({"preset": "clip", "learning_rate": "1e-3"}, {"preset": "clip", "learning_rate": "0.001"}),
        ({"preset": "clip", "speed": "normal"}, {"preset": "clip"}),
        ({"preset": "remember-lstm", "forget_bias": "none"}, {"preset": "remember-lstm", "forget_bias": "none"}),
        ({"preset": "remember", "bidirectional": "true"}, {"preset": "remember", "bidirectional": "true"}),
        ({"preset": "remember", "target_loss": "0.5"}, {"preset": "remember", "target_loss": "0.5"}),
        ({"preset": "remember", "output_layers": "2"}, {"preset": "remember", "output_layers": "2"}),
        ({"output_layers": "0", "window": "1", "teacher_forcing": "1"}, {"task": "first_symbol_recall"}),
        ({"task": "stocks"}, {"task": "stocks", "seq_len": "12"}),
        ({"preset": "remember", "task": "stocks"}, {"preset": "remember", "task": "stocks", "seq_len": "12"}),
        (
            {"preset": "remember", "task": "characters", "rnn_type": "many_to_many"},
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


# ---- the layer that figures show

STACK = {"task": "adding", "cell": "gru", "num_layers": "2", "bidirectional": "true"}


@pytest.mark.parametrize(
    ("raw", "chain", "written"),
    [("1", (0, 0), "1"), ("1~backwards", (0, 1), "1~backwards"), ("2~backwards", (1, 1), "2~backwards"),
     ("2", (1, 0), None)],
)  # fmt: skip
def test_a_link_says_which_layer_the_figures_show(pool, raw, chain, written):
    page = opened(**STACK, layer=raw)
    assert warnings(page) == [] and page.session_state._chain == chain
    assert page.query_params.get("layer") == written
    assert "layer" not in move(page, "num_layers", 1).query_params or raw.startswith("1")


@pytest.mark.parametrize("raw", ["0", "3", "1~back", "", "one", "-1", "1~", "٢"])
def test_a_layer_that_is_not_there_is_said(pool, raw):
    page = opened(**STACK, layer=raw)
    (message,) = warnings(page)
    assert message.endswith("Shown instead: layer 2.") and page.session_state._chain is None
