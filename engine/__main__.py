"""Command line of the engine: `python -m engine train | watch | sweep | tasks | presets | claims | cures`."""

from __future__ import annotations

import argparse
import math
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.claims import table as claim_table
from engine.cure_trials import grid
from engine.cure_trials import table as cure_table
from engine.data import DataError, Dataset
from engine.data.defaults import defaults
from engine.data.problems import names_line
from engine.experiment import Experiment, ExperimentError
from engine.frame import Frame
from engine.preset import PresetError, list_presets, load_preset, wait_until_read
from engine.preset.lesson_data import read_beside
from engine.preset.library import FORMS
from engine.preset.parser import parse_preset
from engine.sweeps.definition import Definition, parse
from engine.sweeps.journal import SweepError
from engine.sweeps.places import PLACES, place_named
from engine.tasks import OWN_DATA, TASKS, held_out
from engine.workers.cluster import ClusterError

if TYPE_CHECKING:
    from engine.sweeps.sweep import Progress
    from engine.training import Trainer

OPENING = "remember"
"""The lesson that is trained if none is named."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tasks", help="list the tasks")
    commands.add_parser("presets", help="list the lessons")
    trainer = commands.add_parser("train", help="train, and print losses and verdicts")
    trainer.add_argument("preset", nargs="?", help=f"a lesson, or a lesson file (*.{', *.'.join(FORMS)})")
    trainer.add_argument("settings", nargs="*", metavar="name=value", help="as in a link: cell=lstm forget_bias=3")
    trainer.add_argument("--set", nargs="+", action="extend", default=[], metavar="name=value", help="the same")
    trainer.add_argument("--data", action="append", metavar="FILE", help="train on your own data; again for each file")
    trainer.add_argument("--target", metavar="NAME", help="the column of your data that is to be predicted")
    trainer.add_argument("--choose", nargs="+", action="extend", default=[], metavar="name=value",
                         help="what your data are, instead of a guess: kind=labelled label=stars")  # fmt: skip
    trainer.add_argument("--every", type=int, default=100, help="steps between two lines")
    _add_watch(commands)
    sweeper = commands.add_parser("sweep", help="train many networks with different settings, and write a table")
    sweeper.add_argument("file", type=Path, help="what varies: engine/sweeps/definition.py has an example")
    sweeper.add_argument("--out", type=Path, required=True, metavar="FILE.parquet", help="where the table goes")
    sweeper.add_argument("--on", choices=PLACES, default="local", help="this machine, or a cluster: docs/cluster.md")
    sweeper.add_argument("--workers", type=int, help="processes that train at once: 2, or all CPUs of the cluster")
    claims = commands.add_parser("claims", help="measure the claims of the lessons, and write presets/claims.csv")
    claims.add_argument("presets", nargs="*", metavar="preset", help="only these; the other rows stay as they are")
    claims.add_argument("--missing", action="store_true", help="keep the rows that the table already has")
    cures = commands.add_parser("cures", help="try the cures of bad verdicts, and write presets/cures.csv")
    cures.add_argument("--half", choices=("tuned", "held-back"), help="only these trials, and write nothing")
    chosen = parser.parse_args(arguments)
    run = {
        "tasks": _tasks,
        "presets": _presets,
        "train": _train,
        "watch": _watch,
        "sweep": _sweep,
        "claims": _claims,
        "cures": _cures,
    }[chosen.command]
    try:
        return run(chosen) or 0
    except (ExperimentError, PresetError, DataError, SweepError, ClusterError) as error:
        print(error, file=sys.stderr)
        return 2


def _add_watch(commands: Any) -> None:
    watcher = commands.add_parser(
        "watch",
        help="run a training script of your own, and look into its recurrent modules",
        usage="python -m engine watch [options] (script.py | -m module) [arguments]",
        allow_abbrev=False,
    )
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
    from engine.watch.program import Program, ProgramError, WatchedProgram  # torch is loaded only for training

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
        print(f"python -m engine watch: {error}", file=sys.stderr)
        return 2
    if chosen.show and (address := watched.show()):
        print(f"watch: {address}", file=sys.stderr, flush=True)
    watched.run(lambda text: print(text, file=sys.stderr, flush=True))
    return 0


def _tasks(_: argparse.Namespace) -> None:
    for slug, task in TASKS.items():
        print(f"{slug:22} {', '.join(task.rnn_types)}\n    {task.teaches}")


def _presets(_: argparse.Namespace) -> None:
    for preset in list_presets():
        print(f"{preset.order:3} {preset.slug:16} {preset.question}")


def _train(chosen: argparse.Namespace) -> None:
    from engine.training import NotFiniteError, Trainer  # torch is loaded only for training

    experiment = _experiment(chosen)
    trainer = Trainer(experiment)
    try:
        for frame in trainer.frames(chosen.every):
            _print_frame(frame)
    except NotFiniteError as error:
        print(error)
    if trainer.info.metric_baselines:
        _print_metric(trainer)


def _experiment(chosen: argparse.Namespace) -> Experiment:
    """What is to be trained: a lesson, or a network on somebody's own data, with the settings that were given."""
    named, settings = chosen.preset, [*chosen.settings, *chosen.set]
    if named is not None and "=" in named:  # no lesson is named, only settings
        named, settings = None, [named, *settings]
    changes = dict(_parse(each) for each in settings)
    if not chosen.data:
        for option in ("target", "choose"):
            if getattr(chosen, option):
                raise DataError(f"--{option} says something of your own data, so it needs --data FILE.")
        return _lesson(named or OPENING).replace(**changes)
    dataset = _read(chosen)
    if named is None:
        return defaults(dataset).replace(**changes)
    data = {"task": OWN_DATA, "task_options": dataset.options, "seq_len": None}
    return Experiment.from_dict({**_lesson(named).to_dict(), **data, **changes}, dataset.to_task())


def _lesson(name: str) -> Experiment:
    """The experiment of a lesson: of this name, or of a file."""
    path = Path(name)
    if path.suffix[1:] not in FORMS:
        wait_until_read(name, math.inf)
        return load_preset(name).experiment
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PresetError(f"{name} cannot be read as a lesson: {error}.") from error
    return parse_preset(path.stem, text, path.suffix[1:], partial(read_beside, path.parent)).experiment


def _read(chosen: argparse.Namespace) -> Dataset:
    """Read somebody's own data, and print what was understood, what is wrong with them, and what is to be beaten."""
    from engine.data import read  # pandas is loaded only for reading

    choices: dict[str, Any] = dict(_parse(each) for each in chosen.choose)
    if chosen.target:
        choices["target"] = chosen.target
    files = [Path(name) for name in chosen.data]
    dataset: Dataset = read(files[0] if len(files) == 1 else files, choices.pop("kind", None), **choices)
    print(f"{dataset.name}: {dataset.kind}")
    for name, value in dataset.summary.items():
        if name != "baselines":
            print(f"    {name.replace('_', ' ')}: {_shown(value)}")
    for problem in dataset.problems:
        is_said = problem.line is None or names_line(problem.sentence, problem.line)
        print(f"  - {problem.sentence if is_said else f'line {problem.line}: {problem.sentence}'}")
    if known := dataset.summary.get("baselines"):
        print("Simple answers, on all that is held out:")
        best = dataset.to_task().metric.best(known)
        for name, value in known.items():
            print(f"    {value:10.4g}  {name}{'  (the one to beat)' if name == best else ''}")
    return dataset


def _shown(value: object, most: int = 12) -> str:
    """A value of a summary in one line."""
    if isinstance(value, dict):
        value = [f"{name} {count}" for name, count in value.items()]
    if isinstance(value, list | tuple):
        more = f", and {len(value) - most} more" if len(value) > most else ""
        return ", ".join(map(str, value[:most])) + more
    return "none" if value is None else str(value)


def _print_frame(frame: Frame) -> None:
    sentence = frame.diagnosis.sentence if frame.diagnosis else ""
    print(f"{frame.step:7,}  loss {frame.loss:.4f}  held out {frame.probe_loss:.4f}  {sentence}", flush=True)


def _print_metric(trainer: Trainer) -> None:
    """The network beside simple answers, all on the same held-out sequences."""
    info, batch = trainer.info, held_out(trainer.info.experiment)
    metric = trainer.metric(batch)
    beaten, count = info.beaten(metric), len(info.metric_baselines)
    print(f"On {len(batch.lengths)} held-out sequences, {info.metric_name}:")
    print(f"    {metric:10.4g}  this network")
    for name, value in info.metric_baselines.items():
        beside = "" if name in beaten else "  (as good)" if value == metric else "  (better)"
        print(f"    {value:10.4g}  {name}{beside}")
    many = "every simple answer" if len(beaten) == count else f"{len(beaten) or 'none'} of the {count} simple answers"
    print(f"It beats {many if count > 1 or beaten else 'no simple answer'}.")


def _sweep(chosen: argparse.Namespace) -> int:
    """Train what a file defines, print progress, and write the table. Returns 1 if it was cancelled.

    Checkpoints stand in a folder beside the table: the same command goes on from there, and ends at once after the end.
    """
    from engine.sweeps import table  # numpy alone is enough for the other commands
    from engine.sweeps.sweep import sweep

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
    return int(not done)


def _definition(file: Path) -> Definition:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SweepError(f"{file} cannot be read as a sweep: {error}.") from error
    return parse(text)


def _print_progress(progress: Progress) -> None:
    left = "" if progress.seconds_left is None else f"  about {progress.seconds_left:,.0f} s left"
    print(f"{progress.made:9,} of {progress.total:,} updates{left}", flush=True)


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
    return int(not all(row.holds for row in rows))


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
    return int(bool(missed))


def _parse(assignment: str) -> tuple[str, object]:
    """Parse name=value; the value is a number, true, false, none or a word."""
    name, _, raw = assignment.partition("=")
    words = {"none": None, "true": True, "false": False}
    if raw in words:
        return name, words[raw]
    for kind in (int, float):
        try:
            return name, kind(raw)
        except ValueError:
            continue
    return name, raw


if __name__ == "__main__":
    sys.exit(main())
