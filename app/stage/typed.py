"""What is said of a typed sentence beside the field in which it stands."""

from __future__ import annotations

import numpy as np

from engine.frame import RunInfo
from engine.tasks.unknown_words import UNKNOWN_TOKEN, UNKNOWNS, has_unknown, not_in_vocabulary

NAMED, EXAMPLES = 3, 8
"""Unknown words that are named, and words that are given as examples of known ones."""


def not_known(info: RunInfo, sentence: str) -> str:
    """Which words of a sentence the network does not know, and some that it knows; empty if it knows all."""
    if not sentence or info.inputs != "symbols" or not has_unknown(info.input_labels):
        return ""
    unknown = not_in_vocabulary(sentence, info.input_labels)
    if not unknown:
        return ""
    named = [f"“{word[:20]}”" for word in unknown[:NAMED]]
    if rest := len(unknown) - NAMED:
        named += [f"{rest} more"] if rest > 0 else []
    known = [label for label in info.input_labels if label not in UNKNOWNS]
    shown = [known[k] for k in np.unique(np.linspace(0, len(known) - 1, EXAMPLES).round().astype(int))]
    return (
        f"It does not know {', '.join(named)} and reads {info.input_labels[UNKNOWN_TOKEN]} instead. "
        f"Some of the {len(known)} that it knows: {', '.join(shown)}."
    )
