"""The catalogue of tasks: data, baselines, what each teaches. NumPy and pandas, no torch.

Adding a task is one `Task` in a family's file and one entry here; tests that loop over TASKS find it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.tasks.base import NO_SYMBOL, Batch, Lengths, Metric, Task
from engine.tasks.series import STOCKS
from engine.tasks.synthetic import ADDING, FIRST_SYMBOL_RECALL
from engine.tasks.text import CHARACTERS

if TYPE_CHECKING:
    from engine.experiment import Experiment

__all__ = ["NO_SYMBOL", "TASKS", "Batch", "Lengths", "Metric", "Task", "sample"]

TASKS: dict[str, Task] = {task.slug: task for task in (FIRST_SYMBOL_RECALL, ADDING, CHARACTERS, STOCKS)}
SPLITS = ("train", "test")


def sample(experiment: Experiment, batch_size: int, seed: int | tuple[int, ...], split: str = "train") -> Batch:
    """Deal a batch that depends on the experiment's data settings, the seed and the split alone.

    Args:
        seed: non-negative; a tuple gives independent streams, as (experiment.seed, step).
        split: "train" or "test"; the two never share a sequence of real data.
    """
    parts = seed if isinstance(seed, tuple) else (seed,)
    rng = np.random.default_rng([*parts, SPLITS.index(split)])
    return TASKS[experiment.task].draw(rng, experiment, batch_size, split)
