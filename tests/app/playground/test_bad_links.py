"""Links that are wrong: what is said about them, and that the rest of them counts."""

from __future__ import annotations

import re
from functools import partial

import pytest

from app import links, setting_help, text
from app.setting_effects import why_no_effect
from engine.cells import CELLS
from engine.preset import load_preset
from tests.app.conftest import move, opened, slot, warnings
from tests.fakes import FakePool


@pytest.mark.parametrize(
    ("wrong", "label", "accepted"),
    [
        ({"hidden_size": "0"}, "Units", "a whole number from 1 to 2,048"),
        ({"hidden_size": "2.5"}, "Units", "a whole number from 1 to 2,048"),
        ({"hidden_size": "none"}, "Units", "a whole number from 1 to 2,048"),
        ({"hidden_size": ""}, "Units", "a whole number from 1 to 2,048"),
        ({"hidden_size": "9" * 5000}, "Units", "a whole number from 1 to 2,048"),
        ({"seq_len": "100000"}, "Length", r"a whole number from [12] to 1,000\b.*"),
        ({"learning_rate": "nan"}, "Learning rate", "a number from 1e-08 to 100"),
        ({"learning_rate": "1e400"}, "Learning rate", "a number from 1e-08 to 100"),
        ({"learning_rate": ""}, "Learning rate", "a number from 1e-08 to 100"),
        ({"clip_threshold": "inf"}, "Clip threshold", "a number from 1e-06 to 1,000,000"),
        ({"cell": "nope"}, "Cell", f"rnn, gru, lstm, .* or {list(CELLS)[-1]}"),
        ({"task": "nope"}, "Data", "one of those in the list above"),
        ({"rnn_type": "many_to_many"}, "RNN type", "many_to_one for First digit"),
        ({"bidirectional": "maybe"}, "Read both ways", "(?i:.*true.*)"),
        ({"tbptt": "-1"}, r"Cut the gradient after \(steps\)", "a whole number from 0 to 1,000"),
        ({"speed": "warp"}, "Speed", "slow, normal, max"),
        ({"steps": "x"}, "Updates", "a whole number from 1 to 1,000,000"),
        ({"dropout": "0.5"}, "Dropout between layers", "0 with one layer.*"),
        ({"embedding_size": "-3"}, "Embedding", "a whole number from 0 to 2,048"),
        ({"output_layers": "x"}, "Extra output layers", "0, 1, 2 or 3"),
        ({"output_layers": "4"}, "Extra output layers", "0, 1, 2 or 3"),
        ({"output_layers": "9" * 5000}, "Extra output layers", "0, 1, 2 or 3"),
        ({"window": "0"}, "Inputs seen at once", "a whole number from 1 to 64"),
        ({"teacher_forcing": "1.5"}, "Teacher forcing", "a number from 0 to 1"),
        ({"task_options": "x"}, "(?i:task options)", "a table of names and plain values"),
        ({"device": "tpu"}, "(?i:device)", "cpu, cuda or auto"),
    ],
    ids=lambda each: "&".join(f"{k}={v[:12]}" for k, v in each.items()) if isinstance(each, dict) else "",
)
def test_a_wrong_link_says_what_is_accepted_and_the_rest_of_it_counts(pool, wrong, label, accepted):
    message, preset = left_out(pool, wrong), load_preset("remember")
    ((name, raw),) = wrong.items()
    shown = {"speed": preset.speed, **preset.experiment.to_dict(), "task": "First digit"}[name]
    got = re.escape(text.plain(raw))
    assert re.fullmatch(
        rf"{label}: the link asks for {got}, but it must be {accepted}\. Used instead: {shown}\.", message
    ), message


def test_what_a_refusal_says_is_shown_is_what_is_shown(pool):
    at = opened(task="teddy", rnn_type="one_to_many")
    assert at.session_state.rnn_type == "many_to_many"
    (message,) = [each.value for each in at.warning]
    assert message.endswith("Used instead: many_to_many.")


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
    (message,) = warnings(page)
    assert pool.runs[0].experiment == load_preset("remember").experiment.replace(seed=5, init="orthogonal")
    begins = {"preset": "remember"} if "preset" in wrong else {"task": "first_symbol_recall"}
    assert page.query_params == {**begins, "seed": "5", "init": "orthogonal"}
    assert warnings(move(page, "seed", 6)) == []  # said once; a change by hand settles it
    return message


@pytest.mark.parametrize("spelled", ["", "none"])
def test_a_forget_bias_may_be_empty_in_a_link(pool, spelled):
    """As its field may be: the lesson says 3, and empty is PyTorch's own."""
    page = opened(preset="remember-lstm", forget_bias=spelled)
    assert warnings(page) == []
    assert pool.runs[0].experiment == load_preset("remember-lstm").experiment.replace(forget_bias=None)
    assert page.query_params == {"preset": "remember-lstm", "forget_bias": "none"}


def test_everything_wrong_with_a_link_is_said(pool):
    page = opened(preset="nope", nonsense="1", rubbish="2", hidden_size="0", steps="x")
    message = " ".join(warnings(page))
    assert [word for word in ("nope", "nonsense", "rubbish", "Units", "Updates") if word not in message] == []


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
    (message,) = warnings(page)
    assert message.startswith("Units")


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
    for name, message in zip(refused, warnings(page), strict=True):
        assert message.startswith(f"{setting_help.LABELS[name]}: the link asks for {link[name]}, but it must be ")


@pytest.mark.parametrize(
    ("link", "message"),
    [
        ({"task": "melody", "bidirectional": "true"}, "Read both ways: the link asks for true, but it must be false "),
        ({"task": "reverse", "tbptt": "3"}, "Cut the gradient after (steps): the link asks for 3, but it must be 0 "),
        ({"task": "melody", "cell": "feedforward", "window": "3"}, "Inputs seen at once: the link asks for 3, but"),
        ({"task": "stocks", "embedding_size": "8"}, "Embedding: the link asks for 8, but it must be 0 "),
        ({"task": "stocks", "rnn_type": "one_to_many"}, "RNN type: the link asks for one\\_to\\_many, but it must be "),
        ({"cell": "feedforward", "bidirectional": "true"}, "Read both ways: the link asks for true, but it must be "),
    ],
    ids=["both ways", "cut", "window", "embedding", "type", "no direction"],
)  # fmt: skip
def test_what_the_other_data_cannot_have_is_left_out_of_a_link_with_a_sentence(pool, link, message):
    page = opened(**link)
    (only,) = warnings(page)
    *taken, refused = link
    assert only.startswith(message) and refused not in page.query_params
    assert all(getattr(slot().experiment, name) == link[name] for name in taken)


@pytest.mark.parametrize(
    ("link", "message"),
    [
        (
            {"cell": "lstm", "nonlinearity": "relu"},
            "Activation: the link asks for relu, but that has no effect here: the activation functions of LSTM are "
            "fixed.",
        ),
        ({"cell": "lstm", "window": "3"}, "for 3, but that has no effect here: LSTM reads one input at a time."),
        (
            {"cell": "feedforward", "init": "orthogonal"},
            "for orthogonal, but that has no effect here: Feed-forward has no recurrent weight matrix.",
        ),
        (
            {"cell": "linear", "init_gain": "2"},
            "Gain of the initial weights: the link asks for 2, but that has no effect here: Linear has no recurrent "
            "weights.",
        ),
        ({"cell": "rnn", "forget_bias": "2"}, "RNN has no gate that keeps the old state."),
        ({"clip": "none", "clip_threshold": "0.5"}, "the gradient is not clipped."),
        ({"teacher_forcing": "0.5"}, "Teacher forcing: the link asks for 0.5, but that has no effect here: no output"),
    ],
    ids=lambda each: "&".join(f"{k}={v}" for k, v in each.items()) if isinstance(each, dict) else "",
)
def test_a_setting_of_a_link_without_effect_is_said_and_kept(pool, link, message):
    page = opened(preset="remember", **link)
    (only,) = warnings(page)
    assert message in only
    assert all(str(getattr(slot().experiment, name)) in (value, f"{value}.0") for name, value in link.items())


def test_every_setting_that_can_have_no_effect_gives_a_reason():
    """What stands in the table is either refused together with the others, or said."""
    given = {
        "nonlinearity": "relu", "bidirectional": "true", "window": "2", "embedding_size": "4", "init": "orthogonal",
        "init_gain": "2", "forget_bias": "3", "clip_threshold": "0.5", "teacher_forcing": "0.5",
    }  # fmt: skip
    for cell in CELLS:
        for task in ("adding", "melody"):
            opening = links.read({"preset": "remember", "task": task, "cell": cell, "clip": "none", **given})
            value = partial(getattr, opening.experiment)
            said = "".join(opening.refused.values())
            for name in given:
                assert not why_no_effect(name, value) or setting_help.LABELS[name] in said, (cell, task, name)


@pytest.mark.parametrize(
    "link",
    [
        {"cell": "lstm", "nonlinearity": "tanh", "teacher_forcing": "1", "window": "1"},
        {"clip": "none", "clip_threshold": "0.5", "then": "300~clip~norm"},
    ],
    ids=["usual values", "has an effect later"],
)
def test_what_changes_nothing_or_only_later_is_not_said(pool, link):
    assert warnings(opened(preset="remember", **link)) == []
