"""Independent of the engine: PyTorch's recurrent modules as plain loops, every state of which keeps its gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, linear
from torch.nn.utils.rnn import PackedSequence

Key = tuple[int, int, int]  # layer, direction, t


@dataclass(eq=False)
class Entry:
    """One call: states by (layer, direction, t) in packed order, and how to bring rows back to the batch's order."""

    module: nn.Module
    steps: int
    batch: int
    hidden: dict[Key, Tensor] = field(default_factory=dict)
    read: dict[Key, Tensor] = field(default_factory=dict)  # what is read from above; h itself goes on in time
    cell: dict[Key, Tensor] = field(default_factory=dict)
    unsorted: Tensor | None = None

    def gradient(self, which: str) -> np.ndarray:
        """(layers, directions, T, B, units) of "hidden", "read" or "cell"; 0 where none came."""
        states = getattr(self, which)
        layers, directions = 1 + max(key[0] for key in states), 1 + max(key[1] for key in states)
        result = torch.zeros(layers, directions, self.steps, self.batch, states[0, 0, 0].shape[-1], dtype=torch.float64)
        for (layer, d, t), state in states.items():
            if state.grad is not None:
                gradient = state.grad.double().reshape(-1, state.shape[-1])
                result[layer, d, t, : len(gradient)] = gradient
        return (result if self.unsorted is None else result[:, :, :, self.unsorted]).numpy()

    @property
    def arrived(self) -> bool:
        return any(state.grad is not None for state in (*self.hidden.values(), *self.cell.values()))


def kept(state: Tensor) -> Tensor:
    if state.requires_grad:
        state.retain_grad()
    return state


def step(module: nn.Module, x: Tensor, h: Tensor, c: Tensor | None, weights: list) -> tuple[Tensor, Tensor | None]:
    """The textbook's equations in PyTorch's order of gates."""
    ih, hh, bias_ih, bias_hh, hr = weights
    a, b = linear(x, ih, bias_ih), linear(h, hh, bias_hh)
    if isinstance(module, (nn.RNN, nn.RNNCell)):
        return (torch.tanh(a + b) if module.nonlinearity == "tanh" else torch.relu(a + b)), None
    if isinstance(module, (nn.GRU, nn.GRUCell)):
        (ar, az, an), (br, bz, bn) = a.chunk(3, -1), b.chunk(3, -1)
        z = torch.sigmoid(az + bz)
        n = torch.tanh(an + torch.sigmoid(ar + br) * bn)
        return (1 - z) * n + z * h, None
    i, f, g, o = (a + b).chunk(4, -1)
    assert c is not None
    c = kept(torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g))
    h = torch.sigmoid(o) * torch.tanh(c)
    return (h if hr is None else linear(h, hr)), c


def layers_forward(log: list[Entry], self: nn.Module, x: Tensor | PackedSequence, hx=None):
    """In place of nn.RNNBase's forward."""
    has_cell, lengths, unbatched = isinstance(self, nn.LSTM), None, False
    if isinstance(x, PackedSequence):
        lengths = x.batch_sizes.tolist()
        rows = list(x.data.split(lengths))
    else:
        unbatched = x.dim() == 2
        x3 = x.unsqueeze(0 if self.batch_first else 1) if unbatched else x
        rows = list((x3.transpose(0, 1) if self.batch_first else x3).unbind())
    entry = Entry(self, len(rows), len(rows[0]))
    directions = 2 if self.bidirectional else 1
    widths = (self.proj_size or self.hidden_size, self.hidden_size)[: 1 + has_cell]
    if hx is None:
        first = [rows[0].new_zeros(self.num_layers * directions, entry.batch, width) for width in widths]
    else:
        first = [each[:, None] if unbatched else each for each in (hx if has_cell else (hx,))]
        if lengths is not None and x.sorted_indices is not None:
            first = [each[:, x.sorted_indices] for each in first]
    if lengths is not None:
        entry.unsorted = x.unsorted_indices
    ends: list[list[Tensor]] = [[] for _ in widths]
    for layer in range(self.num_layers):
        outputs = []
        for d in range(directions):
            suffix = f"_l{layer}" + "_reverse" * d
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
            weights = [getattr(self, name + suffix, None) for name in names]
            state = [each[layer * directions + d] for each in first]
            reads = [each for each in state]
            seen: list = [None] * len(rows)
            for t in reversed(range(len(rows))) if d else range(len(rows)):
                n = len(rows[t])
                h, c = step(self, rows[t], state[0][:n], state[1][:n] if has_cell else None, weights)
                entry.hidden[layer, d, t] = kept(h)
                seen[t] = entry.read[layer, d, t] = kept(h.clone())
                new = [h, c][: len(widths)]
                if has_cell:
                    entry.cell[layer, d, t] = c
                read = [seen[t], c][: len(widths)]
                state = [torch.cat([one, old[n:]]) for one, old in zip(new, state, strict=True)]
                reads = [torch.cat([one, old[n:]]) for one, old in zip(read, reads, strict=True)]
            for end, read in zip(ends, reads, strict=True):
                end.append(read)
            outputs.append(seen)
        rows = [torch.cat(parts, -1) for parts in zip(*outputs, strict=True)]
        if layer < self.num_layers - 1 and self.dropout and self.training:
            sizes = [len(row) for row in rows]
            packed = lengths is not None
            drawn = dropout(torch.cat(rows) if packed else torch.stack(rows), self.dropout, True)
            rows = list(drawn.split(sizes) if packed else drawn.unbind())
    if torch.is_grad_enabled():
        log.append(entry)
    finals = [torch.stack(end) for end in ends]
    if entry.unsorted is not None:
        finals = [each[:, entry.unsorted] for each in finals]
    finals = [each[:, 0] if unbatched else each for each in finals]
    if lengths is not None:
        output = PackedSequence(torch.cat(rows), *x[1:])
    else:
        output = torch.stack(rows)
        output = output.transpose(0, 1) if self.batch_first else output
        output = output.squeeze(0 if self.batch_first else 1) if unbatched else output
    return output, tuple(finals) if has_cell else finals[0]


def cell_forward(log: list[Entry], self: nn.Module, x: Tensor, hx=None):
    """In place of the forward of nn.RNNCell, nn.GRUCell and nn.LSTMCell."""
    has_cell = isinstance(self, nn.LSTMCell)
    if hx is None:
        zero = x.new_zeros(*x.shape[:-1], self.hidden_size)
        hx = (zero, zero) if has_cell else zero
    h, c = hx if has_cell else (hx, None)
    h, c = step(self, x, h, c, [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, None])
    entry = Entry(self, 1, len(x) if x.dim() > 1 else 1)
    entry.hidden[0, 0, 0] = kept(h)
    if has_cell:
        entry.cell[0, 0, 0] = c
    if torch.is_grad_enabled():
        log.append(entry)
    return (h, c) if has_cell else h


@contextmanager
def unrolled() -> Iterator[list[Entry]]:
    """All recurrent modules as loops. Yields the list of their calls."""
    log: list[Entry] = []
    forwards = {kind: layers_forward for kind in (nn.RNN, nn.GRU, nn.LSTM)}
    forwards |= {kind: cell_forward for kind in (nn.RNNCell, nn.GRUCell, nn.LSTMCell)}
    before = {kind: kind.forward for kind in forwards}
    try:
        for kind, forward in forwards.items():
            kind.forward = lambda self, input, hx=None, forward=forward: forward(log, self, input, hx)
        yield log
    finally:
        for kind, forward in before.items():
            kind.forward = forward
