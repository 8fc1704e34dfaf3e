"""The run that a tab had before its present one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from engine.frame import Frame, RunInfo
from engine.recording.history import History, ratios


@dataclass(frozen=True, eq=False)
class Ghost:
    """The previous run, as it was when it ended; figures draw it in grey.

    Args:
        branched_at: the step at which the current run branched off from it; None if it did not.
        ratios: as in `Curves`.
        past_id: the past run that it is; a figure that draws that one in its own colour does not draw it in grey too.
    """

    info: RunInfo
    frame: Frame
    curve: History
    branched_at: int | None = None
    ratios: np.ndarray = field(default_factory=lambda: ratios(()))
    past_id: str = ""
