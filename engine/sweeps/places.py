"""The places where a person can have a sweep trained. No torch."""

from __future__ import annotations

import os

from engine.experiment import ExperimentError
from engine.sweeps.local import Local
from engine.sweeps.place import Place
from engine.workers.cluster import connect

PLACES = ("local", "ray")


def place_named(name: str, most: int | None = None) -> Place:
    """Where a sweep is trained.

    Args:
        name: of PLACES; "ray" is the cluster that PLAYGROUND_CLUSTER names, or that this machine belongs to.
        most: stretches that are trained at once; None: 2 on this machine, on a cluster as many as there are CPUs free.

    Raises:
        ExperimentError: for a number below 1.
        ClusterError: if there is no such cluster.
    """
    if most is not None and most < 1:
        raise ExperimentError("--workers", got=most, accepts="a whole number of at least 1")
    if name == "local":
        return Local(most or 2)
    connect(os.environ.get("PLAYGROUND_CLUSTER", "auto"))
    from engine.sweeps.ray_tasks import RayTasks

    return RayTasks(most)
