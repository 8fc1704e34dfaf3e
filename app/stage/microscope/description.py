"""All that the browser needs to draw a cell, as JSON values. No torch."""

from __future__ import annotations

from functools import cache
from typing import Any

from app.stage.microscope.equations import back, lines, remark
from app.stage.microscope.wiring import wiring
from engine.cells import CELLS, Cell

FAMILY = ("rnn", "gru", "lstm")
"""How the wiring grew: the cells that the microscope can change into, to compare."""


def description(cell: Cell, nonlinearity: str) -> dict[str, Any]:
    """One cell: title, wiring, equations and what one step back multiplies by, in both kinds of names."""
    return {
        "title": cell.title,
        "memory": cell.states[-1],
        **wiring(cell, nonlinearity).as_json(),
        "names": [
            {
                "lines": lines(cell, nonlinearity, ng=ng),
                "back": back(cell, nonlinearity, ng=ng).line,
                "remark": remark(cell, ng=ng),
            }
            for ng in (False, True)
        ],
    }


@cache
def configuration(cell: Cell, nonlinearity: str) -> dict[str, Any]:
    """The run's own cell, and under "family" those to compare it with, in order; it is one of them or stands last."""
    family = [CELLS[name] for name in FAMILY]
    if cell not in family:
        family.append(cell)
    own = description(cell, nonlinearity)
    return {**own, "family": [own if each is cell else description(each, "tanh") for each in family]}
