"""The maps that come with the program: in `presets/maps/` a sweep's definition, and beside it the table of its rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from engine.preset import FOLDER
from engine.sweeps import table
from engine.sweeps.definition import Definition, parse
from engine.sweeps.map_view import MapView
from engine.sweeps.row import Row
from engine.sweeps.success import Outcome, outcomes

MAPS = FOLDER / "maps"


@dataclass(frozen=True, eq=False)
class SavedMap:
    """A map with its rows.

    Args:
        slug: the name of its files. definition: of its sweep. view: how it is drawn.
    """

    slug: str
    definition: Definition
    view: MapView

    @property
    def rows(self) -> tuple[Row, ...]:
        """Its rows; see `engine.sweeps.table.read`."""
        return _rows(self)

    @property
    def networks(self) -> list[Outcome]:
        """What became of each network."""
        return outcomes(self.definition.experiments, self.rows)


@cache
def saved_maps() -> tuple[SavedMap, ...]:
    """All maps, by slug."""
    return tuple(_load(path.stem) for path in sorted(MAPS.glob("*.toml")))


def _load(slug: str) -> SavedMap:
    definition = parse((MAPS / f"{slug}.toml").read_text(encoding="utf-8"))
    assert definition.map is not None, slug
    return SavedMap(slug, definition, definition.map)


@cache
def _rows(saved: SavedMap) -> tuple[Row, ...]:
    return tuple(table.read(MAPS / f"{saved.slug}.parquet", saved.definition))
