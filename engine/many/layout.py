"""The parameters of networks side by side: one row of numbers each, and views of the rows to compute with.

Every width (inputs, units, outputs) is filled up with zeros to a multiple of WIDTH, and stays 0: such units have state
0 and gradient 0. Then every matrix of every network begins where the processor's vectors do, so that a product has the
same bits in whichever row it stands; without that, libraries round differently at different addresses.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.parameters import parameter_shapes

WIDTH = 4
"""Two widths together make a multiple of 16 numbers, 64 bytes of float32: a line of the processor's memory."""
ALIGNED = 16


def padded(width: int, multiple: int = WIDTH) -> int:
    """A width filled up to a multiple."""
    return -(-width // multiple) * multiple


class Place(NamedTuple):
    """Where a parameter stands in a row.

    Args:
        shape: its own, as PyTorch has it. blocks: the gates whose rows it joins.
    """

    start: int
    shape: tuple[int, ...]
    blocks: int

    @property
    def by_block(self) -> tuple[int, ...]:
        """Its shape with a first axis of blocks."""
        return (self.blocks, self.shape[0] // self.blocks, *self.shape[1:])

    @property
    def filled(self) -> tuple[int, ...]:
        """The same, every width filled up."""
        return (self.blocks, *map(padded, self.by_block[1:]))

    @property
    def stop(self) -> int:
        """Where the next one may begin."""
        return self.start + padded(prod(self.filled), ALIGNED)


class Layout:
    """Where the parameters of a network of this shape stand in its row, {name: place}, and the row's `width`."""

    def __init__(self, experiment: Experiment) -> None:
        self.places: dict[str, Place] = {}
        start = 0
        for name, shape in parameter_shapes(experiment).items():
            blocks = CELLS[experiment.cell].blocks if name.startswith("recurrent.") else 1
            self.places[name] = Place(start, shape, blocks)
            start = self.places[name].stop
        self.width = start

    def views(self, rows: Tensor) -> dict[str, Tensor]:
        """The filled-up parameters of rows (S, width) by name, all blocks in one axis: views, no copies."""
        return {name: self._blocks(rows, place).flatten(1, 2) for name, place in self.places.items()}

    def read(self, rows: Tensor) -> dict[str, np.ndarray]:
        """The parameters of rows by name, (S, ...) as PyTorch has them; copies."""
        return {
            name: self._own(rows, place).reshape(len(rows), *place.shape).cpu().numpy().copy()
            for name, place in self.places.items()
        }

    def write(self, rows: Tensor, parameters: Mapping[str, np.ndarray]) -> None:
        """Write parameters, as `read` returns them, into rows."""
        for name, place in self.places.items():
            own = self._own(rows, place)
            own.copy_(torch.tensor(parameters[name]).view(own.shape))

    def _blocks(self, rows: Tensor, place: Place) -> Tensor:
        return rows[:, place.start : place.start + prod(place.filled)].unflatten(1, place.filled)

    def _own(self, rows: Tensor, place: Place) -> Tensor:
        """The part that is no filling, (S, *by_block)."""
        return self._blocks(rows, place)[(slice(None), *(slice(size) for size in place.by_block))]


def below(prefix: str, named: Mapping[str, Tensor], suffix: str = "") -> dict[str, Tensor]:
    """The tensors whose names have this beginning and end, by the rest of their names."""
    return {
        name.removeprefix(prefix).removesuffix(suffix): tensor
        for name, tensor in named.items()
        if name.startswith(prefix) and name.endswith(suffix)
    }
