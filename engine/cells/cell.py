"""The contract of a cell: what its file declares, and the step from which everything else follows. No torch.

A cell is one `Cell` in one file. Its `step(ops, x, s)` is written once, like the textbook's equations, and run in
several ways: `ops` computes with PyTorch tensors in training and in the lens, with NumPy arrays on the page of the
equations, and with symbols in `engine.cells.structure`; spelled out, the same lines are the exported script.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from engine.cells.structure import Structure, structure_of

Array = Any
"""A tensor, a NumPy array or a symbol; units are its last axis."""

OldState = Callable[[str, str], Array]
"""s(path, state): an old state, "h" or "c", read along one of the cell's paths. The lens gives every path a copy of its
own: the gradient of that copy is the gradient that goes back along the path."""

Step = Callable[["Ops", Array, OldState], tuple[dict[str, Array], dict[str, Array]]]
"""One step: (ops, x_t, s) -> (values by letter, all gates among them; new states by name)."""


class Ops(Protocol):
    """What a step may use besides + - * and numbers."""

    def W_ih(self, gate: str, x: Array) -> Array:
        """The gate's rows of weight_ih times x_t, plus its bias."""

    def W_hh(self, gate: str, h: Array) -> Array:
        """The gate's rows of weight_hh times h, plus its bias. h is an old state, or something made of it."""

    def vector(self, symbol: str) -> Array:
        """One of the cell's vectors, (units,)."""

    def sigmoid(self, a: Array) -> Array:
        """1 / (1 + exp(-a))."""

    def tanh(self, a: Array) -> Array:
        """The hyperbolic tangent."""

    def relu(self, a: Array) -> Array:
        """max(a, 0)."""

    def phi(self, a: Array) -> Array:
        """The activation that the setting `nonlinearity` names."""

    def layer_norm(self, parts: Sequence[Array], gain: str, shift: str) -> list[Array]:
        """Join the parts, subtract the mean, divide by sqrt(variance + 1e-5), apply two vectors, and split again.

        gain, shift: names of `Vector`s with one block for each part.
        """

    def state(self, name: str, value: Array) -> Array:
        """Mark a new state that this very step goes on to use, so that a verification can change it. Returns it."""


@dataclass(frozen=True)
class Equation:
    """One line on the page of the equations.

    Args:
        name: for example "input gate".
        latex: "symbol = right-hand side"; the symbol is that of a state, or of a value that the step returns.
    """

    name: str
    latex: str


UNIFORM = None
"""Drawn as PyTorch draws all weights of a recurrent layer, from U(-1/sqrt(H), 1/sqrt(H))."""


@dataclass(frozen=True)
class Vector:
    """A parameter of one number per unit and symbol, (len(symbols) * H,): peepholes, recurrent weights, gains.

    Args:
        name: of the parameter, for example "weight_ch".
        symbols: of its blocks, in LaTeX, in their order.
        start: UNIFORM, one number for all, or (low, high) of a uniform distribution.
        is_recurrent: True for weights that take the place of weight_hh: `init_gain` multiplies them.
        limit: from the number of time steps to the largest absolute value that is allowed after an update; None: any.
    """

    name: str
    symbols: tuple[str, ...]
    start: float | tuple[float, float] | None = UNIFORM
    is_recurrent: bool = False
    limit: Callable[[int], float] | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Cell:
    """Everything about a cell that needs no network.

    Args:
        title: the name on the screen.
        summary: one sentence of at most 105 characters, for the chooser and for scripts.
        note: what to know beside the equations, as Markdown.
        states: what goes on to the next step, "h" or "h" and "c"; the last one carries memory, and the gradient ratio
            is measured there.
        letters: the gates' letters in the equations, in the order of the blocks of weight_ih and weight_hh.
        gates: their names in frames; a plain cell has one block, "hidden".
        paths: {path: state}, the ways in which an old state enters the step. "kept" is the path past all weights.
        step: the equations.
        equations: the same in LaTeX, in the order in which a step computes them.
        retain_gate: the gate that keeps the old state, whose bias `forget_bias` sets; None without one.
        suggested_forget_bias: total bias of that gate with which a gradient survives about 40 steps (found by
            experiment).
        gate_bias: the parameters that are added to the gates' arguments: `forget_bias` sets the first, and 0 in the
            others.
        has_bias: False if products are taken without a bias.
        vectors: further parameters.
        terms: {name: LaTeX} of what the step returns besides its gates, for the equations.
        state_arguments: {letter: LaTeX} where W_hh is not multiplied with h_{t-1} itself: what stands after the matrix
            in the equation, letter for letter, with its brackets.
        uses_nonlinearity: True if the setting `nonlinearity` is its activation; gated cells have fixed ones.
        nonlinearity: the activation of a plain cell that does not let one choose.
        torch_layer: its class in `torch.nn`; None if PyTorch does not have the cell.
        cost_note: what to know beside the measured cost of a time step; None without one.
    """

    title: str
    summary: str
    note: str
    states: tuple[str, ...] = ("h",)
    letters: tuple[str, ...]
    gates: tuple[str, ...]
    paths: dict[str, str]
    step: Step
    equations: tuple[Equation, ...]
    retain_gate: str | None = None
    suggested_forget_bias: float | None = None
    gate_bias: tuple[str, ...] = ("bias_ih", "bias_hh")
    has_bias: bool = True
    vectors: tuple[Vector, ...] = ()
    terms: dict[str, str] = field(default_factory=dict)
    state_arguments: dict[str, str] = field(default_factory=dict)
    uses_nonlinearity: bool = False
    nonlinearity: str | None = None
    torch_layer: str | None = None
    cost_note: str | None = None

    @cached_property
    def structure(self) -> Structure:
        """What the step does, found by running it on symbols.

        Raises:
            CellError: if the step does not do what the cell declares.
        """
        return structure_of(self)

    @property
    def blocks(self) -> int:
        """The number of blocks of weight_ih."""
        return len(self.letters)

    @property
    def state_blocks(self) -> int:
        """The number of (H, H) blocks of weight_hh: as many as gates, or 0 if no product has an old state in it."""
        return self.blocks if self.structure.has_state_product else 0

    @property
    def recurrent_weights(self) -> tuple[str, ...]:
        """The parameters that an old state h is multiplied by: weight_hh, or vectors in its place."""
        vectors = (vector.name for vector in self.vectors if vector.is_recurrent)
        return (*(("weight_hh",) if self.state_blocks else ()), *vectors)

    @property
    def has_cell_state(self) -> bool:
        """True if there is a cell state c besides h."""
        return "c" in self.states

    @property
    def is_recurrent(self) -> bool:
        """False for a cell that does not use its previous state."""
        return bool(self.paths)

    @property
    def is_plain(self) -> bool:
        """True without gates and without c: a step back multiplies a gradient by slopes, then by weights."""
        return len(self.gates) == 1 and not self.has_cell_state

    @property
    def retain_letter(self) -> str | None:
        """The letter of the gate that keeps the old state."""
        return None if self.retain_gate is None else self.letters[self.gates.index(self.retain_gate)]

    def activation(self, chosen: str) -> str | None:
        """The activation of a plain cell, where `chosen` is the setting; None for a gated cell."""
        return chosen if self.uses_nonlinearity else self.nonlinearity

    def shapes(self, inputs: int, units: int) -> dict[str, tuple[int, ...]]:
        """{name: shape} of the parameters of one layer in one direction, in their order, without the layer's suffix."""
        rows, state_rows = self.blocks * units, self.state_blocks * units
        found: dict[str, tuple[int, ...]] = {"weight_ih": (rows, inputs), "weight_hh": (state_rows, units)}
        if self.has_bias:
            found |= {"bias_ih": (rows,), "bias_hh": (state_rows,)}
        found |= {vector.name: (len(vector.symbols) * units,) for vector in self.vectors}
        return {name: shape for name, shape in found.items() if shape[0]}


def affine(letter: str) -> str:
    """LaTeX of what most gates add up: products with x_t and with h_{t-1}, and both biases."""
    return rf"W_{{i{letter}}} x_t + b_{{i{letter}}} + W_{{h{letter}}} h_{{t-1}} + b_{{h{letter}}}"
