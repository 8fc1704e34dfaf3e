"""`run` and `open`: the page, by itself or with recordings that it has opened."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from engine.commands.command import ExitCode, add_command
from engine.recording import Recording, RecordingError
from engine.recording.growing import SUFFIX, read_looks
from engine.recording.growing.folder import OPENS
from engine.screen import ADDRESS, FILES, RECORDINGS, Server, free_port, is_taken, why_not
from engine.weights import SUFFIXES

PORT = 8501
LESSONS = "PLAYGROUND_LESSONS"
OPEN_EXAMPLE = """
open run.zip
open before.zip after.zip    one over the other
open run.looks               what `watch` has recorded
open model.pt                weights, to start a run from
"""
MOST = 2
"""Recordings that can be laid one over the other."""


def add(commands: Any) -> None:
    """Add the commands."""
    run = add_command(commands, "run", _run, does="start the playground, and print its address",
                      example="run\nrun --port 8600 --lessons ~/my-lessons")  # fmt: skip
    _add_place(run, f"where it listens: {PORT} if none is named")
    run.add_argument("--lessons", type=Path, metavar="FOLDER", help="a teacher's own lessons; lessons/ if it is there")
    opener = add_command(
        commands, "open", _open, does="open recordings or weights in the browser",
        example=OPEN_EXAMPLE,
    )  # fmt: skip
    opener.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="FILE",
        help=f"one or two *.zip, a *{SUFFIX}, or weights as *.safetensors or *.pt",
    )
    _add_place(opener, "where it listens: a free one if none is named")


def _add_place(parser: argparse.ArgumentParser, port: str) -> None:
    parser.add_argument("--port", type=int, help=port)
    parser.add_argument(
        "--address", default=ADDRESS, help=f"{ADDRESS} unless named; 0.0.0.0 lets others on your network in"
    )


def _run(chosen: argparse.Namespace) -> ExitCode:
    lessons = chosen.lessons or Path("lessons")
    if chosen.lessons is not None and not lessons.is_dir():
        return _refuse(f"There is no folder {lessons}.")
    told = {LESSONS: str(lessons.resolve())} if lessons.is_dir() and LESSONS not in os.environ else {}
    return _serve(chosen, chosen.port or int(os.environ.get("STREAMLIT_SERVER_PORT", PORT)), told)


def _open(chosen: argparse.Namespace) -> ExitCode:
    files: list[Path] = chosen.files
    zips = all(file.suffix == ".zip" for file in files)
    if len(files) > (MOST if zips else 1):
        return _refuse(f"The page opens one or two recordings, or one other file, but got {len(files)} files.")
    for file in files:
        _check(file)
    port = chosen.port or free_port()
    address = f"http://{'127.0.0.1' if chosen.address == '0.0.0.0' else chosen.address}:{port}/{RECORDINGS}"
    return _serve(chosen, port, {FILES: os.pathsep.join(str(file.resolve()) for file in files), OPENS: address})


def _check(file: Path) -> None:
    """Find out before a server is started whether a file can be opened.

    Raises:
        RecordingError, OSError: if it cannot.
    """
    if file.suffix == SUFFIX:
        read_looks(file.read_bytes())
    elif file.suffix == ".zip":
        Recording.load(file)
    elif file.suffix in SUFFIXES:
        from engine.weights.reading import read  # torch is loaded for its own files alone

        read(file)
    else:
        raise RecordingError(f"{file} is no recording by its name, *.zip or *{SUFFIX}, and no file of weights.")


def _serve(chosen: argparse.Namespace, port: int, told: dict[str, str]) -> ExitCode:
    """Become the server; returns only if it cannot be started."""
    if why := why_not():
        return _refuse(f"The page cannot be shown: {why}.")
    if not 0 < port < 2**16 or is_taken(port, chosen.address):
        return _refuse(f"Nothing can listen on {chosen.address}:{port}: it is taken, or there is no such place. "
                       "Name another one with --port.")  # fmt: skip
    if OPENS in told:
        print(f"open: {told[OPENS]}", file=sys.stderr, flush=True)
    Server.at(port, chosen.address, told).take_over()
    return ExitCode.DONE


def _refuse(sentence: str) -> ExitCode:
    print(sentence, file=sys.stderr)
    return ExitCode.REFUSED
