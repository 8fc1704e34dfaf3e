"""The proof on the user's own model: dL/dW from the sweep against what autograd brings to the weights in that pass."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engine.layers.accelerators import ProjectedLSTMTrace
from engine.layers.cell_trace import LibraryTrace
from engine.layers.reverse_sequence import flip
from engine.lens.layer_gradients import LayerGradients
from engine.lens.scaled import Scaled
from engine.watch.call import Call
from engine.watch.measure import Measured, measured
from engine.watch.sweep_input import SweepInput, side_by_side, sweep_input

ALLOWED = {torch.float64: 1e-6, torch.float32: 2e-3}
ALLOWED_HALF, ALLOWED_COARSE = 0.1, 0.02  # with TF32 products
"""How far dL/dW may be from autograd's, relative to its norm. Rounding stays far below; what is missing far above."""
ROWS = 64
"""Sequences that are swept at once, to limit memory."""


AtWeights = Mapping[int, Tensor]
"""dL/dW as autograd brought it to the weights in one backward pass, by `id` of the weight. What the pass changes in
`.grad` is no measure of it: much that was there before hides it, and other passes can run within this one."""


@dataclass
class Sum:
    """dL/dW of one weight from all sweeps of a pass, float64 and shaped as the weight; `names`: modules that use it."""

    weight: Tensor
    names: set[str]
    value: Tensor


def prove(groups: Sequence[Sequence[Call]], arrived: AtWeights, known: Mapping[int, Measured]) -> dict[str, float]:
    """How far the sweep's dL/dW is from autograd's, by module: the worst of its weights, relative to their norms.

    Args:
        groups: all calls of a pass; one-step calls that are swept side by side in one group.
        known: sweeps of whole groups that are there already, by the number of their first call.

    Returns:
        {module: difference}, a number without a unit; only modules of which at least one weight can be compared.

    Raises:
        RefusalError: if a call cannot be measured.
    """
    sums: dict[int, Sum] = {}
    for group in groups:
        done = known.get(group[0].number)
        for sweep in [done] if done is not None else map(measured, _parts(group)):
            found = weight_gradients(sweep)
            for weight, gradient in zip(group[0].weights, found, strict=True):
                one = sums.setdefault(id(weight), Sum(weight, set(), torch.zeros_like(gradient)))
                one.names.add(sweep.given.name)
                one.value += gradient
    differences: dict[str, list[float]] = {}
    for one in sums.values():
        brought = arrived.get(id(one.weight))  # nothing by torch.autograd.grad, which does not reach the weights
        if brought is not None and not one.weight._backward_hooks and bool(torch.isfinite(brought).all()):
            for name in one.names:
                differences.setdefault(name, []).append(_difference(one, brought.double()))
    return {name: max(values) for name, values in differences.items()}


def allowed(call: Call) -> float:
    """The largest difference that counts as a proof."""
    if call.rounds:
        return ALLOWED_HALF
    return ALLOWED_COARSE if call.is_coarse else ALLOWED[call.output.dtype]


def _parts(group: Sequence[Call]) -> list[SweepInput]:
    """All sequences of some calls, in parts that can be swept at once."""
    if len(group) > 1:
        inputs = [sweep_input(call, torch.arange(call.batch)) for call in group]
        most = max(1, ROWS * 16 // group[0].batch)  # of single steps more fit
        return [side_by_side(inputs[start : start + most]) for start in range(0, len(inputs), most)]
    return [sweep_input(group[0], rows) for rows in torch.arange(group[0].batch).split(ROWS)]


def _difference(one: Sum, arrived: Tensor) -> float:
    """Relative to autograd's norm. A penalty on the weights in the loss, a multiple of W, is left out."""
    rest = arrived - one.value
    size = float(arrived.norm())
    weight = one.weight.detach().double()
    if float(rest.norm()) > 1e-3 * size and bool(weight.any()):
        share = float((rest * weight).sum() / (weight * weight).sum())
        without = float((rest - share * weight).norm())
        if without < 1e-3 * float(rest.norm()):
            return without / max(float(one.value.norm()), math.ulp(0.0))
    return 0.0 if size == 0 and not rest.any() else float(rest.norm()) / max(size, math.ulp(0.0))


def weight_gradients(found: Measured) -> list[Tensor]:
    """dL/dW of every weight in PyTorch's order and shapes, float64: sums over steps and sequences of outer products."""
    gradients: list[Tensor] = []
    for layer, row in enumerate(found.gradients):
        for d, swept in enumerate(row):
            trace = found.forward.cell_traces[layer][d]
            assert isinstance(trace, LibraryTrace)  # as `measured` makes them
            gradients += _of_chain(trace, swept, d, found.given)
    return gradients


def _of_chain(trace: LibraryTrace, swept: LayerGradients, direction: int, given: SweepInput) -> list[Tensor]:
    """Of one layer in one direction: W_ih, W_hh, the biases and W_hr, as far as there are any."""

    def own_order(scaled: Scaled) -> Tensor:
        values = scaled.to_float64()[:, 0]
        return (flip(values, given.lengths) if direction else values) * given.real

    def product(slopes: Tensor, read: Tensor) -> Tensor:
        return slopes.flatten(0, 1).T @ (read.double() * given.real).flatten(0, 1)

    at_input = own_order(swept.grad_input_proj)
    at_state = trace.state_projection_gradient(at_input)
    gradients = [product(at_input, trace.inputs), product(at_state, trace.previous_hidden)]
    if given.stack.bias:
        gradients += [at_input.sum((0, 1)), at_state.sum((0, 1))]
    if isinstance(trace, ProjectedLSTMTrace):
        gradients.append(product(own_order(swept.total), trace.unprojected))
    return gradients
