"""A small map, and numbers for it that were not measured."""

from __future__ import annotations

from collections.abc import Callable

from app.map.axes import Axis
from app.map.plan import MapPlan
from engine.experiment import Experiment
from engine.many.measurement import Measurement

BASE = Experiment(task="first_symbol_recall", cell="rnn", hidden_size=4, seq_len=5, batch_size=4, init="orthogonal")
PLAN = MapPlan(BASE, Axis.of("init_gain", [0.5, 1.0, 2.0]), Axis.of("seq_len", [3, 6]), ("rnn", "gru"), 2, 40)
CURVE = MapPlan(BASE, Axis.of("seq_len", [3, 6, 9]), None, ("rnn", "gru"), 4, 40)


def measured(plan: MapPlan, step: int, loss: Callable[[int], float], metric: float = 0.5) -> list[Measurement]:
    """A measurement of every network; the ratio is a thousandth of its number."""
    return [
        Measurement(number, step, loss(number), metric, number / 1000, False, 0.1)
        for number in range(len(plan.experiments))
    ]
