"""A run of our own as somebody else's model is seen: a chain of states without a task, and a look without outputs."""

from __future__ import annotations

import dataclasses
from typing import Any

from engine.frame import Chain, Frame, Look, RunInfo


def _only(kind: type, value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(kind)}


def bare_chain(info: RunInfo) -> Chain:
    """What a chain keeps of a run; a truncation becomes its cuts, and inputs are not known."""
    unknown = {"inputs": "values", "input_labels": (), "step_names": ()}
    entering = tuple(info.enters(d) for d in range(info.directions))  # of another's model it is measured
    return Chain(**_only(Chain, info) | {"cuts": info.walls, "entering": entering, **unknown})


def bare_look(frame: Frame) -> Look:
    """What a look keeps of a frame."""
    return Look(**_only(Look, frame))
