"""Networks as others published them: every field of theirs is a setting here, and such a network trains."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import torch

from app import links
from engine.data import read
from engine.experiment import Experiment, ExperimentError
from engine.tasks import OWN_DATA
from engine.training import Trainer

IRNN = {"cell": "rnn", "nonlinearity": "relu", "hidden_size": 100, "init": "identity", "init_all": "normal",
        "init_scale": 0.001, "optimizer": "sgd", "batch_size": 16, "clip": "norm"}  # fmt: skip

PUBLISHED: dict[str, dict[str, Any]] = {
    # Karpathy's min-char-rnn: one sequence of 25 characters an update, the losses of its steps added up.
    "min-char-rnn": {
        "task": "characters", "rnn_type": "many_to_many", "cell": "rnn", "hidden_size": 100, "seq_len": 25,
        "batch_size": 1, "reduction": "sum", "init_all": "normal", "init_scale": 0.01, "optimizer": "adagrad",
        "learning_rate": 0.1, "clip": "value", "clip_threshold": 5.0, "carry_state": True,
    },
    # The defaults of pytorch/examples/word_language_model, with --tied. Its dropout acts in three places.
    "word_language_model": {
        "task": "characters", "rnn_type": "many_to_many", "cell": "lstm", "hidden_size": 200, "num_layers": 2,
        "embedding_size": 200, "tied_weights": True, "dropout": 0.2, "input_dropout": 0.2, "head_dropout": 0.2,
        "optimizer": "sgd", "learning_rate": 20.0, "clip": "norm", "clip_threshold": 0.25, "seq_len": 35,
        "batch_size": 20, "init_all": "uniform", "init_scale": 0.1, "init_reach": "ends", "schedule": "plateau",
        "schedule_steps": 2983, "schedule_factor": 0.25, "carry_state": True,
    },
    # Le, Jaitly and Hinton (2015), section 4.1, at a length of 150.
    "adding, IRNN": {"task": "adding", "seq_len": 150, "learning_rate": 0.01, "clip_threshold": 100.0, **IRNN},
    "adding, LSTM": {
        "task": "adding", "seq_len": 150, "cell": "lstm", "hidden_size": 100, "forget_bias": 1.0, "optimizer": "sgd",
        "batch_size": 16, "learning_rate": 0.01, "clip": "norm", "clip_threshold": 10.0,
    },
    # The same on digits read pixel by pixel: here the small ones; the large ones below.
    "pixels, IRNN": {"task": "digits_by_pixel", "learning_rate": 1e-8, "clip_threshold": 1.0, **IRNN},
}  # fmt: skip


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_link_opens_it_and_it_trains(name):
    e = Experiment(**PUBLISHED[name])
    assert all(getattr(e, field) == value for field, value in PUBLISHED[name].items())
    link, refused = {field: str(value) for field, value in PUBLISHED[name].items()}, dict[str, str]()
    assert links.apply_link(Experiment(), link, refused) == e and not refused
    trainer = Trainer(e)
    before = [weights.clone() for weights in trainer.model.parameters()]
    assert np.isfinite(trainer.advance())
    assert any(not torch.equal(*pair) for pair in zip(before, trainer.model.parameters(), strict=True))


def test_its_variants_of_650_and_1500_units_are_settings_too():
    """The larger one takes a GPU: what an update costs says so, not a range."""
    wide = {units: {"hidden_size": units, "embedding_size": units} for units in (650, 1500)}
    plain = PUBLISHED["word_language_model"]
    assert Experiment(**plain | wide[650]).hidden_size == 650
    assert Experiment(**plain | wide[1500], device="cuda").hidden_size == 1500
    with pytest.raises(ExperimentError, match=r"at most 2e\+10 multiply-adds .* on one CPU core \(this one: 7\.6e\+10"):
        Experiment(**plain | wide[1500])


def test_the_irnn_reads_784_pixels_of_ones_own():
    chance = np.random.default_rng(0)
    file = io.BytesIO()
    np.savez(file, x=chance.random((40, 784, 1), np.float32), y=np.arange(40) % 10)
    dataset = read(file.getvalue(), "sequences", thin=1)
    e = Experiment(task=OWN_DATA, task_options=dataset.options, rnn_type="many_to_one", learning_rate=1e-8,
                   clip_threshold=1.0, held=dataset.to_task(), **IRNN)  # fmt: skip
    trainer = Trainer(e)
    assert e.seq_len == 784 and np.isfinite(trainer.advance())
    assert trainer.frame().hidden.shape == (1, 1, 784, 100)
