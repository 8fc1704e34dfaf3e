"""The races of the page "Compare" on this server."""

from __future__ import annotations

from app.hub import HUB
from app.race.registry import RaceRegistry

RACES = RaceRegistry(HUB.pool)
