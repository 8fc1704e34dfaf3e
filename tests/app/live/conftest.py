"""Slots whose runs have a frame, and what a binary message of the live view says."""

from __future__ import annotations

import gzip
import json
import struct
import types
from typing import Any

import numpy as np

from app.ghost import Ghost
from app.live.by_address import FIGURES
from engine.recording.history import History
from tests.app.figures.conftest import seen
from tests.fakes import FakeRun


def header_of(message: bytes) -> tuple[dict[str, Any], bytes]:
    """The header, and the blocks behind it."""
    (length,) = struct.unpack_from("<I", message)
    return json.loads(message[4 : 4 + length]), message[4 + length :]


def decoded(message: bytes) -> dict[str, Any]:
    """{path: value} of everything that the message patches."""
    header, blocks = header_of(message)
    result = dict(header["p"])
    for path, kind, shape, offset, *scale in header["a"]:
        count = int(np.prod(shape))
        if kind == "f4":
            result[path] = np.frombuffer(blocks, "<f4", count, offset).reshape(shape)
        else:
            assert kind == "q1"
            result[path] = np.frombuffer(blocks, np.int8, count, offset).reshape(shape) * (scale[0] / 127)
    return result


def slot_of(case: str, *, ghost: str = "") -> types.SimpleNamespace:
    """A slot whose run has this frame, and before it that one."""
    run = run_of(case)
    before = run_of(ghost) if ghost else None
    return types.SimpleNamespace(
        run=run,
        ghost=before and Ghost(before.info, before.frame, before.curve),
        beside={},
        changes=(),
        page_waits_for=None,
        is_shared=False,
        wants_own_run=False,
    )


def run_of(case: str) -> FakeRun:
    info, frame, curves = seen(case)
    run = FakeRun(info.experiment, paused=False, speed=None)
    run.frame, run.curve = frame, History()
    for row in curves.updates:
        run.curve.add_update(int(row["step"]), float(row["loss"]), float(row["param_grad_norm"]), bool(row["clipped"]))
    for row in curves.looks:
        run.curve.add_frame(*(each.item() for each in row))
    return run


def figures_at(address: str) -> list[dict[str, Any]]:
    """The figures without data that a page names."""
    kept = FIGURES.find(address.rpartition("/")[2])
    assert kept is not None
    return json.loads(gzip.decompress(kept.content))
