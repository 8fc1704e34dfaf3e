"""The lens on trainings in the styles that people use equals autograd on the loop, and changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests.engine.watch.conftest import Made, assert_exact

DOUBLE, FLOAT = torch.float64, torch.float32
PROOFS = {DOUBLE: 1e-9, FLOAT: 2e-4}


def first(state):
    """h of a state, with a cell state or without."""
    return state[0] if isinstance(state, tuple) else state


def training(model: nn.Module, optimizer: torch.optim.Optimizer, loss) -> Made:
    def step() -> None:
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    return model, step


def many_to_one(dtype, kind=nn.LSTM, **options) -> Made:
    """A classifier that reads out[:, -1]."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn = kind(3, 8, batch_first=True, **options)
            self.head = nn.Linear(self.rnn.proj_size or 8, 2)

        def forward(self, x):
            return self.head(self.rnn(x)[0][:, -1])

    net, x, y = Net().to(dtype), torch.randn(5, 12, 3, dtype=dtype), torch.randn(5, 2, dtype=dtype)
    return training(net, torch.optim.Adam(net.parameters(), 1e-2), lambda: mse_loss(net(x), y))


def packed(dtype, kind=nn.LSTM, layers=2, enforce_sorted=False) -> Made:
    """A tagger and classifier in one: two directions, packed, dropout between the layers, output and h_n read."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.head, self.drop = nn.Embedding(20, 6), nn.Linear(14, 3), nn.Dropout(0.3)
            self.rnn = kind(6, 7, layers, bidirectional=True, dropout=0.4, batch_first=True)

        def forward(self, symbols, lengths):
            given = pack_padded_sequence(
                self.drop(self.embedding(symbols)), lengths, batch_first=True, enforce_sorted=enforce_sorted
            )
            output, state = self.rnn(given)
            h = first(state)
            output, _ = pad_packed_sequence(output, batch_first=True)
            return self.head(self.drop(torch.cat([h[-2], h[-1]], -1) + output.mean(1) * 0.1))

    net = Net().to(dtype)
    lengths = torch.tensor([11, 9, 6, 3, 1] if enforce_sorted else [9, 3, 11, 1, 6])
    symbols, y = torch.randint(20, (5, 11)), torch.randint(3, (5,))
    loss = lambda: cross_entropy(net(symbols, lengths), y)  # noqa: E731
    return training(net, torch.optim.SGD(net.parameters(), 0.1), loss)


def language_model(dtype, kind=nn.GRU, dropout=0.0) -> Made:
    """Carried state, detached between updates, tied embedding, clipped gradient."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(11, 6), kind(6, 6, 2, dropout=dropout)
            self.decoder = nn.Linear(6, 11)
            self.decoder.weight = self.embedding.weight

        def forward(self, x, state):
            output, state = self.rnn(self.embedding(x), state)
            return self.decoder(output), state

    net, data = Net().to(dtype), torch.randint(11, (200, 4))
    optimizer, kept = torch.optim.SGD(net.parameters(), 1.0), {"state": None, "at": 0}

    def step() -> None:
        at, state = kept["at"], kept["state"]
        if state is not None:
            state = tuple(each.detach() for each in state) if isinstance(state, tuple) else state.detach()
        optimizer.zero_grad()
        output, kept["state"] = net(data[at : at + 15], state)
        kept["at"] += 15
        cross_entropy(output.flatten(0, 1), data[at + 1 : at + 16].flatten()).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.25)
        optimizer.step()

    return net, step


def cells(dtype, kind=nn.LSTMCell) -> Made:
    """Two cells in a loop, one above the other, trained by LBFGS; a forecast without gradients in between."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two, self.head = kind(1, 9), kind(9, 9), nn.Linear(9, 1)

        def forward(self, x, future=0):
            zero = torch.zeros(len(x), 9, dtype=x.dtype)
            a = b = (zero, zero) if isinstance(self.one, nn.LSTMCell) else zero
            outputs = []
            for t in range(x.shape[1] + future):
                a = self.one(x[:, t : t + 1] if t < x.shape[1] else outputs[-1], a)
                b = self.two(first(a), b)
                outputs.append(self.head(first(b)))
            return torch.cat(outputs, 1)

    net = Net().to(dtype)
    x = torch.sin(torch.arange(16, dtype=dtype) / 3 + torch.rand(4, 1, dtype=dtype))
    optimizer = torch.optim.LBFGS(net.parameters(), lr=0.8, max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = mse_loss(net(x[:, :-1]), x[:, 1:])
        loss.backward()
        return loss

    def step() -> None:
        optimizer.step(closure)
        with torch.no_grad():
            net(x[:, :5], future=3)

    return net, step


def translation(dtype, kind=nn.GRU, layers=1, dropout=0.0, attention=True) -> Made:
    """Encoder and one-step decoder, with attention or without, fed its own answers now and then."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.source, self.target, self.head = nn.Embedding(12, 5), nn.Embedding(12, 5), nn.Linear(6, 12)
            self.encoder = kind(5, 6, layers, dropout=dropout)
            self.decoder = kind(5 + 6 * attention, 6, layers, dropout=dropout)

        def forward(self, source, target):
            encoded, state = self.encoder(self.source(source))
            x, outputs = target[0], []
            for t in range(1, len(target)):
                given = self.target(x)[None]
                if attention:
                    weights = torch.softmax((encoded * first(state)[-1]).sum(-1), 0)[..., None]
                    given = torch.cat([given, (weights * encoded).sum(0, keepdim=True)], -1)
                output, state = self.decoder(given, state)
                outputs.append(self.head(output[0]))
                x = target[t] if t % 3 else outputs[-1].argmax(-1)
            return torch.stack(outputs)

    net, source, target = Net().to(dtype), torch.randint(12, (8, 4)), torch.randint(12, (10, 4))
    loss = lambda: cross_entropy(net(source, target).flatten(0, 1), target[1:].flatten())  # noqa: E731
    return training(net, torch.optim.Adam(net.parameters(), 1e-2), loss)


CASES = {
    "LSTM": many_to_one,
    "GRU": lambda dtype: many_to_one(dtype, nn.GRU),
    "RNN without biases": lambda dtype: many_to_one(dtype, nn.RNN, bias=False),
    "RNN of ReLU, three layers": lambda dtype: many_to_one(dtype, nn.RNN, nonlinearity="relu", num_layers=3),
    "LSTM with proj_size, two layers": lambda dtype: many_to_one(dtype, proj_size=5, num_layers=2),
    "LSTM with proj_size": lambda dtype: many_to_one(dtype, proj_size=5),
    "packed LSTM": packed,
    "packed and sorted GRU": lambda dtype: packed(dtype, nn.GRU, enforce_sorted=True),
    "packed LSTM, three layers": lambda dtype: packed(dtype, layers=3),
    "language model, GRU": language_model,
    "language model, LSTM with dropout": lambda dtype: language_model(dtype, nn.LSTM, 0.5),
    "loop of LSTMCells": cells,
    "loop of GRUCells": lambda dtype: cells(dtype, nn.GRUCell),
    "loop of RNNCells": lambda dtype: cells(dtype, nn.RNNCell),
    "translation with attention": translation,
    "translation, LSTM with dropout": lambda dtype: translation(dtype, nn.LSTM, 2, 0.5, attention=False),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("name", CASES)
def test_exact_and_the_same_training(name):
    for dtype, tolerance in ((DOUBLE, 1e-9), (FLOAT, 2e-5)):
        assert_exact(lambda dtype=dtype: CASES[name](dtype), tolerance=tolerance, proof=PROOFS[dtype])
    lens = assert_exact(lambda: CASES[name](DOUBLE), steps=3, rows=3)
    assert all(flow.hidden.shape[3] == 3 for flow in lens.flows.values())
