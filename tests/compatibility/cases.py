"""What is stored for compatibility, where it lies, and how a stored value is measured anew.

Everything in `data/` was written by an older version of this program and is never overwritten: recordings, links,
scripts, weights, and a table of numbers of every task, RNN type and cell. `write.py` adds to it.
"""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from engine.diagnosis import diagnose
from engine.experiment import Changes, Experiment
from engine.frame import Frame
from engine.training import Trainer

DATA = Path(__file__).parent / "data"
LINKS, FRAMES = DATA / "links.json", DATA / "frames.csv"

TASK_COLUMNS = ("task", "rnn_type", "cell", "seq_len")
TEXT_COLUMNS = ("verdict",)
NUMBER_COLUMNS = ("probe_loss", "ratio", "grad_norm_first", "grad_norm_last")
READ_ELSEWHERE = ("stocks", "digits_by_pixel")
"""Tasks whose first inputs are the same in every sequence: the ratio and the verdict are now read at a later step."""
COLUMNS = (*TASK_COLUMNS, "step", *TEXT_COLUMNS, *NUMBER_COLUMNS)

SMALL = {"hidden_size": 8, "batch_size": 4, "optimizer": "sgd", "learning_rate": 0.1}
"""Of every network in the table. Plain gradient descent: Adam would divide rounding errors by their own size."""
UPDATES = 2


def table_rows(task: str, rnn_type: str, cell: str, seq_len: int) -> list[dict[str, Any]]:
    """Train one small network; return its rows of the table, before the first update and after the last."""
    trainer = Trainer(Experiment(task=task, rnn_type=rnn_type, cell=cell, seq_len=seq_len, **SMALL))
    rows = []
    for step in (0, UPDATES):
        while trainer.step < step:
            trainer.advance()
        frame = trainer.frame()
        # When the table was written, the ratio of the very frame decided.
        older = dataclasses.replace(frame, held_out_band=-1, held_out_gradient=math.nan)
        rows.append({
            "task": task, "rnn_type": rnn_type, "cell": cell, "seq_len": seq_len, "step": step,
            "verdict": diagnose(trainer.info, older).kind,
            "probe_loss": frame.probe_loss,
            "ratio": float(frame.ratio.max()),
            "grad_norm_first": float(frame.grad_norm[-1, 0, 0]),
            "grad_norm_last": float(frame.grad_norm[-1, 0, -1]),
        })  # fmt: skip
    return rows


def stored_rows() -> dict[tuple[str, str, str, int], list[dict[str, Any]]]:
    """Return the table as it was stored, by task, RNN type, cell and length."""
    rows: dict[tuple[str, str, str, int], list[dict[str, Any]]] = {}
    with FRAMES.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key = (row["task"], row["rnn_type"], row["cell"], int(row["seq_len"]))
            numbers = {name: float(row[name]) for name in NUMBER_COLUMNS}
            rows.setdefault(key, []).append({**row, "seq_len": key[3], "step": int(row["step"]), **numbers})
    return rows


def recorded_frames(experiment: Experiment, changes: Changes, wanted: dict[int, tuple[str, ...]]) -> list[Frame]:
    """Train from the start, with live changes; return the frames of some steps.

    Args:
        wanted: {step: on-demand readings}, steps rising.
    """
    trainer, frames = Trainer(experiment), []
    for step, readings in wanted.items():
        while trainer.step < step:
            for changed_at, settings in changes:
                if changed_at == trainer.step:
                    trainer.update(**settings)
            trainer.advance()
        frames.append(trainer.frame(readings))
    return frames


def printed_losses(text: str) -> np.ndarray:
    """Read what a script prints: (updates, 3), the step, the loss and the norm of the gradient."""
    heading, *lines = text.splitlines()
    assert heading == "step, loss, gradient norm"
    return np.array([[float(each) for each in line.split(",")] for line in lines])


def read_changes(stored: list[list[Any]]) -> Changes:
    """Return live changes that JSON has kept as lists."""
    return tuple((step, settings) for step, settings in stored)


def read_json(path: Path) -> Any:
    """Read one of the stored JSON files."""
    return json.loads(path.read_text(encoding="utf-8"))
