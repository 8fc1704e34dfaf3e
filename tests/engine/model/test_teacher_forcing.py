"""Networks that hear their own outputs: teacher forcing, running freely, and what lies between."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.model import RecurrentNetwork, build
from engine.model import network as network_module
from engine.tasks import NO_SYMBOL, TASKS, Batch, probe, sample
from engine.training import Trainer
from tests.cases import grid, in_turn
from tests.engine.networks import name_of

KINDS = [
    {"task": "melody", "rnn_type": "one_to_many", "embedding_size": 3, "seq_len": 9},
    {"task": "digit_name", "rnn_type": "one_to_many"},
    {"task": "reverse", "rnn_type": "encoder_decoder"},
    {"task": "addition", "rnn_type": "encoder_decoder", "embedding_size": 3},
]
NETWORKS = [{"cell": "lstm", "num_layers": 2}, {"cell": "gru", "output_layers": 1}, {"cell": "gru_simple"},
            {"cell": "lstm_peephole", "num_layers": 2}, {"cell": "feedforward"}]  # fmt: skip
EVERY_KIND = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["task"])
EVERY_CASE = pytest.mark.parametrize(("kind", "network"), grid(KINDS, NETWORKS, kept=in_turn), ids=name_of)


def case(kind: dict, network: dict, **settings: object) -> tuple[RecurrentNetwork, Batch]:
    """A float64 network that says different things at different steps, and a batch."""
    e = Experiment(**{**kind, **network, **settings}, hidden_size=6, init_gain=2.0, seed=2)
    model = build(e).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 2
    return model, sample(e, 7, 20)


def hearing(model: RecurrentNetwork, batch: Batch, forced: np.ndarray) -> Batch:
    """The batch whose inputs are, by hand, what the network says itself, but for the steps at which it is told.

    told: (T, batch) bool. Each step asks the whole network again, with all the steps before it in place.
    """
    symbols = TASKS[model.experiment.task].output_size
    for t in range(1, len(batch.mask)):
        with torch.no_grad():
            predicted = model.eval()(batch)[t - 1].argmax(-1).numpy()
        if batch.decoder_inputs is not None:
            inputs = batch.decoder_inputs.copy()
            inputs[t] = np.where(forced[t], inputs[t], predicted)
            batch = dataclasses.replace(batch, decoder_inputs=inputs)
            continue
        inputs = batch.inputs.copy()
        if inputs.ndim == 2:
            inputs[t] = np.where(forced[t], inputs[t], predicted)
        else:
            inputs[t, :, -symbols:] = np.where(forced[t][:, None], inputs[t, :, -symbols:], np.eye(symbols)[predicted])
        batch = dataclasses.replace(batch, inputs=inputs)
    return batch


def slopes(model: RecurrentNetwork, loss: torch.Tensor) -> list[torch.Tensor]:
    return list(torch.autograd.grad(loss, list(model.parameters()), materialize_grads=True))


def assert_alike(first: list[torch.Tensor], second: list[torch.Tensor]) -> None:
    for a, b in zip(first, second, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-12)


@EVERY_CASE
def test_running_freely_is_the_loop_that_feeds_back_what_was_said(kind, network):
    model, batch = case(kind, network)
    by_hand = hearing(model, batch, np.zeros_like(batch.mask))
    with torch.no_grad():
        freely, forced, looped = model.generate(batch), model(batch), model(by_hand)
    torch.testing.assert_close(freely, looped, rtol=1e-9, atol=1e-12)
    assert torch.equal(freely[0], forced[0]) or torch.allclose(freely[0], forced[0], rtol=1e-9)  # nothing heard yet
    assert not torch.allclose(freely, forced)


@EVERY_CASE
def test_always_told_trains_on_the_evaluation_loss(kind, network):
    model, batch = case(kind, network)
    state = torch.get_rng_state()
    trained = model.train().loss(batch)
    assert torch.equal(trained, model.eval().loss(batch)) and torch.equal(state, torch.get_rng_state())


@EVERY_CASE
def test_never_told_trains_on_what_it_says_itself(kind, network):
    """The loss is that of running freely, and its gradient goes through no choice of a symbol."""
    model, batch = case(kind, network, teacher_forcing=0.0)
    by_hand = hearing(model, batch, np.zeros_like(batch.mask))
    free = model.train().loss(batch)
    torch.testing.assert_close(free, model._losses(model.generate(batch), batch.targets).mul(
        model.loss_weights(batch)).sum() / 7, rtol=1e-12, atol=0)  # fmt: skip
    assert_alike([free, *slopes(model, free)], [loss := model.eval().loss(by_hand), *slopes(model, loss)])


@pytest.mark.parametrize(
    ("kind", "network", "tbptt"),
    grid(KINDS, NETWORKS, [0, 3], kept=in_turn,
         possible=lambda kind, _, tbptt: not tbptt or kind["rnn_type"] != "encoder_decoder"),
    ids=name_of,
)  # fmt: skip
def test_told_now_and_then(kind, network, tbptt, monkeypatch):
    """With the coins known: each sequence hears the truth where its coin says so, and itself elsewhere."""
    model, batch = case(kind, network, teacher_forcing=0.5, tbptt=tbptt)
    drawn, coin = [], network_module.is_given

    def tossed(row: np.ndarray, forced: float) -> np.ndarray:
        drawn.append(coin(row, forced))
        return drawn[-1]

    monkeypatch.setattr(network_module, "is_given", tossed)
    torch.manual_seed(5)
    mixed = model.train().loss(batch)
    masks = np.stack([each.reshape(7) for each in drawn])
    assert len(masks) == len(batch.mask) - 1 and 0.2 < masks.mean() < 0.8
    loss = model.eval().loss(hearing(model, batch, np.concatenate([masks[:1], masks])))
    assert_alike([mixed, *slopes(model, mixed)], [loss, *slopes(model, loss)])
    torch.manual_seed(5)
    assert torch.equal(mixed, model.train().loss(batch))
    torch.manual_seed(6)
    assert not torch.equal(mixed, model.train().loss(batch))


@EVERY_CASE
def test_who_is_always_right_says_the_same_freely(kind, network):
    """Forced inputs are the previous targets: where those are what the network says, nothing changes."""
    model, batch = case(kind, network)
    right = hearing(model, batch, np.zeros_like(batch.mask))
    with torch.no_grad():
        right = dataclasses.replace(right, targets=model.generate(batch).argmax(-1).numpy())
        forced, freely = model(right), model.generate(right)
    torch.testing.assert_close(forced, freely, rtol=1e-9, atol=1e-12)
    assert np.array_equal(forced.argmax(-1).numpy(), right.targets)
    e = model.experiment
    measured = TASKS[e.task].metric.measure(right, torch.softmax(freely, -1).numpy())
    assert measured == 1


@EVERY_KIND
def test_a_frame_holds_both_and_its_metric_is_of_the_free_one(kind):
    e = Experiment(**kind, hidden_size=8, learning_rate=0.02, batch_size=16)
    trainer, held_out = Trainer(e), probe(e)
    for _ in range(20):
        trainer.advance()
    frame, model, before = trainer.frame(), trainer.model.eval(), held_out.source_steps
    with torch.no_grad():
        outputs = [torch.softmax(each, -1).numpy() for each in (model(held_out), model.generate(held_out))]
    assert np.array_equal(frame.outputs[before:], outputs[0][:, 0])
    assert np.array_equal(frame.free_outputs[before:], outputs[1][:, 0])
    assert frame.metric == TASKS[e.task].metric.measure(held_out, outputs[1])
    assert frame.probe_loss == pytest.approx(model.loss(held_out).item(), rel=1e-6)
    if held_out.decoder_inputs is not None:
        assert np.array_equal(frame.inputs, np.concatenate([held_out.inputs[:, 0], held_out.decoder_inputs[:, 0]]))
        assert frame.inputs[before] == NO_SYMBOL
