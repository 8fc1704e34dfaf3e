"""The text of the card "My runs"."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from app import setting_help, text
from app.compare.plan import SHARED
from app.figures.over_time import gradient
from app.figures.over_training import loss
from app.past_runs import NEWEST, KeptRun
from app.setting_effects import has_effect
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.number_format import short
from engine.tasks import task_of

HEADING = "My runs"
ABOUT = (
    f"Runs of this browser that have ended or that you have left: the newest {NEWEST}, and those that you keep, until "
    "the server ends. A run with the same settings as another one gives the same numbers, so both share a line."
)
NONE_YET = (
    "When a run has finished, or when you reset it, change a setting, go back in time or open another link, its curves "
    "stay here until the server ends. Then you can draw them beside those of the next run."
)
COLUMNS = ("Draw", "Name", "Step", "Best held-out loss", "Verdict", "Ended")
LABELS = {
    "present": "this run",
    "not_ended": "not yet",
    "draw": "Draw “{name}” beside the present run",
    "name": "Name of this run",
    "open": "Open its settings",
    "compare": "Compare",
    "compare_title": "Train it and the present network side by side on the page Compare, in a new tab.{shared}",
    "keep": "Keep",
    "kept": "Kept",
    "forget": "Forget",
    "csv": "All as one CSV",
}
ONLY_NETWORK = " Both then have the present run’s {settings}."
OTHER_DATA = "Not drawn: its data are “{data}”, whose losses and gradients mean something else here."
NOT_IN = "Not in “{figure}”: {why}."
OTHER_STEPS = "it has other steps in time"
OTHER_LOSS = "its loss is another sum or mean"
FULL = "Four runs are drawn, which is the most: take one away first."
ALL_KEPT = f"{NEWEST} runs are kept, which is the most: forget one, or keep one no longer."
NO_COMPARISON = "Its network does not fit the present run’s data."


def best(run: KeptRun) -> str:
    """Its lowest held-out loss, and where."""
    return f"{short(run.best)} at step {run.best_step:,}" if math.isfinite(run.best) else "not measured"


def settings(run: KeptRun) -> str:
    """Its settings in one line, for the row's title."""
    changes = [
        f"{', '.join(text.setting(*one) for one in made.items())} after step {step:,}" for step, made in run.changes
    ]
    return " · ".join([text.summary(run.initial), f"seed {run.initial.seed}", *changes])


def not_drawn(run: KeptRun, info: RunInfo) -> tuple[bool, str]:
    """Whether the run can be drawn beside the present one anywhere, and where it cannot, in a sentence."""
    if not run.initial.has_data_of(info.experiment):
        return False, OTHER_DATA.format(data=task_of(run.initial).title)
    missing = {} if gradient.has_same_steps(info, run.past.info) else {gradient.FIGURE: OTHER_STEPS}
    missing |= {} if loss.has_same_loss(info, run.past.info) else {loss.FIGURE: OTHER_LOSS}
    return True, " ".join(NOT_IN.format(figure=figure.title(info), why=why) for figure, why in missing.items())


def differing_data(present: Experiment, other: Experiment) -> str:
    """Which of the settings that a comparison shares differ between the two, as the end of a sentence; "" if none."""
    names = [
        name for name in (*SHARED, *(() if other.has_data_of(present) else ("seq_len",)))
        if getattr(present, name) != getattr(other, name)
        and has_effect(name, partial(getattr, present)) and name not in ("steps", "until_solved")
    ]  # fmt: skip
    labels = [setting_help.LABELS.get(name, name.replace("_", " ")).lower() for name in names]
    return ONLY_NETWORK.format(settings=listed(labels)) if labels else ""


def listed(parts: Sequence[str]) -> str:
    """ "a, b and c"."""
    *others, last = parts
    return f"{', '.join(others)} and {last}" if others else last


def present_name(experiment: Experiment) -> str:
    """What the present run is called in the CSV."""
    return f"present run: {CELLS[experiment.cell].title}, {experiment.hidden_size} units"
