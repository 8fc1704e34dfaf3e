"""Chain and Look of a watched module: their values are those of a loop that keeps every gradient."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from engine.watch import watch
from tests.engine.watch.unrolled import Entry, unrolled

DOUBLE = torch.float64


def close(mine: np.ndarray, expected: np.ndarray) -> None:
    """Equal to 1e-9 of the largest."""
    np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def last_end(rnn: nn.Module, x):
    """The usual classifier: each direction read where it ends."""
    state = rnn(x)[1]
    h = state[0] if isinstance(state, tuple) else state
    return h[-2:].pow(3).sum(0).sum(-1) if rnn.bidirectional else h[-1].pow(3).sum(-1)


def looped(rnn: nn.Module, loss) -> Entry:
    with unrolled() as log:
        rnn.zero_grad()
        loss().backward()
    return log[-1]


STACKS = {
    "RNN": lambda: nn.RNN(3, 5),
    "RNN of ReLU": lambda: nn.RNN(3, 5, nonlinearity="relu"),
    "GRU": lambda: nn.GRU(3, 5),
    "LSTM": lambda: nn.LSTM(3, 5),
    "LSTM, two layers": lambda: nn.LSTM(3, 5, 2),
    "GRU, two layers, two directions": lambda: nn.GRU(3, 5, 2, bidirectional=True),
    "LSTM, two directions": lambda: nn.LSTM(3, 5, bidirectional=True),
    "LSTM without biases": lambda: nn.LSTM(3, 5, bias=False),
}
LENGTHS = torch.tensor([9, 4, 12, 7])


@pytest.mark.parametrize("is_packed", [False, True])
@pytest.mark.parametrize("name", STACKS)
def test_norms_are_those_of_the_loop(name, is_packed):
    torch.manual_seed(0)
    rnn, x = STACKS[name]().double(), torch.randn(12, 4, 3, dtype=DOUBLE)
    given = pack_padded_sequence(x, LENGTHS, enforce_sorted=False) if is_packed else x
    loss = lambda: last_end(rnn, given).mean()  # noqa: E731
    with watch(rnn, every=1) as lens:
        loss().backward()
    entry, chain, look = looped(rnn, loss), lens.chain(), lens.frame()
    lengths = LENGTHS.numpy() if is_packed else np.full(4, 12)
    valid = np.arange(12)[:, None] < lengths
    drawn = int(lengths.argmax())
    sizes = {
        which: np.linalg.norm(entry.gradient(which), axis=-1) for which in ("hidden", "cell") if getattr(entry, which)
    }
    memory = sizes.get("cell", sizes["hidden"])
    close(look.sequence_grad_norm, sizes["hidden"][..., drawn])
    close(look.grad_norm, np.nanmedian(np.where(valid, sizes["hidden"], np.nan), -1))
    close(look.sequence_grad_norm_memory, memory[..., drawn])
    close(look.grad_norm_memory, np.nanmedian(np.where(valid, memory, np.nan), -1))
    columns = np.arange(4)
    for d in range(chain.directions):
        enters, first = (np.zeros(4, int), lengths - 1) if d else (lengths - 1, np.zeros(4, int))
        assert chain.enters(d) == enters[drawn]
        parts = memory[:, d] / memory[:, d, enters, columns][:, None]
        close(look.ratio[:, d], np.median(parts[:, first, columns], -1))
        expected = np.nanpercentile(np.where(valid, parts, np.nan), [25, 50, 75], axis=-1)
        for mine, each in zip((look.relative_low, look.relative, look.relative_high), expected, strict=True):
            close(mine[:, d], each)
    close(look.output_grad_norm, max(np.median(memory[-1, 0, lengths - 1, columns]),
                                     np.median(memory[-1, -1, 0, columns]) if chain.directions > 1 else 0))  # fmt: skip
    assert chain.valid == tuple(valid[:, drawn]) and chain.same_lengths is (not is_packed)
    assert (chain.lag, chain.first_informative, chain.cuts, chain.answers_once) == (None, 0, (), True)
