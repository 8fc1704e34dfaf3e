"""How far the gradient comes back, against the plain definition."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.watch import watch
from tests.engine.watch.unrolled import unrolled


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
    for (layer, direction), reach in lens._look(None).reaches.items():
        ways = []
        for row, length in enumerate(lengths.tolist()):
            sizes = np.linalg.norm(flow.last.memory[layer, direction, :length, row], axis=-1)
            ways.append(sizes[1:] if direction else sizes[::-1])  # backwards the last loss is that at step 1
        expected = [np.median([way[d] for way in ways if d < len(way)]) for d in range(max(map(len, ways)))]
        np.testing.assert_allclose(reach.by_distance, expected, rtol=1e-12)
        assert reach.enters == reach.by_distance[0] and reach.places == 2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", [nn.GRUCell, nn.LSTMCell])
def test_a_loop_that_is_called_step_by_step(kind, dtype):
    """Of several losses the last one is followed in one sequence. Rounding is not taken for a loss."""
    tolerance = 1e-4 if dtype == torch.float32 else 1e-9
    for losses in ((4,), (1, 4)):
        torch.manual_seed(0)
        cell, x = kind(3, 4).to(dtype), torch.randn(6, 2, 3, dtype=dtype)

        def read(steps, cell=cell, x=x):
            state, outputs = None, []
            for given in x:
                state = cell(given, state)
                outputs.append(state if kind is nn.GRUCell else state[0])
            return sum(outputs[step].sum() for step in steps)

        with watch(cell, every=1) as lens:
            read(losses).backward()
        with unrolled() as log:
            read([4]).backward()
        (reach,) = lens._look(None).reaches.values()
        memory = "hidden" if kind is nn.GRUCell else "cell"
        sizes = np.linalg.norm(np.concatenate([each.gradient(memory)[0, 0] for each in log[:5]]), axis=-1)
        expected = np.median(sizes, -1) if len(losses) == 1 else sizes[:, 0]
        np.testing.assert_allclose(reach.by_distance, expected[::-1], rtol=tolerance)
        assert (reach.steps, reach.places, reach.is_last_alone) == (4, len(losses), True)
