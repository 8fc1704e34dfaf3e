"""The command line: `python -m engine train`. Every command is a function of `engine/commands/`."""

from __future__ import annotations

import argparse
import os
import sys

from engine.commands import catalogue, diagnose, measure, screen, settings, sweep, train, watch
from engine.commands.command import EXIT_CODES, PROGRAM, ExitCode, Parser
from engine.data import DataError
from engine.experiment import ExperimentError
from engine.package import IS_INSTALLED, version
from engine.preset import PresetError
from engine.recording import RecordingError
from engine.sweeps.journal import SweepError
from engine.workers.cluster import ClusterError

REFUSED = (ExperimentError, PresetError, DataError, SweepError, ClusterError, RecordingError)
"""Errors of what somebody has given: each is a sentence."""
COMMANDS = (screen, train, settings, watch, diagnose, sweep, catalogue, *([] if IS_INSTALLED else [measure]))


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = Parser(prog=PROGRAM, description="See inside recurrent networks.", epilog=EXIT_CODES,
                    formatter_class=Parser.LINES_AS_THEY_ARE)  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    parser.add_argument("--version", action="version", version=version())
    for each in COMMANDS:
        each.add(commands)
    chosen = _chosen(parser, arguments)
    if chosen.command == watch.NAME:
        return int(chosen.run(chosen))  # what a program of somebody's own raises is its own
    try:
        return chosen.run(chosen) or ExitCode.DONE
    except REFUSED as error:
        print(error, file=sys.stderr)
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    except OSError as error:
        if error.filename is None or error.strerror is None:
            raise
        print(f"{error.filename}: {error.strerror}.", file=sys.stderr)
    except KeyboardInterrupt:
        return ExitCode.STOPPED
    return ExitCode.REFUSED


def _chosen(parser: Parser, arguments: list[str] | None) -> argparse.Namespace:
    """What was asked for. Settings may stand anywhere: argparse takes those behind an option for strangers."""
    chosen, others = parser.parse_known_args(arguments)
    settings = [each for each in others if "=" in each and not each.startswith("-")]
    if "settings" not in chosen or settings != others:
        parser.parse_args(arguments)  # says what is wrong
    else:
        chosen.settings += settings
    return chosen


if __name__ == "__main__":
    sys.exit(main())
