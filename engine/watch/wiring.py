"""How the modules of a model are linked: where a call's initial state or its input comes from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from torch import Tensor

SEARCHED_NODES, LONGEST_WAY, TRIED_NODES = 200, 12, 50
"""How far the graph is searched for an earlier call."""
FRESH = frozenset({"zeros", "learned", "given", "computed"})
"""Kinds of links that do not lead to an earlier call."""
SAME = frozenset({"Unsqueeze", "Squeeze", "Clone", "Alias"})
"""Operations after which a state is still the same numbers in the same order."""


@dataclass
class Origin:
    """A call, as its marks name it. is_spent: a backward pass has gone through it."""

    module: str
    call: int
    is_spent: bool = False


class Mark(NamedTuple):
    """Left at the node of the graph that gave a call's result: "output", "h" or "c"."""

    origin: Origin
    result: str


@dataclass(frozen=True)
class Link:
    """Where a state or an input comes from.

    Args:
        kind: "call" (an earlier call that the lens has seen), "detached" (the last state of the same module, without
            its graph), "zeros", "learned" (a parameter), "given" (a constant) or "computed" (by anything else).
        module, call, result: for "call", of which module, the call's number, and "output", "h" or "c".
        through: the operations between, as autograd calls them.
        is_gone: a backward pass has gone through that call, and no second one can: its graph should have been cut.
    """

    kind: str
    module: str = ""
    call: int | None = None
    result: str = ""
    through: tuple[str, ...] = ()
    is_gone: bool = False

    @property
    def is_fresh(self) -> bool:
        """True if the call begins anew, as far as is known: no earlier call's state comes in, not even detached."""
        return self.kind in FRESH

    @property
    def is_whole(self) -> bool:
        """True if what arrives is that call's result itself, so that its gradient goes back unchanged."""
        return self.call is not None and set(self.through) <= SAME

    def __str__(self) -> str:
        if self.call is None:
            return {
                "detached": "its own last state, detached",
                "learned": "a learned state",
                "given": "given, without a graph",
            }.get(self.kind, self.kind)
        what = {"output": "the output", "h": "the last h", "c": "the last c"}[self.result]
        way = [each for each in self.through if each not in SAME]
        shown = way if len(way) <= 3 else [way[0], f"{len(way) - 2} more", way[-1]]
        return f"{what} of {self.module}" + (f" through {', '.join(shown)}" if shown else "")


def metadata_of(node: Any) -> dict[Any, Any]:
    """What was left at a node of the graph."""
    return node.metadata


def mark(tensor: Tensor, key: Any, value: Mark) -> None:
    """Leave a mark at the node that computed a tensor."""
    if tensor.grad_fn is not None:
        metadata_of(tensor.grad_fn)[key, tensor.output_nr] = value


def link_of_state(states: tuple[Tensor, ...], last: Tensor | None, key: Any) -> Link:
    """Where an initial state comes from.

    Args:
        states: (h,) or (h, c), as they were given; () if none was. last: the last h of the same module, detached, or
            None. key: of the lens's marks.
    """
    if not states:
        return Link("zeros")
    hidden = states[0]
    if hidden.grad_fn is not None:
        return link_to_call(hidden, key) or Link("learned" if is_one_leaf(hidden) else "computed")
    if hidden.requires_grad:
        return Link("learned")
    if last is not None and last.shape == hidden.shape and bool((last == hidden).all()) and bool(last.any()):
        return Link("detached")
    return Link("given" if bool(hidden.any()) else "zeros")


def is_one_leaf(tensor: Tensor) -> bool:
    """Whether a tensor is one parameter, only repeated, expanded or otherwise rearranged: nothing else is involved."""
    node = tensor.grad_fn
    for _ in range(LONGEST_WAY):
        if node is None or len(node.next_functions) != 1:
            break
        node = node.next_functions[0][0]
    return node is not None and node.name().endswith("AccumulateGrad")


def link_to_call(tensor: Tensor, key: Any) -> Link | None:
    """The nearest earlier call from whose results a tensor was computed, breadth first; None if there is none near."""
    waiting: list[tuple[Any, int, tuple[str, ...]]] = [(tensor.grad_fn, tensor.output_nr, ())]
    seen: set[tuple[Any, int]] = set()
    while waiting and len(seen) < SEARCHED_NODES:
        node, number, way = waiting.pop(0)
        if node is None or (node, number) in seen or len(way) > LONGEST_WAY:
            continue
        seen.add((node, number))
        if (found := metadata_of(node).get((key, number))) is not None:
            origin, result = found
            is_gone = origin.is_spent and not can_go_backward(tensor)
            return Link("call", origin.module, origin.call, result, way, is_gone)
        way = (*way, node.name().removesuffix("0").removesuffix("Backward"))
        waiting += [(earlier, at, way) for earlier, at in node.next_functions]
    return None


def can_go_backward(tensor: Tensor) -> bool:
    """Whether what the nodes nearby have saved is still there, and unchanged: not so after a backward pass."""
    waiting = [tensor.grad_fn]
    seen: set[Any] = set()
    while waiting and len(seen) < TRIED_NODES:
        node = waiting.pop(0)
        if node is None or node in seen:
            continue
        seen.add(node)
        try:
            for name in dir(node):
                if name.startswith("_saved_"):
                    getattr(node, name)
        except RuntimeError:
            return False
        waiting += [earlier for earlier, _ in node.next_functions]
    return True


def reaches(node: Any, target: Any, depth: int) -> bool:
    """Whether a node of the graph is found within `depth` steps back from another."""
    if node is None or depth < 0:
        return False
    return node is target or any(reaches(earlier, target, depth - 1) for earlier, _ in node.next_functions)


Arrived = Callable[[tuple[Tensor | None, ...]], None]


def on_gradient(tensors: dict[str, Tensor], arrived: Callable[[list[tuple[int, str]]], Arrived]) -> None:
    """Hook the nodes that computed some tensors, one hook a node.

    Args:
        tensors: by name. arrived: gets (number of the node's output, name) of all tensors of a node and makes its hook.
    """
    nodes: dict[Any, list[tuple[int, str]]] = {}
    for name, tensor in tensors.items():
        if tensor.grad_fn is not None:
            nodes.setdefault(tensor.grad_fn, []).append((tensor.output_nr, name))
    for node, names in nodes.items():
        node.register_prehook(arrived(names))
