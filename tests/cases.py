"""Many cases in few tests: quick ones together as subtests, slow grids as a normal run's part and a full run's rest."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import pytest


def for_each(axes: Mapping[str, Iterable[Any]]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Call a test once for every combination, each a subtest: all failures are reported, each with its case.

    For cases that are too quick to be a test each; the others are for `pytest.mark.parametrize`.

    Args:
        axes: {"one name": values, "two, names": tuples}.
    """

    def decorate(check: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(check)
        def test(subtests: pytest.Subtests) -> None:
            for values in product(*axes.values()):
                case: dict[str, Any] = {}
                for names, value in zip(axes, values, strict=True):
                    keys = names.split(", ")
                    case |= zip(keys, value if len(keys) > 1 else [value], strict=True)
                with subtests.test(**case):
                    check(**case)

        # pytest asks for fixtures by this signature, and looks for the place of the test in what is wrapped
        test.__signature__ = inspect.Signature([inspect.Parameter("subtests", inspect.Parameter.POSITIONAL_OR_KEYWORD)])
        return test

    return decorate


def grid(
    *axes: Sequence[Any], kept: Callable[..., object], possible: Callable[..., object] = lambda *values: True
) -> list[Any]:
    """All possible combinations for `parametrize`; those that are not kept are marked `full`.

    Args:
        kept: whether a combination belongs to the normal run, asked with the place of each value in its axis.
        possible: whether there is such a combination at all, asked with the values.
    """
    params = []
    for places in product(*(range(len(axis)) for axis in axes)):
        values = [axis[at] for axis, at in zip(axes, places, strict=True)]
        if possible(*values):
            params.append(pytest.param(*values, marks=() if kept(*places) else pytest.mark.full))
    return params


def in_turn(*places: int) -> bool:
    """Of every second combination, so that any two values of different axes meet or their neighbours do."""
    return sum(places) % 2 == 0
