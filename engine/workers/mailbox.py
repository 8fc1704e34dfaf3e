"""Messages between two threads, read like the end of a pipe. No torch."""

from __future__ import annotations

import contextlib
import queue
from typing import Any

END = object()


class Mailbox:
    """Messages for one reader, from any thread."""

    def __init__(self) -> None:
        self._messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._found: list[Any] = []  # what `poll` took from the queue, at most one

    def put(self, message: Any) -> None:
        """Add a message."""
        self._messages.put(message)

    def close(self) -> None:
        """After the messages so far there are no others."""
        self._messages.put(END)

    def poll(self, seconds: float | None = 0.0) -> bool:
        """True as soon as `recv` need not wait, False if it must after so many seconds; None: wait for ever."""
        if not self._found:
            with contextlib.suppress(queue.Empty):
                self._found.append(self._messages.get(timeout=seconds))
        return bool(self._found)

    def recv(self) -> Any:
        """Take the next message; waits until there is one.

        Raises:
            EOFError: if there are no others.
        """
        self.poll(None)
        if self._found[0] is END:
            raise EOFError
        return self._found.pop()

    def take_all(self) -> list[Any]:
        """Take all messages that are there; waits until there is one.

        Raises:
            EOFError: if there are no others.
        """
        messages = [self.recv()]
        while self.poll() and self._found[0] is not END:
            messages.append(self.recv())
        return messages
