"""Forecasts of many series at once are what each alone is forecast."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ask.answering import answer
from engine.ask.forecasting import predict_with
from engine.ask.question import Question, QuestionError
from engine.experiment import Experiment
from engine.training import Trainer

NETWORKS = {
    "many_to_many": {"cell": "gru", "num_layers": 2},
    "many_to_one": {"cell": "lstm", "output_layers": 1},
    "window": {"cell": "feedforward", "window": 3},
}


def trainer_of(name: str, **changes: object) -> Trainer:
    rnn_type = "many_to_one" if name == "many_to_one" else "many_to_many"
    settings = {"task": "sine", "rnn_type": rnn_type, "hidden_size": 5, "seq_len": 12, **NETWORKS[name], **changes}
    trainer = Trainer(Experiment(**settings))
    trainer.advance()
    return trainer


@pytest.mark.parametrize("name", NETWORKS)
def test_they_are_the_answers_of_the_card_for_one(name):
    trainer = trainer_of(name)
    for example in (0, 3):
        trainer.model.eval()
        asked = answer(trainer.model, Question(example=example, steps=6), 1)
        trainer.model.train()
        others = np.random.default_rng(0).normal(size=asked.inputs.shape).astype(np.float32)
        forecast = predict_with(trainer.model)(np.stack([others, asked.inputs, others], axis=1), 6)
        np.testing.assert_allclose(forecast[:, 1], asked.generated_outputs, rtol=1e-4, atol=1e-6)
        assert np.array_equal(forecast[:, 0], forecast[:, 2]) and forecast.shape == (6, 3, 1)
    assert trainer.model.training


def test_one_step_of_a_network_that_reads_both_ways_and_no_more():
    trainer = trainer_of("many_to_one", bidirectional=True)
    inputs = trainer.probe.inputs
    trainer.model.eval()
    expected = trainer.model(trainer.probe)[0].detach().numpy()
    assert np.allclose(predict_with(trainer.model)(inputs, 1)[0], expected, atol=1e-6)
    with pytest.raises(QuestionError, match="reads both ways"):
        predict_with(trainer.model)(inputs, 2)


def test_a_network_that_reads_more_than_it_answers_says_one_step():
    trainer = Trainer(Experiment(task="adding", hidden_size=4, seq_len=9))
    inputs = trainer.probe.inputs
    assert inputs.shape[2] == 2 and predict_with(trainer.model)(inputs, 1).shape == (1, inputs.shape[1], 1)
