"""What a lens holds on to: nothing of a forward call without a backward pass, and no tensor once it is closed."""

from __future__ import annotations

import functools
import gc
import types

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from engine.watch import watch
from engine.watch.call import Call
from tests.engine.watch.trainings import DOUBLE, Net, data


def test_nothing_is_left_behind():
    def alive() -> int:
        gc.collect()
        return sum(type(one) is Call for one in gc.get_objects())

    model = Net().double()
    x, y = data()
    before = alive()
    with watch(model, every=1) as lens:
        for _ in range(5):
            model(x)  # never followed by a backward pass
        assert alive() == before
        for _ in range(3):
            mse_loss(model(x), y).backward()
        assert alive() == before
    assert lens.cost.looks == 3


def tensors_held(root: object) -> list[torch.Tensor]:
    """The tensors that an object of the lens holds, however deep; of other people's objects nothing."""
    waiting, seen, found = [root], set(), []
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, torch.Tensor):
            found.append(one)
        elif type(one) in (dict, list, tuple, set, types.CellType, types.MethodType, functools.partial):
            waiting += gc.get_referents(one)
        elif isinstance(one, types.FunctionType):
            waiting += one.__closure__ or ()
        elif type(one).__module__.startswith("engine.watch."):
            waiting += gc.get_referents(one)
    return found


@pytest.mark.parametrize("pause", ["after a pass", "after a forward call", "in a forward call"])
def test_a_closed_lens_holds_no_tensors(pause):
    """However the training stood when it was closed; what it has found is NumPy's."""
    model, x = Net(nn.LSTM, 2, dropout=0.5).double(), data()[0]
    lens = watch(model, every=1)
    model(x)[0].sum().backward()
    lens.state("h", model.head.bias * 1)
    if pause == "after a forward call":
        model(x)
    elif pause == "in a forward call":
        with pytest.raises(RuntimeError):
            model.rnn(torch.randn(7, 4, 9, dtype=DOUBLE))
    assert tensors_held(lens)
    lens.close()
    assert tensors_held(lens) == [] and lens.flow().proof < 1e-9
