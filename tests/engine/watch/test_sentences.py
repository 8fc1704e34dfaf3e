"""What a lens says is true of the training that it has seen: no more than it knows, in plain words."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from engine.diagnosis.bands import GROWING, SHRINKING
from engine.watch import Lens, watch
from engine.watch.diagnosis import LOW_LOSS, MEANS
from engine.watch.mistakes import KINDS

STEPS, BATCH = 30, 32


def said(lens: Lens) -> str:
    return " ".join(str(lens).split())


def loop_of_own(keeps: float) -> Lens:
    """h_t = keeps h_{t-1} + x_t, of which the last state is read."""
    read_in, h, x = nn.Linear(3, 4), torch.zeros(BATCH, 4), torch.randn(STEPS, BATCH, 3)
    with watch(read_in, every=1) as lens:
        for step in x:
            h = keeps * h + read_in(step)
            lens.state("mine", h)
        h.sum().backward()
    return lens


def read_at_its_end(rnn: nn.Module, x: Tensor | None = None) -> Lens:
    with watch(rnn, every=1) as lens:
        rnn(torch.randn(STEPS, BATCH, 3) if x is None else x)[0][-1].sum().backward()
    return lens


def test_a_loop_of_ones_own_is_not_sent_to_gates_that_begin_half_open():
    torch.manual_seed(0)
    default = read_at_its_end(nn.LSTM(3, 8))
    assert default.diagnosis().kind in SHRINKING, "a gate that begins half open lets no gradient through"
    advice = loop_of_own(0.6).diagnosis().advice
    assert "orthogonal" in advice and "bias" in advice and "LSTM" not in advice


def test_where_the_gradient_shrinks_it_says_that_a_low_loss_needs_no_mending():
    """The loss is not known, and a network that has learned may have such a gradient."""
    for lens in (read_at_its_end(nn.LSTM(3, 8)), loop_of_own(0.6)):
        assert lens.diagnosis().kind in SHRINKING and LOW_LOSS in said(lens)
        assert LOW_LOSS in lens.diagnosis().sentence and LOW_LOSS in lens._repr_html_()
    for keeps in (1.0, 3.0):
        found = loop_of_own(keeps).diagnosis()
        assert found.kind in ("unknown", *GROWING) and LOW_LOSS not in found.sentence


def test_of_a_mistake_it_says_what_the_numbers_are_of():
    assert set(MEANS) < set(KINDS)
    torch.manual_seed(0)
    x = torch.randn(STEPS, BATCH, 3)
    x[20:, :8], x[25:, 8:16] = 0, 0
    assert "a mistake in its wiring: the steps below count the padding, too." in said(read_at_its_end(nn.GRU(3, 4), x))
    both = said(read_at_its_end(nn.GRU(3, 4, bidirectional=True)))
    assert f"a mistake in its wiring: {MEANS['reverse read at its start']}." in both and "no number" not in both


def test_the_picture_names_the_state_that_the_verdict_names():
    torch.manual_seed(0)
    lens = read_at_its_end(nn.LSTM(3, 8))
    assert (
        "(cell state c)" in lens.diagnosis().sentence
        and "gradient: norm of dL/dc (c is the cell state), median of the sequences, by steps back" in said(lens)
    )
    sizes = np.linalg.norm(lens.flow().grad_cell[0, 0], axis=-1)  # (T, rows)
    assert lens.diagnosis().evidence["ratio"] == pytest.approx(np.median(sizes[0] / sizes[-1]))
    assert "cell state" not in said(read_at_its_end(nn.GRU(3, 8)))


def test_of_sequences_that_were_not_looked_at_nothing_is_said():
    """The one that a gradient reaches is not among those."""
    rnn, lengths = nn.GRU(3, 4), torch.full((BATCH,), 5)
    lengths[15] = STEPS
    with watch(rnn, every=1, rows=2) as lens:
        packed = pack_padded_sequence(torch.randn(STEPS, BATCH, 3), lengths, enforce_sorted=False)
        pad_packed_sequence(rnn(packed)[0])[0][-1].sum().backward()
    assert "no gradient enters in the 2 sequences looked at" in said(lens)
    with watch(rnn, every=1, rows=2) as lens:
        rnn(torch.randn(STEPS, BATCH, 3))[0][-1, 15:17].sum().backward()
    found = lens.diagnosis()
    assert found.kind == "no_gradient" and "in the 2 sequences looked at" in found.sentence
    assert "rows=None" in found.advice


def test_of_a_loop_of_ones_own_it_does_not_count_losses():
    """Whether there is a loss at an earlier step is not known."""
    for keeps in (0.6, 0.97):
        lens = loop_of_own(keeps)
        assert "the whole gradient" not in said(lens) and "It enters at" not in said(lens)
        assert "where others enter is not known" in said(lens)
    assert "If a loss reads earlier steps, too, that hides" in said(lens)


def test_plain_words():
    lens = read_at_its_end(nn.GRU(3, 4, bidirectional=True))
    assert "backwards the loss reads its first step alone" in said(lens)
    assert "one block lower = 10 times smaller" in said(lens)
