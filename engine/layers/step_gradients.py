"""The derivative of a cell's step, by autograd: what one step back in time does with a gradient."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from engine.cells import Cell
from engine.cells.changed_step import StepChanges, changed_step
from engine.layers.torch_ops import TorchOps
from engine.layers.weights import Weights


class OuterProducts(NamedTuple):
    """Terms of dL/dW for some rows of W: each row of `slopes`, (R, rows), outer that of `read`, (R, columns)."""

    rows: slice
    slopes: Tensor
    read: Tensor


@dataclass(frozen=True, eq=False)
class StepGradients:
    """What one step does with a gradient that arrives at its new states, for R rows at once.

    Args:
        from_input: (R, G*H), at W_ih x_t + b_ih.
        paths: {path: (R, H)}, at the old state as read along this path; with `cut_products` only what goes unit by
            unit.
        total_cell: (R, H), at c_t, what arrives through h_t included; None without a cell state.
        from_state: (R, G*H), at W_hh h_{t-1} + b_hh; None without a weight_hh.
        state_terms: the step's terms of dL/dW_hh, by what the products read.
        vectors: {name: (R, size)}, its terms of the gradients of the cell's vectors.
        normalisations: {name of the gain: (R,)}, by what each layer normalisation of something made of old states
            multiplies the norm of the gradient that goes back through it.
    """

    from_input: Tensor
    paths: dict[str, Tensor]
    total_cell: Tensor | None = None
    from_state: Tensor | None = None
    state_terms: list[OuterProducts] = field(default_factory=list)
    vectors: dict[str, Tensor] = field(default_factory=dict)
    normalisations: dict[str, Tensor] = field(default_factory=dict)

    def carry(self, cell: Cell) -> tuple[Tensor, ...]:
        """The gradient that goes back to each old state: the sum over its paths."""
        zero = torch.zeros_like(self.from_input[:, : self.from_input.shape[-1] // cell.blocks])
        return tuple(
            sum((part for path, part in self.paths.items() if cell.paths[path] == state), zero) for state in cell.states
        )


class StepInputs(NamedTuple):
    """R steps of one layer in one direction: W_ih x_t + b_ih (R, G*H) and the old states (R, H) by name.

    `changes` are what a network with changes has in place of some values.
    """

    cell: Cell
    weights: Weights
    nonlinearity: str
    from_input: Tensor
    before: dict[str, Tensor]
    changes: StepChanges | None = None

    def run(self, ops: TorchOps, from_input: Tensor, old: dict[str, Tensor]) -> dict[str, Tensor]:
        """Run them. old: the old states by path. Returns the new states by name."""
        ops.begin(dict(zip(self.cell.letters, from_input.chunk(self.cell.blocks, -1), strict=True)), old)
        if self.changes is None:
            return self.cell.step(ops, from_input, ops.read)[1]
        return changed_step(self.cell, ops, from_input, ops.read, self.changes)[1]


def carry_back(
    steps: StepInputs, grads: tuple[Tensor, ...], ops: TorchOps | None = None
) -> tuple[Tensor, tuple[Tensor, ...], Tensor | None]:
    """One step of the sweep.

    Args:
        grads: what arrives at each new state; the total for h, what comes from later steps for c.
        ops: what to compute with, to be used again from call to call.

    Returns:
        (dL/d(W_ih x_t + b_ih), the gradient at each old state, the total dL/dc_t or None).
    """
    cell = steps.cell
    with torch.enable_grad():
        from_input = steps.from_input.clone().requires_grad_()
        old = {state: values.clone().requires_grad_() for state, values in steps.before.items()}
        ops = ops or TorchOps(cell, steps.weights, steps.nonlinearity)
        after = steps.run(ops, from_input, {path: old[state] for path, state in cell.paths.items()})
        wanted = [from_input, *old.values(), *(after[state] for state in cell.states[1:])]
        outputs = [after[state] for state in cell.states]
        found = torch.autograd.grad(outputs, wanted, grads, materialize_grads=True, allow_unused=True)
    return found[0], found[1 : 1 + len(old)], found[-1] if cell.has_cell_state else None


def step_gradients(
    steps: StepInputs, grads: tuple[Tensor, ...], total_cell: Tensor | None = None, *, cut_products: bool = False
) -> StepGradients:
    """Differentiate steps, path by path and product by product.

    Args:
        grads: what arrives at each new state.
        total_cell: the total dL/dc_t where it is known already; then what arrives at c is not used.
        cut_products: let nothing pass through W_hh to the old states.
    """
    cell, weights = steps.cell, steps.weights
    with torch.enable_grad():
        from_input = steps.from_input.clone().requires_grad_()
        old = {path: steps.before[state].clone().requires_grad_() for path, state in cell.paths.items()}
        vectors = {
            name: each.expand(len(from_input), -1).clone().requires_grad_() for name, each in weights.vectors.items()
        }
        ops = TorchOps(cell, weights, steps.nonlinearity, cut_products=cut_products)
        ops.vectors = dict(vectors)
        after = steps.run(ops, from_input, old)
        if total_cell is not None:
            known = total_cell
            after["c"].register_hook(lambda grad: known)
        around = {gain: ops.normalisations[gain] for gain in cell.structure.state_normalisations}
        wanted = {
            "from_input": [from_input],
            "paths": list(old.values()),
            "vectors": list(vectors.values()),
            "products": [result for _, _, result in ops.products],
            "normalised": [normalised for normalised, _ in around.values()],
            "scaled": [scaled for _, scaled in around.values()],
            "cell": [after["c"]] if cell.has_cell_state else [],
        }
        outputs, flat = [after[state] for state in cell.states], [each for group in wanted.values() for each in group]
        gradients = iter(torch.autograd.grad(outputs, flat, grads, materialize_grads=True, allow_unused=True))
    found = {name: [next(gradients) for _ in group] for name, group in wanted.items()}
    into_input, terms, from_state = found["from_input"][0], [], None
    for (rows, read, _), slopes in zip(ops.products, found["products"], strict=True):
        terms.append(OuterProducts(rows, slopes, read.detach()))
        from_state = torch.zeros_like(into_input) if from_state is None else from_state
        from_state[:, rows] += slopes
    pairs = zip(found["normalised"], found["scaled"], strict=True)
    ratios = [torch.linalg.vector_norm(one, dim=-1) / torch.linalg.vector_norm(other, dim=-1) for one, other in pairs]
    return StepGradients(
        from_input=into_input,
        paths=dict(zip(old, found["paths"], strict=True)),
        total_cell=total_cell if total_cell is not None or not found["cell"] else found["cell"][0],
        from_state=from_state,
        state_terms=terms,
        vectors=dict(zip(vectors, found["vectors"], strict=True)),
        normalisations=dict(zip(around, ratios, strict=True)),
    )
