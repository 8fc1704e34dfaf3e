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


# ---- several calls in one pass


def cells(kind, read, **options):
    """A loop over a cell that reads the output at some steps; the loss of each step by itself."""
    torch.manual_seed(1)
    cell = kind(3, 5, **options).double()
    x = torch.randn(8, 3, 3, dtype=DOUBLE)

    def losses():
        state, found = None, []
        for t in range(len(x)):
            state = cell(x[t], state)
            h = state[0] if isinstance(state, tuple) else state
            found.append(h.pow(3).sum(-1).mean() if t in read else None)
        return [loss for loss in found if loss is not None]

    return cell, losses


def in_time(log: list[Entry], which: str) -> np.ndarray:
    """(T, B) norms of one-step calls."""
    return np.linalg.norm(np.concatenate([entry.gradient(which)[0, 0] for entry in log if entry.arrived]), axis=-1)


@pytest.mark.parametrize("read", [range(8), [7], [2, 5]])
@pytest.mark.parametrize("kind", [nn.RNNCell, nn.GRUCell, nn.LSTMCell])
def test_one_step_calls_follow_the_last_loss_alone(kind, read):
    cell, losses = cells(kind, read)
    with watch(cell, every=1) as lens:
        sum(losses()).backward()
    chain, look = lens.chain(), lens.frame()
    found = {}
    for name, pick in (("all", sum), ("last", lambda each: each[-1])):
        with unrolled() as log:
            pick(losses()).backward()
        found[name] = {which: in_time(log, which) for which in ("hidden", "cell") if getattr(log[0], which)}
    alone, end = found["last"], max(read)
    close(look.grad_norm[0, 0], np.median(found["all"]["hidden"], -1))
    close(look.sequence_grad_norm[0, 0], found["all"]["hidden"][:, 0])
    close(look.sequence_grad_norm_last[0, 0], alone["hidden"][:, 0])
    memory = alone.get("cell", alone["hidden"])
    close(look.sequence_grad_norm_memory[0, 0], memory[:, 0])
    known = memory if len(read) == 1 else memory[:, :1]  # of many losses the last is followed in the drawn sequence
    close(look.grad_norm_memory[0, 0], np.median(known, -1))
    close(look.ratio[0, 0], np.median(known[0] / known[end]))
    close(look.output_grad_norm, np.median(known[end]))
    memory = memory[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        close(look.factors.factor[0, 0, 1 : end + 1], memory[:end] / memory[1 : end + 1])
    assert [t for t, is_counted in enumerate(chain.counted) if is_counted] == list(read)
    assert chain.enters(0) == end and chain.cuts == () and chain.time_steps == end + 1


def test_where_states_are_changed_between_calls_all_losses_stand_together():
    """What the next call sends back is changed on the way, so that the losses cannot be told apart."""
    cell, x = nn.GRUCell(3, 5).double(), torch.randn(6, 2, 3, dtype=DOUBLE)
    with watch(cell, every=1) as lens:
        h, loss = torch.zeros(2, 5, dtype=DOUBLE), torch.zeros((), dtype=DOUBLE)
        for t in range(6):
            h = cell(x[t], h * 0.9)
            loss = loss + h.pow(2).sum()
        loss.backward()
    look = lens.frame()
    np.testing.assert_array_equal(look.grad_norm_memory, look.grad_norm)
    assert look.diagnosis.kind == "unknown" and "all losses together" in look.diagnosis.sentence


def test_calls_that_begin_anew_are_walls():
    """A Siamese network: the second call is a sequence of its own."""
    rnn = nn.GRU(3, 4).double()
    one, two = torch.randn(8, 2, 3, dtype=DOUBLE), torch.randn(5, 2, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as lens:
        (rnn(one)[1] - rnn(two)[1]).pow(2).sum().backward()
    chain, look = lens.chain(), lens.frame()
    assert chain.cuts == (8,) and chain.enters(0) == 12 and np.isnan(look.factors.factor[0, 0, 8])
    with unrolled() as log:
        (rnn(one)[1] - rnn(two)[1]).pow(2).sum().backward()
    sizes = np.linalg.norm(log[1].gradient("hidden"), axis=-1)[0, 0]
    close(look.ratio[0, 0], np.median(sizes[0] / sizes[-1]))
    assert look.diagnosis.evidence["lag"] == 4
