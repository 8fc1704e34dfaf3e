"""Interventions as JSON values, as a browser sends them: {"kind": "hold_gate", "layer": 0, ...}. No torch."""

from __future__ import annotations

import dataclasses
import reprlib
from collections.abc import Sequence
from typing import Any

from engine.frame.chain import Chain
from engine.intervention.intervention import KINDS, Intervention, InterventionError

MAX_INTERVENTIONS = 100


def write_interventions(interventions: Sequence[Intervention]) -> list[dict[str, Any]]:
    """As values that JSON has; `read_interventions` reads them."""
    return [{"kind": each.kind, **dataclasses.asdict(each)} for each in interventions]


def read_interventions(values: Any, chain: Chain) -> tuple[Intervention, ...]:
    """Read what JSON had, and check it for this network on the sequence that it reads.

    Raises:
        InterventionError: with a sentence that names the field, what it got and what is accepted.
    """
    if not isinstance(values, list):
        raise InterventionError(f"Interventions must be a list, but got {type(values).__name__}.")
    interventions = tuple(map(_read, values))
    check_interventions(interventions, chain)
    return interventions


def check_interventions(interventions: Sequence[Intervention], chain: Chain) -> None:
    """Check all of them.

    Raises:
        InterventionError: see `read_interventions`.
    """
    if len(interventions) > MAX_INTERVENTIONS:
        raise InterventionError(f"At most {MAX_INTERVENTIONS} interventions at once, but got {len(interventions)}.")
    if interventions and chain.reads_across_the_batch:
        raise InterventionError("This network reads across the batch, so no step of one sequence can be changed.")
    for each in interventions:
        each.check(chain)


def _read(value: Any) -> Intervention:
    """One of them; the values of its fields are not checked yet."""
    if not isinstance(value, dict):
        raise InterventionError(f"An intervention must be an object, but got {reprlib.repr(value)}.")
    kind = value.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise InterventionError(f"kind of an intervention must be {' or '.join(KINDS)}, but got {reprlib.repr(kind)}.")
    fields = {field.name: field for field in dataclasses.fields(KINDS[kind])}
    given = {name: each for name, each in value.items() if name != "kind"}
    missing = [name for name, field in fields.items() if name not in given and field.default is dataclasses.MISSING]
    unknown = [name for name in given if name not in fields]
    if missing or unknown:
        wrong = f"without '{missing[0]}'" if missing else f"with {reprlib.repr(unknown[0])}"
        raise InterventionError(f"{kind} must have the fields {', '.join(fields)}, but got one {wrong}.")
    return KINDS[kind](**given)
