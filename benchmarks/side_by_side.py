"""Networks trained side by side against trainers of their own: network-updates per second."""

from __future__ import annotations

import statistics

from benchmarks.measuring import CELLS, Settings, head, in_turns, ratios, row
from engine.experiment import Experiment
from engine.many.many import Many
from engine.training import Trainer

NETWORKS = (1, 8, 16)  # one: what back-propagation written out would bring a trainer
SHAPES = ((16, 12), (32, 40), (64, 100))
UPDATES = 2  # of a turn


def tables(settings: Settings) -> None:
    """Print the table."""
    head(
        "Networks side by side: updates of single networks per second (first digit, B = 32, Adam, clip norm 1)",
        "H", "T", "cell", "networks", "seeds", "one trainer", "side by side", "times faster", "lowest", "highest",
    )  # fmt: skip
    for hidden_size, seq_len in SHAPES:
        for cell in CELLS:
            for networks in NETWORKS:
                for seeds in ("own", "shared") if networks > 1 else ("own",):
                    _row(settings, hidden_size, seq_len, cell, networks, seeds)


def _row(settings: Settings, hidden_size: int, seq_len: int, cell: str, networks: int, seeds: str) -> None:
    base = Experiment(task="first_symbol_recall", cell=cell, hidden_size=hidden_size, seq_len=seq_len, batch_size=32,
                      init="orthogonal", device=settings.device)  # fmt: skip
    experiments = [
        base.replace(init_gain=0.8 + 0.02 * number, seed=number if seeds == "own" else 0) for number in range(networks)
    ]
    many, trainer = Many(experiments), Trainer(experiments[0])
    sides = [lambda side=side: [side.advance() for _ in range(UPDATES)] for side in (trainer, many)]
    budget = 0.5 if settings.quick else 2
    alone, beside = in_turns(sides, settings.device, budget)
    middle, low, high = (networks * ratio for ratio in ratios(alone, beside))
    speeds = (UPDATES / statistics.median(alone), networks * UPDATES / statistics.median(beside))
    row(hidden_size, seq_len, cell, networks, seeds, *(f"{speed:,.0f}" for speed in speeds),
        *(f"{ratio:.1f}" for ratio in (middle, low, high)))  # fmt: skip
