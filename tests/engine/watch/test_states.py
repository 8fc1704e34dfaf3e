"""Hand-written loops, of which every state is shown with `lens.state`."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from torch import nn

from engine.watch import Lens, watch

DOUBLE = torch.float64
STEPS, BATCH, UNITS = 7, 4, 5


class Own(nn.Module):
    """A recurrent layer of which nobody knows the cell."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.Linear(3, UNITS), nn.Linear(UNITS, UNITS)
        self.start = nn.Parameter(torch.randn(BATCH, UNITS) / 3)

    def forward(self, x: torch.Tensor, lens: Lens | None = None, kept: list | None = None) -> torch.Tensor:
        h = self.start if lens is None else lens.state("h", self.start)
        states = [h]
        for given in x:
            h = torch.sin(self.one(given) + self.two(h)) + 0.5 * h
            states.append(h if lens is None else lens.state("h", h))
        for state in states if kept is not None else ():
            state.retain_grad()
        if kept is not None:
            kept += states
        return h


@pytest.fixture
def own() -> tuple[Own, torch.Tensor]:
    torch.manual_seed(0)
    return Own().double(), torch.randn(STEPS, BATCH, 3, dtype=DOUBLE)


def expected(model: Own, x: torch.Tensor) -> np.ndarray:
    """(T + 1, B, units): dL/dh_t of autograd itself, the learned start first."""
    kept: list[torch.Tensor] = []
    model.zero_grad()
    model(x, kept=kept).pow(2).sum().backward()
    gradients = torch.stack([state.grad for state in kept]).numpy()
    model.zero_grad()
    return gradients


def test_a_learned_start_has_its_gradient(own):
    model, x = own
    plain = expected(model, x)
    with watch(model, every=1, rows=None) as lens:
        for _ in range(3):
            model(x, lens).pow(2).sum().backward()
    flow = lens.flow("h")
    assert np.abs(plain[0]).max() > 0 and lens.cost.looks == 3
    np.testing.assert_allclose(flow.grad_hidden[0, 0], plain, rtol=1e-12)
    np.testing.assert_array_equal(flow.hidden[0, 0, 0], model.start.detach())


@pytest.mark.parametrize("every", [1, 2])
def test_every_pass_is_counted_looked_at_or_not(own, every):
    model, x = own
    with watch(model, every=every) as lens:
        for _ in range(5):
            model(x, lens).sum().backward()
    assert lens.flow("h").backward_pass == 4 and lens.cost.looks == {1: 5, 2: 3}[every]


def test_by_share_it_looks_again_when_time_allows(own):
    model, x = own
    lens = watch(model, share=1e-9)
    for _ in range(3):
        model(x, lens).sum().backward()
    assert lens.cost.looks == 1
    lens._schedule.seconds = lens._schedule._costs = 0.0
    model(x, lens).sum().backward()
    assert lens.cost.looks == 2 and lens.flow("h").backward_pass == 3
    lens.close()


@pytest.mark.parametrize("end", ["its graph is kept", "its graph is gone", "an error ends it"])
def test_a_forward_call_without_a_backward_pass_does_not_mix_into_the_next(own, end):
    model, x = own
    plain = expected(model, x)
    with watch(model, every=1, rows=None) as lens:
        before = model(x * 2, lens)
        if end == "its graph is gone":
            del before
        elif end == "an error ends it":
            before.register_hook(lambda _: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                before.sum().backward()
        model(x, lens).pow(2).sum().backward()
    assert lens.flow("h").hidden.shape == (1, 1, STEPS + 1, BATCH, UNITS)
    np.testing.assert_allclose(lens.flow("h").grad_hidden[0, 0], plain, rtol=1e-12)


def test_states_without_a_backward_pass_are_not_kept(own):
    model, x = own

    def tensors() -> int:
        gc.collect()
        return sum(type(one) is torch.Tensor for one in gc.get_objects())

    with watch(model, every=1) as lens:
        model(x, lens)
        before = tensors()
        for _ in range(3):
            model(x, lens)
        assert tensors() <= before
        model(x, lens).sum().backward()
    assert lens.refusals == {}


def test_a_state_without_a_gradient_is_said(own):
    with pytest.warns(UserWarning, match="hand-written loop"), watch(own[0], every=1) as lens:
        assert lens.state("h", torch.zeros(2, 3)).shape == (2, 3)
        assert "does not require one" in lens.refusals["h"]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_states_of_half_precision(own, dtype):
    state = torch.arange(6.0).reshape(2, 3).to(dtype).requires_grad_()
    with watch(own[0], every=1) as lens:
        lens.state("h", state * 1).pow(2).sum().backward()
    flow = lens.flow("h")
    assert flow.hidden.dtype == np.float32 and flow.grad_hidden.dtype == np.float64
    np.testing.assert_array_equal(flow.hidden[0, 0, 0], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(flow.grad_hidden[0, 0, 0], [[0, 2, 4], [6, 8, 10]])


class Elsewhere(torch.Tensor):
    """A tensor whose numbers NumPy cannot read, as on a GPU, before `cpu()` or `to("cpu")`."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (torch.Tensor.numpy, torch.Tensor.__array__):
            raise TypeError("can't convert to numpy: use Tensor.cpu() first")
        result = super().__torch_function__(function, types, args, kwargs or {})
        is_brought = function is torch.Tensor.cpu or (function is torch.Tensor.to and "cpu" in args)
        return result.as_subclass(torch.Tensor) if is_brought else result


def test_states_on_a_device_that_numpy_cannot_read(own):
    state = torch.arange(6.0).reshape(2, 3).requires_grad_().as_subclass(Elsewhere)
    with pytest.raises(TypeError):
        state.detach().numpy()
    with watch(own[0], every=1) as lens:
        loss = lens.state("h", state * 1).pow(2).sum()
        loss.as_subclass(torch.Tensor).backward()  # within a method of its own a subclass is not asked
    np.testing.assert_array_equal(lens.flow("h").grad_hidden[0, 0, 0], [[0, 2, 4], [6, 8, 10]])


def test_an_empty_batch_of_states_is_said(own):
    with watch(own[0], every=1) as lens:
        lens.state("h", torch.zeros(0, 3, requires_grad=True) * 1).sum().backward()
    assert lens.refusals["h"] == "h: the batch is empty, and of no sequence there is no gradient to measure."
