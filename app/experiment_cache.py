"""Results that belong to an experiment, kept without keeping somebody's own data beyond those who need them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar
from weakref import WeakKeyDictionary

from engine.experiment import Experiment
from engine.tasks import OWN_DATA, Task

P = ParamSpec("P")
Result = TypeVar("Result")
Function = Callable[Concatenate[Experiment, P], Result]


def cached_by_experiment(maxsize: int) -> Callable[[Function[P, Result]], Function[P, Result]]:
    """As `functools.lru_cache`, for a function of an experiment and perhaps more positional arguments.

    An experiment on somebody's own data holds them, so it is no key here: what was computed of it is kept by its task,
    and forgotten with it.

    Args:
        maxsize: of results of experiments of the catalogue, and of those of one task of own data.
    """

    def decorate(compute: Function[P, Result]) -> Function[P, Result]:
        of_catalogue = functools.lru_cache(maxsize)(compute)
        of_own: WeakKeyDictionary[Task, dict[str, Result]] = WeakKeyDictionary()

        @functools.wraps(compute)
        def cached(experiment: Experiment, *args: P.args, **kwargs: P.kwargs) -> Result:
            if experiment.task != OWN_DATA:
                return of_catalogue(experiment, *args, **kwargs)
            kept = of_own.setdefault(experiment.definition, {})
            key = json.dumps([experiment.to_dict(), args, kwargs], sort_keys=True)
            if key not in kept:
                if len(kept) >= maxsize:
                    kept.clear()
                kept[key] = compute(experiment, *args, **kwargs)
            return kept[key]

        return cached

    return decorate
