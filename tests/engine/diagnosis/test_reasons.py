"""Why the gradient shrinks or grows, on networks whose weights are set by hand: every number has a closed form."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
import torch

from engine.diagnosis import diagnose
from engine.diagnosis.reasons import steps_between
from engine.experiment import Experiment
from engine.frame import Diagnosis, RunInfo
from engine.training import Trainer
from tests.engine.diagnosis.conftest import above, below, judged

T = 50
BACK = T - 1  # steps between the loss and the first digit


def built(weight_hh: np.ndarray | None = None, bias: float | np.ndarray = 0.0, **settings) -> Trainer:
    """A network whose recurrent weights and biases are these (0 where nothing is said), and whose inputs say little."""
    trainer = Trainer(Experiment(**{"cell": "rnn", "seq_len": T, "hidden_size": 4, "batch_size": 4, **settings}))
    with torch.no_grad():
        for name, value in trainer.model.recurrent.named_parameters():
            if name.startswith("weight_ih"):
                value.mul_(1e-6)  # of the states nothing but their biases is left
            elif name.startswith("weight_hh"):
                value.copy_(torch.zeros_like(value) if weight_hh is None else torch.as_tensor(weight_hh))
            else:
                value.copy_(torch.as_tensor(bias) if name.startswith("bias_ih") else torch.zeros_like(value))
    return trainer


def diagnosis_of(trainer: Trainer) -> Diagnosis:
    verdict = trainer.frame().diagnosis
    assert verdict is not None
    return verdict


# ---- plain cells


@pytest.mark.parametrize(
    ("alpha", "kind", "reason"),
    [
        (0.5, "vanished", " Small weights pass 50% per step, slopes 100%."),
        (0.8, "vanishing", " Small weights pass 80% per step, slopes 100%."),
        (0.91, "fading", " Weights pass 91% per step, slopes 100%: too little over 49 steps."),
        (1.0, "untrained", None),
        (1.05, "untrained", None),
        (1.1, "growing", ": the weights stretch it 1.1-fold per step. "),
        (1.3, "exploding", ": the weights stretch it 1.3-fold per step. "),
    ],
)
def test_a_linear_network_multiplies_by_alpha_at_each_step(alpha, kind, reason):
    verdict = diagnosis_of(built(alpha * np.eye(4), nonlinearity="identity"))
    assert verdict.kind == kind
    assert verdict.evidence["ratio"] == pytest.approx(alpha**BACK, rel=1e-5)
    assert verdict.evidence["factor_per_step"] == pytest.approx(alpha)
    assert verdict.evidence["weights_per_step"] == pytest.approx(alpha, rel=1e-6)
    assert verdict.evidence["slope_per_step"] == pytest.approx(1)
    assert verdict.evidence["saturated"] == 0
    assert "; this task needs 49 steps." in verdict.sentence or alpha == 1
    assert reason in verdict.sentence if reason else " per step" not in verdict.sentence
    assert (verdict.cure.get("cell") == "lstm") == (alpha < 1)
    assert (verdict.cure.get("init") == "orthogonal") == (alpha > 1.05)


def test_an_orthogonal_linear_network_keeps_every_length():
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    verdict = diagnosis_of(built(turn, nonlinearity="identity"))
    assert verdict.kind == "untrained" and verdict.cure == {}
    for name in ("ratio", "factor_per_step", "weights_per_step", "slope_per_step"):
        assert verdict.evidence[name] == pytest.approx(1, rel=1e-5)


def slopes(squash, weight: float, bias: float, steps: int) -> np.ndarray:
    """phi' at every step but the first of h_t = phi(weight h_{t-1} + bias), by central differences of phi."""
    h, values = 0.0, []
    for _ in range(steps):
        a = weight * h + bias
        h = squash(a)
        values.append((squash(a + 1e-5) - squash(a - 1e-5)) / 2e-5)
    return np.array(values[1:])


def sigmoid(a: float) -> float:
    return 1 / (1 + math.exp(-a))


@pytest.mark.parametrize(
    ("nonlinearity", "squash", "weight", "bias", "by", "cure"),
    [
        # state near 0.98: all units beyond 0.95
        ("tanh", math.tanh, 1.0, 1.3, "100% of the units are saturated", {"cell": "lstm", "forget_bias": 3.0}),
        # near 0.6: none is
        (
            "tanh",
            math.tanh,
            1.0,
            0.1,
            "Flat slopes pass 69% per step, weights 100%.",
            {"cell": "lstm", "forget_bias": 3.0},
        ),
        (
            "sigmoid",
            sigmoid,
            1.0,
            -0.5,
            "Sigmoid slopes pass 25% per step (25% at most), weights 100%.",
            {"cell": "lstm", "forget_bias": 3.0},
        ),
        ("sigmoid", sigmoid, 1.0, 4.0, "100% of the units are saturated", {"cell": "lstm", "forget_bias": 3.0}),
        # weights pass 20 % and the slopes more: not their fault
        ("tanh", math.tanh, 0.2, 0.7, "Small weights pass 20% per step", {"cell": "lstm", "forget_bias": 3.0}),
        (
            "tanh",
            math.tanh,
            0.08,
            1.81,
            "Small weights pass 8% per step",
            {"cell": "lstm", "forget_bias": 3.0},
        ),  # though units are saturated
    ],
)
def test_what_squashes_is_to_blame_where_it_takes_away_more(nonlinearity, squash, weight, bias, by, cure):
    verdict = diagnosis_of(built(weight * np.eye(4), [bias] * 4, nonlinearity=nonlinearity, seq_len=20))
    each = slopes(squash, weight, bias, 20)
    assert verdict.evidence["weights_per_step"] == pytest.approx(weight, rel=1e-5)
    assert verdict.evidence["slope_per_step"] == pytest.approx(math.exp(np.log(each).mean()), rel=1e-4)
    assert verdict.evidence["ratio"] == pytest.approx(weight**19 * each.prod(), rel=1e-3)
    assert verdict.kind in ("vanished", "vanishing") and by in verdict.sentence
    assert verdict.cure == cure


def test_a_dead_relu():
    verdict = diagnosis_of(built(np.eye(4), [-1.0] * 4, nonlinearity="relu"))
    assert (verdict.kind, verdict.cure) == ("dead", {"nonlinearity": "tanh"})
    assert verdict.evidence["ratio"] == 0 and verdict.evidence["saturated"] == 1
    assert "slope_per_step" not in verdict.evidence  # there is no mean of logarithms


def test_relus_of_which_most_are_at_0_everywhere_are_dead_where_nothing_arrives():
    """The gradient of the one that lives is passed to the three that do not."""
    weights = np.zeros((4, 4))
    weights[0] = [0, 1, 1, 1]
    verdict = diagnosis_of(built(weights, [1.0, -1.0, -1.0, -1.0], nonlinearity="relu"))
    assert (verdict.kind, verdict.evidence["ratio"]) == ("dead", 0)
    assert verdict.sentence.endswith(": 75% of the ReLUs are at 0, where their slope is 0.")


def test_a_network_pinned_until_no_slope_is_left():
    verdict = diagnosis_of(built(np.eye(4), [200.0] * 4))
    assert (verdict.kind, verdict.evidence["saturated"]) == ("dead", 1) and "pinned" in verdict.sentence
    assert verdict.cure == {"init": "orthogonal"}


@pytest.mark.parametrize(
    ("tbptt", "kind", "ratio"), [(BACK, "cut", 0), (5, "cut", 0), (T, "untrained", 1), (0, "untrained", 1)]
)
def test_truncation_cuts_what_would_arrive_whole(tbptt, kind, ratio):
    verdict = diagnosis_of(built(np.eye(4), nonlinearity="identity", tbptt=tbptt))
    assert (verdict.kind, verdict.evidence["ratio"]) == (kind, ratio)
    assert verdict.cure == ({"tbptt": 0} if kind == "cut" else {})


@pytest.mark.parametrize(("certainty", "gradient"), [(5.0, True), (1000.0, False)])
def test_a_network_that_answers_right(certainty, gradient):
    """Two digits: the first is moved aside while the second comes in, and the head reads what was moved."""
    trainer = Trainer(Experiment(cell="rnn", nonlinearity="identity", seq_len=2, hidden_size=20))
    recurrent, head = trainer.model.recurrent, trainer.model.head
    with torch.no_grad():
        for each in trainer.model.parameters():
            each.zero_()
        recurrent.weight_ih_l0[:10] = torch.eye(10)
        recurrent.weight_hh_l0[10:, :10] = torch.eye(10)
        head.weight[:, 10:] = certainty * torch.eye(10)
    verdict = diagnosis_of(trainer)
    assert verdict.kind == "solved" and verdict.cure == {}
    assert verdict.evidence["loss"] == pytest.approx(math.log(1 + 9 * math.exp(-certainty)), rel=1e-5)
    assert ("Hardly any gradient is left, because it is solved" in verdict.sentence) != gradient
    if gradient:
        assert verdict.evidence["ratio"] == pytest.approx(1)


# ---- gated cells


def gate_bias(cell: str, bias: float) -> list[float]:
    """The blocks of an LSTM's four and a GRU's three gates, of which the second keeps the old state."""
    return [0.0] * 4 + [bias] * 4 + [0.0] * (8 if cell == "lstm" else 4)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(
    ("bias", "kind", "reason"),
    [
        (-2.0, "vanished", r" The .*gates(, nearly shut, keep 12% per step| are nearly shut)\.$"),
        (0.0, "vanished", r" The .*gates, half open, keep 50% per step\.$"),
        (1.0, "vanished", r" The .*gates, half open, keep 73% per step\.$"),
        (2.0, "fading", r"ates keep 88% per step: too little"),
        (5.0, "untrained", None),
    ],
)
def test_a_network_of_gates_alone_keeps_their_bias_at_each_step(cell, bias, kind, reason):
    verdict = diagnosis_of(built(bias=gate_bias(cell, bias), cell=cell))
    assert verdict.kind == kind
    assert verdict.evidence["kept_per_step"] == pytest.approx(sigmoid(bias), rel=1e-5)
    assert verdict.evidence["ratio"] == pytest.approx(sigmoid(bias) ** BACK, rel=1e-3)
    assert re.search(reason, verdict.sentence) if reason else "gates" not in verdict.sentence
    assert verdict.cure == ({} if kind == "untrained" else {"forget_bias": {"lstm": 3.0, "gru": 2.0}[cell]})
    assert not {"slope_per_step", "weights_per_step", "saturated"} & verdict.evidence.keys()


@pytest.mark.parametrize("cell", ["gru", "lstm", "lstm_no_forget"])
def test_a_gated_cell_cannot_grow_by_what_it_keeps(cell):
    reason = "the recurrent weights"
    assert reason in judged(1e5, cell=cell).sentence
    assert reason not in judged([[1e5], [1.0]], cell=cell, num_layers=2).sentence  # it may come from above
    assert reason in judged([[1.0], [1e3]], cell="gru", num_layers=2).sentence


# ---- which steps are read, and when nothing is said


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"task": "characters", "rnn_type": "many_to_many", "seq_len": 30},
        {"task": "xor", "rnn_type": "many_to_many"},
        {"task": "stocks", "rnn_type": "many_to_many"},
        {"task": "reverse", "rnn_type": "encoder_decoder"},
        {"task": "temporal_order"},
        {"task": "sentiment"},
    ],
    ids=str,
)
def test_the_factors_of_the_way_multiply_to_what_arrives(settings):
    """Of the drawn sequence, whose norms the frame has: so these are the steps between, and none is left out."""
    e = Experiment(**{"cell": "rnn", "hidden_size": 6, "init": "orthogonal", "seed": 3, **settings})
    info, frame = RunInfo.of(e), Trainer(e).frame()
    between, last = steps_between(info, 0), int(np.flatnonzero(info.counted)[-1])
    numbers = frame.diagnosis.evidence
    arrives = (
        frame.sequence_grad_norm_last[0, 0, max(last - info.measured_lag, 0)]
        / frame.sequence_grad_norm_last[0, 0, last]
    )
    product = (numbers["slope_per_step"] * numbers["weights_per_step"]) ** len(between)
    assert product == pytest.approx(arrives, rel=1e-4)


def test_read_backwards_the_steps_are_those_after_the_first_loss():
    """The last word decides: of a network that reads both ways the reverse chain brings it, by its own weights."""
    trainer = Trainer(Experiment(task="teddy", rnn_type="many_to_many", cell="rnn", nonlinearity="identity",
                                 bidirectional=True, hidden_size=4))  # fmt: skip
    with torch.no_grad():
        trainer.model.recurrent.weight_hh_l0.copy_(torch.eye(4))
        trainer.model.recurrent.weight_hh_l0_reverse.copy_(0.005 * torch.eye(4))
    verdict = diagnosis_of(trainer)
    assert (verdict.kind, verdict.evidence["direction"]) == ("fading", 1)
    assert verdict.evidence["weights_per_step"] == pytest.approx(0.005, rel=1e-5)
    assert verdict.evidence["ratio"] == pytest.approx(0.005, rel=1e-5)


def test_the_chain_that_is_read_is_the_chain_that_is_explained():
    """Two layers: the upper forgets at once, the lower keeps half at each step."""
    trainer = Trainer(Experiment(cell="rnn", nonlinearity="identity", seq_len=10, hidden_size=4, num_layers=2))
    with torch.no_grad():
        trainer.model.recurrent.weight_hh_l0.copy_(0.5 * torch.eye(4))
        trainer.model.recurrent.weight_hh_l1.copy_(0.01 * torch.eye(4))
    numbers = diagnosis_of(trainer).evidence
    assert numbers["layer"] == 0 and numbers["weights_per_step"] == pytest.approx(0.5, rel=1e-5)


@pytest.mark.parametrize(
    ("ratio", "numbers", "reason"),
    [
        # 39 steps at 0.9 are 1.8 decades: the half of 3.57
        (0.9**78, {"slope": 1.0, "weights": above(0.9)}, False),
        (above(0.9**78), {"slope": 1.0, "weights": below(0.9)}, True),
        (1e-9, {"slope": 1.0, "weights": 1.0}, False),
        (1e-9, {"slope": 0.5, "weights": 2.1}, False),  # they would make it grow
        (1e-9, {}, False),  # nothing is defined
        (1e-9, {"slope": 0.0, "weights": 0.5}, False),  # in the drawn sequence nothing arrives at all
        (1e9, {"slope": 0.5, "weights": 1.1}, False),
        (1e9, {"slope": 1.0, "weights": 2.0}, True),
        (1e-9, {"cell": "gru", "kept": 0.99}, False),
        (1e-9, {"cell": "gru", "kept": 0.5}, True),
        (0.5, {"slope": 0.99, "weights": 0.99}, False),
        (50.0, {"slope": 1.0, "weights": 1.1}, False),
    ],
    ids=str,
)
def test_a_reason_is_given_only_where_it_makes_half_of_the_decades(ratio, numbers, reason):
    assert (" per step" in judged(ratio, **numbers).sentence) == reason


def test_the_larger_part_of_the_logarithm_is_named():
    assert judged(1e-9, slope=0.61, weights=0.6).sentence.endswith(" Small weights pass 60% per step, slopes 61%.")
    assert judged(1e-9, slope=0.6, weights=0.61).sentence.endswith(" Flat slopes pass 60% per step, weights 61%.")
    stretched = judged(1e-9, slope=0.2, weights=2.37, state=0.9).sentence
    assert stretched.endswith(" Flat slopes pass 20% per step, weights 237%.")


def test_a_replay_is_judged_again_without_its_network():
    trainer = built(0.5 * np.eye(4), nonlinearity="identity")
    frame = trainer.frame()
    assert diagnose(trainer.info, frame) == frame.diagnosis
