"""A device that is none: it computes on the CPU, but its tensors are elsewhere, as those on a GPU are.

So the way of every number to the host can be tested without a GPU: whoever mixes tensors of both, or reads one without
copying it, gets an error, and copies are counted. Its device is called "meta", the only one besides the CPU that
PyTorch always has.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter, tree_map

ELSEWHERE = torch.device("meta")
aten = torch.ops.aten
MAY_MIX = {
    aten._to_copy, aten.copy_, aten.index, aten.index_put_, aten.index_put, aten._index_put_impl_,
    aten._pack_padded_sequence,
}  # fmt: skip
"""Indices and lengths may be on the CPU, on a GPU as well."""


class Elsewhere(Tensor):
    """A tensor of that device; `own` has its numbers."""

    own: Tensor

    @staticmethod
    def __new__(cls, own: Tensor) -> Elsewhere:
        made = Tensor._make_wrapper_subclass(
            cls, own.shape, dtype=own.dtype, device=ELSEWHERE, strides=own.stride(), storage_offset=own.storage_offset()
        )
        made.own = own
        return made

    def tolist(self) -> Any:
        """As of any tensor: a few numbers are read at once."""
        return self.own.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(f"{func} outside of PretendedDevice")


class PretendedDevice(TorchDispatchMode):
    """While it is entered, tensors on `ELSEWHERE` compute.

    Attributes:
        copies: numbers of bytes that were copied to the CPU, one for each copy. waits: how often a single number was
            read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.copies: list[int] = []
        self.waits = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        given = [each for each in tree_iter((args, kwargs)) if isinstance(each, Tensor)]
        is_elsewhere = any(isinstance(each, Elsewhere) for each in given)
        packet = func.overloadpacket
        if is_elsewhere and packet not in MAY_MIX:
            mixed = [each for each in given if not isinstance(each, Elsewhere) and each.dim()]
            assert not mixed, f"{func} got tensors of both devices: {[each.shape for each in given]}"
        if (asked := kwargs.get("device")) is not None:
            kwargs["device"] = torch.device("cpu")
            if is_elsewhere and torch.device(asked).type == "cpu":
                self.copies.append(given[0].numel() * given[0].element_size())
            is_elsewhere = torch.device(asked) == ELSEWHERE
        elif packet is aten.copy_:
            is_elsewhere = isinstance(args[0], Elsewhere)
            if not is_elsewhere and isinstance(args[1], Elsewhere):
                self.copies.append(args[1].numel() * args[1].element_size())
        if packet is aten._local_scalar_dense and is_elsewhere:
            self.waits += 1
        out = func(*tree_map(_own, args), **tree_map(_own, kwargs))
        if packet is aten._to_copy and asked is not None and out is _own(args[0]):
            out = out.clone()
        if not is_elsewhere:
            return out
        owners = {id(each.own): each for each in given if isinstance(each, Elsewhere)}

        def wrapped(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            return owners[id(value)] if id(value) in owners else Elsewhere(value)

        if packet is aten._pack_padded_sequence:
            return wrapped(out[0]), out[1]  # how many sequences there are at each step stays on the CPU
        return tree_map(wrapped, out)


def _own(value: Any) -> Any:
    return value.own if isinstance(value, Elsewhere) else value


def move(model: nn.Module) -> None:
    """Bring the parameters of a model to that device, in place."""
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None:
                setattr(module, name, nn.Parameter(Elsewhere(parameter.detach())))
