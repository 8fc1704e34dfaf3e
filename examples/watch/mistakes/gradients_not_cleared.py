"""`zero_grad()` is called once before the loop: every update contains the gradients of all those before it."""

import torch
from torch import nn
from torch.nn.functional import mse_loss

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Adder(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru, self.head = nn.GRU(2, UNITS), nn.Linear(UNITS, 1)

    def forward(self, x):
        return self.head(self.gru(x)[0][-1])


model = Adder()
optimizer = torch.optim.SGD(model.parameters(), 0.01)

with watch(model) as lens:
    optimizer.zero_grad()
    for _ in range(3):
        x = torch.rand(STEPS, BATCH, 2)
        loss = mse_loss(model(x), x.sum((0, 2))[:, None])
        loss.backward()
        # mended: optimizer.zero_grad(), loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

print(lens)
