"""`watch`: a training script of somebody's own, run as it is, with a lens on its recurrent modules."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from engine.commands.command import PROGRAM, ExitCode, add_command

NAME = "watch"
EXAMPLE = """
watch train.py --lr 0.01                       what follows the script's name are its own arguments
watch --show train.py                          with a page in the browser that follows
watch --record run.looks -m mypackage.train    written into a file, to be opened later
"""


def add(commands: Any) -> None:
    """Add the command."""
    watcher = add_command(
        commands, NAME, _watch, does="run a training script of your own, and look into its recurrent modules",
        example=EXAMPLE, usage=f"{PROGRAM} watch [options] (script.py | -m module) [arguments]", allow_abbrev=False,
    )  # fmt: skip
    watcher.add_argument("script", nargs="?", help="run as it is, no line changed")
    watcher.add_argument("arguments", nargs=argparse.REMAINDER, help="the script's own")
    watcher.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help="run a module instead, as python -m does")
    watcher.add_argument("--share", type=float, default=0.05, help="the largest share of the time that looks may take")
    watcher.add_argument("--every", type=int, help="look at every so many backward passes instead")
    watcher.add_argument("--rows", type=int, default=16, help="look at so many sequences of a batch; 0 for all")
    watcher.add_argument("--record", metavar="FILE.looks", help="write the looks into a file to open in the playground")
    watcher.add_argument(
        "--request", metavar="READING", action="append", default=[], help="record this as well: spectrum costs more"
    )
    watcher.add_argument("--show", action="store_true", help="open a page in the browser that follows the looks")


def _watch(chosen: argparse.Namespace) -> int:
    try:
        from engine.watch.program import Program, ProgramError, WatchedProgram  # torch is loaded only for training
        from engine.watch.screen import how_it_ends
    except KeyboardInterrupt:
        return ExitCode.STOPPED  # later ones are the program's own

    words = chosen.module or ([] if chosen.script is None else [chosen.script, *chosen.arguments])
    try:
        if not words:
            raise ProgramError("name a script, or a module after -m")
        if chosen.request and not (chosen.record or chosen.show):
            raise ProgramError("what --request asks for is recorded: give --record or --show, too")
        program = Program(words[0], tuple(words[1:]), is_module=bool(chosen.module))
        recorded = {"record": chosen.record, "requested": chosen.request}
        watched = WatchedProgram(program, share=chosen.share, every=chosen.every, rows=chosen.rows or None, **recorded)
    except (ProgramError, ValueError, OSError) as error:
        print(f"{PROGRAM} watch: {str(error).rstrip('.')}.", file=sys.stderr)
        return ExitCode.REFUSED
    if chosen.show and (address := watched.show()):
        print(f"watch: {address}\nwatch: {how_it_ends()}", file=sys.stderr, flush=True)
    watched.run(lambda text: print(text, file=sys.stderr, flush=True))
    return ExitCode.DONE
