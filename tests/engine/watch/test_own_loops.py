"""A recurrence written by hand beside PyTorch's own is not missing from the report without a word."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from engine.watch import Lens, watch

STEPS, BATCH, UNITS = 5, 2, 4


class MyCell(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(3, UNITS), nn.Linear(UNITS, UNITS)

    def forward(self, x, h):
        return torch.tanh(self.x(x) + self.h(h))


class MyRNN(nn.Module):
    """The loop is in its own forward; the state is masked in between."""

    def __init__(self) -> None:
        super().__init__()
        self.x, self.h = nn.Linear(3, UNITS), nn.Linear(UNITS, UNITS)

    def forward(self, x):
        h = x.new_zeros(x.shape[1], UNITS)
        for given in x:
            h = torch.tanh(self.x(given) + self.h(h * 0.5))
        return h


class Attention(nn.Module):
    """A decoder whose attention is asked at every step with the state of a cell of PyTorch's own."""

    def __init__(self) -> None:
        super().__init__()
        self.ask, self.cell, self.norm = nn.Linear(UNITS, 3), nn.GRUCell(3, UNITS), nn.LayerNorm(UNITS)

    def forward(self, x):
        h = x.new_zeros(x.shape[1], UNITS)
        for given in x:
            h = self.norm(self.cell(given + self.ask(h), h))
        return h


class Plain(nn.Module):
    """Layers that are used several times, and carry no memory."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.relu = nn.Linear(3, 3), nn.Linear(3, UNITS), nn.ReLU()

    def forward(self, x):
        parts = [self.relu(self.one(self.relu(given))) for given in x]
        return self.two(self.relu(torch.stack(parts))).sum(0)


class Net(nn.Module):
    def __init__(self, below: nn.Module) -> None:
        super().__init__()
        self.below, self.gru = below, nn.GRU(UNITS, UNITS)

    def forward(self, x, show=lambda _, h: h):
        if not isinstance(self.below, MyCell):
            return self.gru(self.below(x)[None])[0]
        h, states = x.new_zeros(x.shape[1], UNITS), []
        for given in x:
            h = show("mine", self.below(given, h))
            states.append(h)
        return self.gru(torch.stack(states))[0]


def trained(model: nn.Module, lens: Lens | None = None) -> None:
    for _ in range(3):
        args = () if lens is None else (lens.state,)
        model(torch.randn(STEPS, BATCH, 3), *args).pow(2).sum().backward()


@pytest.mark.parametrize("below", [MyCell, MyRNN])
def test_it_is_named_with_what_to_do(below):
    model = Net(below())
    with watch(model, every=1) as lens:
        trained(model)
    name = below.__name__
    assert list(lens.refusals) == [name] and lens.refusals[name].startswith(f"{name} computes step by step")
    assert set(lens.flows) == {"gru"} and "lens.state" in str(lens)


def test_not_where_its_states_are_shown():
    model = Net(MyCell())
    with watch(model, every=1) as lens:
        trained(model, lens)
    assert lens.refusals == {} and set(lens.flows) == {"gru", "mine"}


@pytest.mark.parametrize("below", [Attention, Plain])
def test_nothing_is_said_of_layers_that_carry_no_memory(below):
    model = Net(below())
    with watch(model, every=1) as lens:
        trained(model)
    assert lens.refusals == {}


def test_in_a_script_without_pytorchs_own():
    """In place of: none of PyTorch's recurrent modules was called."""
    model = MyRNN()
    with Lens(None, 0.05, 1, 16, None) as lens:
        trained(model)
    assert list(lens.refusals) == ["MyRNN"]


def test_it_is_searched_for_in_the_first_passes_alone(monkeypatch):
    """Also in a script in which nothing is watched, so that no pass is ever heard of."""
    monkeypatch.setattr("engine.watch.own_loops.MOST_CALLS", 20)
    for model, lens in ((Plain(), Lens(None, 0.05, 1, 16, None)), (gru := Net(Plain()), watch(gru, every=1))):
        trained(model)
        trained(model)
        assert lens._hearing._hooks.any_call is None and lens._hearing.is_armed
        lens.close(warn=False)
