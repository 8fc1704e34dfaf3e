"""Which of somebody's own data a worker process has: each is sent once, and forgotten with the last that uses it."""

from __future__ import annotations

from collections.abc import Iterable

from engine.data import Dataset
from engine.workers.protocol import Bring, Forget


class BroughtData:
    """The datasets of one worker process, and the keys of the runs and measurements that use each."""

    def __init__(self) -> None:
        self._users: dict[str, set[int]] = {}  # by the key of the dataset

    def use(self, key: int, datasets: Iterable[Dataset]) -> list[Bring]:
        """Note that a run or a measurement uses these. Returns what has to be sent before it."""
        messages = []
        for dataset in datasets:
            if dataset.key not in self._users:
                messages.append(Bring(dataset.key, dataset))
            self._users.setdefault(dataset.key, set()).add(key)
        return messages

    def release(self, key: int) -> list[Forget]:
        """Note that a run or a measurement is over. Returns what has to be sent after that."""
        for users in self._users.values():
            users.discard(key)
        unused = [name for name, users in self._users.items() if not users]
        for name in unused:
            del self._users[name]
        return [Forget(name) for name in unused]

    def clear(self) -> None:
        """A new process has none."""
        self._users.clear()
