"""Small networks of every cell."""

from __future__ import annotations

from functools import cache
from typing import Any

from app.equations import formulas
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame
from engine.training import Trainer

KINDS = [
    (name, each)
    for name, cell in CELLS.items()
    for each in (formulas.ACTIVATIONS if cell.uses_nonlinearity else ["tanh"])
]
UNITS, STEPS = 3, 5


def small(cell: str, nonlinearity: str = "tanh", **changes: Any) -> Experiment:
    return Experiment(cell=cell, nonlinearity=nonlinearity, hidden_size=UNITS, seq_len=STEPS, batch_size=2, **changes)


@cache
def trained(experiment: Experiment) -> tuple[Trainer, Frame]:
    trainer = Trainer(experiment)
    trainer.advance()
    return trainer, trainer.frame()
