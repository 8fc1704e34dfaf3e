"""The diagnosis of a frame: one sentence, its evidence and a cure. No torch, so a replayed frame can be diagnosed.

`verdict` has the rules, their order and their limits (ARCHITECTURE, "Definitions"); `reasons` explains why a gradient
shrinks or grows, `plateau` why nothing is learned although it arrives; `cures` suggests changes of settings, and `text`
writes the sentences.
"""

from engine.diagnosis.bands import LIMITS
from engine.diagnosis.case import LEARNING_SHARE
from engine.diagnosis.learning import NO_GRADIENT
from engine.diagnosis.reasons import best_chain
from engine.diagnosis.verdict import GOOD_KINDS, KINDS, diagnose
from engine.frame.run_info import SOLVED_SHARE

__all__ = [
    "GOOD_KINDS", "KINDS", "LEARNING_SHARE", "LIMITS", "NO_GRADIENT", "SOLVED_SHARE",
    "best_chain", "diagnose",
]  # fmt: skip
