"""What a verdict needs to know of attention: whether what it passes says anything, and whether it is used. No torch.

Attention that reads all steps alike passes the same part of the gradient to each of them, whichever decides. A large
ratio then says nothing, so the verdict looks at the way through the state alone until attention has chosen, or the loss
has fallen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from engine.diagnosis.text import share
from engine.frame.attention import AttentionReading

CHOSEN = 2.0
"""Times the even weight: a step that is read more than this was chosen."""
STAYS_CHOSEN = 1.5
"""Hysteresis: what was chosen stays so down to this."""


@dataclass(frozen=True)
class AttentionUse:
    """Attention in numbers, for the chain that a verdict reads.

    Args:
        state_ratio: the verdict's ratio through the state alone, the largest of all chains. around_share: the share of
            the gradient at the step that decides that came by attention.
        deciding_weight, largest_weight, even_weight: as of `AttentionReading`.
    """

    state_ratio: float
    around_share: float
    deciding_weight: float
    largest_weight: float
    even_weight: float

    @classmethod
    def of(cls, reading: AttentionReading, chain: tuple[int, int]) -> Self:
        """Read it of a frame. chain: (layer, direction), of which the share is."""
        return cls(
            state_ratio=float(reading.state_ratio.max()),
            around_share=float(reading.around_share[chain]),
            deciding_weight=reading.deciding_weight,
            largest_weight=reading.largest_weight,
            even_weight=reading.even_weight,
        )

    def counts(self, learned: bool, before: bool = False) -> bool:
        """True if what attention passes says something: the step that decides is chosen, or the network has learned.

        Also where nothing at all comes through the state.

        Args:
            learned: the loss has fallen. before: what this gave at the measurement before.
        """
        bar = (STAYS_CHOSEN if before else CHOSEN) * self.even_weight
        return learned or self.deciding_weight > bar or not self.state_ratio > 0

    @property
    def is_even(self) -> bool:
        """True if no step is read much more than the others."""
        return not self.largest_weight > CHOSEN * self.even_weight

    @property
    def in_words(self) -> str:
        """Which way the gradient came that arrives; to be said after how much arrives."""
        by_state = 1 - self.around_share
        if self.is_even and by_state > 0.5:
            return f"{_part(by_state)} of that came through the state. Attention is not used: it reads all steps alike."
        if self.is_even:
            return "Attention reads all steps alike."
        if by_state > 0.5:
            return f"{_part(by_state)} of that came through the state, though attention has chosen."
        return f"{_part(self.around_share)} of that came through attention."

    def alone(self, arrives: str) -> str:
        """The sentence on what arrives through the state alone, where attention says nothing yet.

        Args:
            arrives: how much that is, as a sentence.
        """
        reads = "Attention reads all steps alike" if self.is_even else "Attention reads other steps than the one asked"
        return (
            f"{reads}, so what it passes says nothing yet. Through the state alone, {arrives[0].lower()}{arrives[1:]}"
        )


def _part(number: float) -> str:
    return "All" if number >= 0.9995 else share(float(np.clip(number, 0, 1)))
