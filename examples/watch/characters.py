"""A character model of *Alice*: the state is carried from piece to piece of the text, and detached between them.

python -m examples.watch.characters --steps 100
"""

import argparse
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from engine.watch import watch

TEXT = Path(__file__).parents[2] / "engine/tasks/data/alice.txt"
BATCH, PIECE, UNITS = 16, 35, 96


class CharacterModel(nn.Module):
    """Says at every character which one comes next."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, 32)
        self.lstm = nn.LSTM(32, UNITS, num_layers=2, dropout=0.2)
        self.head = nn.Linear(UNITS, characters)

    def forward(self, symbols, state=None):
        """Symbols (T, B) to logits (T, B, characters), and the state after the last of them."""
        output, state = self.lstm(self.embedding(symbols), state)
        return self.head(output), state


arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--steps", type=int, default=100)
steps = arguments.parse_args().steps

torch.manual_seed(0)
text = TEXT.read_text(encoding="utf-8")
alphabet = sorted(set(text))
symbols = torch.tensor([alphabet.index(character) for character in text])
columns = symbols[: len(symbols) // BATCH * BATCH].view(BATCH, -1).T  # BATCH places of the text, side by side
starts = range(0, len(columns) - PIECE, PIECE)

model = CharacterModel(len(alphabet))
optimizer = torch.optim.Adam(model.parameters(), 3e-3)
state = ()

with watch(model) as lens:
    for step in range(steps):
        start = starts[step % len(starts)]
        before = tuple(each.detach() for each in state) if start else None  # the text goes on, the graph does not
        logits, state = model(columns[start : start + PIECE], before)
        loss = cross_entropy(logits.flatten(0, 1), columns[start + 1 : start + PIECE + 1].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

print(f"loss {loss.item():.2f} nats per character\n{lens}")
