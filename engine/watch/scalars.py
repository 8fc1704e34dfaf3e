"""What a lens says as flat numbers, for loggers."""

from __future__ import annotations

import re
from collections.abc import Mapping

from engine.watch.flow import Flow
from engine.watch.reach import best_reach, keep_gate
from engine.watch.schedule import Cost


def scalars_of(flows: Mapping[str, Flow], cost: Cost) -> dict[str, float]:
    """Flat numbers: for every module the best ratio of its chains, the norms it comes from, gates and proof.

    Names have three parts, "watch/encoder.lstm/ratio", of characters that every logger takes (MLflow is the strictest).
    """
    found: dict[str, float] = {}
    for name, flow in flows.items():
        best = best_reach(flow)
        values = {"ratio": best.ratio, "norm_enters": best.enters, "norm_first": best.first}
        if (keep := keep_gate(flow)) is not None:
            values["keep_gate"] = keep
        if flow.proof is not None:
            values["proof"] = flow.proof
        shown = _shown(name)
        while f"watch/{shown}/ratio" in found:
            shown += "_"
        found |= {f"watch/{shown}/{what}": float(value) for what, value in values.items()}
    return found | {"watch/looks": float(cost.looks), "watch/share": cost.share}


def _shown(name: str) -> str:
    """A module's name with "_" in place of what is not a letter, digit, ".", "-" or " "."""
    return re.sub(r"[^\w.\- ]", "_", name, flags=re.ASCII)
