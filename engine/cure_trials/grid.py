"""The settings on which cures are tried: a grid that holds many ways to fail, drawn by a seed. No torch."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import product
from typing import Any

from engine.experiment import Experiment

SEED = 2
UPDATES = 900
"""Updates of every run: enough for networks of this size to learn these tasks with usual settings. The held-out record
is measured at this step, so a verdict speaks of the network whose loss the table has."""
TASKS = {  # task: (RNN type, lengths)
    "adding": ("many_to_one", (10, 30)),
    "sine": ("many_to_many", (25, 50)),
    "first_symbol_recall": ("many_to_one", (10, 30)),
    "temporal_order": ("many_to_one", (12, 40)),
    "parity": ("many_to_many", (10, 20)),
    "copy": ("many_to_many", (12, 20)),
    "characters": ("many_to_many", (20, 40)),
    "sunspots": ("many_to_one", (25, 50)),
}
CELLS = ("rnn", "lstm", "gru")
RATES = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0)
OPTIMIZERS = ("sgd", "sgd", "momentum", "rmsprop", "adam", "adam")
"""To draw from: the two that people use most stand twice."""
CLIPPINGS: tuple[dict[str, Any], ...] = (
    {"clip": "none"},
    {"clip": "none"},
    {"clip_threshold": 1.0},
    {"clip_threshold": 0.01},
)
STARTS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"init": "orthogonal"},
    {"init": "identity", "nonlinearity": "relu"},
    {"init": "gaussian", "init_gain": 3.0},
    {"init": "gaussian", "init_gain": 0.3},
)
DRAWS = 2  # for each task, cell and rate


@dataclass(frozen=True)
class Trial:
    """Settings to be run, and cured if they fail. `held_back`: not looked at while the rules were tuned."""

    experiment: Experiment
    held_back: bool


def trials() -> list[Trial]:
    """All settings, each once; for half of the triples of task, cell and rate they are held back."""
    triples = list(product(TASKS, CELLS, RATES))
    held_back = set(random.Random(SEED).sample(triples, len(triples) // 2))
    return [Trial(_drawn(*triple, number), triple in held_back) for triple in triples for number in range(DRAWS)]


def _drawn(task: str, cell: str, rate: float, number: int) -> Experiment:
    """The settings of one triple, all others drawn."""
    draw = random.Random(f"{SEED} {task} {cell} {rate} {number}")
    rnn_type, lengths = TASKS[task]
    return Experiment(
        task=task, rnn_type=rnn_type, cell=cell, hidden_size=32, batch_size=32, learning_rate=rate,
        optimizer=draw.choice(OPTIMIZERS), seq_len=draw.choice(lengths), seed=draw.randrange(1000),
        **draw.choice(CLIPPINGS), **draw.choice(STARTS),
    )  # fmt: skip
