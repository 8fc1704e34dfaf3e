"""The result of one rule of the verdict, before its cure is checked and its evidence merged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """Kind, sentence, cure and evidence, with the meanings that they have in `Diagnosis`."""

    kind: str
    sentence: str
    cure: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)
