"""A plain reference loop: one sequence, one step at a time, with every state in the autograd graph.

It shares nothing with the lens, so it can verify the lens: with autograd, or by perturbing one unit of one state and
measuring the change of the loss. The steps are PyTorch's own single-step cells for RNN and
GRU, else the cell's equations; embedding, attention, head and loss are the model's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, one_hot, pad

from engine.cells import CELLS, Cell
from engine.layers.make import RecurrentLayers
from engine.layers.step_layers import State
from engine.layers.torch_ops import TorchOps
from engine.layers.weights import Weights, weights_of
from engine.model import RecurrentNetwork
from engine.tasks import Batch

Place = tuple[int, int, int]
"""Layer, direction, position on the whole time axis."""

SINGLE_STEP: dict[type, Callable[..., nn.Module]] = {nn.RNN: nn.RNNCell, nn.GRU: nn.GRUCell}
"""PyTorch's LSTMCell is not here: its h does not depend, for autograd, on the c that it returns."""


@dataclass(frozen=True)
class Nudge:
    """A perturbation of one unit of one state, "h" or "c". It is applied to c before h is computed from c."""

    state: str
    place: Place
    unit: int
    amount: float

    def on(self, place: Place, state: str, values: Tensor) -> Tensor:
        """The values of a state, perturbed if place and state match."""
        if (state, place) != (self.state, self.place):
            return values
        nudged_values = values.clone()
        nudged_values[self.unit] += self.amount
        return nudged_values


@dataclass
class Stepper:
    """Single steps of one layer in one direction: x (I,), h and c (H,)."""

    kind: Cell
    weights: Weights
    nonlinearity: str
    cell: Callable[..., Tensor] | None

    @classmethod
    def of(cls, kind: Cell, layers: RecurrentLayers, layer: int, direction: int) -> Stepper:
        """A stepper that uses the parameters of `layers` themselves, not copies."""
        weights, nonlinearity = weights_of(layers, layer, direction), getattr(layers, "nonlinearity", "tanh")
        if type(layers) not in SINGLE_STEP:
            return cls(kind, weights, nonlinearity, None)
        options = {"nonlinearity": layers.nonlinearity} if isinstance(layers, nn.RNN) else {}
        cell = SINGLE_STEP[type(layers)](weights.ih.shape[1], layers.hidden_size, device="meta", **options)
        for name, weight in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), weights[:4], strict=True):
            setattr(cell, name, weight)
        return cls(kind, weights, nonlinearity, cell)

    def __call__(self, x: Tensor, state: State, nudged: Callable[[str, Tensor], Tensor] | None = None) -> State:
        """The next state, (h,) or (h, c). `nudged(name, values)` returns the possibly perturbed values of a state."""
        after = self._equations(x, state, nudged) if self.cell is None else (self.cell(x, state[0]),)
        return after if nudged is None else (nudged("h", after[0]), *after[1:])

    def _equations(self, x: Tensor, state: State, nudged: Callable[[str, Tensor], Tensor] | None) -> State:
        kind, old = self.kind, dict(zip(self.kind.states, state, strict=True))
        ops = TorchOps(kind, self.weights, self.nonlinearity)
        if nudged is not None:
            ops.on_state = nudged
        from_input = linear(x, self.weights.ih, self.weights.bias_ih).chunk(kind.blocks, -1)
        ops.begin(dict(zip(kind.letters, from_input, strict=True)), {path: old[of] for path, of in kind.paths.items()})
        _, after = kind.step(ops, x, ops.read)
        return tuple(after[name] for name in kind.states)


@dataclass
class Unrolled:
    """One forward pass over the real steps of one sequence.

    Args:
        hidden, cell: h_t and c_t (H,) by place; `cell` is empty if the cell has no c.
        before, reads, steppers: by place, the previous state, the input and the stepper.
        losses: (T,) the loss of each step, 0 where not counted. loss: l of this sequence, a scalar.
    """

    model: RecurrentNetwork
    nudge: Nudge | None
    hidden: dict[Place, Tensor] = field(default_factory=dict)
    cell: dict[Place, Tensor] = field(default_factory=dict)
    before: dict[Place, State] = field(default_factory=dict)
    reads: dict[Place, Tensor] = field(default_factory=dict)
    steppers: dict[Place, Stepper] = field(default_factory=dict)
    losses: Tensor = field(default_factory=lambda: torch.zeros(0))
    loss: Tensor = field(default_factory=lambda: torch.zeros(()))

    def run(
        self, layers: RecurrentLayers, rows: list[Tensor], first: list[State], start: int, cuts: list[int]
    ) -> tuple[list[Tensor], list[State]]:
        """Run all layers over inputs (I,), the first at position `start`. Returns top-layer outputs, final states.

        Args:
            first: the state before the first step of each layer, direction by direction.

        The final states are the sum over a layer's directions.
        """
        e, ends, directions = self.model.experiment, [], 2 if layers.bidirectional else 1
        for layer in range(e.num_layers):
            outputs: list[list[Tensor]] = [[] for _ in rows]
            together: list[State] = []
            for d in range(directions):
                step, state = Stepper.of(CELLS[e.cell], layers, layer, d), first[layer * directions + d]
                for t in range(len(rows)) if d == 0 else reversed(range(len(rows))):
                    place = (layer, d, start + t)
                    if t in cuts:
                        state = tuple(each.detach() for each in state)
                    self.before[place], self.reads[place], self.steppers[place] = state, rows[t], step
                    state = step(rows[t], state, None if self.nudge is None else partial(self.nudge.on, place))
                    self.hidden[place] = state[0]
                    if len(state) > 1:
                        self.cell[place] = state[1]
                    outputs[t].append(state[0])
                together.append(state)
            ends.append(tuple(sum(parts[1:], parts[0]) for parts in zip(*together, strict=True)))
            rows = [torch.cat(states) for states in outputs]
        return rows, ends


def unroll(model: RecurrentNetwork, batch: Batch, sequence: int = 0, nudge: Nudge | None = None) -> Unrolled:
    """Run one sequence of a batch in the model's dtype, without dropout and with full teacher forcing.

    Truncation cuts gradients as in training.
    """
    one, run, first = batch.single_sequence(sequence), Unrolled(model, nudge), _start(model)
    rows, memory = list(model.embed(one)[: one.lengths[0], 0]), None
    if one.decoder_inputs is None:
        outputs, _ = run.run(model.recurrent, rows, first, 0, model.truncation_points(len(one.inputs)))
    else:
        states, ends = run.run(model.encoder, rows, first, 0, [])
        halves = torch.stack(states)[:, None].split(model.experiment.hidden_size, -1)
        memory = sum(halves[1:], halves[0]) if model.attends else None
        fed_back = torch.tensor(one.decoder_inputs[one.valid[one.source_steps :, 0], 0])
        decoder_inputs = _symbols(fed_back, model.decoder_embedding, model.head.out_features).to(model.dtype)
        outputs, _ = run.run(model.decoder, list(decoder_inputs), ends, one.source_steps, [])
    read = model.read_out(torch.stack(outputs)[:, None], memory, one.lengths)
    logits = model.apply_head(pad(read, (0, 0, 0, 0, 0, len(one.mask) - len(read))), one.lengths)
    run.losses = model.step_losses(logits, one)[:, 0]
    run.loss = (run.losses * model.loss_weights(one)[:, 0]).sum()
    return run


def _start(model: RecurrentNetwork) -> list[State]:
    """The state before the first step of each layer, direction by direction: learned, or zeros."""
    e = model.experiment
    start = model.start(1)
    if start is None:
        zero = torch.zeros(e.hidden_size, dtype=model.dtype)
        return [(zero,) * len(CELLS[e.cell].states)] * (e.num_layers * e.directions)
    states = start if isinstance(start, tuple) else (start,)
    return [tuple(state[row, 0] for state in states) for row in range(len(states[0]))]


def _symbols(tokens: Tensor, table: nn.Embedding | None, symbols: int) -> Tensor:
    """Embedding or one-hot code of tokens (n,), (n, I); zeros for NO_SYMBOL."""
    known = tokens.clamp(min=0)
    coded = one_hot(known, symbols) if table is None else table(known)
    return coded * (tokens >= 0)[:, None]
