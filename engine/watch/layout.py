"""How the tensors of one call lie: padded or packed, time or batch first, with a batch or without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

Sequences = Tensor | PackedSequence


@dataclass(frozen=True, eq=False)
class Layout:
    """Brings the tensors of one call into one form.

    Args:
        time_first: an input, an output or the gradient of an output (of a packed one its `data`), to (T, B, units).
        state: h_0, c_0, h_n or c_n, or a gradient of one, to (layers * directions, B, units).
        lengths: (B,) int64, the real steps of each sequence, in the order of the batch.
        packed: (batch_sizes, unsorted_indices) of packed input, or None.
    """

    time_first: Callable[[Tensor], Tensor]
    state: Callable[[Tensor], Tensor]
    lengths: Tensor
    packed: tuple[Tensor, Tensor | None] | None = None


def data_of(value: Sequences) -> Tensor:
    """The tensor itself: of packed sequences their `data`."""
    return value.data if isinstance(value, PackedSequence) else value


def layout_of(module: nn.Module, given: Sequences) -> Layout:
    """The layout of a call of one of PyTorch's recurrent modules with this input."""
    if isinstance(given, PackedSequence):
        return packed_layout(given)
    if not isinstance(module, nn.RNNBase):
        return _one_step(given)
    batched, batch_axis = given.dim() == 3, 0 if module.batch_first else 1

    def time_first(values: Tensor) -> Tensor:
        values = values if batched else values.unsqueeze(batch_axis)
        return values.transpose(0, 1) if module.batch_first else values

    def state(values: Tensor) -> Tensor:
        return values if batched else values[:, None]

    steps, batch = time_first(given).shape[:2]
    return Layout(time_first, state, torch.full((batch,), steps, dtype=torch.int64))


def packed_layout(given: PackedSequence) -> Layout:
    """The layout of packed sequences; results are padded and in the order of the batch before it was sorted."""
    _, *order = given

    def time_first(values: Tensor) -> Tensor:
        return pad_packed_sequence(PackedSequence(values, *order))[0]

    sizes = given.batch_sizes
    lengths = (sizes[:, None] > torch.arange(int(sizes[0]))).sum(0)
    if given.unsorted_indices is not None:
        lengths = lengths[given.unsorted_indices.cpu()]
    return Layout(time_first, lambda values: values, lengths, (given.batch_sizes, given.unsorted_indices))


def _one_step(given: Tensor) -> Layout:
    """One of PyTorch's cells: (B, units) or (units,) is one step of one layer."""
    batched = given.dim() == 2

    def row(values: Tensor) -> Tensor:
        return values[None] if batched else values[None, None]

    batch = len(given) if batched else 1
    return Layout(row, row, torch.ones(batch, dtype=torch.int64))
