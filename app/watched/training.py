"""A training of somebody else's model, as it is recorded: what of it is kept, laid on one time axis per module."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from app.figures import Curves
from engine.frame import Chain, Look
from engine.recording import RecordingError
from engine.recording.growing import Follower, RecordedLook, RecordedModule
from engine.recording.growing.axis import longer, on_axis
from engine.recording.history import SnapshotStore, ratios, size_of

MOST_LOOKS, MOST_BYTES = 600, 128 * 2**20
"""So many looks are kept, the first and the newest always, the others evenly thinned."""
READ_EVERY = 0.1  # seconds between two looks at the file
MOST_ROWS = 120  # of the heat map over training


class Axis:
    """The time axis on which all looks at one module are laid: as long as the longest that was seen.

    A look at another network under the same name, as after the model was built anew, begins a new axis.
    """

    def __init__(self) -> None:
        self.chain: Chain | None = None

    def add(self, chain: Chain) -> bool:
        """Make room for a look. True if what is drawn before any numbers has changed."""
        before = self.chain
        if before is None or _network(before) != _network(chain):
            self.chain = chain
        elif chain != before:
            self.chain = _covering(before, chain)
        return self.chain != before

    def fits(self, chain: Chain) -> bool:
        """True for a look at the network that is shown now."""
        return self.chain is not None and _network(self.chain) == _network(chain)


def _network(chain: Chain) -> tuple[object, ...]:
    """What is the same in all looks at one network."""
    return chain.cell, chain.nonlinearity, chain.num_layers, chain.directions, chain.hidden_size, chain.input_size


def _covering(one: Chain, other: Chain) -> Chain:
    """A chain in which every step is real that is so in one of the two; what they do not share is left out."""
    steps = max(one.time_steps, other.time_steps)
    both = [longer(each, steps) for each in (one, other)]
    valid, counted = (
        tuple(map(any, zip(*(getattr(chain, name) for chain in both), strict=True))) for name in ("valid", "counted")
    )
    alike = {name: getattr(other, name) for name in ("cuts", "entering") if getattr(one, name) == getattr(other, name)}
    unlike = {"cuts": (), "entering": ()} | alike
    return dataclasses.replace(both[1], valid=valid, counted=counted, **unlike)


@dataclass(frozen=True, eq=False)
class Shown:
    """One look at one module, ready to be drawn.

    Args:
        recorded: the whole look, with what was said. module: of it.
        chain, look: on the axis that all looks share. axis: that axis, for what is drawn before any numbers.
        kept: the numbers of the backward passes to choose from.
    """

    recorded: RecordedLook
    module: RecordedModule
    chain: Chain
    look: Look
    axis: Chain
    kept: tuple[int, ...]


class WatchedTraining:
    """What a server keeps of one recording, finished or growing.

    Args:
        name: of its file. follower: of a file that grows; None for one that is complete.
        looks: those of a complete one.
        clock: seconds.

    Attributes:
        problem: why the file cannot be read; "" if it can. newest: the last entry of the file.
        is_inconsistent: a look could not be drawn, because its numbers do not fit together.
    """

    def __init__(
        self, name: str, follower: Follower | None, looks: Sequence[RecordedLook] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.name, self._follower, self._clock = name, follower, clock
        self.problem = ""
        self._due, self._read_at = -math.inf, clock()
        self._begin()
        for look in looks:
            self._add(look)

    def _begin(self) -> None:
        self.newest: RecordedLook | None = None
        self.is_inconsistent = False
        self.axes: dict[str, Axis] = {}
        self._looks = SnapshotStore[RecordedLook](MOST_LOOKS, MOST_BYTES, _size)

    def _add(self, look: RecordedLook) -> None:
        self.newest = look
        if look.modules:
            self._looks.add(look.step, look)
        for module in look.modules:
            self.axes.setdefault(module.name, Axis()).add(module.chain)

    @property
    def is_followed(self) -> bool:
        """True for a file that is read again and again."""
        return self._follower is not None

    @property
    def grows(self) -> bool:
        """True while more may come."""
        return self._follower is not None and not (self.newest is not None and self.newest.is_last)

    @property
    def silent_for(self) -> float:
        """Seconds since something new was read; since it was opened, if nothing was."""
        return self._clock() - self._read_at

    def refresh(self) -> None:
        """Read what is new in the file, if there is one; at most every READ_EVERY seconds."""
        now = self._clock()
        if self._follower is None or now < self._due:
            return
        self._due = now + READ_EVERY
        try:
            news = self._follower.news()
        except (RecordingError, OSError) as error:
            self.problem = str(error)
            return
        self.problem = ""
        if news.is_anew:
            self._begin()
        for look in news.looks:
            self._add(look)
        if news.looks:
            self._read_at = now

    def modules(self) -> tuple[str, ...]:
        """The names of all modules that were measured, in the order in which they were first."""
        return tuple(self.axes)

    def shown(self, name: str, at: int | None) -> Shown | None:
        """A look at a module; None if there is none yet.

        Args:
            name: of the module; the first one if there is none of this name.
            at: the backward pass; the nearest one before is taken. None for the newest.
        """
        name = name if name in self.axes else next(iter(self.axes), "")
        having = self._having(name)
        if not having:
            return None
        recorded, module = max((each for each in having if at is None or each[0].step <= at), default=having[0],
                               key=lambda each: each[0].step)  # fmt: skip
        axis = self.axes[name].chain
        assert axis is not None
        chain, look = on_axis(module.chain, module.look, axis.time_steps)
        return Shown(recorded, module, chain, look, axis, tuple(each.step for each, _ in having))

    def curves(self, shown: Shown) -> Curves:
        """What figures over training draw of a module, up to the look that is shown."""
        past = [each for each in self._having(shown.module.name) if each[0].step <= shown.recorded.step]
        rows = [past[k] for k in np.unique(np.linspace(0, len(past) - 1, MOST_ROWS).round().astype(int))]
        steps = np.array([recorded.step for recorded, _ in rows])
        norms = np.stack([_norms(module, shown.axis.time_steps)[shown.chain.shown_chain] for _, module in rows])
        none = np.zeros(0, [("step", np.int64)])
        return Curves(none, none, waterfall=(steps, norms), ratios=ratios(module.look for _, module in past))

    def _having(self, name: str) -> list[tuple[RecordedLook, RecordedModule]]:
        """The kept looks at a module's present network."""
        axis = self.axes.get(name, Axis())
        found = [(look, look.module(name)) for _, look in self._looks.all()]
        return [(look, module) for look, module in found if module is not None and axis.fits(module.chain)]


def _norms(module: RecordedModule, steps: int) -> np.ndarray:
    """(layers, directions, steps), as `engine.recording.history.Waterfall` keeps them."""
    look = module.look
    norms = look.grad_norm_memory if module.chain.same_lengths else look.sequence_grad_norm_memory
    added = ((0, 0), (0, 0), (0, steps - norms.shape[-1]))
    return np.pad(np.where(look.valid, norms, np.nan), added, constant_values=np.nan)


def _size(look: RecordedLook) -> int:
    return sum(size_of(module.look) for module in look.modules)
