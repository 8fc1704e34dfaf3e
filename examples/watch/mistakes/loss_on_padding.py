"""Every step has a tag, sequences are filled up to one length, and the loss counts the filling as well."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pad_sequence

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 6, padding_idx=0), nn.Linear(UNITS, 3)
        self.gru = nn.GRU(6, UNITS, batch_first=True)

    def forward(self, words):
        return self.head(self.gru(self.embedding(words))[0])


model = Tagger()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        lengths = torch.randint(1, STEPS - 2, (BATCH,))
        lengths[:3] = torch.tensor([STEPS, STEPS - 3, STEPS - 4])
        words = pad_sequence([torch.randint(1, 20, (int(length),)) for length in lengths], batch_first=True)
        tags = torch.where(words > 0, 1 + words % 2, 0)
        loss = cross_entropy(model(words).flatten(0, 1), tags.flatten())
        # mended: loss = cross_entropy(model(words).flatten(0, 1), tags.flatten(), ignore_index=0)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
