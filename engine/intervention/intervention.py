"""What can be changed in a network while it reads the drawn sequence: five kinds of interventions. No torch.

An intervention changes the network, or one number that it reads, and not the question: weights, targets and the steps
that have a loss stay. Where several say something of the same value, the last of them counts. `t` is a position on the
time axis, also in the reverse direction and in a decoder.
"""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.cells import Cell
from engine.frame.chain import Chain
from engine.frame.run_info import RunInfo
from engine.limits import Range
from engine.number_format import short

NUMBERS = Range(-1e6, 1e6)
"""What a state, an input, or a gate without limits can be set to."""
LIMITS = {"sigmoid": Range(0, 1), "tanh": Range(-1, 1)}
"""Of a gate, by the function that makes it."""


class InterventionError(ValueError):
    """An intervention that cannot be made; the message names the field, what it got and what is accepted."""


@dataclass(frozen=True, kw_only=True)
class OfChain:
    """What all changes in one layer and direction have.

    Args:
        layer: from 0, the lowest. direction: 0 forwards, 1 backwards.
    """

    kind: ClassVar[str]
    layer: int
    direction: int = 0

    def check(self, chain: Chain) -> None:
        """See `Intervention`."""
        require_within(self.kind, "layer", self.layer, Range(0, chain.num_layers - 1, whole=True))
        require_within(self.kind, "direction", self.direction, Range(0, chain.directions - 1, whole=True))

    @property
    def place(self) -> str:
        """The layer in words, counted from 1 as on the screen."""
        return f"layer {self.layer + 1}{', backwards' if self.direction else ''}"


@dataclass(frozen=True, kw_only=True)
class HoldGate(OfChain):
    """Hold a gate at a value in all units: 0 is shut, 1 open. Nothing passes back through what it would have been.

    Args:
        gate: its name, one of `Chain.gates`. The new content counts as one.
        value: between the limits of `gate_limits`.
        t: the step; None for all steps.
    """

    kind: ClassVar[str] = "hold_gate"
    gate: str
    value: float
    t: int | None = None

    def check(self, chain: Chain) -> None:
        """See `Intervention`."""
        super().check(chain)
        if not chain.gates:
            raise InterventionError(f"{self.kind} needs a cell that has gates, but {chain.cell_title} has none.")
        require_one_of(self.kind, "gate", self.gate, chain.gates)
        require_within(self.kind, "value", self.value, gate_limits(chain.cell_kind, self.gate))
        if self.t is not None:
            require_step(self.kind, self.t, real_steps(chain, self.direction), "null for all steps, or ")

    def __str__(self) -> str:
        how = {0.0: "shut", 1.0: "open"}.get(self.value) if self.gate.endswith("gate") else None
        return f"{self.gate.replace('_', ' ')} held {how or f'at {short(self.value)}'}, {self.place}, {_at(self.t)}"


@dataclass(frozen=True, kw_only=True)
class ZeroUnit(OfChain):
    """Set a unit to zero at all steps: its h, and its c where the cell has one.

    c as well, because other units may read it beside h: in a layer normalisation of c they do.

    Args:
        unit: from 0.
    """

    kind: ClassVar[str] = "zero_unit"
    unit: int

    def check(self, chain: Chain) -> None:
        """See `Intervention`."""
        super().check(chain)
        require_within(self.kind, "unit", self.unit, Range(0, chain.hidden_size - 1, whole=True))

    def __str__(self) -> str:
        return f"unit {self.unit} set to zero, {self.place}, all steps"


@dataclass(frozen=True, kw_only=True)
class SetState(OfChain):
    """Set one unit of one state at one step. What the step goes on to make of it follows: h of an LSTM from its c.

    Args:
        unit: from 0. value: any number from -1e6 to 1e6. state: "h", or "c" where the cell has one.
    """

    kind: ClassVar[str] = "set_state"
    t: int
    unit: int
    value: float
    state: str = "h"

    def check(self, chain: Chain) -> None:
        """See `Intervention`."""
        super().check(chain)
        require_step(self.kind, self.t, real_steps(chain, self.direction))
        require_within(self.kind, "unit", self.unit, Range(0, chain.hidden_size - 1, whole=True))
        require_one_of(self.kind, "state", self.state, chain.cell_kind.states)
        require_within(self.kind, "value", self.value, NUMBERS)

    def __str__(self) -> str:
        return f"{self.state} of unit {self.unit} set to {short(self.value)}, {self.place}, {_at(self.t)}"


@dataclass(frozen=True, kw_only=True)
class CutLink(OfChain):
    """Cut the link in time before a step: it reads states of 0, and no gradient goes back across.

    Args:
        t: the step that reads nothing. Its direction's first one reads nothing anyway; a decoder's first step reads
            the encoder's end.
    """

    kind: ClassVar[str] = "cut_link"
    t: int

    def check(self, chain: Chain) -> None:
        """See `Intervention`."""
        super().check(chain)
        if not chain.has_links:
            raise InterventionError(f"{self.kind} needs a cell with a link in time, but {chain.cell_title} has none.")
        steps = real_steps(chain, self.direction)
        later = steps[:-1] if self.direction else steps[1:]
        if not later:
            raise InterventionError(f"{self.kind} needs a sequence of at least two steps, but this one has one.")
        require_step(self.kind, self.t, later)

    def __str__(self) -> str:
        return f"link cut before t = {self.t}, {self.place}"


@dataclass(frozen=True, kw_only=True)
class SetInput:
    """Set one number that the first layer reads, where inputs are values. (Symbols are typed instead.)

    Args:
        t: a step whose input comes from outside; of a network that is fed back its output, the first.
        channel: from 0. value: any number from -1e6 to 1e6.
    """

    kind: ClassVar[str] = "set_input"
    t: int
    value: float
    channel: int = 0

    def check(self, chain: Chain) -> None:
        """See `Intervention`."""
        if not isinstance(chain, RunInfo) or chain.inputs != "values":
            raise InterventionError(f"{self.kind} needs a network that reads numbers; this one reads symbols.")
        steps = [t for t in real_steps(chain) if t < (chain.encoder_steps or chain.time_steps)]
        fed_back = chain.is_autoregressive and not chain.encoder_steps
        require_step(self.kind, self.t, steps[:1] if fed_back else steps)
        require_within(self.kind, "channel", self.channel, Range(0, len(chain.input_labels) - 1, whole=True))
        require_within(self.kind, "value", self.value, NUMBERS)

    def __str__(self) -> str:
        return f"input {self.channel} set to {short(self.value)}, {_at(self.t)}"


Intervention = HoldGate | ZeroUnit | SetState | CutLink | SetInput
"""One change. `kind` names it in JSON; `check(chain)` raises an InterventionError if this network does not have what it
names, where `chain` describes the network on the sequence that it reads; `str` says it in a few words."""

KINDS: dict[str, type[Intervention]] = {
    each.kind: each for each in (HoldGate, ZeroUnit, SetState, CutLink, SetInput)
}  # fmt: skip


def gate_limits(cell: Cell, gate: str) -> Range:
    """What a gate can be held at: 0 to 1, or -1 to 1 where a tanh makes it; one without a function has no limits."""
    made_by = cell.structure.values[cell.letters[cell.gates.index(gate)]].made_by
    return LIMITS.get(made_by, NUMBERS)


def real_steps(chain: Chain, direction: int = 0) -> list[int]:
    """Positions on the time axis that this direction has and that are not padding."""
    return [t for t, is_real in enumerate(chain.is_real(direction)) if is_real]


def require_within(kind: str, field: str, value: object, limits: Range) -> None:
    """Raise an InterventionError unless the number lies within the limits."""
    if not limits.holds(value):
        only = f"{limits.low:g}, the only one" if limits.whole and limits.low == limits.high else str(limits)
        raise refused(kind, field, value, only)


def require_one_of(kind: str, field: str, value: object, names: Collection[str]) -> None:
    """Raise an InterventionError unless it is one of these names."""
    if not isinstance(value, str) or value not in names:
        raise refused(kind, field, value, " or ".join(names))


def require_step(kind: str, t: object, steps: Sequence[int], besides: str = "") -> None:
    """Raise an InterventionError unless t is one of these steps."""
    if type(t) is not int or t not in steps:
        only = f"{steps[0]}, the only one" if len(steps) == 1 else f"one of the steps {_spans(steps)}"
        raise refused(kind, "t", t, besides + only)


def refused(kind: str, field: str, got: object, accepts: str) -> InterventionError:
    """The error of one field."""
    return InterventionError(f"{field} of {kind} must be {accepts}, but got {reprlib.repr(got)}.")


def _spans(steps: Sequence[int]) -> str:
    """Ascending steps in words: "0 to 4, 7 to 9"."""
    firsts = [t for t in steps if t - 1 not in steps]
    lasts = [t for t in steps if t + 1 not in steps]
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in zip(firsts, lasts, strict=True))


def _at(t: int | None) -> str:
    return "all steps" if t is None else f"t = {t}"
