"""Two directions, and `output[:, -1]`: there the backward one has read a single input."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, UNITS, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * UNITS, 2)

    def forward(self, x):
        output, (h_n, _) = self.lstm(x)
        return self.head(output[:, -1])
        # mended: return self.head(torch.cat([h_n[-2], h_n[-1]], -1))


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        x = torch.randn(BATCH, STEPS, 3)
        loss = cross_entropy(model(x), (x.sum((1, 2)) > 0).long())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
