"""Sequences of many lengths: right answers at their own ends, padding after them, and nothing that reads it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.many.many import Many
from engine.tasks import NO_SYMBOL, TASKS, probe, sample
from engine.training import Trainer
from tests.engine.lens.conftest import assert_lens_is_right
from tests.engine.networks import lively

SHORTENED = [(slug, kind) for slug, task in TASKS.items() if task.shorten is not None for kind in task.rnn_types]


def answers(slug: str, seen: np.ndarray) -> np.ndarray:
    """The right target at every step of a sequence without padding, found anew."""
    if slug == "first_symbol_recall":
        return np.full(len(seen), seen[0])
    if slug == "parity":
        return np.array([seen[: t + 1].sum() % 2 for t in range(len(seen))])
    if slug == "xor":
        return np.array([seen[t] != seen[t - 1] for t in range(len(seen))])
    if slug in ("adding", "multiplication"):
        first, second = seen[seen[:, 1] == 1, 0]
        return np.full((len(seen), 1), first + second if slug == "adding" else first * second)
    return np.append(seen[1:, :1], [[np.nan]], 0)  # the next value, which is not seen at the end


@pytest.mark.parametrize(("slug", "kind"), SHORTENED)
def test_each_length_occurs_and_targets_are_right_up_to_it(slug, kind):
    e = Experiment(task=slug, rnn_type=kind, seq_len=9, shortest=4)
    batch, again = sample(e, 200, (0, 1)), sample(e, 200, (0, 1))
    assert set(batch.lengths) == {4, 5, 6, 7, 8, 9} and np.array_equal(batch.inputs, again.inputs)
    padding = np.arange(9)[:, None] >= batch.lengths
    assert (batch.inputs[padding] == (NO_SYMBOL if batch.inputs.ndim == 2 else 0)).all()
    assert np.array_equal(batch.mask.any(0), np.ones(200, bool)) and not batch.mask[padding].any()
    for b, length in enumerate(batch.lengths[:50]):
        asked = np.flatnonzero(batch.mask[:, b])
        assert asked[-1] == length - 1 and (kind == "many_to_many" or len(asked) == 1)
        right, said = answers(slug, batch.inputs[:length, b]), batch.targets[:length, b]
        known = asked[~np.isnan(right[asked].astype(float)).reshape(len(asked), -1).any(1)]
        assert np.allclose(right[known], said[known]) and len(known) >= len(asked) - 1
        if slug in ("adding", "multiplication"):
            first, second = np.flatnonzero(batch.inputs[:, b, 1])
            assert first < length // 2 <= second < length


def test_without_it_no_number_is_drawn_and_the_beginnings_are_the_same():
    whole, some = (sample(Experiment(seq_len=9, shortest=shortest), 20, (0, 3)) for shortest in (0, 4))
    real = np.arange(9)[:, None] < some.lengths
    assert np.array_equal(whole.inputs[real], some.inputs[real]) and (whole.lengths == 9).all()


@pytest.mark.parametrize("settings", [{"cell": "lstm"}, {"cell": "gru", "bidirectional": True, "num_layers": 2}])
@pytest.mark.parametrize(("slug", "kind"), [("first_symbol_recall", "many_to_one"), ("sine", "many_to_many")])
def test_the_lens_is_right_and_exactly_0_in_padding(slug, kind, settings):
    e = Experiment(task=slug, rnn_type=kind, seq_len=8, shortest=3, hidden_size=5, **settings)
    assert_lens_is_right(lively(e), probe(e), at=2 if kind == "many_to_many" else 7)
    trainer = Trainer(e)
    trainer.advance()
    frame = trainer.frame()
    gone = ~frame.valid
    assert not frame.sequence_grad_norm[:, :, gone].any() and not frame.hidden[:, :, gone].any()
    assert not trainer.info.same_lengths and len(set(probe(e).lengths)) > 1


def test_side_by_side_they_are_those_of_their_own_trainers():
    e = Experiment(cell="gru", hidden_size=5, batch_size=4, seq_len=8, shortest=3)
    many, trainers = Many([e, e.replace(seed=1)]), [Trainer(e), Trainer(e.replace(seed=1))]
    for _ in range(3):
        assert np.allclose(many.advance(), [trainer.advance() for trainer in trainers], rtol=1e-5)
