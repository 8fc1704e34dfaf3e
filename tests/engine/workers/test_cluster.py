"""What is said where there is no cluster, and which pool the setting asks for. Without Ray."""

from __future__ import annotations

import signal
import sys
import types

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


def test_a_cluster_that_does_not_answer_is_named(ray):
    with pytest.raises(ClusterError, match=r"at 10\.0\.0\.1:6379\. Nobody is there"):
        connect("10.0.0.1:6379")
    assert ray.asked["address"] == "10.0.0.1:6379"
    assert ray.asked["runtime_env"]["env_vars"]["OMP_NUM_THREADS"] == "1"


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
