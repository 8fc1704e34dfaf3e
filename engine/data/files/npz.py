"""Arrays of a .npz file. Nothing is unpickled, and no more is unpacked than the archive's directory says."""

from __future__ import annotations

import io
import math
import zipfile
from typing import Any

import numpy as np

from engine.data.columns.cells import class_name
from engine.data.files.structured import Arrays
from engine.data.limits import MAX_UNPACKED_BYTES
from engine.data.problems import DataError, Notes, named
from engine.number_format import count

VALUES = ("x", "data", "inputs", "sequences", "series", "arr_0")
LABELS = ("y", "labels", "label", "targets", "target", "classes", "arr_1")
EXPECTED = "expected 'x' of shape (sequences, steps, channels) and perhaps 'y' with a class for each"


def read_npz(data: bytes, notes: Notes, choices: dict[str, Any]) -> Arrays:
    """The sequences of the archive, and their classes where it has some.

    'x_train' and 'x_test' are put together, and the split is kept. Which axis is time: the number of classes decides,
    else the choice `time_first`; without either the sequences stand first.

    Raises:
        DataError: for arrays of Python objects, broken archives and shapes that are no sequences.
    """
    arrays = _unpacked(data)
    names = {name.lower(): name for name in reversed(arrays)}
    parts = [("x_train", "y_train"), ("x_test", "y_test")]
    if all(x in names for x, _ in parts):
        found = [_part(arrays, names[x], _of_classes(arrays, names.get(y), notes), notes, choices) for x, y in parts]
        values = [array for part, _ in found for array in part]
        labelled = all(labels is not None for _, labels in found)
        labels = [label for _, part in found for label in part or ()] if labelled else None
        held = np.repeat([False, True], [len(part) for part, _ in found])
        notes.say(
            f"The file has a part for training and one for testing; the {held.sum()} sequences of that are held out."
        )
        return Arrays(values, labels, np.arange(1, len(values) + 1), "y" if labelled else None, held)
    x = next((names[name] for name in (*VALUES, "x_train") if name in names), None)
    if x is None:
        x = max(arrays, key=lambda name: (arrays[name].ndim, arrays[name].size))
    y = next((names[name] for name in (*LABELS, "y_train") if name in names and names[name] != x), None)
    others = [name for name in arrays if name not in (x, y)]
    y = _of_classes(arrays, y, notes)
    values, labels = _part(arrays, x, y, notes, choices)
    if others:
        notes.say(f"Of the arrays '{x}' holds the sequences; {named(others)} left out.", None, x)
    return Arrays(values, labels, np.arange(1, len(values) + 1), y)


def _of_classes(arrays: dict[str, np.ndarray], name: str | None, notes: Notes) -> str | None:
    """The name of the array of classes, if it has one entry for each sequence; else None, which is said."""
    if name is None or arrays[name].ndim == 1 or arrays[name].shape[1:] == (1,):
        return name
    notes.say(
        f"'{name}' has shape {arrays[name].shape}, but one class for each sequence is expected; it is left out, and "
        "the question is the next step.",
        None,
        name,
    )
    return None


def _part(
    arrays: dict[str, np.ndarray], x: str, y: str | None, notes: Notes, choices: dict[str, Any]
) -> tuple[list[np.ndarray], list[str | None] | None]:
    """The sequences of one array and the classes of another."""
    values, shape = arrays[x], arrays[x].shape
    if values.ndim not in (2, 3) or values.dtype.kind not in "fiub" or not values.size:
        there = ", ".join(f"'{name}' {each.shape} of {each.dtype}" for name, each in arrays.items())
        raise DataError(f"No array of sequences was found; {EXPECTED}. There are: {there[:300]}.", None, x)
    values = values[:, :, None] if values.ndim == 2 else values
    labels = None if y is None else list(arrays[y].ravel())
    if labels is not None and len(labels) != len(values):
        if len(labels) != values.shape[1]:
            raise DataError(
                f"'{x}' has {len(values)} sequences, but '{y}' has {len(labels)} classes; {EXPECTED}.", None, y
            )
        values = values.transpose(1, 0, 2)
        notes.say(
            f"'{x}' has shape {shape} and '{y}' {len(labels)} entries: time is taken to be the first axis.", None, x
        )
    elif labels is None or choices.get("time_first"):
        values = values.transpose(1, 0, 2) if choices.get("time_first") and labels is None else values
        n, steps, channels = values.shape
        read = f"read as {count(n, 'sequence')} of {count(steps, 'step')} with {count(channels, 'channel')}"
        notes.say(f"'{x}' has shape {shape}: {read}. Choose whether time comes first if it is the other way.", None, x)
    return list(values.astype(float)), None if labels is None else [class_name(label) for label in labels]


def _unpacked(data: bytes) -> dict[str, np.ndarray]:
    """The arrays by name.

    Raises:
        DataError: before anything is allocated that is larger than its member of the archive.
    """
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MAX_UNPACKED_BYTES:
                most = MAX_UNPACKED_BYTES / 1e6
                raise DataError(f"Unpacked, the file would have {size / 1e6:,.0f} MB; at most {most:.0f} MB are read.")
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                arrays[name] = _array(archive.read(member), name)
    except DataError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise a dozen types for broken bytes
        raise DataError(f"The .npz file cannot be read: {str(error)[:100] or type(error).__name__}.") from None
    if not arrays:
        raise DataError(f"The .npz file holds no arrays; {EXPECTED}.")
    return arrays


def _array(data: bytes, name: str) -> np.ndarray:
    """One member. Its header must not claim more numbers than there are bytes."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise DataError(
            f"The array '{name}' holds Python objects, which are never unpickled. Save numbers or texts.", None, name
        )
    claimed, there = math.prod(shape) * dtype.itemsize, len(data) - stream.tell()
    if claimed > there:
        raise DataError(
            f"The array '{name}' claims {claimed:,} bytes, but only {there:,} are there: the file is broken.",
            None,
            name,
        )
    stream.seek(0)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
