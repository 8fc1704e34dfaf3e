"""The maps that were measured beforehand and come with the program: a sweep's definition and its rows each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from app.map.axes import Axis
from app.map.plan import MapPlan
from app.map.results import Results
from engine.sweeps import table
from engine.sweeps.definition import Definition, parse

FOLDER = Path(__file__).parents[2] / "presets" / "maps"


@dataclass(frozen=True)
class KeptMap:
    """A map that was measured beforehand.

    Args:
        slug: its name in links. title: a few words. text: what to look for.
        colour: the number that it is about, a name of `app.map.colours.COLOURS`.
    """

    slug: str
    title: str
    text: str
    colour: str
    plan: MapPlan


@lru_cache(maxsize=1)
def kept_maps() -> tuple[KeptMap, ...]:
    """All of them, in the order of their names."""
    return tuple(_kept(path) for path in sorted(FOLDER.glob("*.toml")) if path.with_suffix(".parquet").exists())


def kept_as(plan: MapPlan) -> KeptMap | None:
    """The one with this plan; None if there is none."""
    return next((each for each in kept_maps() if each.plan == plan), None)


@lru_cache(maxsize=2)
def results_of(slug: str) -> Results:
    """What was measured of one of them."""
    path = FOLDER / f"{slug}.toml"
    definition = parse(path.read_text(encoding="utf-8"))
    plan = plan_of(definition)
    number_of = {e: number for number, e in enumerate(plan.experiments)}
    rows = table.read(path.with_suffix(".parquet"), definition)
    results = Results(plan)
    results.add(row.measured(number_of[definition.experiments[row.number]]) for row in rows)
    return results


def plan_of(definition: Definition) -> MapPlan:
    """The plan of a sweep that says how it is drawn."""
    view, first = definition.map, definition.experiments[0]
    assert view is not None
    cells = definition.axes.get("cell", (first.cell,))
    x, y = (None if name is None else Axis(name, definition.axes[name]) for name in (view.x, view.y))
    assert x is not None
    return MapPlan(first, x, y, tuple(cells), len(definition.seeds), definition.updates)


def _kept(path: Path) -> KeptMap:
    definition = parse(path.read_text(encoding="utf-8"))
    view = definition.map
    assert view is not None
    return KeptMap(path.stem, view.title, view.text, view.colour, plan_of(definition))
