"""In the place of a worker, without torch: it sends every message back, and ends when it is told "end"."""

from __future__ import annotations

from typing import Any


def main(connection: Any) -> None:
    """Answer."""
    while (message := connection.recv()) != "end":
        connection.send(message)
