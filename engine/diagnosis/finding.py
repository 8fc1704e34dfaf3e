"""What a rule of the verdict found, before its cure is checked and its evidence joined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Finding:
    """A kind, its sentence, a cure and numbers of its own, as `Diagnosis` has them."""

    kind: str
    sentence: str
    cure: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, float] = field(default_factory=dict)
