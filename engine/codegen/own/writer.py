"""What the parts of a script on somebody's own data are made of: constants, functions, and names of the engine."""

from __future__ import annotations

import pprint
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from engine.codegen.packed import fits, packed

MAX_PACKED = 4_000_000
"""Characters of packed numbers in a script; an editor still opens it."""
FEW_RUNS = 6  # of whole numbers that are written as ranges
FEW_VALUES = 12
LONG = 100  # characters of a line and its comment from which on the comment stands above
WIDTH = 112  # characters of a line of names
SHORT = 50  # characters of a list that stays in its line
MAX_NAME = 40  # characters of a name in a comment
SMALL_TYPES = (np.uint8, np.uint16, np.int32, np.int64)


class ScriptError(ValueError):
    """Own data that a script cannot hold, in a sentence."""


@dataclass
class Own:
    """A data section in the making.

    Args:
        parts: constants and functions, in an order that can be executed.
        imports: import statements. engine: (module, name) of what is copied from the engine.
        names: of the engine's names, those that say how batches are made (`ScriptSpec`).
        draw: the expression that draws a batch, using `rng`, `batch_size` and `split`.
        size: characters of packed numbers.
    """

    parts: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    engine: list[tuple[str, str]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    draw: str = "draw(rng, batch_size, split)"
    size: int = 0

    @property
    def text(self) -> str:
        """The whole section: no empty lines between constants, two around functions."""
        text = self.parts[0]
        for before, after in pairwise(self.parts):
            close = not (before.startswith("def ") or after.startswith("def "))
            text += ("\n" if close else "\n\n\n") + after
        return text

    def need(self, module: str, *names: str) -> None:
        """Copy definitions of the engine."""
        self.engine += [(module, name) for name in names]

    def add(self, *lines: str | None) -> None:
        """Add a definition, line by line; None is skipped."""
        self.parts.append("\n".join(line for line in lines if line is not None))

    def constant(self, line: str, says: str = "") -> None:
        """Add an assignment, with a comment beside it or, where the line is full, above it."""
        if not says or len(line) + len(says) < LONG:
            self.add(f"{line}  # {says}" if says else line)
        else:
            self.add(f"# {says[0].upper()}{says[1:]}.", line)

    def whole_numbers(self, name: str, values: np.ndarray | Sequence[int], says: str = "") -> None:
        """Add a constant array of whole numbers: as ranges where they are few, else packed."""
        values = np.asarray(values, np.int64).ravel()
        if len(values) <= FEW_VALUES:
            self.constant(f"{name} = np.array({values.tolist()}, np.int64)", says)
        elif len(runs := _runs(values)) <= FEW_RUNS:
            self.constant(f"{name} = np.r_[{', '.join(runs)}]", says)
        else:
            low, high = int(values.min()), int(values.max())
            kind = next(each for each in SMALL_TYPES if np.iinfo(each).min <= low and high <= np.iinfo(each).max)
            self._pack(f"{name}_PACKED", values.astype(kind), says)
            self.add(f"{name} = np.frombuffer(unpacked({name}_PACKED), np.{kind.__name__}).astype(np.int64)")

    def numbers(self, name: str, values: np.ndarray, says: str) -> None:
        """Add a constant array of numbers, (rows, channels), packed as they are."""
        self._pack(f"{name}_PACKED", values, says)
        shape = f".reshape(-1, {values.shape[1]})" if values.ndim > 1 else ""
        self.add(f"{name} = np.frombuffer(unpacked({name}_PACKED), np.{values.dtype.name}){shape}")

    def _pack(self, name: str, values: np.ndarray, says: str) -> None:
        content = np.ascontiguousarray(values).tobytes()
        text = packed(name, content) if fits(content, MAX_PACKED - self.size) else ""
        self.size += len(text)
        if not text or self.size > MAX_PACKED:
            raise ScriptError(
                f"These data are too many to be written into a script: it would have more than {MAX_PACKED:,} "
                "characters of packed numbers. Bring fewer rows, or the data as a CSV file, which a script can read."
            )
        self.names.add("unpacked")
        self.imports |= {"import base64", "import zlib"}
        self.add(f"# {says[0].upper()}{says[1:]}." if says else None, text)


def _runs(values: np.ndarray) -> list[str]:
    """Whole numbers as slices of `np.r_`, rising or falling by one; more than FEW_RUNS are not all of them."""
    steps = np.diff(values)
    runs: list[str] = []
    start = 0
    while start < len(values) and len(runs) <= FEW_RUNS:
        step = int(steps[start]) if start < len(steps) and abs(int(steps[start])) == 1 else 1
        other = np.flatnonzero(steps[start:] != step)
        end = start + int(other[0]) + 1 if len(other) else len(values)
        first, stop = int(values[start]), int(values[end - 1]) + step
        if step < 0 and stop < 0:  # a slice cannot say so
            return ["0"] * (FEW_RUNS + 1)
        runs.append(f"{first}:{stop}" + (":-1" if step < 0 else ""))
        start = end
    return runs


def commented(name: str, most: int | None = MAX_NAME) -> str:
    """A name or sentence of somebody's data as a comment can hold it: in one line, of at most so many characters."""
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in name).split())
    return shown if most is None or len(shown) <= most else f"{shown[: most - 1]}…"


def quoted(text: str) -> str:
    """A text as Python reads it again, in double quotes if it has none itself."""
    written = repr(text)
    return written if "'" in text or '"' in text else f'"{written[1:-1]}"'


def listed(names: Sequence[str]) -> str:
    """Names as a list that Python reads again, in lines that are not too long."""
    text = pprint.pformat(list(names), width=WIDTH, compact=True)
    if len(text) < SHORT:
        return text
    return "\n".join(["[", *(f"    {line.strip()}" for line in text[1:-1].split("\n")), "]"])


def checked(expression: str, values: np.ndarray, what: str) -> list[str]:
    """Lines of a function that compare what was read with what the playground read. what: "texts"."""
    return [
        f"    if zlib.crc32({expression}.tobytes()) != {zlib.crc32(values.tobytes())}:",
        f'        raise SystemExit("The {what} were not read as the playground has read them.")',
    ]
