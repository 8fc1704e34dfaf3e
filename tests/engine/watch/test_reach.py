"""How far the gradient comes back, against the plain definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.watch import watch
from engine.watch.reach import best_reach, reach_of, reaches_of


def test_norms_by_distance_from_where_the_loss_enters():
    """Packed sequences of different lengths, both directions, losses at the ends and in the middle of each."""
    lengths = torch.tensor([5, 9, 2, 7])
    torch.manual_seed(0)
    rnn = nn.LSTM(3, 4, 2, bidirectional=True).double()
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(9, 4, 3, dtype=torch.float64), lengths, enforce_sorted=False)
    with watch(rnn, every=1) as lens:
        output, _ = nn.utils.rnn.pad_packed_sequence(rnn(packed)[0])
        (output[lengths - 1, torch.arange(4)] ** 2).sum().add((output[1] ** 3).sum()).backward()
    flow = lens.flow()
    for layer, direction, reach in reaches_of(flow):
        ways = []
        for row, length in enumerate(lengths.tolist()):
            sizes = np.linalg.norm(flow.last.memory[layer, direction, :length, row], axis=-1)
            ways.append(sizes[1:] if direction else sizes[::-1])  # backwards the last loss is that at step 1
        expected = [np.median([way[d] for way in ways if d < len(way)]) for d in range(max(map(len, ways)))]
        np.testing.assert_allclose(reach.by_distance, expected, rtol=1e-12)
        assert reach.enters == reach.by_distance[0] and reach.places == 2
    assert best_reach(flow).ratio == max(reach.ratio for _, _, reach in reaches_of(flow))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [nn.GRUCell, nn.LSTMCell])
def test_a_loop_that_is_called_step_by_step(kind, dtype):
    """There the last loss alone is not known: the gradient of all is followed. Rounding is not taken for a loss."""
    torch.manual_seed(0)
    for losses in ((4,), (1, 4)):
        cell, state, read = kind(3, 4).to(dtype), None, []
        with watch(cell, every=1) as lens:
            for _ in range(6):
                state = cell(torch.randn(2, 3, dtype=dtype), state)
                read.append(state if kind is nn.GRUCell else state[0])
            sum(read[step].sum() for step in losses).backward()
        flow = lens.flow()
        reach = reach_of(flow, 0, 0)
        sizes = np.median(np.linalg.norm(flow.memory[0, 0], axis=-1), -1)
        np.testing.assert_allclose(reach.by_distance, sizes[4::-1], rtol=1e-12)
        assert (reach.steps, reach.places, reach.is_last_alone) == (4, len(losses), False)
