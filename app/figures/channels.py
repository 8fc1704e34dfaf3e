"""Channels of the catalogue's numbers: the value, and beside it signs that say something of it.

Columns of somebody's own data may have any name, so there no name means a sign.
"""

from __future__ import annotations

from engine.experiment import Experiment

MARK, HIDDEN = "mark", "hidden"
"""Signs: this value is one of those that count; this value is not shown to the network."""


def sign(experiment: Experiment, name: str) -> int | None:
    """Return the number of the channel with this sign; None where there is none."""
    names = experiment.definition.input_labels
    return None if is_own(experiment) or name not in names else names.index(name)


def quantity(experiment: Experiment) -> str:
    """Return what the first channel measures; the catalogue says after a comma what else there is to know of it."""
    whole = experiment.definition.input_labels[0]
    return whole if is_own(experiment) else whole.split(",")[0]


def is_own(experiment: Experiment) -> bool:
    """Return True for somebody's own data."""
    return bool(experiment.task_options)  # which name the file; tasks of the catalogue have none
