"""The network that interventions make of another one, with the same weights."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from engine.cells import CELLS, Cell
from engine.intervention.intervention import CutLink, HoldGate, Intervention, SetInput, SetState, ZeroUnit
from engine.layers.changed_layers import ChainChanges, ChangedLayers
from engine.model import RecurrentNetwork
from engine.tasks import Batch

OfLayers = HoldGate | ZeroUnit | SetState | CutLink


def changed_network(
    model: RecurrentNetwork, batch: Batch, interventions: Sequence[Intervention]
) -> tuple[RecurrentNetwork, Batch]:
    """A network with changes that shares the parameters of `model`, and what it reads. Changes and draws nothing.

    Args:
        batch: of a single sequence, whose steps the interventions mean. The network can read batches of it alone.
        interventions: checked for this network and sequence.

    Returns:
        Without a change of the network `model` itself, and without one of an input `batch` itself.
    """
    of_layers = [each for each in interventions if not isinstance(each, SetInput)]
    of_input = [each for each in interventions if isinstance(each, SetInput)]
    if of_input:
        inputs = batch.inputs.copy()
        for each in of_input:
            inputs[each.t, 0, each.channel] = each.value
        batch = dataclasses.replace(batch, inputs=inputs)
    if not of_layers:
        return model, batch
    steps = [len(batch.inputs), len(batch.mask)] if batch.source_steps else [len(batch.inputs)]
    stacks, first = [], 0
    for layers, length in zip(model.stacks, steps, strict=True):
        span = _Span(first, length, int(batch.valid[first : first + length].sum()))
        directions = 2 if layers.bidirectional else 1
        own = [each for each in of_layers if each.direction < directions]
        stacks.append(ChangedLayers(CELLS[model.experiment.cell], layers, _changes(model, span, own, directions)))
        first += length
    # A copy of the network around the very same parts, but for the recurrent ones.
    parts = {id(part): part for part in model.children()} | dict(zip(map(id, model.stacks), stacks, strict=True))
    changed = copy.deepcopy(model, parts)
    if model.is_encoder_decoder:  # the encoder is called first, and once
        changed.encoder.register_forward_pre_hook(lambda *_: stacks[1].rewind())
    return changed, batch


@dataclass(frozen=True)
class _Span:
    """The part of the time axis that one stack reads: its first position, its steps, and how many of them are real."""

    first: int
    steps: int
    real: int

    def own(self, t: int | None, direction: int) -> slice:
        """The step that stands at position t, in a direction's own time order; none outside, all for None."""
        if t is None:
            return slice(None)
        at = t - self.first
        if not 0 <= at < self.real:
            return slice(0)
        own = self.real - 1 - at if direction else at
        return slice(own, own + 1)


def _changes(
    model: RecurrentNetwork, span: _Span, interventions: Sequence[OfLayers], directions: int
) -> list[list[ChainChanges]]:
    """Those of one stack, [layer][direction]."""
    e = model.experiment
    rows = [
        [ChainChanges.none(span.steps, e.hidden_size) for _ in range(directions)] for _ in range(e.num_layers)
    ]  # fmt: skip
    for each in interventions:
        _enter(rows[each.layer][each.direction], CELLS[e.cell], each, span)
    return rows


def _enter(changes: ChainChanges, cell: Cell, each: OfLayers, span: _Span) -> None:
    """Enter one intervention into the changes of its layer and direction."""
    if isinstance(each, HoldGate):
        letter = cell.letters[cell.gates.index(each.gate)]
        changes.gate(letter)[span.own(each.t, each.direction)] = each.value
    elif isinstance(each, ZeroUnit):
        for name in cell.states:
            changes.state(name)[:, each.unit] = 0
    elif isinstance(each, SetState):
        changes.state(each.state)[span.own(each.t, each.direction), each.unit] = each.value
    else:
        changes.cut[span.own(each.t, each.direction)] = True
