"""What a lens says as flat numbers, for loggers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.watch.flow import keep_gate
from engine.watch.looks import ModuleLook
from engine.watch.loop_looks import LoopLook
from engine.watch.mistakes import Mistake
from engine.watch.schedule import Cost


def scalars_of(
    looks: Mapping[str, ModuleLook | LoopLook], mistakes: Sequence[Mistake], cost: Cost, loss: float | None
) -> dict[str, float]:
    """Flat numbers: for every module the verdict's ratio, the norms it comes from, gates and proof; then the loss.

    Names have three parts, "watch/encoder.lstm/ratio", of characters that every logger takes (MLflow is the strictest).
    """
    found: dict[str, float] = {}
    for name, look in looks.items():
        evidence, flow = look.diagnosis(mistakes).evidence, look.flow
        values = {what: evidence[key] for what, key in NAMES.items()}
        if (keep := keep_gate(flow)) is not None:
            values["keep_gate"] = keep
        if flow.proof is not None:
            values["proof"] = flow.proof
        shown = _shown(name)
        while f"watch/{shown}/ratio" in found:
            shown += "_"
        found |= {f"watch/{shown}/{what}": float(value) for what, value in values.items()}
    known = {} if loss is None else {"watch/loss": loss}
    return found | known | {"watch/looks": float(cost.looks), "watch/share": cost.share}


NAMES = {"ratio": "ratio", "norm_enters": "gradient_at_output", "norm_first": "gradient_at_first"}
"""Of a scalar, and of the evidence of the diagnosis."""


def _shown(name: str) -> str:
    """A module's name with "_" in place of what is not a letter, digit, ".", "-" or " "."""
    return re.sub(r"[^\w.\- ]", "_", name, flags=re.ASCII)
