"""Packed and unpacked again, then `output[:, -1]`: of every sequence but the longest that is padding."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from engine.watch import watch

BATCH, STEPS, UNITS, SEED = 8, 12, 16, 0
torch.manual_seed(SEED)


class Classifier(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.head = nn.LSTM(4, UNITS, batch_first=True), nn.Linear(UNITS, 2)

    def forward(self, x, lengths):
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        output, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return self.head(output[:, -1])
        # mended: return self.head(output[torch.arange(len(lengths)), lengths - 1])


model = Classifier()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)

with watch(model) as lens:
    for _ in range(3):
        lengths = torch.randint(1, STEPS, (BATCH,))
        lengths[0] = STEPS
        series = [torch.randn(int(length), 4) for length in lengths]
        answers = torch.tensor([int(one.sum() > 0) for one in series])
        loss = cross_entropy(model(pad_sequence(series, batch_first=True), lengths), answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

print(lens)
