"""Small trainings of one step, for tests of what people do in one."""

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
    return torch.randn(7, 4, 3, dtype=DOUBLE), torch.randn(7, 4, 2, dtype=DOUBLE)


def case(step: Callable, make: Callable[[], nn.Module] = Net):
    """A training of which one step is step(model, x, loss)."""

    def made():
        model = make().double()
        x, y = data()
        return model, lambda: step(model, x, lambda output: mse_loss(output, y))

    return made


def once(model, x, loss):
    loss(model(x)).backward()
