"""The whole lens on experiments that nobody chose; and the five kinds of nothing, told apart in its values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.lens import (
    gradient_flow,
    input_saliency,
    loss_decomposition,
    saliency_triangle,
    step_factors,
    weight_gradients,
)
from engine.model import RecurrentNetwork, build
from engine.tasks import TASKS, Batch, sample
from engine.tasks.losses import LOSSES
from tests.cases import for_each
from tests.engine.lens.conftest import (
    assert_decomposition_is_right,
    assert_factors_are_right,
    assert_lens_is_right,
    assert_saliency_is_right,
    assert_weights_are_right,
)
from tests.engine.networks import case, lively, with_lengths

EXPERIMENTS, MANY = 70, 2000  # of a normal run, and of a full one
LENGTHS = {"stocks": (2, 8), "sine": (2, 8), "first_symbol_recall": (2, 8), "parity": (2, 8), "characters": (2, 8),
           "adding": (2, 8), "copy": (7, 9), "count": (9, 9), "reverse": (2, 5), "melody": (4, 6)}  # fmt: skip
ANY_LENGTH = ("stocks", "sine", "parity", "characters")  # whose sequences can be cut anywhere
KINDS = [
    *[("many_to_one", task) for task in ("stocks", "sine", "first_symbol_recall", "parity", "characters", "adding")],
    *[("many_to_many", task) for task in ("stocks", "sine", "parity", "characters", "copy", "count", "teddy")],
    ("one_to_many", "melody"),
    ("one_to_many", "digit_name"),
    ("one_to_one", "digits"),
    *[("encoder_decoder", "reverse")] * 2,
]


def anything(number: int) -> tuple[RecurrentNetwork, Batch]:
    """A small network that depends on the number alone, and a batch of two or three sequences."""
    rng = np.random.default_rng([2024, number])

    def one_of(*choices: Any) -> Any:
        return choices[rng.integers(len(choices))]

    cell, (rnn_type, task) = list(CELLS)[number % len(CELLS)], one_of(*KINDS)
    one_way = rnn_type in AUTOREGRESSIVE_TYPES or not CELLS[cell].is_recurrent
    settings: dict[str, Any] = {
        "cell": cell, "rnn_type": rnn_type, "task": task,
        "nonlinearity": one_of("tanh", "relu", "sigmoid", "identity"),
        "hidden_size": one_of(3, 4, 5), "num_layers": one_of(1, 2, 3), "output_layers": one_of(0, 0, 1, 2),
        "bidirectional": not one_way and one_of(True, False),
        "embedding_size": one_of(0, 3) if TASKS[task].inputs == "symbols" else 0,
        "window": 1 if rnn_type in AUTOREGRESSIVE_TYPES else one_of(1, 2, 3),
        "init": one_of("pytorch", "orthogonal", "xavier", "gaussian"), "init_gain": one_of(0.7, 1.0, 1.3),
        "forget_bias": one_of(None, 1.0, -1.0), "reduction": one_of("mean", "sum"), "seed": int(rng.integers(1000)),
    }  # fmt: skip
    if rnn_type == "encoder_decoder":
        settings["attention"] = ("none", "dot", "scaled_dot")[number % 3]
        settings["bidirectional"] = CELLS[cell].is_recurrent and number % 2 == 1
    if task in LENGTHS:
        low, high = LENGTHS[task]
        settings["seq_len"] = int(rng.integers(low, high + 1))
    if not settings["bidirectional"] and rnn_type != "encoder_decoder":
        settings["tbptt"] = one_of(0, 0, 1, 2, 3)
    settings["learned_start"] = number % 4 == 1
    if TASKS[task].outputs == "values":
        settings["loss"] = LOSSES[number % len(LOSSES)]
    e = Experiment(**settings)
    batch = sample(e, one_of(2, 3), number)
    if task in ANY_LENGTH and one_of(True, False):
        lengths = rng.integers(1, len(batch.mask) + 1, len(batch.lengths))
        lengths[0] = len(batch.mask)
        batch = with_lengths(batch, lengths, rnn_type)
    return lively(e), batch


@pytest.mark.parametrize("number", range(EXPERIMENTS))
def test_all_of_it_is_that_of_the_slow_loop(number):
    assert_all_of_it_is_right(number)


@pytest.mark.full
@for_each({"number": list(range(EXPERIMENTS, MANY))})
def test_all_of_it_is_that_of_the_slow_loop_on_many_more(number):
    assert_all_of_it_is_right(number)


def assert_all_of_it_is_right(number: int) -> None:
    model, batch = anything(number)
    e, b = model.experiment, number % len(batch.lengths)
    at = int(np.flatnonzero(batch.mask[:, b])[0])
    activation = CELLS[e.cell].activation(e.nonlinearity)
    alive = number < EXPERIMENTS and activation != "relu"  # among many, some are dead, or underflow
    assert_lens_is_right(model, batch, at, alive=alive)
    assert_decomposition_is_right(model, batch, b, alive=alive)
    assert_factors_are_right(model, batch, b, ("last", "all"))
    assert_weights_are_right(model, batch, b, ("last",))
    asked_anywhere = e.rnn_type == "many_to_one" and not e.bidirectional
    answers = np.flatnonzero((batch.valid if asked_anywhere else batch.counted)[:, b])
    assert_saliency_is_right(model, batch, b, answers.tolist(), alive=alive)


def test_the_experiments_are_of_every_kind():
    """Or the test above would say less than it seems to."""
    drawn = [anything(number) for number in range(EXPERIMENTS)]
    settings = [model.experiment for model, _ in drawn]
    for name, kinds in (("cell", len(CELLS)), ("nonlinearity", 4), ("num_layers", 3), ("bidirectional", 2),
                        ("rnn_type", 5), ("attention", 3), ("output_layers", 3), ("reduction", 2),
                        ("embedding_size", 2), ("tbptt", 4), ("loss", 3),
                        ("learned_start", 2)):  # fmt: skip
        assert len({getattr(e, name) for e in settings}) == kinds, name
    padded = [not batch.valid.all() for _, batch in drawn]
    windows = [e.window > 1 for e in settings if e.cell == "feedforward"]
    cut = [any(model.truncation_points(len(batch.mask))) for model, batch in drawn if not batch.source_steps]
    assert min(sum(padded), sum(cut)) > 10 and any(windows)


# ---- nothing is five things


def test_what_is_too_small_for_float32_is_a_number():
    """A gradient of 1e-80 in every reading: above 0, and with the digits of float64."""
    e = Experiment(cell="rnn", hidden_size=16, seq_len=300, init_gain=0.7)
    batch, result = sample(e, 1, 1), []
    for model in (build(e), build(e).double()):
        triangle = saliency_triangle(model, batch).norms
        weights = weight_gradients(model, batch)
        readings = [input_saliency(model, batch), triangle[-1], weights.ih[0, 0], weights.hh[0, 0, 1:],
                    loss_decomposition(model, batch).norms[0, 0, -1]]  # fmt: skip
        factor = step_factors(model, batch).factor[0, 0, 1:]
        assert (factor > 0.01).all()
        result.append([np.log10(each) for each in [*readings, factor]])
    for single, double in zip(*result, strict=True):
        assert np.abs(single - double).max() < 1e-3
    assert all(each[0] < -45 for each in result[0][:-1])
    assert result[0][-1].sum() < -45  # the product of the factors


def test_what_is_cut_is_exactly_zero_and_has_no_factor_any_more():
    model, batch = case("many_to_many", np.array([9]), cell="lstm", tbptt=4)  # cut before 1 and before 5
    factors, weights = step_factors(model, batch), weight_gradients(model, batch)
    assert factors.factor[0, 0, 5] == 0 and np.isnan(factors.factor[0, 0, :5]).all()
    assert all(np.isnan(share[0, 0, :6]).all() for share in factors.shares.values())
    assert not weights.ih[0, 0, :5].any() and not weights.hh_beyond[0, 0, 4:].any()
    assert not loss_decomposition(model, batch).norms[0, 0, 8, :5].any()
    saliency = saliency_triangle(model, batch)
    assert not saliency.norms[-1, :5].any() and (saliency.norms[-1, 5:] > 0).all()
    assert (saliency.occluded > 0).all()  # what is cut for learning is still heard


def test_what_is_padding_is_no_number_or_no_gradient():
    model, batch = case("many_to_many", np.array([7, 4]), cell="gru")
    factors, weights, saliency = (look(model, batch, 1) for look in (step_factors, weight_gradients, saliency_triangle))
    for values in (factors.factor, *factors.shares.values(), weights.ih, weights.hh):
        assert np.isnan(values[:, :, 4:]).all() and np.isfinite(values[:, :, 1:4]).all()
    assert np.isnan(saliency.occluded[4:]).all() and np.isfinite(saliency.occluded[:4]).all()
    decomposition = loss_decomposition(model, batch, 1)
    assert not saliency.norms[:, 4:].any() and not decomposition.norms[:, :, :, 4:].any()
    assert np.isnan(decomposition.cosines[:, :, :, 4:]).all()
    assert not gradient_flow(model, batch).grad_hidden[:, :, 4:, 1].any()


def test_where_no_path_leads_is_exactly_zero():
    model, batch = case("many_to_one", np.array([6]), cell="feedforward", nonlinearity="sigmoid", window=2)
    factors, weights, saliency = (look(model, batch) for look in (step_factors, weight_gradients, saliency_triangle))
    assert factors.factor[0, 0, 5] == 0 and factors.slope[0, 0, 5] > 0  # something arrived, nothing goes on
    assert np.isnan(factors.factor[0, 0, :5]).all()
    assert not weights.ih[0, 0, :5].any() and weights.ih[0, 0, 5] > 0 and weights.hh is None
    assert not saliency.norms[-1, :4].any() and (saliency.norms[-1, 4:] > 0).all()
    assert saliency.occluded[:4] == pytest.approx(0, abs=1e-14) and (saliency.occluded[4:] > 0).all()


def test_what_is_still_to_come_is_exactly_zero():
    model, batch = case("many_to_many", np.array([6]), cell="lstm")
    assert not input_saliency(model, batch, step=2)[3:].any() and (input_saliency(model, batch, step=2)[:3] > 0).all()
    assert not loss_decomposition(model, batch).norms[0, 0, 2, 3:].any()
    assert not weight_gradients(model, batch, loss=2).ih[0, 0, 3:].any()
    assert np.isnan(step_factors(model, batch, loss=2).factor[0, 0, 3:]).all()


def test_what_meets_a_dead_relu_is_exactly_zero():
    """In float32 too, at the very step where it dies, and unlike what is merely too small."""
    model, batch = case("many_to_one", np.array([6]), cell="rnn", nonlinearity="relu")
    with torch.no_grad():
        model.recurrent.bias_ih_l0.fill_(-100.0)
    for network in (model, model.float()):
        factors, weights, saliency = (
            look(network, batch) for look in (step_factors, weight_gradients, saliency_triangle)
        )
        assert factors.factor[0, 0, 5] == factors.slope[0, 0, 5] == 0
        assert np.isnan(factors.weights[0, 0, 5]) and np.isnan(factors.factor[0, 0, :5]).all()
        assert not weights.ih.any() and np.isnan(weights.ih_beyond).all()
        assert not saliency.norms.any() and not saliency.occluded.any()
        norms = loss_decomposition(network, batch).norms[0, 0, 5]
        assert norms[5] > 0 and not norms[:5].any()
