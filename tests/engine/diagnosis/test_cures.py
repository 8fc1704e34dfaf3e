"""What the verdict offers as a cure: settings that the experiment takes, and that change something."""

from __future__ import annotations

import itertools
import math

import pytest

from engine.cells import CELLS
from engine.experiment import Experiment
from tests.cases import for_each
from tests.engine.diagnosis.conftest import BAR, below, judged


@for_each(
    {
        "settings, cure": [
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
        "ratio": [1e-9, 1e-4, 5e-3],
    }
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


@for_each({"cell": ["rnn", "gru", "lstm"], "ratio": [1e-9, 1e-4, 5e-3, 1e3, 1e9]})
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


@for_each(
    {
        "settings, cure": [
            ({}, {"init": "orthogonal"}),
            ({"init": "orthogonal"}, {}),
            ({"init": "orthogonal", "clip_threshold": 0.5}, {}),
            ({"init": "orthogonal", "clip_threshold": 5.0}, {"clip_threshold": 1.0}),
            ({"init": "gaussian", "init_gain": 3.0}, {"init": "orthogonal", "init_gain": 1.0}),
            ({"init": "orthogonal", "clip": "none"}, {"clip": "norm"}),
            ({"init": "orthogonal", "clip": "value", "clip_threshold": 0.01}, {"clip": "norm", "clip_threshold": 1.0}),
        ],
        "numbers": [{"ratio": 1e3}, {"ratio": 1e9}, {"ratio": 0.0, "state": 1.0}, {"loss": math.nan}],
    }
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
        ({"gradient": 0.0}, {"cell": "lstm", "forget_bias": 3.0}),
        ({"gradient": 0.0, "loss": 1.0}, {}),
        ({"loss": 0.0}, {}),
    ],
    ids=[
        "cut",
        "dead relu",
        "no path lstm",
        "no path gru",
        "healthy",
        "rising",
        "no gradient",
        "no gradient, but learned",
        "solved",
    ],
)
def test_the_other_cures(numbers, cure):
    assert judged(**numbers).cure == cure


def cures():
    """One of every kind of verdict that has a cure, for every kind of network."""
    networks = [
        {"cell": cell, "nonlinearity": nonlinearity, "clip": clip, "tbptt": tbptt, "forget_bias": bias}
        for cell, nonlinearity, clip, tbptt, bias in itertools.product(
            [name for name, cell in CELLS.items() if cell.is_recurrent],
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


def settings_of(experiment: Experiment) -> dict:
    """All but `loss`, which is a number of a frame for `judged`."""
    return {name: value for name, value in experiment.to_dict().items() if name != "loss"}


def test_a_cure_is_not_offered_twice():
    for numbers, network in cures():
        if numbers["ratio"]:
            cured = Experiment(**network).replace(**judged(**numbers, **network).cure)
            assert judged(**numbers, **settings_of(cured)).cure == {}, (numbers, network)


def test_a_cure_does_not_outgrow_the_limits():
    """An LSTM costs four times its RNN: the largest RNN that is allowed has no LSTM of its size."""
    e = Experiment(cell="rnn", hidden_size=512, batch_size=256)
    e.replace(**judged(1e-9, **settings_of(e)).cure)


# ---- by their reason


@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        ({}, {}),
        ({"learning_rate": 0.1}, {"learning_rate": 0.005}),
        ({"optimizer": "sgd"}, {"optimizer": "adam"}),
        ({"init": "gaussian", "init_gain": 3.0}, {"init": "orthogonal", "init_gain": 1.0}),
    ],
    ids=str,
)
def test_a_shrinking_gradient_gets_gates_and_with_them_usual_updates_and_a_usual_start(settings, cure):
    gates = {"cell": "lstm", "forget_bias": 3.0}
    for state in (0.97, 0.5):
        assert judged(1e-9, state=state, slope=0.05, weights=1.0, **settings).cure == gates | cure
    assert judged(1e-9, kept=0.5, cell="lstm", forget_bias=3.0, **settings).cure == cure


def test_where_the_weights_are_to_blame_saturated_units_are_not():
    assert judged(1e-9, state=0.97, slope=0.7, weights=0.6).cure == {"cell": "lstm", "forget_bias": 3.0}


CLIPPED = {"clips": 1.0, "optimizer": "sgd", "learning_rate": 0.1, "clip_threshold": 0.001}


@pytest.mark.parametrize(
    ("norm", "cure"),
    [(0.8, {"clip_threshold": 1.0}), (1.0, {"clip_threshold": 1.0}), (1.01, {"clip_threshold": 2.0}),
     (4.0, {"clip_threshold": 5.0}), (10.0, {"clip_threshold": 10.0})],
)  # fmt: skip
def test_a_brake_is_released_to_a_usual_threshold_that_the_gradient_fits_under(norm, cure):
    verdict = judged(0.5, norms=(norm, 0.001), **CLIPPED)
    assert (verdict.kind, verdict.cure) == ("clipped", cure)
    by_value = judged(0.5, norms=(norm, 0.001), **CLIPPED, clip="value")
    assert by_value.cure == {"clip": "norm", **cure}


def test_where_the_released_gradient_moves_nothing_either_the_optimiser_is_changed():
    verdict = judged(0.5, norms=(0.05, 0.001), **CLIPPED)
    assert (verdict.kind, verdict.cure) == ("clipped", {"optimizer": "adam", "learning_rate": 0.003})


def test_a_gradient_too_long_for_any_usual_threshold_is_not_said_to_be_braked():
    assert judged(0.5, norms=(10.1, 0.001), **CLIPPED).kind == "healthy"


STANDING = {"recent": BAR, "earlier": BAR, "norms": (0.1, 0.1), "step": 400}


@pytest.mark.parametrize(
    ("settings", "cure"),
    [
        ({"learning_rate": 0.003}, {"cell": "lstm", "forget_bias": 3.0}),
        ({"learning_rate": 0.001, "cell": "lstm"}, {"forget_bias": 3.0}),
        ({"learning_rate": 0.001, "cell": "lstm", "forget_bias": 3.0}, {}),
        ({"learning_rate": 0.0009}, {"learning_rate": 0.003}),
        ({"optimizer": "rmsprop", "learning_rate": 1e-5}, {"optimizer": "adam", "learning_rate": 0.003}),
        ({"learning_rate": 0.02}, {"cell": "lstm", "forget_bias": 3.0}),
        ({"learning_rate": 0.021}, {"learning_rate": 0.005}),
        ({"optimizer": "rmsprop", "learning_rate": 0.5}, {"learning_rate": 0.005}),
        ({"optimizer": "adamw", "learning_rate": 1e-5}, {"learning_rate": 0.003}),
        ({"optimizer": "adamw", "learning_rate": 0.5, "weight_decay": 0.1}, {"learning_rate": 0.005}),
        ({"optimizer": "sgd", "learning_rate": 10.0}, {"optimizer": "adam", "learning_rate": 0.003}),
        ({"optimizer": "sgd", "learning_rate": 0.1}, {"optimizer": "adam", "learning_rate": 0.003}),
        ({"optimizer": "adagrad", "learning_rate": 0.019}, {"optimizer": "adam", "learning_rate": 0.003}),  # / sqrt 400
        ({"optimizer": "adagrad", "learning_rate": 0.021}, {"cell": "lstm", "forget_bias": 3.0}),
    ],
    ids=str,
)
def test_on_a_plateau_usual_updates_are_offered_and_gates_where_they_are_in_use(settings, cure):
    verdict = judged(0.5, **STANDING, **settings)
    assert (verdict.kind, verdict.cure) == ("plateau", cure)


@pytest.mark.parametrize(("optimizer", "times"), [("sgd", 1), ("momentum", 10)])
def test_how_far_an_update_moves_a_weight(optimizer, times):
    verdict = judged(0.5, **STANDING, optimizer=optimizer, learning_rate=0.01, hidden_size=6)
    parameters = 6 * 10 + 6 * 6 + 2 * 6 + 6 * 10 + 10  # digits in, state, two biases, digits out and their bias
    assert verdict.evidence["moved"] == pytest.approx(times * 0.01 * 0.1 / math.sqrt(parameters))


def test_a_run_that_knows_one_of_the_two_is_not_thrown_away():
    verdict = judged(0.5, task="adding", loss=1 / 12, recent=1 / 12, earlier=1 / 12, learning_rate=1e-6)
    assert (verdict.kind, verdict.cure) == ("plateau", {})
