"""Every backward pass is counted, heard of or not, and everything that is trained gets a first look or a sentence."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch
from torch import nn

from engine.watch import Lens, watch
from tests.engine.watch.conftest import assert_same_bits

LITTLE = 1e-9
"""A share of the time that allows no second look."""


class Loop(nn.Module):
    """A cell written by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, 4), nn.Linear(4, 4)

    def forward(self, x: torch.Tensor, lens: Lens | None = None) -> torch.Tensor:
        h = x.new_zeros(x.shape[1], 4)
        for given in x:
            h = torch.tanh(self.one(given) + self.two(h))
            h = h if lens is None else lens.state("h", h)
        return h


def train(model: nn.Module, passes: int, *given: Lens | None, accumulated: int = 1) -> None:
    """Several backward passes, and an update after every `accumulated` of them."""
    optimizer, x = torch.optim.SGD(model.parameters(), 0.1), torch.ones(5, 2, 3)
    for number in range(passes):
        result = model(x, *given)
        (result[0] if isinstance(result, tuple) else result).pow(2).mean().backward()
        if (number + 1) % accumulated == 0:
            optimizer.step()
            optimizer.zero_grad()


def look_now(lens: Lens) -> None:
    """As if the time allowed a look."""
    lens._schedule.seconds = lens._schedule._costs = 0.0


@pytest.mark.parametrize("accumulated", [1, 3])
@pytest.mark.parametrize("make", [lambda: nn.GRU(3, 4), lambda: nn.LSTM(3, 4, 2, bidirectional=True)])
def test_passes_between_two_looks_are_counted(monkeypatch, make, accumulated):
    rnn = make()
    with watch(rnn, share=LITTLE) as lens:
        train(rnn, 12, accumulated=accumulated)
        assert not lens._hearing.is_armed and (lens.cost.looks, lens.cost.passes, lens.cost.last) == (1, 12, 0)
        monkeypatch.setattr(lens._schedule, "would_be_due", lambda: True)
        train(rnn, 4)  # the first of them is not heard: an update brings the hooks back
        assert lens.cost.looks == 4 and lens.flow().backward_pass == lens.frame().step == lens.cost.last == 15
    assert "seen: backward pass 15 of 16 (the first is 0)" in " ".join(str(lens).split())
    assert not any(weight._post_accumulate_grad_hooks for weight in rnn.parameters())


def test_passes_of_a_loop_are_counted_where_its_states_cost_nothing(monkeypatch):
    torch.manual_seed(0)
    plain, model = Loop(), Loop()
    model.load_state_dict(plain.state_dict())
    train(plain, 13)
    with watch(model, share=LITTLE) as lens:
        train(model, 10, lens)
        monkeypatch.setattr(lens._states, "show", lambda *_: pytest.fail("a state was hooked, and no look is due"))
        train(model, 2, lens)
        monkeypatch.undo()
        look_now(lens)
        train(model, 1, lens)
    assert lens.flow("h").backward_pass == 12 and lens.cost.looks == 2 and lens.cost.counts_all
    assert_same_bits(plain, model)


def test_in_a_pass_that_is_not_looked_at_only_its_first_state_costs_more_than_a_set(monkeypatch):
    """A loop that shows its states is as fast as it was: less is done for a state than for any product."""
    model, x = Loop(), torch.ones(50, 2, 3)
    lens, entered = watch(model, share=LITTLE), []
    train(model, 3, lens)
    monkeypatch.setattr(lens._guard, "of", lambda name: entered.append(name) or nullcontext())
    for passes in (1, 2, 3):
        loss = model(x, lens).sum()
        assert entered == ["h"] * passes
        monkeypatch.undo()
        loss.backward()
        monkeypatch.setattr(lens._guard, "of", lambda name: entered.append(name) or nullcontext())
    monkeypatch.undo()
    lens.close()


def test_where_passes_cannot_be_counted_this_is_said():
    """Nothing of the recurrent layer is trained, so that no parameter of it is reached."""
    model = nn.ModuleDict({"first": nn.Linear(3, 3), "rnn": nn.GRU(3, 4).requires_grad_(False)})
    optimizer = torch.optim.SGD(model["first"].parameters(), 0.1)
    with watch(model, share=LITTLE) as lens:
        for _ in range(6):
            model["rnn"](model["first"](torch.ones(5, 2, 3)))[0].sum().backward()
            optimizer.step()
    assert not lens.cost.counts_all and f"of at least {lens.cost.passes}" in " ".join(str(lens).split())
    assert 2 <= lens.cost.passes < 6


def test_every_module_and_every_name_has_a_first_look():
    model = nn.ModuleDict({"a": nn.GRU(3, 4), "b": nn.LSTM(3, 4), "loop": Loop()})
    with watch(model, share=LITTLE) as lens:
        train(model["a"], 5)
        train(model["b"], 5)
        train(model["loop"], 5, lens)
    assert list(lens.flows) == ["a", "b", "h"] and lens.refusals == {} and lens.cost.looks == 3
    assert [flow.backward_pass for flow in lens.flows.values()] == [0, 6, 10]


def test_what_was_trained_without_a_look_is_said():
    """Of a module that is reached by one single pass while nothing is heard; and of one between two looks."""
    model = nn.ModuleDict({"a": nn.GRU(3, 4), "b": nn.LSTM(3, 4)})
    for options in ({"share": LITTLE}, {"every": 100}):
        with watch(model, **options) as lens:
            train(model["a"], 5)
            train(model["b"], 1)
            with pytest.raises(LookupError, match="b: backward passes went through it"):
                lens.flow("b")
            assert "b: backward passes went through it, but none" in lens.refusals["b"]
            with pytest.warns(UserWarning, match="b: backward passes went through it"):
                lens.close()
        assert "b: backward passes went through it" in str(lens) and list(lens.flows) == ["a"]


def test_states_to_which_no_gradient_comes_are_said():
    model = nn.ModuleDict({"rnn": nn.GRU(3, 4), "head": nn.Linear(4, 4)})
    with watch(model, every=1) as lens:
        for _ in range(2):
            output = model["rnn"](torch.ones(5, 2, 3))[0]
            lens.state("h", model["head"](output[-1]))
            output.sum().backward()
        assert lens.refusals == {"h": "h: states were shown, but no gradient ever came back to them."}
        with pytest.warns(UserWarning, match="h: states were shown"):
            lens.close()


def test_a_module_that_no_hook_can_see_does_not_keep_the_hooks_in_place():
    """Called by `forward`, as some do: a first look at it is tried, and then given up."""
    rnn = nn.GRU(3, 4)
    model = nn.ModuleDict({"rnn": rnn, "seen": nn.GRU(3, 4)})
    with pytest.warns(UserWarning, match="seen by no hook"), watch(model, share=LITTLE) as lens:
        train(model["seen"], 3)
        optimizer = torch.optim.SGD(rnn.parameters(), 0.1)
        for _ in range(20):
            rnn.forward(torch.ones(5, 2, 3))[0].sum().backward()
            optimizer.step()
        assert not lens._hearing.is_armed and lens.cost.passes == 23


def test_a_wrong_name_is_answered_with_those_that_there_are():
    model = nn.ModuleDict({"memory": nn.GRU(3, 4), "other": nn.GRU(3, 4)})
    with watch(model, every=1) as lens:
        with pytest.raises(LookupError, match=r"no flow of lstm\. There is: memory, other\."):
            lens.flow("lstm")
        train(model["memory"], 1)
        for ask in (lens.flow, lens.chain, lens.frame, lens.diagnosis):
            with pytest.raises(LookupError, match=r"no flow of lstm\. There is: memory, other\."):
                ask("lstm")
        with pytest.raises(LookupError, match=r"no flow of other\. No backward pass has been looked at yet"):
            lens.flow("other")
        lens.close(warn=False)
