"""The map of the symbols: exact where nothing is left out, undistorted by turning, steady while a network learns."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.lens.embedding_map import EmbeddingMap, aligned_to
from engine.training import Trainer

LETTERS = Experiment(
    task="characters", rnn_type="many_to_many", cell="gru", hidden_size=12, seq_len=15, batch_size=16,
    embedding_size=16,
)  # fmt: skip


def distances(positions: np.ndarray) -> np.ndarray:
    return np.linalg.norm(positions[:, None] - positions[None], axis=-1)


def table(symbols: int = 30, size: int = 9) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(symbols, size)).astype(np.float32)


@pytest.mark.parametrize("mirrored", [False, True])
def test_turning_undoes_a_turn_and_keeps_every_distance(mirrored):
    there = np.random.default_rng(1).normal(size=(12, 2))
    turn = np.array([[0.6, -0.8], [0.8, 0.6]]) @ np.diag([1, -1 if mirrored else 1])
    assert np.allclose(aligned_to(there @ turn, there), there)
    other = np.random.default_rng(2).normal(size=(12, 2))
    assert np.allclose(distances(aligned_to(other, there)), distances(other))
    closest = np.linalg.norm(aligned_to(other, there) - there)
    for angle in np.linspace(0, 2 * np.pi, 100):
        for sign in (1, -1):
            matrix = np.array([[np.cos(angle), -np.sin(angle) * sign], [np.sin(angle), np.cos(angle) * sign]])
            assert closest <= np.linalg.norm(other @ matrix - there) + 1e-12


def test_the_two_axes_are_the_widest_and_their_share_is_of_the_variance():
    whole = table()
    result = EmbeddingMap.of(whole)
    variances = np.linalg.eigvalsh(np.cov(whole.T.astype(float)))[::-1]
    assert np.allclose(np.cov(result.embedding.T), np.diag(variances[:2]), atol=1e-5)
    assert result.embedding_share == pytest.approx(variances[:2].sum() / variances.sum())
    assert (distances(result.embedding) <= distances(whole) + 1e-5).all()


def test_a_flat_table_keeps_every_distance_in_two_dimensions():
    flat = np.random.default_rng(3).normal(size=(20, 2)) @ np.linalg.qr(table(7, 7))[0][:2] + 5
    result = EmbeddingMap.of(flat)
    assert np.allclose(distances(result.embedding), distances(flat), atol=1e-5)
    assert result.embedding_share == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 2])
def test_one_or_two_columns_are_shown_as_they_are(size):
    whole = table(size=size)
    result = EmbeddingMap.of(whole, EmbeddingMap.of(-whole))
    assert np.array_equal(result.embedding[:, :size], whole) and not result.embedding[:, size:].any()
    assert result.embedding_share == 1


def test_what_is_not_finite_or_all_alike_has_a_map_too():
    broken = table()
    broken[3, 1] = np.inf
    assert np.isnan(EmbeddingMap.of(broken).embedding).all() and np.isnan(EmbeddingMap.of(broken).embedding_share)
    alike = EmbeddingMap.of(np.ones((4, 5), np.float32), EmbeddingMap.of(table(4, 5)))
    assert np.allclose(alike.embedding, 0) and alike.embedding_share == 0


def test_the_map_does_not_flip_while_a_network_learns():
    trainer = Trainer(LETTERS)
    maps, unturned = [trainer.frame().embedding], [EmbeddingMap.of(weights(trainer)).embedding]
    for _ in range(60):
        trainer.advance()
        maps.append(trainer.frame().embedding)
        unturned.append(EmbeddingMap.of(weights(trainer)).embedding)
    assert largest_leap(maps) < 0.2 < largest_leap(unturned)


def weights(trainer: Trainer) -> np.ndarray:
    return trainer.model.embedding.weight.detach().numpy()


def largest_leap(maps: list[np.ndarray]) -> float:
    """Between two maps one update apart, as a part of their size."""
    return max(float(np.linalg.norm(later - earlier) / np.linalg.norm(earlier)) for earlier, later in pairwise(maps))


def test_a_restored_run_has_the_same_map():
    first, second = Trainer(LETTERS), Trainer(LETTERS)
    for _ in range(8):
        first.advance()
    second.restore(first.checkpoint())
    assert np.array_equal(first.frame().embedding, second.frame().embedding)
    assert first.frame().embedding_share == second.frame().embedding_share


def test_looking_at_the_map_draws_no_random_number_and_changes_no_weight():
    trainer = Trainer(LETTERS)
    state, before = torch.get_rng_state(), weights(trainer).copy()
    frame = trainer.frame()
    assert torch.equal(torch.get_rng_state(), state) and np.array_equal(weights(trainer), before)
    assert frame.embedding.shape == (trainer.model.embedding.num_embeddings, 2)
    assert frame.embedding.dtype == np.float32 and not frame.embedding.flags.writeable


@pytest.mark.parametrize(
    ("changes", "symbols"),
    [
        ({"task": "characters", "rnn_type": "many_to_many"}, None),
        ({"task": "adding"}, None),
        ({"task": "reverse", "rnn_type": "encoder_decoder", "embedding_size": 3}, 8),
    ],
    ids=["one-hot", "values", "the source's"],
)
def test_only_symbols_that_are_embedded_have_a_map(changes, symbols):
    frame = Trainer(Experiment(**changes, hidden_size=3, batch_size=2, seq_len=5)).frame()
    assert (frame.embedding is None) == (frame.embedding_share is None) == (symbols is None)
    assert frame.embedding is None or len(frame.embedding) == symbols
