"""`train`: one network, without a screen."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.commands.command import ExitCode, add_command
from engine.commands.own_data import Say, parse, read_data
from engine.commands.stopping import StopRequest
from engine.data import DataError
from engine.experiment import CHOICES, Experiment, ExperimentError
from engine.preset import PresetError, load_preset, wait_until_read
from engine.preset.lesson_data import read_beside
from engine.preset.library import FORMS
from engine.preset.parser import parse_preset
from engine.recording import Recording, RecordingError
from engine.tasks import OWN_DATA
from engine.workers.run_log import RunLog

if TYPE_CHECKING:
    from engine.commands.progress import Output
    from engine.training import Trainer

OPENING = "remember"
"""The lesson that is trained if none is named."""
EXAMPLE = """
train remember --set cell=gru --steps 500 --record run.zip    a lesson with other settings, recorded
train mylesson.toml                                           a lesson file, with the data that lie beside it
train run.zip --set cell=lstm forget_bias=1                   the network of a recording, with what may cure it
train --data sales.csv --target sales                         your own data, and the column to be predicted
train --data notes.tsv --choose kind=labelled label=stars     what is not to be guessed of them
train remember --weights model.pt                             from weights of your own, where they fit
train remember --json                                         a JSON object in each line
"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = add_command(commands, "train", _train, does="train a network, and print losses and verdicts",
                         example=EXAMPLE)  # fmt: skip
    parser.add_argument("preset", nargs="?", help=f"a lesson, a lesson file (*.{', *.'.join(FORMS)}) or a recording")
    parser.add_argument("settings", nargs="*", metavar="name=value", help="as in a link: cell=lstm forget_bias=3")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="name=value", help="the same")
    parser.add_argument("--steps", type=int, help="updates to make; the same as steps=...")
    parser.add_argument("--data", action="append", metavar="FILE", help="train on your own data; again for each file")
    parser.add_argument("--target", metavar="NAME", help="the column of your data that is to be predicted")
    parser.add_argument("--choose", nargs="+", action="extend", default=[], metavar="name=value",
                        help="what your data are, instead of a guess: kind=labelled label=stars")  # fmt: skip
    parser.add_argument("--every", type=int, default=100, metavar="STEPS", help="updates between two frames")
    parser.add_argument("--threads", type=int, default=1, metavar="NUMBER",
                        help="that compute: more than 1 pays for hundreds of units alone")  # fmt: skip
    parser.add_argument("--weights", type=Path, metavar="FILE",
                        help="start from those of a *.safetensors file, or of a state dict as *.pt")  # fmt: skip
    parser.add_argument("--record", type=Path, metavar="FILE.zip", help="write the frames into a recording")
    parser.add_argument("--json", action="store_true", help="print a JSON object for each frame, and one at the end")


def _train(chosen: argparse.Namespace) -> ExitCode:
    from engine.commands.progress import JsonLines, Lines  # torch is loaded only for training
    from engine.many.threads import threads
    from engine.training import Trainer

    for option in ("every", "threads"):
        if (number := getattr(chosen, option)) < 1:
            raise ExperimentError(f"--{option}", got=number, accepts="a whole number from 1 on")
    output: Output = JsonLines() if chosen.json else Lines()
    with _recorded(chosen.record), threads(chosen.threads):
        experiment, weights = _started(_experiment(chosen, output.say), chosen, output.say)
        trainer = Trainer(experiment, weights)
        return _run(trainer, chosen, output)


def _run(trainer: Trainer, chosen: argparse.Namespace, output: Output) -> ExitCode:
    """Train to the end or to Ctrl-C; what there is by then is recorded."""
    from engine.training import NotFiniteError

    log, reason, sentence = RunLog(trainer.info), "done", ""
    with StopRequest() as stop:
        try:
            for frame in _frames(trainer, chosen.every, stop, log, output):
                log.add_frame(frame)
                output.frame(frame)
        except NotFiniteError as error:
            reason, sentence = "not_finite", str(error)
        else:
            if stop.is_made:
                reason, sentence = "stopped", f"Stopped after {trainer.step:,} of {trainer.experiment.steps:,} updates."
    record: Path | None = chosen.record
    if record is not None:
        recording = log.recording(trainer.changes)
        (recording if chosen.weights is None else recording.started_from(chosen.weights.name)).save(record)
    output.end(trainer, reason, sentence, None if record is None else str(record))
    return {"done": ExitCode.DONE, "not_finite": ExitCode.TROUBLE, "stopped": ExitCode.STOPPED}[reason]


def _frames(trainer: Trainer, every: int, stop: StopRequest, log: RunLog, output: Output) -> Iterator[Any]:
    """Train and yield frames, as `Trainer.frames` does, until a stop is requested; the last frame is of the last step.

    Raises:
        NotFiniteError: as `Trainer.advance`.
    """
    yield trainer.frame()
    while not trainer.finished and not stop.is_made:
        loss = trainer.advance()
        log.history.add_update(trainer.step, loss, trainer.param_grad_norm, trainer.clipped)
        output.update(trainer)
        if trainer.step % every == 0 or trainer.finished or stop.is_made:
            yield trainer.frame()


@contextmanager
def _recorded(file: Path | None) -> Iterator[None]:
    """Find out before anything is trained whether a recording can be written; leave no empty file behind."""
    if file is None:
        yield
        return
    if file.suffix != ".zip":
        raise RecordingError(f"A recording is a zip file, so --record must end with .zip, but got {file}.")
    was_there = file.exists()
    with file.open("ab"):
        pass
    try:
        yield
    finally:
        if not was_there and file.stat().st_size == 0:
            file.unlink()


def _experiment(chosen: argparse.Namespace, say: Say) -> Experiment:
    """What is to be trained: a lesson, or a network on somebody's own data, with the settings that were given."""
    from engine.data.defaults import defaults

    named, settings = chosen.preset, [*chosen.settings, *chosen.set]
    if named is not None and "=" in named:  # no lesson is named, only settings
        named, settings = None, [named, *settings]
    changes = dict(_setting(each) for each in settings)
    if chosen.steps is not None:
        changes["steps"] = chosen.steps
    if not chosen.data:
        for option in ("target", "choose"):
            if getattr(chosen, option):
                raise DataError(f"--{option} says something of your own data, so it needs --data FILE.")
        return _lesson(named or OPENING).replace(**changes)
    dataset = read_data(chosen, say)
    if named is None:
        return defaults(dataset).replace(**changes)
    data = {"task": OWN_DATA, "task_options": dataset.options, "seq_len": None}
    return Experiment.from_dict({**_lesson(named).to_dict(), **data, **changes}, dataset.to_task())


def _setting(assignment: str) -> tuple[str, object]:
    """Parse name=value; "none" is a choice of some settings, and for others it is nothing."""
    name, value = parse(assignment)
    return name, "none" if value is None and "none" in CHOICES.get(name, ()) else value


def _started(experiment: Experiment, chosen: argparse.Namespace, say: Say) -> tuple[Experiment, bytes]:
    """The experiment with the layers that a file has weights for, and these weights; without a file none."""
    from engine.weights import fit, settings_that_fit
    from engine.weights.reading import read

    if chosen.weights is None:
        return experiment, b""
    file = read(chosen.weights)
    named = {assignment.partition("=")[0] for assignment in (chosen.preset or "", *chosen.settings, *chosen.set)}
    fitting = {name: value for name, value in settings_that_fit(file, experiment).items() if name not in named}
    experiment = experiment.replace(**fitting)
    start = fit(file, experiment)
    say(f"{file.name}: {', '.join(map(str, file.modules))}")
    say(str(start))
    return experiment, start.packed


def _lesson(name: str) -> Experiment:
    """The experiment of a lesson, by its name or in a file, or that of a recording."""
    path = Path(name)
    if path.suffix == ".zip":
        return Recording.load(path).experiment
    if path.suffix[1:] not in FORMS:
        wait_until_read(name, math.inf)
        return load_preset(name).experiment
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PresetError(f"{name} cannot be read as a lesson: {error}.") from error
    return parse_preset(path.stem, text, path.suffix[1:], partial(read_beside, path.parent)).experiment
