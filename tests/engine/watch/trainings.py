"""Small trainings for tests of what people do in a step."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.functional import mse_loss

DOUBLE = torch.float64


class Net(nn.Module):
    """A recurrent layer and an output layer."""

    def __init__(self, kind=nn.GRU, layers=1, **options) -> None:
        super().__init__()
        self.rnn, self.head = kind(3, 6, layers, **options), nn.Linear(6, 2)

    def forward(self, x, state=None):
        return self.head(self.rnn(x, state)[0])


def data() -> tuple[torch.Tensor, torch.Tensor]:
    """Inputs (T, B, 3) and targets (T, B, 2) for a `Net`."""
    return torch.randn(7, 4, 3, dtype=DOUBLE), torch.randn(7, 4, 2, dtype=DOUBLE)


def case(step: Callable, make: Callable[[], nn.Module] = Net):
    """A training of which one step is step(model, x, loss)."""

    def made():
        model = make().double()
        x, y = data()
        return model, lambda: step(model, x, lambda output: mse_loss(output, y))

    return made


def once(model, x, loss):
    """One forward and one backward pass."""
    loss(model(x)).backward()


def trained(rnn: nn.Module, steps: int, x: torch.Tensor, optimizer: torch.optim.Optimizer | None = None) -> None:
    """Train a module to give zeros; without an optimizer, behind autograd's back."""
    for _ in range(steps):
        rnn.zero_grad()
        rnn(x)[0].pow(2).mean().backward()
        if optimizer is None:
            for weight in rnn.parameters():
                weight.data.add_(weight.grad, alpha=-0.1)
        else:
            optimizer.step()
