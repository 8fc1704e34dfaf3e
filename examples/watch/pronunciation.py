"""From letters to sounds: an encoder, and a decoder that is called once for every sound, with teacher forcing.

python -m examples.watch.pronunciation --steps 150
"""

import argparse
import csv
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from engine.watch import watch

WORDS = Path(__file__).parents[2] / "presets/data/pronunciations.tsv"
BATCH, UNITS, PAD, MARK = 32, 48, 0, 1  # MARK stands before the first sound and after the last


class Speaker(nn.Module):
    """Reads a word, then says its sounds one after the other."""

    def __init__(self, letters: int, sounds: int) -> None:
        super().__init__()
        self.letters, self.sounds = nn.Embedding(letters, 16), nn.Embedding(sounds, 16)
        self.encoder, self.decoder = nn.LSTM(16, UNITS), nn.LSTMCell(16, UNITS)
        self.head = nn.Linear(UNITS, sounds)

    def forward(self, words, lengths, spoken):
        """Words (T, B), their lengths (B,) and the true sounds (S, B), to logits (S - 1, B, sounds)."""
        _, ends = self.encoder(pack_padded_sequence(self.letters(words), lengths, enforce_sorted=False))
        state = (ends[0][0], ends[1][0])
        logits = []
        for sound in spoken[:-1]:  # the true sound is fed, whatever was said
            state = self.decoder(self.sounds(sound), state)
            logits.append(self.head(state[0]))
        return torch.stack(logits)


arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
arguments.add_argument("--steps", type=int, default=150)
steps = arguments.parse_args().steps

torch.manual_seed(0)
with WORDS.open(encoding="utf-8", newline="") as file:
    rows = [(row["word"], row["sounds"].split()) for row in csv.DictReader(file, delimiter="\t")]
letters = sorted({letter for word, _ in rows for letter in word})
sounds = sorted({sound for _, spoken in rows for sound in spoken})
words = [torch.tensor([1 + letters.index(letter) for letter in word]) for word, _ in rows]
spoken = [torch.tensor([MARK, *(2 + sounds.index(sound) for sound in row), MARK]) for _, row in rows]

model = Speaker(1 + len(letters), 2 + len(sounds))
optimizer = torch.optim.Adam(model.parameters(), 5e-3)

with watch(model) as lens:
    for _ in range(steps):
        chosen = torch.randint(len(rows), (BATCH,))
        lengths = torch.tensor([len(words[one]) for one in chosen])
        targets = pad_sequence([spoken[one] for one in chosen], padding_value=PAD)
        logits = model(pad_sequence([words[one] for one in chosen]), lengths, targets)
        loss = cross_entropy(logits.flatten(0, 1), targets[1:].flatten(), ignore_index=PAD)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(f"loss {loss.item():.2f} nats per sound\n{lens}")
