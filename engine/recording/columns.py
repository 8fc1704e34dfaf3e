"""Frames as columns: every array and number stacked over frames, and the exact frames rebuilt from them. No torch.

Columns follow from the fields of Frame and their types, so a new field becomes a column without a change here. A column
is named by its path: "hidden", "gates.forget_gate", "spectrum.products.norm".
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
"""NumPy dtype kinds of the arrays that store numbers of each Python type."""


class ColumnError(ValueError):
    """Columns that are malformed, or from which no reading can be built; the message says which."""


@dataclass(frozen=True, eq=False)
class Column:
    """One field of many frames.

    Args:
        frames: numbers of the frames that have it, ascending; in the others the field is None.
        values: (len(frames), ...), one row for each of them.
    """

    frames: tuple[int, ...]
    values: np.ndarray

    @functools.cached_property
    def rows(self) -> dict[int, int]:
        """{frame number: row in `values`}"""
        return {frame: row for row, frame in enumerate(self.frames)}


def columns_of(frames: Sequence[FrozenArrays]) -> dict[str, Column]:
    """Stack every array and number of all frames, by path. Other values (the verdict) are left out.

    Raises:
        ColumnError: if frames differ in the shape or type of a field, so they are not of one run.
    """
    entries: dict[str, list[tuple[int, np.ndarray]]] = {}
    for number, frame in enumerate(frames):
        for path, value in leaves(frame):
            entries.setdefault(path, []).append((number, np.asarray(value)))
    columns = {}
    for path, pairs in entries.items():
        numbers, arrays = zip(*pairs, strict=True)
        if len({(array.shape, array.dtype) for array in arrays}) > 1:
            raise ColumnError(f"Frames differ in the shape or type of {path}: they are not of one run.")
        columns[path] = Column(numbers, np.stack(arrays))
    return columns


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every array and number inside a reading, with its path."""
    if isinstance(value, FrozenArrays):
        inside = {field.name: getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, dict):
        inside = value
    else:
        if isinstance(value, np.ndarray | np.generic | bool | int | float):
            yield path, value
        return
    for name, item in inside.items():
        yield from leaves(item, f"{path}.{name}" if path else name)


def reading(kind: type, columns: Mapping[str, Column], frame: int, given: Mapping[str, Any], path: str = "") -> Any:
    """Build the reading at a path of one frame. Arrays are read-only views of their columns.

    Args:
        kind: class of the reading.
        given: values of fields that are not columns, by path.

    Raises:
        ColumnError: if a field is missing or has the wrong type.
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
    hints, result = get_type_hints(kind), {}
    for field in fields(kind):
        hint = hints[field.name]
        options = get_args(hint) if get_origin(hint) is types.UnionType else (hint,)
        accepted = next(option for option in options if option is not types.NoneType)
        result[field.name] = (accepted, types.NoneType in options, field.default is MISSING)
    return result


def _value(accepted: Any, columns: Mapping[str, Column], frame: int, given: Mapping[str, Any], path: str) -> Any:
    """The value at this path, None if there is none; for a dictionary, an empty one."""
    if get_origin(accepted) is dict:
        inside = [name for name in columns if name.startswith(f"{path}.")]
        items = {name[len(path) + 1 :]: _read_leaf(np.ndarray, columns[name], frame, name) for name in inside}
        return {name: value for name, value in items.items() if value is not None}
    if issubclass(accepted, FrozenArrays):
        exists = any(name.startswith(f"{path}.") and frame in column.rows for name, column in columns.items())
        return reading(accepted, columns, frame, given, path) if exists else None
    return _read_leaf(accepted, columns[path], frame, path) if path in columns else None


def _read_leaf(accepted: type, column: Column, frame: int, path: str) -> Any:
    """An array, or a number of the accepted type; None if this frame has none."""
    if frame not in column.rows:
        return None
    value = column.values[column.rows[frame], ...]
    if accepted is np.ndarray:
        return value
    if accepted not in NUMBERS or value.ndim or value.dtype.kind not in NUMBERS[accepted]:
        raise ColumnError(f"{path} holds no numbers of the right kind.")
    return accepted(value)
