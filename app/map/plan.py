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

    @staticmethod
    def _on(base: Experiment, axis: Axis | None) -> Axis | None:
        """The same axis, with usual values where the task does not accept its own."""
        if axis is None or axis.name != "seq_len":
            return axis
        lengths = base.definition.lengths
        fits = lengths.low <= axis.values[0] and axis.values[-1] <= lengths.high
        return axis if fits else Axis.usual(axis.name, base, len(axis.values))

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

EXAMPLES: dict[str, MapPlan] = {"Gain and length": WEDGE}
"""Maps that are worth a look."""


def to_link(plan: MapPlan) -> dict[str, str]:
    """The link of a map: what differs from WEDGE."""
    usual_settings = BASE.to_dict()
    link = {
        name: links.format_setting(now)
        for name, now in plan.base.to_dict().items()
        if name != "task_options" and now != usual_settings[name]
    }
    own = {
        "x": _axis_text(plan.x),
        "y": "none" if plan.y is None else _axis_text(plan.y),
        "cells": ".".join(plan.cells),
        "seeds": str(plan.seeds),
        "updates": str(plan.updates),
    }
    usual = {"x": _axis_text(WEDGE.x), "y": _axis_text(WEDGE.y), "cells": ".".join(WEDGE.cells),
             "seeds": str(WEDGE.seeds), "updates": str(WEDGE.updates)}  # fmt: skip
    return link | {name: value for name, value in own.items() if value != usual[name]}


def from_link(link: dict[str, str], refused: list[str]) -> MapPlan:
    """The map of a link.

    Args:
        link: the page's query.
        refused: gets a sentence for each part that was ignored.
    """
    settings = dict(link)
    own = {name: settings.pop(name) for name in ("x", "y", "cells", "seeds", "updates") if name in settings}
    problems: dict[str, str] = {}
    plan = WEDGE.with_base(links.apply_link(BASE, settings, problems))
    refused.extend(problems.values())
    for name, raw in own.items():
        try:
            plan = dataclasses.replace(plan, **{name: READ[name](raw)})
        except (ValueError, KeyError) as error:
            accepts = error.accepts if isinstance(error, ExperimentError) else FORMATS[name]
            refused.append(links.refusal(name, text.plain(raw), accepts, "the usual one"))
    return plan


def _axis_text(axis: Axis) -> str:
    return "~".join([axis.name, f"{axis.values[0]:g}", f"{axis.values[-1]:g}", str(len(axis.values))])


def _axis(raw: str) -> Axis:
    name, low, high, count = raw.split("~")
    if name not in KINDS:
        raise ValueError(name)
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
AXIS_FORMAT = f"a setting, two ends and a count, as in `init_gain~0.5~2~8`; the settings are {', '.join(KINDS)}"
FORMATS = {
    "x": AXIS_FORMAT,
    "y": f"none, or {AXIS_FORMAT}",
    "cells": "cells with dots between them, as in `rnn.lstm`",
    "seeds": f"a whole number from 1 to {MOST_SEEDS}",
    "updates": f"a whole number from 1 to {MOST_UPDATES:,}",
}
