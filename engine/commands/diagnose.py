"""`diagnose`: what is wrong with a recorded network, in words."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from engine.cells import CELLS
from engine.commands.command import PROGRAM, ExitCode, add_command
from engine.diagnosis import GOOD_KINDS
from engine.frame import Diagnosis
from engine.number_format import short
from engine.recording import Recording, RecordingError
from engine.recording.growing import SUFFIX, RecordedLook, read_looks

NO_VERDICT = "No verdict was recorded."
Verdicts = Sequence[tuple[int, Diagnosis]]
"""By step, rising."""


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(
        commands, "diagnose", _diagnose, does="say of a recording what is wrong, by which numbers, and what may help",
        example="diagnose run.zip\ndiagnose run.looks    what `watch` has recorded of your own model",
    )  # fmt: skip
    parser.add_argument("file", type=Path, metavar="FILE", help=f"a recording, *.zip, or of a watched model, *{SUFFIX}")


def _diagnose(chosen: argparse.Namespace) -> ExitCode:
    file: Path = chosen.file
    try:
        is_well, lines = _of_looks(file) if file.suffix == SUFFIX else _of_run(file)
    except RecordingError as error:
        raise RecordingError(f"{file}: {error}") from error
    print("\n".join(lines))
    return ExitCode.DONE if is_well else ExitCode.TROUBLE


def _of_run(file: Path) -> tuple[bool, list[str]]:
    """Whether a recorded run needs no help, and what is said of it."""
    recording = Recording.load(file)
    e, frames = recording.experiment, recording.frames
    lines = [f"{file.name}: {e.task}, {CELLS[e.cell].title}, {e.hidden_size} units, length {e.seq_len}; "
             f"{len(frames)} frames, step {frames[0].step:,} to {frames[-1].step:,}"]  # fmt: skip
    verdicts = [(frame.step, frame.diagnosis) for frame in frames if frame.diagnosis is not None]
    if not verdicts:
        return False, [*lines, NO_VERDICT]
    last = verdicts[-1][1]
    lines += _verdict(verdicts)
    if last.cure:
        settings = " ".join(f"{name}={_setting(value)}" for name, value in last.cure.items())
        lines += ["", "What may help:", f"  {settings}", f"  {PROGRAM} train {file} --set {settings}"]
    return last.kind in GOOD_KINDS, lines


def _of_looks(file: Path) -> tuple[bool, list[str]]:
    """The same of a model that was watched: of each of its modules."""
    looks = read_looks(file.read_bytes())
    if not looks:
        return False, [f"{file.name}: no look was recorded."]
    last = looks[-1]
    lines, is_well = [f"{file.name}: {len(looks)} looks, backward pass {looks[0].step:,} to {last.step:,}"], True
    for name, verdicts in _modules(looks):
        lines += ["", name, *_verdict(verdicts)]
        if advice := verdicts[-1][1].advice:
            lines += ["What may help:", *(f"  {line}" for line in advice.splitlines())]
        is_well = is_well and verdicts[-1][1].kind in GOOD_KINDS
    for mistake in last.mistakes:
        lines += ["", f"{mistake.module}: {mistake.kind.replace('_', ' ')}. {mistake.sentence}", f"  {mistake.cure}"]
    lines += [f"{name or 'The model'}: not measured. {why}" for name, why in last.refusals.items()]
    return is_well and not last.mistakes, [*lines, *last.story]


def _modules(looks: Sequence[RecordedLook]) -> Iterator[tuple[str, Verdicts]]:
    """The verdicts on every module that was ever measured."""
    names = dict.fromkeys(module.name for look in looks for module in look.modules)
    for name in names:
        found = [(look.step, module.look.diagnosis) for look in looks if (module := look.module(name)) is not None]
        verdicts = [(step, verdict) for step, verdict in found if verdict is not None]
        if verdicts:
            yield name, verdicts


def _verdict(verdicts: Verdicts) -> list[str]:
    """The newest verdict, its numbers, and how it came to it."""
    step, last = verdicts[-1]
    lines = [f"Verdict at step {step:,}: {_words(last.kind)}", f"  {last.sentence}"]
    if last.evidence:
        width = max(map(len, last.evidence))
        lines += ["", "Evidence:", *(f"  {name:{width}}  {short(value)}" for name, value in last.evidence.items())]
    stretches = [list(group) for _, group in groupby(verdicts, lambda each: each[1].kind)]
    if len(stretches) > 1:
        lines += [
            "",
            "How it went:",
            *(f"  from step {group[0][0]:,}: {_words(group[0][1].kind)}" for group in stretches),
        ]
    return lines


def _words(kind: str) -> str:
    return kind.replace("_", " ")


def _setting(value: object) -> str:
    """A value as `train` reads it."""
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
