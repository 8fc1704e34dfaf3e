"""How a sweep is drawn as a map, and what is seen there: the tables [map] and [[claims]] of its file. No torch.

[map]
title = "Gain and length"
text = "The wedge closes with the length."      # one or two sentences: what to look for
x = "init_gain"                                 # an axis of the sweep, to the right
y = "seq_len"                                   # another one, upwards; left out: a curve of the success against x
colour = "solved"                               # one of COLOURS

[[claims]]
says = "Up to 10 symbols every gain will do."
measure = "success"                             # a name of MEASURES in engine/sweeps/map_claims.py
where = { cell = "gru", seq_len = { from = 2, to = 10 } }   # of these axes, only these values
ratio = { from = 0.01, to = 10.0 }              # of the gradient before training: only networks with such a one
above = 0.9                                     # or below, or both; the value lies strictly between
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.experiment import ExperimentError
from engine.sweeps.checks import ANYTHING, a_list, a_number, a_table, a_text, known_keys, one_of
from engine.sweeps.map_claims import MEASURES, MapClaim

COLOURS = ("solved", "loss", "ratio")
"""What a point of a map shows: the share of networks that have solved the task, their held-out loss, or their ratio."""
PANELS = "cell"
"""The axis that has a panel, or a line, for each value."""
MAP_KEYS = ("title", "text", "x", "y", "colour")
CLAIM_KEYS = ("says", "measure", "where", "ratio", "above", "below")
BOUNDS = {"above": -math.inf, "below": math.inf}


@dataclass(frozen=True)
class MapView:
    """How a sweep is drawn.

    Args:
        title: a few words. text: one or two sentences, what to look for.
        x: the axis to the right. y: the axis upwards; None for a curve of the share of networks that have solved the
            task, against x. If PANELS is another axis, it has a panel, or a line, for each value.
        colour: one of COLOURS.
        claims: what is seen.
    """

    title: str
    text: str
    x: str
    y: str | None
    colour: str
    claims: tuple[MapClaim, ...]


def parse_map(file: Mapping[str, Any], axes: Mapping[str, tuple]) -> MapView | None:
    """Read how a sweep is drawn; None if its file does not say.

    Args:
        file: the whole file. axes: {name: values} of the sweep.

    Raises:
        ExperimentError: for anything that is wrong, with the name of the field and what it accepts.
    """
    if "map" not in file:
        if "claims" in file:
            raise ExperimentError("claims", got=file["claims"], accepts="left out where there is no [map]")
        return None
    table = a_table("map", file["map"], ", ".join(MAP_KEYS))
    known_keys(table, MAP_KEYS, "map.")
    numbers = [name for name, values in axes.items() if all(map(ANYTHING.holds, values))]
    x = one_of("map.x", table.get("x"), numbers)
    y = one_of("map.y", table["y"], [name for name in numbers if name != x]) if "y" in table else None
    if undrawn := sorted(set(axes) - {x, y, PANELS}):
        raise ExperimentError("axes", got=undrawn, accepts=f"such that each is map.x, map.y or {PANELS}")
    return MapView(
        title=a_text("map.title", table.get("title")),
        text=a_text("map.text", table.get("text")),
        x=x,
        y=y,
        colour=one_of("map.colour", table.get("colour"), COLOURS if y else COLOURS[:1]),
        claims=tuple(_claim(each, axes) for each in a_list("claims", file["claims"])) if "claims" in file else (),
    )


def _claim(given: Any, axes: Mapping[str, tuple]) -> MapClaim:
    table = a_table("claims", given, ", ".join(CLAIM_KEYS))
    known_keys(table, CLAIM_KEYS, "claims.")
    bounds = {name: float(a_number(f"claims.{name}", table[name], ANYTHING)) for name in BOUNDS if name in table}
    if not bounds:
        raise ExperimentError("claims", got=given, accepts=f"with {' or '.join(BOUNDS)}")
    where = a_table("claims.where", table.get("where", {}), "names of axes")
    return MapClaim(
        says=a_text("claims.says", table.get("says")),
        measure=one_of("claims.measure", table.get("measure"), MEASURES),
        where={name: _values(f"claims.where.{name}", chosen, axes.get(name, ())) for name, chosen in where.items()},
        ratio=_span("claims.ratio", table["ratio"]) if "ratio" in table else None,
        **{**BOUNDS, **bounds},
    )


def _values(field: str, chosen: Any, values: tuple) -> tuple:
    """The values of an axis that are equal to the chosen one, or within the chosen span, both ends included."""
    if isinstance(chosen, dict):
        low, high = _span(field, chosen)
        found = tuple(each for each in values if ANYTHING.holds(each) and low <= each <= high)
    else:
        found = tuple(each for each in values if each == chosen)
    if not found:
        accepts = f"one of the axis's values ({', '.join(map(str, values)) or 'it is no axis'}), or a span of them"
        raise ExperimentError(field, got=chosen, accepts=accepts)
    return found


def _span(field: str, given: Any) -> tuple[float, float]:
    """Both ends of a span of numbers."""
    if not isinstance(given, dict) or set(given) != {"from", "to"}:
        raise ExperimentError(field, got=given, accepts="a span, as { from = 0.5, to = 2.0 }")
    low, high = (a_number(f"{field}.{end}", given[end], ANYTHING) for end in ("from", "to"))
    return low, high
