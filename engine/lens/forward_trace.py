"""The trace of one forward call: states and gates of every layer and direction, recomputed from inputs and weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from engine.cells import CELLS, Cell
from engine.layers.accelerators import ACCELERATORS
from engine.layers.cell_trace import CellTrace
from engine.layers.changed_layers import ChangedLayers, ChangedTrace
from engine.layers.make import RecurrentLayers
from engine.layers.reverse_sequence import flip
from engine.layers.step_layers import State, StepLayers
from engine.layers.weights import Weights, weights_of
from engine.lens.attention import AttentionTrace
from engine.lens.layer_traces import trace_layers, trace_library_cell
from engine.model import RecurrentNetwork
from engine.model.attention import score_scale
from engine.model.both_ways import sum_of_directions
from engine.model.carried_state import CarriedState
from engine.tasks import Batch

DRAWN = 0
"""The sequence of a batch that figures draw."""
Call = tuple[tuple, Tensor | PackedSequence]
"""What recurrent layers were given in one call, and their output."""


@dataclass(frozen=True, eq=False)
class ForwardPass:
    """One stack of recurrent layers over its part of the time axis: the whole network, or the encoder or decoder.

    `cell_traces[layer][direction]` is in the direction's own time order. `inputs` is (T, B, I), the input of the first
    layer; `output` is (T, B, directions * H), the states of the top layer; `lengths` (B,) counts each sequence's real
    steps in this part. `masks` are, by layer, what dropout multiplied that layer's output by, (T, B, directions * H):
    0, or 1 / (1 - p); empty where nothing was dropped. `is_linked` is False if its initial states do not come from the
    pass before it.
    """

    cell_traces: list[list[CellTrace]]
    inputs: Tensor
    output: Tensor
    lengths: Tensor
    masks: Mapping[int, Tensor] = field(default_factory=dict)
    is_linked: bool = True


class LayersTrace:
    """States of a stack of recurrent layers, pass by pass in the order of time: what most readings need of a network.

    It knows neither network nor task, so that the layers of any model can be read like this. All passes have the same
    cell and layers; their weights may differ. The first reads in as many directions as any: a decoder after an encoder
    that reads both ways has no reverse direction.
    """

    passes: list[ForwardPass]

    @property
    def kind(self) -> Cell:
        """The cell."""
        return self.passes[0].cell_traces[0][0].kind

    @property
    def shape(self) -> tuple[int, int]:
        """(layers, directions)."""
        rows = self.passes[0].cell_traces
        return len(rows), len(rows[0])

    @property
    def weights(self) -> list[list[Weights]]:
        """By [layer][direction], of the last pass that has this direction."""
        layers, directions = self.shape
        last = [self.having(d)[-1] for d in range(directions)]
        return [[one.cell_traces[layer][d].weights for d, one in enumerate(last)] for layer in range(layers)]

    def having(self, direction: int) -> list[ForwardPass]:
        """The passes that read in this direction."""
        return [one for one in self.passes if direction < len(one.cell_traces[0])]

    @property
    def time_steps(self) -> int:
        """T, of all passes together."""
        return sum(len(one.output) for one in self.passes)

    @property
    def cuts(self) -> list[int]:
        """The steps t whose link to t - 1 lets no gradient back."""
        return []


@dataclass(frozen=True, eq=False)
class ForwardTrace(LayersTrace):
    """The trace of one forward call. `passes` are in the order of time: encoder and decoder, or a single one."""

    model: RecurrentNetwork
    batch: Batch
    logits: Tensor
    passes: list[ForwardPass]

    @cached_property
    def output(self) -> Tensor:
        """The input of the output layers: the last pass's output, and beside it what attention read."""
        memory = self.memory if self.model.attends else None
        return self.model.read_out(self.passes[-1].output, memory, self.batch.lengths)

    @property
    def memory(self) -> Tensor:
        """What attention reads at every step of an encoder, (S, B, H): its top states, of both directions together."""
        return sum_of_directions(self.passes[0].output, self.model.experiment.hidden_size)

    @cached_property
    def attention(self) -> AttentionTrace | None:
        """What a decoder reads of its encoder's states; None without attention."""
        if not self.model.attends:
            return None
        memory = sum_of_directions(self.passes[0].output.double(), self.model.experiment.hidden_size)
        states = self.passes[1].output.double()
        e, weights = self.model.experiment, self.model.attend(states, memory, self.batch.lengths)[1]
        scale = score_scale(e.attention, e.hidden_size)
        return AttentionTrace(weights, states.transpose(0, 1), memory.transpose(0, 1), scale)

    @property
    def cuts(self) -> list[int]:
        """Where truncation cuts; in an encoder-decoder it does not."""
        return self.model.truncation_points(self.time_steps) if len(self.passes) == 1 else []

    @property
    def answers_once(self) -> bool:
        """True if the only loss reads each direction where it ends; see `Chain.answers_once`."""
        return self.model.experiment.rnn_type == "many_to_one"

    def is_read_at_zero(self, direction: int) -> bool:
        """True if the only loss reads this direction at position 0, where the reverse direction ends."""
        return self.answers_once and direction == 1 and not self.model.reads_reverse_at_its_start

    @property
    def has_cell_state(self) -> bool:
        """True if there is a cell state c besides h."""
        return self.passes[0].cell_traces[0][0].cell is not None

    def states(self, pick: Callable[[CellTrace], Tensor | None], sequence: int | None = None) -> np.ndarray:
        """Collect what `pick` returns for each cell trace, ordered by position. Padded steps are 0.

        Returns:
            (layers, directions, T, batch, units); without the batch axis if `sequence` is given. 0 where a pass has no
            such direction.
        """
        chosen = slice(None) if sequence is None else slice(sequence, sequence + 1)
        valid = self.batch.valid[:, chosen, None]

        def natural(one: ForwardPass, layer: int, direction: int) -> np.ndarray:
            is_there = direction < len(one.cell_traces[layer])
            values = pick(one.cell_traces[layer][direction if is_there else 0])
            assert values is not None
            values = values[:, chosen] if is_there else torch.zeros_like(values[:, chosen])
            return (flip(values, one.lengths[chosen]) if direction else values).cpu().numpy()

        rows = self.passes[0].cell_traces
        whole = np.stack([
            np.stack([
                np.concatenate([natural(one, layer, d) for one in self.passes]) * valid for d in range(len(rows[layer]))
            ])
            for layer in range(len(rows))
        ])  # fmt: skip
        return whole if sequence is None else whole[:, :, :, 0]

    def single_sequence(self, sequence: int) -> ForwardTrace:
        """Return the trace of one sequence, as a batch of one."""

        def only(values: Tensor) -> Tensor:
            return values[:, sequence : sequence + 1]

        passes = [
            ForwardPass(
                [[cell_trace.map_tensors(only) for cell_trace in row] for row in one.cell_traces],
                only(one.inputs),
                only(one.output),
                one.lengths[sequence : sequence + 1],
            )
            for one in self.passes
        ]
        return ForwardTrace(self.model, self.batch.single_sequence(sequence), only(self.logits), passes)

    def gates(self, sequence: int | None = None) -> dict[str, np.ndarray]:
        """The gate values by name, shaped as `states`."""
        names = self.passes[0].cell_traces[0][0].gates
        return {name: self.states(lambda r, n=name: r.gates[n], sequence) for name in names}  # type: ignore[misc]

    @torch.no_grad()
    def upper_states(self, sequence: int) -> list[Tensor]:
        """States of the output layers at the steps with an output, (steps, units) each."""
        final = self.model.final_states(self.output, self.batch.lengths)[:, sequence]
        real = self.batch.valid[self.batch.source_steps :, sequence]
        return self.model.output_layers_forward(final[: np.count_nonzero(real)])

    def upper(self, sequence: int, layers: Sequence[Tensor]) -> np.ndarray:
        """States of the output layers, (output_layers, T, units); NaN at steps without an output.

        Args:
            layers: `upper_states`, on the CPU.
        """
        before, real = self.batch.source_steps, self.batch.valid[self.batch.source_steps :, sequence]
        rows = np.full((len(layers), before + len(real), self.model.experiment.hidden_size), np.nan, np.float32)
        for row, states in zip(rows, layers, strict=True):
            steps = before + np.flatnonzero(real)[-len(states) :]  # all real steps, or only the last one
            row[steps] = states.numpy()
        return rows


@torch.no_grad()
def trace_forward(model: RecurrentNetwork, batch: Batch, carried: CarriedState | None = None) -> ForwardTrace:
    """Call the model once, in evaluation mode, and recompute the states and gates of every layer and direction.

    Args:
        carried: the state to begin with, which stays as it is; None: the start of every sequence.
    """
    begins = None if carried is None else CarriedState(carried.state)
    calls: dict[RecurrentLayers, list[Call]] = {stack: [] for stack in model.stacks}

    def keep(module: RecurrentLayers, args: tuple, result: tuple) -> None:
        calls[module].append((args, result[0]))

    handles, training = [stack.register_forward_hook(keep) for stack in model.stacks], model.training
    model.eval()
    try:
        logits = model(batch, begins)
    finally:
        for handle in handles:
            handle.remove()
        model.train(training)
    if model.reads_across_the_batch:
        return ForwardTrace(model, batch, logits, [_pass_across_the_batch(model, batch, *calls[model.stacks[0]])])
    target_lengths = batch.valid[batch.source_steps :].sum(0)
    lengths = [batch.lengths, target_lengths] if batch.source_steps else [batch.lengths]
    steps = [batch.source_steps, len(batch.mask)][-len(calls) :]
    passes = [
        _rebuild_pass(model.experiment.cell, stack, calls[stack], torch.tensor(real), count)
        for stack, real, count in zip(calls, lengths, steps, strict=True)
    ]
    return ForwardTrace(model, batch, logits, passes)


def _rebuild_pass(cell: str, stack: RecurrentLayers, calls: list[Call], lengths: Tensor, steps: int) -> ForwardPass:
    """Rebuild one stack's pass over `steps` steps from its calls; truncated back-propagation makes several."""
    inputs = torch.cat([_padded(args[0], steps) for args, _ in calls])
    output = torch.cat([_padded(out, steps) for _, out in calls])
    first = calls[0][0][1] if len(calls[0][0]) > 1 else None
    initial = (first,) if isinstance(first, Tensor) else first
    return ForwardPass(_cell_traces(cell, stack, inputs, output, initial, lengths), inputs, output, lengths)


def _pass_across_the_batch(model: RecurrentNetwork, batch: Batch, call: Call) -> ForwardPass:
    """The pass of a network that takes the batch for time, with the axes as they were meant.

    It is traced as it ran, from sequence to sequence; then time stands first, and before each step the states of the
    sequence before, at the same step.
    """
    (read, *_), stack, cell = call[0], model.stacks[0], model.experiment.cell
    output = _padded(call[1], len(read))
    as_run = _cell_traces(cell, stack, read, output, None, torch.full((read.shape[1],), len(read)))
    rows = [[_in_time(trace) for trace in row] for row in as_run]
    inputs, states = (values.transpose(0, 1).contiguous() for values in (read, output))
    return ForwardPass(rows, inputs, states, torch.tensor(batch.lengths))


def _in_time(trace: CellTrace) -> CellTrace:
    """The same trace with time first."""
    turned = trace.map_tensors(lambda values: values.transpose(0, 1).contiguous())
    turned.given_before = tuple(values.transpose(0, 1).contiguous() for values in trace.before.values())
    turned.initial = tuple(torch.zeros_like(values[:1]) for values in turned.given_before)
    return turned


def _cell_traces(
    cell: str, stack: RecurrentLayers, inputs: Tensor, output: Tensor, initial: State | None, lengths: Tensor
) -> list[list[CellTrace]]:
    """Recompute one layer and direction at a time; the states of the top layer are the output and are reused."""
    directions, number = 2 if stack.bidirectional else 1, len(CELLS[cell].states)
    zero = inputs.new_zeros(stack.num_layers * directions, inputs.shape[1], stack.hidden_size)

    def make(layer: int, direction: int, seen: Tensor, begin: State, top: Tensor | None) -> CellTrace:
        return _cell_trace(cell, stack, layer, direction, seen, begin, top)

    shape = (stack.num_layers, directions)
    return trace_layers(make, shape, inputs, (zero,) * number if initial is None else initial, lengths, output)


def _cell_trace(
    cell: str, stack: RecurrentLayers, layer: int, direction: int, inputs: Tensor, initial: State, top: Tensor | None
) -> CellTrace:
    """Trace one layer in one direction; `top` are its states if they are known already."""
    weights = weights_of(stack, layer, direction).detached()
    if isinstance(stack, ChangedLayers):
        changes = stack.changes[layer][direction]
        return ChangedTrace(stack.cell, weights, stack.nonlinearity, inputs, initial, changes)
    nonlinearity = getattr(stack, "nonlinearity", "tanh")
    if isinstance(stack, StepLayers):
        make = ACCELERATORS.get(cell, CellTrace)
        return make(CELLS[cell], weights, nonlinearity, inputs, initial, top)
    return trace_library_cell(cell, weights, nonlinearity, inputs, initial, top)


def _padded(value: Tensor | PackedSequence, steps: int) -> Tensor:
    return pad_packed_sequence(value, total_length=steps)[0] if isinstance(value, PackedSequence) else value
