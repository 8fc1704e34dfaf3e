"""Frames as columns: every array and number of theirs stacked over frames, and built again, exactly. No torch.

What a frame holds is read from its fields and their types, so that a field that is new is a column by itself. A column
is named after the path that leads to it: "hidden", "gates.forget_gate", "spectrum.products.norm".
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from engine.frame.frozen import FrozenArrays

NUMBERS = {bool: "b", int: "iu", float: "f"}
"""The kinds of array (numpy's letters) that numbers of a type are stacked in."""


class ColumnError(ValueError):
    """Columns that are none, or out of which no reading can be built; says which."""


@dataclass(frozen=True, eq=False)
class Column:
    """One field of many frames.

    Args:
        frames: the numbers of the frames that have it, rising; the others have None there.
        values: (frames, ...), of each of them in turn.
    """

    frames: tuple[int, ...]
    values: np.ndarray

    @functools.cached_property
    def rows(self) -> dict[int, int]:
        """{frame: where it stands in values}"""
        return {frame: row for row, frame in enumerate(self.frames)}


def columns_of(frames: Sequence[FrozenArrays]) -> dict[str, Column]:
    """Every array and number of every frame, by path. What is neither (a verdict) is left out.

    Raises:
        ColumnError: where frames differ in the shape or type of a field, and so are not of one run.
    """
    found: dict[str, list[tuple[int, np.ndarray]]] = {}
    for number, frame in enumerate(frames):
        for path, value in leaves(frame):
            found.setdefault(path, []).append((number, np.asarray(value)))
    columns = {}
    for path, pairs in found.items():
        numbers, arrays = zip(*pairs, strict=True)
        if len({(each.shape, each.dtype) for each in arrays}) > 1:
            raise ColumnError(f"Frames differ in the shape or type of {path}: they are not of one run.")
        columns[path] = Column(numbers, np.stack(arrays))
    return columns


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every array and number inside a reading, with the path that leads to it."""
    if isinstance(value, FrozenArrays):
        inside = {each.name: getattr(value, each.name) for each in fields(value)}
    elif isinstance(value, dict):
        inside = value
    else:
        if isinstance(value, np.ndarray | np.generic | bool | int | float):
            yield path, value
        return
    for name, each in inside.items():
        yield from leaves(each, f"{path}.{name}" if path else name)


def reading(kind: type, columns: Mapping[str, Column], frame: int, given: Mapping[str, Any], path: str = "") -> Any:
    """The reading of this kind that one frame has at a path. Arrays are read-only views of their columns.

    Args:
        given: values of fields that are no columns, by path.

    Raises:
        ColumnError: where a field is missing, or of another type.
    """
    values = {}
    for name, (accepted, may_be_none, required) in _fields(kind).items():
        inside = f"{path}.{name}" if path else name
        if inside in given:
            values[name] = given[inside]
        elif (value := _value(accepted, columns, frame, given, inside)) is not None:
            values[name] = value
        elif may_be_none:
            values[name] = None
        elif required:
            raise ColumnError(f"{inside} is missing.")
    return kind(**values)


@functools.cache
def _fields(kind: type) -> dict[str, tuple[Any, bool, bool]]:
    """{field: (its type, it may be None, it has no default)}"""
    hints, found = get_type_hints(kind), {}
    for each in fields(kind):
        options = get_args(hints[each.name]) if get_origin(hints[each.name]) is types.UnionType else (hints[each.name],)
        accepted = next(option for option in options if option is not types.NoneType)
        found[each.name] = (accepted, types.NoneType in options, each.default is MISSING)
    return found


def _value(accepted: Any, columns: Mapping[str, Column], frame: int, given: Mapping[str, Any], path: str) -> Any:
    """What stands at this path, None where nothing does; a dictionary is at least empty."""
    if get_origin(accepted) is dict:
        inside = [each for each in columns if each.startswith(f"{path}.")]
        found = {each[len(path) + 1 :]: _read_leaf(np.ndarray, columns[each], frame, each) for each in inside}
        return {name: value for name, value in found.items() if value is not None}
    if issubclass(accepted, FrozenArrays):
        there = any(each.startswith(f"{path}.") and frame in columns[each].rows for each in columns)
        return reading(accepted, columns, frame, given, path) if there else None
    return _read_leaf(accepted, columns[path], frame, path) if path in columns else None


def _read_leaf(accepted: type, column: Column, frame: int, path: str) -> Any:
    """An array, or a number of the accepted type; None where this frame has none."""
    if frame not in column.rows:
        return None
    value = column.values[column.rows[frame], ...]
    if accepted is np.ndarray:
        return value
    if accepted not in NUMBERS or value.ndim or value.dtype.kind not in NUMBERS[accepted]:
        raise ColumnError(f"{path} holds no numbers of the right kind.")
    return accepted(value)
