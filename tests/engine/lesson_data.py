"""A lesson on own data, the file beside it, and readings that are over at once, or never."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.data import Dataset
from engine.preset.lesson_data import DATA, read_beside
from engine.reading import Reading

LESSON = """
order = 1
title = "Sales"
question = "Does it see the season?"
look_for = "The loss."
explains = "Now [make it narrow](set:hidden_size=4)."
data = "sales.csv"

[data_choices]
target = "sales"
test_share = 0.25

[experiment]
hidden_size = 8
"""
MONTHS = [f"{year}-{month:02d}" for year in range(2012, 2020) for month in range(1, 13)]
SALES = "month,price,sales\n" + "".join(
    f"{month},{number % 7},{100 + number + number % 12 * 9}\n" for number, month in enumerate(MONTHS)
)


class ReadAlready(Reading):
    """A reading that was over before it began; without a dataset one that never ends."""

    def __init__(self, dataset: Dataset | None) -> None:
        self.result, self.error = dataset, None

    @property
    def done(self) -> bool:
        return self.result is not None

    def stop(self) -> None:
        pass


def read_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the data of lessons be read in this process, at once."""

    def begin(path: Path, kind: str | None, choices: dict[str, Any]) -> Reading:
        return ReadAlready(read_beside(path.parent, path.name, choices | ({"kind": kind} if kind else {})))

    monkeypatch.setattr(DATA, "_begin", begin)


def read_never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the data of lessons be read for ever."""
    monkeypatch.setattr(DATA, "_begin", lambda *_: ReadAlready(None))
