"""What a map shows: two axes, the cells side by side, the seeds, and the settings that all its networks have."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from app import links, text
from app.map.axes import KINDS, Axis
from engine.cells import CELLS
from engine.experiment import Experiment, ExperimentError

DEFAULT_CELLS = ("rnn", "gru", "lstm")
MOST_CELLS, MOST_SEEDS, MOST_NETWORKS, MOST_UPDATES = 3, 16, 3072, 5000
COUNT = 16  # values of an axis, if nothing else is said
MEASUREMENTS = 10  # of each network, besides that of the start
BASE = Experiment(
    task="first_symbol_recall", cell="rnn", hidden_size=16, seq_len=20, batch_size=32, init="orthogonal", clip="norm"
)


INSTEAD = ("learning_rate", "hidden_size")
"""What takes the place of the length, where the data have but one."""


@dataclass(frozen=True)
class MapPlan:
    """A map.

    Args:
        base: the settings that all networks have, but for what varies.
        x, y: the axes; y is None for a curve over x alone.
        cells: one panel each.
        seeds: networks at each point.
        updates: of each network.

    Raises:
        ExperimentError: for a combination that is no experiment, or more networks than are allowed.
    """

    base: Experiment
    x: Axis
    y: Axis | None
    cells: tuple[str, ...] = DEFAULT_CELLS
    seeds: int = 1
    updates: int = 500

    def __post_init__(self) -> None:
        if self.y is not None and self.y.name == self.x.name:
            raise ExperimentError("y axis", got=self.y.title, accepts="another setting than the x axis")
        for name, value, most in (("seeds", self.seeds, MOST_SEEDS), ("updates", self.updates, MOST_UPDATES)):
            if not 1 <= value <= most:
                raise ExperimentError(name, got=value, accepts=f"a whole number from 1 to {most:,}")
        if not 1 <= len(self.cells) <= MOST_CELLS:
            raise ExperimentError("cells", got=len(self.cells), accepts=f"one to {MOST_CELLS} cells")
        if (networks := int(np.prod(self.shape))) > MOST_NETWORKS:
            accepts = f"such that there are at most {MOST_NETWORKS:,}: fewer values, cells or seeds"
            raise ExperimentError("networks", got=f"{networks:,}", accepts=accepts)
        _ = self.experiments

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """How many cells, values of y, values of x, and seeds there are."""
        return len(self.cells), len(self.y.values) if self.y else 1, len(self.x.values), self.seeds

    @cached_property
    def experiments(self) -> tuple[Experiment, ...]:
        """Every network: cell by cell, then by y, by x and by seed, which varies fastest."""
        return tuple(
            self.base.replace(cell=cell, seed=self.base.seed + seed, **{**above, self.x.name: x})
            for cell in self.cells
            for above in self._rows
            for x in self.x.values
            for seed in range(self.seeds)
        )

    @property
    def _rows(self) -> list[dict[str, Any]]:
        """The settings of each row, from the bottom up."""
        return [{}] if self.y is None else [{self.y.name: value} for value in self.y.values]

    @property
    def quick(self) -> MapPlan:
        """The same map with one seed and at most as many updates as WEDGE has: soon there."""
        return dataclasses.replace(self, seeds=1 if self.y else self.seeds, updates=min(self.updates, WEDGE.updates))

    def number(self, cell: int, y: int, x: int) -> int:
        """The number of the first network at a point; those of the other seeds follow."""
        return int(np.ravel_multi_index((cell, y, x, 0), self.shape))

    def change(self, **settings: Any) -> MapPlan:
        """Change settings that all networks have.

        Raises:
            ExperimentError: if a network does not support them.
        """
        return dataclasses.replace(self, base=self.base.replace(**settings))

    def on(self, task: str) -> MapPlan:
        """The same map on another task, with lengths that it accepts."""
        return self.with_base(links.apply_link(self.base, {"task": task}, {}))

    def with_base(self, base: Experiment) -> MapPlan:
        """The same map of other networks; axes get their usual values where these do not accept their own."""
        axes = {name: self._on(base, axis) for name, axis in (("x", self.x), ("y", self.y))}
        return dataclasses.replace(self, base=base, **axes)

    def along(self, which: str, name: str | None) -> MapPlan:
        """Put another setting, with its usual values, on the axis "x" or "y"; None on y for a curve."""
        other = {"x": self.y, "y": self.x}[which]
        if other is not None and other.name == name:
            return dataclasses.replace(self, x=self.y, y=self.x)  # type: ignore[arg-type]  # both are axes then
        return dataclasses.replace(self, **{which: None if name is None else Axis.usual(name, self.base, COUNT)})

    def _on(self, base: Experiment, axis: Axis | None) -> Axis | None:
        """The same axis, with usual values where the task does not accept its own; another one where it has none."""
        if axis is None or axis.name != "seq_len":
            return axis
        lengths = base.definition.lengths
        if lengths.low <= axis.values[0] and axis.values[-1] <= lengths.high:
            return axis
        if lengths.low >= min(lengths.high, KINDS["seq_len"].high):  # data of one length
            taken = {each.name for each in (self.x, self.y) if each is not None}
            return Axis.usual(next(name for name in INSTEAD if name not in taken), base, len(axis.values))
        return Axis.usual(axis.name, base, len(axis.values))

    @property
    def measure_every(self) -> int:
        """Updates between two measurements."""
        return max(1, self.updates // MEASUREMENTS)

    def varying(self, number: int) -> dict[str, Any]:
        """What sets a network apart from the others of its panel, besides its seed."""
        names = [self.x.name, *([self.y.name] if self.y else [])]
        return {name: getattr(self.experiments[number], name) for name in names}


WEDGE = MapPlan(BASE, Axis.usual("init_gain", BASE, COUNT), Axis.usual("seq_len", BASE, COUNT))
"""The first map: how strong the recurrent weights are at the start, against how far back the answer lies."""


OF_A_MAP = {"x", "y", "cells", "seeds", "updates"}
"""What a link says of a map, beside the settings of its networks."""


def to_link(plan: MapPlan) -> dict[str, str]:
    """The link of a map: the settings of its networks that differ from those of WEDGE, its axes, and the rest."""
    usual_settings = BASE.to_dict()
    link = {
        name: links.format_setting(now)
        for name, now in plan.base.to_dict().items()
        if name != "task_options" and now != usual_settings[name]
    }
    return link | {
        "x": _axis_text(plan.x),
        "y": "none" if plan.y is None else _axis_text(plan.y),
        "cells": ".".join(plan.cells),
        "seeds": str(plan.seeds),
        "updates": str(plan.updates),
    }


def is_link(link: dict[str, str]) -> bool:
    """True if a link asks for a map, and not for a network alone."""
    return bool(OF_A_MAP & set(link))


def from_link(link: dict[str, str], refused: list[str]) -> MapPlan:
    """The map of a link.

    Args:
        link: the page's query.
        refused: gets a sentence for each part that was ignored.
    """
    settings = dict(link)
    own = {name: settings.pop(name) for name in sorted(OF_A_MAP) if name in settings}
    problems: dict[str, str] = {}
    plan = WEDGE.with_base(links.apply_link(BASE, settings, problems))
    refused.extend(problems.values())
    read: dict[str, Any] = {}
    for name, raw in own.items():
        try:
            read[name] = READ[name](raw)
        except ExperimentError as error:
            refused.append(_refusal(name, raw, error.accepts))
        except ValueError:
            refused.append(_refusal(name, raw, FORMATS[name]))
    while True:
        try:
            return dataclasses.replace(plan, **read)
        except ExperimentError as error:
            name = error.field if error.field in read else list(read)[-1]
            refused.append(_refusal(name, own[name], error.accepts))
            del read[name]


def _refusal(name: str, raw: str, accepts: str) -> str:
    return links.refusal(name, text.plain(raw), accepts, "the usual one")


def _axis_text(axis: Axis) -> str:
    """Ends and count of an axis if they say all, else every value."""
    spread = Axis.spread(axis.name, axis.values[0], axis.values[-1], len(axis.values))
    if spread == axis:
        return "~".join([axis.name, f"{axis.values[0]:g}", f"{axis.values[-1]:g}", str(len(axis.values))])
    return f"{axis.name}~{'_'.join(f'{value:g}' for value in axis.values)}"


def _axis(raw: str) -> Axis:
    name, *numbers = raw.split("~")
    if name not in KINDS:
        raise ValueError(name)
    if len(numbers) == 1:
        return Axis.of(name, [float(value) for value in numbers[0].split("_")])
    low, high, count = numbers
    return Axis.spread(name, float(low), float(high), int(count))


def _cells(raw: str) -> tuple[str, ...]:
    cells = tuple(raw.split("."))
    if not set(cells) <= set(CELLS):
        raise ValueError(raw)
    return cells


READ = {
    "x": _axis,
    "y": lambda raw: None if raw == "none" else _axis(raw),
    "cells": _cells,
    "seeds": int,
    "updates": int,
}
AXIS_FORMAT = (
    "a setting, two ends and a count, as in `init_gain~0.5~2~8`, or its values, as in `seq_len~4_8_16`; the settings "
    f"are {', '.join(KINDS)}"
)
FORMATS = {
    "x": AXIS_FORMAT,
    "y": f"none, or {AXIS_FORMAT}",
    "cells": "cells with dots between them, as in `rnn.lstm`",
    "seeds": f"a whole number from 1 to {MOST_SEEDS}",
    "updates": f"a whole number from 1 to {MOST_UPDATES:,}",
}
