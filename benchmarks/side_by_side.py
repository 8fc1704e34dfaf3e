"""Networks trained side by side against trainers of their own: network-updates per second."""

from __future__ import annotations

import statistics

from benchmarks.measuring import CELLS, Settings, head, in_turns, ratios, row
from engine.experiment import Experiment
from engine.many.batches import draw
from engine.many.many import Many
from engine.training import Trainer

NETWORKS = (1, 8, 16)  # one: what back-propagation written out would bring a trainer
ON_GPU = (512, 2048)
SHAPES = ((16, 12), (32, 40), (64, 100))
UPDATES = 2  # of a turn
UPDATES_ON_GPU = 20


def tables(settings: Settings) -> None:
    """Print the table of this device."""
    (_on_gpu if settings.device == "cuda" else _on_cpu)(settings)


def _on_cpu(settings: Settings) -> None:
    head(
        "Networks side by side: updates of single networks per second (first digit, B = 32, Adam, clip norm 1)",
        "H", "T", "cell", "networks", "seeds", "one trainer", "side by side", "times faster", "lowest", "highest",
    )  # fmt: skip
    for hidden_size, seq_len in SHAPES:
        for cell in CELLS:
            for networks in NETWORKS:
                for seeds in ("own", "shared") if networks > 1 else ("own",):
                    _row(settings, hidden_size, seq_len, cell, networks, seeds)


def _experiments(hidden_size: int, seq_len: int, cell: str, networks: int, device: str) -> list[Experiment]:
    """Networks of one seed, each with another gain."""
    base = Experiment(task="first_symbol_recall", cell=cell, hidden_size=hidden_size, seq_len=seq_len, batch_size=32,
                      init="orthogonal", device=device)  # fmt: skip
    return [base.replace(init_gain=0.8 + 0.4 * number / networks) for number in range(networks)]


def _row(settings: Settings, hidden_size: int, seq_len: int, cell: str, networks: int, seeds: str) -> None:
    experiments = _experiments(hidden_size, seq_len, cell, networks, "cpu")
    if seeds == "own":
        experiments = [e.replace(seed=seed) for seed, e in enumerate(experiments)]
    many, trainer = Many(experiments), Trainer(experiments[0])
    sides = [lambda side=side: [side.advance() for _ in range(UPDATES)] for side in (trainer, many)]
    budget = 0.5 if settings.quick else 2
    alone, beside = in_turns(sides, "cpu", budget)
    middle, low, high = (networks * ratio for ratio in ratios(alone, beside))
    speeds = (UPDATES / statistics.median(alone), networks * UPDATES / statistics.median(beside))
    row(hidden_size, seq_len, cell, networks, seeds, *(f"{speed:,.0f}" for speed in speeds),
        *(f"{ratio:.1f}" for ratio in (middle, low, high)))  # fmt: skip


def _on_gpu(settings: Settings) -> None:
    head(
        "Networks of one seed side by side on a GPU: updates of single networks per second (first digit, B = 32)",
        "H", "T", "cell", "networks", "one trainer, CPU", "without a graph", "with its batches", "updates alone",
    )  # fmt: skip
    for hidden_size, seq_len in SHAPES:
        for cell in CELLS:
            for networks in ON_GPU:
                _row_on_gpu(settings, hidden_size, seq_len, cell, networks)


def _row_on_gpu(settings: Settings, hidden_size: int, seq_len: int, cell: str, networks: int) -> None:
    experiments = _experiments(hidden_size, seq_len, cell, networks, "cuda")
    many, trainer = Many(experiments), Trainer(experiments[0].replace(device="cpu"))
    weights = many.networks.weights
    batch = draw(experiments, 1, weights.dtype).on(weights.device)
    for _ in range(2):
        many.advance()  # the second is recorded

    sides = (trainer.advance, lambda: many.update(batch), many.advance, lambda: many.make_update(batch))
    budget = 0.3 if settings.quick else 2
    times = in_turns([lambda side=side: [side() for _ in range(UPDATES_ON_GPU)] for side in sides], "cuda", budget)
    trained = (1, networks, networks, networks)
    speeds = [UPDATES_ON_GPU * number / statistics.median(turns) for number, turns in zip(trained, times, strict=True)]
    row(hidden_size, seq_len, cell, networks, *(f"{speed:,.0f}" for speed in speeds))
