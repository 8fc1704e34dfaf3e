"""The slow, obvious calculation: textbook cells in a loop, every state keeping its gradient. Tests compare with it.

Each sequence runs by itself, over its real steps only. Of the engine it uses the weights and the experiment, nothing
that computes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from engine.cells import CELLS
from engine.model import RecurrentNetwork
from engine.tasks import TASKS, Batch

Key = tuple[int, int, int, int]  # layer, direction, position on the whole time axis, sequence
State = tuple[Tensor, Tensor]  # h and c; c stays what it was where the cell has none
Changed = Callable[[str, Tensor], Tensor]  # from a gate or new state by name, and its value, to what takes its place

ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid, "identity": lambda a: a}


@dataclass
class Unrolled:
    """One unrolled forward pass: states by `Key`; `leaving` is the copy of h_t that goes up, to head or next layer.

    read: x_t by (position, sequence), what the first layer reads. entered: what every step was computed from, its
    layers, x, h and c. weights: with `apart`, the copies of all weights that this step alone used. alpha: attention's
    weights by (decoder step, sequence). top: for each sequence what the head could read at every step. change, cut:
    interventions; path: see `unroll`.
    """

    model: RecurrentNetwork
    batch: Batch
    nudges: Mapping[Key, Tensor]
    apart: bool = False
    hidden: dict[Key, Tensor] = field(default_factory=dict)
    cell: dict[Key, Tensor] = field(default_factory=dict)
    leaving: dict[Key, Tensor] = field(default_factory=dict)
    read: dict[tuple[int, int], Tensor] = field(default_factory=dict)
    entered: dict[Key, tuple[nn.Module, Tensor, Tensor, Tensor]] = field(default_factory=dict)
    weights: dict[Key, dict[str, Tensor]] = field(default_factory=dict)
    alpha: dict[tuple[int, int], Tensor] = field(default_factory=dict)
    top: list[list[Tensor]] = field(default_factory=list)
    change: Callable[[Key, str, Tensor], Tensor] = lambda key, name, value: value
    cut: Collection[Key] = ()
    path: str = ""
    losses: Tensor | None = None  # (T, batch), weighted as in L but for the 1 / batch

    def loss(self, which: str | int = "all") -> Tensor:
        """L, or the part of it that comes from each sequence's last or first counted step, or from step k."""
        assert self.losses is not None
        chosen = []
        for b in range(self.losses.shape[1]):
            counted = np.flatnonzero(self.batch.mask[:, b])
            steps = {"all": counted, "last": counted[-1:], "first": counted[:1]}.get(which, counted[counted == which])
            chosen += [self.losses[t, b] for t in steps]
        return torch.stack(chosen).sum() / self.losses.shape[1]

    def gradients(self, which: str | int = "all") -> dict[str, np.ndarray]:
        """dL/dh_t and its direct part, dL/dc_t, and the states: (layers, directions, T, batch, units) float64."""
        wanted = [*self.hidden.values(), *self.leaving.values(), *self.cell.values()]
        grads = iter(torch.autograd.grad(self.loss(which), wanted, retain_graph=True, materialize_grads=True))
        slopes = {
            name: {key: next(grads) for key in states}
            for name, states in (("grad_hidden", self.hidden), ("grad_hidden_direct", self.leaving),
                                 ("grad_cell", self.cell))
        }  # fmt: skip
        return {name: self._array(values) for name, values in
                {**slopes, "hidden": self.hidden, "cell": self.cell}.items()}  # fmt: skip

    def saliency(self, position: int, b: int = 0) -> np.ndarray:
        """(T, units of x) float64: the slope of what is said at this position towards everything that was read."""
        e, t = self.model.experiment, position - self.batch.source_steps
        y = outputs_at(self, t, b)
        if TASKS[e.task].outputs == "symbols":
            asked = int(np.flatnonzero(self.batch.mask[:, b])[-1]) if e.rnn_type == "many_to_one" else t
            score = y[int(self.batch.targets[asked, b])]
        else:
            score = y.sum()
        places = [at for at, sequence in self.read if sequence == b]
        wanted = [self.read[at, b] for at in places]
        grads = torch.autograd.grad(score, wanted, retain_graph=True, materialize_grads=True)
        whole = np.zeros((len(self.batch.valid), max(each.numel() for each in wanted)))
        for at, slope in zip(places, grads, strict=True):
            whole[at, : slope.numel()] = slope.numpy()
        return whole

    def weight_terms(self, name: str, which: str | int = "all") -> dict[Key, Tensor]:
        """dL/d(the copy of `name`, "weight_hh" or another, that one step used)."""
        copies = {key: own[full] for key, own in self.weights.items() for full in own if full.startswith(name)}
        grads = torch.autograd.grad(self.loss(which), list(copies.values()), retain_graph=True, materialize_grads=True)
        return dict(zip(copies, grads, strict=True))

    def order(self, layer: int, d: int, b: int = 0) -> list[int]:
        """The positions of one sequence's real steps in a direction's own order."""
        return sorted((key[2] for key in self.hidden if (key[0], key[1], key[3]) == (layer, d, b)), reverse=bool(d))

    def _array(self, states: dict[Key, Tensor]) -> np.ndarray:
        e = self.model.experiment
        whole = np.zeros((e.num_layers, e.directions, *self.batch.valid.shape, e.hidden_size))
        for key, state in states.items():
            whole[key] = state.detach().numpy()
        return whole


def unroll(
    model: RecurrentNetwork,
    batch: Batch,
    nudges: Mapping[Key, Tensor] | None = None,
    apart: bool = False,
    **interventions: Any,
) -> Unrolled:
    """Run every sequence by itself, with truncation as the experiment has it.

    Args:
        nudges: added to some h_t.
        apart: give every step copies of the weights that nobody else uses, so that autograd can tell steps apart.
        interventions: `change`, from the key of a step, the name of a gate, "h" or "c", and its value to the one that
            takes its place; `cut`, steps that read a state of 0. And `path`, "state", "values" or "scores": the only
            way by which autograd goes from a decoder back to its encoder.
    """
    run = Unrolled(model, batch, nudges or {}, apart, **interventions)
    task, columns = TASKS[model.experiment.task], []
    for b in range(batch.mask.shape[1]):
        rows = _read(run, b)
        if batch.decoder_inputs is None:
            top, _ = _stack(run, model.recurrent, rows, b)
        else:
            read, ends = _stack(run, model.encoder, rows, b)
            if run.path not in ("", "state"):
                ends = [(h.detach(), c.detach()) for h, c in ends]
            spoken = int(np.flatnonzero(batch.mask[:, b])[-1]) + 1
            rows = [_symbol(model, batch.decoder_inputs[t, b], model.decoder_embedding, task.output_size)
                    for t in range(spoken)]  # fmt: skip
            _keep_inputs(run, rows, b, at=len(batch.inputs))
            top, _ = _stack(run, model.decoder, rows, b, ends, at=len(batch.inputs))
            if model.experiment.attention != "none":
                top = [_beside_context(run, (t, b), state, read) for t, state in enumerate(top)]
        run.top.append(top)
        columns.append(_losses(model, batch, b, top))
    run.losses = torch.stack(columns, dim=1)
    return run


def gradients(model: RecurrentNetwork, batch: Batch, loss: str | int = "all") -> dict[str, np.ndarray]:
    """As `Unrolled.gradients`."""
    return unroll(model, batch).gradients(loss)


def unchanged(name: str, value: Tensor) -> Tensor:
    """No intervention."""
    return value


def step(
    model: RecurrentNetwork, layers: nn.Module, layer: int, d: int, x: Tensor, h: Tensor, c: Tensor,
    at: Changed = unchanged,
) -> State:  # fmt: skip
    """The equations of the textbook, written out; x (I,), h and c (H,). `at` sees every gate and c."""
    suffix, cell = f"_l{layer}" + ("_reverse" if d else ""), model.experiment.cell
    sigmoid, tanh, phi = torch.sigmoid, torch.tanh, ACTIVATIONS[model.experiment.nonlinearity]
    w = getattr(layers, "weight_ih" + suffix)
    if cell == "lstm_layer_norm":
        own = {name.removesuffix(suffix): each for name, each in _own(layers, suffix).items()}
        return _layer_norm_lstm(own, x, h, c, at)
    b = getattr(layers, "bias_ih" + suffix)
    if cell == "feedforward":
        return phi(w @ x + b), c
    if cell == "indrnn":
        return torch.clamp(w @ x + b + getattr(layers, "weight_u" + suffix) * h, min=0), c
    if cell.startswith("linear"):
        a, n = (w @ x + b).chunk(2)
        n = at("candidate", n)
        if cell == "linear_signed":
            return at("retain_factor", tanh(a)) * h + n, c
        z = at("update_gate", sigmoid(a))
        return z * h + (1 - z) * n, c
    u, bu = getattr(layers, "weight_hh" + suffix), getattr(layers, "bias_hh" + suffix)
    if cell == "gru":
        (wr, wz, wn), (ur, uz, un), (br, bz, bn), (cr, cz, cn) = (each.chunk(3) for each in (w, u, b, bu))
        r = at("reset_gate", sigmoid(wr @ x + br + ur @ h + cr))
        z = at("update_gate", sigmoid(wz @ x + bz + uz @ h + cz))
        n = at("candidate", tanh(wn @ x + bn + r * (un @ h + cn)))
        return (1 - z) * n + z * h, c
    if cell == "gru_2014":
        (ar, az, an), (ur, uz, un), (cr, cz, cn) = (each.chunk(3) for each in (w @ x + b, u, bu))
        n = at("candidate", tanh(an + un @ (at("reset_gate", sigmoid(ar + ur @ h + cr)) * h) + cn))
        z = at("update_gate", sigmoid(az + uz @ h + cz))
        return n - z * n + z * h, c
    a = w @ x + b + u @ h + bu
    if cell == "rnn":
        return phi(a), c
    if cell == "gru_simple":
        z, n = a.chunk(2)
        z = at("update_gate", sigmoid(z))
        return (1 - z) * at("candidate", tanh(n)) + z * h, c
    if cell == "lstm_no_forget":
        i, g, o = a.chunk(3)
        c = at("c", c + at("input_gate", sigmoid(i)) * at("cell_candidate", tanh(g)))
        return at("output_gate", sigmoid(o)) * tanh(c), c
    i, f, g, o = a.chunk(4)
    if cell == "lstm":
        c = at("c", at("forget_gate", sigmoid(f)) * c + at("input_gate", sigmoid(i)) * at("cell_candidate", tanh(g)))
        return at("output_gate", sigmoid(o)) * tanh(c), c
    assert cell == "lstm_peephole"
    pi, pf, po = getattr(layers, "weight_ch" + suffix).chunk(3)
    i, f = at("input_gate", sigmoid(i + pi * c)), at("forget_gate", sigmoid(f + pf * c))  # both see the old c
    c = at("c", f * c + i * at("cell_candidate", tanh(g)))
    return at("output_gate", sigmoid(o + po * c)) * tanh(c), c  # and this gate the new one


def _own(layers: nn.Module, suffix: str) -> dict[str, Tensor]:
    """The weights of one layer in one direction by name."""
    named = vars(layers) if isinstance(layers, SimpleNamespace) else dict(layers.named_parameters())
    return {name: each for name, each in named.items() if name.endswith(suffix)}


def _layer_norm_lstm(w: dict[str, Tensor], x: Tensor, h: Tensor, c: Tensor, at: Changed) -> State:
    """Ba, Kiros and Hinton (2016), the raw c carried on; a gain and a shift for each of the three normalisations."""

    def normalise(values: Tensor, name: str) -> Tensor:
        centred = values - values.sum() / len(values)
        spread = ((centred * centred).sum() / len(values) + 1e-5).sqrt()
        return centred / spread * w["gain_" + name] + w["shift_" + name]

    a = normalise(w["weight_ih"] @ x, "ih") + normalise(w["weight_hh"] @ h, "hh")
    i, f, g, o = a.chunk(4)
    i, f, o = (at(name, torch.sigmoid(each)) for name, each in
               (("input_gate", i), ("forget_gate", f), ("output_gate", o)))  # fmt: skip
    c = at("c", f * c + i * at("cell_candidate", torch.tanh(g)))
    return o * torch.tanh(normalise(c, "c")), c


def _symbol(model: RecurrentNetwork, token: int, table: nn.Embedding | None, symbols: int) -> Tensor:
    """A token's embedding, or its one-hot code where there is no table; zeros where nothing has been read yet."""
    if token < 0:
        return torch.zeros(symbols if table is None else table.embedding_dim, dtype=model.dtype)
    return torch.eye(symbols, dtype=model.dtype)[token] if table is None else table.weight[token]


def _keep_inputs(run: Unrolled, rows: list[Tensor], b: int, at: int = 0) -> None:
    """Remember what was read from position `at` on, with a slope of its own."""
    for t, row in enumerate(rows):
        run.read[at + t, b] = row if row.requires_grad else row.requires_grad_()


def _read(run: Unrolled, b: int) -> list[Tensor]:
    """What the first layer reads at every real step of sequence b."""
    model, batch = run.model, run.batch
    e, task, length = model.experiment, TASKS[model.experiment.task], int(batch.lengths[b])
    if task.inputs == "symbols":
        rows = [_symbol(model, batch.inputs[t, b], model.embedding, task.input_size) for t in range(length)]
    else:
        rows = [torch.tensor(batch.inputs[t, b], dtype=model.dtype) for t in range(length)]
    _keep_inputs(run, rows, b)
    if e.cell != "feedforward":
        return rows
    zeros = torch.zeros_like(rows[0])
    return [torch.cat([rows[s] if s >= 0 else zeros for s in range(t - e.window + 1, t + 1)]) for t in range(length)]


def _stack(
    run: Unrolled, layers: nn.Module, rows: list[Tensor], b: int, first: list[State] | None = None, at: int = 0
) -> tuple[list[Tensor], list[State]]:
    """All layers over one sequence whose first step stands at `at`. Returns what the top says, and how each ended: both
    directions together. A decoder, which begins with `first`, reads one way."""
    e, length, ends = run.model.experiment, len(rows), []
    directions = 1 if first else e.directions
    for layer in range(e.num_layers):
        outputs: list[list[Tensor]] = [[] for _ in rows]
        together = []
        for d in range(directions):
            zeros = torch.zeros(e.hidden_size, dtype=run.model.dtype)
            learned = [getattr(run.model, f"start_{state}", None) for state in "hc"]
            begin = [zeros if start is None else start[layer * e.directions + d] for start in learned]
            h, c = first[layer] if first else begin
            piece = e.seq_len if e.carry_state else e.tbptt
            for t in range(length) if d == 0 else range(length - 1, -1, -1):
                if piece and t and (len(run.batch.mask) - t) % piece == 0:
                    h, c = h.detach(), c.detach()
                key = (layer, d, at + t, b)
                if key in run.cut:
                    h, c = zeros, zeros
                run.entered[key] = (layers, rows[t], h, c)
                used = _copies(layers, layer, d) if run.apart else layers
                if run.apart:
                    run.weights[key] = vars(used)
                h, c = step(run.model, used, layer, d, rows[t], h, c, partial(run.change, key))
                h = run.change(key, "h", h) + run.nudges.get(key, 0)
                run.hidden[key], run.leaving[key] = h, h * 1.0
                if CELLS[e.cell].has_cell_state:
                    run.cell[key] = c
                outputs[t].append(run.leaving[key])
            together.append((h, c))
        ends.append((sum(h for h, _ in together), sum(c for _, c in together)))
        rows = [torch.cat(each) for each in outputs]
    return rows, ends


def _beside_context(run: Unrolled, at: tuple[int, int], state: Tensor, read: list[Tensor]) -> Tensor:
    """A decoder's state and what it reads of its encoder's: the mean with weights exp(d . h), over their sum."""
    e = run.model.experiment
    read = [each[: e.hidden_size] + each[e.hidden_size :] if e.bidirectional else each for each in read]
    scale = e.hidden_size**0.5 if e.attention == "scaled_dot" else 1.0
    values = [each if run.path in ("", "values") else each.detach() for each in read]
    compared = [each if run.path in ("", "scores") else each.detach() for each in read]
    likenesses = [torch.exp((state * each).sum() / scale) for each in compared]
    whole = sum(likenesses)
    run.alpha[at] = torch.stack([each / whole for each in likenesses])
    return torch.cat([state, sum(each / whole * h for each, h in zip(likenesses, values, strict=True))])


def _copies(layers: nn.Module, layer: int, d: int) -> SimpleNamespace:
    """The weights of one layer in one direction, copied."""
    suffix = f"_l{layer}" + ("_reverse" if d else "")
    return SimpleNamespace(**{name: each.clone() for name, each in layers.named_parameters() if name.endswith(suffix)})


def outputs_at(run: Unrolled, t: int, b: int = 0) -> Tensor:
    """Logits or values of sequence b at step t, counted as the targets are."""
    return _say(run.model, run.top[b], t)


def _say(model: RecurrentNetwork, rows: list[Tensor], t: int) -> Tensor:
    """The same; what reads both ways and answers once reads each direction where that one ends."""
    e, width, state = model.experiment, model.experiment.hidden_size, rows[t]
    if e.rnn_type == "many_to_one" and e.bidirectional:
        state = torch.cat([rows[-1][:width], rows[0][width:]])
    for upper in model.upper:
        state = torch.tanh(upper.weight @ state + upper.bias)
    return model.head.weight @ state + model.head.bias


def _losses(model: RecurrentNetwork, batch: Batch, b: int, rows: list[Tensor]) -> Tensor:
    """Weighted losses of sequence b, (T,)."""
    e, counted = model.experiment, int(batch.mask[:, b].sum())
    losses = [torch.zeros((), dtype=model.dtype) for _ in range(len(batch.mask))]
    for t in np.flatnonzero(batch.mask[:, b]):
        y = _say(model, rows, t)
        if TASKS[e.task].outputs == "symbols":
            loss = torch.logsumexp(y, 0) - y[int(batch.targets[t, b])]
        else:
            size = (y - torch.tensor(batch.targets[t, b], dtype=y.dtype)).abs()
            loss = {"mse": size**2, "mae": size, "huber": torch.where(size < 1, size**2 / 2, size - 1 / 2)}[
                e.loss
            ].mean()
        losses[t] = loss if e.reduction == "sum" else loss / counted
    return torch.stack(losses)
