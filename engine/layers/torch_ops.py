"""The `Ops` of a cell's step in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, linear

from engine.cells import Cell
from engine.layers.weights import Weights

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda a: a,
}
"""phi, by the setting `nonlinearity`."""


class TorchOps:
    """What a step computes with; used again for every step of a layer. Any leading axes.

    Products with x_t are given, those of all gates at once. W_hh is multiplied once for all gates that read the same
    old state; a gate whose product reads something else has a product of its own.

    Attributes:
        products: of the present step, (rows of weight_hh, what they were multiplied with, the result).
        normalisations: of the present step, {name of the gain: (what was normalised, the result)}.
    """

    sigmoid, tanh, relu = staticmethod(torch.sigmoid), staticmethod(torch.tanh), staticmethod(torch.relu)

    def __init__(self, cell: Cell, weights: Weights, nonlinearity: str, *, cut_products: bool = False) -> None:
        """cut_products: let no gradient pass through W_hh; only what goes unit by unit is then differentiated."""
        self.cell, self.weights, self.cut_products = cell, weights, cut_products
        self.phi = ACTIVATIONS[nonlinearity]
        self.vectors = dict(weights.vectors)
        self.on_state: Callable[[str, Tensor], Tensor] = lambda name, value: value
        self._units = len(weights.ih) // cell.blocks
        self._rows = {gate: slice(k * self._units, (k + 1) * self._units) for k, gate in enumerate(cell.letters)}
        self._alike = [gate for gate, path in cell.structure.state_reads.items() if path is not None]
        self._alike.sort(key=cell.letters.index)
        self._places = {
            symbol: (vector.name, k) for vector in cell.vectors for k, symbol in enumerate(vector.symbols)
        }  # fmt: skip

    def begin(self, from_input: Mapping[str, Tensor], old: Mapping[str, Tensor]) -> None:
        """Begin a step.

        Args:
            from_input: W_ih x_t + b_ih by letter. old: the old states by path.
        """
        self._from_input, self._old = from_input, old
        self.products: list[tuple[slice, Tensor, Tensor]] = []
        self.normalisations: dict[str, tuple[Tensor, Tensor]] = {}
        self._stacked: dict[int, dict[str, Tensor]] = {}

    def read(self, path: str, state: str) -> Tensor:
        """The old state along a path; see `engine.cells.cell.OldState`."""
        return self._old[path]

    def W_ih(self, gate: str, x: Tensor) -> Tensor:
        """See `Ops`."""
        return self._from_input[gate]

    def W_hh(self, gate: str, h: Tensor) -> Tensor:
        """See `Ops`."""
        if self.cell.structure.state_reads[gate] is None:
            return self._product(self._rows[gate], h)
        if id(h) not in self._stacked:
            first, last = self._rows[self._alike[0]], self._rows[self._alike[-1]]
            whole = self._product(slice(first.start, last.stop), h)
            blocks = dict(zip(self.cell.letters[first.start // self._units :], whole.chunk(
                (last.stop - first.start) // self._units, -1), strict=False))  # fmt: skip
            self._stacked[id(h)] = blocks
        return self._stacked[id(h)][gate]

    def _product(self, rows: slice, h: Tensor) -> Tensor:
        bias = self.weights.bias_hh
        read = h.detach() if self.cut_products else h
        result = linear(read, self.weights.recurrent[rows], None if bias is None else bias[rows])
        if self.cut_products:
            result.requires_grad_()
        self.products.append((rows, h, result))
        return result

    def vector(self, symbol: str) -> Tensor:
        """See `Ops`."""
        name, block = self._places[symbol]
        return self.vectors[name][..., block * self._units : (block + 1) * self._units]

    def layer_norm(self, parts: Sequence[Tensor], gain: str, shift: str) -> list[Tensor]:
        """See `Ops`."""
        joined = torch.cat(list(parts), -1)
        scaled = layer_norm(joined, joined.shape[-1:]) * self.vectors[gain] + self.vectors[shift]
        self.normalisations[gain] = joined, scaled
        return list(scaled.chunk(len(parts), -1))

    def state(self, name: str, value: Tensor) -> Tensor:
        """See `Ops`."""
        return self.on_state(name, value)
