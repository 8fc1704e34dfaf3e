"""Sequences are filled up to one length, and the network reads what they were filled with."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 6, padding_idx=0), nn.Linear(UNITS, 2)
        self.gru = nn.GRU(6, UNITS, batch_first=True)

    def forward(self, words, lengths):
        x = self.embedding(words)
        _, h_n = self.gru(x)
        # mended: _, h_n = self.gru(pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
        return self.head(h_n[-1])


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        lengths = torch.randint(1, STEPS - 2, (BATCH,))
        lengths[:3] = torch.tensor([STEPS, STEPS - 3, STEPS - 4])
        sentences = [torch.randint(1, 20, (int(length),)) for length in lengths]
        answers = torch.tensor([int(sentence[0] > 10) for sentence in sentences])
        loss = cross_entropy(model(pad_sequence(sentences, batch_first=True), lengths), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
