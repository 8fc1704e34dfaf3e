"""The text of the forecast card."""

from __future__ import annotations

import math

import numpy as np

from app.text import plain
from engine.ask.question import reason_not_to_continue
from engine.data.content import SeriesContent
from engine.data.dataset import dataset_of
from engine.data.tasks.words import listed
from engine.experiment import Experiment
from engine.number_format import count, metrics
from engine.tasks import task_of
from engine.tasks.forecast import Forecast

HEADING = "**Forecast**: what comes after the last row of your file."
STEPS, SERIES = "Rows to forecast", "Series"
ASK, AGAIN, ASKING = "Forecast", "Forecast again", "The network reads your file and forecasts …"
TESTED = "Tested on the held-out part: forecast from {origins} of its rows, each time with all rows before it known."
FIGURE = "The last known values, the network's forecast and that of the best simple rule."
OTHER_INPUTS = (
    "It forecasts one step: the network also reads {others}, and what these will be after the last row nobody knows."
)
ONE_STEP = "It forecasts one step. {why}"
AT_HORIZON = (
    "It forecasts the next {horizon:,} rows, each from {horizon:,} rows before it: the network has learned this "
    "distance alone."
)
FAR_OFF = 4  # times the network's own error: such a rule is not drawn
ERRORS = "Mean absolute errors of the network and of simple rules, by steps ahead."


def why_so_far(experiment: Experiment) -> str:
    """How far this network can forecast, and why no further, as Markdown; "" where a person may choose."""
    task, dataset = task_of(experiment), dataset_of(experiment)
    content = None if dataset is None else dataset.content
    if isinstance(content, SeriesContent) and content.horizon > 1:
        return AT_HORIZON.format(horizon=content.horizon)
    if len(task.input_labels) > 1:
        return OTHER_INPUTS.format(others=plain(listed(task.input_labels[1:], "and"), 200))
    return ONE_STEP.format(why=reason_not_to_continue(experiment)) if experiment.bidirectional else ""


def best_rule(forecast: Forecast, at: int = 0) -> str | None:
    """The rule with the smallest error so many steps ahead, of those that say something; None if there is none.

    Args:
        at: the place in `Forecast.ahead`.
    """
    known = {
        name: float(errors[at])
        for name, errors in forecast.baseline_errors.items()
        if np.isfinite(errors[at]) and name in forecast.baselines
    }
    return min(known, key=lambda name: known[name], default=None)


def drawn_rules(forecast: Forecast) -> dict[str, np.ndarray]:
    """The errors of the rules that can be drawn beside the network's: one that is far off would flatten all others."""
    most = FAR_OFF * float(np.nanmax(forecast.errors, initial=0.0))
    return {name: errors for name, errors in forecast.baseline_errors.items() if not np.nanmin(errors) > most}


def judged(forecast: Forecast) -> list[str]:
    """What the test says of the network, at the first step ahead and at the last, each a sentence."""
    places = [0] if len(forecast.ahead) == 1 or forecast.errors[0] == forecast.errors[-1] else [0, -1]
    return [sentence for place in places if (sentence := _judged_at(forecast, place))]


def _judged_at(forecast: Forecast, at: int) -> str:
    ahead, error, rule = int(forecast.ahead[at]), float(forecast.errors[at]), best_rule(forecast, at)
    far = count(ahead, forecast.time_step)
    if not np.isfinite(error):
        return f"{far} ahead nothing could be tested: the held-out part is too short."
    best = math.nan if rule is None else float(forecast.baseline_errors[rule][at])
    own, simple = metrics([error, best], percent=False)
    begins = f"{far} ahead the network is off by {own} on average"
    if rule is None:
        return f"{begins}."
    if error < best:
        return f"{begins}; the best simple rule, {rule}, by {simple}."
    return f"{begins}. A simple rule does better: {rule}, off by {simple}."


def made_at(forecast: Forecast) -> str:
    """When it was made, and how it was tested."""
    origins = int(forecast.counts.max(initial=0))
    return f"Made at step {forecast.step:,}. " + TESTED.format(origins=f"{origins:,}")
