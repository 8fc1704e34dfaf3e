"""The last looks as small numbers, and what happened first when a number stopped being finite."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from engine.number_format import count, short
from engine.watch.call import Call
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.modules import WatchedModule, flat_weights
from engine.watch.numbers import LookNumbers, ModuleNumbers, numbers_of

KEPT_LOOKS = 50
TOLD_RISES = 3
LOWER_RATE = "Clip the gradient (nn.utils.clip_grad_norm_) or lower the learning rate."


@dataclass(frozen=True)
class BlackBox:
    """The last looks of a training.

    Args:
        looks: at most 50, the oldest first. Once a number is not finite none is added.
        story: sentences on what came before that, in the order of time, and a cure; empty while all is finite.
    """

    looks: tuple[LookNumbers, ...] = ()
    story: tuple[str, ...] = ()

    @property
    def is_frozen(self) -> bool:
        """True once a number was not finite."""
        return bool(self.story)


class BlackBoxRecorder:
    """Fills a black box, look by look."""

    def __init__(self) -> None:
        self._looks: deque[LookNumbers] = deque(maxlen=KEPT_LOOKS)
        self._story: tuple[str, ...] = ()
        self._count = 0

    @torch.no_grad()
    def looked(
        self,
        backward_pass: int,
        calls: Sequence[Call],
        looks: Mapping[str, ModuleLook | LoopLook],
        loss: float | None,
        *,
        is_scaled: bool,
    ) -> None:
        """Add a look.

        Args:
            looks: the newest of every module, also those of earlier passes.
            loss: None if it is not known.
            is_scaled: a GradScaler is in use: it tries factors with which gradients become infinite, on purpose.
        """
        self._count += 1
        if self._story:
            return
        fresh = {name: look for name, look in looks.items() if look.flow.backward_pass == backward_pass}
        modules = numbers_of(calls, fresh)
        self._looks.append(LookNumbers(self._count, backward_pass, modules, loss))
        if (cause := _cause(modules, loss, is_scaled)) is not None:
            self._tell([*self._looks][:-1], _when([*self._looks]), *cause)

    def closed(self, modules: Iterable[WatchedModule]) -> None:
        """The lens is closed: look once more at the weights of the modules that are still there."""
        broken = next((watched.name for watched in modules if _has_broken_weights(watched)), None)
        if broken is not None and not self._story:
            since = f"after look {self._count}" if self._count else "before any look"
            self._tell([*self._looks], f"Somewhere {since} and before the end:", *_weights(broken))

    def _tell(self, before: Sequence[LookNumbers], when: str, what: str, cure: str) -> None:
        self._story = (*_rises(before), f"{when} {what}", cure)

    @property
    def value(self) -> BlackBox:
        """The box as it is now."""
        return BlackBox(tuple(self._looks), self._story)


def _has_broken_weights(watched: WatchedModule) -> bool:
    module = watched.module()
    return module is not None and not all(bool(torch.isfinite(weight).all()) for weight in flat_weights(module))


def _when(looks: Sequence[LookNumbers]) -> str:
    """Between which looks it began. What lies between them nobody saw."""
    now = looks[-1]
    if len(looks) == 1:
        return f"Look {now.number}, the first of all (backward pass {now.backward_pass}):"
    before = looks[-2]
    unseen = now.backward_pass - before.backward_pass - 1
    if not unseen:
        return f"Look {now.number} (backward pass {now.backward_pass}; the pass before it was still finite):"
    passes = "1 pass that was" if unseen == 1 else f"{unseen} passes that were"
    return (
        f"Between look {before.number} (backward pass {before.backward_pass}) and look {now.number} (backward pass "
        f"{now.backward_pass}), with {passes} not looked at:"
    )


def _cause(modules: Mapping[str, ModuleNumbers], loss: float | None, is_scaled: bool) -> tuple[str, str] | None:
    """What is not finite, and of that what the others come from; with a cure. None if all is finite."""
    for name, one in modules.items():
        if _is_bad(one.weight):
            return _weights(name)
    for name, one in modules.items():
        if _is_bad(one.inputs):
            return (
                f"the input of {name} is not finite: it comes so from the data, or from what stands before {name}.",
                "Check the data first: torch.isfinite(x).all().",
            )
        if _is_bad(one.initial):
            return (
                f"the initial state that {name} is given is not finite.",
                "A state carried on from a bad pass stays bad: start from zeros again after such a pass.",
            )
        if _is_bad(one.outputs, *(each for chain in one.chains for each in (chain.hidden, chain.cell))):
            return (
                f"the states of {name} are not finite, though its weights and its input are: they grew from step to "
                "step past what its numbers can hold.",
                "Use tanh in place of relu, or start with nn.init.orthogonal_(rnn.weight_hh_l0).",
            )
    if is_scaled:
        return None
    if _is_bad(loss):
        return (
            "the loss is not finite, though weights, inputs and states are: what computes it from them makes it so.",
            "Look there for log(0), 0 / 0, and exp of a large number.",
        )
    for name, one in reversed([*modules.items()]):
        if _is_bad(one.arrives):
            return (
                f"the gradient that comes back to {name} is not finite, though its states are: what reads {name}, or "
                "the loss, sends it so.",
                "Look for log(0), sqrt(0) and 0 / 0 in the loss.",
            )
        if _is_bad(*(each for chain in one.chains for each in (chain.first, chain.gradient))):
            other = ", or the loss of an earlier step sends it so" if one.calls != 1 else ""
            return (
                f"the gradient of {name} is finite at its last step, and not further back: on its way it grew past the "
                f"largest number there is{other}.",
                LOWER_RATE,
            )
        if _is_bad(one.weight_gradient):
            largest = max((chain.gradient for chain in one.chains), default=math.nan)
            further = f" The lens, which counts further, finds norms up to {short(largest)}."
            is_known = not math.isnan(largest)
            return f".grad of {name} is not finite, though its states are.{further * is_known}", LOWER_RATE
    return None


def _weights(name: str) -> tuple[str, str]:
    return f"the weights of {name} are not finite: an update made them so.", LOWER_RATE


def _is_bad(*values: float | None) -> bool:
    return any(value is not None and not math.isfinite(value) for value in values)


def _rises(looks: Sequence[LookNumbers]) -> tuple[str, ...]:
    """What rose in the looks before, the earliest first."""
    series: dict[Quantity, list[float]] = {}
    for look in looks:
        for name, one in look.modules.items():
            for quantity, value in _quantities(name, one):
                series.setdefault(quantity, []).append(value)
        if look.loss is not None:
            series.setdefault(LOSS, []).append(look.loss)
    found = []
    for quantity, values in series.items():
        if len(values) < len(looks) or len(values) < 2:
            continue
        usual = float(np.median(values[: (len(values) + 1) // 2]))
        limit = max(quantity.floor, quantity.factor * usual)
        above = next((k for k, value in enumerate(reversed(values)) if not value > limit), len(values))
        if above:
            ago = count(above, "look")
            last = short(values[-1])
            found.append((above, f"{ago} before, {quantity.what} passed {short(limit)}; in the last it was {last}."))
    return tuple(sentence for _, sentence in sorted(found, key=lambda rise: -rise[0])[:TOLD_RISES])


class Quantity(NamedTuple):
    """A size that is told of once it is above `floor` and above `factor` times what is usual."""

    what: str
    factor: float
    floor: float


def _quantities(name: str, one: ModuleNumbers) -> Iterator[tuple[Quantity, float]]:
    """The sizes of one module at one look, as far as they are known; causes before what they cause."""
    if one.weight is not None:
        yield Quantity(f"the largest weight of {name}", 10, 10.0), one.weight
    for chain in one.chains:
        where = name if len(one.chains) == 1 else f"{name}, layer {chain.layer}{' backwards' * chain.direction}"
        yield Quantity(f"|h| of {where}", 100, 1e3), chain.hidden
        if chain.cell is not None:
            yield Quantity(f"|c| of {where}", 100, 1e3), chain.cell
        yield Quantity(f"the norm of the gradient of {where}", 100, 0.0), chain.gradient
    if one.weight_gradient is not None:
        yield Quantity(f"the norm of .grad of {name}", 100, 0.0), one.weight_gradient


LOSS = Quantity("the loss", 10, 1.0)
