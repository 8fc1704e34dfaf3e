"""What a sweep is, read from a file: settings that all have, axes along which they vary, and seeds. No torch.

updates = 1000
measure_every = 100
seeds = [0, 1, 2]

[experiment]                    # any field of engine.experiment.Experiment
task = "first_symbol_recall"
cell = "rnn"

[axes]                          # fields again, each with its values
seq_len = [10, 20, 40]
init_gain = { from = 0.5, to = 2.0, count = 8, log = true }

[map] and [[claims]] may say how the sweep is drawn, and what is seen there: `engine.sweeps.map_view`.
"""

from __future__ import annotations

import dataclasses
import itertools
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import RANGES, Experiment, ExperimentError
from engine.limits import Range
from engine.sweeps.checks import ANYTHING, a_list, a_number, a_table, known_keys
from engine.sweeps.map_view import MapView, parse_map

KEYS = ("updates", "measure_every", "seeds", "experiment", "axes", "map", "claims")
SPAN = ("from", "to", "count", "log")
COUNT, UPDATES = Range(2, 10_000, whole=True), Range(1, 10_000_000, whole=True)
MOST = 100_000
"""Experiments of a sweep at most."""


@dataclass(frozen=True)
class Definition:
    """What a sweep is.

    Args:
        experiments: the base settings with every combination of the axes' values and seeds; the seed varies fastest.
        base: settings that all have. axes: {name: values}. seeds: of every combination.
        updates: of each network. measure_every: updates between two measurements.
        map: how it is drawn; None if the file does not say. It changes nothing of what is trained.
    """

    experiments: tuple[Experiment, ...]
    base: Mapping[str, Any]
    axes: Mapping[str, tuple]
    seeds: tuple[int, ...]
    updates: int
    measure_every: int
    map: MapView | None = None


def parse(text: str) -> Definition:
    """Read the definition of a sweep, a text in TOML.

    Raises:
        ExperimentError: for anything that is wrong, with the name of the field and what it accepts.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExperimentError("The file", got=str(error), accepts="a text in TOML") from error
    known_keys(table, KEYS)
    base, axes = (a_table(name, table.get(name, {}), "names of settings") for name in ("experiment", "axes"))
    updates = a_number("updates", table.get("updates"), UPDATES)
    every = a_number("measure_every", table.get("measure_every", max(1, updates // 10)), UPDATES)
    seeds = tuple(a_number("seeds", seed, RANGES["seed"]) for seed in a_list("seeds", table.get("seeds", [0])))
    values = {name: _values(name, given) for name, given in axes.items()}
    for name in values:
        if name in base or name == "seed":
            where = "in seeds" if name == "seed" else "either in [experiment] or in [axes]"
            raise ExperimentError(f"axes.{name}", got=axes[name], accepts=f"left out: {name} stands {where}")
    shown = parse_map(table, values)
    return Definition(_combined(base, values, seeds), base, values, seeds, updates, every, shown)


def _combined(base: dict[str, Any], axes: Mapping[str, tuple], seeds: Sequence[int]) -> tuple[Experiment, ...]:
    """Every combination."""
    count = len(seeds) * int(np.prod([len(values) for values in axes.values()], dtype=float))
    if count > MOST:
        raise ExperimentError("axes", got=f"{count:,} combinations", accepts=f"such that there are at most {MOST:,}")
    return tuple(
        Experiment.from_dict({**base, **dict(zip(axes, chosen, strict=True)), "seed": seed})
        for chosen in itertools.product(*axes.values())
        for seed in seeds
    )


def _values(name: str, given: object) -> tuple:
    """The values of an axis: a list of them, or a span."""
    field = f"axes.{name}"
    known = [each.name for each in dataclasses.fields(Experiment)]
    if name not in known:
        raise ExperimentError(field, got=given, accepts=f"one of the settings {', '.join(known)}")
    if isinstance(given, dict):
        return _span(field, given, whole=name in RANGES and RANGES[name].whole)
    return tuple(a_list(field, given))


def _span(field: str, given: dict[str, Any], whole: bool) -> tuple:
    """Numbers at even distances, or in even proportions if `log`; both ends are among them."""
    if not {"from", "to", "count"} <= set(given) <= set(SPAN):
        raise ExperimentError(field, got=given, accepts="a list, or { from = 0.5, to = 2.0, count = 8, log = true }")
    low, high = (a_number(f"{field}.{end}", given[end], ANYTHING) for end in ("from", "to"))
    count, log = a_number(f"{field}.count", given["count"], COUNT), given.get("log", False)
    if not isinstance(log, bool):
        raise ExperimentError(f"{field}.log", got=log, accepts="true or false")
    if log and min(low, high) <= 0:
        raise ExperimentError(field, got=given, accepts="between numbers above 0 if log is true")
    return spread(low, high, count, log=log, whole=whole)


def spread(low: float, high: float, count: int, *, log: bool, whole: bool) -> tuple:
    """Numbers at even distances, or in even proportions if `log`; whole ones are rounded, and none comes twice."""
    numbers = np.geomspace(low, high, count) if log else np.linspace(low, high, count)
    if whole:
        return tuple(dict.fromkeys(numbers.round().astype(int).tolist()))
    return tuple(float(f"{number:.6g}") for number in numbers)
