"""The data are (batch, time, features), and `batch_first=True` was forgotten."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Forecast(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, UNITS)
        # mended: self.gru = nn.GRU(1, UNITS, batch_first=True)
        self.head = nn.Linear(UNITS, 1)

    def forward(self, x):
        output, _ = self.gru(x)
        return self.head(output[:, -1])


model = Forecast()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        wave = torch.sin(torch.arange(STEPS + 1.0) / 3 + 6 * torch.rand(BATCH, 1))
        loss = mse_loss(model(wave[:, :-1, None]), wave[:, -1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
