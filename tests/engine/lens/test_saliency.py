"""What an answer looks at: slopes equal autograd's on the textbook loop, and taking an input away is done by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.lens import input_saliency, saliency_triangle
from engine.lens.forward_trace import trace_forward
from engine.lens.on_demand import compute_on_demand
from engine.lens.saliency import saliency_of
from engine.lens.subsample import MAX_ROWS, evenly_spaced
from engine.model import RecurrentNetwork
from engine.tasks import Batch, sample
from engine.tasks.base import NO_SYMBOL
from tests import reference_unroll as reference
from tests.cases import for_each, grid, in_turn
from tests.engine.lens.conftest import assert_saliency_is_right
from tests.engine.networks import EVERY_NETWORK, FULL, LINKED, LINKED_CELLS, NETWORKS, PADDED, case, lively, name_of

LENGTHS = np.array([7, 4])


@pytest.mark.parametrize(("network", "num_layers"), grid(NETWORKS, [1, 2], kept=in_turn), ids=name_of)
def test_many_answers(network, num_layers):
    """Exactly 0 for what comes later, and for what a window no longer holds."""
    model, batch = case("many_to_many", LENGTHS, num_layers=num_layers, output_layers=num_layers - 1, **network)
    for b, length in enumerate(LENGTHS):
        norms = assert_saliency_is_right(model, batch, b, list(range(length)))
        t, s = np.indices(norms.shape)
        reach = network.get("window", 1) if network["cell"] == "feedforward" else 7
        seen = (s <= t) & (s > t - reach)
        assert not norms[~seen].any()
        assert norms[seen].all() or network.get("nonlinearity") == "relu"  # which may be dead


@EVERY_NETWORK
def test_one_answer_that_could_have_been_asked_for_earlier(network):
    model, batch = case("many_to_one", LENGTHS, output_layers=1, **network)
    for b, length in enumerate(LENGTHS):
        assert_saliency_is_right(model, batch, b, list(range(length)))


@LINKED
def test_reading_both_ways(cell):
    """Every answer sees every real input; a single answer is the only one."""
    model, batch = case("many_to_many", LENGTHS, cell=cell, bidirectional=True, num_layers=2)
    single, same = case("many_to_one", LENGTHS, cell=cell, bidirectional=True)
    for b, length in enumerate(LENGTHS):
        norms = assert_saliency_is_right(model, batch, b, list(range(length)))
        assert norms[:, :length].all() and not norms[:, length:].any()
        norms = assert_saliency_is_right(single, same, b, [length - 1])
        assert norms[:, :length].all() and not norms[:, length:].any()


@pytest.mark.parametrize(("cell", "embedding_size"), grid(LINKED_CELLS, [0, 3], kept=in_turn))
def test_source_and_target_side(cell, embedding_size):
    """Rows are the target side's answers, columns the whole time axis; nothing of what is still to be said is seen."""
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2, seq_len=5,
                   embedding_size=embedding_size)  # fmt: skip
    model, batch = lively(e), sample(e, 3, 5)
    for b in (0, 1):
        answers = np.flatnonzero(batch.counted[:, b]).tolist()
        norms = assert_saliency_is_right(model, batch, b, answers)
        for row, t in zip(norms, answers, strict=True):
            assert np.array_equal(np.flatnonzero(row), np.flatnonzero(batch.valid[: t + 1, b]))


@pytest.mark.parametrize("embedding_size", [0, 3])
@pytest.mark.parametrize("rnn_type", ["many_to_many", "many_to_one"])
def test_symbols(rnn_type, embedding_size):
    e = Experiment(task="characters", rnn_type=rnn_type, cell="gru", hidden_size=5, seq_len=6,
                   embedding_size=embedding_size)  # fmt: skip
    model, batch = lively(e), sample(e, 2, 5)
    assert_saliency_is_right(model, batch, 1, list(range(6)))


@pytest.mark.parametrize("window", [2, 4])
def test_windows_of_symbols(window):
    e = Experiment(task="copy", rnn_type="many_to_many", cell="feedforward", window=window, hidden_size=5,
                   embedding_size=3, seq_len=9, num_layers=2)  # fmt: skip
    model, batch = lively(e), sample(e, 2, 5)
    assert_saliency_is_right(model, batch, 1, np.flatnonzero(batch.counted[:, 1]).tolist())


def test_a_window_longer_than_the_sequence():
    model, batch = case("many_to_one", np.array([4, 3]), cell="feedforward", window=9)
    assert_saliency_is_right(model, batch, 0, [0, 1, 2, 3])


def test_outputs_that_are_fed_back_are_inputs_too():
    for task in ("melody", "digit_name"):
        e = Experiment(task=task, rnn_type="one_to_many", cell="lstm", hidden_size=5)
        model, batch = lively(e), sample(e, 2, 4)
        assert_saliency_is_right(model, batch, 1, np.flatnonzero(batch.counted[:, 1]).tolist())


def test_a_single_step():
    e = Experiment(task="digits", rnn_type="one_to_one", cell="feedforward", hidden_size=5, output_layers=2)
    assert_saliency_is_right(lively(e), sample(e, 2, 4), 1, [0])


def test_slopes_are_cut_where_training_cuts_them_but_what_is_lost_is_not():
    model, batch = case("many_to_one", np.array([12]), cell="lstm", tbptt=5)  # cut before 2 and before 7
    norms = assert_saliency_is_right(model, batch, 0, list(range(12)))
    assert norms[11].nonzero()[0].tolist() == [7, 8, 9, 10, 11]
    assert norms[5].nonzero()[0].tolist() == [2, 3, 4, 5]
    assert (saliency_triangle(model, batch).occluded > 0).all()


def test_a_slope_of_the_answer_by_central_differences():
    model, batch = case("many_to_many", np.array([6]), cell="gru")
    saliency = input_saliency(model, batch, step=4)
    for s in (0, 3):
        slope = []
        for channel in range(batch.inputs.shape[-1]):
            ends = []
            for sign in (1, -1):
                inputs = batch.inputs.astype(np.float64)
                inputs[s, 0, channel] += sign * 1e-5
                with torch.no_grad():
                    ends.append(float(model(dataclasses.replace(batch, inputs=inputs))[4, 0].sum()))
            slope.append((ends[0] - ends[1]) / 2e-5)
        assert saliency[s] == pytest.approx(np.linalg.norm(slope), rel=1e-6) and saliency[s] > 1e-4


@pytest.mark.parametrize(("rnn_type", "task", "step"), [
    ("many_to_many", "stocks", 7), ("many_to_many", "stocks", -1), ("encoder_decoder", "reverse", 2),
])  # fmt: skip
def test_a_step_without_an_answer_is_refused(rnn_type, task, step):
    e = Experiment(task=task, rnn_type=rnn_type, hidden_size=4, seq_len=7)
    with pytest.raises(ValueError, match=f"but got {step}"):
        input_saliency(lively(e), sample(e, 1, 1), step=step)


def test_an_answer_at_the_end_of_both_ways_cannot_be_asked_for_earlier():
    model, batch = case("many_to_one", FULL, cell="gru", bidirectional=True)
    with pytest.raises(ValueError, match="step must be one with an answer"):
        input_saliency(model, batch, step=3)


# ---- taken away


def score(model: RecurrentNetwork, batch: Batch, b: int) -> float:
    """s of the last counted answer of one sequence, by the textbook loop."""
    alone = batch.single_sequence(b)
    run, t = reference.unroll(model, alone), int(np.flatnonzero(alone.mask[:, 0])[-1])
    y = reference.outputs_at(run, t).detach()
    return float(y[int(alone.targets[t, 0])] if alone.targets.ndim == 2 else y.sum())


@pytest.mark.parametrize("rnn_type", ["many_to_many", "many_to_one"])
@pytest.mark.parametrize(
    "network", [{"cell": "lstm"}, {"cell": "gru", "bidirectional": True}, {"cell": "feedforward", "window": 3}]
)
def test_values_become_the_mean_of_their_channel(network, rnn_type):
    model, batch = case(rnn_type, PADDED, **network)
    for b, length in enumerate(PADDED):
        occluded = saliency_triangle(model, batch, b).occluded
        assert np.isnan(occluded[length:]).all() and np.isfinite(occluded[:length]).all()
        for t in range(length):
            inputs = batch.inputs.copy()
            inputs[t, b] = batch.inputs[:length, b].mean(0)
            lost = abs(score(model, batch, b) - score(model, dataclasses.replace(batch, inputs=inputs), b))
            assert occluded[t] == pytest.approx(lost, abs=1e-12)
        assert occluded[:length].max() > 1e-4


@pytest.mark.parametrize("embedding_size", [0, 3])
def test_symbols_become_none_on_the_source_and_the_target_side(embedding_size):
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="lstm", hidden_size=5, seq_len=5,
                   embedding_size=embedding_size)  # fmt: skip
    model, batch = lively(e), sample(e, 3, 5)
    for b in range(3):
        occluded, whole = saliency_triangle(model, batch, b).occluded, score(model, batch, b)
        assert np.array_equal(np.isfinite(occluded), batch.valid[:, b])
        for t in np.flatnonzero(batch.valid[:, b]):
            inputs, decoder_inputs = batch.inputs.copy(), batch.decoder_inputs.copy()
            if t < len(inputs):
                inputs[t, b] = NO_SYMBOL
            else:
                decoder_inputs[t - len(inputs), b] = NO_SYMBOL
            lost = abs(
                whole - score(model, dataclasses.replace(batch, inputs=inputs, decoder_inputs=decoder_inputs), b)
            )
            assert occluded[t] == pytest.approx(lost, abs=1e-12)
        first = batch.source_steps  # where nothing has been said yet, there is nothing to take away
        assert occluded[first] == pytest.approx(0, abs=1e-14) and (occluded[:first][batch.valid[:first, b]] > 0).all()


def test_a_saturated_unit_hides_a_dependence_from_every_slope_but_not_from_this():
    """h = tanh(1000 x): the slope at x = 0.5 is exactly 0, and all is lost with the input."""
    model, batch = case("many_to_many", np.array([3]), cell="feedforward")
    batch = dataclasses.replace(batch, inputs=np.full_like(batch.inputs, 0.5))
    batch.inputs[0] = -2.5  # the mean is -0.5, where the unit is at its other end
    with torch.no_grad():
        model.recurrent.weight_ih_l0.fill_(1000.0), model.recurrent.bias_ih_l0.zero_()
    result = saliency_triangle(model, batch)
    assert not result.norms.any()
    assert result.occluded[2] == pytest.approx(2 * abs(model.head.weight.sum().item()), rel=1e-9)


# ---- live


def test_a_live_picture_has_a_bounded_number_of_rows_and_of_inputs_taken_away():
    e = Experiment(task="sine", rnn_type="many_to_many", cell="rnn", hidden_size=4, seq_len=150)
    model, batch = lively(e), sample(e, 2, 1)
    counted = np.flatnonzero(batch.counted[:, 0])
    result, whole = (
        saliency_of(trace_forward(model, batch).single_sequence(0), max_rows=10),
        saliency_triangle(model, batch),
    )
    assert len(result.steps) == 10 and set(result.steps) <= set(counted)
    assert (result.steps[0], result.steps[-1]) == (counted[0], counted[-1])
    assert np.ptp(np.diff(result.steps)) <= 1
    assert whole.steps.tolist() == counted.tolist()  # more than fit into one sweep
    assert np.allclose(result.norms, whole.norms[np.isin(whole.steps, result.steps)], rtol=1e-9, atol=0)
    assert np.isfinite(result.occluded).sum() == MAX_ROWS and np.isfinite(result.occluded[[0, -1]]).all()


@for_each({"most": [1, 2, 64], "count": [1, 2, 63, 64, 65, 1000]})
def test_evenly_spaced(count, most):
    steps = 3 + 2 * np.arange(count)
    chosen = evenly_spaced(steps, most)
    assert len(chosen) == min(count, most) and set(chosen) <= set(steps) and chosen[-1] == steps[-1]
    assert (np.diff(chosen) > 0).all() and (most == 1 or chosen[0] == steps[0])


def test_looking_changes_nothing():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="lstm", num_layers=2, dropout=0.5, hidden_size=4,
                   teacher_forcing=0.5, seq_len=5)  # fmt: skip
    model, batch = lively(e), sample(e, 3, 1)
    kept = [each.copy() for each in (batch.inputs, batch.targets, batch.decoder_inputs)]
    for mode in (True, False):
        model.train(mode)
        random = torch.get_rng_state()
        first, second = saliency_triangle(model, batch, 1), saliency_triangle(model, batch, 1)
        assert np.array_equal(first.norms, second.norms)
        assert np.array_equal(first.occluded, second.occluded, equal_nan=True)
        assert torch.equal(random, torch.get_rng_state())
        assert all(module.training == mode for module in model.modules())
        assert all(parameter.grad is None for parameter in model.parameters())
    for before, after in zip(kept, (batch.inputs, batch.targets, batch.decoder_inputs), strict=True):
        assert np.array_equal(before, after)


def test_it_is_taken_only_when_asked():
    model, batch = case("many_to_many", FULL, cell="gru")
    trace = trace_forward(model, batch)
    assert "saliency" not in compute_on_demand(trace, {"decomposition"})
    result = compute_on_demand(trace, {"saliency"})["saliency"]
    assert np.allclose(result.norms, saliency_triangle(model, batch).norms, rtol=1e-9, atol=0)
    assert not result.norms.flags.writeable


@for_each({
    "cell": ["rnn", "gru", "lstm", "lstm_peephole", "feedforward"],
    "rnn_type": ["many_to_many", "many_to_one", "encoder_decoder"],
    "bad": [np.nan, np.inf, 1e38],
})  # fmt: skip
def test_a_network_of_no_finite_numbers_is_read_all_the_same(cell, rnn_type, bad):
    task = "reverse" if rnn_type == "encoder_decoder" else "stocks"
    e = Experiment(task=task, rnn_type=rnn_type, cell=cell, hidden_size=4, seq_len=6, nonlinearity="relu",
                   window=1 if rnn_type == "encoder_decoder" else 2)  # fmt: skip
    model = lively(e).float()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(bad)
    result = saliency_triangle(model, sample(e, 2, 1))
    assert result.norms.shape[1] == len(result.occluded)
    if np.isnan(bad) and cell != "feedforward":
        assert np.isnan(result.norms[-1]).any()
