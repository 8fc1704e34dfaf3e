"""The table of cures that were tried, `presets/cures.csv`, and what it adds up to. No torch."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.diagnosis import GOOD_KINDS, LEARNING_SHARE
from engine.experiment import Experiment
from engine.preset import FOLDER

TABLE = FOLDER / "cures.csv"
PARTIAL = FOLDER / "cures.partial.csv"
"""Rows of an interrupted measurement; the next one continues from them."""
CURES = 3
"""Cures that are applied one after the other, at most."""
HELPED = 0.8  # a cure helped if it lowers the loss to this part of what it is without it
FAILED = 1.3  # times the line: a run that ends above it must have a bad verdict
COLUMNS = ["settings", "held_back"] + [f"{name}_{n}" for n in range(CURES + 1) for name in ("kind", "share", "cure")]


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Args:
        kind: of its verdict. share: its held-out loss as a part of the line; infinite if it is no number.
        cure: what the verdict offers, as "cell=lstm forget_bias=1"; empty if nothing.
    """

    kind: str
    share: float
    cure: str

    @property
    def is_good(self) -> bool:
        """True if its verdict says that it needs no help."""
        return self.kind in GOOD_KINDS

    @property
    def is_bad(self) -> bool:
        """True for a bad verdict on a run that does not make progress: one that does needs no cure."""
        return not self.is_good and not self.share < LEARNING_SHARE

    @property
    def is_well(self) -> bool:
        """True for a run that is solved, or clearly better than the line."""
        return self.kind == "solved" or self.share <= LEARNING_SHARE


@dataclass(frozen=True)
class Row:
    """One trial: how it ends as it is, and after each cure. `held_back`: not used to tune the rules."""

    settings: str
    held_back: bool
    outcomes: tuple[Outcome, ...]

    @property
    def pairs(self) -> Sequence[tuple[Outcome, Outcome]]:
        """(without, with) each cure."""
        return list(zip(self.outcomes, self.outcomes[1:], strict=False))


@dataclass(frozen=True)
class Aim:
    """One number that the trials must reach: how many of how many, and the least or largest share that is accepted."""

    says: str
    count: int
    of: int
    least: float = 0.0
    most: float = 1.0

    @property
    def holds(self) -> bool:
        """True if the share is within the bounds."""
        return not self.of or self.least <= self.count / self.of <= self.most


def aims(rows: Sequence[Row]) -> list[Aim]:
    """What the rows add up to."""
    ends = [outcome for row in rows for outcome in row.outcomes]
    bad = [row for row in rows if row.outcomes[0].is_bad]
    cured = [row for row in bad if len(row.outcomes) > 1]
    helped = [row for row in cured if row.outcomes[1].share <= HELPED * row.outcomes[0].share]
    worse = [after for row in rows for before, after in row.pairs if after.share > before.share and not after.is_well]
    failed = [end for end in ends if not end.share <= FAILED]
    return [
        Aim(
            f"runs above {FAILED} x the line without a bad verdict",
            sum(end.is_good for end in failed),
            len(failed),
            most=0,
        ),
        Aim("bad verdicts with a cure", len(cured), len(bad), least=0.8),
        Aim(f"first cures that lower the loss to {HELPED} of what it is without", len(helped), len(cured), least=0.9),
        Aim("chains that end well", sum(row.outcomes[-1].is_well for row in cured), len(cured), least=0.8),
        Aim("cures that made it worse, and are called healthy", sum(end.is_good for end in worse), len(worse), most=0),
    ]


def spelled(changes: dict[str, Any]) -> str:
    """Settings as on the command line: "cell=lstm forget_bias=1"."""
    return " ".join(f"{name}={value:g}" if _is_number(value) else f"{name}={value}" for name, value in changes.items())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def settings_of(e: Experiment) -> str:
    """The settings of a trial, without those at their defaults, except for those that every trial varies."""
    varied, defaults = (
        ("task", "cell", "seq_len", "optimizer", "learning_rate"),
        Experiment(task=e.task, rnn_type=e.rnn_type),
    )
    settings = e.to_dict()
    others = [name for name, value in settings.items() if name not in varied and value != getattr(defaults, name)]
    return spelled({name: settings[name] for name in (*varied, *others)})


def read(path: Path) -> list[Row]:
    """Read the rows of a table; empty if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [_row(each) for each in csv.DictReader(file)]


def _row(columns: dict[str, str]) -> Row:
    numbers = [n for n in range(CURES + 1) if columns[f"kind_{n}"]]
    outcomes = [Outcome(columns[f"kind_{n}"], float(columns[f"share_{n}"]), columns[f"cure_{n}"]) for n in numbers]
    return Row(columns["settings"], columns["held_back"] == "True", tuple(outcomes))


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a table, in the order of the rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            columns: dict[str, Any] = {"settings": row.settings, "held_back": row.held_back}
            for n, outcome in enumerate(row.outcomes):
                share = outcome.share if math.isinf(outcome.share) else float(f"{outcome.share:.4g}")
                columns |= {f"kind_{n}": outcome.kind, f"share_{n}": share, f"cure_{n}": outcome.cure}
            writer.writerow(columns)
