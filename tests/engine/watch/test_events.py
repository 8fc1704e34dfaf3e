"""Who is told what, and when."""

from __future__ import annotations

import ast
import inspect
import warnings

import pytest
import torch
from torch import nn

from engine.watch import mistakes, watch
from engine.watch.events import KINDS


def one_pass(rnn: nn.Module, steps: int = 60) -> None:
    rnn(torch.ones(steps, 2, 3))[0][-1].sum().backward()


def forgetful() -> nn.RNN:
    torch.manual_seed(0)
    rnn = nn.RNN(3, 4)
    with torch.no_grad():
        rnn.weight_hh_l0.mul_(0.2)
    return rnn


def test_a_verdict_is_told_once_for_each_module():
    told, others, every = [], [], []
    model = nn.ModuleList([forgetful(), forgetful()])
    with watch(model, every=1) as lens:
        lens.on("vanished", told.append)
        lens.on("exploding", others.append)
        lens.on("any", every.append)
        for rnn in (model[0], model[0], model[1], model[0]):
            one_pass(rnn)
    assert [(finding.kind, finding.module) for finding in told] == [("vanished", "0"), ("vanished", "1")]
    assert others == [] and every == told
    assert told[0].sentence.startswith("the gradient has vanished: 1 part in ") and "orthogonal_" in str(told[0])


def test_a_mistake_is_told():
    told = []
    rnn = nn.GRU(3, 4)
    with watch(rnn, every=1) as lens:
        lens.on("missing detach", told.append)
        state = None
        with pytest.raises(RuntimeError):
            for _ in range(2):
                output, state = rnn(torch.randn(5, 2, 3), state)
                output.sum().backward()
    assert [finding.kind for finding in lens.mistakes] == ["missing detach"]


def test_the_flow_is_there_when_it_is_told():
    rnn, seen = forgetful(), []
    with watch(rnn, every=1) as lens:
        lens.on("vanished", lambda finding: seen.append(lens.flow(finding.module).backward_pass))
        one_pass(rnn)
    assert seen == [0]


def test_an_unknown_kind():
    lens = watch(nn.GRU(2, 2))
    with pytest.raises(
        ValueError, match=r"kind is 'gone': one of vanished, .*, missing detach, .*, any, change is expected"
    ):
        lens.on("gone", print)


def test_an_error_of_a_callback_does_not_end_the_training_and_is_warned_of_once():
    def fails(_):
        raise ZeroDivisionError("mine")

    model = nn.ModuleList([forgetful(), forgetful()])
    with watch(model, every=1) as lens, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lens.on("any", fails)
        for rnn in model:
            one_pass(rnn)
    assert [str(one.message) for one in caught] == [
        "a callback of lens.on failed at 'vanished': ZeroDivisionError: mine"
    ]
    with watch(model[0], every=1) as lens:
        lens.on("any", fails)  # where warnings are errors
        one_pass(model[0])
    assert lens.cost.looks == 1 and lens.refusals == {}


def test_a_callback_can_stop_the_training():
    def stop(_):
        raise KeyboardInterrupt

    rnn = forgetful()
    with watch(rnn, every=1) as lens, pytest.raises(KeyboardInterrupt):
        lens.on("vanished", stop)
        one_pass(rnn)


def test_a_verdict_does_not_flicker_at_the_edge_of_its_band():
    told = []
    rnn = nn.RNN(1, 1, nonlinearity="relu", bias=False)
    with watch(rnn, every=1) as lens:
        lens.on("change", told.append)
        for ratio in (0.011, 0.009, 0.011, 0.009, 0.001, 0.011, 1.0):
            with torch.no_grad():
                rnn.weight_ih_l0.fill_(1), rnn.weight_hh_l0.fill_(ratio)
            rnn(torch.ones(2, 1, 1))[0][-1].sum().backward()
    assert [finding.kind for finding in told] == ["healthy", "fading", "healthy"]


def test_every_mistake_has_its_kind_in_the_list():
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(mistakes))) if isinstance(node, ast.Call)]
    made = {node.args[0].value for node in calls if getattr(node.func, "id", "") == "Mistake"}
    assert made == set(mistakes.KINDS) and set(mistakes.KINDS) <= set(KINDS)
