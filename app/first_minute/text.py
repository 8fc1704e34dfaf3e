"""What the first minute says: the question, a caption for each network, and how the race ended.

Every caption is computed from what was measured; none assumes that the RNN fails or that the LSTM succeeds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from app.figures.compare.catalogue import LaneSnapshot
from app.first_minute.duration import about
from app.first_minute.setup import MAX_WORDS, UPDATES_PER_SECOND
from engine.number_format import write_count

TITLE = "The first minute"
QUESTION = "Can a network remember the first word?"
ASKS = (
    "“They wanted more … for ___”: himself, herself or themselves? Only the first word decides, however many more "
    "words stand in between."
)
WORDS = "More words in between"
GRADIENT = (
    "The magenta band is the gradient: how strongly the mistake at the end is felt at each step back. Where it is not "
    "felt, nothing is learned. A sixth thinner means ten times less."
)
PLAY, PAUSE, AGAIN = "Play", "Pause", "Play again"
LAB = "Open the lab"
LAB_SAYS = "The RNN on this sentence, with all settings and figures."
WORDS_REFUSED = (
    "The link asks for {got} words in between, but that is a whole number from 0 to {most}. It shows {shown}."
)
NAMES = {"RNN": "RNN", "LSTM": "LSTM, forget gates open"}

GUESSING = 0.43
"""Held-out accuracy up to which three answers are guessed: 1/3 and three standard deviations over 256 sentences."""
FAINT = 0.01
"""Relative size of a gradient below which little is learned from it: the verdict's limit of "fading"."""
JUDGED_FROM = 50
"""Updates from which on it is said that a network guesses; before, it has hardly begun."""


# ---- one network


def card(lane: LaneSnapshot) -> dict[str, str]:
    """A network's word, sign and tone, and its caption."""
    word, sign, tone = _word(lane)
    return {"word": word, "sign": sign, "tone": tone, "loss": caption(lane), "still": lane.message}


def _word(lane: LaneSnapshot) -> tuple[str, str, str]:
    if lane.state == "broken":
        return "Broken", "✕", "bad"
    if answers_right(lane):
        return "Answers right", "✓", "good"
    if not _is_judged(lane):
        return "Not trained yet" if lane.frame.step == 0 else "Learning", "○", "none"
    return ("Still guesses", "?", "warn") if guesses(lane) else ("Learning", "◔", "none")


def caption(lane: LaneSnapshot) -> str:
    """What was measured of a network, in a sentence; empty before it has learned for a while."""
    if not _is_judged(lane):
        return ""
    right = f"{math.floor(100 * lane.frame.held_out_metric)}% of new sentences right"
    ratio = gradient_at_first_word(lane)
    if ratio is None:
        return f"{right}."
    return f"{right}{' (chance: 33%)' if guesses(lane) else ''}. {arrives(ratio)}"


def _is_judged(lane: LaneSnapshot) -> bool:
    return lane.frame.held_out_step >= JUDGED_FROM


def answers_right(lane: LaneSnapshot) -> bool:
    """True if the network has solved the task on the held-out sentences."""
    return lane.solved_at is not None and lane.frame.held_out_solved


def guesses(lane: LaneSnapshot) -> bool:
    """True if the network answers as often right as somebody who knows nothing."""
    return lane.frame.held_out_metric <= GUESSING


def has_result(lane: LaneSnapshot) -> bool:
    """True if the network has learned it, or has made all of its updates, or broke."""
    return lane.solved_at is not None or lane.state != "racing"


def gradient_at_first_word(lane: LaneSnapshot) -> float | None:
    """Size of the gradient at the first word relative to where the loss enters; None if it was not measured."""
    ratio = lane.frame.diagnosis.evidence.get("ratio") if lane.frame.diagnosis is not None else None
    return ratio if ratio is not None and math.isfinite(ratio) else None


def arrives(ratio: float) -> str:
    """What of the gradient arrives at the first word, relative to where the loss enters, in a sentence."""
    if ratio == 0:
        return "Nothing of the gradient from the end reaches the first word."
    if ratio < 0.01:
        return f"Of the gradient from the end, 1 part in {write_count(1 / max(ratio, 1e-300))} reaches the first word."
    if ratio < 0.995:
        return f"{ratio:.0%} of the gradient from the end reaches the first word."
    more = f", {write_count(ratio)} times as large" if ratio >= 1.5 else ""
    return f"All of the gradient from the end reaches the first word{more}."


def because(learned: LaneSnapshot, other: LaneSnapshot) -> str:
    """Why only one has learned it, in a sentence: what a step back leaves of the gradient; empty if that is not why."""
    ratio, steps = gradient_at_first_word(other), other.info.measured_lag
    if ratio is None or not 0 < ratio < FAINT:
        return ""
    why = f" Each step back leaves about {ratio ** (1 / steps):.0%} of the {other.name}'s gradient"
    gate = learned.info.cell_kind.retain_gate
    if gate is None:
        return f"{why}."
    keeps = float(learned.frame.gates[gate][-1, 0].mean())
    return f"{why}; the {learned.name}'s {gate.replace('_', ' ')}s keep {keeps:.0%}."


# ---- both


def have_results(lanes: Sequence[LaneSnapshot]) -> bool:
    """True if the race has nothing more to show."""
    return all(has_result(lane) for lane in lanes)


def conclusion(lanes: Sequence[LaneSnapshot], words: int) -> str:
    """What the two together show, as soon as both have their result; empty before."""
    if not have_results(lanes):
        return ""
    learned = [lane for lane in lanes if lane.solved_at is not None]
    others = [lane for lane in lanes if lane.solved_at is None]
    if not others:
        after = ", ".join(f"the {lane.name} after {lane.solved_at:,} updates" for lane in lanes)
        return f"Both learn it: {after}.{' Now put more words in between.' if words < MAX_WORDS else ''}"
    made = max(lane.frame.step for lane in lanes)
    if not learned:
        return f"Neither has learned it in {made:,} updates."
    (only,), (other,) = learned, others
    learns = f"Only the {only.name} learns it, after {only.solved_at:,} updates; in {made:,} the {other.name} does not."
    return learns + because(only, other)


def clock(step: int, left: int, seconds: float | None, *, playing: bool, ended: bool) -> str:
    """Where the race is, and how long it takes at most.

    Args:
        step, left: updates made, and those that are left.
        seconds: that they take on this machine; None before any was measured.
    """
    if ended:
        return f"Stopped after {step:,} updates: both have their result."
    known = f"{round(left / UPDATES_PER_SECOND)} s or more"  # the speed at which it is shown
    takes = known if seconds is None else about(seconds)
    if step == 0:
        return f"At most {left:,} updates, {takes}{'' if seconds is None else ' on this machine'}."
    return f"Update {step:,} of at most {step + left:,}{f', {takes} left' if playing else ', paused'}."
