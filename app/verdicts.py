"""How each kind of verdict is shown, and which figure shows its evidence.

What a verdict means, and in which order they are asked, is in `engine.diagnosis`.
"""

from __future__ import annotations

from typing import NamedTuple

from engine.diagnosis import KINDS


class VerdictStyle(NamedTuple):
    """How a kind of verdict is shown: its label, its icon, and "good", "warn", "bad" or "none" for its colour."""

    label: str
    icon: str
    severity: str

    def values(self) -> dict[str, str]:
        """What the browser draws of it."""
        return {"word": self.label, "sign": self.icon, "tone": self.severity}


VERDICTS = {
    "not_finite": VerdictStyle("Broken", "✕", "bad"),
    "reverse_read_at_its_start": VerdictStyle("Reverse not read", "⊘", "bad"),
    "padding_read_as_data": VerdictStyle("Reads padding", "⊘", "bad"),
    "loss_on_padding": VerdictStyle("Counts padding", "⊘", "bad"),
    "batch_and_time_swapped": VerdictStyle("Batch is time", "⇄", "bad"),
    "softmax_twice": VerdictStyle("Softmax twice", "⊘", "bad"),
    "gradients_not_cleared": VerdictStyle("Not cleared", "⊘", "bad"),
    "diverged": VerdictStyle("Diverged", "✕", "bad"),
    "sees_answer": VerdictStyle("Sees the answer", "⊘", "warn"),
    "untrained": VerdictStyle("Not trained yet", "○", "none"),
    "solved": VerdictStyle("Solved", "✓", "good"),
    "by_heart": VerdictStyle("By heart, as asked", "✓", "good"),
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
    "enough": VerdictStyle("Far enough", "→", "good"),
    "healthy": VerdictStyle("Healthy", "→", "good"),
    "clipped": VerdictStyle("Clipped hard", "⇥", "warn"),
    "plateau": VerdictStyle("Stuck", "▬", "warn"),
    "same_answer": VerdictStyle("Stuck at one answer", "▬", "bad"),
    "behind": VerdictStyle("Behind", "▬", "warn"),
    "rising": VerdictStyle("Rising", "↗", "good"),
    "growing": VerdictStyle("Growing", "↗", "warn"),
    "exploding": VerdictStyle("Exploding", "↗", "bad"),
}

OF_WATCHED = {
    "mistake": VerdictStyle("Mistake", "✕", "bad"),
    "unread": VerdictStyle("Not read", "○", "warn"),
    "no_way_back": VerdictStyle("No way back", "·", "warn"),
    "unknown": VerdictStyle("Depends on the losses", "?", "none"),
}
"""Kinds that only somebody else's model has, see `engine.watch.diagnosis`."""


def style_of(kind: str) -> VerdictStyle:
    """How a verdict on any model is shown; a kind that a later version wrote keeps its own name."""
    later = VerdictStyle(kind.replace("_", " ").capitalize(), "·", "none")
    return VERDICTS.get(kind) or OF_WATCHED.get(kind, later)


BAD = ("warn", "bad")
"""The severities of verdicts that ask for a cure."""

FIGURE_OF_EVIDENCE = {
    "loss": "loss", "prediction": "prediction", "unrolled": "unrolled", "gradient": "gradient",
    "per_step": "loss_per_step", "update": "update",
}  # fmt: skip
"""What `engine.diagnosis` calls the figure that shows the evidence, and its name on the page (`app.figures`)."""

NO_CURE = "We know no cure for this."
LOOK_AT = {
    "not_finite": "Look at the loss of the last steps before it broke",
    "reverse_read_at_its_start": "Look at how few steps of the reverse direction have a gradient",
    "padding_read_as_data": "Look at the gradient on the grey steps",
    "loss_on_padding": "Look at the loss of the grey steps",
    "batch_and_time_swapped": "Look for the links from step to step",
    "softmax_twice": "Look at the level at which the loss stands",
    "gradients_not_cleared": "Look at the size of the updates",
    "diverged": "Look for the step at which the loss begins to rise",
    "sees_answer": "Look at how well it predicts, because it has read the answer",
    "overfitting": "Look for the step at which the held-out loss begins to rise",
    "no_gradient": "Look at the last step, where the gradient enters",
    "cut": "Look for the step at which the gradient stops",
    "dead": "Look for the last step that a gradient reaches",
    "no_path": "Look for the last step that a gradient reaches",
    "blind": "Look at which input decides the answer, and when the answer is due",
    "vanished": "Look at how far back the gradient reaches",
    "vanishing": "Look at how far back the gradient reaches",
    "fading": "Look at how much smaller the gradient is at early steps",
    "clipped": "Look at how little the loss changes",
    "plateau": "Look at how long the loss has not changed",
    "same_answer": "Look at whether a gradient reaches the early steps",
    "behind": "Look at how far the loss is above the dashed line",
    "growing": "Look at how much larger the gradient is at early steps",
    "exploding": "Look for the steps at which the gradient is largest",
}
"""Without a cure: what to look at in the figure of the evidence, for every kind whose severity is in BAD."""


def figure_of(kind: str) -> str:
    """The page's figure that shows the evidence of a kind of verdict; empty for an unknown kind.

    Several rules can find the same kind: the first one in `engine.diagnosis.KINDS` counts.
    """
    return next((FIGURE_OF_EVIDENCE[each.figure] for each in KINDS if kind in each.names), "")
