"""How each kind of verdict is shown. What it means, and in which order they are asked, is in `engine.diagnosis`."""

from __future__ import annotations

from typing import NamedTuple


class VerdictStyle(NamedTuple):
    """How a kind of verdict is shown: its label, its icon, and "good", "warn" or "bad" for its colour."""

    label: str
    icon: str
    severity: str


VERDICTS = {
    "not_finite": VerdictStyle("Broken", "✕", "bad"),
    "diverged": VerdictStyle("Diverged", "✕", "bad"),
    "sees_answer": VerdictStyle("Sees the answer", "⊘", "warn"),
    "solved": VerdictStyle("Solved", "✓", "good"),
    "nearly": VerdictStyle("Nearly", "◔", "good"),
    "overfitting": VerdictStyle("By heart", "↷", "bad"),
    "no_gradient": VerdictStyle("No gradient", "○", "warn"),
    "cut": VerdictStyle("Cut off", "✂", "bad"),
    "dead": VerdictStyle("Dead", "✕", "bad"),
    "no_path": VerdictStyle("No path", "✕", "bad"),
    "blind": VerdictStyle("Cannot see", "⊘", "bad"),
    "vanished": VerdictStyle("Vanished", "↘", "bad"),
    "vanishing": VerdictStyle("Vanishing", "↘", "warn"),
    "fading": VerdictStyle("Fading", "↘", "warn"),
    "healthy": VerdictStyle("Healthy", "→", "good"),
    "clipped": VerdictStyle("Clipped hard", "⇥", "warn"),
    "plateau": VerdictStyle("Stuck", "▬", "warn"),
    "same_answer": VerdictStyle("Stuck at one answer", "▬", "bad"),
    "behind": VerdictStyle("Behind", "▬", "warn"),
    "rising": VerdictStyle("Rising", "↗", "good"),
    "growing": VerdictStyle("Growing", "↗", "warn"),
    "exploding": VerdictStyle("Exploding", "↗", "bad"),
}
