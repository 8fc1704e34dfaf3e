"""The verdict: its flags in their order and at their limits, and on real networks."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.diagnosis import diagnose
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.training import Trainer
from tests.cases import for_each
from tests.engine.diagnosis.conftest import BAR, above, below, judged

# ---- flags


@for_each(
    {
        "ratio, kind": [
            (5e-324, "vanished"),
            (1e-300, "vanished"),
            (below(1e-6), "vanished"),
            (1e-6, "vanishing"),
            (below(1e-3), "vanishing"),
            (1e-3, "fading"),
            (below(1e-2), "fading"),
            (1e-2, "healthy"),
            (1.0, "healthy"),
            (10.0, "healthy"),
            (above(10.0), "rising"),
            (below(100.0), "rising"),
            (100.0, "rising"),
            (above(100.0), "growing"),
            (below(1e4), "growing"),
            (1e4, "growing"),
            (above(1e4), "exploding"),
            (1e300, "exploding"),
            (math.inf, "not_finite"),
        ]
    }
)
def test_bands_of_the_ratio(ratio, kind):
    assert judged(ratio).kind == kind


@for_each(
    {
        "numbers, kind": [
            ({"loss": below(0.1 * BAR)}, "solved"),
            ({"loss": 0.1 * BAR}, "healthy"),
            ({"loss": 0.0}, "solved"),
            ({"gradient": below(1e-8)}, "no_gradient"),
            ({"gradient": 0.0}, "no_gradient"),
            ({"gradient": 1e-8}, "healthy"),
            ({"ratio": 0.0, "tbptt": 39}, "cut"),  # the first digit lies 39 steps back: the 39th link is cut
            ({"ratio": 0.0, "tbptt": 1}, "cut"),
            ({"ratio": 0.0, "tbptt": 40}, "no_path"),
            ({"ratio": 0.0, "tbptt": 0}, "no_path"),
            ({"ratio": 0.0, "state": -1.0}, "dead"),
            ({"ratio": 0.0, "state": 0.9}, "no_path"),
            ({"ratio": 0.0, "state": 0.0}, "no_path"),
            ({"ratio": 0.0, "state": 0.0, "nonlinearity": "relu"}, "dead"),
            ({"ratio": 0.0, "state": 1.0, "nonlinearity": "relu"}, "no_path"),
        ]
    }
)
def test_limits_of_the_other_flags(numbers, kind):
    assert judged(**numbers).kind == kind


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ({"loss": math.nan, "gradient": 0.0, "ratio": 0.0, "tbptt": 5}, "not_finite"),
        ({"loss": math.inf, "ratio": 1e-9}, "not_finite"),
        ({"loss": 0.0, "gradient": math.nan}, "not_finite"),
        ({"gradient": math.inf, "ratio": 0.0}, "not_finite"),
        ({"loss": 0.0, "ratio": math.nan}, "not_finite"),
        ({"loss": 0.0, "gradient": 0.0, "ratio": 0.0, "tbptt": 5}, "solved"),
        ({"loss": 0.0, "ratio": 1e9}, "solved"),
        ({"gradient": 0.0, "ratio": 0.0, "tbptt": 5}, "no_gradient"),
        ({"gradient": 0.0, "ratio": 1e9}, "no_gradient"),
        ({"ratio": 0.0, "tbptt": 5, "nonlinearity": "relu"}, "cut"),
        ({"ratio": 0.0, "tbptt": 5, "cell": "lstm"}, "cut"),
        ({"ratio": 1e-9, "tbptt": 5}, "vanished"),  # not exactly nothing: truncation is not why
        ({"ratio": 0.0, "cell": "lstm"}, "no_path"),
        ({"ratio": 0.0, "cell": "gru", "nonlinearity": "relu"}, "no_path"),
    ],
    ids=str,
)
def test_an_earlier_flag_hides_a_later_one(numbers, kind):
    assert judged(**numbers).kind == kind


@pytest.mark.parametrize(
    ("ratios", "kind", "read"),
    [
        ([[1e-9], [0.5]], "healthy", 0.5),
        ([[1e-9, 1e-4], [0.0, 1e-12]], "vanishing", 1e-4),
        ([[0.5, 1e5]], "exploding", 1e5),
        ([[0.0], [0.0]], "no_path", 0.0),
    ],
    ids=["layers", "both ways", "growing besides", "nothing anywhere"],
)
def test_one_open_road_is_enough(ratios, kind, read):
    verdict = judged(ratios)
    assert (verdict.kind, verdict.evidence["ratio"]) == (kind, read)


def test_one_ratio_that_is_no_number_spoils_all():
    assert judged([[0.5], [math.nan]]).kind == "not_finite"


# ---- real networks


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gradient_of_a_tanh_network_vanishes_and_the_cure_brings_it_back(seed):
    e = Experiment(cell="rnn", seq_len=40, hidden_size=32, seed=seed)
    frame = Trainer(e).frame()
    assert 1e-12 < frame.ratio.item() < 1e-7
    assert (frame.diagnosis.kind, frame.diagnosis.cure) == ("vanished", {"cell": "lstm", "forget_bias": 3.0})
    cured = Trainer(e.replace(**frame.diagnosis.cure)).frame()
    assert cured.ratio.item() > 0.1
    assert (cured.diagnosis.kind, cured.diagnosis.cure) == ("untrained", {})


@pytest.mark.parametrize(("cell", "bias"), [("rnn", 4.0), ("lstm", 4.0), ("gru", 3.0)])
def test_over_100_steps_the_wider_gate_lets_it_through(cell, bias):
    e = Experiment(cell=cell, seq_len=100, hidden_size=32)
    cure = Trainer(e).frame().diagnosis.cure
    assert cure["forget_bias"] == bias
    cured = Trainer(e.replace(**cure)).frame()
    assert (cured.diagnosis.kind, cured.diagnosis.cure) == ("untrained", {})


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gradient_of_too_strong_a_start_explodes(seed):
    e = Experiment(
        cell="rnn", seq_len=50, hidden_size=64, init="gaussian", init_gain=3.0, clip="none", optimizer="sgd", seed=seed
    )
    verdict = Trainer(e).frame().diagnosis
    assert verdict.kind == "exploding" and verdict.evidence["ratio"] > 1e4
    assert verdict.cure == {"init": "orthogonal", "init_gain": 1.0, "clip": "norm"}
    assert Trainer(e.replace(**verdict.cure)).frame().ratio.item() < 10


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_an_lstm_as_the_library_starts_it_forgets_too(seed):
    verdict = Trainer(Experiment(task="adding", seq_len=50, seed=seed)).frame().diagnosis
    assert (verdict.kind, verdict.cure) == ("vanished", {"forget_bias": 3.0})


def test_truncation_is_found_and_its_cure_lets_something_through():
    e = Experiment(cell="gru", hidden_size=8, seq_len=20, tbptt=5)
    verdict = Trainer(e).frame().diagnosis
    assert (verdict.kind, verdict.cure) == ("cut", {"tbptt": 0})
    assert Trainer(e.replace(**verdict.cure)).frame().ratio.item() > 0


def test_a_gradient_beyond_any_word_is_still_a_sentence():
    frame = Trainer(Experiment(cell="rnn", seq_len=1000, hidden_size=8, init_gain=0.1)).frame()
    assert frame.diagnosis.kind == "vanished" and 0 < frame.ratio.item() < 1e-300
    assert "less than 1 part in 10³⁰⁰" in frame.diagnosis.sentence


def test_what_the_units_do_is_said_only_where_they_do_it():
    """Without recurrent weights nothing arrives either, but no unit of this network is anywhere near 1."""
    frame = Trainer(Experiment(cell="rnn", hidden_size=16, init_gain=0.0)).frame()
    assert frame.ratio.item() == 0 and np.abs(frame.hidden).max() < 0.9
    assert "pinned" not in frame.diagnosis.sentence


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_loss_is_judged_by_the_baselines_own_measure(reduction):
    """Both stand per counted step: an untrained network guesses among 42 characters, whatever is differentiated."""
    e = Experiment(task="characters", rnn_type="many_to_many", hidden_size=8, reduction=reduction)
    evidence, per_step = Trainer(e).frame().diagnosis.evidence, RunInfo.of(e.replace(reduction="mean")).baseline
    assert evidence["loss"] / evidence["baseline"] == pytest.approx(math.log(42) / per_step, rel=0.05)


# ---- networks without a way back, answers in the present


def test_a_feedforward_network_is_told_that_it_has_no_links():
    for settings in ({}, {"window": 5}, {"tbptt": 2}, {"nonlinearity": "relu"}, {"task": "stocks"}):
        frame = Trainer(Experiment(cell="feedforward", hidden_size=8, seq_len=12, **settings)).frame()
        verdict = frame.diagnosis
        assert (frame.ratio == 0).all() and verdict.kind == "no_path"
        assert verdict.sentence == (
            "A feed-forward network has no link from step to step: no gradient goes back, nothing is remembered."
        )
        assert verdict.cure == {"cell": "lstm", "forget_bias": 3.0}


@pytest.mark.parametrize("cell", list(CELLS))
def test_where_the_answer_lies_in_the_present_nothing_has_to_go_back(cell):
    frame = Trainer(Experiment(task="digits", rnn_type="one_to_one", cell=cell, hidden_size=8)).frame()
    assert (frame.ratio == 1).all() and (frame.diagnosis.kind, frame.diagnosis.cure) == ("untrained", {})
    assert frame.diagnosis.sentence == "The answer lies in the present step: no gradient has to go back in time."
    assert frame.diagnosis.evidence["lag"] == 0 and "factor_per_step" not in frame.diagnosis.evidence


def test_a_solved_task_without_memory_says_so():
    e = Experiment(task="digits", rnn_type="one_to_one", cell="feedforward")
    solved = dataclasses.replace(Trainer(e).frame(), probe_loss=0.0, held_out_loss=0.0, held_out_solved=True)
    assert diagnose(RunInfo.of(e), solved).sentence == (
        "The loss is down to less than 0.1% of the baseline. The answer lies in the present step: no gradient has to "
        "go back in time."
    )


@pytest.mark.parametrize(
    ("nonlinearity", "state", "kind"),
    [
        ("sigmoid", 0.9999, "dead"),
        ("sigmoid", 0.0001, "dead"),
        ("sigmoid", 0.0, "dead"),
        ("sigmoid", 0.5, "no_path"),
        ("sigmoid", 0.99, "no_path"),
        ("sigmoid", 0.01, "no_path"),
        ("tanh", 0.0001, "no_path"),
        ("identity", 1.0, "no_path"),
        ("identity", 0.0, "no_path"),
    ],
)
def test_each_activation_is_pinned_where_its_own_slope_is_nothing(nonlinearity, state, kind):
    verdict = judged(0.0, state=state, nonlinearity=nonlinearity)
    assert verdict.kind == kind
    assert ("the slope of sigmoid is 0" in verdict.sentence) == (kind == "dead")


def test_the_states_of_a_real_network_are_pinned():
    e = Experiment(cell="rnn", nonlinearity="sigmoid", hidden_size=8, seq_len=40)
    trainer = Trainer(e)
    with torch.no_grad():
        trainer.model.recurrent.bias_ih_l0.fill_(200.0)
    frame = trainer.frame()
    assert (frame.ratio == 0).all() and frame.diagnosis.kind == "dead"


@pytest.mark.parametrize(
    ("settings", "ratio", "words"),
    [
        (
            {"task": "xor", "rnn_type": "many_to_many"},
            0.3,
            "reaches 1 step back. Each step back leaves 30% of it; this task needs 1 step[.]",
        ),
        (
            {"task": "xor", "rnn_type": "many_to_many"},
            0.9,
            "90% of the last loss's gradient reaches 1 step back. This task needs 1",
        ),
        ({"seq_len": 2}, 0.3, r"reaches t = 0\. .*; this task needs 1 step\.$"),
        ({"seq_len": 3}, 0.3, r"; this task needs 2 steps\.$"),
        ({"tbptt": 1}, 0.0, r"truncation cuts the gradient after 1 step\.$"),
        ({"tbptt": 2}, 0.0, r"truncation cuts the gradient after 2 steps\.$"),
    ],
    ids=str,
)
def test_one_step_is_one_step(settings, ratio, words):
    sentence = judged(ratio, loss=10.0, **settings).sentence
    assert re.search(words, sentence) and not re.search(r"\b1 steps", sentence)


def test_the_place_in_an_encoder_decoder_is_on_the_whole_time_axis():
    frame = Trainer(Experiment(task="reverse", rnn_type="encoder_decoder", cell="rnn", hidden_size=8)).frame()
    assert "t = 0" in frame.diagnosis.sentence and "his sequence needs 9 steps" in frame.diagnosis.sentence
    assert frame.diagnosis.evidence["lag"] == 11


@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        ({"cell": "lstm_peephole"}, {"forget_bias": 3.0}),
        ({"cell": "gru_simple"}, {"forget_bias": 2.0}),
        ({"cell": "lstm_no_forget"}, {"cell": "lstm", "forget_bias": 3.0}),
        ({"cell": "rnn", "nonlinearity": "sigmoid"}, {"cell": "lstm", "forget_bias": 3.0}),
    ],
    ids=str,
)
def test_the_new_cells_are_cured_by_their_own_gate_where_they_have_one(settings, cure):
    assert judged(1e-9, **settings).cure == cure


def test_a_feed_forward_network_that_sees_the_answer_needs_no_memory():
    settings = {"task": "xor", "rnn_type": "many_to_many", "cell": "feedforward", "hidden_size": 4, "seq_len": 6}
    seen, unseen = (Trainer(Experiment(**settings, window=window)).frame().diagnosis for window in (2, 1))
    assert seen.kind == "untrained" and "among the 2 inputs" in seen.sentence and not seen.cure
    assert unseen.kind == "no_path" and unseen.cure


def test_what_cuts_the_way_is_said_with_its_place():
    sentence = judged(0.0, task="characters", tbptt=3, loss=10.0).sentence
    assert sentence == "No gradient at all reaches 8 steps back: truncation cuts the gradient after 3 steps."


# ---- answers that lie in the future

AHEAD = {"task": "teddy", "rnn_type": "many_to_many"}


@pytest.mark.parametrize("cell", list(CELLS))
def test_a_one_way_network_is_told_that_it_cannot_see_what_comes_later(cell):
    verdict = Trainer(Experiment(**AHEAD, cell=cell, hidden_size=4)).frame().diagnosis
    assert (verdict.kind, verdict.sentence) == (
        "blind",
        "The deciding input comes after the answer: a network that reads one way cannot see it.",
    )
    assert verdict.cure == {"bidirectional": True} | ({"cell": "lstm"} if cell == "feedforward" else {})
    assert Experiment(**{**AHEAD, "cell": cell, **verdict.cure}).bidirectional


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [({"loss": math.nan}, "not_finite"), ({"loss": 0.0}, "solved"), ({"gradient": 0.0}, "blind"), ({}, "blind"),
     ({"ratio": 0.0, "tbptt": 1}, "blind"), ({"ratio": 1e-9}, "blind"), ({"ratio": 1e9}, "blind")],
    ids=str,
)  # fmt: skip
def test_nothing_but_a_broken_or_a_solved_network_is_more_to_say_than_that(numbers, kind):
    assert judged(**{"loss": 0.69, **numbers}, **AHEAD).kind == kind


def test_read_both_ways_the_chain_that_comes_from_the_future_is_judged():
    """However open the chain is that reads forwards: it leads away from what decides."""
    verdict = judged([[0.9, 1e-4]], loss=0.69, bidirectional=True, **AHEAD)
    assert verdict.kind == "vanishing" and verdict.evidence["ratio"] == 1e-4
    assert verdict.sentence.startswith("1 part in 10,000 of the gradient reaches 1 step ahead (backwards).")
    trainer = Trainer(Experiment(**AHEAD, bidirectional=True, cell="lstm", hidden_size=4))
    assert trainer.frame().diagnosis.evidence["direction"] == 1.0


def test_reading_both_ways_is_a_cure():
    trainer = Trainer(Experiment(**AHEAD, hidden_size=16, bidirectional=True, cell="gru", learning_rate=0.01))
    for _ in range(60):
        trainer.advance()
    assert trainer.frame().diagnosis.kind == "solved"
