"""The sizes of the blocks of weight_hh, as of the last look."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.watch import Lens, watch
from engine.watch.recurrent_weights import BlockSize


def looked_at(rnn: nn.Module) -> Lens:
    with watch(rnn, every=1) as lens:
        rnn(torch.randn(3, 2, 3))[0].sum().backward()
    return lens


def sizes_of(lens: Lens) -> list[BlockSize]:
    return lens._look(None).block_sizes


def test_a_plain_network_has_singular_value_and_eigenvalue():
    """A shear: its eigenvalue is the growth in the long run, its singular value that in one step."""
    rnn = nn.RNN(3, 2)
    with torch.no_grad():
        rnn.weight_hh_l0.copy_(torch.tensor([[-0.5, 2.0], [0.0, 0.25]]))
    lens = looked_at(rnn)
    with torch.no_grad():
        rnn.weight_hh_l0.zero_()  # what was kept is a copy
    (block,) = sizes_of(lens)
    assert block.eigenvalue == pytest.approx(0.5)
    assert block.singular == pytest.approx(np.linalg.svd([[-0.5, 2.0], [0.0, 0.25]])[1][0])
    assert "largest singular value: 2.08; largest |eigenvalue|: 0.50" in str(lens)


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_gates_by_layer_and_direction_and_a_projection():
    rnn = nn.LSTM(3, 5, 2, bidirectional=True, proj_size=4)
    found = sizes_of(looked_at(rnn))
    assert len(found) == 16 and all(block.eigenvalue is None for block in found)
    forget = next(each for each in found if (each.layer, each.direction, each.gate) == (1, 1, "forget_gate"))
    block = rnn.weight_hh_l1_reverse[5:10].detach().double().numpy()
    assert forget.singular == pytest.approx(np.linalg.norm(block, 2))


def test_weights_that_are_no_numbers():
    rnn = nn.RNN(3, 2)
    with torch.no_grad():
        rnn.weight_hh_l0[0, 0] = torch.nan
    (block,) = sizes_of(looked_at(rnn))
    assert np.isnan([block.singular, block.eigenvalue]).all()
