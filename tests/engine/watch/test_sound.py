"""Sound trainings that look like one with a classic mistake: nothing is said of them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import relu
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from engine.watch import Lens, watch

UNITS = 5
WEATHER = Path(__file__).parents[3] / "presets/data/seattle-weather.csv"


def packed(x: torch.Tensor, lengths: list[int]):
    return pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)


def seen(model: nn.Module, *steps: Callable[[], torch.Tensor]) -> Lens:
    """Watch some updates, each with its own loss, all looked at and asked for mistakes."""
    with watch(model, every=1) as lens:
        for step in steps:
            step().backward()
    assert lens.refusals == {}
    return lens


def days_without_rain() -> Lens:
    """Windows of real weather that end in dry days, as others have them in the middle: zeros are data."""
    with WEATHER.open(encoding="utf-8", newline="") as file:
        rain = torch.tensor([float(row["precipitation"]) for row in csv.DictReader(file)])
    gru = nn.GRU(1, UNITS, batch_first=True)
    return seen(gru, lambda: gru(rain[: 14 * 100].view(100, 14, 1))[0][:, -1].sum())


def images_by_rows() -> Lens:
    """Figures in the middle of images: blank rows at the end, but at the beginning as well."""
    images = torch.zeros(6, 14, 8)
    for image, top, bottom in zip(images, (2, 3, 1, 4, 2, 3), (9, 10, 8, 11, 9, 7), strict=True):
        image[top:bottom] = torch.rand(bottom - top, 8)
    lstm = nn.LSTM(8, UNITS, batch_first=True)
    return seen(lstm, lambda: lstm(images)[0][:, -1].sum())


def letters_of_each_word() -> Lens:
    """Words are read one by one; three of them have a single letter."""
    gru, words = nn.GRU(3, UNITS), (1, 4, 1, 6, 1)
    return seen(gru, lambda: sum(gru(torch.randn(length, 1, 3))[1].sum() for length in words))


def acting_with_gradients() -> Lens:
    """Reinforcement learning: acts step by step without `no_grad`, then learns from the whole episode."""
    gru, episode = nn.GRU(3, UNITS), torch.randn(8, 1, 3)

    def step() -> torch.Tensor:
        state = torch.zeros(1, 1, UNITS)
        for given in episode.split(1):
            state = gru(given, state)[1].detach()
        return gru(episode)[0].sum()

    return seen(gru, step, step)


def sampling_with_gradients() -> Lens:
    """A text is written after an update, going on from the training's state: no backward pass follows from there."""
    lstm = nn.LSTM(3, UNITS)
    kept: list[tuple[torch.Tensor, ...]] = []

    def step() -> torch.Tensor:
        if kept:
            lstm(torch.randn(1, 2, 3), kept[-1])
        state = tuple(each.detach() for each in kept[-1]) if kept else None
        output, state = lstm(torch.randn(6, 2, 3), state)
        kept.append(state)
        return output.sum()

    return seen(lstm, step, step, step)


def one_labelled_sequence() -> Lens:
    """A tagger learns from a batch of which only the last sequence has labels; in the next batch others have."""
    gru, x = nn.GRU(3, UNITS, batch_first=True), torch.randn(4, 6, 3)
    return seen(gru, lambda: gru(x)[0][3].sum(), lambda: gru(x)[0][1:3].sum(), lambda: gru(x)[0][3].sum())


def the_best_of_a_beam() -> Lens:
    gru, x = nn.GRU(3, UNITS, batch_first=True), torch.randn(4, 6, 3)
    return seen(gru, lambda: gru(x)[0][0].sum())


def one_of_two_labelled() -> Lens:
    gru, x = nn.GRU(3, UNITS, batch_first=True), torch.randn(2, 6, 3)
    return seen(gru, lambda: gru(x)[0][1].sum())


def a_margin_that_short_ones_keep() -> Lens:
    """A hinge loss is 0 for what is right by enough: here the short sequence. It is read at every step."""
    lstm, x = nn.LSTM(3, UNITS, batch_first=True), torch.randn(3, 6, 3)

    def step() -> torch.Tensor:
        output = pad_packed_sequence(lstm(packed(x, [6, 6, 3]))[0], batch_first=True)[0]
        return relu(2 - output)[:2].sum()

    return seen(lstm, step)


def a_margin_that_short_ones_keep_for_now() -> Lens:
    """Read at the last true step. In the next batch the short one gets a gradient."""
    lstm, x, lengths = nn.LSTM(3, UNITS, batch_first=True), torch.randn(3, 6, 3), [6, 6, 3]

    def step(rows: slice) -> Callable[[], torch.Tensor]:
        def loss() -> torch.Tensor:
            output = pad_packed_sequence(lstm(packed(x, lengths))[0], batch_first=True)[0]
            return output[torch.arange(3), torch.tensor(lengths) - 1][rows].sum()

        return loss

    return seen(lstm, step(slice(2)), step(slice(3)), step(slice(2)))


def masked_words() -> Lens:
    """Words that were hidden are to be found again; in the first batch they are the last ones by chance."""
    lstm, x = nn.LSTM(3, UNITS, batch_first=True, bidirectional=True), torch.randn(3, 6, 3)
    return seen(lstm, lambda: lstm(x)[0][:, -1].sum(), lambda: lstm(x)[0][:, 2].sum(), lambda: lstm(x)[0][:, -1].sum())


def each_direction_at_its_end() -> Lens:
    """Read from the output: forwards at the last step, backwards at the first."""
    gru, x = nn.GRU(3, UNITS, batch_first=True, bidirectional=True), torch.randn(3, 6, 3)

    def step() -> torch.Tensor:
        output = gru(x)[0]
        return torch.cat([output[:, -1, :UNITS], output[:, 0, UNITS:]], -1).sum()

    return seen(gru, step)


def a_tune_from_one_note() -> Lens:
    """One input, then zeros, as many for everybody."""
    lstm, x = nn.LSTM(3, UNITS), torch.zeros(8, 4, 3)
    x[0] = torch.randn(4, 3)
    return seen(lstm, lambda: lstm(x)[0].sum())


def copy_after_a_pause() -> Lens:
    """Sequences of other lengths between a blank and those in which the answer is to be given."""
    gru, x = nn.GRU(3, UNITS), torch.zeros(14, 4, 3)
    for row, length in enumerate((3, 4, 5, 6)):
        x[1 : 1 + length, row] = torch.randn(length, 3)
    return seen(gru, lambda: gru(x)[0][-6:].sum())


def padding_that_no_loss_reads() -> Lens:
    """A tagger that reads padding, behind which nothing comes that counts."""
    gru, lengths = nn.GRU(3, UNITS), (9, 5, 4, 3)
    x = pad_sequence([torch.randn(length, 3) for length in lengths])

    def step() -> torch.Tensor:
        output, _ = gru(x)
        return sum(output[:length, row].sum() for row, length in enumerate(lengths))

    return seen(gru, step)


def states_in_a_tree() -> Lens:
    """Leaves begin from zeros, what is above them with the sum of two."""
    cell = nn.GRUCell(3, UNITS)

    def step() -> torch.Tensor:
        leaves = [cell(torch.randn(2, 3)) for _ in range(4)]
        pairs = [cell(torch.randn(2, 3), leaves[k] + leaves[k + 1]) for k in (0, 2)]
        return cell(torch.randn(2, 3), pairs[0] + pairs[1]).sum()

    return seen(cell, step)


SOUND = [
    days_without_rain,
    images_by_rows,
    letters_of_each_word,
    acting_with_gradients,
    sampling_with_gradients,
    one_labelled_sequence,
    the_best_of_a_beam,
    one_of_two_labelled,
    a_margin_that_short_ones_keep,
    a_margin_that_short_ones_keep_for_now,
    masked_words,
    each_direction_at_its_end,
    a_tune_from_one_note,
    copy_after_a_pause,
    padding_that_no_loss_reads,
    states_in_a_tree,
]


@pytest.mark.parametrize("training", SOUND, ids=lambda training: training.__name__)
def test_nothing_is_said_of_a_sound_training(training):
    torch.manual_seed(0)
    assert [str(mistake) for mistake in training().mistakes] == []
