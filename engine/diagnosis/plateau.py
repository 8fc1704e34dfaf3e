"""Why nothing is learned although the gradient arrives: clipped on every update, or standing on a known plateau."""

from __future__ import annotations

from engine.diagnosis import cures
from engine.diagnosis.finding import Finding
from engine.diagnosis.text import fitted
from engine.frame import Frame, RunInfo

LEARNING_SHARE = 0.8  # of the baseline: below, the network knows something of the sequence
NEAR = 0.05  # how far from a level, as a part of it, a loss still stands at it
STOOD = 100  # updates between the two mean losses that a frame has
BRAKES = ("sgd", "momentum")  # the others divide by the size of the gradient: clipping does not slow them
SHORTENED = 0.5  # what is left of the gradient: more than this, and the threshold is not what matters
BEST = ("the best possible", "best from both sides", "least possible without the gaps")
"""Levels at which a network that cannot get lower has arrived: no plateau."""


def braked(info: RunInfo, frame: Frame, arrives: str) -> Finding | None:
    """Every recent update was clipped, to so little that nothing is learned; None where that is not so.

    Where the threshold is a usual one, weights move all the same, or the gradient is longer than any usual threshold,
    clipping keeps it safe.
    """
    e, norm, left = info.experiment, frame.param_grad_norm, frame.param_grad_norm_clipped
    moved, cure = cures.moves(info, frame), cures.release(e, norm)
    if e.optimizer not in BRAKES or frame.recent_clipped != 1 or frame.probe_loss < LEARNING_SHARE * info.baseline:
        return None
    kept_safe = e.clip_threshold >= min(cures.USUAL_THRESHOLDS) or moved >= cures.TOO_SLOW or not cure
    if kept_safe or left >= SHORTENED * norm:
        return None
    told = f"the threshold of {e.clip_threshold:g}, not the gradient's {norm:.2g}, sets its length"
    said = f"Every update is clipped: {told}."
    evidence = {"threshold": float(e.clip_threshold), "gradient": norm, "gradient_clipped": left, "moved": moved}
    return Finding("clipped", fitted(f"{said} {arrives}", said), cure, evidence)


def standing(info: RunInfo, frame: Frame, arrives: str) -> Finding | None:
    """The loss has stood at a known level for STOOD updates; None where that is not so."""
    losses = frame.recent_loss, frame.earlier_loss  # NaN, near to nothing, before there are so many updates
    for name, level in info.baselines.items():
        if name in BEST or not all(abs(loss - level) < NEAR * level for loss in losses):
            continue
        moved = cures.moves(info, frame)
        cure = cures.another_rate(info.experiment, moved)
        if level < LEARNING_SHARE * info.baseline:
            cure = {}  # it knows something: not to be thrown away
        arrived = f"{arrives[0].lower()}{arrives[1:]}"
        stands = f"The loss has stood at {level:.3g} ({name}) for {STOOD} updates"
        evidence = {"level": level, "recent_loss": losses[0], "earlier_loss": losses[1], "moved": moved}
        step = f" Updates are tiny: {moved:.1g} a weight." if moved < cures.TOO_SLOW else ""
        short = f"{stands}, though the gradient arrives." if info.has_links and info.measured_lag else f"{stands}."
        sentence = fitted(f"{stands}, though {arrived}{step}", f"{stands}, though {arrived}", short)
        return Finding("plateau", sentence, cure, evidence)
    return None
