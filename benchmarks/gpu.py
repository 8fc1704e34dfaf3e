"""When a GPU pays: milliseconds of an update and of a frame, on one thread of the CPU and on the GPU.

CPU times are processor times of one thread. The last column says where `device = "auto"` would train.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.measuring import Settings, head, milliseconds, row, seconds
from engine.device import gpu_pays
from engine.experiment import Experiment, ExperimentError
from engine.training import Trainer

CELLS = ("rnn", "gru", "lstm", "gru_2014")
"""PyTorch's own, and one that runs step by step."""
WIDTHS, LENGTHS, BATCH = (32, 64, 256, 512), (40, 100, 200), 64
SLOW = 0.2  # seconds: what takes longer is measured once
TOO_LARGE = "-"


def tables(settings: Settings) -> None:
    """Print the table; without a GPU only the CPU's half."""
    head(
        f"When a GPU pays: ms per update and per frame (adding, B = {BATCH}; a frame has 16 sequences)",
        "cell", "H", "T", "update, CPU", "update, GPU", "frame, CPU", "frame, GPU", "auto takes",
    )  # fmt: skip
    turns = 5 if settings.quick else 9
    for cell in CELLS:
        for hidden_size in WIDTHS:
            for seq_len in LENGTHS[: 2 if cell == CELLS[-1] else None]:
                e = Experiment(task="adding", cell=cell, hidden_size=hidden_size, seq_len=seq_len, batch_size=BATCH,
                               device="auto")  # fmt: skip
                here = _measured(e, "cpu", turns)
                there = _measured(e, "cuda", turns) if settings.device == "cuda" else (TOO_LARGE,) * 2
                pairs = (time for pair in zip(here, there, strict=True) for time in pair)
                row(cell, hidden_size, seq_len, *pairs, "GPU" if gpu_pays(e) else "CPU")


def _measured(e: Experiment, device: str, turns: int) -> tuple[str, str]:
    """Medians of an update and of a frame in milliseconds, as text."""
    try:
        trainer = Trainer(e.replace(device=device))
    except ExperimentError:  # this device is not asked for so large an update
        return (TOO_LARGE,) * 2
    trainer.measure_held_out()
    update = _times(trainer.advance, device, turns)
    return milliseconds(update), milliseconds(_times(trainer.frame, device, turns))


def _times(act: Callable[[], Any], device: str, turns: int) -> list[float]:
    """Seconds of some calls after a first one that is not counted; of that one alone if it takes long."""
    first = seconds(act, device)
    if first > SLOW and device == "cpu":
        return [first]
    return [seconds(act, device) for _ in range(turns)]
