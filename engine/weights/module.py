"""The recurrent modules in a state dict, found by the names and shapes that PyTorch gives their weights. No torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS

NAMED = re.compile(
    r"(?P<prefix>.*?)(?P<kind>weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)_l(?P<layer>\d+)(?P<reverse>_reverse)?"
)
BY_BLOCKS = {cell.blocks: name for name, cell in CELLS.items() if cell.torch_layer is not None}
"""The cell of PyTorch whose matrices have so many blocks of rows."""


@dataclass(frozen=True)
class RecurrentModule:
    """An nn.RNN, nn.GRU or nn.LSTM.

    Args:
        prefix: of its weights' names: "encoder.rnn.". cell: its name in CELLS.
        has_biases: False if it was made with bias=False.
    """

    prefix: str
    cell: str
    input_size: int
    hidden_size: int
    num_layers: int
    bidirectional: bool
    has_biases: bool

    def __str__(self) -> str:
        layers = f"{self.num_layers} layer{'s' if self.num_layers > 1 else ''}"
        ways = ", both directions" if self.bidirectional else ""
        return f"{CELLS[self.cell].title}, {layers}{ways}, {self.hidden_size} units, input size {self.input_size}"


def modules_of(tensors: Mapping[str, np.ndarray]) -> tuple[RecurrentModule, ...]:
    """The modules whose matrices are all there and fit each other; one with projections (LSTMP) is none of ours."""
    found: dict[str, dict[tuple[str, int, bool], np.ndarray]] = {}
    for name, values in tensors.items():
        if match := NAMED.fullmatch(name):
            key = (match["kind"], int(match["layer"]), bool(match["reverse"]))
            found.setdefault(match["prefix"], {})[key] = values
    modules = (_module(prefix, weights) for prefix, weights in found.items())
    return tuple(module for module in modules if module is not None)


def _module(prefix: str, weights: Mapping[tuple[str, int, bool], np.ndarray]) -> RecurrentModule | None:
    """The module of these weights, by (kind, layer, reverse); None if they are not those of one."""
    first, recurrent = weights.get(("weight_ih", 0, False)), weights.get(("weight_hh", 0, False))
    if first is None or recurrent is None or first.ndim != 2 or recurrent.ndim != 2:
        return None
    rows, hidden = recurrent.shape
    layers = 1 + max(layer for _, layer, _ in weights)
    ways = (False, True) if any(reverse for *_, reverse in weights) else (False,)
    has_biases = any(kind.startswith("bias") for kind, *_ in weights)
    if not hidden or not first.shape[1] or rows % hidden or rows // hidden not in BY_BLOCKS or layers > len(weights):
        return None
    expected: dict[tuple[str, int, bool], tuple[int, ...]] = {}
    for layer in range(layers):
        for way in ways:
            expected["weight_ih", layer, way] = (rows, hidden * len(ways) if layer else first.shape[1])
            expected["weight_hh", layer, way] = (rows, hidden)
            if has_biases:
                expected["bias_ih", layer, way] = expected["bias_hh", layer, way] = (rows,)
    if expected != {key: values.shape for key, values in weights.items()}:
        return None
    return RecurrentModule(
        prefix, BY_BLOCKS[rows // hidden], first.shape[1], hidden, layers, len(ways) == 2, has_biases
    )
