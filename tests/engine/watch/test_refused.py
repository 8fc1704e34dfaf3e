"""What no lens can measure exactly: refused with the reason, and the training goes on unchanged."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

from engine.recording.growing import WHOLE_MODEL
from tests.engine.watch.conftest import assert_same_bits, run, watched
from tests.engine.watch.trainings import DOUBLE, Net, case, once


def double_backward(model, x, loss):
    given = x.clone().requires_grad_()
    value = loss(model(given))
    (slope,) = torch.autograd.grad(value, given, create_graph=True)
    (value + slope.pow(2).sum()).backward()


def functional_gradient(model, x, loss):
    weights = dict(model.named_parameters())

    def of_all(weights):
        return loss(torch.func.functional_call(model, weights, (x,)))

    found = torch.func.grad(of_all)(weights)
    for name, weight in model.named_parameters():
        weight.grad = found[name]


def input_reused(model, x, loss):
    """Frozen weights: autograd itself does not need the input and says nothing."""
    model.rnn.requires_grad_(False)
    state = torch.zeros(1, 4, 6, dtype=DOUBLE, requires_grad=True)
    output = model(x, state)
    x.zero_()
    loss(output).backward()


class OwnForward(nn.LSTM):
    """A subclass that computes something else."""

    def forward(self, x, hx=None):
        output, state = super().forward(x, hx)
        return output * 0.5, state


REFUSED = {
    "double backward": (case(double_backward), "create_graph"),
    "torch.func": (case(functional_gradient), r"torch\.func"),
    "its input changed": (case(input_reused), "input was changed in place"),
    "own forward": (case(once, lambda: Net(OwnForward)), "forward of its own"),
}


@pytest.mark.filterwarnings("ignore:rnn was found in the model, but never called")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_reason(name):
    make, reason = REFUSED[name]
    plain, (model, lens) = run(make), watched(make)
    assert_same_bits(plain, model)
    assert set(lens.refusals) == {"rnn"} and lens.flows == {}
    with pytest.raises(LookupError, match=reason):
        lens.flow("rnn")
    assert "not measured: " in str(lens)


def test_weights_used_elsewhere_are_a_refusal_not_a_number():
    def step(model, x, loss):
        (loss(model(x)) + (model.rnn.weight_hh_l0 @ x[0, 0].repeat(2)).sum()).backward()

    lens = watched(case(step))[1]
    assert "used elsewhere" in lens.refusals["rnn"] and lens.flows == {}


def test_the_whole_model_has_one_name():
    """It stands in files, too: who writes or reads it takes it from where such files are described."""
    rooms = ("engine/watch", "engine/recording/growing", "app/watched")
    files = [file for room in rooms for file in (Path(__file__).parents[3] / room).glob("*.py")]
    literals = {
        file: {getattr(node, "value", None) for node in ast.walk(ast.parse(file.read_text()))} for file in files
    }
    assert [file.name for file in files if WHOLE_MODEL in literals[file]] == ["looks.py"]
