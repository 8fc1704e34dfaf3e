"""A classifier of names of different lengths, packed: from the letters to the language.

python -m examples.watch.surnames --steps 150
"""

import argparse
import csv
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from engine.watch import watch

NAMES = Path(__file__).parents[2] / "presets/data/names.csv"
BATCH, UNITS, PAD = 32, 48, 0


class NameClassifier(nn.Module):
    """Reads a name both ways, and says of which language it is."""

    def __init__(self, letters: int, languages: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, 16, padding_idx=PAD)
        self.gru = nn.GRU(16, UNITS, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * UNITS, languages)

    def forward(self, names, lengths):
        """Names (B, T), padded, and their lengths (B,), to logits (B, languages)."""
        packed = pack_padded_sequence(self.embedding(names), lengths, batch_first=True, enforce_sorted=False)
        _, ends = self.gru(packed)
        return self.head(torch.cat([ends[-2], ends[-1]], -1))  # where each direction ends


arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--steps", type=int, default=150)
steps = arguments.parse_args().steps

torch.manual_seed(0)
with NAMES.open(encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
letters = sorted({letter for row in rows for letter in row["name"]})
languages = sorted({row["language"] for row in rows})
names = [torch.tensor([1 + letters.index(letter) for letter in row["name"]]) for row in rows]
answers = torch.tensor([languages.index(row["language"]) for row in rows])

model = NameClassifier(1 + len(letters), len(languages))
optimizer = torch.optim.Adam(model.parameters(), 5e-3)

with watch(model) as lens:
    for _ in range(steps):
        chosen = torch.randint(len(names), (BATCH,))
        lengths = torch.tensor([len(names[one]) for one in chosen])
        padded = pad_sequence([names[one] for one in chosen], batch_first=True, padding_value=PAD)
        logits = model(padded, lengths)
        loss = cross_entropy(logits, answers[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

right = (logits.argmax(-1) == answers[chosen]).float().mean().item()
print(f"{right:.0%} of the last {BATCH} names right\n{lens}")
