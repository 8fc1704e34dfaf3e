"""`watch` on a CUDA device, where cuDNN runs the layers and autograd its hooks on another thread."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from engine.watch import watch

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


class Net(nn.Module):
    """Layers, or a loop over a cell, and an output layer that reads the last state."""

    def __init__(self, recurrent: nn.Module) -> None:
        super().__init__()
        self.recurrent, self.head = recurrent, nn.Linear(recurrent.hidden_size, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if isinstance(self.recurrent, nn.RNNBase):
            return self.head(self.recurrent(x)[0][-1])
        state = None
        for given in x:
            state = self.recurrent(given, state)
        return self.head(state[0] if isinstance(state, tuple) else state)


@contextlib.contextmanager
def tf32(allowed: bool) -> Iterator[None]:
    """Let cuDNN use three digits, or not."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = allowed
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


MADE = {
    "rnn": lambda: nn.RNN(3, 8),
    "gru": lambda: nn.GRU(3, 8, 2, bidirectional=False),
    "lstm": lambda: nn.LSTM(3, 8, 2),
    "cell": lambda: nn.LSTMCell(3, 8),
}


def model(kind: str, device: str = "cuda", dtype: torch.dtype = torch.float32) -> Net:
    torch.manual_seed(0)
    return Net(MADE[kind]()).to(device, dtype)


def sequences(steps: int = 20, batch: int = 4, device: str = "cuda", dtype: torch.dtype = torch.float32):
    return torch.randn(steps, batch, 3, generator=torch.Generator().manual_seed(1)).to(device, dtype)


def trained(net: Net, x: torch.Tensor, updates: int = 3) -> None:
    optimizer = torch.optim.SGD(net.parameters(), 0.1)
    for _ in range(updates):
        optimizer.zero_grad()
        net(x).pow(2).mean().backward()
        optimizer.step()


@pytest.mark.parametrize("kind", MADE)
def test_the_training_is_the_same_to_the_last_bit(kind):
    plain, seen = model(kind), model(kind)
    trained(plain, sequences())
    with watch(seen, every=1) as lens:
        trained(seen, sequences())
    assert lens.refusals == {} and lens.cost.looks == 3
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), seen.parameters(), strict=True))


@pytest.mark.parametrize("dtype, most", [(torch.float64, 1e-12), (torch.float32, 2e-5)])
@pytest.mark.parametrize("kind", MADE)
def test_gradients_are_proved_and_those_of_the_cpu(kind, dtype, most):
    flows = []
    with tf32(allowed=False):
        for device in ("cpu", "cuda"):
            net = model(kind, device, dtype)
            with watch(net, every=1) as lens:
                trained(net, sequences(device=device, dtype=dtype), 1)
            assert lens.refusals == {}
            flows.append(lens.flow())
            lens.frame(requested=["spectrum"])
    here, there = flows
    assert there.proof <= most and not there.is_coarse
    for first, second in ((here.hidden, there.hidden), (here.grad_hidden, there.grad_hidden)):
        assert np.abs(first - second).max() <= max(most, 1e-11) * np.abs(first).max()


def test_tf32_is_said_where_the_training_allows_it():
    said = []
    for allowed in (True, False):
        net = model("lstm")
        with tf32(allowed), watch(net, every=1) as lens:
            trained(net, sequences(), 1)
        said.append("TF32" in str(lens))
        assert lens.refusals == {}
    assert said == [True, False]


def test_dropout_inside_cudnn_is_refused_with_what_helps():
    net = Net(nn.LSTM(3, 8, 2, dropout=0.5)).cuda()
    with watch(net, every=1) as lens:
        trained(net, sequences(), 1)
    assert "dropout" in lens.refusals["recurrent"] and "Watch it on a CPU" in lens.refusals["recurrent"]


def test_a_default_device_is_no_matter():
    torch.set_default_device("cuda")
    try:
        net = model("gru")
        with watch(net, every=1) as lens:
            trained(net, torch.randn(9, 4, 3), 2)
        assert lens.refusals == {} and lens.frame(requested=["spectrum"]).spectrum is not None and str(lens)
    finally:
        torch.set_default_device(None)


def test_a_second_derivative_is_refused_or_is_pytorchs_own_error():
    """cuDNN has none; a loop over a cell has."""
    net = model("cell")
    with watch(net, every=1) as lens:
        loss = net(sequences()).pow(2).mean()
        grads = torch.autograd.grad(loss, list(net.parameters()), create_graph=True)
        sum(grad.pow(2).sum() for grad in grads).backward()
    assert "create_graph" in lens.refusals["recurrent"]


def test_its_share_of_the_time_is_kept():
    """Its own time is what the GPU takes for it: a training with and without the lens, in turns."""
    torch.manual_seed(0)
    net = Net(nn.LSTM(64, 512, 2)).cuda()
    x, optimizer = torch.randn(100, 64, 64, device="cuda"), torch.optim.SGD(net.parameters(), 1e-3)

    def run(seconds: float) -> float:
        torch.cuda.synchronize()
        began, updates = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            optimizer.zero_grad()
            net(x).pow(2).mean().backward()
            optimizer.step()
            updates += 1
            if updates % 10 == 0:  # as where a loss is printed now and then: the GPU works off what was asked of it
                torch.cuda.synchronize()
        torch.cuda.synchronize()
        return updates / (time.perf_counter() - began)

    run(1.0)
    with watch(net) as first:
        run(1.0)  # what is loaded and allocated at the first look
    bare, watched, costs = [], [], [first.cost]
    for _ in range(3):
        bare.append(run(2))
        with watch(net) as lens:
            watched.append(run(2))
        costs.append(lens.cost)
    print("updates/s bare", bare, "watched", watched, "costs", *map(str, costs))
    slower = 1 - np.median(watched) / np.median(bare)
    assert slower <= 0.1 and all(cost.share <= 0.07 for cost in costs[1:])
