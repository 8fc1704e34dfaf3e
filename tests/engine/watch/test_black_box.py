"""The black box: small numbers of the last looks, and what came first."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from engine.watch import watch
from engine.watch.black_box import KEPT_LOOKS


def relu_rnn(weight: float = 0.5) -> nn.RNN:
    rnn = nn.RNN(2, 2, nonlinearity="relu", bias=False)
    with torch.no_grad():
        rnn.weight_ih_l0.fill_(1)
        rnn.weight_hh_l0.copy_(weight * torch.eye(2))
    return rnn


def one_pass(rnn: nn.Module, x: torch.Tensor | None = None, loss=torch.sum) -> None:
    rnn.zero_grad()
    loss(rnn(torch.ones(4, 3, 2) if x is None else x)[0]).backward()


def story(lens) -> str:
    return " ".join(lens.black_box.story)


def test_the_last_looks_are_kept_as_numbers():
    rnn = relu_rnn()
    with watch(rnn, every=1) as lens:
        for _ in range(KEPT_LOOKS + 2):
            one_pass(rnn)
    box, flow = lens.black_box, lens.flow()
    assert not box.is_frozen and len(box.looks) == KEPT_LOOKS
    assert (box.looks[0].number, box.looks[-1].number, box.looks[-1].backward_pass) == (3, 52, 51)
    numbers = box.looks[-1].modules["RNN"]
    (chain,) = numbers.chains
    assert chain.hidden == np.abs(flow.hidden).max() == 3.75 and chain.cell is None
    assert chain.gradient == flow.norms.max() and numbers.weight == 1 and numbers.inputs == 1 and numbers.initial == 0
    expected = float(torch.cat([weight.grad.flatten() for weight in rnn.parameters()]).norm())
    assert abs(numbers.weight_gradient / expected - 1) < 1e-6 and numbers.outputs == 3.75 and numbers.saturated == 0
    assert "all states, gradients and weights in the last 50 looks are finite" in " ".join(str(lens).split())


def test_states_that_grow_are_said_first_then_when_and_where_and_what_helps():
    """Weights are raised by hand: |h| passes 1e3 at the 7th look, and float32's range at the last."""
    rnn = relu_rnn()
    with watch(rnn, every=2) as lens:
        for number in range(12):
            one_pass(rnn)
            one_pass(rnn)  # not looked at
            with torch.no_grad():
                rnn.weight_hh_l0.copy_((0.5 if number < 5 else 20.0 if number < 10 else 1e20) * torch.eye(2))
        one_pass(rnn)
    told = lens.black_box.story
    assert lens.black_box.is_frozen and len(lens.black_box.looks) == 12
    assert told[:2] == (
        "5 looks before, the largest weight of RNN passed 10.0; in the last it was 20.0.",
        "5 looks before, |h| of RNN passed 1000; in the last it was 1.7e4.",
    )
    assert told[-2].startswith(
        "Between look 11 (backward pass 20) and look 12 (backward pass 22), with 1 pass that was not looked at: the "
        "states of RNN are not finite, though its weights and its input are"
    )
    assert "tanh in place of relu" in told[-1]
    assert "black box:" in str(lens) and "not looked at" in str(lens)


def test_what_is_not_finite_first():
    """The input, the loss, the weights: each makes everything NaN, and each is named."""
    bad = torch.ones(4, 3, 2)
    bad[2, 1, 0] = torch.nan

    def broken(rnn):
        with torch.no_grad():
            rnn.weight_hh_l0[0, 0] = torch.nan

    cases = {
        "the input of RNN is not finite": lambda rnn: one_pass(rnn, bad),
        "the initial state that RNN is given is not finite": lambda rnn: (
            rnn(torch.ones(4, 3, 2), torch.full((1, 3, 2), torch.inf))[0].sum().backward()
        ),
        "or the loss, sends it so": lambda rnn: one_pass(rnn, loss=lambda output: (output - output).sqrt().sum()),
        "the weights of RNN are not finite": lambda rnn: (broken(rnn), one_pass(rnn)),
    }
    for says, happens in cases.items():
        rnn = relu_rnn()
        with watch(rnn, every=1) as lens:
            one_pass(rnn)
            happens(rnn)
            one_pass(rnn)  # the box stays as it was
        assert says in story(lens) and "the pass before it was still finite" in story(lens), story(lens)
        assert [look.number for look in lens.black_box.looks] == [1, 2]


def overflow(weight: float, steps: int, **options):
    """The gradient grows by `weight` at each step, and the states stay small."""
    rnn = relu_rnn(weight)
    with watch(rnn, every=1, **options) as lens:
        one_pass(rnn, torch.full((steps, 3, 2), 1e-38))
    return lens


def test_a_gradient_that_grows_past_float32():
    """Where it grows steadily the lens counts further; where it grows very fast not even the lens does."""
    lens = overflow(10.0, 42)
    assert ".grad of RNN is not finite, though its states are. The lens, which counts further, finds " in story(lens)
    assert lens.black_box.story[0].startswith("Look 1, the first of all (backward pass 0): .grad of RNN")
    assert "finite at its last step, and not further back" in story(overflow(100.0, 22))


def test_infinite_gradients_are_no_news_where_a_scaler_looks_for_its_factor():
    class Scaler:
        def get_scale(self) -> float:
            return 2.0

    assert not overflow(10.0, 42, scaler=Scaler()).black_box.is_frozen


def test_weights_that_break_after_the_last_look_are_noticed_at_the_end():
    rnn = relu_rnn()
    with watch(rnn, every=1) as lens:
        one_pass(rnn)
        with torch.no_grad():
            rnn.weight_hh_l0[1, 1] = torch.inf
    assert lens.black_box.story[0] == (
        "Somewhere after look 1 and before the end: the weights of RNN are not finite: an update made them so."
    )


def test_a_sequence_that_is_not_among_those_looked_at():
    x = torch.ones(4, 40, 2)
    x[0, 1] = torch.nan
    rnn = relu_rnn()
    with watch(rnn, every=1, rows=2) as lens:
        one_pass(rnn, x)
    assert "the input of RNN is not finite" in story(lens) and np.isfinite(lens.flow().hidden).all()


def test_a_hand_written_loop_has_its_numbers_too():
    model = nn.Linear(2, 2)
    with watch(model, every=1) as lens:
        h = torch.zeros(3, 2)
        for _ in range(3):
            h = lens.state("h", model(h))
        h.sum().backward()
    numbers = lens.black_box.looks[0].modules["h"]
    assert numbers.weight is None and numbers.chains[0].hidden == np.abs(lens.flow().hidden).max()
