"""How to measure: one thread, the environment of a worker, alternating turns, medians.

On a CPU, seconds are the CPU time of this process, which has one thread, so other programs on a shared machine disturb
little. On a CUDA device they are wall-clock time.
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
    """How long to measure, and on which device."""

    quick: bool = False
    device: str = "cpu"


def as_a_worker(module: str) -> None:
    """Restart this module in the environment of a worker unless it has that already; both sides of a ratio use it."""
    if any(os.environ.get(name) != value for name, value in ENVIRONMENT.items()):
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **ENVIRONMENT})


def prepare(device: str) -> None:
    """Use one thread and flush denormal numbers to 0, as in a worker; on a GPU full float32, as in a run of ours."""
    import torch

    from engine.training.gpu import use_full_float32

    if device == "cuda":
        use_full_float32()

    torch.set_num_threads(1)
    torch.set_flush_denormal(True)


def clock(device: str) -> float:
    """Current time in seconds, after waiting for the device to finish its work."""
    if device != "cuda":
        return time.process_time()
    import torch

    torch.cuda.synchronize()
    return time.perf_counter()


def seconds(act: Callable[[], Any], device: str) -> float:
    """Seconds that one call takes."""
    began = clock(device)
    act()
    return clock(device) - began


def in_turns(sides: Sequence[Callable[[], Any]], device: str, budget: float, max_turns: int = 200) -> list[list[float]]:
    """Measure several functions in alternation: in each turn every one is called once.

    There are at least 3 turns and at most `max_turns`; no turn begins after `budget` seconds otherwise.

    Returns:
        For each function the seconds of each turn.
    """
    for side in sides:
        side()
    turns: list[list[float]] = []
    end = clock(device) + budget
    while len(turns) < 3 or (clock(device) < end and len(turns) < max_turns):
        turns.append([seconds(side, device) for side in sides])
    return [list(column) for column in zip(*turns, strict=True)]


def ratios(of: Sequence[float], to: Sequence[float]) -> tuple[float, float, float]:
    """Median, minimum and maximum of the ratios `of` / `to`, turn by turn."""
    quotients = [numerator / denominator for numerator, denominator in zip(of, to, strict=True)]
    return statistics.median(quotients), min(quotients), max(quotients)


def milliseconds(times: Sequence[float]) -> str:
    """The median in milliseconds, as text."""
    return f"{1e3 * statistics.median(times):.1f}"


def head(title: str, *columns: str) -> None:
    """Print the head of a table in Markdown."""
    print(f"\n### {title}\n\n| {' | '.join(columns)} |\n|{'---:|' * len(columns)}", flush=True)


def row(*values: Any) -> None:
    """Print one row of a table."""
    print(f"| {' | '.join(str(value) for value in values)} |", flush=True)
