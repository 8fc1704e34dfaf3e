"""States of a hand-written loop, shown to the lens one by one: dL/dh_t of any cell that nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine.watch.flow import CallSpan, Flow
from engine.watch.refusal import RefusalError
from engine.watch.wiring import Arrived, on_gradient


@dataclass(eq=False)
class ShownStates:
    """The states that were shown under one name since the last backward pass.

    Args:
        values: (B, units) each, detached. gradients: dL/d of each, by its place in `values`.
    """

    values: list[Tensor] = field(default_factory=list)
    gradients: dict[int, Tensor] = field(default_factory=dict)


class StateLoops:
    """Collects states and their gradients, in the order in which they are shown."""

    def __init__(self) -> None:
        self._shown: dict[str, ShownStates] = {}

    def show(self, name: str, state: Tensor, arrived: Callable[[Callable[[], None]], None]) -> None:
        """Keep a state (B, units) or (units,) and hook it.

        Args:
            arrived: is called when the gradient is there, with the function that keeps it.
        """
        shown = self._shown.setdefault(name, ShownStates())
        place = len(shown.values)
        shown.values.append(state.detach().clone())

        def make(names: list[tuple[int, str]]) -> Arrived:
            def hook(gradients: tuple[Tensor | None, ...]) -> None:
                gradient = gradients[names[0][0]]
                if gradient is not None:
                    arrived(lambda: shown.gradients.__setitem__(place, gradient.detach()))

            return hook

        on_gradient({"h": state}, make)

    def flows(self, most: int | None, backward_pass: int, scale: float) -> tuple[dict[str, Flow], dict[str, str]]:
        """The flows of the pass that has ended, and why others are refused; then everything is forgotten."""
        flows: dict[str, Flow] = {}
        refused: dict[str, str] = {}
        for name, shown in self._shown.items():
            if not shown.gradients:
                continue
            try:
                flows[name] = _flow(name, shown, most, backward_pass, scale)
            except RefusalError as reason:
                refused[name] = str(reason)
        self._shown = {name: shown for name, shown in self._shown.items() if not shown.gradients}
        return flows, refused

    def forget(self) -> None:
        """Forget states whose gradient never came."""
        self._shown = {}


def _flow(name: str, shown: ShownStates, most: int | None, backward_pass: int, scale: float) -> Flow:
    values = [value.reshape(-1, value.shape[-1]) for value in shown.values]
    if len({value.shape[-1] for value in values}) > 1:
        raise RefusalError(f"{name}: the states shown under this name differ in their number of units")
    batch, steps, units = max(len(value) for value in values), len(values), values[0].shape[-1]
    count = batch if most is None else min(batch, most)
    rows = torch.linspace(0, batch - 1, count, dtype=torch.float64).round().long()
    hidden = np.zeros((1, 1, steps, count, units), values[0].float().numpy().dtype)
    if values[0].dtype == torch.float64:
        hidden = hidden.astype(np.float64)
    gradient, valid = np.zeros((1, 1, steps, count, units)), np.zeros((steps, count), dtype=bool)
    for t, value in enumerate(values):
        own = rows[rows < len(value)]
        valid[t, : len(own)] = True
        hidden[0, 0, t, : len(own)] = value[own].cpu()
        if t in shown.gradients:
            arrived = shown.gradients[t].reshape(-1, units)[own].double().cpu()
            gradient[0, 0, t, : len(own)] = arrived / scale
    return Flow(
        name=name,
        hidden=hidden,
        grad_hidden=gradient,
        grad_hidden_direct=None,
        cell=None,
        grad_cell=None,
        gates={},
        valid=valid,
        rows=rows.numpy(),
        calls=(CallSpan(0, steps, batch, None, None),),
        backward_pass=backward_pass,
    )
