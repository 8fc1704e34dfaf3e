"""A Ray cluster of two nodes on this machine, for tests and measurements of what runs on other machines."""

from __future__ import annotations

import os
from typing import Any

STORE = 80 * 2**20  # bytes of shared memory for each node, the least that Ray accepts


class TwoNodes:
    """Two nodes with a CPU each, to which this process is connected. This process belongs to the first, which stays."""

    def __init__(self) -> None:
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        from ray.cluster_utils import Cluster

        from engine.workers.cluster import connect

        self._cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 1, "object_store_memory": STORE, "include_dashboard": False},
        )
        self.add_second()
        self.address: str = self._cluster.address
        connect(self.address)

    @property
    def second(self) -> str:
        """The id of the second node."""
        return self._second.node_id

    def kill_second(self) -> None:
        """End all processes of the second node at once, as if its power failed."""
        self._cluster.remove_node(self._second, allow_graceful=False)

    def add_second(self) -> None:
        """Start a second node."""
        self._second: Any = self._cluster.add_node(num_cpus=1, object_store_memory=STORE)
        self._cluster.wait_for_nodes()

    def shutdown(self) -> None:
        """End both nodes."""
        import ray

        ray.shutdown()
        self._cluster.shutdown()
