"""The maps that were measured beforehand and come with the program, as plans and results."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.map.axes import Axis
from app.map.plan import MapPlan
from app.map.results import Results
from engine.sweeps.definition import Definition
from engine.sweeps.saved_maps import SavedMap, saved_maps


@dataclass(frozen=True)
class KeptMap:
    """A map that was measured beforehand.

    Args:
        saved: its sweep and rows.
    """

    saved: SavedMap
    plan: MapPlan

    @property
    def slug(self) -> str:
        """Its name in links."""
        return self.saved.slug

    @property
    def title(self) -> str:
        """A few words."""
        return self.saved.view.title

    @property
    def text(self) -> str:
        """What to look for, in a sentence or two."""
        return self.saved.view.text

    @property
    def colour(self) -> str:
        """The number that it is about, a name of `app.map.colours.COLOURS`."""
        return self.saved.view.colour


@lru_cache(maxsize=1)
def kept_maps() -> tuple[KeptMap, ...]:
    """All of them, in the order of their names."""
    return tuple(KeptMap(saved, plan_of(saved.definition)) for saved in saved_maps())


def kept_as(plan: MapPlan) -> KeptMap | None:
    """The one with this plan; None if there is none."""
    return next((each for each in kept_maps() if each.plan == plan), None)


@lru_cache(maxsize=4)
def results_of(slug: str) -> Results:
    """What was measured of one of them."""
    kept = next(each for each in kept_maps() if each.slug == slug)
    number_of = {e: number for number, e in enumerate(kept.plan.experiments)}
    experiments = kept.saved.definition.experiments
    results = Results(kept.plan)
    results.add(row.measured(number_of[experiments[row.number]]) for row in kept.saved.rows)
    return results


def plan_of(definition: Definition) -> MapPlan:
    """The plan of a sweep that says how it is drawn."""
    view, first = definition.map, definition.experiments[0]
    assert view is not None
    y = None if view.y is None else Axis(view.y, definition.axes[view.y])
    cells = tuple(definition.axes.get("cell", (first.cell,)))
    return MapPlan(first, Axis(view.x, definition.axes[view.x]), y, cells, len(definition.seeds), definition.updates)
