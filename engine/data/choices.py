"""What a person may choose in place of a guess: names, the kinds they matter to, and the values that are accepted."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.data.dataset import KINDS
from engine.data.files.delimited import DELIMITERS as SHORT_DELIMITERS
from engine.data.files.delimited import LONG_DELIMITERS
from engine.data.kinds.tokens import CHARACTERS, WORDS
from engine.data.limits import TEST_SHARES
from engine.data.problems import DataError, Notes

FORMS = ("one of", "yes or no", "whole number", "number", "text", "encoding", "column", "columns")
"""What a value looks like. Columns are named as in the table; several are a list of names, which may be empty."""
MAX_NAME = 1_000  # characters of a name


@dataclass(frozen=True)
class Accepts:
    """The values that a choice accepts.

    Args:
        form: one of FORMS.
        options: of "one of": the values; of "encoding": the usual ones, others that Python knows are accepted too.
        low, high: bounds of a number, both included.
        none: of "text": "" is accepted, and means that there is none.
    """

    form: str
    options: tuple[str, ...] = ()
    low: float = 0
    high: float = 0
    none: bool = False

    @property
    def sentence(self) -> str:
        """As an error says it: "a whole number from 2 to 100"."""
        match self.form:
            case "one of":
                return "one of " + ", ".join(repr(each) for each in self.options)
            case "whole number" | "number":
                return f"a {self.form} from {self.low:g} to {self.high:,g}"
            case "yes or no":
                return "True or False"
            case "encoding":
                return "the name of a character encoding, such as " + ", ".join(self.options[:3])
            case "columns":
                return "a list of names of columns"
            case "column":
                return "the name of a column"
        return 'a text, or "" for none' if self.none else "a text"

    def allow(self, value: object) -> bool:
        """Whether the value is one of those."""
        match self.form:
            case "one of":
                return isinstance(value, str) and value in self.options
            case "yes or no":
                return isinstance(value, bool)
            case "whole number":
                return isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high
            case "number":
                number = isinstance(value, int | float) and not isinstance(value, bool)
                return number and math.isfinite(value) and self.low <= value <= self.high  # type: ignore[arg-type, operator]
            case "encoding":
                return isinstance(value, str) and _known_encoding(value)
            case "columns":
                return isinstance(value, list) and all(_is_name(each) for each in value)
        return _is_name(value) or (self.none and value == "")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_NAME


def _known_encoding(name: str) -> bool:
    """Python decodes bytes to text by it. (Its codecs for packing, such as "zip", it refuses itself.)"""
    try:
        b"a".decode(name)
    except (LookupError, ValueError):  # ValueError: a NUL in the name, or an encoding that one byte cannot be in
        return name.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))
    return True


@dataclass(frozen=True)
class Choice:
    """Something that a person may choose.

    Args:
        name: as `read` and the `task_options` of an experiment call it.
        kinds: the kinds of data to which it matters.
        accepts: its values.
        says: the label of its widget.
    """

    name: str
    kinds: tuple[str, ...]
    accepts: Accepts
    says: str


ENCODINGS = ("utf-8", "utf-16", "cp1252", "latin-1", "cp1250", "cp1251", "cp1253", "shift_jis", "gb18030", "euc_kr")
DELIMITERS = (*SHORT_DELIMITERS, *LONG_DELIMITERS)
TRANSFORMS = ("none", "log", "differences", "log differences")
UNITS = (CHARACTERS, WORDS)
MEANS = ("none", "minute", "hour", "day", "week", "month", "year")
LEAST, MOST = TEST_SHARES
MAX_WINDOW, MAX_PERIOD, MAX_THIN = 1_000, 100_000, 1_000

CHOICES = {
    choice.name: choice
    for choice in (
        Choice("name", KINDS, Accepts("text"), "Name"),
        Choice("encoding", KINDS, Accepts("encoding", ENCODINGS), "Character encoding"),
        Choice("delimiter", KINDS, Accepts("one of", DELIMITERS), "Delimiter"),
        Choice("header", KINDS, Accepts("yes or no"), "The first line names the columns"),
        Choice("sheet", KINDS, Accepts("text"), "Sheet"),
        Choice("decimal", KINDS, Accepts("one of", (",", ".")), "Decimal sign"),
        Choice("dayfirst", KINDS, Accepts("yes or no"), "The day stands before the month"),
        Choice("time", ("series",), Accepts("text", none=True), "Time"),
        Choice("target", ("series", "pairs"), Accepts("column"), "Target"),
        Choice("inputs", ("series",), Accepts("columns"), "Inputs"),
        Choice("ids", ("series",), Accepts("columns"), "Columns that name the series"),
        Choice("means", ("series",), Accepts("one of", MEANS), "Values"),
        Choice("window", ("series",), Accepts("whole number", low=2, high=MAX_WINDOW), "Window, in steps"),
        Choice("horizon", ("series",), Accepts("whole number", low=1, high=MAX_WINDOW), "Horizon, in steps"),
        Choice("period", ("series",), Accepts("whole number", low=0, high=MAX_PERIOD), "Period, in steps (0: none)"),
        Choice("transform", ("series",), Accepts("one of", TRANSFORMS), "What is asked"),
        Choice("text", ("text", "labelled", "tagged"), Accepts("column"), "Text"),
        Choice("label", ("labelled", "tagged", "sequences"), Accepts("column"), "Class"),
        Choice("unit", ("text", "labelled", "pairs"), Accepts("one of", UNITS), "Read as"),
        Choice("source", ("pairs",), Accepts("column"), "Source"),
        Choice("time_first", ("sequences",), Accepts("yes or no"), "Arrays are (steps, sequences, channels)"),
        Choice("thin", ("sequences",), Accepts("whole number", low=1, high=MAX_THIN), "Steps averaged into one"),
        Choice("test_share", KINDS, Accepts("number", low=LEAST, high=MOST), "Share that is held out"),
    )
}


def checked(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that were made: those that are None are left to be guessed, and tuples become lists.

    Raises:
        DataError: for one that is not known, or a value that is not accepted.
    """
    made = {}
    for name, value in choices.items():
        if name not in CHOICES:
            raise DataError(f"The choice '{name}' is not known; there are {', '.join(CHOICES)}.")
        if value is None:
            continue
        value = list(value) if isinstance(value, tuple) else value
        accepts = CHOICES[name].accepts
        if not accepts.allow(value):
            raise DataError(f"The choice '{name}' is {repr(value)[:60]}, but {accepts.sentence} is expected.")
        made[name] = value
    return made


def say_idle(choices: Mapping[str, Any], kind: str, notes: Notes) -> None:
    """Say which of these choices mean nothing to the kind that was found."""
    for name in choices:
        if kind not in CHOICES[name].kinds:
            notes.say(
                f"The choice '{name}' means nothing to data of the kind '{kind}'; it changes nothing.", harmless=True
            )
