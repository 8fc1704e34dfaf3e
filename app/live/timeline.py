"""The timeline's data: marks for what happened at some steps, and alternatives to try from a step on."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from app import text
from engine.experiment import Changes, Experiment, ExperimentError

HOLD = "Pause there, to change settings by hand"
SOLVED = "solved"
BRANCHED = "branched off"


def marks(changes: Changes, solved_at: int | None, branched_at: int | None) -> list[dict[str, Any]]:
    """The marks, with their steps: live changes, the branch, the loss below a tenth of the baseline."""
    events = [
        {"step": step, "says": ", ".join(text.setting(*change) for change in made.items())} for step, made in changes
    ]
    events += [{"step": branched_at, "says": BRANCHED}] if branched_at is not None else []
    return events + ([{"step": solved_at, "says": SOLVED}] if solved_at is not None else [])


@lru_cache(maxsize=256)
def what_ifs(experiment: Experiment) -> list[dict[str, Any]]:
    """Alternatives to try from a step on: the label of each, and the live settings that it changes."""
    rate, clip = experiment.learning_rate, (experiment.clip, experiment.clip_threshold)
    ideas: list[tuple[str, dict[str, Any]]] = [
        ("clip the gradient at norm 1", {"clip": "norm", "clip_threshold": 1.0}),
        ("clip it at norm 0.1", {"clip": "norm", "clip_threshold": 0.1}),
        ("no clipping", {"clip": "none"}),
        (f"learn 10 times faster: {10 * rate:g}", {"learning_rate": round(10 * rate, 12)}),
        (f"learn 10 times more slowly: {rate / 10:g}", {"learning_rate": round(rate / 10, 12)}),
        ("noise of 0.3 on the inputs", {"noise": 0.3}),
        ("batches of 4 sequences", {"batch_size": 4}),
    ]
    offered = []
    for says, changes in ideas:
        if changes.get("clip") == "none" and clip[0] == "none":
            continue
        try:
            other = experiment.replace(**changes)
        except ExperimentError:
            continue
        if other != experiment:
            offered.append({"says": says, "changes": changes})
    return offered
