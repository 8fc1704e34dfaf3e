"""The `Ops` of NumPy arrays: a cell's step with its numbers, from products that are already known. No torch.

Arrays may have further axes in front, for example time: then the step is computed at all of its positions at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from engine.cells.cell import Cell

LAYER_NORM_EPSILON = 1e-5
"""Added to the variance, as in `torch.nn.LayerNorm`."""


@dataclass(frozen=True, eq=False)
class Activation:
    """How a value of the step was made.

    Args:
        name: "sigmoid", "tanh", "relu" or "identity".
        argument: what it was applied to: the preactivation.
        result: the value.
    """

    name: str
    argument: np.ndarray
    result: np.ndarray


@dataclass(eq=False)
class NumpyOps:
    """The operations of a cell's step.

    G is the number of the cell's gates in their order, H the number of units.

    Args:
        nonlinearity: the setting, used where the step has `phi`.
        from_input: (..., G, H), W_ih x_t without biases. The x_t that the step hands over is not read.
        from_state: (..., G, H), W_hh times what each product reads, without biases; None for a cell without weight_hh.
        biases: (2, G, H), bias_ih and bias_hh; (1, G, H) without weight_hh, (0, G, H) without biases.
        vectors: {parameter name: (symbols, H)}.
        weight_hh: (G * H, H). If it is given, a product that reads no old state itself, but something made of it, is
            computed from what the step hands over, and not taken from `from_state`.
        state_products: {letter: (..., H)}, the products that were computed so.
    """

    cell: Cell
    nonlinearity: str
    from_input: np.ndarray
    from_state: np.ndarray | None
    biases: np.ndarray
    vectors: Mapping[str, np.ndarray]
    weight_hh: np.ndarray | None = None
    state_products: dict[str, np.ndarray] = field(default_factory=dict, init=False)
    _made: list[Activation] = field(default_factory=list, init=False)

    def activation_of(self, result: np.ndarray) -> Activation | None:
        """How this very array was made; None if no activation function returned it."""
        return next((made for made in reversed(self._made) if made.result is result), None)

    def W_ih(self, gate: str, x: np.ndarray | None) -> np.ndarray:
        """See `Ops`."""
        return self._with_bias(0, gate, self.from_input[..., self.cell.letters.index(gate), :])

    def W_hh(self, gate: str, h: np.ndarray) -> np.ndarray:
        """See `Ops`."""
        at = self.cell.letters.index(gate)
        if self.weight_hh is not None and self.cell.structure.state_reads[gate] is None:
            rows = self.weight_hh.reshape(self.cell.blocks, -1, self.weight_hh.shape[-1])[at]
            product = self.state_products[gate] = h @ rows.T
        else:
            assert self.from_state is not None
            product = self.from_state[..., at, :]
        return self._with_bias(1, gate, product)

    def vector(self, symbol: str) -> np.ndarray:
        """See `Ops`."""
        for vector in self.cell.vectors:
            if symbol in vector.symbols:
                return self.vectors[vector.name][vector.symbols.index(symbol)]
        raise KeyError(symbol)

    def sigmoid(self, a: np.ndarray) -> np.ndarray:
        """See `Ops`."""
        return self._applied("sigmoid", a)

    def tanh(self, a: np.ndarray) -> np.ndarray:
        """See `Ops`."""
        return self._applied("tanh", a)

    def relu(self, a: np.ndarray) -> np.ndarray:
        """See `Ops`."""
        return self._applied("relu", a)

    def phi(self, a: np.ndarray) -> np.ndarray:
        """See `Ops`."""
        return self._applied(self.nonlinearity, a)

    def layer_norm(self, parts: Sequence[np.ndarray], gain: str, shift: str) -> list[np.ndarray]:
        """See `Ops`."""
        joined = np.concatenate(parts, axis=-1)
        centred = joined - joined.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + LAYER_NORM_EPSILON)
        normalised = centred / scale * self.vectors[gain].reshape(-1) + self.vectors[shift].reshape(-1)
        return np.split(normalised, len(parts), axis=-1)

    def state(self, name: str, value: np.ndarray) -> np.ndarray:
        """See `Ops`."""
        return value

    def _with_bias(self, which: int, gate: str, product: np.ndarray) -> np.ndarray:
        return product + self.biases[which, self.cell.letters.index(gate)] if len(self.biases) else product

    def _applied(self, name: str, argument: np.ndarray) -> np.ndarray:
        result = activated(name, argument)
        self._made.append(Activation(name, argument, result))
        return result


def activated(name: str, a: np.ndarray) -> np.ndarray:
    """An activation function by its name: "sigmoid", "tanh", "relu" or "identity"."""
    if name == "sigmoid":
        small = np.exp(-np.abs(a))  # at most 1, so that nothing overflows and small results keep their digits
        return np.where(a < 0, small, 1) / (1 + small)
    if name == "tanh":
        return np.tanh(a)
    return np.maximum(a, 0) if name == "relu" else a
