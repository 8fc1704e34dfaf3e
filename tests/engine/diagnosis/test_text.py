"""What the verdict says, and the numbers that stand behind it."""

from __future__ import annotations

import dataclasses
import math
import re

import numpy as np
import pytest

from engine.diagnosis import diagnose
from engine.diagnosis.text import MAX_CHARACTERS, pace, share
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.number_format import write_count
from engine.training import Trainer
from tests.cases import for_each
from tests.engine.diagnosis.conftest import BAR, below, judged

FIRST_DIGIT, LETTERS, WORD, STOCKS = (
    {},
    {"task": "characters"},
    {"task": "characters", "seq_len": 9},
    {"task": "stocks", "seq_len": 12},
)


@pytest.mark.parametrize(
    ("settings", "ratio", "arrives", "goes"),
    [
        # (1 / 2 billion)^(1/39) = 0.577
        (FIRST_DIGIT, 1 / 2e9, "1 part in 2 billion of the gradient reaches t = 0.", "Each step back leaves 58% of it"),
        (FIRST_DIGIT, 0.5**13, "1 part in 8,200 of the gradient reaches t = 0.", "Each step back leaves 79% of it"),
        (
            FIRST_DIGIT,
            2.0**13,
            "The gradient grows 8,200-fold on its way back to t = 0.",
            "Each step back multiplies it by 1.26",
        ),
        (FIRST_DIGIT, 0.5, "50% of the gradient reaches t = 0.", "Each step back leaves 98% of it"),
        (
            FIRST_DIGIT,
            2.0,
            "The gradient grows 2-fold on its way back to t = 0.",
            "Each step back multiplies it by 1.02",
        ),
        (FIRST_DIGIT, 0.1, "10% of the gradient reaches t = 0.", "Each step back leaves 94% of it"),
        (FIRST_DIGIT, 1 / 16, "1 part in 16 of the gradient reaches t = 0.", "Each step back leaves 93% of it"),
        (LETTERS, 2.0**-8, "1 part in 260 of the gradient reaches 8 steps back.", "Each step back leaves 50% of it"),
        (WORD, 2.0**-16, "1 part in 66,000 of the gradient reaches t = 0.", "Each step back leaves 25% of it"),
        (STOCKS, 2.0**-20, "1 part in 1 million of the gradient reaches t = 1.", "Each step back leaves 25% of it"),
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
        (STOCKS, 0.9, "90% of the gradient reaches t = 1."),
    ],
    ids=["most", "all", "a little more", "no known lag"],
)
def test_what_arrives_almost_whole_has_no_pace(settings, ratio, sentence):
    assert judged(ratio, loss=10.0, **settings).sentence == sentence


@for_each(
    {
        "settings, chain, path": [
            ({"cell": "lstm"}, (0, 0), " (cell state c)"),
            ({"cell": "gru"}, (0, 0), ""),
            ({"num_layers": 2}, (1, 0), " (layer 2)"),
            ({"bidirectional": True}, (0, 0), " (forwards)"),
            ({"bidirectional": True, "cell": "gru"}, (0, 1), " (backwards)"),
            ({"cell": "lstm", "num_layers": 3, "bidirectional": True}, (1, 1), " (cell state c, layer 2, backwards)"),
            ({"cell": "lstm", "num_layers": 3, "bidirectional": True}, (2, 0), " (cell state c, layer 3, forwards)"),
        ],
        "ratio": [0.5, 20.0, 1e-4, 1e-301],
    }
)
def test_the_place_is_followed_by_the_path_where_there_are_several(settings, chain, path, ratio):
    e = Experiment(**{"cell": "rnn", **settings})
    ratios = np.full((e.num_layers, e.directions), 1e-302)
    ratios[chain] = ratio
    sentence = judged(ratios, **settings).sentence
    if path:
        assert f" t = 0{path}" in sentence and sentence.count("(") == 1
    else:
        assert "(" not in sentence


def test_next_to_nothing_is_said_without_its_digits():
    sentence = "Next to nothing of the gradient, less than 1 part in 10³⁰⁰, reaches t = 0."
    assert (
        judged(below(1e-300)).sentence
        == f"{sentence} Each step back leaves next to nothing of it; this task needs 39 steps."
    )
    assert judged(1e-300).sentence.startswith("1 part in 10³⁰⁰ of the gradient reaches t = 0")


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
            "^No gradient at all reaches t = 0: at t = 39 every ReLU is at 0, where its slope is 0",
        ),
        ({"ratio": 0.0, "state": 1.0}, "No gradient at all reaches t = 0: .* slope of tanh is 0"),
        ({"ratio": 0.0, "cell": "gru"}, "No gradient at all reaches t = 0: the weights on the way pass nothing on"),
        ({"gradient": 3e-11}, "Hardly any gradient leaves the loss: 3e-11 at the last step. .* is sure of its answer"),
        ({"gradient": 3e-11, "task": "adding"}, "3e-11 at the last step. The layers above .* pass no gradient back"),
        ({"ratio": 0.0, "cell": "rnn"}, "No gradient at all reaches t = 0: the weights on the way pass nothing on"),
        ({"ratio": math.nan}, "infinite: this network cannot learn"),
    ],
    ids=["cut", "relu", "tanh", "no path", "no gradient", "of values", "plain no path", "not finite"],
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


@pytest.mark.parametrize(
    ("ratio", "gradient", "too_small"),
    [(6e-46, 1.0, True), (8e-46, 1.0, False), (6e-40, 1e-6, True), (8e-40, 1e-6, False)],
)
def test_what_is_smaller_than_any_32_bit_number_is_said_so(ratio, gradient, too_small):
    assert (np.float32(ratio * gradient) == 0) == too_small
    assert (" reaches t = 0: too small for 32 bits." in judged(ratio, gradient=gradient).sentence) == too_small


def test_a_solved_network_has_no_gradient_because_it_is_solved():
    sentence = "Hardly any gradient is left, because it is solved: there is nothing more to learn."
    for ratio in (0.0, 0.5):
        assert (
            judged(ratio, loss=0.0, gradient=1e-9).sentence
            == f"The loss is down to less than 0.1% of the baseline. {sentence}"
        )
    assert sentence not in judged(0.5, loss=0.0, gradient=1e-7).sentence


@for_each(
    {
        "data": [{}, {"task": "characters", "rnn_type": "many_to_many"}, {"seq_len": 200}],
        "network": [
            {},
            {"cell": "lstm", "num_layers": 3, "bidirectional": True},
            {"cell": "gru", "num_layers": 2, "bidirectional": True},
            {"nonlinearity": "sigmoid", "num_layers": 4, "bidirectional": True},
            {"nonlinearity": "relu", "num_layers": 4},
        ],
        "ratio": [0.9, 12.0, 2.4e-7, 1e-301, 3.4e11],
    }
)
def test_a_sentence_fits_two_lines(data, network, ratio):
    """Beside a cure; what matters most is never what is left out."""
    for optimizer, loss, recent in (("adam", 10.0, math.nan), ("sgd", 10.0, BAR), ("sgd", 10.0, 2.9879)):
        verdict = judged(
            ratio, **data, **network, loss=loss, recent=recent, earlier=recent, clips=1.0, norms=(0.5, 1e-4),
            optimizer=optimizer, learning_rate=0.0001, slope=0.123, weights=1.2345e-3 if ratio < 1 else 123.456,
            kept=0.123, state=0.0, hidden_size=8, batch_size=4,
        )  # fmt: skip
        added = re.search(r" per step|32 bits|tiny", verdict.sentence) or verdict.kind in ("clipped", "plateau")
        assert len(verdict.sentence) <= MAX_CHARACTERS or not added
        if verdict.kind not in ("clipped", "plateau", "sees_answer"):
            assert re.search(r"reaches|grows", verdict.sentence)
            assert re.search("leaves|multiplies", verdict.sentence) or 0.5 < ratio < 2


@pytest.mark.parametrize(
    ("part", "text"),
    [(0.58, "58%"), (0.9, "90%"), (1.0, "100%"), (0.9876, "98.8%"), (0.99952, "100%"), (0.0951, "10%"),
     (0.0234, "2%"), (0.00034, "0.03%"), (1e-7, "next to nothing")],
)  # fmt: skip
def test_a_part_of_the_whole_is_neither_all_nor_nothing(part, text):
    assert share(part) == text


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
        "saturated": 0.0,
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


@for_each(
    {
        "number, words": [
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
        ]
    }
)
def test_say(number, words):
    assert write_count(number) == words


def test_an_encoders_padding_is_no_step():
    """The answer lies 17 places back on the axis of the longest, of which this sequence has fewer."""
    info = RunInfo.of(Experiment(task="english_french", rnn_type="encoder_decoder"))
    last = max(np.flatnonzero(info.counted))
    between = np.array(info.valid)[max(last - info.measured_lag, 0) + 1 : last + 1]
    assert info.measured_lag_unpadded == between.sum() < info.measured_lag
    text = pace(info, 0.05)
    assert f"this sequence needs {info.measured_lag_unpadded} steps" in text
    assert f"leaves {share(0.05 ** (1 / between.sum()))} of it" in text
