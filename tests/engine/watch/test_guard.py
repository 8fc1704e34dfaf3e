"""Whatever goes wrong in the lens, the training goes on as if nobody watched, and the lens says so."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.utils.checkpoint import checkpoint

from engine.watch import watch
from tests.engine.watch.conftest import assert_same_bits

BY_THE_USER = {"Lens._close", "watch"}
"""What the user calls, beside the public methods of a lens."""


class Everything(nn.Module):
    """Fused layers with dropout and a weight that is computed, a cell in a loop, and a loop that nobody knows."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.cell, self.own = nn.LSTM(3, 4, 2, dropout=0.5), nn.LSTMCell(4, 4), nn.Linear(4, 4)
        parametrizations.weight_norm(self.rnn, "weight_hh_l0")

    def forward(self, x: torch.Tensor, show: Callable) -> torch.Tensor:
        state, h = None, torch.zeros(len(x[0]), 4)
        for given in self.rnn(x)[0]:
            state = self.cell(given, state)
            h = show("own", torch.sin(self.own(h) + state[0]))
        return h


def trained(is_watched: bool, watching: Callable[[], None] = lambda: None) -> nn.Module:
    """Two updates, of which the first is looked at. watching: called when the lens is there."""
    torch.manual_seed(0)
    model, x = Everything(), torch.randn(4, 3, 3)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    lens = watch(model, every=2) if is_watched else None
    watching()
    for _ in range(2):
        optimizer.zero_grad()
        model(x, lens.state if lens else lambda _, h: h).pow(2).sum().backward()
        optimizer.step()
    if lens:
        lens.close()
        assert watching is not NOTHING or (lens.refusals == {} and set(lens.flows) == {"rnn", "cell", "own"})
    return model


NOTHING = trained.__defaults__[0]
Place = tuple[object, str, object]
"""Who holds a function, under which name, and the function, or the property that calls it."""


def places() -> dict[types.FunctionType, list[Place]]:
    """Where each function of the lens is held; not those of its guard, and of the clock that the guard reads."""
    modules = [module for name, module in sys.modules.items() if name.startswith("engine.watch.")]
    classes = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    held: dict[types.FunctionType, list[Place]] = {}
    for holder in (*modules, *(each for each in classes if each.__module__.startswith("engine.watch."))):
        for name, value in vars(holder).items():
            function = value.fget if isinstance(value, property) else value
            if isinstance(function, types.FunctionType) and function.__module__.startswith("engine.watch."):
                held.setdefault(function, []).append((holder, name, value))
    return held


UNGUARDED = ("engine.watch.guard", "engine.watch.schedule", "engine.watch.surroundings", "engine.watch.arguments")
"""The guard itself and what it enters, and what tells the user of a wrong argument by raising an error."""


def is_run_in_the_training(function: types.FunctionType) -> bool:
    """True of what is neither the user's to call nor part of the guard itself."""
    owner, _, name = function.__qualname__.rpartition(".")
    by_the_user = function.__qualname__ in BY_THE_USER or (owner == "Lens" and not re.match("_[a-z]", name))
    return not by_the_user and function.__module__ not in UNGUARDED


def test_whichever_function_of_the_lens_fails_the_training_is_the_same_to_the_last_bit(subtests, monkeypatch):
    """Each that the training runs, in turn, raises an error."""
    plain, failing, run = trained(is_watched=False), set(), set()
    watching: list[bool] = []

    def stand_in_for(function: types.FunctionType) -> Callable:
        def stand_in(*args, **kwargs):
            if watching:
                run.add(function)
            if watching and function in failing:
                raise KeyError("mine")
            return function(*args, **kwargs)

        return stand_in

    for function, held in places().items():
        if is_run_in_the_training(function):
            for holder, name, value in held:
                made = stand_in_for(function)
                monkeypatch.setattr(holder, name, property(made) if isinstance(value, property) else made)
    assert_same_bits(plain, trained(True, lambda: watching.append(True)))
    assert len(run) > 50
    for function in sorted(run, key=lambda each: each.__qualname__):
        with subtests.test(function=f"{function.__module__}.{function.__qualname__}"):
            watching.clear()
            failing.clear()
            failing.add(function)
            assert_same_bits(plain, trained(True, lambda: watching.append(True)))


def test_passes_within_passes_however_deep():
    """Re-entrant checkpoints, each of which runs a backward pass within the one around it."""
    torch.manual_seed(0)
    rnn, x = nn.GRU(3, 3).double(), torch.randn(4, 2, 3, dtype=torch.float64, requires_grad=True)

    def nested(depth: int, given: torch.Tensor) -> torch.Tensor:
        if depth:
            given = checkpoint(nested, depth - 1, given, use_reentrant=True)
        return rnn(given)[0]

    nested(12, x).sum().backward()
    plain = [weight.grad for weight in rnn.parameters()]
    rnn.zero_grad()
    with watch(rnn, every=1) as lens:
        nested(12, x).sum().backward()
    assert all(torch.equal(one, weight.grad) for one, weight in zip(plain, rnn.parameters(), strict=True))
    assert lens.refusals == {} and lens.cost.looks == 13 and lens.flow().proof < 1e-9
