"""The rows of a sweep as one Parquet file: a column for each setting that varies, and the measurements. No torch."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.many.measurement import Measurement
from engine.sweeps.definition import Definition
from engine.sweeps.journal import NOT_WRITTEN, SweepError
from engine.sweeps.row import Row, varied
from engine.whole_file import whole_file

FORMAT = 1
MEASURED = Measurement._fields[1:]  # without the number of the experiment, whose settings stand there
KEY = b"rnn_playground_sweep"
"""Of the file's metadata: JSON with settings, axes, seeds, updates, versions, and whether all is done."""


def write(path: Path, rows: Sequence[Row], definition: Definition, done: bool) -> None:
    """Write the rows, ordered by experiment and step. The file is the old one or the new one, never half of it.

    Args:
        done: False for a sweep that was cancelled.

    Raises:
        SweepError: if it cannot be written, as where the disk is full.
    """
    rows = sorted(rows, key=lambda row: (row.number, row.step, row.diverged))
    settings = rows[0].settings if rows else ()
    columns = {name: [row.settings[name] for row in rows] for name in settings}
    columns |= {name: [getattr(row, name) for row in rows] for name in MEASURED}
    table = pa.table(columns).replace_schema_metadata({KEY: json.dumps(_described(definition, done)).encode()})
    try:
        with whole_file(path) as file:
            pq.write_table(table, file)
    except OSError as error:
        raise SweepError(NOT_WRITTEN.format(path=path, why=error.strerror or error)) from error


def read(path: Path, definition: Definition) -> list[Row]:
    """The rows of a file that `write` has written, in their order; of a sweep that is not done those that it has.

    Raises:
        SweepError: if there is no such file, or it has the rows of another sweep than this one.
    """
    try:
        table = pq.read_table(path)
        said = json.loads(table.schema.metadata[KEY])
    except (OSError, pa.ArrowInvalid, KeyError, TypeError) as error:
        raise SweepError(f"{path} cannot be read as the table of a sweep: {error}.") from error
    if different := [name for name, value in _swept(definition).items() if said.get(name) != value]:
        raise SweepError(f"{path} has the rows of another sweep: it differs in {', '.join(different)}.")
    if not table.num_rows:
        return []
    every = varied(definition.experiments)
    number_of = {tuple(settings.values()): number for number, settings in enumerate(every)}
    settings = zip(*(table[name].to_pylist() for name in every[0]), strict=True)
    measured = zip(*(table[name].to_pylist() for name in MEASURED), strict=True)
    numbered = ((number_of[values], row) for values, row in zip(settings, measured, strict=True))
    return [Row.of(every[number], Measurement(number, *row)) for number, row in numbered]


def read_metadata(path: Path) -> dict[str, Any]:
    """What a file that `write` has written says of its sweep."""
    return json.loads(pq.read_schema(path).metadata[KEY])


def _described(definition: Definition, done: bool) -> dict[str, Any]:
    return {
        "format": FORMAT,
        **_swept(definition),
        "metric": definition.experiments[0].definition.metric.name,
        "done": done,
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "torch": version("torch")},
    }


def _swept(definition: Definition) -> dict[str, Any]:
    """What was swept: it is the same only for the same rows."""
    return {
        "experiment": dict(definition.base),
        "axes": {name: list(values) for name, values in definition.axes.items()},
        "seeds": list(definition.seeds),
        "updates": definition.updates,
        "measure_every": definition.measure_every,
    }
