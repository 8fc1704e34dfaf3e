"""The timeline's data: marks for what happened at some steps, and alternatives to try from a step on."""

from __future__ import annotations

from typing import Any

from app import text
from app.experiment_cache import cached_by_experiment
from engine.experiment import Changes, Experiment, ExperimentError
from engine.frame import Frame
from engine.live_settings import live_settings

HOLD = "Pause there, to change settings by hand"
SOLVED = "solved"
BRANCHED = "branched off"
LOWEST = "held-out loss lowest: {loss:.3g}"  # with as many digits as in the verdict's sentence


def marks(
    changes: Changes, solved_at: int | None, branched_at: int | None, newest: Frame | None
) -> list[dict[str, Any]]:
    """The marks: what happened, at which step, and of which kind that is.

    Args:
        changes: live changes, "change". solved_at: the first step that counted as solved, "solved".
        branched_at: where this run left another one, "branch".
        newest: the newest frame; if it is one of overfitting, the step of the lowest held-out loss is marked, "best".
    """
    events = [
        {"kind": "change", "step": step, "says": ", ".join(text.setting(*change) for change in made.items())}
        for step, made in changes
    ]
    if branched_at is not None:
        events.append({"kind": "branch", "step": branched_at, "says": BRANCHED})
    if solved_at is not None:
        events.append({"kind": "solved", "step": solved_at, "says": SOLVED})
    if newest is not None and (best := best_step(newest)) is not None:
        events.append({"kind": "best", "step": best, "says": LOWEST.format(loss=newest.held_out_best)})
    return events


def best_step(frame: Frame) -> int | None:
    """The step of the lowest held-out loss, in a frame of overfitting that knows it; None in any other frame."""
    diagnosis = frame.diagnosis
    if diagnosis is None or diagnosis.kind != "overfitting" or "best_step" not in diagnosis.evidence:
        return None
    return int(diagnosis.evidence["best_step"])


@cached_by_experiment(maxsize=256)
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
        if not set(changes) <= set(live_settings(experiment)) or (changes.get("clip") == "none" and clip[0] == "none"):
            continue
        try:
            other = experiment.replace(**changes)
        except ExperimentError:
            continue
        if other != experiment:
            offered.append({"says": says, "changes": changes})
    return offered
