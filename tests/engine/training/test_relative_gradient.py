"""The gradient relative to where a loss enters, against an unrolled loop; and the mean of every matrix."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame import Chain, Frame, RunInfo
from engine.tasks import probe
from engine.training import Trainer
from tests import reference_unroll as reference

NETWORKS = {
    "one answer": {"task": "first_symbol_recall", "cell": "lstm", "seq_len": 9, "num_layers": 2},
    "many answers": {"task": "sine", "rnn_type": "many_to_many", "cell": "rnn", "seq_len": 9},
    "both ways, one answer": {"task": "sentiment", "cell": "gru", "bidirectional": True, "seq_len": 8},
    "both ways, many answers": {
        "task": "entities", "rnn_type": "many_to_many", "cell": "lstm_peephole", "bidirectional": True,
    },
    "encoder-decoder": {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "gru"},
}  # fmt: skip


def expected(frame: Frame, info: RunInfo, model) -> np.ndarray:
    """(3, layers, directions, T), from the gradients of each sequence in an unrolled loop."""
    batch = probe(info.experiment)
    run, columns = reference.unroll(model, batch), np.arange(batch.valid.shape[1])
    name = "grad_cell" if info.memory_symbol == "c" else "grad_hidden"
    result = np.zeros((3, *frame.relative.shape))
    counted = [np.flatnonzero(batch.counted[:, b]) for b in columns]
    for d in range(info.directions):
        last = info.answers_once or d == 0
        norms = np.linalg.norm(run.gradients("last" if last else "first")[name][:, d], axis=-1)  # (layers, T, B)
        enters = [each[-1] if d == 0 else 0 if info.answers_once else each[0] for each in counted]
        parts = norms / norms[:, enters, columns][:, None]
        for t, real in enumerate(batch.valid):
            if real.any():
                result[:, :, d, t] = np.percentile(parts[:, t, real], (25, 50, 75), axis=-1)
    return result


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_it_is_that_of_the_unrolled_network(settings):
    trainer = Trainer(Experiment(hidden_size=5, **settings))
    trainer.advance()
    frame, info = trainer.frame(), trainer.info
    trainer.model.double()
    low, middle, high = expected(frame, info, trainer.model)
    assert frame.relative == pytest.approx(middle, rel=1e-3, abs=1e-12)
    assert frame.relative_low == pytest.approx(low, rel=1e-3, abs=1e-12)
    assert frame.relative_high == pytest.approx(high, rel=1e-3, abs=1e-12)


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_that_of_any_loss_is_that_of_the_unrolled_network(settings):
    trainer = Trainer(Experiment(hidden_size=5, **settings))
    trainer.advance()
    batch, info = trainer.probe, trainer.info
    steps = [t for t, counted in enumerate(batch.counted) if counted.any()]
    followed = [trainer.frame([f"followed:{k}"]).followed for k in (steps[0], steps[len(steps) // 2], steps[-1])]
    run = reference.unroll(trainer.model.double(), batch)
    name = "grad_cell" if info.memory_symbol == "c" else "grad_hidden"
    for reading in followed:
        norms = np.linalg.norm(run.gradients(reading.step - batch.source_steps)[name], axis=-1)
        for layer, d in info.chains:
            enters = 0 if d and info.answers_once else reading.step
            for t in range(info.time_steps):
                having = batch.counted[reading.step] & batch.valid[t]
                ratios = norms[layer, d, t, having] / norms[layer, d, enters, having]
                expected = np.percentile(ratios, (25, 50, 75)) if having.any() else np.zeros(3)
                actual = [each[layer, d, t] for each in (reading.relative_low, reading.relative, reading.relative_high)]
                assert actual == pytest.approx(expected, rel=1e-3, abs=1e-12)
            assert reading.relative[layer, d, enters] == 1


def test_that_of_the_last_loss_is_the_frames_own_and_an_earlier_one_sends_nothing_to_later_steps():
    trainer = Trainer(Experiment(task="sine", rnn_type="many_to_many", cell="lstm", seq_len=9, num_layers=2))
    frame = trainer.frame(["followed:8"])
    assert np.array_equal(frame.followed.relative, frame.relative)
    assert np.array_equal(frame.followed.relative_low, frame.relative_low)
    assert np.array_equal(frame.followed.relative_high, frame.relative_high)
    earlier = trainer.frame(["followed:4"]).followed.relative
    assert not earlier[..., 5:].any() and earlier[..., :5].all() and earlier.dtype == np.float64


def test_where_the_loss_enters_it_is_1_and_at_the_step_that_matters_the_verdicts_ratio():
    for settings in ({"cell": "rnn"}, {"cell": "gru", "num_layers": 2}, {"task": "stocks", "cell": "lstm"}):
        trainer = Trainer(Experiment(**settings))
        frame, info = trainer.frame(), trainer.info
        assert (frame.relative[:, 0, info.enters(0)] == 1).all()
        assert np.array_equal(frame.relative[..., info.enters(0) - info.measured_lag], frame.ratio)
        assert (frame.relative_low <= frame.relative).all() and (frame.relative <= frame.relative_high).all()


def test_the_mean_of_every_matrix():
    trainer = Trainer(Experiment(cell="lstm", num_layers=2, embedding_size=4, output_layers=1))
    trainer.advance()
    sizes, state = trainer.frame().mean_weights, trainer.model.state_dict()
    assert sizes.keys() == {name for name, weights in state.items() if weights.ndim == 2}
    for name, size in sizes.items():
        assert size == pytest.approx(np.abs(state[name].numpy().astype(float)).mean()), name


@pytest.mark.parametrize(
    ("settings", "enters"),
    [
        ({}, (39,)),
        ({"task": "sine", "rnn_type": "many_to_many", "seq_len": 7, "bidirectional": True}, (6, 0)),
        ({"task": "first_symbol_recall", "bidirectional": True, "seq_len": 7}, (6, 0)),
        ({"task": "copy", "rnn_type": "many_to_many", "bidirectional": True}, (15, 13)),
    ],
    ids=str,
)
def test_where_the_followed_loss_enters_each_direction(settings, enters):
    info = RunInfo.of(Experiment(**settings))
    assert tuple(info.enters(d) for d in range(info.directions)) == enters


def test_a_chain_needs_no_experiment():
    """So that somebody else's network can be described."""
    chain = Chain(cell="lstm", nonlinearity="tanh", num_layers=7, directions=2, hidden_size=2000, input_size=3,
                  time_steps=4, valid=(True,) * 4, counted=(False, False, False, True))  # fmt: skip
    assert chain.memory_symbol == "c" and chain.measured_lag == 3 and chain.enters(1) == 3
    assert (
        len(chain.chains) == 14 and chain.showing((6, 1)).shown_chain == (6, 1) and chain.showing((7, 0)).shown is None
    )
