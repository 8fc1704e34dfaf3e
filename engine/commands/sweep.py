"""`sweep`: many networks with different settings, and their numbers as a table."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.command import ExitCode, add_command
from engine.experiment import ExperimentError
from engine.sweeps.definition import Definition, parse
from engine.sweeps.journal import SweepError
from engine.sweeps.places import PLACES, place_named

if TYPE_CHECKING:
    from engine.sweeps.sweep import Progress

EXAMPLE = """
sweep gains.toml --out gains.parquet --workers 2

gains.toml can be these lines:
  updates = 1000
  seeds = [0, 1, 2]
  [experiment]                     # settings that all have
  task = "first_symbol_recall"
  cell = "rnn"
  [axes]                           # settings that vary
  seq_len = [10, 20, 40]
  init_gain = { from = 0.5, to = 2.0, count = 8, log = true }
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands, "sweep", _sweep, does="train many networks with different settings, and write a table",
        example=EXAMPLE,
    )  # fmt: skip
    parser.add_argument("file", type=Path, help="what varies, as in the example")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.parquet", help="where the table goes")
    parser.add_argument("--on", choices=PLACES, default="local", help="this machine, or a Ray cluster")
    parser.add_argument("--workers", type=int, help="processes that train at once: 2, or all CPUs of the cluster")


def _sweep(chosen: argparse.Namespace) -> int:
    """Train what a file defines, print progress, and write the table. Returns STOPPED if it was cancelled.

    Checkpoints stand in a folder beside the table: the same command goes on from there, and ends at once after the end.
    """
    from engine.sweeps import table  # numpy alone is enough for the other commands
    from engine.sweeps.sweep import sweep

    if chosen.out.suffix != ".parquet":
        raise SweepError(f"A sweep writes a Parquet table, so --out must end with .parquet, but got {chosen.out}.")
    definition, place = _definition(chosen.file), place_named(chosen.on, chosen.workers)
    count, rows, done = len(definition.experiments), [], False
    print(f"{count} networks, {definition.updates:,} updates each", flush=True)
    coming = sweep(
        definition.experiments, definition.updates, place, measure_every=definition.measure_every,
        folder=chosen.out.with_suffix(".sweep"), on_progress=_print_progress,
    )  # fmt: skip
    try:
        for row in coming:
            rows.append(row)
        done = True
    except KeyboardInterrupt:
        print("Cancelled. The same command goes on from here.")
    finally:
        coming.close()
        table.write(chosen.out, rows, definition, done)
    print(f"{len(rows)} rows in {chosen.out}")
    return ExitCode.DONE if done else ExitCode.STOPPED


def _definition(file: Path) -> Definition:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise SweepError(f"{file} cannot be read as a sweep: {why}.") from error
    try:
        return parse(text)
    except (SweepError, ExperimentError) as error:
        raise SweepError(f"{file}: {error}") from error


def _print_progress(progress: Progress) -> None:
    left = "" if progress.seconds_left is None else f"  about {progress.seconds_left:,.0f} s left"
    print(f"{progress.made:9,} of {progress.total:,} updates{left}", flush=True)
