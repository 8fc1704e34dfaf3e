"""Recurrences that somebody wrote by hand: a module that is given, step by step, what it gave itself before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import Tensor, nn

from engine.watch.wiring import metadata_of

LEAST_CALLS = 3
"""So many calls of a pass, each given what the one before gave, are a loop."""
MOST_CALLS = 1_000
"""After so many calls of any modules nothing more is searched for; a loop stands in the first pass already."""
SEARCHED_NODES, LONGEST_WAY = 60, 12
"""How far the graph between two calls is searched."""
SAYS = (
    "{name} computes step by step from what it gave before: a recurrence written by hand, of which nothing is known. "
    'To see it, call lens.state("h", h) with its state at every step.'
)


class OwnLoops:
    """Finds such modules, by the graph between their calls. It is not searched beyond a module that is watched.

    Args:
        key: of the marks at results of watched modules.

    Attributes:
        found: {name: sentence}. The name is that of the class, of one of PyTorch's own layers that of the module around
            it.
    """

    def __init__(self, key: object) -> None:
        self._key = key
        self._around: list[nn.Module] = []
        self._in_a_row: dict[int, int] = {}
        self._calls = 0
        self.found: dict[str, str] = {}

    def begins(self, module: nn.Module) -> None:
        """A module is about to be called."""
        self._around.append(module)

    def heard(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> None:
        """It was called."""
        self._calls += 1
        while self._around and self._around.pop() is not module:
            pass  # an error has ended calls within this one
        if isinstance(module, (nn.RNNBase, nn.RNNCellBase)) or not _mixes(module):
            return
        given = [*_tensors(args), *_tensors([*kwargs.values()])]
        goes_on = any(self._comes_from(module, tensor) for tensor in given)
        self._in_a_row[id(module)] = 1 + (self._in_a_row.get(id(module), 0) if goes_on else 0)
        if self._in_a_row[id(module)] == LEAST_CALLS:
            self._name(module)
        for tensor in _tensors([result]):
            if tensor.grad_fn is not None:
                metadata_of(tensor.grad_fn).setdefault((self._key, "own"), set()).add(id(module))

    def _comes_from(self, module: nn.Module, tensor: Tensor) -> bool:
        """Whether a tensor was computed from an earlier result of a module, nearby."""
        waiting: list[tuple[Any, int]] = [(tensor.grad_fn, 0)]
        seen: set[Any] = set()
        while waiting and len(seen) < SEARCHED_NODES:
            node, distance = waiting.pop(0)
            if node is None or node in seen or distance > LONGEST_WAY:
                continue
            seen.add(node)
            marks = metadata_of(node)
            if id(module) in marks.get((self._key, "own"), ()):
                return True
            if not any(isinstance(mark, tuple) and mark[0] is self._key and mark[1] != "own" for mark in marks):
                waiting += [(earlier, distance + 1) for earlier, _ in node.next_functions]
        return False

    def _name(self, module: nn.Module) -> None:
        """One of PyTorch's own layers is called by its name in the module around it."""
        around = next((each for each in reversed([*self._around, module]) if not _is_of_torch(each)), module)
        name = type(around).__name__
        self.found[name] = SAYS.format(name=name)

    def pass_ended(self) -> None:
        """A backward pass is over: the next call is its module's first."""
        self._in_a_row.clear()
        self._around.clear()

    @property
    def has_heard_enough(self) -> bool:
        """Whether so many calls were heard that a loop would have been among them."""
        return self._calls >= MOST_CALLS


def _mixes(module: nn.Module) -> bool:
    """Whether it can carry memory: of PyTorch's own layers only those that are products."""
    is_product = isinstance(module, (nn.Linear, nn.Bilinear, nn.modules.conv._ConvNd))
    return is_product or not (_is_of_torch(module) or next(module.parameters(), None) is None)


def _is_of_torch(module: nn.Module) -> bool:
    return type(module).__module__.split(".")[0] == "torch"


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, (tuple, list)):
            yield from _tensors(value)
