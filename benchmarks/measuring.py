"""How everything here is measured: one thread, the worker's environment, turns that alternate, medians.

On a CPU seconds are those that this process had of its core (all of it runs in one thread), so that other programs of
a shared machine disturb little. On a CUDA device they are those of the clock on the wall.
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.workers.channel import ENVIRONMENT

CELLS = ("rnn", "gru", "lstm")


@dataclass(frozen=True)
class Settings:
    """How long to measure, and where the networks lie."""

    quick: bool = False
    device: str = "cpu"


def as_a_worker(module: str) -> None:
    """Start this module anew in the environment of a worker, if it is another; both sides of a ratio get it."""
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **ENVIRONMENT})


def prepare() -> None:
    """One thread, and numbers too small for float32 are 0, as in a worker."""
    import torch

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def clock(device: str) -> float:
    """Seconds, once the device has done what it was told."""
    if device != "cuda":
        return time.process_time()
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def seconds(act: Callable[[], Any], device: str) -> float:
    """How long it takes once."""
    began = clock(device)
    act()
    return clock(device) - began


def in_turns(sides: Sequence[Callable[[], Any]], device: str, budget: float, most: int = 200) -> list[list[float]]:
    """Seconds of each side, turn by turn: one call of every side after the other, at least 3 turns, then for `budget`
    seconds."""
    for side in sides:
        side()
    turns: list[list[float]] = []
    end = clock(device) + budget
    while len(turns) < 3 or (clock(device) < end and len(turns) < most):
        turns.append([seconds(side, device) for side in sides])
    return [list(column) for column in zip(*turns, strict=True)]


def ratios(of: Sequence[float], to: Sequence[float]) -> tuple[float, float, float]:
    """Median, lowest and highest of of / to, turn by turn."""
    quotients = [own / theirs for own, theirs in zip(of, to, strict=True)]
    return statistics.median(quotients), min(quotients), max(quotients)


def milliseconds(times: Sequence[float]) -> str:
    """The median."""
    return f"{1e3 * statistics.median(times):.1f}"


def head(title: str, *columns: str) -> None:
    """The beginning of a table in Markdown."""
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---:|' * len(columns)}", flush=True)


def row(*values: Any) -> None:
    """One row of it."""
    print(f"| {' | '.join(str(value) for value in values)} |", flush=True)
