"""Scripts with a classic mistake are named as such, and their mended twins are not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from engine.watch import watch

BATCH, STEPS, UNITS = 4, 9, 5
LENGTHS = torch.tensor([9, 5, 3, 6])


class Net(nn.Module):
    """A recurrent layer that reads (batch, time), and an output layer; `read` says what of it is read."""

    def __init__(self, read: Callable, rnn: nn.Module, width: int = UNITS) -> None:
        super().__init__()
        self.read, self.rnn, self.head = read, rnn, nn.Linear(width, 2)

    def forward(self, x):
        return self.head(self.read(self.rnn, x))


def reader(mended: bool, wrong: Callable, right: Callable, width: int = UNITS, **options):
    torch.manual_seed(0)
    rnn = nn.GRU(3, UNITS, batch_first=True, **options)
    return Net(right if mended else wrong, rnn, width), torch.randn(BATCH, STEPS, 3)


def padded(x: torch.Tensor) -> torch.Tensor:
    return x * (torch.arange(STEPS)[:, None] < LENGTHS[:, None, None])


def pack(x: torch.Tensor):
    return pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)


def unpack(output) -> torch.Tensor:
    return pad_packed_sequence(output, batch_first=True)[0]


def reverse_start(mended: bool):
    def wrong(rnn, x):
        return rnn(x)[0][:, -1]

    def right(rnn, x):
        return torch.cat([*rnn(x)[1]], -1)

    return reader(mended, wrong, right, 2 * UNITS, bidirectional=True)


def swapped(mended: bool):
    model, x = reader(True, lambda rnn, x: rnn(x)[0][:, -1], lambda rnn, x: rnn(x)[0][:, -1])
    model.rnn.batch_first = mended
    return model, x


def padding_as_data(mended: bool):
    def wrong(rnn, x):
        return rnn(padded(x))[0][:, -1]

    def right(rnn, x):
        return rnn(pack(padded(x)))[1][-1]

    return reader(mended, wrong, right)


def padding_as_answer(mended: bool):
    def wrong(rnn, x):
        return unpack(rnn(pack(x))[0])[:, -1]

    def right(rnn, x):
        return unpack(rnn(pack(x))[0])[torch.arange(BATCH), LENGTHS - 1]

    return reader(mended, wrong, right)


def loop(change: Callable) -> Callable:
    def read(rnn, x):
        state = None
        for part in x.split(1, 1):
            output, state = rnn(part, change(state))
        return output[:, -1]

    return read


def detached_steps(mended: bool):
    return reader(mended, loop(lambda state: None if state is None else state.detach()), loop(lambda state: state))


def forgotten_state(mended: bool):
    return reader(mended, loop(lambda state: None), loop(lambda state: state))


SCRIPTS = {
    "reverse read at its start": reverse_start,
    "batch and time swapped": swapped,
    "padding read as data": padding_as_data,
    "padding read as the answer": padding_as_answer,
    "detached at every step": detached_steps,
    "state not handed on": forgotten_state,
}


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_mistake_is_named_and_its_mended_twin_is_not(kind):
    for mended in (False, True):
        model, x = SCRIPTS[kind](mended)
        with watch(model, every=1) as lens:
            output = model(x)
            mse_loss(output, torch.ones_like(output)).backward()
        assert [mistake.kind for mistake in lens.mistakes] == ([] if mended else [kind])
        if kind == "reverse read at its start":  # the direction whose gradient has no way to go is no comfort
            assert lens.scalars()["watch/rnn/ratio"] < 0.1
        assert (f"! {kind}: rnn: " in str(lens)) is not mended and lens.refusals == {}


@pytest.mark.parametrize("share", [False, True])
def test_a_missing_detach(share):
    for mended in (False, True):
        torch.manual_seed(0)
        rnn = nn.LSTM(3, UNITS)
        optimizer = torch.optim.SGD(rnn.parameters(), 0.1)
        state = None
        with watch(rnn, **({} if share else {"every": 1})) as lens:
            for k in range(3):
                output, state = rnn(torch.randn(STEPS, BATCH, 3), state)
                if mended:
                    state = tuple(each.detach() for each in state)
                if not mended and k == 1:
                    with pytest.raises(RuntimeError):
                        output.mean().backward()
                    break
                output.mean().backward()
                optimizer.step()
        assert [mistake.kind for mistake in lens.mistakes] == ([] if mended else ["missing detach"])


def test_a_graph_that_is_still_whole_is_no_missing_detach():
    """Another loss goes backwards between encoder and decoder."""
    encoder, decoder, other = nn.GRU(3, UNITS), nn.GRU(3, UNITS), nn.GRU(3, UNITS)
    x = torch.randn(STEPS, BATCH, 3)
    with watch(nn.ModuleList([encoder, decoder, other]), every=1) as lens:
        _, state = encoder(x)
        other(x)[0].mean().backward()
        decoder(x, state)[0].mean().backward()
    assert lens.mistakes == [] and lens.flow("1").links == ("state: the last h of 0",)


def test_an_output_that_nothing_reads():
    class Unread(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.head = nn.GRU(3, UNITS), nn.Linear(3, 2)

        def forward(self, x):
            self.rnn(x)
            return self.head(x)

    model = Unread()
    lens = watch(model)
    model(torch.randn(STEPS, BATCH, 3)).mean().backward()
    with pytest.warns(UserWarning, match=r"rnn was called once, but no gradient ever came back"):
        lens.close()
    assert "nothing that the loss depends on reads its output" in lens.refusals["rnn"]


def test_of_a_module_that_is_only_read_at_its_end_nothing_is_said():
    rnn = nn.LSTM(3, UNITS, 2, bidirectional=True)
    with watch(rnn, every=1) as lens:
        rnn(torch.randn(STEPS, BATCH, 3))[1][1].mean().backward()  # c_n
    assert lens.mistakes == [] and lens.refusals == {}
