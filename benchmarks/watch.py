"""What watching costs: updates per second of a language model, as it is and under `watch` with its usual share.

Both train on one thread of this process, in alternating turns; every turn under `watch` begins with a new lens, whose
first look is in it. The aim is at most 5 % fewer updates per second, as the median over the pairs.
"""

from __future__ import annotations

import statistics

import torch
from torch import Tensor, nn

from benchmarks.measuring import Settings, head, ratios, row
from benchmarks.overhead import rate
from engine.watch import watch

BATCH, STEPS, UNITS, LAYERS, WORDS = 20, 35, 200, 2, 10_000
PAIRS = 5


class LanguageModel(nn.Module):
    """An LSTM between an embedding and an output layer that share their weights, dropout in between."""

    def __init__(self, dropout: float) -> None:
        """dropout: between the LSTM's layers."""
        super().__init__()
        self.drop, self.embedding = nn.Dropout(0.2), nn.Embedding(WORDS, UNITS)
        self.lstm = nn.LSTM(UNITS, UNITS, LAYERS, dropout=dropout)
        self.head = nn.Linear(UNITS, WORDS)
        self.head.weight = self.embedding.weight

    def forward(self, words: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Words (T, B) to logits (T, B, words), and the last state."""
        output, state = self.lstm(self.drop(self.embedding(words)), state)
        return self.head(self.drop(output)), state


class Training:
    """A language model and its loop: the state is carried on, detached; the gradient is clipped."""

    def __init__(self, device: str) -> None:
        torch.manual_seed(0)
        self.model = LanguageModel(0.2 if device == "cpu" else 0.0).to(device)  # a lens refuses cuDNN's dropout
        self.optimizer = torch.optim.SGD(self.model.parameters(), 1.0)
        self.text = torch.randint(WORDS, (100 * STEPS + 1, BATCH), device=device)
        self.at, self.state = 0, None

    def advance(self) -> None:
        """One update."""
        piece = self.text[self.at : self.at + STEPS + 1]
        self.at = (self.at + STEPS) % (len(self.text) - 1)
        state = None if self.state is None else tuple(each.detach() for each in self.state)
        logits, self.state = self.model(piece[:-1], state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), piece[1:].flatten())
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 0.25)
        self.optimizer.step()


def tables(settings: Settings) -> None:
    """Print the table."""
    seconds = 5.0 if settings.quick else 60.0
    head(
        f"Training under watch: updates per second of a language model, {PAIRS} pairs of {seconds:.0f} s "
        f"(LSTM, {LAYERS} layers, B = {BATCH}, T = {STEPS}, H = {UNITS})",
        "bare loop", "watched", "ratio", "lowest", "highest", "looks a minute", "its own share",
    )  # fmt: skip
    bare, watched = Training(settings.device), Training(settings.device)
    for training in (bare, watched):
        rate(training.advance, 1.0, settings.device)
    columns: list[list[float]] = [[], []]
    looks, shares = [], []
    for _ in range(PAIRS):
        columns[0].append(rate(bare.advance, seconds, settings.device))
        with watch(watched.model) as lens:
            columns[1].append(rate(watched.advance, seconds, settings.device))
        looks.append(60 * lens.cost.looks / lens.cost.elapsed)
        shares.append(lens.cost.share)
    speeds = (f"{statistics.median(rates):.2f}" for rates in columns)
    relative = (f"{ratio:.3f}" for ratio in ratios(columns[1], columns[0]))
    row(*speeds, *relative, f"{statistics.median(looks):.1f}", f"{statistics.median(shares):.1%}")
