"""The sentences of the card "The same with other seeds". Pure functions."""

from __future__ import annotations

import math

import numpy as np

from app.figures.seeds import HIGH, LOW, MEDIAN, quantiles
from app.seeds.sweep import Plan, SeedSweep
from engine.experiment import Experiment
from engine.many.alike import can_be_beside
from engine.number_format import duration, short

HEADING = "**The same with other seeds**: was it luck?"
ABOUT = (
    "Trains more networks with the settings of this run, each with a seed of its own: other initial weights, other "
    "batches. They start at step 0 and train while this card is open. Your run stays as it is."
)
CHANGED = "Settings of this run were changed while it trained; these networks have the present ones from step 0 on."
SEEDS = "Seeds"
BESIDE = ", and often much less, since they can be trained side by side"
MEASURING = "Measuring how long an update takes …"
STOP = "Stop"
FIGURE = (
    "Held-out loss over training: the networks' median, their middle half and their full range, this run's loss and "
    "the loss to beat."
)
HOW = (
    "Each network is judged on held-out sequences, as the run is. Darker band: the middle half of the networks; pale "
    "band: from the lowest loss to the highest. In brackets: where the share of all seeds that solve it lies, with a "
    "confidence of 95 % (Wilson's interval)."
)


def begin(seeds: int) -> str:
    """The label of the button."""
    return f"Train {seeds} networks"


def costs(plan: Plan) -> str:
    """What pressing the button means: networks, updates, and how long it takes at most."""
    says = f"{plan.seeds} networks, {_updates(plan.updates)} each"
    if plan.seconds is None:
        return f"{says}."
    often = "" if can_be_beside(plan.experiment) else BESIDE
    return f"{says}: at most about {duration(plan.seconds)}{often}.{_fewer(plan)}"


def _fewer(plan: Plan) -> str:
    """Why they make fewer updates than the run; empty if they make as many."""
    if plan.updates == plan.experiment.steps:
        return ""
    return f" The run makes {plan.experiment.steps:,}; these make fewer, so that they do not take too long."


def progress(sweep: SeedSweep) -> str:
    """How far the networks are, while they train."""
    parts = [f"{_percent(sweep.run.made)} of {sweep.plan.updates:,} updates"]
    if (left := sweep.run.seconds_left) is not None:
        parts.append(f"about {duration(left)} left")
    return " · ".join(parts)


def outcome(sweep: SeedSweep) -> str:
    """What has become of the networks by now, as Markdown; empty before anything was measured."""
    steps, losses = sweep.losses()
    if not len(steps):
        return ""
    success = sweep.success
    low, high = success.interval
    interval = f"{_percent(0.95)}: {_percent(low)} to {_percent(high)}"
    says = [
        f"**{success.solved} of {success.of} have solved it** ({interval}), after {_updates(sweep.step)} each.",
        _spread(losses[:, -1:]),
    ]
    if sweep.diverged:
        says.append(f"{sweep.diverged} diverged: the next update would not have been finite.")
    return " ".join(filter(None, says))


def _spread(losses: np.ndarray) -> str:
    """Median and middle half of the losses (networks, 1), as far as they are finite."""
    low, median, high = (float(quantiles(losses)[level][0]) for level in (LOW, MEDIAN, HIGH))
    if not math.isfinite(median):
        return ""
    half = f", middle half {short(low)} to {short(high)}" if math.isfinite(high) else ""
    return f"Their held-out loss: median {short(median)}{half}."


def ended(sweep: SeedSweep) -> str:
    """How the training ended."""
    if sweep.run.stopped and not sweep.run.done:
        return f"Stopped after {_updates(sweep.step)} of {sweep.plan.updates:,}."
    return f"Took {duration(sweep.run.seconds)}."


def own_name(experiment: Experiment) -> str:
    """The name of the run's own line."""
    return f"this run, seed {experiment.seed}"


def _updates(number: int) -> str:
    return f"{number:,} update{'' if number == 1 else 's'}"


def _percent(share: float) -> str:
    """With a space that does not break."""
    return f"{100 * share:.0f}\N{NO-BREAK SPACE}%"
