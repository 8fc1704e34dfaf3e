"""Whether networks are trained faster side by side or each by its own trainer: measured, not guessed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from functools import lru_cache

import torch

from engine.experiment import Experiment
from engine.many.alike import can_be_beside, shape_of
from engine.many.many import Many
from engine.many.threads import one_thread
from engine.training import Trainer
from engine.training.gpu import on_this_machine

TURNS, NOT_TIMED = 3, 2
"""Updates that are timed of either kind, in alternation, and those before them: the first allocates memory, the second
records a GPU's graph."""


def pays(experiments: Sequence[Experiment]) -> bool:
    """True if these networks, of one shape, are trained faster side by side. Measured once for each shape and number,
    and for lengths up to the same power of two.

    The time of separate trainers is that of the first one, times the number of networks. Networks of one seed share
    their batches, so the measurement is made with the experiments as they are.
    """
    if len(experiments) == 1 or can_be_beside(experiments[0]):
        return False
    return _pays(_Group(experiments))


class _Group:
    """Experiments that count as the same if nothing differs between them that takes time."""

    def __init__(self, experiments: Sequence[Experiment]) -> None:
        self.experiments = experiments
        first = experiments[0]
        alike = first.replace(seq_len=min(_power(first.seq_len), first.definition.lengths.high))
        self._key = (shape_of(alike), len(experiments), len({e.seed for e in experiments}))

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Group) and self._key == other._key


def _power(length: int) -> int:
    """The smallest power of two that is not below a length."""
    return 1 << (length - 1).bit_length()


@lru_cache(maxsize=256)
def _pays(group: _Group) -> bool:
    with one_thread():
        experiments = [on_this_machine(e) for e in group.experiments]
        beside, alone = Many(experiments), Trainer(experiments[0])
        clock = _clock(experiments[0].device)
        sides = (beside.advance, alone.advance)
        turns = [tuple(_seconds(side, clock) for side in sides) for _ in range(NOT_TIMED + TURNS)][NOT_TIMED:]
    return statistics.median(together / one for together, one in turns) < len(group.experiments)


def _clock(device: str) -> Callable[[], float]:
    """Seconds: of the processor, which other programs disturb little; of a GPU, once it has done all it was told."""
    if device == "cpu":
        return time.process_time

    def clock() -> float:
        torch.cuda.synchronize()
        return time.perf_counter()

    return clock


def _seconds(act: Callable[[], object], clock: Callable[[], float]) -> float:
    began = clock()
    act()
    return clock() - began
