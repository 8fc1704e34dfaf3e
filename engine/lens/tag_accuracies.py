"""How often each tag is right, over the held-out words of somebody's own tagged sentences."""

from __future__ import annotations

import numpy as np
import torch

from engine.frame.readings import TagAccuracies
from engine.lens.forward_trace import ForwardTrace
from engine.lens.sweep import SweepResult
from engine.model import RecurrentNetwork
from engine.tasks import Batch, task_of

MOST_WORDS = 50_000
"""Of more held-out words evenly chosen sentences are read: a worker's other runs wait meanwhile."""


def seeds(trace: ForwardTrace) -> None:
    """Nothing is swept."""


def read(trace: ForwardTrace, swept: SweepResult | None) -> TagAccuracies | None:
    """Return the reading for a frame; None where the task tags no words."""
    model = trace.model
    task = task_of(model.experiment)
    if task.tag_test is None:
        return None
    words, right, usually = (np.zeros(task.output_size, np.int64) for _ in range(3))
    for batch, usual in task.tag_test(MOST_WORDS):
        tags = batch.targets[batch.mask]
        words += _count(tags, tags == tags, task.output_size)
        right += _count(tags, _answers(model, batch)[batch.mask] == tags, task.output_size)
        usually += _count(tags, usual[batch.mask] == tags, task.output_size)
    with np.errstate(invalid="ignore"):
        return TagAccuracies(words, right / words, usually / words)


def _count(tags: np.ndarray, kept: np.ndarray, classes: int) -> np.ndarray:
    """(classes,) how many of these tags there are of each, of those that are kept."""
    return np.bincount(tags[kept], minlength=classes)


@torch.no_grad()
def _answers(model: RecurrentNetwork, batch: Batch) -> np.ndarray:
    """(T, batch) the most probable tag of each word, in evaluation mode."""
    training = model.training
    model.eval()
    try:
        return model.predictions(model(batch), batch).argmax(-1)
    finally:
        model.train(training)
