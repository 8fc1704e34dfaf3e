"""What comes after the end of a series, by a network and by simple rules, and both tested on the held-out part."""

from __future__ import annotations

import numpy as np

from engine.data.content import SeriesContent
from engine.data.kinds.series_steps import at_month_ends
from engine.data.tasks.series_baselines import forecast_baselines
from engine.data.tasks.series_rows import rows_of
from engine.data.tasks.series_units import continued
from engine.data.tasks.walk_forward import walk_forward
from engine.tasks.forecast import Forecast, Predict

SHOWN_BEFORE = 4  # known values before a forecast, in its lengths
LEAST_SHOWN = 48
NAMED_STEPS = ("second", "minute", "hour", "day", "weekday", "week", "month", "quarter", "year")
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def series_forecast(
    content: SeriesContent, target: str, predict: Predict, window: int, steps: int, series: int
) -> Forecast:
    """Forecast after the last row of a series.

    With a horizon of one row the network goes on by itself for `steps` rows. With a longer horizon it has learned that
    distance alone: each of the next `horizon` rows is said from as many rows before it.

    Args:
        target: the name of what is forecast.
        predict: the network. window: the steps that it reads. series: the number of the series.

    Raises:
        ValueError: for a series that is shorter than the window.
    """
    one, rows = content.series[series], rows_of(content)
    far = content.horizon
    last, first = len(one.values) - 1, int(rows.starts[series])
    origins = np.array([last]) if far == 1 else np.arange(last - far + 1, last + 1)
    if origins[0] < window - 1 or not rows.readable[first + origins[0] - window + 1]:
        named = f"The series “{one.name}”" if one.name else "The series"
        raise ValueError(f"{named} is too short: the network reads {window} rows at once, and it has {last + 1}.")
    inputs = rows.inputs[first + origins + np.arange(1 - window, 1)[:, None]]
    outputs = predict(inputs, steps if far == 1 else 1)[..., 0]
    said = continued(content, np.full(len(origins), series), origins, outputs)
    test = walk_forward(content, predict, steps if far == 1 else 1, window)
    if far == 1:
        said, baselines = said[:, 0], forecast_baselines(content, series, last, steps)
    else:
        said, baselines = said[0], _baselines_far_ahead(content, series, origins)
    m = len(said)
    return Forecast(
        series=one.name,
        target=target,
        time_step=content.step if content.step in NAMED_STEPS else "row",
        known=one.values[-max(LEAST_SHOWN, SHOWN_BEFORE * m) :, 0].copy(),
        times=_times(one.times, content.step, max(LEAST_SHOWN, SHOWN_BEFORE * m), m),
        ahead=np.arange(1, m + 1),
        said=said,
        baselines=baselines,
        errors=np.broadcast_to(test.errors, m).copy(),
        baseline_errors={name: np.broadcast_to(errors, m).copy() for name, errors in test.baselines.items()},
        counts=np.broadcast_to(test.counts, m).copy(),
    )


def _baselines_far_ahead(content: SeriesContent, series: int, origins: np.ndarray) -> dict[str, np.ndarray]:
    """{name: (origins,)} what each says `horizon` rows after each origin, of those that say something of all."""
    each = [forecast_baselines(content, series, int(row), content.horizon) for row in origins]
    every = [name for name in each[0] if all(name in said for said in each)]
    return {name: np.array([said[name][-1] for said in each]) for name in every}


def _times(times: np.ndarray | None, step: str, shown: int, count: int) -> np.ndarray | None:
    return None if times is None else np.concatenate([times[-shown:], later_times(times, step, count)])


def later_times(times: np.ndarray, step: str, count: int) -> np.ndarray:
    """(count,) datetime64[s]: the times that follow, as the step of the data goes on.

    Args:
        times: (n,) datetime64[s], rising. step: as in `SeriesContent`.
    """
    last, ahead = times[-1], np.arange(1, count + 1)
    months = MONTHS.get(step) or (int(step.split()[0]) if step.endswith(" months") else 0)
    if months:
        month = last.astype("datetime64[M]")
        into = last - month.astype("datetime64[s]")
        begins = (month + months * ahead).astype("datetime64[s]")
        lengths = (month + months * ahead + 1).astype("datetime64[s]") - begins
        day = np.timedelta64(1, "D").astype("timedelta64[s]")
        clock = last - last.astype("datetime64[D]").astype("datetime64[s]")
        return begins + (lengths - day + clock if at_month_ends(times) else np.minimum(into, lengths - day + clock))
    if step == "weekday":
        days = np.busday_offset(last.astype("datetime64[D]"), ahead, roll="backward")
        return days.astype("datetime64[s]") + (last - last.astype("datetime64[D]").astype("datetime64[s]"))
    gaps, counts = np.unique(np.diff(times), return_counts=True)
    return last + gaps[counts.argmax()] * ahead
