"""A run as one file: its experiment, what was changed live, its frames and its curves. No torch, nothing executable.

Record a run without the app, read it as a table, or open it in the playground:

    from engine.recording import Recording
    from engine.training import train
    Recording.of(experiment, train(experiment, record_every=10)).save("run.zip")

    Recording.load("run.zip").to_pandas().plot("step", ["loss", "probe_loss"])

The file is a zip archive. `recording.json` has the settings, the verdicts, and which frames have which columns. Every
column is a .npy file, stacked over frames, that `np.load(..., allow_pickle=False)` can read.

A run on somebody's own data opens where the data are not: `recording.json` describes them. The file that they came from
is in the archive only if it was asked for (`with_files`), as it is: whoever trains again reads it again.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import io
import itertools
import json
import math
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from engine.experiment import LIVE_SETTINGS, Changes, Experiment, ExperimentError, settings_at
from engine.frame import Diagnosis, Frame, RunInfo
from engine.number_format import to_json
from engine.recording.arrays import ArrayError, from_npy, to_npy
from engine.recording.columns import Column, ColumnError, columns_of, leaves, reading
from engine.recording.error import RecordingError
from engine.recording.history import ROW, History, size_of
from engine.recording.own_data import check_steps, describe, described
from engine.recording.shapes import check_shapes
from engine.tasks import OWN_DATA
from engine.whole_file import whole_file

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
MAX_BYTES = 512 * 2**20
"""Limit for all contents of a file, unpacked: a zip file of a few kilobytes can unpack to any size."""
MAX_NAME = 200  # characters of a file's name that are kept
CONTENTS = "recording.json"
CURVES = ("updates", "looks")
RENAMED = {"peepholes": "vectors.weight_ch"}
"""Columns that older programs wrote, and the paths of the fields that have their values now."""
EMPTY = "This file is no recording: it is empty, 0 bytes."
NO_ZIP = "This file is no recording: it is no zip file."
CUT_OFF = (
    "This file is no recording that can be opened: it begins as a zip file, but its end is missing. It may not have "
    "been downloaded or copied completely."
)
OTHER_ZIP = f"This zip file is no recording: it does not contain {CONTENTS}."
ZIP_BEGINS = b"PK\x03\x04"
DAMAGED = "This recording is damaged: a part of it is missing, or is not what it should be."


@dataclass(frozen=True, eq=False)
class Recording:
    """A recorded run. Arrays are read-only.

    Args:
        experiment: the settings at the start of the run.
        changes: what was changed live: (step, {setting: value}), in force from the next update on.
        frames: at least one, steps ascending.
        updates, looks: rows of `engine.recording.history.ROW`, by step, as `engine.recording.history.History` has them.
        files: what somebody's own data were read from, (name, bytes), if they are to be kept.
        start_weights: the name of the file with the weights that it started from; "" if all were drawn.
    """

    experiment: Experiment
    changes: Changes
    frames: tuple[Frame, ...]
    updates: np.ndarray
    looks: np.ndarray
    files: tuple[tuple[str, bytes], ...] = ()
    start_weights: str = ""

    def __post_init__(self) -> None:
        for rows in (self.updates, self.looks):
            rows.flags.writeable = False

    @classmethod
    def of(cls, experiment: Experiment, frames: Iterable[Frame], changes: Changes = ()) -> Recording:
        """Make a recording of frames, as `engine.training.train` yields them; the curves are taken from the frames."""
        kept, curve = tuple(frames), History()
        for frame in kept:
            numbers = (frame.step, frame.loss, frame.param_grad_norm, frame.clipped)
            if frame.step:
                curve.add_update(*numbers)
            curve.add_frame(frame.step, frame.loss, frame.probe_loss, frame.metric, *numbers[2:])
        return cls(experiment, changes, kept, curve.updates(), curve.looks())

    @functools.cached_property
    def info(self) -> RunInfo:
        """What figures need to know of the run, with the settings at its start."""
        return RunInfo.of(self.experiment)

    def info_at(self, step: int) -> RunInfo:
        """The same with all live changes up to this step."""
        return dataclasses.replace(self.info, experiment=settings_at(self.experiment, self.changes, step))

    def with_files(self, files: Iterable[tuple[str, bytes]]) -> Recording:
        """Copy that also keeps these files: (name, bytes)."""
        return dataclasses.replace(self, files=tuple(files))

    def started_from(self, name: str) -> Recording:
        """Copy that says that its run started from weights of a file with this name."""
        return dataclasses.replace(self, start_weights=name)

    @property
    def size(self) -> int:
        """Bytes of all arrays, without `files`: about the unpacked size of a file."""
        return size_of((self.frames, self.updates, self.looks))

    def thinned(self, max_frames: int) -> Recording:
        """Copy with at most `max_frames` frames (at least two), evenly spaced; the first and the newest stay."""
        if len(self.frames) <= max_frames:
            return self
        kept = np.linspace(0, len(self.frames) - 1, max(2, max_frames)).round().astype(int)
        return dataclasses.replace(self, frames=tuple(self.frames[number] for number in kept))

    def fitting(self, max_bytes: int) -> Recording:
        """Return a copy with fewer frames if this one is larger than `max_bytes`, else itself."""
        if self.size <= max_bytes:
            return self
        return self.thinned(len(self.frames) * max_bytes // self.size)

    def to_pandas(self) -> pd.DataFrame:
        """Make a table with a row for each frame: its scalars, the kind of its verdict, and the verdict's ratio."""
        import pandas as pd  # imported late: keeping, saving and loading a recording do not need it

        rows = []
        for frame in self.frames:
            row = {
                path: value.item() if isinstance(value, np.ndarray) else value
                for path, value in leaves(frame)
                if np.ndim(value) == 0
            }
            verdict = frame.diagnosis
            row |= {"verdict": None, "ratio": math.nan}
            if verdict is not None:
                row |= {"verdict": verdict.kind, "ratio": verdict.evidence.get("ratio")}
            rows.append(row)
        return pd.DataFrame(rows)

    def curves(self) -> pd.DataFrame:
        """Make a table of updates and frames, merged by step as in `History.table`; NaN where there is no frame."""
        import pandas as pd

        updates = self.updates[~np.isin(self.updates["step"], self.looks["step"])]
        rows = np.concatenate([self.looks, updates])
        return pd.DataFrame(rows[np.argsort(rows["step"], kind="stable")])

    def save(self, file: str | Path | IO[bytes]) -> None:
        """Write to a path or an open binary file. The same recording always gives the same bytes.

        Raises:
            OSError: if a path cannot be written; a file that was there stays as it was.
            RecordingError: if the frames are not of one run, or too large for a file that could be loaded again.
        """
        whole = self.size + sum(len(content) for _, content in self.files)
        if whole > MAX_BYTES:
            size, most = whole // 2**20, MAX_BYTES // 2**20
            raise RecordingError(
                f"These frames take {size:,} MB and a file holds {most:,}: keep fewer, with `thinned`."
            )
        try:
            columns = columns_of(self.frames)
        except ColumnError as error:
            raise RecordingError(str(error)) from error
        every = tuple(range(len(self.frames)))
        contents = {
            "format": FORMAT,
            "experiment": self.experiment.to_dict(),
            "changes": [list(change) for change in self.changes],
            "frames": len(self.frames),
            "columns": {path: None if column.frames == every else column.frames for path, column in columns.items()},
            "diagnoses": [_diagnosis_to_json(frame.diagnosis) for frame in self.frames],
        }
        if self.start_weights:
            contents["start_weights"] = self.start_weights
        if self.experiment.task == OWN_DATA:
            contents |= {"own_data": describe(self.info), "files": [name for name, _ in self.files]}
        opened = whole_file(Path(file)) if isinstance(file, str | Path) else contextlib.nullcontext(file)
        with opened as target, zipfile.ZipFile(target, "w") as archive:
            _write_entry(archive, CONTENTS, json.dumps(contents, indent=1, allow_nan=False).encode())
            for name in CURVES:
                _write_entry(archive, f"{name}.npy", to_npy(getattr(self, name)))
            for path, column in columns.items():
                _write_entry(archive, f"frames/{path}.npy", to_npy(column.values))
            for number, (_, content) in enumerate(self.files):
                _write_entry(archive, f"files/{number}", content)

    @classmethod
    def load(cls, file: str | Path | IO[bytes], max_bytes: int = MAX_BYTES) -> Recording:
        """Read a recording from a path or an open binary file, bit for bit as it was saved. Executes nothing from it.

        Args:
            max_bytes: a file whose contents are larger is refused before anything is unpacked.

        Raises:
            RecordingError: with a sentence, if the file is not a complete recording.
            OSError: if a path cannot be read.
        """
        raw = io.BytesIO(Path(file).read_bytes()) if isinstance(file, str | Path) else file
        try:
            with zipfile.ZipFile(raw) as archive:
                return _read_archive(archive, max_bytes)
        except (RecordingError, ExperimentError, ColumnError, ArrayError) as error:
            raise RecordingError(str(error)) from error
        except Exception as error:  # a damaged file can cause any error, and must not crash the page
            raise RecordingError(_why(raw)) from error


def _why(raw: IO[bytes]) -> str:
    """Why a file cannot be read, by how it begins and ends."""
    if zipfile.is_zipfile(raw):
        return DAMAGED
    raw.seek(0)
    begins = raw.read(len(ZIP_BEGINS))
    return CUT_OFF if begins == ZIP_BEGINS else NO_ZIP if begins else EMPTY


def _diagnosis_to_json(verdict: Diagnosis | None) -> dict[str, Any] | None:
    """Convert a verdict to JSON."""
    if verdict is None:
        return None
    evidence = {name: to_json(value) for name, value in verdict.evidence.items()}
    written = dataclasses.asdict(verdict) | {"evidence": evidence}
    return {name: value for name, value in written.items() if name != "advice" or value}


def _write_entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """Add a compressed entry without a time stamp, so that equal recordings give equal files."""
    archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


# ---- reading: nothing in the file is trusted before it has been checked


def _read_archive(archive: zipfile.ZipFile, max_bytes: int) -> Recording:
    if sum(entry.file_size for entry in archive.infolist()) > max_bytes:
        raise RecordingError(
            f"This file holds more than {max_bytes // 2**20:,} MB unpacked, which is too much to open."
        )
    if CONTENTS not in archive.namelist():
        raise RecordingError(OTHER_ZIP)
    contents = json.loads(archive.read(CONTENTS))
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise RecordingError("This recording was written by another version of the playground, in another format.")
    is_own = contents["experiment"].get("task") == OWN_DATA
    held = described(contents["own_data"]) if is_own else None  # also where the data are: a file opens alike everywhere
    experiment = Experiment.from_dict(contents["experiment"], held)
    check_steps(experiment)
    changes = tuple(_change(experiment, *change) for change in contents["changes"])
    if not contents["diagnoses"] or contents["frames"] != len(contents["diagnoses"]):  # before as many are counted
        raise RecordingError("This recording has no frames, or not as many as it says.")
    columns = {
        RENAMED.get(path, path): _column(archive, path, which, contents["frames"])
        for path, which in contents["columns"].items()
    }
    check_shapes(experiment, {path: column.values.shape[1:] for path, column in columns.items()})
    verdicts = [_diagnosis(experiment, entry) for entry in contents["diagnoses"]]
    frames = tuple(reading(Frame, columns, number, {"diagnosis": verdict}) for number, verdict in enumerate(verdicts))
    if any(after.step <= before.step for before, after in itertools.pairwise(frames)):
        raise RecordingError("The frames of this recording do not stand in the order of their steps.")
    unknown = set(columns) - {path for frame in frames for path, _ in leaves(frame)}
    if unknown:
        raise RecordingError(f"This recording holds what this version does not know: {', '.join(sorted(unknown))}.")
    names = [str(name) for name in contents.get("files", ())]
    files = tuple((name, archive.read(f"files/{number}")) for number, name in enumerate(names))
    updates, looks = (_curve(archive, name) for name in CURVES)
    start_weights = str(contents.get("start_weights", ""))[:MAX_NAME]
    return Recording(experiment, changes, frames, updates, looks, files, start_weights)


def _change(experiment: Experiment, step: Any, settings: Any) -> tuple[int, dict[str, Any]]:
    """Check one live change, and that its settings are valid."""
    if not isinstance(step, int) or step < 0 or not set(settings) <= set(LIVE_SETTINGS):
        raise RecordingError(f"A live change is no change of {', '.join(LIVE_SETTINGS)} at a step.")
    experiment.replace(**settings)
    return step, dict(settings)


def _diagnosis(experiment: Experiment, entry: Any) -> Diagnosis | None:
    """Build a verdict from JSON, and check that its cure is valid for the experiment."""
    if entry is None:
        return None
    if not isinstance(entry["kind"], str) or not isinstance(entry["sentence"], str):
        raise RecordingError("A verdict of this recording is no sentence.")
    experiment.replace(**entry["cure"])
    evidence = {str(name): float(value) for name, value in entry["evidence"].items()}
    return Diagnosis(entry["kind"], entry["sentence"], evidence, dict(entry["cure"]), str(entry.get("advice", "")))


def _column(archive: zipfile.ZipFile, path: str, which: list[int] | None, count: int) -> Column:
    """Read one column: a field of the frames that have it."""
    frames = tuple(range(count) if which is None else which)
    values = _array(archive, f"frames/{path}.npy")
    valid = all(isinstance(number, int) and 0 <= number < count for number in frames)
    if not valid or list(frames) != sorted(set(frames)) or values.shape[:1] != (len(frames),):
        raise RecordingError(f"{path} does not belong to the frames of this recording: it has the wrong length.")
    return Column(frames, values)


def _curve(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    rows = _array(archive, f"{name}.npy")
    if rows.dtype != ROW or rows.ndim != 1:
        raise RecordingError(f"The curve {name} of this recording has other columns than a curve has.")
    return rows


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    """Read an array of numbers, read-only. Its header must agree with the number of bytes in the file."""
    if name not in archive.namelist():
        raise RecordingError(f"{name} is missing from this recording.")
    return from_npy(archive.read(name), name)
