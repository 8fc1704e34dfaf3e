"""A recording that an older program wrote opens, has the values that NumPy finds in it, and can be made again."""

from __future__ import annotations

import io
import itertools
import json
import zipfile
from typing import Any

import numpy as np
import pytest

from engine.diagnosis import diagnose
from engine.recording import Recording
from engine.recording.recording import RENAMED
from engine.tasks import unknown_words
from tests.compatibility import cases

PATHS = sorted((cases.DATA / "recordings").glob("*.zip"))
NAMES = [path.stem for path in PATHS]
ON_DEMAND = ("decomposition", "spectrum", "saliency")
RELATIVE = 1e-4
ABSOLUTE = 1e-6
"""Of a column's largest number: float32 sums that cancel keep no more."""
BEFORE_WORDS_WERE_HIDDEN = ("lstm-both-ways",)
"""Recordings of tasks with unknown words that are older than word dropout: they are made again without it."""
OCCLUDED, OCCLUDED_ABSOLUTE = "saliency.occluded", 1e-5
"""The difference of two outputs of size 1 in float32."""


@pytest.fixture(scope="module", params=PATHS, ids=NAMES)
def stored(request: pytest.FixtureRequest) -> tuple[Recording, dict[str, Any], dict[str, np.ndarray]]:
    """The recording as the program reads it; the JSON beside it; its columns as NumPy alone reads them."""
    expected = cases.read_json(request.param.with_suffix(".json"))
    with zipfile.ZipFile(request.param) as archive:
        columns = {
            name: np.load(io.BytesIO(archive.read(f"frames/{name}.npy")), allow_pickle=False)
            for name in expected["columns"]
        }
    return Recording.load(request.param), expected, columns


def at(frame: Any, path: str) -> Any:
    """The value at a column's path: fields, and keys of dictionaries."""
    for name in path.split("."):
        frame = frame[name] if isinstance(frame, dict) else getattr(frame, name)
    return frame


def is_there(frame: Any, path: str) -> bool:
    """False where the frame has nothing at this path, or has none of what leads to it."""
    try:
        return at(frame, path) is not None
    except (AttributeError, KeyError):
        return False


def frames_with(column: dict[str, Any], recording: Recording) -> list[int]:
    """Which frames have a column: all of them where the file does not say."""
    return list(range(len(recording.frames))) if column["frames"] is None else column["frames"]


def test_the_stored_files_are_those_that_were_written(stored):
    _, expected, columns = stored
    for name, array in columns.items():
        column = expected["columns"][name]
        assert [str(array.dtype), list(array.shape)] == [column["dtype"], column["shape"]], name
        assert np.nansum(np.abs(array.astype(complex))) == pytest.approx(column["sum"], rel=1e-9), name


def test_every_column_is_read_into_its_field_to_the_last_bit(stored):
    recording, expected, columns = stored
    for name, array in columns.items():
        having = frames_with(expected["columns"][name], recording)
        assert [number for number, frame in enumerate(recording.frames) if is_there(frame, name)] == having, name
        for row, number in zip(array, having, strict=True):
            value = np.asarray(at(recording.frames[number], name))
            assert (value.dtype, value.shape, value.tobytes()) == (row.dtype, row.shape, row.tobytes()), name


def test_settings_changes_verdicts_and_curves_are_as_stored(stored):
    recording, expected, _ = stored
    assert expected["experiment"].items() <= recording.experiment.to_dict().items()
    assert recording.changes == cases.read_changes(expected["changes"])
    for frame, verdict in zip(recording.frames, expected["diagnoses"], strict=True):
        for name, value in verdict.items():
            assert getattr(frame.diagnosis, name) == value, name
    for name, rows in expected["curves"].items():
        np.testing.assert_array_equal(np.array(getattr(recording, name).tolist(), float), np.array(rows, float))


def test_written_again_every_part_is_the_same(stored):
    recording, expected, columns = stored
    file = io.BytesIO()
    recording.save(file)
    with zipfile.ZipFile(file) as archive:
        for name, array in columns.items():
            again = np.load(io.BytesIO(archive.read(f"frames/{RENAMED.get(name, name)}.npy")), allow_pickle=False)
            assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes()), name
        contents = json.loads(archive.read("recording.json"))
    assert expected["experiment"].items() <= contents["experiment"].items()
    assert [contents["changes"], contents["diagnoses"]] == [expected["changes"], expected["diagnoses"]]


def test_the_verdict_on_a_stored_frame_is_the_same_today(stored):
    recording, expected, _ = stored
    for frame, verdict in zip(recording.frames, expected["diagnoses"], strict=True):
        diagnosis = diagnose(recording.info_at(frame.step), frame)
        assert (diagnosis.kind, diagnosis.cure) == (verdict["kind"], verdict["cure"])
        assert diagnosis.evidence == pytest.approx(frame.diagnosis.evidence, rel=RELATIVE, nan_ok=True)


def test_a_run_with_the_same_settings_gives_the_same_frames(stored, request, monkeypatch):
    recording, expected, columns = stored
    if request.node.callspec.params["stored"].stem in BEFORE_WORDS_WERE_HIDDEN:
        monkeypatch.setattr(unknown_words, "HIDING_SHARE", 0.0)
    taken = {name for name in ON_DEMAND if any(column.startswith(f"{name}.") for column in columns)}
    wanted = {
        frame.step: tuple(name for name in ON_DEMAND if name in taken and getattr(frame, name) is not None)
        for frame in recording.frames
    }
    again = cases.recorded_frames(recording.experiment, recording.changes, wanted)
    differing = []
    for name, array in columns.items():
        for row, number in zip(array, frames_with(expected["columns"][name], recording), strict=True):
            if name != "seconds" and not close(name, np.asarray(at(again[number], name)), row):
                differing.append(f"{name} of frame {number}")
    assert not differing, f"not as recorded: {', '.join(differing)}"


def close(name: str, now: np.ndarray, was: np.ndarray) -> bool:
    """True for values that are equal but for the rounding of another machine; eigenvalues may be in any order."""
    if was.dtype.kind == "c":
        now, was = np.sort_complex(now), np.sort_complex(was)
    finite = np.abs(was[np.isfinite(was)])
    floor = OCCLUDED_ABSOLUTE if name == OCCLUDED else ABSOLUTE * float(finite.max(initial=0))
    return now.shape == was.shape and np.allclose(now, was, rtol=RELATIVE, atol=floor, equal_nan=True)


def test_the_recordings_have_every_on_demand_reading_of_a_gated_cell_and_every_kind_of_field():
    recordings = [cases.read_json(path.with_suffix(".json")) for path in PATHS]
    gated = [each for each in recordings if each["experiment"]["cell"] in ("gru", "lstm")]
    assert any(all(f"{name}.norms" in each["columns"] or f"{name}.products.norm" in each["columns"]
                   for name in ON_DEMAND) for each in gated)  # fmt: skip
    names = set(itertools.chain.from_iterable(each["columns"] for each in recordings))
    assert names >= {"cell", "peepholes", "embedding", "free_outputs", "bottleneck_grad_norm", "factors.slope",
                     "factors.shares.kept", "upper", "weight_gradients.hh_beyond", "saliency.occluded"}  # fmt: skip
    assert any(each["changes"] for each in recordings)
