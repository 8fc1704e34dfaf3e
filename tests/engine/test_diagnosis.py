"""The verdict: flags in their order and at their limits, sentences that say the numbers, cures that can be taken."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from functools import cache

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.diagnosis import diagnose, say
from engine.experiment import Experiment
from engine.frame import Diagnosis, Frame, RunInfo
from engine.training import Trainer

BAR = math.log(10)  # the baseline of the first digit


@cache
def real() -> Frame:
    return Trainer(Experiment(seq_len=2, hidden_size=2)).frame()


def judged(ratio=0.5, *, loss=BAR, gradient=1.0, state=0.3, **settings) -> Diagnosis:
    """The verdict on a real frame whose numbers are these, in a run with these settings (by default a tanh RNN)."""
    frame = dataclasses.replace(
        real(),
        ratio=np.array(ratio, ndmin=2, dtype=float),
        probe_loss=loss,
        output_grad_norm=gradient,
        hidden=np.full_like(real().hidden, state),
    )
    return diagnose(RunInfo.of(Experiment(**{"cell": "rnn", **settings})), frame)


def below(number: float) -> float:
    return math.nextafter(number, -math.inf)


def above(number: float) -> float:
    return math.nextafter(number, math.inf)


# ---- flags


@pytest.mark.parametrize(
    ("ratio", "kind"),
    [
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
    ],
)
def test_bands_of_the_ratio(ratio, kind):
    assert judged(ratio).kind == kind


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
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
    ],
    ids=str,
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


# ---- sentences


FIRST_DIGIT, LETTERS, WORD, STOCKS = (
    {},
    {"task": "characters"},
    {"task": "characters", "seq_len": 9},
    {"task": "stocks", "seq_len": 12},
)


@pytest.mark.parametrize(
    ("settings", "ratio", "arrives", "goes"),
    [
        # 39 / log2(2 billion) = 1.26
        (FIRST_DIGIT, 1 / 2e9, "1 part in 2 billion of the gradient reaches t = 0.", "It halves every 1.3 steps"),
        (FIRST_DIGIT, 0.5**13, "1 part in 8,200 of the gradient reaches t = 0.", "It halves every 3.0 steps"),
        (FIRST_DIGIT, 2.0**13, "The gradient grows 8,200-fold on its way back to t = 0.", "It doubles every 3.0 steps"),
        (FIRST_DIGIT, 0.5, "50% of the gradient reaches t = 0.", "It halves every 39.0 steps"),
        (FIRST_DIGIT, 2.0, "The gradient grows 2-fold on its way back to t = 0.", "It doubles every 39.0 steps"),
        (FIRST_DIGIT, 0.1, "10% of the gradient reaches t = 0.", "It halves every 11.7 steps"),
        (FIRST_DIGIT, 1 / 16, "1 part in 16 of the gradient reaches t = 0.", "It halves every 9.8 steps"),
        (LETTERS, 2.0**-8, "1 part in 260 of the gradient reaches 8 steps back.", "It halves every 1.0 steps"),
        (WORD, 2.0**-16, "1 part in 66,000 of the gradient reaches t = 0.", "It halves every 0.5 steps"),
        (STOCKS, 2.0**-22, "1 part in 4.2 million of the gradient reaches t = 0.", "It halves every 0.5 steps"),
    ],
)
def test_the_sentence_says_how_much_arrives_and_how_fast_it_goes(settings, ratio, arrives, goes):
    lag = {"characters": 8, "stocks": None}.get(settings.get("task"), 39)
    needs = "." if lag is None else f"; this task needs {lag} steps."
    assert judged(ratio, loss=10.0, **settings).sentence == f"{arrives} {goes}{needs}"


@pytest.mark.parametrize(
    ("settings", "ratio", "sentence"),
    [
        (FIRST_DIGIT, 0.9, "90% of the gradient reaches t = 0. This task needs 39 steps."),
        (FIRST_DIGIT, 1.2, "120% of the gradient reaches t = 0. This task needs 39 steps."),
        (FIRST_DIGIT, 1.5, "The gradient grows 1.5-fold on its way back to t = 0. This task needs 39 steps."),
        (STOCKS, 0.9, "90% of the gradient reaches t = 0."),
    ],
    ids=["most", "all", "a little more", "no known lag"],
)
def test_what_arrives_almost_whole_has_no_pace(settings, ratio, sentence):
    assert judged(ratio, loss=10.0, **settings).sentence == sentence


@pytest.mark.parametrize("ratio", [0.5, 20.0, 1e-4, 1e-301], ids=["share", "growing", "parts", "next to nothing"])
@pytest.mark.parametrize(
    ("settings", "chain", "road"),
    [
        ({"cell": "lstm"}, (0, 0), " (the cell state c)"),
        ({"cell": "gru"}, (0, 0), ""),
        ({"num_layers": 2}, (1, 0), " (layer 2)"),
        ({"bidirectional": True}, (0, 0), " (forwards)"),
        ({"bidirectional": True, "cell": "gru"}, (0, 1), " (backwards)"),
        ({"cell": "lstm", "num_layers": 3, "bidirectional": True}, (1, 1), " (the cell state c, layer 2, backwards)"),
        ({"cell": "lstm", "num_layers": 3, "bidirectional": True}, (2, 0), " (the cell state c, layer 3, forwards)"),
    ],
    ids=str,
)
def test_the_place_is_followed_by_the_road_where_there_are_several(settings, chain, road, ratio):
    e = Experiment(**{"cell": "rnn", **settings})
    ratios = np.full((e.num_layers, e.directions), 1e-302)
    ratios[chain] = ratio
    sentence = judged(ratios, **settings).sentence
    if road:
        assert f" t = 0{road}" in sentence and sentence.count("(") == 1
    else:
        assert "(" not in sentence


def test_next_to_nothing_is_said_without_its_digits():
    told = "Next to nothing of the gradient, less than 1 part in 10³⁰⁰, reaches t = 0."
    assert judged(below(1e-300)).sentence == f"{told} It halves every 0.0 steps; this task needs 39 steps."
    assert judged(1e-300).sentence.startswith("1 part in 10³⁰⁰ of the gradient reaches t = 0.")


@pytest.mark.parametrize(
    ("ratio", "sentence"),
    [
        (0.9, "The loss is down to 5.0% of the baseline. 90% of the gradient reaches t = 0."),
        (0.0, "The loss is down to 5.0% of the baseline. No gradient reaches t = 0."),
        (1e3, "The loss is down to 5.0% of the baseline. The gradient grows 1,000-fold on its way back to t = 0."),
    ],
)
def test_a_solved_task_says_how_well(ratio, sentence):
    assert judged(ratio, loss=0.05 * BAR).sentence == sentence


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"ratio": 0.0, "tbptt": 5}, "No gradient at all reaches t = 0: truncation cuts .* after 5 steps"),
        (
            {"ratio": 0.0, "nonlinearity": "relu", "state": 0.0},
            "^No gradient at all reaches t = 0: at t = 1 every ReLU is at 0, where its slope is 0",
        ),
        ({"ratio": 0.0, "state": 1.0}, "No gradient at all reaches t = 0: .* slope of tanh is 0"),
        ({"ratio": 0.0, "cell": "gru"}, "No gradient at all reaches t = 0: the weights on the way pass nothing on"),
        ({"gradient": 3e-11}, "Hardly any gradient leaves the loss: 3e-11 at the last step"),
        ({"ratio": math.nan}, "infinite: this network cannot learn"),
    ],
    ids=["cut", "relu", "tanh", "no path", "no gradient", "not finite"],
)
def test_the_other_sentences_say_why(numbers, words):
    assert re.search(words, judged(**numbers).sentence)


@pytest.mark.parametrize(
    ("dead", "t"), [([3], 3), ([2, 5, 11], 11), ([0, 4], 4), ([5, 15], 5)], ids=["once", "often", "first", "padding"]
)
def test_where_every_relu_is_at_0_is_said_with_the_last_such_step(dead, t):
    """Of the steps that the drawn sequence has: what stands in its padding is no state."""
    e = Experiment(cell="rnn", nonlinearity="relu", seq_len=16, hidden_size=3, batch_size=4)
    frame = Trainer(e).frame()
    hidden, valid = np.full_like(frame.hidden, 0.5), np.arange(16) < 14
    hidden[..., dead, :] = 0
    hidden[..., 13, 1] = 0  # one unit of three
    frame = dataclasses.replace(frame, ratio=np.zeros((1, 1)), hidden=hidden, valid=valid, probe_loss=10.0)
    verdict = diagnose(RunInfo.of(e), frame)
    assert verdict.kind == "dead" and f": at t = {t} every ReLU is at 0," in verdict.sentence


def test_evidence_is_what_was_measured():
    verdict = judged(1e-9, loss=2.5, gradient=0.25)
    factor = verdict.evidence.pop("factor_per_step")
    assert verdict.evidence == {
        "ratio": 1e-9,
        "lag": 39.0,
        "loss": 2.5,
        "baseline": pytest.approx(BAR),
        "gradient_at_output": 0.25,
        "layer": 0.0,
        "direction": 0.0,
    }
    assert all(type(each) is float for each in verdict.evidence.values())
    assert factor**39 == pytest.approx(1e-9)


@pytest.mark.parametrize(
    ("ratios", "chain"),
    [([[1e-9], [0.5]], (1, 0)), ([[1e-9, 1e-4], [0.0, 1e-12]], (0, 1)), ([[0.5, 0.1], [0.2, 1e5]], (1, 1))],
    ids=["layers", "both ways", "growing"],
)
def test_evidence_names_the_chain_that_was_read(ratios, chain):
    evidence = judged(ratios, num_layers=len(ratios), bidirectional=len(ratios[0]) == 2).evidence
    assert (evidence["layer"], evidence["direction"]) == chain


@pytest.mark.parametrize("ratio", [0.0, math.inf, math.nan])
def test_no_factor_per_step_where_there_is_none(ratio):
    assert "factor_per_step" not in judged(ratio).evidence


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "1"),
        (1.04, "1"),
        (2.3, "2.3"),
        (9.94, "9.9"),
        (9.96, "10"),
        (10, "10"),
        (45.4, "45"),
        (99.6, "100"),
        (123, "120"),
        (1_300, "1,300"),
        (1_349, "1,300"),
        (98_765, "99,000"),
        (990_000, "990,000"),
        (999_500, "1 million"),
        (1e6, "1 million"),
        (2.34e6, "2.3 million"),
        (9.96e6, "10 million"),
        (456e6, "460 million"),
        (994e6, "990 million"),
        (996e6, "1 billion"),
        (1e9, "1 billion"),
        (2e9, "2 billion"),
        (997e9, "1 trillion"),
        (12.3e12, "12 trillion"),
        (997e12, "10¹⁵"),
        (1e15, "10¹⁵"),
        (2e18, "10¹⁸"),
        (5e18, "10¹⁹"),
        (1e234, "10²³⁴"),
        (1e56, "10⁵⁶"),
        (1e300, "10³⁰⁰"),
    ],
)
def test_say(number, words):
    assert say(number) == words


# ---- cures


@pytest.mark.parametrize("ratio", [1e-9, 1e-4, 5e-3], ids=["vanished", "vanishing", "fading"])
@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        ({"cell": "rnn"}, {"cell": "lstm", "forget_bias": 3.0}),
        ({"cell": "rnn", "nonlinearity": "relu", "forget_bias": 5.0}, {"cell": "lstm", "forget_bias": 3.0}),
        ({"cell": "lstm"}, {"forget_bias": 3.0}),
        ({"cell": "lstm", "forget_bias": below(3.0)}, {"forget_bias": 3.0}),
        ({"cell": "lstm", "forget_bias": 3.0}, {}),
        ({"cell": "lstm", "forget_bias": 5.0}, {}),
        ({"cell": "gru"}, {"forget_bias": 2.0}),
        ({"cell": "gru", "forget_bias": -1.0}, {"forget_bias": 2.0}),
        ({"cell": "gru", "forget_bias": 2.0}, {}),
    ],
    ids=str,
)
def test_where_the_gradient_shrinks_the_gate_that_keeps_is_opened(settings, cure, ratio):
    assert judged(ratio, **settings).cure == cure


@pytest.mark.parametrize(
    ("seq_len", "more"),
    [(2, 0.0), (46, 0.0), (58, 0.0), (59, 0.5), (96, 0.5), (97, 1.0), (200, 1.5), (1000, 3.0)],
)
def test_the_further_back_the_wider_the_gate_is_opened(seq_len, more):
    """45 steps is what it was calibrated for: more + 2 ln(reach / 45) / 2, in halves; the reach is seq_len - 1."""
    for ratio in (1e-9, 1e-4, 5e-3):
        assert judged(ratio, seq_len=seq_len).cure == {"cell": "lstm", "forget_bias": 3.0 + more}
        for cell, bias in (("lstm", 3.0 + more), ("gru", 2.0 + more)):
            for now in (None, below(bias)):
                assert judged(ratio, seq_len=seq_len, cell=cell, forget_bias=now).cure == {"forget_bias": bias}
            assert judged(ratio, seq_len=seq_len, cell=cell, forget_bias=bias).cure == {}
    assert judged(0.0, seq_len=seq_len, cell="gru").cure == {"forget_bias": 2.0 + more}  # no path


@pytest.mark.parametrize("ratio", [1e-9, 1e-4, 5e-3, 1e3, 1e9])
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_run_that_learns_is_not_to_be_thrown_away(cell, ratio):
    """In the bands alone: the sentence stays, the cure goes."""
    stuck, learning = (judged(ratio, loss=loss, cell=cell) for loss in (0.8 * BAR, below(0.8 * BAR)))
    assert stuck.cure and learning.cure == {}
    assert (stuck.kind, stuck.sentence) == (learning.kind, learning.sentence)


@pytest.mark.parametrize(
    "numbers",
    [
        {"ratio": 0.0, "tbptt": 5},
        {"ratio": 0.0, "nonlinearity": "relu", "state": 0.0},
        {"ratio": 0.0, "state": 1.0},
        {"ratio": 0.0},
        {"ratio": math.nan},
    ],
    ids=["cut", "dead relu", "dead tanh", "no path", "not finite"],
)
def test_what_no_training_mends_has_its_cure_even_then(numbers):
    cure = judged(**numbers).cure
    assert cure and judged(**numbers, loss=0.5 * BAR).cure == cure


@pytest.mark.parametrize(
    "numbers",
    [{"ratio": 1e3}, {"ratio": 1e9}, {"ratio": 0.0, "state": 1.0}, {"loss": math.nan}],
    ids=["growing", "exploding", "dead tanh", "not finite"],
)
@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        ({}, {"init": "orthogonal"}),
        ({"init": "orthogonal"}, {}),
        ({"init": "orthogonal", "clip_threshold": 0.5}, {}),
        ({"init": "orthogonal", "clip_threshold": 5.0}, {"clip_threshold": 1.0}),
        ({"init": "gaussian", "init_gain": 3.0}, {"init": "orthogonal", "init_gain": 1.0}),
        ({"init": "orthogonal", "clip": "none"}, {"clip": "norm"}),
        ({"init": "orthogonal", "clip": "value", "clip_threshold": 0.01}, {"clip": "norm", "clip_threshold": 1.0}),
    ],
    ids=str,
)
def test_where_the_gradient_grows_it_is_clipped_and_begun_anew(settings, cure, numbers):
    assert judged(**numbers, **settings).cure == cure


@pytest.mark.parametrize(
    ("numbers", "cure"),
    [
        ({"ratio": 0.0, "tbptt": 5}, {"tbptt": 0}),
        ({"ratio": 0.0, "nonlinearity": "relu", "state": 0.0}, {"nonlinearity": "tanh"}),
        ({"ratio": 0.0, "cell": "lstm"}, {"forget_bias": 3.0}),
        ({"ratio": 0.0, "cell": "gru"}, {"forget_bias": 2.0}),
        ({"ratio": 0.5}, {}),
        ({"ratio": 50.0, "init": "gaussian", "init_gain": 3.0}, {}),
        ({"gradient": 0.0}, {}),
        ({"loss": 0.0}, {}),
    ],
    ids=["cut", "dead relu", "no path lstm", "no path gru", "healthy", "rising", "no gradient", "solved"],
)
def test_the_other_cures(numbers, cure):
    assert judged(**numbers).cure == cure


def cures():
    """One of every kind of verdict that has a cure, for every kind of network."""
    networks = [
        {"cell": cell, "nonlinearity": nonlinearity, "clip": clip, "tbptt": tbptt, "forget_bias": bias}
        for cell, nonlinearity, clip, tbptt, bias in itertools.product(
            [name for name, cell in CELLS.items() if cell.links],
            ("tanh", "sigmoid", "relu"),
            ("none", "norm", "value"),
            (0, 5),
            (None, 1.0),
        )
    ]
    return [({"ratio": ratio}, network) for ratio in (0.0, 1e-9, 1e9, math.nan) for network in networks]


def test_every_cure_is_a_change_that_the_experiment_takes():
    for numbers, network in cures():
        e, verdict = Experiment(**network), judged(**numbers, **network)
        assert verdict.cure, (numbers, network)
        cured = e.replace(**verdict.cure)
        before, after = e.to_dict(), cured.to_dict()
        changed = {name: after[name] for name in before if after[name] != before[name]}
        assert changed == verdict.cure


def test_a_cure_is_not_offered_twice():
    for numbers, network in cures():
        if numbers["ratio"]:
            cured = Experiment(**network).replace(**judged(**numbers, **network).cure)
            assert judged(**numbers, **cured.to_dict()).cure == {}, (numbers, network)


def test_a_cure_does_not_outgrow_the_limits():
    """An LSTM costs four times its RNN: the largest RNN that is allowed has no LSTM of its size."""
    e = Experiment(cell="rnn", hidden_size=512, batch_size=256)
    e.replace(**judged(1e-9, **e.to_dict()).cure)


# ---- real networks


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_gradient_of_a_tanh_network_vanishes_and_the_cure_brings_it_back(seed):
    e = Experiment(cell="rnn", seq_len=40, hidden_size=32, seed=seed)
    frame = Trainer(e).frame()
    assert 1e-12 < frame.ratio.item() < 1e-7
    assert (frame.diagnosis.kind, frame.diagnosis.cure) == ("vanished", {"cell": "lstm", "forget_bias": 3.0})
    cured = Trainer(e.replace(**frame.diagnosis.cure)).frame()
    assert cured.ratio.item() > 0.1
    assert (cured.diagnosis.kind, cured.diagnosis.cure) == ("healthy", {})


@pytest.mark.parametrize(("cell", "bias"), [("rnn", 4.0), ("lstm", 4.0), ("gru", 3.0)])
def test_over_100_steps_the_wider_gate_lets_it_through(cell, bias):
    e = Experiment(cell=cell, seq_len=100, hidden_size=32)
    cure = Trainer(e).frame().diagnosis.cure
    assert cure["forget_bias"] == bias
    cured = Trainer(e.replace(**cure)).frame()
    assert (cured.diagnosis.kind, cured.diagnosis.cure) == ("healthy", {})


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
    assert (frame.ratio == 1).all() and (frame.diagnosis.kind, frame.diagnosis.cure) == ("healthy", {})
    assert frame.diagnosis.sentence == "The answer lies in the present step: no gradient has to go back in time."
    assert frame.diagnosis.evidence["lag"] == 0 and "factor_per_step" not in frame.diagnosis.evidence


def test_a_solved_task_without_memory_says_so():
    e = Experiment(task="digits", rnn_type="one_to_one", cell="feedforward")
    solved = dataclasses.replace(Trainer(e).frame(), probe_loss=0.0)
    assert diagnose(RunInfo.of(e), solved).sentence == (
        "The loss is down to 0.0% of the baseline. The answer lies in the present step: no gradient has to go back in "
        "time."
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
            "reaches 1 step back. It halves .*; this task needs 1 step.",
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
    assert "t = 0" in frame.diagnosis.sentence and "this task needs 11 steps" in frame.diagnosis.sentence
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
    assert seen.kind == "healthy" and "among the 2 inputs" in seen.sentence and not seen.cure
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
        "What decides comes only after the answer: a network that reads one way cannot see it.",
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
