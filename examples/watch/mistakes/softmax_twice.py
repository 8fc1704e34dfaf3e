"""The network ends with a softmax, and cross-entropy takes another one."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.head = nn.Embedding(20, 6), nn.Linear(UNITS, 3)
        self.gru = nn.GRU(6, UNITS)

    def forward(self, words):
        _, h_n = self.gru(self.embedding(words))
        return self.head(h_n[-1]).softmax(-1)
        # mended: return self.head(h_n[-1])


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        words = torch.randint(20, (STEPS, BATCH))
        loss = cross_entropy(model(words), words[0] % 3)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
