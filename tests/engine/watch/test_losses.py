"""The loss: the number that a training differentiates, to the last bit, wherever it can be known."""

from __future__ import annotations

import math
import threading
import traceback
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from engine.recording.growing import read_looks
from engine.watch import Lens, watch


def replaced() -> tuple[Callable, Callable]:
    return torch.autograd.backward, torch.autograd.grad


@pytest.fixture
def rnn() -> nn.GRU:
    before = replaced()
    torch.manual_seed(0)
    yield nn.GRU(3, 4)
    assert replaced() == before


def loss_of(rnn: nn.Module, scale: float = 1.0) -> torch.Tensor:
    return scale * rnn(torch.ones(5, 2, 3))[0].pow(2).mean()


def losses(lens: Lens) -> list[float | None]:
    return [look.loss for look in lens.black_box.looks]


STARTS = {
    "backward": lambda loss, _: loss.backward(),
    "backward, by keywords": lambda loss, _: torch.autograd.backward(tensors=[loss], grad_tensors=[None]),
    "grad": lambda loss, weights: torch.autograd.grad(loss, weights),
    "grad, by keywords": lambda loss, weights: torch.autograd.grad(inputs=weights, outputs=(loss,)),
}
UNKNOWN = {
    "a gradient of its own": lambda loss, _: loss.backward(torch.tensor(3.0)),
    "several numbers": lambda loss, _: (loss * torch.ones(2)).backward(torch.ones(2)),
    "one of them with a gradient": lambda loss, _: torch.autograd.backward([loss, loss * 2], [None, torch.tensor(1.0)]),
    "a place in the graph": lambda loss, _: torch.autograd.backward(torch.autograd.graph.get_gradient_edge(loss)),
    "grad with a gradient of its own": lambda loss, weights: torch.autograd.grad(loss, weights, torch.tensor(2.0)),
}


@pytest.mark.parametrize("way", [*STARTS, *UNKNOWN])
def test_it_is_what_is_differentiated_or_unknown(rnn, way):
    with watch(rnn, every=1) as lens:
        loss = loss_of(rnn)
        (STARTS | UNKNOWN)[way](loss, list(rnn.parameters()))
    assert lens.cost.looks == 1 and lens.loss == (loss.item() if way in STARTS else None)
    assert ("loss:" in str(lens)) is ("watch/loss" in lens.scalars()) is (way in STARTS)


def test_of_several_it_is_the_sum(rnn):
    with watch(rnn, every=1) as lens:
        one, other = loss_of(rnn), loss_of(rnn, 3.0)
        torch.autograd.backward([one, other])
    assert lens.loss == one.item() + other.item()


def test_the_factor_of_a_scaler_is_taken_out(rnn):
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    with watch(rnn, every=1, scaler=scaler) as lens:
        loss = loss_of(rnn)
        scaler.scale(loss).backward()
    assert lens.loss == loss.item()


def test_a_pass_within_a_pass_is_part_of_the_outer_one(rnn):
    """A checkpoint gives the inner pass a gradient, whose loss is the outer one's."""
    with watch(rnn, every=1) as lens:
        given = torch.ones(5, 2, 3, requires_grad=True)
        loss = checkpoint(rnn, given, use_reentrant=True)[0].pow(2).mean()
        loss.backward()
    assert losses(lens) == [loss.item()] and lens.refusals == {}


def test_passes_in_two_threads_at_once_have_no_known_loss(rnn):
    """Which of the two numbers is whose is not known while both run."""
    with watch(rnn, every=1) as lens:

        def other(_: torch.Tensor) -> None:
            thread = threading.Thread(target=lambda: loss_of(rnn, 7.0).backward())
            thread.start()
            thread.join()

        loss = loss_of(rnn)
        loss.register_hook(other)
        loss.backward()
    assert losses(lens) == [None, loss.item()]


def test_it_is_recorded(rnn, tmp_path):
    with watch(rnn, every=1) as lens:
        lens.record(tmp_path / "run.looks")
        expected = []
        for scale in (1.0, math.nan):
            loss = loss_of(rnn, scale)
            loss.backward()
            expected.append(loss.item())
    one, other, end = read_looks((tmp_path / "run.looks").read_bytes())
    assert one.loss == expected[0] and math.isnan(other.loss) and end.loss is None


def test_a_loss_that_is_no_number_is_what_came_first(rnn):
    with watch(rnn, every=1) as lens:
        for scale in (1.0, 1.0, 1e4, math.nan):
            loss_of(rnn, scale).backward()
    story = " ".join(lens.black_box.story)
    assert "1 look before, the loss passed 2.57; in the last it was 2574." in story
    assert "the loss is not finite, though weights, inputs and states are" in story and "log(0)" in story


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_lenses_that_close_in_any_order_put_back_what_was_there(rnn, order):
    lenses = [watch(rnn, every=1), watch(rnn, every=1)]
    loss_of(rnn).backward()
    for k in order:
        lenses[k].close()
    assert lenses[0].loss == lenses[1].loss == loss_of(rnn).item()


def test_what_somebody_else_has_put_in_its_place_stays(rnn):
    theirs = torch.autograd.backward
    lens, calls = watch(rnn, every=1), []
    within = torch.autograd.backward
    torch.autograd.backward = lambda *args, **kwargs: calls.append(within(*args, **kwargs))
    try:
        loss_of(rnn).backward()
        lens.close()
        loss_of(rnn).backward()
        assert len(calls) == 2 and lens.cost.looks == 1
    finally:
        torch.autograd.backward = theirs


def test_an_error_in_a_backward_pass_shows_no_frame_of_the_lens(rnn):
    with pytest.raises(RuntimeError, match="second time") as caught, watch(rnn, every=1, rows=None) as lens:
        loss = loss_of(rnn)
        loss.backward()
        loss.backward()
    assert lens.loss == loss.item()
    shown = "".join(traceback.format_exception(caught.value))
    assert "in backward" in shown and "in guarded" not in shown
