"""Parquet files, read by pyarrow."""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from engine.data.files.tabulate import table_of_frame
from engine.data.limits import MAX_COLUMNS, MAX_ROWS, MAX_UNPACKED_BYTES
from engine.data.problems import DataError, Notes
from engine.data.table import Table


def read_table(data: bytes, notes: Notes, choices: dict[str, Any]) -> Table:
    """The table of a Parquet file; `lines` are its rows, counted from 1. No choice counts.

    Raises:
        DataError: the file is broken or too large, or has no column of numbers, times or texts.
    """
    frame = _frame(data, notes)
    if any(name is not None for name in frame.index.names) or isinstance(frame.index, pd.DatetimeIndex):
        frame = frame.reset_index(allow_duplicates=True)  # the table gives equal names another ending
    if not len(frame) or not frame.shape[1]:
        raise DataError("The Parquet file has no rows.", 1)
    return table_of_frame(frame)


def _frame(data: bytes, notes: Notes) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(io.BytesIO(data))
        words = [field.name for field in schema if field.type in (pa.string(), pa.large_string())]
        # Kept as a dictionary, a text that repeats is one text: a small file cannot become a huge one.
        file = pq.ParquetFile(io.BytesIO(data), read_dictionary=words)
    except Exception as error:  # whatever a broken file makes pyarrow stumble over
        raise DataError(f"The Parquet file cannot be read: {str(error)[:100]}.") from None
    _refuse_large(file.metadata)
    nested = [field.name for field in schema if pa.types.is_nested(field.type) or pa.types.is_binary(field.type)]
    for name in nested:
        notes.say(f"Column '{name}' holds lists or bytes; it is left out.", None, name)
    try:
        table = file.read(columns=[name for name in schema.names if name not in nested])
        return table.to_pandas()
    except Exception as error:
        raise DataError(f"The Parquet file cannot be read: {str(error)[:100]}.") from None


def _refuse_large(metadata: Any) -> None:
    rows, columns = metadata.num_rows, metadata.num_columns
    if rows > MAX_ROWS or columns > MAX_COLUMNS:
        most = f"at most {MAX_ROWS:,} and {MAX_COLUMNS:,} are read"
        raise DataError(f"The Parquet file has {rows:,} rows and {columns:,} columns; {most}.")
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    if size > MAX_UNPACKED_BYTES:
        most = f"at most {MAX_UNPACKED_BYTES / 1e6:.0f} MB are read"
        raise DataError(f"Unpacked, the Parquet file would have {size / 1e6:,.0f} MB; {most}.")
