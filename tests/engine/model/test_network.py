"""The network is the library's, initialised as the experiment says."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from engine.cells import CELLS
from engine.experiment import CHOICES, Experiment
from engine.layers.step_layers import StepLayers
from engine.model import build
from engine.parameters import in_library, parameter_count
from engine.tasks import NO_SYMBOL, TASKS, Batch, sample
from tests import reference_unroll as reference
from tests.cases import for_each, grid, in_turn

SHAPES = [{}, {"num_layers": 2}, {"bidirectional": True}, {"num_layers": 3, "bidirectional": True}]
LIBRARY = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("cell", list(LIBRARY))
def test_loads_the_librarys_weights_and_gives_the_same_states(cell, shape):
    model = build(Experiment(cell=cell, hidden_size=7, **shape))
    library = LIBRARY[cell](10, 7, **shape)
    model.recurrent.load_state_dict(library.state_dict())
    inputs = torch.randn(5, 3, 10)
    torch.testing.assert_close(model.recurrent(inputs)[0], library(inputs)[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("nonlinearity", CHOICES["nonlinearity"])
@pytest.mark.parametrize("cell", CHOICES["cell"])
def test_in_library_says_whose_layers_train(cell, nonlinearity):
    experiment = Experiment(cell=cell, nonlinearity=nonlinearity, hidden_size=3)
    assert in_library(experiment) == isinstance(build(experiment).recurrent, nn.RNNBase)


# ---- our own layers, held against the library's


@for_each({"cell": LIBRARY, "shape": SHAPES, "begun": [False, True], "packed": [False, True]})
def test_stepwise_layers_are_the_librarys_layers(cell, shape, begun, packed):
    """Names, numbers drawn, outputs, last states and gradients; of packed sequences in no order, too."""
    torch.manual_seed(3)
    library = LIBRARY[cell](4, 6, **shape).double()
    torch.manual_seed(3)
    ours = StepLayers(CELLS[cell], 4, 6, **{"num_layers": 1, **shape}).double()
    assert list(ours.state_dict()) == list(library.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), library.parameters(), strict=True))
    ours.load_state_dict(library.state_dict())
    inputs = torch.randn(5, 3, 4, dtype=torch.float64)
    if packed:
        inputs = pack_padded_sequence(inputs, torch.tensor([2, 5, 3]), enforce_sorted=False)
    rows = ours.num_layers * ours.directions
    first = tuple(torch.randn(rows, 3, 6, dtype=torch.float64) for _ in range(1 + (cell == "lstm")))
    state = (first if cell == "lstm" else first[0]) if begun else None
    results = []
    for layers in (ours, library):
        output, last = layers(inputs, state)
        output = output.data if packed else output
        last = last if cell == "lstm" else (last,)
        total = output.sin().sum() + sum((k + 1) * each.cos().sum() for k, each in enumerate(last))
        results.append([output, *last, *torch.autograd.grad(total, list(layers.parameters()))])
    for a, b in zip(*results, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell not in ("gru", "lstm")], ids=lambda cell: cell)
def test_dropout_acts_between_layers_and_in_training_alone(cell):
    e = Experiment(cell=cell, nonlinearity="sigmoid", num_layers=2, hidden_size=50, dropout=0.5)
    layers, inputs = build(e).recurrent, torch.randn(4, 2, 10)
    assert isinstance(layers, StepLayers)
    below = layers.run(0, 0, inputs)[0]
    kept = []
    hook = layers.run
    layers.run = lambda layer, *rest: (kept.append(rest[1]), hook(layer, *rest))[1]
    layers.train()(inputs)
    assert ((kept[1] == 0) | torch.isclose(kept[1], 2 * below)).all() and 0.3 < (kept[1] == 0).float().mean() < 0.7
    assert torch.equal(layers.eval()(inputs)[0], layers(inputs)[0])
    assert torch.equal(kept[-1], below)


# ---- the loss


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize(
    ("task", "rnn_type"),
    [
        ("first_symbol_recall", "many_to_one"),
        ("adding", "many_to_one"),
        ("characters", "many_to_many"),
        ("stocks", "many_to_many"),
        ("sentiment", "many_to_one"),
        ("teddy", "many_to_many"),
        ("digits", "one_to_one"),
        ("melody", "one_to_many"),
        ("digit_name", "one_to_many"),
        ("reverse", "encoder_decoder"),
        ("addition", "encoder_decoder"),
    ],
)
def test_loss_is_that_of_the_textbook(task, rnn_type, reduction):
    lengths = TASKS[task].lengths
    e = Experiment(task=task, rnn_type=rnn_type, cell="gru", hidden_size=5, reduction=reduction, output_layers=1,
                   seq_len=min(max(lengths.low, 6), lengths.high))  # fmt: skip
    model, batch = build(e).double(), sample(e, 4, 1)
    expected = reference.unroll(model, batch).losses
    assert expected is not None
    assert model.loss(batch).item() == pytest.approx(expected.sum().item() / 4, rel=1e-12)
    weighted = model.loss_per_step(batch) * model.loss_weights(batch)
    torch.testing.assert_close(weighted, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("rnn_type", ["many_to_one", "many_to_many"])
def test_padding_changes_nothing(rnn_type, bidirectional):
    e = Experiment(task="characters", rnn_type=rnn_type, seq_len=9, hidden_size=6, bidirectional=bidirectional)
    model, batch = build(e).double(), sample(e, 1, 4)
    mask = batch.mask.copy()
    mask[5:] = False
    if rnn_type == "many_to_one":
        mask[4] = True
    padded = dataclasses.replace(batch, mask=mask, lengths=np.array([5]))
    short = dataclasses.replace(padded, inputs=batch.inputs[:5], targets=batch.targets[:5], mask=mask[:5])
    assert model.loss(padded).item() == pytest.approx(model.loss(short).item(), rel=1e-9)
    grads = [torch.autograd.grad(model.loss(each), list(model.parameters())) for each in (padded, short)]
    for with_padding, without in zip(*grads, strict=True):
        torch.testing.assert_close(with_padding, without, rtol=1e-9, atol=1e-12)


VARIABLE = [
    ("sentiment", "many_to_one"),
    ("teddy", "many_to_many"),
    ("digit_name", "one_to_many"),
    ("reverse", "encoder_decoder"),
    ("addition", "encoder_decoder"),
]
NETWORKS = [
    {"cell": "lstm"}, {"cell": "gru", "num_layers": 2, "bidirectional": True}, {"cell": "lstm_peephole"},
    {"cell": "gru_simple", "num_layers": 2, "bidirectional": True}, {"cell": "feedforward", "window": 3},
]  # fmt: skip


def alone(batch: Batch, b: int) -> Batch:
    """Sequence b by itself, cut to its own lengths."""
    read, column = int(batch.lengths[b]), slice(b, b + 1)
    length = int(np.flatnonzero(batch.mask[:, b])[-1]) + 1 if batch.source_steps else read
    decoder_inputs = None if batch.decoder_inputs is None else batch.decoder_inputs[:length, column]
    return Batch(batch.inputs[:read, column], batch.targets[:length, column], batch.mask[:length, column],
                 batch.lengths[column], decoder_inputs)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "network", "dtype"), grid(VARIABLE, NETWORKS, [torch.float32, torch.float64], kept=in_turn)
)
def test_a_sequence_in_a_padded_batch_is_the_sequence_alone(kind, network, dtype):
    """Its loss, and the gradient of every weight."""
    task, rnn_type = kind
    if rnn_type in ("one_to_many", "encoder_decoder"):
        network = {**network, "bidirectional": False, "window": 1}
    e = Experiment(task=task, rnn_type=rnn_type, hidden_size=4, output_layers=1, **network)
    model, batch = build(e).to(dtype), sample(e, 7, 20)
    assert len(set(batch.valid.sum(0))) > 1
    losses = (model.loss_per_step(batch) * model.loss_weights(batch)).sum(0)
    assert model.loss(batch).item() == pytest.approx(losses.mean().item(), rel=1e-6)
    tolerance = {"rtol": 1e-9, "atol": 1e-11} if dtype == torch.float64 else {"rtol": 1e-4, "atol": 1e-6}
    for b, loss in enumerate(losses):
        single = model.loss(alone(batch, b))
        torch.testing.assert_close(loss, single, **tolerance)
        grads = [torch.autograd.grad(each, list(model.parameters()), retain_graph=True, materialize_grads=True)
                 for each in (loss, single)]  # fmt: skip
        for padded, cut in zip(*grads, strict=True):
            torch.testing.assert_close(padded, cut, **tolerance)


def test_what_stands_in_the_padding_is_never_read():
    for task, rnn_type in VARIABLE:
        for two_way in (False, True):
            if two_way and rnn_type in ("one_to_many", "encoder_decoder"):
                continue
            e = Experiment(task=task, rnn_type=rnn_type, hidden_size=4, bidirectional=two_way)
            model, batch = build(e), sample(e, 7, 20)
            inputs, padding = batch.inputs.copy(), np.arange(len(batch.inputs))[:, None] >= batch.lengths
            inputs[padding] = 1
            assert torch.equal(model.loss(batch), model.loss(dataclasses.replace(batch, inputs=inputs)))


# ---- training


def test_truncated_training_cuts_the_gradient_but_not_the_state():
    e = Experiment(task="adding", cell="gru", hidden_size=5, seq_len=12)
    whole, cut = build(e).double(), build(e.replace(tbptt=5)).double()
    batch = sample(e, 3, 1)
    assert whole.loss(batch).item() == pytest.approx(cut.loss(batch).item(), rel=1e-12)
    expected = reference.unroll(cut, batch).losses
    assert expected is not None
    (expected.sum() / 3).backward()
    wanted = [parameter.grad.clone() for parameter in cut.parameters()]
    grads = torch.autograd.grad(cut.loss(batch), list(cut.parameters()))
    for a, b in zip(grads, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)
    full = torch.autograd.grad(whole.loss(batch), whole.recurrent.weight_hh_l0)[0]
    assert not torch.allclose(full, grads[1])


def test_same_experiment_same_weights_and_the_global_generator_untouched():
    before = torch.get_rng_state()
    first, second = build(Experiment(seed=4)), build(Experiment(seed=4))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    other = build(Experiment(seed=5))
    assert not torch.equal(first.recurrent.weight_hh_l0, other.recurrent.weight_hh_l0)


def test_initialisations():
    def weight(cell="rnn", **settings):
        return build(Experiment(cell=cell, hidden_size=48, **settings)).recurrent.weight_hh_l0.detach()

    eye = torch.eye(48)
    assert torch.equal(weight(init="identity", init_gain=0.5), 0.5 * eye)
    for block in weight("lstm", init="orthogonal").split(48):
        torch.testing.assert_close(block @ block.T, eye, atol=1e-5, rtol=0)
    for block in weight("gru", init="gaussian", init_gain=3.0).split(48):
        assert block.std().item() == pytest.approx(3 / 48**0.5, rel=0.05)
    assert weight(init="xavier").abs().max().item() <= (6 / 96) ** 0.5
    assert torch.equal(weight(init_gain=2.0), 2 * weight())
    identity = build(Experiment(cell="rnn", init="identity", hidden_size=48)).recurrent
    assert identity.weight_ih_l0.std().item() == pytest.approx(0.001, rel=0.1)
    assert not identity.bias_ih_l0.any() and not identity.bias_hh_l0.any()


def test_the_start_of_the_irnn():
    """Le, Jaitly and Hinton (2015): W_hh the identity, all other weights normal with 0.001, biases 0."""
    drawn = dict(build(Experiment(cell="rnn", hidden_size=48, init="identity", init_all="normal", init_scale=0.001))
                 .named_parameters())  # fmt: skip
    assert torch.equal(drawn.pop("recurrent.weight_hh_l0"), torch.eye(48))
    for name, weights in drawn.items():
        is_bias = "bias" in name
        assert weights.std().item() == (0 if is_bias else pytest.approx(0.001, rel=0.15)), name


def test_the_start_of_min_char_rnn_and_its_forget_bias_of_an_lstm():
    e = Experiment(cell="lstm", hidden_size=48, init_all="normal", init_scale=0.01, forget_bias=1.0, num_layers=2)
    for name, weights in build(e).named_parameters():
        if "bias" not in name:
            assert weights.std().item() == pytest.approx(0.01, rel=0.15), name
        else:
            opened = torch.zeros_like(weights)
            opened[48:96] = 1.0 if "bias_ih" in name else 0.0
            assert torch.equal(weights, opened if "recurrent" in name else torch.zeros_like(weights))


def test_the_start_of_the_word_language_model():
    """pytorch/examples: embedding and head uniform within 0.1, the head's bias 0, all between as PyTorch draws it."""
    e = Experiment(task="characters", rnn_type="many_to_many", embedding_size=24, output_layers=1, num_layers=2)
    plain, drawn = build(e), build(e.replace(init_all="uniform", init_reach="ends", init_scale=0.1))
    for name, weights in drawn.named_parameters():
        before = plain.get_parameter(name)
        if name in ("embedding.weight", "head.weight"):
            assert 0.095 < weights.abs().max() <= 0.1 and weights.std().item() == pytest.approx(0.1 / 3**0.5, rel=0.1)
        else:
            assert torch.equal(weights, torch.zeros_like(weights) if name == "head.bias" else before)


@pytest.mark.parametrize(
    ("cell", "gate"),
    [("lstm", slice(6, 12)), ("gru", slice(6, 12)), ("lstm_peephole", slice(6, 12)), ("gru_simple", slice(0, 6))],
)
def test_forget_bias_is_the_total_of_the_gate_that_keeps(cell, gate):
    plain = build(Experiment(cell=cell, hidden_size=6, num_layers=2, bidirectional=True))
    biased = build(Experiment(cell=cell, hidden_size=6, num_layers=2, bidirectional=True, forget_bias=3.0))
    for suffix in ("_l0", "_l0_reverse", "_l1", "_l1_reverse"):
        total = getattr(biased.recurrent, "bias_ih" + suffix) + getattr(biased.recurrent, "bias_hh" + suffix)
        assert torch.equal(total[gate], torch.full((6,), 3.0))
        weights = [getattr(each.recurrent, "weight_hh" + suffix) for each in (plain, biased)]
        assert torch.equal(*weights)


@pytest.mark.parametrize("embedding_size", [0, 4])
def test_before_the_first_symbol_the_input_is_zero(embedding_size):
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=4, embedding_size=embedding_size)
    batch = sample(e, 3, 2)
    seen = build(e).embed(batch)
    assert (batch.inputs[0] == NO_SYMBOL).all() and not seen[0].any() and seen[1:].any(-1).all()


@pytest.mark.parametrize("settings", [
    {"cell": "rnn"}, {"cell": "gru", "num_layers": 3, "bidirectional": True}, {"cell": "lstm", "embedding_size": 9},
    {"task": "adding", "num_layers": 2}, {"cell": "lstm_peephole", "bidirectional": True, "output_layers": 2},
    {"cell": "feedforward", "window": 5}, {"task": "addition", "rnn_type": "encoder_decoder", "embedding_size": 4},
], ids=str)  # fmt: skip
def test_parameters_are_counted_without_building_the_network(settings):
    e = Experiment(**settings)
    assert parameter_count(e) == sum(parameter.numel() for parameter in build(e).parameters())


def test_causality_of_a_one_way_network():
    e = Experiment(task="stocks", rnn_type="many_to_many", num_layers=2, hidden_size=5, seq_len=6)
    for bidirectional in (False, True):
        model = build(e.replace(bidirectional=bidirectional)).double()
        inputs = torch.randn(6, 1, 1, dtype=torch.float64, requires_grad=True)
        output = model.head(model.recurrent(inputs)[0])
        later = torch.autograd.grad(output[2].sum(), inputs)[0][3:]
        assert bool(later.any()) == bidirectional


@pytest.mark.parametrize("cell", ["lstm_no_forget", "feedforward", "rnn"])
def test_forget_bias_is_nothing_to_a_cell_without_such_a_gate(cell):
    plain, biased = (build(Experiment(cell=cell, hidden_size=6, forget_bias=bias)) for bias in (None, 3.0))
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), biased.parameters(), strict=True))


def test_two_cells_of_one_shape_start_from_the_same_numbers():
    """So a run of one can be compared with a run of the other."""
    first, second = (build(Experiment(cell="rnn", nonlinearity=each, num_layers=2)) for each in ("tanh", "sigmoid"))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_window_is_the_last_inputs_side_by_side():
    e = Experiment(task="characters", rnn_type="many_to_many", cell="feedforward", window=3, seq_len=6)
    model, batch = build(e), sample(e, 2, 1)
    one_hot = np.eye(43)[batch.inputs][..., :42]  # NO_SYMBOL is the last: all zeros
    expected = [np.concatenate([one_hot[s] if s >= 0 else 0 * one_hot[0] for s in (t - 2, t - 1, t)], -1)
                for t in range(6)]  # fmt: skip
    assert np.array_equal(model.embed(batch).numpy(), expected)
