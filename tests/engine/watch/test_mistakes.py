"""Mistakes that show in several passes, or at the end. Those of a single pass are scripts: tests/examples/."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from engine.watch import watch

BATCH, STEPS, UNITS = 4, 9, 5


def test_a_direction_whose_gradient_has_no_way_to_go_is_no_comfort():
    rnn, x = nn.GRU(3, UNITS, bidirectional=True), torch.randn(STEPS, BATCH, 3)
    with watch(rnn, every=1) as lens:
        rnn(x)[0][-1].sum().backward()
    assert [mistake.kind for mistake in lens.mistakes] == ["reverse read at its start"]
    assert lens.scalars()["watch/GRU/ratio"] < 0.1


def test_a_mistake_that_a_later_pass_contradicts_is_never_named_again():
    rnn, x = nn.GRU(3, UNITS, bidirectional=True), torch.randn(STEPS, BATCH, 3)
    with watch(rnn, every=1) as lens:
        for read, found in ((-1, 1), (-1, 1), (3, 0), (-1, 0)):
            rnn(x)[0][read].sum().backward()
            assert len(lens.mistakes) == found


def test_one_wrong_call_of_a_pass_is_enough():
    """Questions are read at their last position, documents at all."""
    rnn, x = nn.GRU(3, UNITS, bidirectional=True), torch.randn(STEPS, BATCH, 3)
    with watch(rnn, every=1) as lens:
        for _ in range(2):
            (rnn(x)[0][-1].sum() + rnn(2 * x)[0].sum()).backward()
    assert [mistake.kind for mistake in lens.mistakes] == ["reverse read at its start"]


def test_sequences_of_one_step_hide_no_mistake():
    """In their only step both directions end."""
    rnn, x = nn.GRU(3, UNITS, bidirectional=True), torch.randn(STEPS, BATCH, 3)
    lengths = torch.tensor([STEPS, 1, 4, 1])
    with watch(rnn, every=1) as lens:
        output = rnn(pack_padded_sequence(x, lengths, enforce_sorted=False))[0]
        pad_packed_sequence(output)[0][lengths - 1, torch.arange(BATCH)].sum().backward()
    assert [mistake.kind for mistake in lens.mistakes] == ["reverse read at its start"]


@pytest.mark.parametrize("share", [False, True])
def test_a_missing_detach(share):
    for mended in (False, True):
        torch.manual_seed(0)
        rnn = nn.LSTM(3, UNITS)
        optimizer = torch.optim.SGD(rnn.parameters(), 0.1)
        state = None
        with watch(rnn, **({} if share else {"every": 1})) as lens:
            for k in range(3):
                optimizer.zero_grad()
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
    assert lens.mistakes == [] and lens.flow("1").links == ("initial state: the last h of 0",)


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


@pytest.mark.parametrize(("given", "found"), [
    (lambda z: z.softmax(-1), ["softmax twice"]),
    (lambda z: z.softmax(-1).flatten(0, 1).view(-1, UNITS), ["softmax twice"]),
    (lambda z: z, []),
    (lambda z: z * z.mean(0, keepdim=True).softmax(-1), []),  # as attention does: it is no answer
    (lambda z: z.log_softmax(-1), []),  # a second one changes nothing
], ids=["probabilities", "reshaped", "logits", "weighted", "logarithms"])  # fmt: skip
def test_only_probabilities_that_a_cross_entropy_reads_are_a_softmax_twice(given, found):
    rnn, x = nn.GRU(3, UNITS), torch.randn(STEPS, BATCH, 3)
    with watch(rnn, every=1) as lens:
        read = given(rnn(x)[0]).reshape(-1, UNITS)
        nn.functional.cross_entropy(read, torch.zeros(len(read), dtype=torch.long)).backward()
    assert [mistake.kind for mistake in lens.mistakes] == found


def test_of_a_loss_that_is_no_cross_entropy_nothing_is_said():
    rnn, x = nn.GRU(3, UNITS), torch.randn(STEPS, BATCH, 3)
    with watch(rnn, every=1) as lens:
        rnn(x)[0].softmax(-1).square().mean().backward()
    assert lens.mistakes == []
