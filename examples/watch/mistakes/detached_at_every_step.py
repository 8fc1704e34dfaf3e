"""To be rid of "Trying to backward through the graph a second time", the state is detached within the loop."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.cell, self.head = nn.GRUCell(2, UNITS), nn.Linear(UNITS, 1)

    def forward(self, x):
        h = x.new_zeros(x.shape[1], UNITS)
        for x_t in x:
            h = self.cell(x_t, h.detach())
            # mended: h = self.cell(x_t, h)
        return self.head(h)


model = Adder()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        x = torch.rand(STEPS, BATCH, 2)
        loss = mse_loss(model(x), x.sum((0, 2))[:, None])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
