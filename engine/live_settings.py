"""Which settings of a run can be changed while it goes on. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.experiment import LIVE_SETTINGS, Experiment, ExperimentError


def live_settings(experiment: Experiment) -> tuple[str, ...]:
    """LIVE_SETTINGS; but where a state is carried on, of as many sequences as a batch has, batch_size stays."""
    return tuple(name for name in LIVE_SETTINGS if not (experiment.carry_state and name == "batch_size"))


def check_live(experiment: Experiment, changes: Mapping[str, Any], accepts: str) -> None:
    """Check that changes of a run are changes of its `live_settings`; a value that it has anyway is none.

    Raises:
        ExperimentError: naming the first other one. accepts: what is said then, with {live} for those that can change.
    """
    live = live_settings(experiment)
    for name, value in changes.items():
        if name not in live and not (name in LIVE_SETTINGS and value == getattr(experiment, name)):
            raise ExperimentError(name, got=value, accepts=accepts.format(live=", ".join(live)))
