"""The state is carried from piece to piece, and with it the graph of the update before: the second one raises."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.lstm, self.head = nn.Embedding(20, 6), nn.LSTM(6, UNITS), nn.Linear(UNITS, 20)

    def forward(self, symbols, state):
        output, state = self.lstm(self.embedding(symbols), state)
        return self.head(output), state


model = LanguageModel()
optimizer = torch.optim.SGD(model.parameters(), 0.1)
text = torch.randint(20, (3 * STEPS + 1, BATCH))
state = (torch.zeros(1, BATCH, UNITS), torch.zeros(1, BATCH, UNITS))

with watch(model) as lens:
    try:
        for at in range(0, 3 * STEPS, STEPS):
            logits, state = model(text[at : at + STEPS], state)
            # mended: logits, state = model(text[at : at + STEPS], tuple(each.detach() for each in state))
            loss = cross_entropy(logits.flatten(0, 1), text[at + 1 : at + STEPS + 1].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    finally:
        print(lens)
