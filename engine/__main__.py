"""The engine without a screen: `python -m engine train | tasks | presets`."""

from __future__ import annotations

import argparse
import sys

from engine.experiment import ExperimentError
from engine.preset import PresetError, list_presets, load_preset
from engine.tasks import TASKS


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("tasks", help="what there is to learn")
    commands.add_parser("presets", help="the lessons")
    trainer = commands.add_parser("train", help="train and print what is measured")
    trainer.add_argument("preset", nargs="?", default="remember")
    trainer.add_argument("settings", nargs="*", metavar="name=value", help="as in a link: cell=lstm forget_bias=3")
    trainer.add_argument("--every", type=int, default=100, help="steps between two lines")
    chosen = parser.parse_args(arguments)
    try:
        {"tasks": _tasks, "presets": _presets, "train": _train}[chosen.command](chosen)
    except (ExperimentError, PresetError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _tasks(_: argparse.Namespace) -> None:
    for slug, task in TASKS.items():
        print(f"{slug:22} {', '.join(task.rnn_types)}\n    {task.teaches}")


def _presets(_: argparse.Namespace) -> None:
    for preset in list_presets():
        print(f"{preset.order:3} {preset.slug:16} {preset.question}")


def _train(chosen: argparse.Namespace) -> None:
    from engine.training import NotFiniteError, train  # torch loads only where something is trained

    experiment = load_preset(chosen.preset).experiment.replace(**dict(_parse(each) for each in chosen.settings))
    try:
        for frame in train(experiment, chosen.every):
            said = frame.diagnosis.sentence if frame.diagnosis else ""
            print(f"{frame.step:7,}  loss {frame.loss:.4f}  held out {frame.probe_loss:.4f}  {said}", flush=True)
    except NotFiniteError as error:
        print(error)


def _parse(assignment: str) -> tuple[str, object]:
    """name=value, the value a number, true, false, none or a word."""
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
