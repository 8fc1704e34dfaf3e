"""What docs/my-rnn-does-not-learn.md promises that a lens says of a network with a symptom, it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from engine.watch import watch

PAGE = Path(__file__).parents[3] / "docs" / "my-rnn-does-not-learn.md"
UNITS = 16


def with_weights(rnn: nn.Module, scale: float, start: Callable[[Tensor], Tensor] = lambda weight: weight) -> nn.Module:
    with torch.no_grad():
        start(rnn.weight_hh_l0).mul_(scale)
    return rnn


def dead() -> nn.Module:
    rnn = nn.RNN(3, UNITS, nonlinearity="relu")
    nn.init.constant_(rnn.bias_hh_l0, -50.0)
    return rnn


def opened() -> nn.Module:
    """Its forget gate keeps."""
    lstm = nn.LSTM(3, UNITS)
    nn.init.constant_(lstm.bias_ih_l0[UNITS : 2 * UNITS], 4.0)
    return lstm


def underflowing() -> nn.Module:
    return with_weights(nn.RNN(3, UNITS), 1e-3)


def at_the_end(rnn: nn.Module, x: Tensor) -> Tensor:
    return rnn(x)[0][-1].sum()


def of_the_last_piece(rnn: nn.Module, x: Tensor) -> Tensor:
    return rnn(x[30:], tuple(state.detach() for state in rnn(x[:30])[1]))[0][-1].sum()


SYMPTOMS = {
    "failure-vanishing": (lambda: nn.RNN(3, UNITS), at_the_end),
    "default-lstm": (lambda: nn.LSTM(3, UNITS), at_the_end),
    "failure-truncated": (lambda: nn.LSTM(3, UNITS), of_the_last_piece),
    "failure-underflow": (underflowing, at_the_end),
    "failure-exploding": (lambda: with_weights(nn.RNN(3, UNITS, nonlinearity="relu"), 3, nn.init.eye_), at_the_end),
    "failure-nan": (lambda: nn.GRU(3, UNITS), lambda rnn, x: at_the_end(rnn, x) * float("nan")),
    "failure-saturated": (lambda: with_weights(nn.RNN(3, UNITS), 40), at_the_end),
    "failure-dead-relu": (dead, at_the_end),
    "failure-plateau": (opened, at_the_end),
}


def promised() -> dict[str, list[str]]:
    """What each line of the first table quotes of a lens, by the lesson that it links to."""
    rows = re.findall(r"\?preset=([\w-]+)\).*(?<!\\)\| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {slug: re.findall(r"`([^`]+)`", cell.replace("\\|", "|")) for slug, cell in rows if slug in SYMPTOMS}


@pytest.mark.parametrize("slug", SYMPTOMS)
def test_the_lens_says_what_the_page_says_that_it_says(slug):
    torch.manual_seed(0)
    make, loss = SYMPTOMS[slug]
    rnn, x = make(), torch.randn(40, 8, 3)
    with watch(rnn, every=1) as lens:
        loss(rnn, x).backward()
    said = " ".join(str(lens).split())
    assert promised()[slug]
    assert all(words in said for words in promised()[slug]), (promised()[slug], said)
