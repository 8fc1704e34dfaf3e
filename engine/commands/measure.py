"""`claims` and `cures`: what the lessons of this clone promise, and what its cures do, measured again."""

from __future__ import annotations

import argparse
import os
import time
from typing import Any

from engine.claims import table as claim_table
from engine.commands.command import ExitCode, add_command
from engine.cure_trials import grid
from engine.cure_trials import table as cure_table
from engine.preset import list_presets, load_preset


def add(commands: Any) -> None:
    """Add the commands."""
    claims = add_command(
        commands, "claims", _claims, does="measure the claims of the lessons, and write presets/claims.csv",
        example="claims\nclaims remember fading --missing",
    )  # fmt: skip
    claims.add_argument("presets", nargs="*", metavar="preset", help="only these; the other rows stay as they are")
    claims.add_argument("--missing", action="store_true", help="keep the rows that the table already has")
    cures = add_command(
        commands, "cures", _cures, does="try the cures of bad verdicts, and write presets/cures.csv",
        example="cures --half tuned",
    )  # fmt: skip
    cures.add_argument("--half", choices=("tuned", "held-back"), help="only these trials, and write nothing")


def _claims(chosen: argparse.Namespace) -> int:
    """Measure claims, print progress and save each row at once. Returns 1 if a claim does not hold."""
    from engine.claims.measures import measure_all

    presets = tuple(load_preset(slug) for slug in chosen.presets) or list_presets()
    unfinished, table = claim_table.read(claim_table.PARTIAL), claim_table.read(claim_table.TABLE)
    known = {row.key: row for row in (*(table if chosen.missing else []), *unfinished)}
    count = sum(len(claim.seeds) for preset in presets for claim in preset.claims if claim.gate == "trained")
    rows, began = [], time.monotonic()
    for number, row in enumerate(measure_all(presets, known, "trained"), start=1):
        rows.append(row)
        claim_table.write(claim_table.PARTIAL, {each.key: each for each in (*unfinished, *rows)}.values())
        outcome = "holds" if row.holds else "FAILS"
        print(f"{number:3} of {count}  {time.monotonic() - began:5.0f} s  {outcome}  {row.preset}, seed {row.seed}: "
              f"{row.measure} {row.value:g}, {row.bounds}", flush=True)  # fmt: skip
    others = [row for row in table if row.preset not in {preset.slug for preset in presets}]
    order = [preset.slug for preset in list_presets()]
    kept = [row for row in others if row.preset in order] + rows
    claim_table.write(claim_table.TABLE, sorted(kept, key=lambda row: order.index(row.preset)))
    claim_table.PARTIAL.unlink(missing_ok=True)
    return ExitCode.DONE if all(row.holds for row in rows) else ExitCode.TROUBLE


def _cures(chosen: argparse.Namespace) -> int:
    """Try cures, print progress and save each row at once. Returns 1 if an aim is missed."""
    from engine.cure_trials.measure import measure_all

    trials = {cure_table.settings_of(trial.experiment): trial for trial in grid.trials()}
    if chosen.half:
        trials = {key: trial for key, trial in trials.items() if trial.held_back == (chosen.half == "held-back")}
    rows = {} if chosen.half else {row.settings: row for row in cure_table.read(cure_table.PARTIAL)}
    missing, began = [trial for key, trial in trials.items() if key not in rows], time.monotonic()
    for number, row in enumerate(measure_all(missing, os.cpu_count() or 1), start=1):
        rows[row.settings] = row
        if not chosen.half:
            cure_table.write(cure_table.PARTIAL, rows.values())
        chain = " -> ".join(f"{end.kind} {end.share:.3g} ({end.cure or 'no cure'})" for end in row.outcomes)
        print(f"{number:3} of {len(missing)}  {time.monotonic() - began:5.0f} s  {row.settings}: {chain}", flush=True)
    ordered = [rows[key] for key in trials]
    if not chosen.half:
        cure_table.write(cure_table.TABLE, ordered)
        cure_table.PARTIAL.unlink(missing_ok=True)
    return _report_aims(ordered)


def _report_aims(rows: list[cure_table.Row]) -> int:
    """Print what the rows of each half add up to. Returns 1 if an aim is missed."""
    missed = 0
    for held_back in (False, True):
        half = [row for row in rows if row.held_back == held_back]
        print(f"{'Held back' if held_back else 'Tuned'}: {len(half)} runs")
        for aim in cure_table.aims(half):
            print(f"  {'reached' if aim.holds else 'MISSED '}  {aim.count} of {aim.of}  {aim.says}")
            missed += not aim.holds
    return ExitCode.TROUBLE if missed else ExitCode.DONE
