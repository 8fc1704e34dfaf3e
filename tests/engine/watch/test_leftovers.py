"""Gradients that are not cleared: named where an update is made with those of the one before, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from engine.watch import Lens, watch

UNITS, UPDATES = 5, 4
Cleared = Callable[[nn.Module, torch.optim.Optimizer], None]


def trained(clear: Cleared, passes: int = 1, change: Cleared = lambda rnn, optimizer: None, **options) -> Lens:
    """Train a network.

    Args:
        clear: called before each update's first pass. passes: for each update. change: called before each update.
    """
    torch.manual_seed(0)
    rnn, x = nn.LSTM(3, UNITS), torch.randn(6, 4, 3)
    optimizer = torch.optim.SGD(rnn.parameters(), 0.01)
    with watch(rnn, **options) as lens:
        for _ in range(UPDATES):
            clear(rnn, optimizer)
            for _ in range(passes):
                rnn(x)[0].pow(2).mean().backward()
            change(rnn, optimizer)
            optimizer.step()
    return lens


def kinds(lens: Lens) -> list[str]:
    assert lens.refusals == {}
    return [mistake.kind for mistake in lens.mistakes]


def nothing(rnn: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """What is forgotten."""


def zeroed_behind_autograds_back(rnn: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    for weight in rnn.parameters():
        if weight.grad is not None:
            weight.grad.data.zero_()


def decayed(rnn: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Momentum by hand."""
    for weight in rnn.parameters():
        if weight.grad is not None:
            weight.grad.mul_(0.9)


def clipped(rnn: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    nn.utils.clip_grad_norm_(rnn.parameters(), 1e-3)


CLEARED: dict[str, Cleared] = {
    "to none": lambda rnn, optimizer: optimizer.zero_grad(),
    "to zero": lambda rnn, optimizer: optimizer.zero_grad(set_to_none=False),
    "by the model": lambda rnn, optimizer: rnn.zero_grad(),
    "behind autograd's back": zeroed_behind_autograds_back,
    "in part": decayed,
}


@pytest.mark.parametrize("options", [{}, {"every": 1}, {"every": 3}], ids=str)
def test_a_missing_zero_grad(options):
    for change in (nothing, clipped):
        assert kinds(trained(nothing, change=change, **options)) == ["gradients not cleared"]


@pytest.mark.parametrize("passes", [1, 3])
@pytest.mark.parametrize("way", CLEARED)
def test_gradients_that_are_cleared(way, passes):
    """Accumulated over several passes or not."""
    for change in (nothing, clipped):
        assert kinds(trained(CLEARED[way], passes, change, every=1)) == []


def test_networks_that_are_trained_in_turn():
    """The generator's pass adds to the discriminator's gradient, which is cleared before it is used."""
    torch.manual_seed(0)
    both = nn.ModuleDict({"generator": nn.GRU(3, UNITS), "judge": nn.GRU(UNITS, 2)})
    optimizers = {name: torch.optim.SGD(part.parameters(), 0.01) for name, part in both.items()}
    with watch(both, every=1) as lens:
        for _ in range(UPDATES):
            made = both["generator"](torch.randn(6, 4, 3))[0]
            optimizers["judge"].zero_grad()
            both["judge"](made.detach())[0].pow(2).mean().backward()
            optimizers["judge"].step()
            optimizers["generator"].zero_grad()
            both["judge"](made)[0].mean().backward()
            optimizers["generator"].step()
    assert kinds(lens) == []


def test_a_closure_that_is_called_many_times():
    rnn, x = nn.GRU(3, UNITS), torch.randn(6, 4, 3)
    optimizer = torch.optim.LBFGS(rnn.parameters(), max_iter=3)

    def closure():
        optimizer.zero_grad()
        loss = rnn(x)[0].pow(2).mean()
        loss.backward()
        return loss

    with watch(rnn, every=1) as lens:
        for _ in range(UPDATES):
            optimizer.step(closure)
    assert kinds(lens) == []
