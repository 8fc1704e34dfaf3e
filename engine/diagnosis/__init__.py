"""From the numbers of a frame to one sentence, its evidence and a cure. No torch: a replay can be judged again.

`verdict` has the flags, their order and their limits (ARCHITECTURE, "Definitions"); `reasons` says why a gradient
shrinks or grows, `stuck` why nothing is learned although it arrives, `cures` what may mend it; `words` says it.
"""

from engine.diagnosis.plateau import LEARNING_SHARE
from engine.diagnosis.reasons import best_chain
from engine.diagnosis.text import say
from engine.diagnosis.verdict import LIMITS, NO_GRADIENT, diagnose
from engine.frame.run_info import SOLVED_SHARE

__all__ = ["LEARNING_SHARE", "LIMITS", "NO_GRADIENT", "SOLVED_SHARE", "best_chain", "diagnose", "say"]
