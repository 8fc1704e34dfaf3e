"""A process that trains stretches: `python -m engine.sweeps.worker <fd>`. It ends when nobody is there to answer to."""

from __future__ import annotations

import contextlib
import sys
from multiprocessing.connection import Connection

from engine.many.stretch import Failed, Stretch, Trained
from engine.many.threads import use_one_thread
from engine.many.training import train


def outcome_of(stretch: Stretch) -> Trained | Failed:
    """Train, and turn every error into a sentence."""
    try:
        return train(stretch)
    except Exception as error:
        return Failed(f"{type(error).__name__}: {error}")


def main(connection: Connection) -> None:
    """Train one stretch after the other."""
    use_one_thread()
    with contextlib.suppress(EOFError, OSError):
        while True:
            connection.send(outcome_of(connection.recv()))


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])))
