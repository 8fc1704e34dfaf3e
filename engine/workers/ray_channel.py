"""A worker in an actor of a Ray cluster: the same loop and the same messages as in a process of this machine. No torch.

The messages of the pool are calls of the actor; those of the worker come back as one stream, which ends with the actor.
Both cross as pickled bytes, as over a pipe: arrays that Ray unpickled itself would stay in its shared memory.
"""

from __future__ import annotations

import importlib
import logging
import os
import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ray

from engine.workers.mailbox import Mailbox

CPUS = 0.5
"""What a worker reserves. With a worker for each CPU half of the cluster stays free: for workers of lost machines, and
for sweeps."""
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Whereabouts:
    """Where a worker runs; the first message of every worker.

    Args:
        node: the id of the Ray node.
        host: the machine's address.
        pid: the process id there.
    """

    node: str
    host: str
    pid: int


class WorkerEnd:
    """The worker's end of the connection, as `engine.workers.worker.PoolConnection` describes it."""

    def __init__(self) -> None:
        self.inbox, self.outbox = Mailbox(), Mailbox()
        self.poll, self.send = self.inbox.poll, self.outbox.put

    def recv(self) -> Any:
        """Receive the next message. One that cannot be read ends the loop, as everything that it cannot do."""
        return pickle.loads(self.inbox.recv())


class WorkerActor:
    """The loop of a worker in a thread of its own, and the methods that carry messages to it and from it.

    Args:
        module: what runs in it; its `main` is called with the worker's end of the connection.
    """

    def __init__(self, module: str) -> None:
        self._end = WorkerEnd()
        threading.Thread(target=self._work, args=(module,), daemon=True, name="worker").start()

    def _work(self, module: str) -> None:
        """Run the loop; when it ends, whatever the reason, so does the process, and the pool notices."""
        try:
            importlib.import_module(module).main(self._end)
        except BaseException:
            LOG.exception("the worker has ended")
        finally:
            os._exit(1)

    @ray.method(concurrency_group="in")
    def receive(self, packed: bytes) -> None:
        """Take a message of the pool."""
        self._end.inbox.put(packed)

    @ray.method(concurrency_group="out", num_returns="streaming")
    def messages(self) -> Iterator[bytes]:
        """The worker's messages, several at once if they have waited."""
        context = ray.get_runtime_context()
        yield pickle.dumps([Whereabouts(context.get_node_id(), ray.util.get_node_ip_address(), os.getpid())])
        while True:
            yield pickle.dumps(self._end.outbox.take_all())


ACTOR: Any = ray.remote(
    num_cpus=CPUS,
    max_restarts=0,
    max_task_retries=0,
    concurrency_groups={"in": 1, "out": 1},
    allow_out_of_order_execution=False,  # a large message must not be overtaken by a small one that was sent later
)(WorkerActor)


class RayChannel:
    """A worker on whichever machine of the connected cluster has room; see `engine.workers.channel.Channel`.

    Args:
        module: what runs in it, as of `WorkerActor`.
    """

    def __init__(self, module: str = "engine.workers.worker") -> None:
        self._actor = ACTOR.remote(module)
        self._inbox = Mailbox()
        self._ended, self._ending = threading.Event(), "killed"
        self.where: Whereabouts | None = None
        threading.Thread(target=self._listen, daemon=True, name="ray-channel").start()

    @property
    def name(self) -> str:
        """What the worker is, for the log."""
        return f"process {self.where.pid} on {self.where.host}" if self.where else "an actor that has not started"

    def send(self, message: object) -> None:
        """Send a message; does not wait."""
        if self._ended.is_set():
            raise EOFError
        self._actor.receive.remote(pickle.dumps(message))

    def poll(self, seconds: float) -> bool:
        """True as soon as a message can be received, False if there is none after so many seconds."""
        return self._inbox.poll(seconds)

    def recv(self) -> Any:
        """Receive the next message; blocks until there is one."""
        return self._inbox.recv()

    def processor_seconds(self) -> None:
        """Not known: it may be on another machine."""

    def kill(self) -> None:
        """End the worker at once. Nothing that it still says is received, be its machine reachable or not."""
        ray.kill(self._actor)
        self._end("killed")

    def wait(self, seconds: float | None = None) -> str:
        """Block until the worker has ended. Returns how it ended."""
        self._ended.wait(seconds)
        return self._ending

    def _listen(self) -> None:
        """Receive messages until the stream ends, which it does when the actor has died or cannot be reached."""
        ending = "an error"
        try:
            for reference in self._actor.messages.remote():
                for message in pickle.loads(ray.get(reference)):
                    self._receive(message)
        except ray.exceptions.RayError as error:
            ending = type(error).__name__
        finally:
            self._end(ending)
            ray.kill(self._actor)  # if it is alive and cannot be reached, it must not train beside its replacement

    def _receive(self, message: Any) -> None:
        if isinstance(message, Whereabouts):
            self.where = message
        elif not self._ended.is_set():
            self._inbox.put(message)

    def _end(self, ending: str) -> None:
        """The worker has ended, or is taken to have ended; only the first reason counts."""
        if not self._ended.is_set():
            self._ending = ending
            self._ended.set()
            self._inbox.close()


def cpus() -> int:
    """How many CPUs the machines of the connected cluster have together, at least 1."""
    return max(1, int(ray.cluster_resources().get("CPU", 1)))
