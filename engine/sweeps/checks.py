"""Checks of the values that a sweep's file has, each returning the value or raising an error that names its field."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from engine.experiment import ExperimentError
from engine.limits import Range

ANYTHING = Range(-1e12, 1e12)


def a_number(field: str, value: Any, limits: Range) -> Any:
    """A number within these limits."""
    if not limits.holds(value):
        raise ExperimentError(field, got=value, accepts=str(limits))
    return value


def a_text(field: str, value: Any) -> str:
    """A text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ExperimentError(field, got=value, accepts="a text")
    return value


def a_list(field: str, value: Any) -> list:
    """A list with at least one value."""
    if not isinstance(value, list) or not value:
        raise ExperimentError(field, got=value, accepts="a list with at least one value")
    return value


def a_table(field: str, value: Any, of: str) -> dict[str, Any]:
    """A table; `of` says what it has."""
    if not isinstance(value, dict):
        raise ExperimentError(field, got=value, accepts=f"a table with {of}")
    return value


def one_of(field: str, value: Any, names: Collection[str]) -> str:
    """One of these names."""
    if not isinstance(value, str) or value not in names:
        raise ExperimentError(field, got=value, accepts=f"one of {', '.join(names)}")
    return value


def known_keys(given: Mapping[str, Any], keys: Collection[str], within: str = "") -> None:
    """Check that a table has no other keys; `within` is its name and a point, or "" for the whole file."""
    for name, value in given.items():
        if name not in keys:
            raise ExperimentError(f"{within}{name}", got=value, accepts=f"left out, for the keys are {', '.join(keys)}")
