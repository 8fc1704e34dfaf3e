"""The way from the device of a network to the CPU: everything that is read there crosses in one copy.

A copy from a GPU waits until all that was asked of it is done, so that fifty small ones cost far more than a large one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from engine.layers.cell_trace import CellTrace

T = TypeVar("T")


def to_cpu(value: T) -> T:
    """The same lists, tuples, dicts, dataclasses and traces with copies of their tensors on the CPU.

    One copy brings all of them. What is there already stays the same object.
    """
    found: dict[int, Tensor] = {}

    def collect(tensor: Tensor) -> Tensor:
        if tensor.device.type != "cpu":
            found[id(tensor)] = tensor
        return tensor

    _mapped(value, collect)
    arrived = dict(zip(found, _copied(list(found.values())), strict=True))
    return _mapped(value, lambda tensor: arrived.get(id(tensor), tensor)) if found else value


def _copied(tensors: Sequence[Tensor]) -> list[Tensor]:
    """Copies on the CPU, by way of one tensor of bytes. The largest numbers come first: each begins at a whole one."""
    order = sorted(range(len(tensors)), key=lambda at: -tensors[at].element_size())
    if not order:
        return []
    packed = torch.cat([tensors[at].detach().contiguous().view(-1).view(torch.uint8) for at in order]).cpu()
    copies, start = list(tensors), 0
    for at in order:
        size = tensors[at].numel() * tensors[at].element_size()
        values = packed[start : start + size].view(tensors[at].dtype).view(tensors[at].shape)
        copies[at] = values.clone()  # a frame keeps some of them, and must not keep all
        start += size
    return copies


def _mapped(value: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Apply a function to every tensor in it."""
    if isinstance(value, Tensor):
        return change(value)
    if isinstance(value, dict):
        return {name: _mapped(each, change) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        parts = [_mapped(each, change) for each in value]
        return type(value)(*parts) if hasattr(value, "_fields") else type(value)(parts)
    if isinstance(value, CellTrace):
        trace = value.map_tensors(change)
        trace.weights = value.weights.map_tensors(change)
        return trace
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        changed = {name: _mapped(each, change) for name, each in given.items()}
        return dataclasses.replace(value, **changed)
    return value
