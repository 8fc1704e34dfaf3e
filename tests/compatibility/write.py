"""Write what today's program writes, as data for the tests of later programs. Run by hand:

    python -m tests.compatibility.write

It only ever ADDS: a file, a link or a row of the table that is there already stays as it is, for an older program wrote
it, and every later program has to read it. So never delete or edit anything in `data/` to make a test pass. When the
program writes something new (a setting, a reading, a kind of file), or has a new task or cell, add an entry to the
tables below under a name of its own, run this once, look at what was written, and commit it.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engine.cells import CELLS
from engine.codegen import script
from engine.experiment import Changes, Experiment
from engine.model import build
from engine.recording import Recording
from engine.tasks import TASKS, probe
from engine.training import Trainer
from tests.compatibility import cases
from tests.compatibility.cases import DATA, FRAMES, LINKS
from tests.compatibility.links import open_link

EVERY_READING = ("decomposition", "spectrum", "saliency")

RECORDINGS: dict[str, tuple[dict[str, Any], Changes, dict[int, tuple[str, ...]]]] = {
    "lstm-both-ways": (
        {"task": "entities", "rnn_type": "many_to_many", "cell": "lstm", "hidden_size": 4, "num_layers": 2,
         "bidirectional": True, "embedding_size": 3, "output_layers": 1, "reduction": "sum", "batch_size": 8,
         "optimizer": "momentum", "learning_rate": 0.05, "forget_bias": 1.0, "seed": 5},
        ((1, {"learning_rate": 0.01, "clip": "none"}),),
        {0: EVERY_READING, 1: EVERY_READING, 3: EVERY_READING},
    ),
    "rnn-truncated": (
        {"task": "sine", "rnn_type": "many_to_many", "cell": "rnn", "hidden_size": 5, "seq_len": 9, "tbptt": 4,
         "batch_size": 8, "optimizer": "sgd", "learning_rate": 0.1},
        ((2, {"batch_size": 3, "clip": "value", "clip_threshold": 0.01}),),
        {0: (), 2: EVERY_READING, 4: ("spectrum",)},
    ),
    "peephole-encoder-decoder": (
        {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "lstm_peephole", "hidden_size": 4, "seq_len": 4,
         "num_layers": 2, "teacher_forcing": 0.5, "batch_size": 8, "optimizer": "sgd", "learning_rate": 0.1},
        ((1, {"teacher_forcing": 1.0}), (2, {"clip_threshold": 0.25})),
        {0: (), 3: EVERY_READING},
    ),
    "gru-melody": (
        {"task": "melody", "rnn_type": "one_to_many", "cell": "gru", "hidden_size": 4, "seq_len": 8, "num_layers": 2,
         "embedding_size": 2, "batch_size": 8, "optimizer": "sgd", "learning_rate": 0.1},
        (),
        {0: EVERY_READING, 2: ()},
    ),
}  # fmt: skip
"""By name: settings, live changes, and which steps have a frame with which on-demand readings."""

SCRIPTS: dict[str, tuple[dict[str, Any], Changes]] = {
    "gru-truncated": (
        {"task": "first_symbol_recall", "rnn_type": "many_to_one", "cell": "gru", "hidden_size": 8, "num_layers": 2,
         "seq_len": 8, "tbptt": 5, "output_layers": 1, "embedding_size": 3, "dropout": 0.2, "noise": 0.1,
         "batch_size": 8, "init": "orthogonal", "forget_bias": 1.0, "learning_rate": 0.01, "steps": 200, "seed": 7},
        ((2, {"clip": "value", "clip_threshold": 0.01}), (4, {"noise": 0.0, "batch_size": 4})),
    ),
}  # fmt: skip
"""By name: settings and live changes."""
SCRIPT_UPDATES = 6

WEIGHTS: dict[str, dict[str, Any]] = {
    **{
        cell: {"task": "first_symbol_recall", "seq_len": 6, "num_layers": 2, "bidirectional": CELLS[cell].is_recurrent}
        for cell in ("rnn", "gru", "lstm", "lstm_peephole", "lstm_no_forget", "gru_simple", "feedforward")
    },
    "encoder-decoder": {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "lstm", "seq_len": 4,
                        "embedding_size": 3, "output_layers": 1},
}  # fmt: skip
"""By name: settings; the name is the cell where they have none."""

ADDRESSES = (
    "preset=remember&then=300~clip~none",
    "preset=remember-lstm&hidden_size=37&bidirectional=true&speed=max",
    "preset=explode&learning_rate=0.01&then=50~clip~value~clip_threshold~0.5~~120~learning_rate~0.001&at=200",
    "preset=encoder-decoder&seed=12&then=10~teacher_forcing~0.5~~40~teacher_forcing~0.0&hide=cell~seed~lesson",
    "preset=remember&task=sunspots&rnn_type=many_to_many&cell=gru&seq_len=33&noise=0.05&then=5~noise~0.25~batch_size~8",
    "preset=deep&num_layers=4&output_layers=2&embedding_size=6&dropout=0.25&reduction=sum&then=1~learning_rate~1e-05",
    "preset=default-lstm&forget_bias=2.5&optimizer=momentum&steps=500&target_loss=0.05&target_metric=0.9&speed=slow",
    "preset=failure-nan&then=20~clip~norm~clip_threshold~2.5&present=1",
    "preset=wave&cell=feedforward&nonlinearity=relu&window=4&init=gaussian&init_gain=1.5&at=30",
    "preset=truncation&tbptt=7&seq_len=33&batch_size=16&then=7~batch_size~2~~8~batch_size~64~~9~noise~0.5&hide=preset",
    # typed by hand: these are not written again as they were
    "cell=gru&hidden_size=16&task=sunspots&rnn_type=many_to_many",
    "preset=remember-lstm&forget_bias=&bidirectional=True&learning_rate=1e-2&task_options={}",
    "preset=both-ways&cell=LSTM&then=9~clip~norm~~12~clip_threshold~5&hide=nonlinearity&present=true",
)
"""Links that are opened, each with a preset, settings that differ, live changes, a step, hidden controls or a room."""


def write_recordings() -> None:
    """Write each recording, and beside it what NumPy finds in its parts."""
    for name, (settings, changes, wanted) in RECORDINGS.items():
        path = DATA / "recordings" / f"{name}.zip"
        if _is_new(path):
            experiment = Experiment(**settings)
            Recording.of(experiment, cases.recorded_frames(experiment, changes, wanted), changes).save(path)
            _write_json(path.with_suffix(".json"), contents_of(path))


def contents_of(path: Path) -> dict[str, Any]:
    """Read a recording without the program: NumPy alone, and JSON."""
    with zipfile.ZipFile(path) as archive:
        contents = json.loads(archive.read("recording.json"))
        arrays = {
            name: np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
            for name in archive.namelist()
            if name.endswith(".npy")
        }
    frames = {name.removeprefix("frames/").removesuffix(".npy"): array for name, array in arrays.items()}
    columns = {
        column: {"frames": contents["columns"][column], "dtype": str(array.dtype), "shape": list(array.shape),
                 "sum": float(np.nansum(np.abs(array.astype(complex))))}
        for column, array in frames.items() if column in contents["columns"]
    }  # fmt: skip
    return {
        "experiment": contents["experiment"],
        "changes": contents["changes"],
        "diagnoses": contents["diagnoses"],
        "columns": columns,
        "curves": {name: arrays[f"{name}.npy"].tolist() for name in ("updates", "looks")},
    }


def write_scripts() -> None:
    """Write each script, and beside it its run and the losses that it prints."""
    for name, (settings, changes) in SCRIPTS.items():
        path = DATA / "scripts" / f"{name}.py"
        if _is_new(path):
            experiment = Experiment(**settings)
            path.write_text(script(experiment, changes), encoding="utf-8")
            order = [sys.executable, "-I", path.name, "--steps", str(SCRIPT_UPDATES), "--every", "1"]
            done = subprocess.run(order, cwd=path.parent, capture_output=True, text=True, check=True)
            stored = {"experiment": experiment.to_dict(), "changes": changes, "printed": done.stdout.splitlines()}
            _write_json(path.with_suffix(".json"), stored)


def write_weights() -> None:
    """Write the weights of a few updates, and beside them what their network says to the probe."""
    for name, settings in WEIGHTS.items():
        path = DATA / "weights" / f"{name}.safetensors"
        if _is_new(path):
            trainer = Trainer(Experiment(**{"cell": name, "hidden_size": 4, "batch_size": 8, **settings}))
            trainer.advance()
            path.write_bytes(trainer.weights())
            network = build(trainer.experiment)
            network.load_state_dict(trainer.model.state_dict())
            with torch.no_grad():
                outputs = network.eval()(probe(trainer.experiment))[:, :3]  # of the first three sequences
            stored = {
                "experiment": trainer.experiment.to_dict(),
                "step": trainer.step,
                "shapes": {key: list(value.shape) for key, value in trainer.model.state_dict().items()},
                "outputs": np.round(outputs.numpy().astype(float), 7).tolist(),
            }
            _write_json(path.with_suffix(".json"), stored)


def write_links() -> None:
    """Open each link in the page, and keep what the page makes of it."""
    stored = cases.read_json(LINKS) if LINKS.exists() else []
    known = {each["link"] for each in stored}
    stored += [{"link": address, **open_link(address)} for address in ADDRESSES if address not in known]
    _write_json(LINKS, stored)


def write_frames() -> None:
    """Append the rows of every task, RNN type and cell that the table does not have."""
    known = {key[:3] for key in cases.stored_rows()} if FRAMES.exists() else set()
    with FRAMES.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, cases.COLUMNS, lineterminator="\n")
        if not known:
            writer.writeheader()
        for task in TASKS.values():
            length = min(max(task.lengths.low, 8), task.lengths.high)  # short, but more than a step or two
            for rnn_type in task.rnn_types:
                for cell in CELLS:
                    if (task.slug, rnn_type, cell) not in known:
                        rows = cases.table_rows(task.slug, rnn_type, cell, length)
                        writer.writerows(
                            row | {name: f"{row[name]:.8g}" for name in cases.NUMBER_COLUMNS} for row in rows
                        )


def _is_new(path: Path) -> bool:
    """True for a file that is not there yet; its folder is then made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return not path.exists()


def _write_json(path: Path, value: dict[str, Any] | list[Any]) -> None:
    """Write one line for each item of the outermost level."""
    if isinstance(value, dict):
        lines, ends = [f"{json.dumps(key)}: {json.dumps(each)}" for key, each in value.items()], "{}"
    else:
        lines, ends = [json.dumps(each) for each in value], "[]"
    path.write_text("\n".join([ends[0], ",\n".join(lines), ends[1], ""]), encoding="utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    DATA.mkdir(exist_ok=True)
    for write in (write_frames, write_recordings, write_scripts, write_weights, write_links):
        write()
