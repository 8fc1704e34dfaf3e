"""A Ray cluster, whose machines train in place of this one. No torch, and no Ray until a function is called."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from engine.package import IS_INSTALLED, TOP_FOLDER
from engine.workers.channel import ENVIRONMENT
from engine.workers.pool import Pool

KNOCK = 5.0  # seconds in which a cluster must accept a connection
INSTALL = f"python -m pip install {'rnn-playground[cluster]' if IS_INSTALLED else '-r requirements-cluster.txt'}"


class ClusterError(Exception):
    """No cluster can be used; the message says why."""


def connect(address: str) -> None:
    """Connect this process to a cluster, unless it is connected.

    The cluster is given a copy of `engine`: its machines need Python and the packages, but no copy of their own.

    Args:
        address: host:port of the cluster, or "auto" for the one that this machine belongs to.

    Raises:
        ClusterError: if Ray is not installed, or no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise ClusterError(f"A cluster needs Ray, which is not installed: {INSTALL}") from error
    if ray.is_initialized():
        return
    if address != "auto":
        _knock(address)
    everywhere = {"py_modules": [str(TOP_FOLDER)], "env_vars": ENVIRONMENT}
    try:
        with _own_sigterm():
            ray.init(address=address, runtime_env=everywhere, logging_level=logging.WARNING)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ClusterError(f"No Ray cluster can be used at {address}. {error}") from error


def _knock(address: str) -> None:
    """Find out at once whether anybody is there: Ray tries for minutes."""
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), KNOCK).close()
    except (OSError, OverflowError, ValueError) as error:
        raise ClusterError(f"No Ray cluster can be used at {address}. {error}") from error


@contextmanager
def _own_sigterm() -> Iterator[None]:
    """What this process does on SIGTERM stays as it is: Ray would end a server without its farewells."""
    if threading.current_thread() is not threading.main_thread():
        yield  # there nobody can change it, Ray neither
        return
    ours = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, ours)


def cluster_pool(address: str, workers: int | None = None) -> Pool:
    """A pool whose workers run on the machines of a cluster.

    Args:
        address: as in `connect`.
        workers: how many; None: one for each CPU that the cluster has now.

    Raises:
        ClusterError: as from `connect`.
    """
    connect(address)
    from engine.workers.ray_channel import RayChannel, cpus

    return Pool(workers or cpus(), RayChannel)
