"""What all commands have in common: how they are described, how wrong input is refused, and what the exit code says."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from enum import IntEnum
from typing import Any, NoReturn

PROGRAM = "python -m engine"


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    TROUBLE = 1
    """It was carried out, and something is wrong with what it found: an update with numbers that are not finite, a bad
    verdict, a claim that does not hold."""
    REFUSED = 2
    """What it was given cannot be used; one sentence says why."""
    STOPPED = 130
    """Ctrl-C; what there was by then is kept."""


EXIT_CODES = """exit codes:
  0    done
  1    done, and something is wrong with what was found: train: numbers that are not finite; diagnose: a bad verdict
  2    what was given cannot be used; one sentence says why
  130  stopped by Ctrl-C; what there was by then is kept"""


class Parser(argparse.ArgumentParser):
    """A parser that says in one sentence what is wrong, and where an example stands."""

    LINES_AS_THEY_ARE = argparse.RawDescriptionHelpFormatter

    def error(self, message: str) -> NoReturn:
        """Refuse the command line."""
        self.exit(ExitCode.REFUSED, f"{self.prog}: {message.rstrip('.')}. {self.prog} --help has an example.\n")


def add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int | None], *, does: str, example: str, **more: Any
) -> Parser:
    """Add a command to the parser's others.

    Args:
        run: carries it out, and returns the exit code; None is DONE.
        does: in one line what it does.
        example: lines that can be typed, from the command's name on; other lines explain.
        more: for the parser.
    """
    typed = [f"{PROGRAM} {line}" if line.startswith(name) else line for line in example.strip().splitlines()]
    epilog = "\n".join(["examples:", *(f"  {line}".rstrip() for line in typed), "", EXIT_CODES])
    parser: Parser = commands.add_parser(
        name, help=does, description=f"{does[0].upper()}{does[1:]}.", epilog=epilog,
        formatter_class=Parser.LINES_AS_THEY_ARE, **more,
    )  # fmt: skip
    parser.set_defaults(run=run)
    return parser
