"""States of a hand-written loop, shown to the lens one by one: dL/dh_t of any cell that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.watch.backward_pass import BackwardPasses
from engine.watch.flow import CallSpan, Flow
from engine.watch.flows import spread_rows
from engine.watch.guard import Guard
from engine.watch.refusal import RefusalError, refuse_empty
from engine.watch.schedule import Schedule
from engine.watch.tally import FIRST_PASSES, CountedPass, Tally, parameters_behind
from engine.watch.wiring import Arrived


class ArrivedState(NamedTuple):
    """A state that was shown, and the gradient that came back to it: (B, units) or (units,) each."""

    value: Tensor
    gradient: Tensor


States = Mapping[str, Mapping[int, ArrivedState]]
"""The states to which a gradient came in one backward pass, by name, and by when they were shown."""


class StateLoops:
    """Hooks states as they are shown. Only its own hook holds a state: one without a backward pass leaves nothing."""

    def __init__(self, passes: BackwardPasses, guard: Guard, schedule: Schedule, tally: Tally) -> None:
        self._passes, self._guard, self._schedule, self._tally = passes, guard, schedule, tally
        self._number = 0
        self._leaves: dict[tuple[str, int], tuple[Any, Any]] = {}
        self._shown_since: dict[str, int] = {}
        self._seen: set[str] = set()
        self._counted: set[str] = set()

    def rests(self, name: str) -> bool:
        """True if nothing is to be done for a state: no look is due, and its pass is counted at a parameter."""
        if name not in self._counted or self._schedule.is_due():
            return False
        self._schedule.resting.add(name)
        return True

    @property
    def any_shown(self) -> bool:
        """Whether a state was shown."""
        return bool(self._shown_since)

    def waiting(self) -> list[str]:
        """The names that were shown in passes that are over, and at which no look was taken."""
        passes = self._schedule.passes
        return [name for name, since in self._shown_since.items() if since < passes and name not in self._seen]

    def show(self, name: str, state: Tensor, parameters: Set[int]) -> None:
        """Hook a state, (B, units) or (units,). Where no look is due, its backward pass is only counted.

        Args:
            parameters: the `id` of those of the model.

        Raises:
            RefusalError: if no gradient can come to it.
        """
        if not state.requires_grad:
            raise RefusalError(
                f"{name}: no gradient comes to a state that does not require one. Show those that the loop computes."
            )
        edge = torch.autograd.graph.get_gradient_edge(state)
        if name not in self._shown_since:
            self._shown_since[name] = self._schedule.passes
            self._tally.follow(name, parameters_behind(state, parameters))
        is_new = name not in self._seen and self._schedule.passes - self._shown_since[name] < FIRST_PASSES
        is_look = self._schedule.is_due() or is_new
        self._number += 1
        run = self._keeps(name, self._number, state, edge.output_nr) if is_look else self._counts
        handle = edge.node.register_prehook(self._guard.hook(name, run))
        if state.grad_fn is None:  # the node of a leaf lives no longer than its graph, which is still to come
            _, earlier = self._leaves.pop((name, id(state)), (None, None))
            if earlier is not None:
                earlier.remove()
            self._leaves[name, id(state)] = edge, handle

    def _counts(self, gradients: tuple[Tensor | None, ...]) -> None:
        self._passes.begin(is_look=False)

    def _keeps(self, name: str, number: int, state: Tensor, place: int) -> Arrived:
        value = state.detach().clone()

        def hook(gradients: tuple[Tensor | None, ...]) -> None:
            if (gradient := gradients[place]) is not None:
                states = self._passes.begin(is_look=True).states
                states.setdefault(name, {})[number] = ArrivedState(value, gradient.detach())

        return hook

    def looked(self, names: Set[str], counted: CountedPass) -> None:
        """A gradient came to states of these names, and was kept."""
        self._seen |= names
        self._counted |= names & counted.reached
        if self._counted:
            self._schedule.listens_always = False

    def pass_ended(self) -> None:
        """Take the hooks of leaves away: a learned state is the same tensor in every pass."""
        for _, handle in self._leaves.values():
            handle.remove()
        self._leaves = {}


def flows_of_states(
    states: States, most: int | None, backward_pass: int, scale: float
) -> tuple[dict[str, Flow], dict[str, str]]:
    """The flows of a pass by name, and why others are refused. Their steps are the states to which a gradient came.

    Args:
        most: see `rows` of `watch`. scale: by which a GradScaler has multiplied the loss.
    """
    flows: dict[str, Flow] = {}
    refused: dict[str, str] = {}
    for name, shown in states.items():
        try:
            flows[name] = _flow(name, [shown[number] for number in sorted(shown)], most, backward_pass, scale)
        except RefusalError as reason:
            refused[name] = str(reason)
    return flows, refused


def _flow(name: str, shown: list[ArrivedState], most: int | None, backward_pass: int, scale: float) -> Flow:
    steps, units = len(shown), shown[0].value.shape[-1]
    if any(state.value.shape[-1] != units for state in shown):
        raise RefusalError(f"{name}: the states shown under this name differ in their number of units")
    hidden, gradients = [_as_rows(state.value) for state in shown], [_as_rows(state.gradient) for state in shown]
    batch = max(map(len, hidden))
    refuse_empty(name, batch)
    rows = spread_rows(batch, most)
    dtype = np.float64 if shown[0].value.dtype == torch.float64 else np.float32
    arrays = [np.zeros((1, 1, steps, len(rows), units), kind) for kind in (dtype, np.float64)]
    valid = np.zeros((steps, len(rows)), dtype=bool)
    for t in range(steps):
        own = rows[rows < len(hidden[t])]
        valid[t, : len(own)] = True
        for array, values in zip(arrays, (hidden, gradients), strict=True):
            array[0, 0, t, : len(own)] = values[t][own]
    return Flow(
        name=name,
        cell_name=None,
        hidden=arrays[0],
        grad_hidden=arrays[1] / scale,
        grad_hidden_direct=None,
        cell=None,
        grad_cell=None,
        gates={},
        valid=valid,
        rows=rows.numpy(),
        calls=(CallSpan(0, steps, batch, None, None),),
        backward_pass=backward_pass,
    )


def _as_rows(values: Tensor) -> np.ndarray:
    """(B, units) float64, of a tensor of any kind on any device."""
    return values.reshape(-1, values.shape[-1]).to("cpu", torch.float64).numpy()
