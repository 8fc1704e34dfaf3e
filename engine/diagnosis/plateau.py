"""Why nothing is learned although the gradient arrives: every update is clipped, the loss stays where it is."""

from __future__ import annotations

from engine.diagnosis import cures
from engine.diagnosis.case import LEARNING_SHARE, Case
from engine.diagnosis.finding import Finding
from engine.diagnosis.learning import STUCK_AFTER, WORSE
from engine.diagnosis.text import fitted, times

PLATEAU_TOLERANCE = 0.05  # relative distance within which a loss counts as being at a level
PLATEAU_UPDATES = 100  # updates between the two mean training losses in a frame, and before there is a plateau at all
MIN_UPDATES = 50  # between two measurements of the held-out loss
NO_BETTER = 0.95  # times the line: a loss above this is not better than it
SLOWED_OPTIMIZERS = ("sgd", "momentum")  # the others divide by the gradient's size, so clipping does not slow them
MAX_CLIPPED_SHARE = 0.5  # of the gradient's norm left: if more is left, clipping is not the cause
UNBEATABLE_LEVELS = (
    "the best possible", "best from both sides", "least possible without the gaps", "next week like this one",
)  # fmt: skip
"""Baselines that no network can beat: staying there is no plateau."""


def slowed_by_clipping(case: Case, arrives: str) -> Finding | None:
    """A finding if every recent update was clipped so much that nothing is learned, else None.

    Not if the threshold is a common one, if the weights move all the same, or if the gradient exceeds all common
    thresholds: then clipping is needed.
    """
    info, frame = case.info, case.frame
    e, norm, left = info.experiment, frame.param_grad_norm, frame.param_grad_norm_clipped
    moved, cure = cures.update_size(info, frame), cures.usual_threshold(e, norm)
    if e.optimizer not in SLOWED_OPTIMIZERS or frame.recent_clipped != 1 or case.progresses:
        return None
    useful = e.clip_threshold >= min(cures.USUAL_THRESHOLDS) or moved >= cures.MIN_UPDATE or not cure
    if useful or left >= MAX_CLIPPED_SHARE * norm:
        return None
    released = moved * norm / left
    if not cures.MIN_UPDATE <= released <= cures.MAX_ADAM_UPDATE:
        cure = cures.usual_updates(info, frame)
    cause = f"the threshold of {e.clip_threshold:g}, not the gradient's {norm:.2g}, sets its length"
    sentence = f"Every update is clipped: {cause}."
    evidence = {"threshold": float(e.clip_threshold), "gradient": norm, "gradient_clipped": left, "moved": moved}
    return Finding("clipped", fitted(f"{sentence} {arrives}", sentence), cure, evidence)


def on_plateau(case: Case, arrives: str) -> Finding | None:
    """A finding if the loss has been at one of the baselines between two measurements, else None.

    Without a record, as in an old recording: for PLATEAU_UPDATES updates of the training.
    """
    info, frame = case.info, case.frame
    if case.has_record:
        losses, levels = (frame.held_out_loss, frame.held_out_earlier), info.held_out_baselines
        updates = frame.held_out_step - frame.held_out_earlier_step
        if updates < MIN_UPDATES or frame.held_out_step < PLATEAU_UPDATES:
            return None
    else:  # NaN, so at no level, before there are so many updates
        losses, levels, updates = (frame.recent_loss, frame.earlier_loss), info.baselines, PLATEAU_UPDATES
    for name, level in levels.items():
        if name in UNBEATABLE_LEVELS or not all(abs(loss - level) < PLATEAU_TOLERANCE * level for loss in losses):
            continue
        moved = cures.update_size(info, frame)
        cure = cures.usual_settings(info, frame)
        if level < LEARNING_SHARE * case.line:
            cure = {}  # it has learned something, which a new run would lose
        arrived = f"{arrives[0].lower()}{arrives[1:]}"
        stands = f"The loss has stood at {level:.3g} ({name}) for {updates} updates"
        evidence = {"level": level, "recent_loss": losses[0], "earlier_loss": losses[1], "moved": moved}
        step = f" Updates are tiny: {moved:.1g} a weight." if moved < cures.MIN_UPDATE else ""
        short = f"{stands}, though the gradient arrives." if info.has_links and info.measured_lag else f"{stands}."
        sentence = fitted(f"{stands}, though {arrived}{step}", f"{stands}, though {arrived}", short)
        return Finding("plateau", sentence, cure, evidence)
    return None


def behind(case: Case) -> Finding | None:
    """Not better than the line after many updates, and not falling, or far above it."""
    frame, info = case.frame, case.info
    worst = WORSE if case.line_name in UNBEATABLE_LEVELS else NO_BETTER
    if not case.has_record or frame.held_out_step < STUCK_AFTER or case.share < worst:
        return None
    if case.is_falling and case.share < WORSE:
        return None
    stands = f"After {frame.step:,} updates the held-out loss is {times(case.share)} that of “{case.line_name}”"
    sentence = f"{stands}, and {_recent_course(case)}."
    is_unbeatable = case.line_name in UNBEATABLE_LEVELS  # by any other cell, too
    cure = cures.usual_updates(info, frame) if is_unbeatable else cures.usual_settings(info, frame)
    return Finding("behind", sentence, cure)


def _recent_course(case: Case) -> str:
    """What the held-out loss did at the newest measurement, and the training loss meanwhile."""
    frame = case.frame
    if case.is_falling:
        return "still falls"
    if frame.recent_loss < 0.9 * frame.earlier_loss:
        return "was lower before, while the training loss falls" if frame.held_out_best < case.loss else "falls slowly"
    return "hardly falls"


def simple_answer_is_better(case: Case) -> Finding | None:
    """Its metric is not better than that of every simple answer, however healthy the gradient and however low the loss.

    Asked only where the task has such answers, as somebody's own data have.
    """
    frame, info = case.frame, case.info
    if not case.has_record or frame.held_out_step < STUCK_AFTER or not info.metric_baselines:
        return None
    if case.beats_simple_answers:
        return None
    name, beaten, count = info.best_metric_baseline, info.beaten(frame.held_out_metric), len(info.metric_baselines)
    best = info.metric_baselines[name]
    own, written = info.write_metrics([frame.held_out_metric, best])
    has = f"{info.metric_name} {own}"
    some = f"{len(beaten)} of {count}" if beaten else "none of the"
    stands = f"After {frame.step:,} updates it beats {some} simple answers"
    those = f"that of “{name}” {written}"
    sentence = fitted(f"{stands}: {has}, {those}.", f"{stands}: {has}, the best of them {written}.")
    cure = {} if case.progresses else cures.usual_settings(info, frame)
    return Finding("behind", sentence, cure, {"best_metric_baseline": best})
