"""What is said where there is no cluster, and which pool the setting asks for. Without Ray."""

from __future__ import annotations

import re
import signal
import socket
import sys
import types
from collections.abc import Iterator

import pytest

from app.hub import Hub
from engine.workers.cluster import ClusterError, connect


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """In place of Ray: a module in which no cluster answers."""

    def init(**options: object) -> None:
        ray.asked = options
        raise ConnectionError("Nobody is there.")

    ray = types.SimpleNamespace(is_initialized=lambda: False, init=init)
    monkeypatch.setitem(sys.modules, "ray", ray)  # type: ignore[arg-type]
    return ray


def test_without_ray_a_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install -r requirements-cluster\.txt"):
        connect("auto")


@pytest.fixture
def port() -> Iterator[int]:
    """A port of this machine that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_cluster_that_does_not_answer_is_named(ray, port):
    with pytest.raises(ClusterError, match=rf"at 127\.0\.0\.1:{port}\. Nobody is there"):
        connect(f"127.0.0.1:{port}")
    assert ray.asked["address"] == f"127.0.0.1:{port}"
    assert ray.asked["runtime_env"]["env_vars"]["OMP_NUM_THREADS"] == "1"


def test_an_address_where_nobody_listens_is_refused_without_asking_ray(ray, port):
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    for address in (f"127.0.0.1:{closed}", "127.0.0.1", "127.0.0.1:70000", f"127.0.0.1:{port}x"):
        with pytest.raises(ClusterError, match=f"at {re.escape(address)}"):
            connect(address)
    assert not hasattr(ray, "asked")


def test_a_process_connects_once(ray):
    ray.is_initialized = lambda: True
    connect("auto")
    assert not hasattr(ray, "asked")


def test_sigterm_ends_a_server_as_it_did_before(ray):
    """Ray sets a handler of its own, which would leave the server's lifespan unfinished."""

    def init(**options: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    ray.init, before = init, signal.getsignal(signal.SIGTERM)
    connect("auto")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("workers", "asked"), [(None, None), ("3", 3)])
def test_the_setting_gives_a_hub_a_pool_on_the_cluster(monkeypatch, workers, asked):
    made = []
    monkeypatch.setattr("app.hub.cluster_pool", lambda *arguments: made.append(arguments))
    monkeypatch.setenv("PLAYGROUND_CLUSTER", "auto")
    monkeypatch.delenv("PLAYGROUND_WORKERS", raising=False)
    if workers:
        monkeypatch.setenv("PLAYGROUND_WORKERS", workers)
    Hub().pool()
    assert made == [("auto", asked)]
