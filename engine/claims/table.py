"""The table of measurements for the lessons' trained claims, `presets/claims.csv`. No torch."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from pathlib import Path

from engine.experiment import Experiment
from engine.preset import FOLDER, Claim, Preset

TABLE = FOLDER / "claims.csv"
PARTIAL = FOLDER / "claims.partial.csv"
"""Rows of an interrupted measurement; the next one continues from them."""


@dataclass(frozen=True)
class Row:
    """One measurement of a claim with one seed: its value, and whether it is within the bounds.

    `settings` is the `digest` of the claim; a row with another digest is out of date.
    """

    preset: str
    claim: str
    measure: str
    bounds: str
    seed: int
    value: float
    holds: bool
    settings: str

    @classmethod
    def of(cls, preset: Preset, claim: Claim, seed: int, value: float) -> Row:
        """The row of a measured value."""
        return cls(preset.slug, claim.says, claim.measure, bounds(claim), seed, float(f"{value:.4g}"),
                   claim.holds(value), digest(preset, claim))  # fmt: skip

    @property
    def key(self) -> tuple[str, str, int]:
        """The identity of the measurement."""
        return self.preset, self.settings, self.seed


def bounds(claim: Claim) -> str:
    """The bounds of a claim in words, as "above 0.95"."""
    limits = [("above", claim.above), ("below", claim.below), ("exactly", claim.equals)]
    return " and ".join(f"{word} {number:g}" for word, number in limits if number is not None)


def digest(preset: Preset, claim: Claim) -> str:
    """Twelve hexadecimal digits of a hash of everything that determines the measurement, except the seed.

    Settings at their defaults are left out, so that adding a setting to Experiment does not invalidate old rows.
    """
    defaults = Experiment(task=preset.experiment.task, rnn_type=preset.experiment.rnn_type).to_dict()
    settings = preset.experiment.to_dict() | claim.settings
    changed = {name: value for name, value in settings.items() if value != defaults[name]}
    task = {name: settings[name] for name in ("task", "rnn_type", "seq_len")}
    deciding = changed | task, claim.against, claim.measure, claim.steps, bounds(claim)
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()[:12]


def read(path: Path) -> list[Row]:
    """Read the rows of a table; empty if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(row["preset"], row["claim"], row["measure"], row["bounds"], int(row["seed"]), float(row["value"]),
                row["holds"] == "True", row["settings"])
            for row in csv.DictReader(file)
        ]  # fmt: skip


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write a table, in the order of the rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


@cache
def measured() -> dict[tuple[str, str, int], Row]:
    """The rows of TABLE by key."""
    return {row.key: row for row in read(TABLE)}


def values(preset: Preset, claim: Claim) -> list[float]:
    """Measured values of a claim, seed by seed; empty if any is missing or out of date."""
    rows = [measured().get((preset.slug, digest(preset, claim), seed)) for seed in claim.seeds]
    return [row.value for row in rows if row is not None] if all(rows) else []
