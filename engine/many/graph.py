"""A function of a batch, made of tensor operations alone, repeated by a GPU without being told each operation again.

Of small networks an update is some hundreds of operations of a few microseconds; to start them one by one takes ten
times as long as to compute them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from engine.many.batches import SideBySide, shared

Function = Callable[[SideBySide], Tensor]


class Graphs:
    """Calls a function by a CUDA graph for each shape of batch.

    Args:
        function: changes tensors in place, and returns one. It must not read a number to the host.
        device: on which these tensors are.
    """

    def __init__(self, function: Function, device: torch.device) -> None:
        self._function, self._device = function, device
        self._graphs: dict[object, _Graph] = {}

    def __call__(self, batch: SideBySide) -> Tensor:
        """Call the function of a batch on any device. The next call overwrites what is returned."""
        parts = [part for part in batch if part is not None]
        shape = batch.ends is None, *((part.shape, part.stride(0) == 0) for part in parts)
        if shape not in self._graphs:
            self._graphs[shape] = _Graph(self._function, batch, self._device)
        return self._graphs[shape](batch)


class _Graph:
    """The function for batches of one shape."""

    def __init__(self, function: Function, like: SideBySide, device: torch.device) -> None:
        self._function, self._graph = function, torch.cuda.CUDAGraph()
        self._batch = like.on(device)
        self._calls = 0
        self._returned: Tensor

    def __call__(self, batch: SideBySide) -> Tensor:
        """See `Graphs`. The first call is an ordinary one, in which all is allocated that is kept."""
        for ours, given in zip(self._batch, batch, strict=True):
            if ours is not None and given is not None:
                shared(ours).copy_(shared(given))
        self._calls += 1
        if self._calls == 1:
            return self._on_a_stream_of_its_own()
        if self._calls == 2:
            with torch.cuda.graph(self._graph):
                self._returned = self._function(self._batch)
        self._graph.replay()
        return self._returned

    def _on_a_stream_of_its_own(self) -> Tensor:
        """Call the function where the recording will be made, as PyTorch asks for."""
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            returned = self._function(self._batch)
        torch.cuda.current_stream().wait_stream(stream)
        return returned
