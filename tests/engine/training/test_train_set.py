"""A fixed training set: the same few sequences in every update, and a verdict that says that this was asked for."""

from __future__ import annotations

import numpy as np
import pytest

from app.verdicts import VERDICTS
from engine.experiment import Experiment
from engine.tasks import sample
from engine.training import Trainer
from engine.training.training_data import train_batch, train_set
from tests.engine.conftest import assert_same
from tests.engine.diagnosis.conftest import BAR, judged

SMALL = {"task": "first_symbol_recall", "cell": "rnn", "hidden_size": 16, "seq_len": 6}
TASKS = [("first_symbol_recall", "many_to_one"), ("sentiment", "many_to_one"), ("reverse", "encoder_decoder")]


@pytest.mark.parametrize(("task", "rnn_type"), TASKS)
def test_every_batch_is_some_of_the_set(task, rnn_type):
    e = Experiment(task=task, rnn_type=rnn_type, train_set=12, batch_size=5)
    fixed = train_set(e)
    assert fixed is not None and fixed.inputs.shape[1] == 12
    rows = [each.tobytes() for each in fixed.inputs.T]
    seen = set()
    for step in range(1, 9):
        batch, again = (train_batch(e, step, fixed) for _ in range(2))
        assert np.array_equal(batch.inputs, again.inputs) and batch.inputs.shape[1] == 5
        places = [rows.index(each.tobytes()) for each in batch.inputs.T]
        assert np.array_equal(fixed.targets[:, places], batch.targets)
        assert np.array_equal(fixed.lengths[places], batch.lengths) and len({*places}) == len({rows[p] for p in places})
        seen |= {*places}
    assert seen == {rows.index(each) for each in rows}


def test_a_set_no_larger_than_a_batch_is_read_whole_and_without_one_all_is_new():
    e = Experiment(**SMALL, train_set=5, batch_size=8)
    fixed = train_set(e)
    assert train_batch(e, 1, fixed) is fixed and train_batch(e, 2, fixed) is fixed
    stream = e.replace(train_set=0)
    assert train_set(stream) is None
    assert np.array_equal(train_batch(stream, 3, None).inputs, sample(stream, 8, (0, 3)).inputs)


def test_one_batch_is_learned_by_heart_and_the_verdict_says_that_it_was_asked_for():
    trainer = Trainer(Experiment(**SMALL, train_set=4, learning_rate=0.02))
    for _ in range(150):
        trainer.advance()
    found = trainer.frame().diagnosis
    assert trainer.recent_loss < 0.1 and trainer.frame().probe_loss > BAR
    assert found.kind == "by_heart" and found.cure == {} and VERDICTS[found.kind].severity == "good"
    assert "knows its 4 training sequences by heart, as you asked" in found.sentence


def test_of_new_sequences_and_of_a_set_that_is_not_learned_nothing_changes():
    settings = {"loss": BAR, "step": 300}
    usual = judged(**settings, recent=0.1 * BAR)
    assert usual.kind != "by_heart" and judged(**settings, recent=0.9 * BAR, train_set=4).kind == usual.kind
    assert "is learning" in judged(**settings, recent=0.5 * BAR, train_set=4).sentence
    assert judged(loss=0.001, step=300, recent=0.001, train_set=400).kind == "solved"


def test_a_checkpoint_of_a_fixed_set_goes_on_exactly():
    e = Experiment(**SMALL, train_set=9, batch_size=4)
    straight, first, second = Trainer(e), Trainer(e), Trainer(e)
    for _ in range(3):
        straight.advance()
        first.advance()
    second.restore(first.checkpoint())
    for _ in range(3):
        straight.advance()
        second.advance()
    assert_same(straight.frame(), second.frame())
