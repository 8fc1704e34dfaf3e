"""A decoder that is called once for every symbol, and begins from zeros each time."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.rnn, self.head = nn.Embedding(20, 6), nn.LSTM(6, UNITS), nn.Linear(UNITS, 20)

    def forward(self, symbols):
        state, logits = None, []
        for symbol in symbols:
            output, state = self.rnn(self.embedding(symbol)[None])
            # mended: output, state = self.rnn(self.embedding(symbol)[None], state)
            logits.append(self.head(output[0]))
        return torch.stack(logits)


model = Decoder()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        text = torch.randint(20, (STEPS + 1, BATCH))
        loss = cross_entropy(model(text[:-1]).flatten(0, 1), text[1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
