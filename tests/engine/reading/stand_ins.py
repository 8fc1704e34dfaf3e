"""Readers that do what a test needs, in the process of a reading."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import IO, Any

import numpy as np

from engine.data import DataError, Dataset
from tests.engine.own_data import series

Progress = Callable[[float, str], None]


def read(source: Any, kind: str | None, *, on_progress: Progress, **choices: Any) -> Dataset:
    """A dataset whose summary says what was to be read, and how."""
    files: list[IO[bytes]] = source if isinstance(source, list) else [source]
    said = {file.name: file.read() for file in files}
    on_progress(0.5, "Half of it is read.")
    made = series()
    summary = {"read": said, "kind": kind, "torch": "torch" in sys.modules, "pid": os.getpid()}
    return Dataset(made.kind, files[0].name, "", summary, (), choices, made.content)


def refuse(source: Any, kind: str | None, **_: Any) -> Dataset:
    raise DataError("Line 3 has 4 columns where 3 are expected.", 3, "price")


def fail(source: Any, kind: str | None, **_: Any) -> Dataset:
    raise KeyError("tokens")


def eat(source: Any, kind: str | None, **_: Any) -> Dataset:
    np.ones(2**32)
    raise AssertionError("there was more memory than allowed")


def end(source: Any, kind: str | None, **_: Any) -> Dataset:
    os._exit(7)


def sleep(source: Any, kind: str | None, *, on_progress: Progress, **_: Any) -> Dataset:
    on_progress(0.25, "A quarter is read.")
    signal.pause()
    raise AssertionError("nobody stopped it")
