"""The networks that a sweep's folder keeps, each as a checkpoint that a trainer, or the playground, goes on from."""

from __future__ import annotations

from pathlib import Path

from engine.experiment import Experiment
from engine.many.to_trainer import trainer_checkpoint
from engine.sweeps.journal import Journal, SweepError, read_plan


def kept_network(folder: Path, number: int) -> tuple[Experiment, bytes]:
    """The experiment of this number and the newest checkpoint of its network, for `Trainer.restore`.

    Raises:
        SweepError: if the folder keeps no sweep, or not this network.
    """
    plan = read_plan(folder)
    journal = Journal(folder, plan)
    for place, group in enumerate(journal.groups or ()):
        if number in group.numbers and (trained := journal.read(place)) is not None:
            e = plan.experiments[number]
            return e, trainer_checkpoint(e, trained.checkpoint, group.numbers.index(number))
    raise SweepError(f"{folder} keeps no network {number}.")
