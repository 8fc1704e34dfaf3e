"""What people do with recurrent modules that could make a lens wrong: exact there, too."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import dropout, mse_loss
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

from engine.watch import watch
from tests.engine.watch.conftest import assert_exact, assert_flows_equal, assert_same_bits, looped, run, watched
from tests.engine.watch.trainings import DOUBLE, Net, case, data, once
from tests.engine.watch.unrolled import unrolled


def two_forwards(model, x, loss):
    (loss(model(x)) + loss(model(x * 2))).backward()


def accumulated(model, x, loss):
    loss(model(x)).backward()
    loss(model(x * 2)).backward()


def evaluated_between(model, x, loss):
    output = model(x)
    model.eval()
    model(x * 3)
    with torch.no_grad():
        model(x)
    with torch.inference_mode():
        model(x)
    model.train()
    loss(output).backward()


def scaled_in_place(model, x, loss):
    output, _ = model.rnn(x)
    output.mul_(0.5)
    loss(model.head(output)).backward()


def clamped_by_hook(model, x, loss):
    output, _ = model.rnn(x)
    output.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))
    loss(model.head(output)).backward()


def clamped_between_steps(model, x, loss):
    state, outputs = None, []
    for t in range(7):
        output, state = model.rnn(x[t : t + 1], state)
        state.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))
        outputs.append(output)
    loss(model.head(torch.cat(outputs))).backward()


def masked_between_steps(model, x, loss):
    """As in reinforcement learning: the state is set to zero where an episode ends; the batch shrinks, too."""
    state, total = None, 0.0
    for t in range(7):
        size = 4 - t // 3
        if state is not None:
            state = state[:, :size] * (torch.arange(size)[:, None] != t % 4)
        output, state = model.rnn(x[t : t + 1, :size], state)
        total = total + model.head(output).pow(2).mean()
    total.backward()


def carried_and_cut(model, x, loss):
    state, outputs = None, []
    for part in x.split(3):
        output, state = model.rnn(part, None if state is None else state.detach())
        outputs.append(output)
    loss(model.head(torch.cat(outputs))).backward()


def unbatched(model, x, loss):
    model(x[:, 0], torch.ones(1, 6, dtype=DOUBLE)).pow(2).mean().backward()


def state_by_keyword(model, x, loss):
    loss(model.head(model.rnn(input=x, hx=torch.ones(1, 4, 6, dtype=DOUBLE))[0])).backward()


def learned_state(model, x, loss):
    loss(model(x, model.state.expand(1, 4, 6))).backward()


def penalised(model, x, loss):
    (loss(model(x)) + 0.1 * sum(weight.pow(2).sum() for weight in model.parameters())).backward()


def stacked(model, x, loss):
    loss(model.head(model.two(model.rnn(x)[0])[0])).backward()


def after_an_error(model, x, loss):
    output = model(x)
    output.register_hook(_raises)
    with pytest.raises(RuntimeError, match="mine"):
        output.sum().backward()
    model.zero_grad()
    loss(model(x)).backward()


def _raises(gradient):
    raise RuntimeError("mine")


def ends_only(model, x, loss):
    _, (h, c) = model.rnn(x)
    (h[-1].pow(2).mean() + c[0].sum()).backward()


def weight_norm_model() -> nn.Module:
    model = Net()
    parametrizations.weight_norm(model.rnn, "weight_hh_l0")
    return model


def spectral_norm_model() -> nn.Module:
    model = Net(nn.RNN)
    parametrizations.orthogonal(model.rnn, "weight_hh_l0", orthogonal_map="householder")
    return model


def pruned_model() -> nn.Module:
    model = Net()
    prune.l1_unstructured(model.rnn, "weight_hh_l0", 0.5)
    return model


class WeightDrop(nn.Module):
    """As in AWD-LSTM: before each call the weight is set to one that is computed."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module, self.raw = module, nn.Parameter(module.weight_hh_l0.data)
        del module._parameters["weight_hh_l0"]
        module.weight_hh_l0 = self.raw.detach().clone()
        module.flatten_parameters = lambda: None

    def forward(self, *args):
        self.module.weight_hh_l0 = dropout(self.raw, 0.5, self.training)
        return self.module(*args)


def weight_drop_model() -> nn.Module:
    model = Net(nn.LSTM)
    model.rnn = WeightDrop(model.rnn.double())
    return model


def tied_model() -> nn.Module:
    model = Net()
    model.two = nn.GRU(6, 6)
    model.two.weight_hh_l0 = model.rnn.weight_hh_l0
    return model


def with_state() -> nn.Module:
    model = Net()
    model.state = nn.Parameter(torch.randn(1, 1, 6))
    return model


def two_layers() -> nn.Module:
    return Net(nn.LSTM, 2)


EXACT = {
    "two forwards, one backward": case(two_forwards),
    "evaluation in between": case(evaluated_between),
    "output changed in place": case(scaled_in_place),
    "the user's hook clamps": case(clamped_by_hook),
    "the user's hook clamps between steps": case(clamped_between_steps),
    "masked state, shrinking batch": case(masked_between_steps),
    "state carried and cut within a pass": case(carried_and_cut),
    "unbatched": case(unbatched),
    "state by keyword": case(state_by_keyword),
    "learned state": case(learned_state, with_state),
    "weight norm": case(once, weight_norm_model),
    "orthogonal weight": case(once, spectral_norm_model),
    "pruned": case(once, pruned_model),
    "weight drop": case(once, weight_drop_model),
    "two modules share a weight": case(stacked, tied_model),
    "a penalty on the weights": case(penalised),
    "only the ends are read": case(ends_only, two_layers),
}


@pytest.mark.parametrize("name", EXACT)
def test_exact(name):
    assert_exact(EXACT[name])


def test_accumulation_is_a_pass_each():
    lens = assert_exact(case(accumulated))
    assert lens.flow().backward_pass == 1 and lens.cost.looks == 2


def test_frozen_weights():
    def make():
        model = Net().double()
        model.rnn.requires_grad_(False)
        x, y = data()
        x.requires_grad_()
        return model, lambda: mse_loss(model(x), y).backward()

    lens = watched(make)[1]
    assert lens.refusals == {} and lens.flow().proof is None and np.abs(lens.flow().grad_hidden[0, 0, 0]).max() > 0


def test_an_error_in_the_users_backward_leaves_nothing_behind():
    plain, (model, lens) = run(case(after_an_error)), watched(case(after_an_error))
    assert_same_bits(plain, model)
    assert lens.refusals == {} and lens.flow().proof < 1e-9 and len(lens.flow().calls) == 1


@pytest.mark.parametrize("twice", ["the output, then h_n", "one graph"])
def test_two_backward_passes_through_one_graph_do_not_add_up(twice):
    def second(model, x, loss, also_first=False):
        output, state = model.rnn(x)
        if also_first:
            loss(model.head(output)).backward(retain_graph=True)
            model.zero_grad()
        (state.pow(2).sum() if twice == "the output, then h_n" else output.pow(4).mean()).backward()

    both = case(functools.partial(second, also_first=True))
    plain, (model, lens), (loop, log) = run(both), watched(both), looped(case(second))
    assert_same_bits(plain, model)
    assert lens.cost.looks == 2 and lens.refusals == {}
    assert_flows_equal(lens, loop, log)


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointing(reentrant):
    def step(model, x, loss):
        loss(checkpoint(model, x.requires_grad_(), use_reentrant=reentrant)).backward()

    for make in (Net, lambda: Net(nn.LSTM, 2, dropout=0.5)):
        plain, (model, lens) = run(case(step, make)), watched(case(step, make))
        assert_same_bits(plain, model)
        assert lens.refusals == {} and lens.flow().proof < 1e-9


def test_functional_call_and_autograd_grad():
    def functional(model, x, loss):
        weights = {name: weight * 1.1 for name, weight in model.named_parameters()}
        loss(torch.func.functional_call(model, weights, (x,))).backward()

    def grad(model, x, loss):
        weights = list(model.parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(loss(model(x)), weights), strict=True):
            weight.grad = gradient

    for step, is_proved in ((functional, True), (grad, False)):
        plain, (model, lens) = run(case(step)), watched(case(step))
        assert_same_bits(plain, model)
        assert lens.refusals == {}
        assert lens.flow().proof < 1e-9 if is_proved else lens.flow().proof is None


def test_a_loss_that_is_no_number():
    lens = watched(case(lambda model, x, loss: (loss(model(x)) * float("nan")).backward()))[1]
    assert lens.refusals == {} and np.isnan(lens.flow().grad_hidden).any() and "the gradient is not finite" in str(lens)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_what_was_in_grad_before_does_not_spoil_the_proof(dtype):
    """Gradients are added up over many batches, beside which those of one are small."""

    def make():
        model = Net().to(dtype)
        x, y = (each.to(dtype) for each in data())
        for weight in model.parameters():
            weight.grad = torch.full_like(weight, 1e7)
        return model, lambda: mse_loss(model(x), y).backward()

    plain, (model, lens) = run(make), watched(make)
    assert_same_bits(plain, model)
    assert lens.refusals == {} and lens.flow().proof < {torch.float64: 1e-9, torch.float32: 2e-4}.get(dtype, 0.03)


@pytest.mark.parametrize("way", ["torch.autograd.grad", "backward(inputs=...)"])
def test_gradients_that_are_not_brought_to_the_weights_are_no_failed_proof(way):
    """Where `.grad` is there from an earlier pass."""

    def step(model, x, loss):
        for weight in model.parameters():
            weight.grad = torch.ones_like(weight)
        value = loss(model(x, model.state.expand(1, 4, 6)))
        if way == "torch.autograd.grad":
            torch.autograd.grad(value, list(model.parameters()))
        else:
            value.backward(inputs=[*model.head.parameters(), model.state])

    lens = watched(case(step, with_state))[1]
    assert lens.refusals == {} and lens.flow().proof is None and lens.cost.looks == 1


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell])
def test_an_empty_batch_is_said_in_a_sentence(kind):
    """As the last one of a data loader whose rows were all filtered out; the next batch is measured again."""
    rnn, x = kind(3, 6).double(), torch.randn(7, 4, 3, dtype=DOUBLE)

    def step(given):
        output = rnn(given if isinstance(rnn, nn.RNNBase) else given[0])
        (output[0] if isinstance(output, tuple) else output).sum().backward()

    with watch(rnn, every=1) as lens:
        step(x[:, :0])
        name = kind.__name__
        assert lens.refusals == {
            name: f"{name}: the batch is empty, and of no sequence there is no gradient to measure."
        }
        step(x)
    assert lens.refusals == {} and lens.cost.looks == 2 and lens.flow().backward_pass == 1


def test_the_reference_changes_nothing():
    make = case(once)
    model = run(make)
    with unrolled():
        other = run(make)
    for one, two in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-12, atol=1e-14)
