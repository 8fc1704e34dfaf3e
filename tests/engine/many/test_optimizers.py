"""Every optimiser side by side makes the updates of PyTorch's, and goes on in a trainer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.many.many import Many
from engine.many.optimizers import OPTIMIZERS
from engine.many.to_trainer import trainer_checkpoint
from engine.training import Trainer
from engine.training.optimizers import OPTIMIZERS as RULES
from tests.engine.many.test_many import KINDS, different, distance, numbers

EVERY_OPTIMIZER = pytest.mark.parametrize("optimizer", OPTIMIZERS)


@EVERY_OPTIMIZER
def test_its_updates_are_those_of_the_trainers(optimizer):
    experiments = different(**KINDS["values"], cell="gru", optimizer=optimizer, momentum=0.7)
    many, trainers = Many(experiments, torch.float64), [Trainer(e) for e in experiments]
    for trainer in trainers:
        trainer.model.double()
    for _ in range(6):
        np.testing.assert_allclose(many.advance(), [trainer.advance() for trainer in trainers], rtol=1e-9)
    assert distance(many, trainers) < 1e-9


@EVERY_OPTIMIZER
def test_a_network_goes_on_in_a_trainer(optimizer):
    experiments = different(**KINDS["values"], cell="rnn", optimizer=optimizer)
    many, trainer = Many(experiments), Trainer(experiments[1])
    for _ in range(3):
        many.advance()
    trainer.restore(trainer_checkpoint(experiments[1], many.checkpoint(), 1))
    for _ in range(3):
        many.advance()
        trainer.advance()
    assert np.abs(numbers(trainer.model.state_dict()) - numbers(many.state_dict(1))).max() < 1e-6


def test_all_optimisers_of_an_experiment_are_there():
    assert list(OPTIMIZERS) == list(RULES)
