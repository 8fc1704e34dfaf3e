"""That the two networks do what the first minute is for: trained as the page trains them, on the sentences it shows."""

from __future__ import annotations

import pytest

from app.first_minute.setup import UPDATES, FirstMinute
from engine.training import Trainer

pytestmark = pytest.mark.full
SEEDS = range(5)


def solved(words: int, lane: int, seed: int | None = None) -> bool:
    """True if a lane, 0 the RNN, has learned it within its updates; with the page's own seed, or another."""
    e = FirstMinute(words).lanes[lane]
    trainer = Trainer(e if seed is None else e.replace(seed=seed))
    while trainer.solved_at is None and trainer.step < UPDATES:
        trainer.advance()
    return trainer.solved_at is not None


@pytest.mark.parametrize("words", [0, 2, 5])
def test_both_learn_a_short_sentence(words):
    assert all(solved(words, lane) for lane in (0, 1))
    assert sum(solved(words, 0, seed) for seed in SEEDS) >= 4


@pytest.mark.parametrize("words", [15, 30])
def test_of_a_long_one_only_the_lstm_learns(words):
    assert not solved(words, 0) and solved(words, 1)
    assert sum(solved(words, 0, seed) for seed in SEEDS) <= 1
    assert sum(solved(words, 1, seed) for seed in SEEDS) >= 4
