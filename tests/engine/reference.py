"""The slow, obvious calculation: textbook cells in a loop, every state keeping its gradient. Tests compare with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine.model import RecurrentNetwork
from engine.tasks import Batch

Key = tuple[int, int, int, int]  # layer, direction, position, sequence


@dataclass
class Unrolled:
    """States by (layer, direction, position, sequence); `leaving` is the copy of h_t that goes up: head or layer."""

    hidden: dict[Key, Tensor] = field(default_factory=dict)
    cell: dict[Key, Tensor] = field(default_factory=dict)
    leaving: dict[Key, Tensor] = field(default_factory=dict)
    losses: Tensor | None = None  # (T, batch), weighted as in L but for the 1 / batch


def step(model: RecurrentNetwork, layer: int, d: int, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """The equations of the textbook, written out; x (I,), h and c (H,)."""
    suffix = f"_l{layer}" + ("_reverse" if d else "")
    w, u, b, bh = (getattr(model.recurrent, n + suffix) for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    kind = model.experiment.cell
    if kind == "rnn":
        a = w @ x + b + u @ h + bh
        return (torch.tanh(a) if model.experiment.nonlinearity == "tanh" else torch.relu(a)), c
    if kind == "gru":
        (wr, wz, wn), (ur, uz, un) = w.chunk(3), u.chunk(3)
        (br, bz, bn), (cr, cz, cn) = b.chunk(3), bh.chunk(3)
        r, z = torch.sigmoid(wr @ x + br + ur @ h + cr), torch.sigmoid(wz @ x + bz + uz @ h + cz)
        n = torch.tanh(wn @ x + bn + r * (un @ h + cn))
        return (1 - z) * n + z * h, c
    i, f, g, o = (w @ x + b + u @ h + bh).chunk(4)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def unroll(model: RecurrentNetwork, batch: Batch) -> Unrolled:
    """Run every sequence by itself, over its real steps only, with truncation as the experiment has it."""
    e, run, dtype = model.experiment, Unrolled(), model.dtype
    seq_len, size = batch.mask.shape
    seen, columns = model.embed(batch), []
    for b in range(size):
        length = int(batch.lengths[b])
        rows = [seen[t, b] for t in range(length)]
        for layer in range(e.num_layers):
            outputs: list[list[Tensor]] = [[] for _ in range(length)]
            for d in range(e.directions):
                h = c = torch.zeros(e.hidden_size, dtype=dtype)
                for t in range(length) if d == 0 else range(length - 1, -1, -1):
                    if e.tbptt and t and (seq_len - t) % e.tbptt == 0:
                        h, c = h.detach(), c.detach()
                    h, c = step(model, layer, d, rows[t], h, c)
                    key = (layer, d, t, b)
                    h.retain_grad()
                    run.hidden[key], run.leaving[key] = h, h * 1.0
                    run.leaving[key].retain_grad()
                    if e.cell == "lstm":
                        c.retain_grad()
                        run.cell[key] = c
                    outputs[t].append(run.leaving[key])
            rows = [torch.cat(each) for each in outputs]
        columns.append(_losses(model, batch, b, rows))
    run.losses = torch.stack(columns, dim=1)
    return run


def _losses(model: RecurrentNetwork, batch: Batch, b: int, rows: list[Tensor]) -> Tensor:
    """Weighted losses of sequence b, (T,)."""
    e, width = model.experiment, model.experiment.hidden_size
    counted = int(batch.mask[:, b].sum())
    losses = [torch.zeros((), dtype=model.dtype) for _ in range(len(batch.mask))]
    for t in np.flatnonzero(batch.mask[:, b]):
        read = rows[t]
        if e.rnn_type == "many_to_one":
            read = torch.cat([rows[-1][:width], rows[0][width:]])
        y = model.head.weight @ read + model.head.bias
        if model.symbols_out:
            loss = torch.logsumexp(y, 0) - y[int(batch.targets[t, b])]
        else:
            loss = ((y - torch.tensor(batch.targets[t, b], dtype=y.dtype)) ** 2).mean()
        losses[t] = loss if e.reduction == "sum" else loss / counted
    return torch.stack(losses)


def gradients(model: RecurrentNetwork, batch: Batch, loss: str | int = "all") -> dict[str, np.ndarray]:
    """dL/dh_t and its direct part, dL/dc_t, and the states: (layers, directions, T, batch, units) float64."""
    run, e = unroll(model, batch), model.experiment
    assert run.losses is not None
    rows = []
    for b in range(batch.mask.shape[1]):
        counted = np.flatnonzero(batch.mask[:, b])
        named = {"all": counted, "last": counted[-1:], "first": counted[:1]}
        wanted = named.get(loss, [t for t in counted if t == loss])
        rows += [run.losses[t, b] for t in wanted]
    (torch.stack(rows).sum() / batch.mask.shape[1]).backward()
    shape = (e.num_layers, e.directions, *batch.mask.shape, e.hidden_size)

    def collect(states: dict[Key, Tensor], value: bool = False) -> np.ndarray:
        whole = np.zeros(shape)
        for key, state in states.items():
            found = state if value else state.grad
            if found is not None:
                whole[key] = found.detach().numpy()
        return whole

    return {
        "grad_hidden": collect(run.hidden),
        "grad_hidden_direct": collect(run.leaving),
        "grad_cell": collect(run.cell),
        "hidden": collect(run.hidden, value=True),
        "cell": collect(run.cell, value=True),
    }
