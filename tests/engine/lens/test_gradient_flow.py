"""The promise of the product: the lens equals autograd on the unrolled network, and finite differences."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.layers.accelerators.rnn import RNNTrace
from engine.lens import GradientFlow, gradient_flow
from engine.lens.sweep import BLOCK
from engine.model import RecurrentNetwork, build
from engine.tasks import Batch, sample
from tests import reference_unroll as reference
from tests.cases import grid, in_turn
from tests.engine.lens.conftest import assert_equal, assert_lens_is_right
from tests.engine.networks import (
    EVERY_NETWORK,
    FULL,
    LINKED_CELLS,
    NETWORKS,
    PADDED,
    SEED_OF_MANY_LENGTHS,
    TYPES,
    case,
    lively,
    name_of,
)

# ---- against autograd


def a_quarter(network: int, layers: int, ways: int, kind: int, lengths: int) -> bool:
    """A choice in which any two values meet, some network's if not the same one's."""
    return in_turn(network, layers, ways, kind) and in_turn(network // 2, kind, lengths)


@pytest.mark.parametrize(
    ("network", "num_layers", "bidirectional", "rnn_type", "lengths"),
    grid(NETWORKS, [1, 2], [False, True], TYPES, [FULL, PADDED], kept=a_quarter,
         possible=lambda network, layers, two_way, *_: not two_way or network["cell"] != "feedforward"),
    ids=name_of,
)  # fmt: skip
def test_lens_equals_autograd_on_the_unrolled_network(network, num_layers, bidirectional, rnn_type, lengths):
    assert_lens_is_right(*case(rnn_type, lengths, num_layers=num_layers, bidirectional=bidirectional, **network), at=4)


@pytest.mark.parametrize("cell", ["gru", "lstm", "lstm_peephole"])
def test_three_layers_both_ways(cell):
    assert_lens_is_right(*case("many_to_many", PADDED[1:], cell=cell, num_layers=3, bidirectional=True))


@EVERY_NETWORK
def test_upper_layers(network):
    two_way = network["cell"] != "feedforward"
    for rnn_type, layers in (("many_to_one", 1), ("many_to_many", 2)):
        settings = {"output_layers": layers, "bidirectional": two_way, "reduction": "sum", **network}
        assert_lens_is_right(*case(rnn_type, PADDED, **settings))


@pytest.mark.parametrize(("network", "num_layers"), grid(NETWORKS, [1, 2], kept=in_turn), ids=name_of)
def test_one_step(network, num_layers):
    e = Experiment(task="digits", rnn_type="one_to_one", hidden_size=5, num_layers=num_layers, output_layers=1,
                   bidirectional=network["cell"] in ("gru", "lstm_no_forget"), **network)  # fmt: skip
    assert_lens_is_right(lively(e), sample(e, 3, 1), at=0)


@pytest.mark.parametrize(("network", "num_layers"), grid(NETWORKS, [1, 2], kept=in_turn), ids=name_of)
def test_outputs_that_are_fed_back(network, num_layers):
    network = {**network, "window": 1}
    for lengths in (FULL, PADDED):
        assert_lens_is_right(*case("one_to_many", lengths, num_layers=num_layers, embedding_size=3, **network), at=4)
    e = Experiment(task="digit_name", rnn_type="one_to_many", hidden_size=5, output_layers=1, **network)
    batch = sample(e, 3, 4)
    assert len(set(batch.lengths)) > 1
    assert_lens_is_right(lively(e), batch, at=4)


@pytest.mark.parametrize(("network", "num_layers"), grid(NETWORKS, [1, 2], kept=in_turn), ids=name_of)
def test_encoder_and_decoder_on_one_time_axis(network, num_layers):
    settings = {"rnn_type": "encoder_decoder", "hidden_size": 5, "num_layers": num_layers, **network, "window": 1}
    for task, more in (("reverse", {"embedding_size": 3}), ("addition", {"output_layers": 1})):
        e = Experiment(task=task, **settings, **more)
        batch = sample(e, 4, SEED_OF_MANY_LENGTHS)
        assert len(set(batch.lengths)) > 1 and len(set(batch.mask.sum(0))) > 1
        assert_lens_is_right(lively(e), batch)


@pytest.mark.parametrize(("cell", "tbptt"), grid(LINKED_CELLS, [1, 3, 5, 40], kept=in_turn))
def test_truncation_is_exactly_zero_beyond_the_wall(cell, tbptt):
    model, batch = case("many_to_one", np.array([20, 20, 20]), cell=cell, tbptt=tbptt, num_layers=2)
    flow, expected = gradient_flow(model, batch), reference.gradients(model, batch)
    assert_equal(flow.grad_hidden, expected["grad_hidden"])
    beyond = max(0, 20 - tbptt)
    assert np.all(flow.grad_hidden[:, :, :beyond] == 0)
    assert np.all(np.abs(flow.grad_hidden[:, :, beyond:]).sum(-1) > 0)


@pytest.mark.parametrize(("cell", "rnn_type"), grid(LINKED_CELLS, [*TYPES, "one_to_many"], kept=in_turn))
def test_many_truncated_pieces(cell, rnn_type):
    model, batch = case(rnn_type, np.array([20, 13, 4]), cell=cell, tbptt=6)
    assert_equal(gradient_flow(model, batch).grad_hidden, reference.gradients(model, batch)["grad_hidden"])


def test_truncation_of_a_cell_that_is_a_step_with_another_activation():
    model, batch = case("many_to_many", np.array([20, 13]), cell="rnn", nonlinearity="sigmoid", tbptt=6, num_layers=2)
    assert_equal(gradient_flow(model, batch).grad_hidden, reference.gradients(model, batch)["grad_hidden"])


# ---- against finite differences


@pytest.mark.parametrize("rnn_type", TYPES)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstm_peephole"])
def test_gradient_is_the_slope_of_the_loss(cell, rnn_type):
    model, batch = case(rnn_type, np.array([6, 6]), cell=cell)
    assert_slopes(model, batch, gradient_flow(model, batch), [(0, 0, 0, 0), (0, 2, 1, 3), (0, 5, 0, 4)])


@pytest.mark.parametrize("cell", ["lstm", "gru_simple"])
def test_gradient_is_the_slope_of_the_loss_of_an_encoder_decoder(cell):
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2)
    model, batch = lively(e), sample(e, 2, 5)
    last, first = int(batch.lengths[1]) - 1, batch.source_steps
    nudged = [(0, 0, 0, 0), (1, 2, 1, 3), (0, last, 1, 4), (1, first, 1, 2), (0, first + 1, 0, 1)]
    assert_slopes(model, batch, gradient_flow(model, batch), nudged)


def assert_slopes(model: RecurrentNetwork, batch: Batch, flow: GradientFlow, where: list) -> None:
    """Nudge one unit of h_t, run the rest by the textbook loop, see how L moves. where: (layer, t, sequence, unit)."""
    for layer, t, b, unit in where:
        nudge = 1e-5 * torch.eye(5, dtype=torch.float64)[unit]
        with torch.no_grad():
            ends = [float(reference.unroll(model, batch, {(layer, 0, t, b): sign * nudge}).loss()) for sign in (1, -1)]
        slope = (ends[0] - ends[1]) / 2e-5
        assert flow.grad_hidden[layer, 0, t, b, unit] == pytest.approx(slope, abs=1e-8) and abs(slope) > 1e-6


# ---- what is exactly nothing, and what is known in closed form


@pytest.mark.parametrize("output_layers", [0, 2])
@EVERY_NETWORK
def test_a_one_way_network_hears_nothing_of_what_is_to_come(network, output_layers):
    """And a feed-forward one nothing from before its window: there outputs keep every bit, elsewhere they move."""
    model, batch = case("many_to_many", FULL, num_layers=2, output_layers=output_layers, **network)
    for s in range(7):
        changed = batch.inputs.copy()
        changed[s] += 0.5
        with torch.no_grad():
            moved = model(batch) != model(dataclasses.replace(batch, inputs=changed))
        reach = network.get("window", 1) if network["cell"] == "feedforward" else 7
        may = [s <= t < s + reach for t in range(7)]
        assert moved.any(-1).any(-1).tolist() == may or network.get("nonlinearity") == "relu"  # which may be dead
        assert not moved[[not each for each in may]].any()


@EVERY_NETWORK
def test_nothing_goes_through_time_but_by_a_link(network):
    model, batch = case("many_to_many", PADDED, num_layers=2, output_layers=1, **network)
    flow = gradient_flow(model, batch)
    through = flow.grad_hidden != flow.grad_hidden_direct
    assert through.any() == (network["cell"] != "feedforward")
    loss = gradient_flow(model, batch, 4)
    assert loss.grad_hidden[:, :, :4].any() == (network["cell"] != "feedforward")
    assert not loss.grad_hidden[:, :, 5:].any()


def test_constant_error_carousel():
    """With no weights back, dc_T/dc_0 is 1 to the last bit, however far; a forget gate loses half at every step."""
    kept = {}
    for cell in ("lstm_no_forget", "lstm_peephole"):
        model, batch = case("many_to_one", np.array([24, 24]), cell=cell)
        with torch.no_grad():
            for parameter in model.recurrent.parameters():
                parameter.zero_()
        slopes = gradient_flow(model, batch).grad_cell[0, 0]
        assert slopes[-1].all()
        kept[cell] = slopes[0] / slopes[-1]
    assert (kept["lstm_no_forget"] == 1).all()
    assert (kept["lstm_peephole"] == 0.5**23).all()


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_identity_network_takes_the_same_factor_at_every_step(alpha):
    model, batch = case("many_to_one", np.array([24, 24]), cell="rnn", nonlinearity="identity")
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(alpha * torch.eye(5))
    slopes = gradient_flow(model, batch).grad_hidden[0, 0]
    for t in range(24):
        assert np.array_equal(slopes[t], alpha ** (23 - t) * slopes[23])


# ---- numbers too small or too large


def test_exploding_network_within_one_in_a_million():
    lengths = np.array([60, 60])
    e = Experiment(task="adding", cell="rnn", nonlinearity="relu", hidden_size=32, seq_len=60, init="gaussian",
                   init_gain=3.0)  # fmt: skip
    model, batch = build(e).double(), sample(e, 2, 5)
    flow, expected = gradient_flow(model, batch), reference.gradients(model, batch)
    assert np.linalg.norm(expected["grad_hidden"][0, 0, 0]) > 1e6 and lengths.max() == 60
    assert_equal(flow.grad_hidden, expected["grad_hidden"], relative=1e-6)


@pytest.mark.parametrize(("cell", "init_gain"), [("rnn", 1.0), ("rnn", 0.7), ("gru", 1.0), ("lstm", 1.0)])
def test_float32_does_not_underflow(cell, init_gain):
    """A gradient far below float32's smallest number is still a number, and agrees with float64."""
    e = Experiment(cell=cell, hidden_size=16, seq_len=300, init_gain=init_gain)
    batch = sample(e, 4, 1)
    single, double = gradient_flow(build(e), batch).grad_hidden, gradient_flow(build(e).double(), batch).grad_hidden
    first = np.linalg.norm(single[0, 0], axis=-1)
    assert 0 < first[0].max() < 1e-45
    digits = np.log10(first) - np.log10(np.linalg.norm(double[0, 0], axis=-1))
    assert np.abs(digits).max() < 1e-3


def test_float32_does_not_overflow():
    e = Experiment(cell="rnn", hidden_size=64, seq_len=600, init="gaussian", init_gain=3.0)
    grown = gradient_flow(build(e), sample(e, 2, 1)).grad_hidden
    assert np.isfinite(grown).all() and np.linalg.norm(grown[0, 0, 0]) > 1e45


def narrow(weight: float, rnn_type: str, **settings: object) -> RecurrentNetwork:
    """A plain network of which a step back lets through next to nothing: W_hh = weight * I, arguments around 2."""
    e = Experiment(task="sine", rnn_type=rnn_type, cell="rnn", hidden_size=4, seq_len=40, **settings)
    model = build(e)
    with torch.no_grad():
        model.recurrent.weight_hh_l0.copy_(weight * torch.eye(4))
        model.recurrent.bias_ih_l0.fill_(2.0)
    return model


@pytest.mark.parametrize("rnn_type", TYPES)
@pytest.mark.parametrize("weight", [0.3, 0.01, 1e-6])
def test_next_to_nothing_at_every_step_is_not_nothing(weight, rnn_type):
    """A factor of 1e-3 or 1e-7 a step leaves float32 within a few steps, and again below each of two losses."""
    model, swept = narrow(weight, rnn_type), []
    batch = sample(model.experiment, 3, 1)
    if rnn_type == "many_to_many":
        batch.mask[:] = np.isin(np.arange(40), [11, 39])[:, None]
    for each in (model, copy.deepcopy(model).double()):
        with torch.no_grad():
            swept.append(np.abs(gradient_flow(each, batch).grad_hidden[0, 0]).max(-1))
    single, double = swept
    assert (single > 0).all() and double[12].max() < 1e-35
    assert np.abs(np.log10(single) - np.log10(double)).max() < 1e-3


@pytest.mark.parametrize(("nonlinearity", "bias", "most"), [("tanh", 0.0, 40), ("relu", -9.0, 39 * 5)])
def test_an_ordinary_network_is_swept_once_and_a_dead_one_not_for_ever(nonlinearity, bias, most, monkeypatch):
    model, steps, plain = narrow(0.8, "many_to_one", nonlinearity=nonlinearity), [], RNNTrace.backward_sweep
    with torch.no_grad():
        model.recurrent.bias_ih_l0.fill_(bias)
    monkeypatch.setattr(
        RNNTrace, "backward_sweep", lambda *args: (steps.append(args[1].stop - args[1].start), plain(*args))[1]
    )
    flow = gradient_flow(model, sample(model.experiment, 3, 1)).grad_hidden[0, 0]
    assert 16 <= sum(steps) <= most and flow[39].all()
    assert flow.all() if nonlinearity == "tanh" else not flow[:39].any()


def test_rescaling_changes_no_bit():
    """Powers of two are exact: sequences much longer than a block agree with autograd to the last digits."""
    model, batch = case("many_to_one", np.array([60, 60]), task="sine", cell="rnn", init="orthogonal")
    assert len(batch.mask) > 2 * BLOCK
    assert_equal(gradient_flow(model, batch).grad_hidden, reference.gradients(model, batch)["grad_hidden"], 1e-12)


def test_looking_calls_the_model_once_and_changes_nothing():
    e = Experiment(cell="lstm", num_layers=2, dropout=0.5, hidden_size=4, seq_len=5)
    model, calls = build(e), []
    model.train()
    model.register_forward_hook(lambda *_: calls.append("model"))
    model.recurrent.register_forward_hook(lambda *_: calls.append("recurrent"))
    before, random = {k: v.clone() for k, v in model.state_dict().items()}, torch.get_rng_state()
    batch = sample(e, 3, 1)
    first, second = gradient_flow(model, batch), gradient_flow(model, batch)
    assert calls == ["recurrent", "model"] * 2
    assert model.training and all(parameter.grad is None for parameter in model.parameters())
    assert torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(before[k], v) for k, v in model.state_dict().items())
    assert np.array_equal(first.grad_hidden, second.grad_hidden)


def test_reverse_direction_of_many_to_one_enters_at_position_0():
    model, batch = case("many_to_one", np.array([7, 4]), cell="gru", bidirectional=True)
    direct = np.linalg.norm(gradient_flow(model, batch).grad_hidden_direct[0], axis=-1)  # (directions, T, batch)
    assert [np.flatnonzero(direct[0, :, b]).tolist() for b in (0, 1)] == [[6], [3]]
    assert [np.flatnonzero(direct[1, :, b]).tolist() for b in (0, 1)] == [[0], [0]]


def test_a_step_by_step_cell_does_not_underflow_either():
    e = Experiment(cell="gru_simple", hidden_size=8, seq_len=300, init_gain=0.7)
    batch = sample(e, 2, 1)
    single, double = gradient_flow(build(e), batch).grad_hidden, gradient_flow(build(e).double(), batch).grad_hidden
    assert_same_digits(single[0, 0], double[0, 0])


@pytest.mark.parametrize(("cell", "nonlinearity"), [("rnn", "tanh"), ("rnn", "sigmoid"), ("gru", "tanh")])
def test_nothing_is_lost_between_decoder_and_encoder(cell, nonlinearity):
    """Float32, with sequences that cross from their own last steps: the border is a block's end, not a floor."""
    gain = {"tanh": 0.05, "sigmoid": 0.15}[nonlinearity]
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, nonlinearity=nonlinearity, seq_len=20,
                   hidden_size=8, num_layers=2, init_gain=gain, forget_bias=-4.0)  # fmt: skip
    lengths = np.array([20, 17, 20, 16, 3, 1])
    batch = dataclasses.replace(sample(e, 6, 3), mask=np.arange(20)[:, None] < lengths, lengths=lengths)
    longest = lengths == 20
    flows = [gradient_flow(model, batch, "last").grad_hidden[:, 0] for model in (build(e), build(e).double())]
    for single, double in zip(*flows, strict=True):  # layer by layer
        assert_same_digits(single[:, longest], double[:, longest])
        real = np.linalg.norm(double, axis=-1) > 0
        assert np.array_equal(real, np.linalg.norm(single, axis=-1) > 0)
        assert np.array_equal(real, batch.valid)


def assert_same_digits(single: np.ndarray, double: np.ndarray) -> None:
    """The norms (T, sequences) of a float32 sweep are those of a float64 one, far below float32's smallest number."""
    digits = [np.log10(np.linalg.norm(each, axis=-1)) for each in (single, double)]
    assert digits[1][0].max() < -45
    assert np.abs(digits[0] - digits[1]).max() < 1e-3


# ---- gates


GATES = {name: cell.gates for name, cell in CELLS.items() if len(cell.gates) > 1}


@pytest.mark.parametrize("cell", list(GATES))
def test_gates_are_those_of_the_equations(cell):
    """Recorded under the catalogue's names, and they make the recorded states, in an encoder-decoder as well."""
    model, batch = case("many_to_many", np.array([5, 5]), cell=cell)
    assert_gates_make_the_states(model, batch)
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell=cell, hidden_size=5)
    assert_gates_make_the_states(lively(e), dataclasses.replace(sample(e, 2, 1), lengths=np.array([6, 6])))


def assert_gates_make_the_states(model: RecurrentNetwork, batch: Batch) -> None:
    """One layer, one way, no padding: decoder's states follow the encoder's."""
    flow = gradient_flow(model, batch)
    names = RunInfo.of(model.experiment).gates
    assert set(flow.gates) == set(names) == set(GATES[model.experiment.cell])
    gate = {name: values[0, 0] for name, values in flow.gates.items()}
    valid = batch.valid[..., None]
    for name, values in gate.items():
        low = -1 if name in ("candidate", "cell_candidate", "retain_factor") else 0
        unbounded = model.experiment.cell.startswith("linear") and name == "candidate"
        silent = model.experiment.cell == "lstm_layer_norm"  # of an input of 0 at h = 0 nothing is left
        inside = ((values > low) & (values < 1) | unbounded) & ((values != 0) | silent)
        assert inside[valid[..., 0]].all()
    h = flow.hidden[0, 0]
    if "retain_factor" in gate:
        made = gate["retain_factor"] * before(h) + gate["candidate"]
    elif flow.cell is None:
        z, n = gate["update_gate"], gate["candidate"]
        made = (1 - z) * n + z * before(h)  # z near 1 keeps the old state
    else:
        keep = gate.get("forget_gate", 1.0)
        c = keep * before(flow.cell[0, 0]) + gate.get("input_gate", 1 - keep) * gate["cell_candidate"]
        assert np.allclose(flow.cell[0, 0], c * valid, atol=1e-12)
        seen = c
        if model.experiment.cell == "lstm_layer_norm":  # gains and shifts as `lively` left them: 1.5 and 0
            seen = 1.5 * (c - c.mean(-1, keepdims=True)) / np.sqrt(c.var(-1, keepdims=True) + 1e-5)
        made = gate["output_gate"] * np.tanh(seen)
    assert np.allclose(h, made * valid, atol=1e-12)


def before(states: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros_like(states[:1]), states[:-1]])


def test_peepholes_see_the_cell_state():
    """All else zero, a gate is sigmoid(p c): the input and forget gates see the old c, the output gate the new one."""
    model, batch = case("many_to_many", FULL, cell="lstm_peephole")
    layers = model.recurrent
    with torch.no_grad():
        layers.weight_hh_l0.zero_(), layers.bias_hh_l0.zero_(), layers.bias_ih_l0.zero_()
        layers.weight_ih_l0.zero_()
        layers.bias_ih_l0[10:15] = 1.0  # the candidate: tanh(1) is written at every step
        see = layers.weight_ch_l0.numpy().reshape(3, 5)
    flow = gradient_flow(model, batch)
    gate, c = {name: values[0, 0] for name, values in flow.gates.items()}, flow.cell[0, 0]
    for name, vector, seen in (
        ("input_gate", see[0], before(c)),
        ("forget_gate", see[1], before(c)),
        ("output_gate", see[2], c),
    ):
        assert np.allclose(gate[name], 1 / (1 + np.exp(-vector * seen)), atol=1e-12)
