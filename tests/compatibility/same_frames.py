"""Compare the frames of two checkouts of this project bit for bit, on one machine.

    git worktree add ../old <commit>
    python tests/compatibility/same_frames.py ../old .
    python tests/compatibility/same_frames.py ../old . --ignore-sentences

Run it with the Python of the project's virtual environment; both checkouts then use the same PyTorch and NumPy. Each
checkout trains every cell with every RNN type in a process of its own (two layers, both directions where they are
allowed, truncation, padding, on-demand readings, live changes), and writes every field of its frames, its parameters
and its recording into a temporary folder. The exit status is 0 if everything is equal, bit for bit; otherwise the first
difference of each experiment is printed, and the exit status is 1.

`--ignore-sentences` leaves out the wording of the verdicts, which may be improved; their kind, numbers and cure stay.
`--within 1e-6` lets numbers differ by that share of the largest value beside them, as another order of additions does.
`seconds`, which is measured, is never compared. Tolerances across machines are the tests' business (`test_frames.py`).

The part that runs inside a checkout uses only names that every version keeps: `Experiment`, `CHOICES`,
`Trainer` (with `advance`, `update`, `frame`, `model`) and `Recording` (with `of`, `save`).
"""

from __future__ import annotations

import argparse
import dataclasses
import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ON_DEMAND = ("decomposition", "spectrum", "saliency")
NOT_COMPARED = ("seconds",)
RENAMED = {"peepholes": "vectors.weight_ch"}
"""Fields of older versions, and where their values are now; as in `engine.recording.recording`."""
UPDATES = 3
CHANGED_AT, CHANGES = 1, {"learning_rate": 0.05, "clip": "value", "clip_threshold": 0.01}

ONE_WAY = {"num_layers": 2, "tbptt": 3}
BOTH_WAYS = {"num_layers": 2, "bidirectional": True}
SELECTION: dict[str, list[dict[str, Any]]] = {
    "one_to_one": [
        {"task": "digits"},
        {"task": "digits", "num_layers": 2, "output_layers": 1, "init": "xavier"},
    ],
    "one_to_many": [
        {"task": "melody", "seq_len": 9, "embedding_size": 3, "teacher_forcing": 0.5, **ONE_WAY},
        {"task": "digit_name", "num_layers": 2, "noise": 0.1, "optimizer": "rmsprop"},
    ],
    "many_to_one": [
        {"task": "first_symbol_recall", "seq_len": 8, "embedding_size": 3, "optimizer": "momentum", **BOTH_WAYS},
        {"task": "sentiment", "dropout": 0.3, "noise": 0.2, **BOTH_WAYS},  # padded
        {"task": "adding", "seq_len": 10, "output_layers": 1, "forget_bias": 1.0, **ONE_WAY},
    ],
    "many_to_many": [
        {"task": "entities", "dropout": 0.3, "reduction": "sum", "embedding_size": 3, **BOTH_WAYS},  # padded
        {"task": "sine", "seq_len": 9, "optimizer": "sgd", "output_layers": 2, "init": "orthogonal", **ONE_WAY},
        {"task": "sunspots", "seq_len": 12, "init": "identity", "optimizer": "adagrad", **BOTH_WAYS},
    ],
    "encoder_decoder": [
        {"task": "reverse", "seq_len": 5, "num_layers": 2, "embedding_size": 3, "teacher_forcing": 0.5, "noise": 0.1},
        {"task": "english_french", "num_layers": 2, "output_layers": 1, "dropout": 0.2, "init": "gaussian"},  # padded
    ],
}
"""By RNN type: the settings under which every cell is trained. A feed-forward cell reads one way only."""
NONLINEARITIES = ("tanh", "relu", "sigmoid", "identity")
SIZES = {"hidden_size": 6, "batch_size": 5, "learning_rate": 0.02, "seed": 3}


def arrays_of(value: Any, path: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """Yield every array, number and text inside a frame, with the path that leads to it; a missing value as "None"."""
    if dataclasses.is_dataclass(value):
        inside = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
    elif isinstance(value, dict):
        inside = value
    else:
        if value is not None or path not in RENAMED:
            yield RENAMED.get(path, path), np.asarray("None" if value is None else value)
        return
    for name, each in inside.items():
        if name not in NOT_COMPARED:
            yield from arrays_of(each, f"{path}.{name}" if path else str(name))


def selected() -> dict[str, dict[str, Any]]:
    """Return the settings of every experiment, by a name for it."""
    from engine.experiment import CHOICES

    chosen = {}
    for rnn_type, variants in SELECTION.items():
        for cell in CHOICES["cell"]:
            for number, settings in enumerate(variants):
                own: dict[str, Any] = {"nonlinearity": NONLINEARITIES[number]}
                if cell == "feedforward" and settings.get("bidirectional"):
                    own |= {"bidirectional": False, "window": 3}
                chosen[f"{rnn_type}-{cell}-{number}"] = {
                    "rnn_type": rnn_type, "cell": cell, **SIZES, **settings, **own,
                }  # fmt: skip
    return chosen


def write_frames(folder: Path, ignore_sentences: bool) -> None:
    """Train the selection with the checkout in the current directory; write one .npz file per experiment."""
    import torch

    import engine
    from engine.experiment import Experiment
    from engine.recording import Recording
    from engine.training import Trainer

    assert Path(engine.__path__[0]).resolve().parent == Path.cwd().resolve(), "this is not the checkout's own engine"
    torch.set_num_threads(1)
    for name, settings in selected().items():
        trainer, frames, arrays = Trainer(Experiment(**settings)), [], {}
        for step in range(UPDATES + 1):
            if step:
                trainer.advance()
            frame = trainer.frame(ON_DEMAND if step != 1 else ())
            if ignore_sentences:
                frame = dataclasses.replace(frame, diagnosis=dataclasses.replace(frame.diagnosis, sentence=""))
            frames.append(dataclasses.replace(frame, seconds=0.0))
            arrays |= {f"frame {step}: {path}": value for path, value in arrays_of(frame)}
            if step == CHANGED_AT:
                trainer.update(**CHANGES)
        arrays |= {f"parameter {path}": value.numpy() for path, value in trainer.model.state_dict().items()}
        arrays |= recorded(Recording.of(Experiment(**settings), frames, ((CHANGED_AT, CHANGES),)))
        np.savez(folder / f"{name}.npz", **arrays)


def recorded(recording: Any) -> dict[str, np.ndarray]:
    """Return the bytes of every part of a recording's file, by name; those of JSON with its keys sorted."""
    file = io.BytesIO()
    recording.save(file)
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for old, new in RENAMED.items():
        if (content := parts.pop(f"frames/{old}.npy", None)) is not None:
            parts[f"frames/{new}.npy"] = content
    for name in parts:
        if name.endswith(".json"):
            contents = json.loads(parts[name])
            if "columns" in contents:
                contents["columns"] = {RENAMED.get(path, path): each for path, each in contents["columns"].items()}
            parts[name] = json.dumps(contents, sort_keys=True).encode()
    return {f"recording: {name}": np.frombuffer(content, np.uint8) for name, content in parts.items()}


def first_difference(old: Path, new: Path, within: float = 0.0) -> str:
    """Say in what two files of one experiment differ first; an empty text if they are equal, bit for bit.

    within: numbers may differ by this share of the largest value of their array; then packed recordings, which hold the
        same numbers as bytes, are not compared.
    """
    with np.load(old) as before, np.load(new) as after:
        for name in before.files:
            if name not in after.files:
                return f"{name} is missing"
            was, now = before[name], after[name]
            if within and name.startswith("recording: "):
                continue
            if (was.dtype, was.shape) != (now.dtype, now.shape):
                return f"{name} was {was.dtype}{was.shape} and is {now.dtype}{now.shape}"
            if within and _close(was, now, within):
                continue
            if was.tobytes() != now.tobytes():
                return f"{name} differs{_how(was, now)}"
        added = [name for name in after.files if name not in before.files]
        return f"{added[0]} is new" if added else ""


def _close(was: np.ndarray, now: np.ndarray, within: float) -> bool:
    """True for arrays of numbers that differ by no more than a share of the largest value."""
    if was.dtype.kind not in "fc":
        return False
    size = np.abs(was[np.isfinite(was)]).max(initial=0.0)
    return np.allclose(was, now, rtol=0.0, atol=within * float(size), equal_nan=True)


def _how(was: np.ndarray, now: np.ndarray) -> str:
    """The largest difference of two arrays of numbers, or both texts."""
    if was.dtype.kind in "US":
        return f": {str(was)!r}, now {str(now)!r}"
    if was.dtype.kind not in "fc" or not was.size:
        return ""
    return f" by at most {np.nanmax(np.abs(now - was)):.3g}; the largest value is {np.nanmax(np.abs(was)):.3g}"


def compare(old: Path, new: Path, ignore_sentences: bool, within: float = 0.0) -> int:
    """Run both checkouts and print how they differ. Returns the exit status: 0 if they do not."""
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / each for each in ("old", "new")]
        for checkout, folder in zip((old, new), folders, strict=True):
            folder.mkdir()
            order = [sys.executable, "-P", str(Path(__file__).resolve()), "--write", str(folder)]
            order += ["--ignore-sentences"] * ignore_sentences
            # -P and PYTHONPATH: what is imported is this checkout's, not that of the folder in which this file lies.
            subprocess.run(order, cwd=checkout, env={**os.environ, "PYTHONPATH": str(checkout.resolve())}, check=True)
        names = sorted({each.name for folder in folders for each in folder.iterdir()})
        there = [name for name in names if all((folder / name).exists() for folder in folders)]
        differences = {name: first_difference(*(folder / name for folder in folders), within) for name in there}
    differences |= dict.fromkeys(set(names) - set(there), "only one of the checkouts has this experiment")
    differing = {Path(name).stem: text for name, text in sorted(differences.items()) if text}
    for name, text in differing.items():
        print(f"{name}: {text}")
    print(f"{len(names)} experiments, {len(differing)} differ.")
    return int(bool(differing) or not names)


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="OLD NEW")
    parser.add_argument("--ignore-sentences", action="store_true", help="leave out the wording of the verdicts")
    parser.add_argument("--within", type=float, default=0.0, metavar="SHARE", help="let numbers differ by rounding")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)  # inside a checkout: where its frames go
    chosen = parser.parse_args()
    if chosen.write:
        write_frames(chosen.write, chosen.ignore_sentences)
        return 0
    if len(chosen.checkouts) != 2:
        parser.error("two checkouts are needed: OLD NEW")
    return compare(*chosen.checkouts, chosen.ignore_sentences, chosen.within)


if __name__ == "__main__":
    sys.exit(main())
