"""The table of what was measured for the lessons' trained claims: `presets/claims.csv`. No torch."""

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
"""What an interrupted measurement left; the next one goes on from there."""


@dataclass(frozen=True)
class Row:
    """One measurement: of which claim, with which seed, what came out and whether it lies within the bounds.

    `settings` is a digest of everything that decides the value: a row whose digest is another's is out of date.
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
        """What a measurement says of a claim."""
        return cls(preset.slug, claim.says, claim.measure, bounds(claim), seed, float(f"{value:.4g}"),
                   claim.holds(value), digest(preset, claim))  # fmt: skip

    @property
    def key(self) -> tuple[str, str, int]:
        """What makes it the same measurement."""
        return self.preset, self.settings, self.seed


def bounds(claim: Claim) -> str:
    """Where the value must lie: "above 0.95"."""
    said = [("above", claim.above), ("below", claim.below), ("exactly", claim.equals)]
    return " and ".join(f"{word} {number:g}" for word, number in said if number is not None)


def digest(preset: Preset, claim: Claim) -> str:
    """Twelve hexadecimal digits of everything that decides what is measured, but for the seed.

    Of the settings those that are not the default: a setting that is added later outdates nothing by being there.
    """
    usual = Experiment(task=preset.experiment.task, rnn_type=preset.experiment.rnn_type).to_dict()
    settings = preset.experiment.to_dict() | claim.settings
    unusual = {name: value for name, value in settings.items() if value != usual[name]}
    task = {name: settings[name] for name in ("task", "rnn_type", "seq_len")}
    decides = unusual | task, claim.against, claim.measure, claim.steps, bounds(claim)
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]


def read(path: Path) -> list[Row]:
    """The rows of a table; none where there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Row(row["preset"], row["claim"], row["measure"], row["bounds"], int(row["seed"]), float(row["value"]),
                row["holds"] == "True", row["settings"])
            for row in csv.DictReader(file)
        ]  # fmt: skip


def write(path: Path, rows: Iterable[Row]) -> None:
    """A table, in the order of the rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


@cache
def measured() -> dict[tuple[str, str, int], Row]:
    """The committed table by key."""
    return {row.key: row for row in read(TABLE)}


def values(preset: Preset, claim: Claim) -> list[float]:
    """What was measured for a claim as it stands now, seed by seed; empty where nothing was, or something changed."""
    found = [measured().get((preset.slug, digest(preset, claim), seed)) for seed in claim.seeds]
    return [row.value for row in found if row is not None] if all(found) else []
