"""What is measured of one of many networks at one step. No torch."""

from __future__ import annotations

from typing import NamedTuple


class Measurement(NamedTuple):
    """What was measured of one network at one step.

    Args:
        number: of its experiment in the sweep.
        step: the updates that it had made.
        held_out_loss, metric, ratio: as in `engine.frame.held_out.HeldOutRecord`.
        diverged: True if its next update has numbers that are not finite, and so was not made: its last row.
        seconds: what it had taken until then, training and measuring; its share, where networks stand side by side.
    """

    number: int
    step: int
    held_out_loss: float
    metric: float
    ratio: float
    diverged: bool
    seconds: float
