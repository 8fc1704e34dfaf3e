"""What a lens says, and what of it is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from engine.watch import watch
from tests.engine.watch.conftest import assert_flows_equal, watched
from tests.engine.watch.trainings import DOUBLE, trained
from tests.engine.watch.unrolled import unrolled

# ---- a flow


def test_direct_and_total_add_up_as_in_the_loop():
    """Two layers, both ways, unpacked; the head reads output and h_n. "read" in the loop is what is read from above."""

    def make():
        rnn, x = nn.GRU(3, 4, 2, bidirectional=True).double(), torch.randn(6, 3, 3, dtype=DOUBLE)

        def step():
            output, state = rnn(x)
            (output[1:4].pow(2).sum() + state.pow(3).sum()).backward()

        return rnn, step

    lens = watched(make)[1]
    torch.manual_seed(0)
    _, step = make()
    with unrolled() as log:
        step()
    expected = log[0].gradient("read")
    np.testing.assert_allclose(lens.flow().grad_hidden_direct, expected, rtol=1e-9, atol=1e-12)
    assert np.abs(expected - log[0].gradient("hidden")).max() > 1e-3


def test_direct_where_the_state_goes_on_to_the_next_call():
    """Handed on as it is, the parts are told apart; changed on the way, they are not."""
    rnn = nn.LSTM(3, 4).double()
    x = torch.randn(6, 2, 3, dtype=DOUBLE)
    for change, is_known in ((1.0, True), (0.5, False)):
        with watch(rnn, every=1) as lens:
            output, (h, c) = rnn(x[:3])
            rest, _ = rnn(x[3:], (h if is_known else h * change, c))
            (output[1].sum() + rest[-1].sum()).backward()
        direct = lens.flow().grad_hidden_direct[0, 0, :, 0, 0]
        at_the_seam = direct[2]
        assert abs(at_the_seam) < 1e-15 if is_known else math.isnan(at_the_seam)
        assert (direct[[1, 5]] == 1).all() and (direct[[0, 3, 4]] == 0).all()


def test_several_calls_of_a_module_in_one_pass():
    """A Siamese network with two lengths, then one more call of fewer sequences: one time axis, `calls` says whose."""

    def make():
        rnn = nn.LSTM(3, 4).double()
        one, two = torch.randn(8, 5, 3, dtype=DOUBLE), torch.randn(3, 5, 3, dtype=DOUBLE)

        def step():
            ends = [rnn(x)[1][0][0] for x in (one, two, two[:, :2])]
            (mse_loss(ends[0], ends[1]) + ends[2].sum()).backward()

        return rnn, step

    lens = watched(make)[1]
    torch.manual_seed(0)
    loop, step = make()
    with unrolled() as log:
        step()
    assert_flows_equal(lens, loop, log)
    flow = lens.flow()
    assert [(span.start, span.stop, span.batch) for span in flow.calls] == [(0, 8, 5), (8, 11, 5), (11, 14, 2)]
    assert flow.valid[:11].all() and flow.valid[11:, :2].all() and not flow.valid[11:, 2:].any()
    assert flow.links == ("initial state: zeros",)


def test_rows_and_names():
    model = nn.ModuleDict({"encoder": nn.ModuleDict({"rnn": nn.GRU(3, 4)}), "decoder": nn.GRU(4, 4)}).double()
    x = torch.randn(5, 40, 3, dtype=DOUBLE)
    with watch(model, every=1) as lens:
        output, state = model["encoder"]["rnn"](x)
        model["decoder"](torch.relu(output), state)[0].sum().backward()
    flow = lens.flow("rnn")
    assert (
        flow.name == "encoder.rnn" and flow.hidden.shape == (1, 1, 5, 16, 4) and flow.rows[[0, -1]].tolist() == [0, 39]
    )
    np.testing.assert_array_equal(flow.hidden[0, 0], output[:, flow.rows].detach())
    assert lens.flow("decoder").links == (
        "initial state: the last h of encoder.rnn",
        "input: the output of encoder.rnn through Relu",
    )
    with pytest.raises(LookupError, match=r"say which module: encoder\.rnn, decoder"):
        lens.flow()
    with pytest.raises(LookupError, match="there is no flow of head"):
        lens.flow("head")
    numbers = lens.scalars()
    assert {"watch/decoder/ratio", "watch/encoder.rnn/proof", "watch/decoder/keep_gate", "watch/looks"} <= set(numbers)
    assert all(type(value) is float for value in numbers.values())
    assert "input: the output of encoder.rnn through Relu" in " ".join(str(lens).split())


def test_padding_and_packed_rows_are_zero_and_gates_are_there():
    rnn = nn.LSTM(3, 4, bidirectional=True).double()
    x = torch.randn(5, 3, 3, dtype=DOUBLE)
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([2, 5, 3]), enforce_sorted=False)
    with watch(rnn, every=1) as lens:
        rnn(packed)[0].data.sum().backward()
    flow = lens.flow()
    assert flow.valid.sum(0).tolist() == [2, 5, 3]
    for values in (flow.hidden, flow.cell, flow.grad_hidden, flow.grad_cell, *flow.gates.values()):
        assert (values[:, :, ~flow.valid] == 0).all() and (values[:, :, flow.valid] != 0).any()
    assert list(flow.gates) == ["input_gate", "forget_gate", "cell_candidate", "output_gate"]


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRUCell, nn.RNN])
def test_the_gate_that_keeps_is_its_cells_own(kind):
    rnn, x = kind(3, 4), torch.randn(5, 2, 3)
    with watch(rnn, every=1) as lens:
        output = rnn(x if kind is not nn.GRUCell else x[0])
        (output[0] if isinstance(output, tuple) else output).sum().backward()
    flow, gate = lens.flow(), {nn.LSTM: "forget_gate", nn.GRUCell: "update_gate"}.get(kind)
    assert flow.cell_name == {nn.LSTM: "lstm", nn.GRUCell: "gru", nn.RNN: "rnn"}[kind]
    numbers = lens.scalars()
    assert (f"watch/{kind.__name__}/keep_gate" in numbers) is (gate is not None)
    if gate:
        assert numbers[f"watch/{kind.__name__}/keep_gate"] == pytest.approx(flow.gates[gate].mean())


# ---- hand-written loops


def test_states_of_a_loop_that_nobody_knows():
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(3, 5), nn.Linear(5, 5)

        def forward(self, x, lens=None, keep=None):
            h = x.new_zeros(4, 5)
            for given in x:
                h = torch.sin(self.one(given) + self.two(h)) + 0.5 * h
                h = lens.state("h", h) if lens else h
                if keep is not None:
                    h.retain_grad()
                    keep.append(h)
            return h

    torch.manual_seed(0)
    model, x, states = Own().double(), torch.randn(7, 4, 3, dtype=DOUBLE), []
    model(x, keep=states).pow(2).sum().backward()
    plain = [weight.grad.clone() for weight in model.parameters()]
    model.zero_grad()
    with watch(model, every=1, rows=3) as lens:
        model(x, lens).pow(2).sum().backward()
        with torch.no_grad():
            model(x, lens)
        model.eval()
        model(x, lens)  # evaluated with gradients, and no backward pass
        model.train()
        model(x, lens).pow(2).sum().backward()
    flow = lens.flow("h")
    assert all(torch.equal(weight.grad, 2 * before) for weight, before in zip(model.parameters(), plain, strict=True))
    assert flow.rows.tolist() == [0, 2, 3] and flow.grad_hidden.shape == (1, 1, 7, 3, 5)
    expected = torch.stack([state.grad for state in states])[:, flow.rows].numpy()
    np.testing.assert_allclose(flow.grad_hidden[0, 0], expected, rtol=1e-12)
    np.testing.assert_array_equal(flow.hidden[0, 0], torch.stack(states)[:, flow.rows].detach())
    assert lens.refusals == {} and flow.grad_hidden_direct is None and "1 layer, 7 steps" in str(lens)


# ---- what it is not told, and its own errors


def test_weights_changed_behind_autograds_back():
    """`p.data.add_` leaves no trace on a weight; the look is over by then."""
    rnn, x = nn.GRU(3, 4).double(), torch.randn(5, 2, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as lens:
        trained(rnn, 3, x)
    assert lens.refusals == {} and lens.flow().proof < 1e-9 and lens.cost.looks == 3


def test_what_is_never_seen_is_said_aloud():
    lens = watch(nn.ModuleDict({"rnn": nn.GRU(3, 4)}))
    with pytest.warns(UserWarning, match="rnn was found in the model, but never called"):
        lens.close()
    lens.close()  # once is enough
    assert "No backward pass" not in str(lens) and "never called" in str(lens)
    with pytest.warns(UserWarning, match="none of PyTorch's recurrent modules"), watch(nn.Linear(2, 2)) as lens:
        pass
    assert "hand-written loop" in watched_nothing() and "hand-written loop" in str(lens)
    with pytest.raises(ZeroDivisionError), watch(nn.Linear(2, 2)):  # an error of the training is enough
        raise ZeroDivisionError


def watched_nothing() -> str:
    with pytest.warns(UserWarning), watch(nn.Linear(2, 2)) as lens:
        return str(lens)


def test_a_direct_forward_is_seen_by_no_hook_and_that_is_said():
    rnn = nn.GRU(3, 4)
    lens = watch(rnn, every=1)
    rnn.forward(torch.randn(5, 2, 3))[0].sum().backward()
    with pytest.warns(UserWarning, match=r"A direct GRU.forward\(x\) is seen by no hook"):
        lens.close()


def test_arguments_out_of_range():
    for wrong, says in (({"share": 0}, "share is 0"), ({"every": 0}, "every is 0"), ({"rows": 0}, "rows is 0")):
        with pytest.raises(ValueError, match=says):
            watch(nn.GRU(2, 2), **wrong)


def test_an_error_of_the_lens_does_not_reach_the_training(monkeypatch):
    monkeypatch.setattr("engine.watch.looking.measure_calls", lambda *_: 1 / 0)
    rnn, x = nn.GRU(3, 4), torch.randn(5, 2, 3)
    with watch(rnn, every=1) as lens:
        trained(rnn, 2, x)
    assert lens.refusals["*"].startswith("The lens itself failed (ZeroDivisionError")


@pytest.mark.parametrize("step", ["engine.watch.listener.captured", "engine.watch.looking.measure_calls"])
def test_a_look_that_fails_is_counted_and_not_tried_for_ever(monkeypatch, step):
    tried = []
    monkeypatch.setattr(step, lambda *_: tried.append(True) or 1 / 0)
    rnn, x = nn.GRU(3, 4), torch.randn(5, 2, 3)
    with watch(rnn, share=1e-9) as lens:
        trained(rnn, 5, x)
    assert lens.cost.looks == 1 and len(tried) == 1 and "lens itself failed" in str(lens)


# ---- how far it comes back


@pytest.mark.parametrize("two_way", [False, True])
def test_the_last_loss_alone(two_way):
    """Losses at several steps, other ones for each sequence, of a packed tagger: only the last of each is followed."""
    lengths = torch.tensor([5, 9, 2])
    torch.manual_seed(0)
    rnn = nn.LSTM(3, 4, 2, bidirectional=two_way).double()
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(9, 3, 3, dtype=DOUBLE), lengths, enforce_sorted=False)
    losses = torch.tensor([[1, 4], [0, 6], [0, 1]])  # steps of each sequence that have one

    def loss(kept: torch.Tensor) -> torch.Tensor:
        output, _ = nn.utils.rnn.pad_packed_sequence(rnn(packed)[0])
        return (output[kept, torch.arange(3)[:, None]] ** 3).sum()

    with watch(rnn, every=1) as lens:
        loss(losses).backward()
    last = lens.flow().last
    assert last.places.tolist() == [[2, 2, 2]] * (1 + two_way)
    for d in range(1 + two_way):
        followed = losses[:, :1] if d else losses[:, 1:]
        assert last.enters[d].tolist() == followed[:, 0].tolist()
        with unrolled() as log:
            loss(followed).backward()
        np.testing.assert_allclose(last.memory[:, d], log[0].gradient("cell")[:, d], rtol=1e-9, atol=1e-15)


def test_a_gradient_that_enters_once_is_not_swept_twice():
    rnn, x = nn.GRU(3, 4, bidirectional=True).double(), torch.randn(6, 2, 3, dtype=DOUBLE)
    with watch(rnn, every=1) as lens:
        rnn(x)[1].sum().backward()
    flow = lens.flow()
    np.testing.assert_array_equal(flow.last.memory, flow.grad_hidden)
    assert flow.last.enters.tolist() == [[5, 5], [0, 0]] and (flow.last.places == 1).all()


def test_a_vanished_gradient_is_called_so():
    """A plain network with small recurrent weights; losses at every step do not hide it."""
    rnn, x = nn.RNN(3, 8), torch.randn(60, 4, 3)
    with torch.no_grad():
        rnn.weight_hh_l0.mul_(0.3)
    for read, says in (
        (lambda output: output[-1], "the loss enters"),
        (lambda output: output, "of what enters last alone"),
    ):
        with watch(rnn, every=1) as lens:
            read(rnn(x)[0]).pow(2).mean().backward()
        assert lens.scalars()["watch/RNN/ratio"] < 1e-6
        assert says in str(lens) and "has vanished: 1 part in" in str(lens) and "59 steps back" in str(lens)
    with watch(rnn, every=1) as lens:
        rnn(x[:1])[0].sum().backward()
    assert "no gradient goes back in time" in str(lens) and "the loss reads its first step alone" in str(lens)
