"""The verdict: flags in their order and at their limits, sentences that say the numbers, cures that can be taken."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from functools import cache

import numpy as np
import pytest

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
    needs = {"characters": "; this task needs 8.", "stocks": "."}.get(settings.get("task"), "; this task needs 39.")
    assert judged(ratio, loss=10.0, **settings).sentence == f"{arrives} {goes}{needs}"


@pytest.mark.parametrize(
    ("settings", "ratio", "sentence"),
    [
        (FIRST_DIGIT, 0.9, "90% of the gradient reaches t = 0. This task needs 39."),
        (FIRST_DIGIT, 1.2, "120% of the gradient reaches t = 0. This task needs 39."),
        (FIRST_DIGIT, 1.5, "The gradient grows 1.5-fold on its way back to t = 0. This task needs 39."),
        (STOCKS, 0.9, "90% of the gradient reaches t = 0."),
    ],
    ids=["most", "all", "a little more", "no known lag"],
)
def test_what_arrives_almost_whole_has_no_pace(settings, ratio, sentence):
    assert judged(ratio, loss=10.0, **settings).sentence == sentence


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
        ({"ratio": 0.0, "tbptt": 5}, "Exactly nothing reaches the step 39 back: truncation cuts .* after 5 steps"),
        ({"ratio": 0.0, "nonlinearity": "relu", "state": 0.0}, "Exactly nothing reaches .* every ReLU is at 0"),
        ({"ratio": 0.0, "state": 1.0}, "Exactly nothing reaches the step 39 back: .* slope of tanh is 0"),
        ({"ratio": 0.0, "cell": "gru"}, "Exactly nothing reaches .* the weights on the way pass nothing on"),
        ({"gradient": 3e-11}, "Hardly any gradient leaves the loss: 3e-11 at the last step"),
        ({"ratio": math.nan}, "infinite: this network cannot learn"),
    ],
    ids=["cut", "relu", "tanh", "no path", "no gradient", "not finite"],
)
def test_the_other_sentences_say_why(numbers, words):
    assert re.search(words, judged(**numbers).sentence)


def test_evidence_is_what_was_measured():
    verdict = judged(1e-9, loss=2.5, gradient=0.25)
    factor = verdict.evidence.pop("factor_per_step")
    assert verdict.evidence == {
        "ratio": 1e-9,
        "lag": 39.0,
        "loss": 2.5,
        "baseline": pytest.approx(BAR),
        "gradient_at_output": 0.25,
    }
    assert factor**39 == pytest.approx(1e-9)


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
        (997e12, "10^15"),
        (1e15, "10^15"),
        (2e18, "10^18"),
        (5e18, "10^19"),
        (1e300, "10^300"),
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
    "numbers",
    [{"ratio": 50.0}, {"ratio": 1e3}, {"ratio": 1e9}, {"ratio": 0.0, "state": 1.0}, {"loss": math.nan}],
    ids=["rising", "growing", "exploding", "dead tanh", "not finite"],
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
        ({"gradient": 0.0}, {}),
        ({"loss": 0.0}, {}),
    ],
    ids=["cut", "dead relu", "no path lstm", "no path gru", "healthy", "no gradient", "solved"],
)
def test_the_other_cures(numbers, cure):
    assert judged(**numbers).cure == cure


def cures():
    """One of every kind of verdict that has a cure, for every kind of network."""
    networks = [
        {"cell": cell, "nonlinearity": nonlinearity, "clip": clip, "tbptt": tbptt, "forget_bias": bias}
        for cell, nonlinearity, clip, tbptt, bias in itertools.product(
            ("rnn", "gru", "lstm"), ("tanh", "relu"), ("none", "norm", "value"), (0, 5), (None, 1.0)
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
    assert frame.diagnosis.kind == "vanished"


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
