"""A run as a file: what is loaded is what was saved, to the last bit, and a bad file is refused in a sentence."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import zipfile
from typing import Any

import numpy as np
import pytest

from engine.diagnosis import diagnose
from engine.experiment import Experiment
from engine.frame import Frame
from engine.frame.readings import (
    ON_DEMAND_READINGS,
    ChainTerms,
    Decomposition,
    FollowedLoss,
    JacobianProducts,
    Saliency,
    Spectrum,
    StepFactors,
    WeightGradients,
)
from engine.recording import Recording, RecordingError
from engine.recording import recording as recordings
from engine.training import Trainer, train

SMALL = {"hidden_size": 4, "batch_size": 4, "steps": 4}
RUNS = {
    "one_to_one": {"task": "digits", "rnn_type": "one_to_one", "cell": "feedforward"},
    "one_to_many": {"task": "melody", "rnn_type": "one_to_many", "cell": "gru"},
    "many_to_one": {"task": "first_symbol_recall", "cell": "lstm_peephole", "bidirectional": True, "num_layers": 2},
    "many_to_many": {"task": "characters", "rnn_type": "many_to_many", "cell": "rnn", "embedding_size": 3},
    "encoder_decoder": {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "lstm", "output_layers": 1},
    "attention": {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "lstm", "attention": "dot"},
    "encoder both ways": {
        "task": "reverse",
        "rnn_type": "encoder_decoder",
        "cell": "lstm_peephole",
        "bidirectional": True,
        "attention": "dot",
    },
    "simple gru": {"task": "first_symbol_recall", "cell": "gru_simple"},
    **{
        cell: {"task": "first_symbol_recall", "cell": cell, "num_layers": 2}
        for cell in ("lstm_layer_norm", "gru_2014", "indrnn", "linear", "linear_signed")
    },
    "no forget gate": {"task": "first_symbol_recall", "cell": "lstm_no_forget"},
}


def recorded(**settings: Any) -> Recording:
    """Three frames of a small run, its second with everything that is only measured on demand; one live change."""
    trainer = Trainer(Experiment(**{**SMALL, **settings}))
    frames = [trainer.frame()]
    trainer.advance()
    counted = max(t for t, counts in enumerate(trainer.info.counted) if counts)
    frames.append(trainer.frame([*ON_DEMAND_READINGS, "terms:0:0", f"followed:{counted}"]))
    trainer.update(learning_rate=0.25)
    trainer.advance()
    frames.append(trainer.frame())
    return Recording.of(trainer.info.experiment, frames, ((1, {"learning_rate": 0.25}),))


@pytest.fixture(scope="module")
def remembered() -> Recording:
    return recorded(task="first_symbol_recall", seq_len=5)


def saved(recording: Recording) -> io.BytesIO:
    file = io.BytesIO()
    recording.save(file)
    file.seek(0)
    return file


def same(ours: Any, theirs: Any) -> bool:
    """Equal to the last bit and in type, arrays, not-a-numbers and all that is inside included."""
    if dataclasses.is_dataclass(ours):
        names = [each.name for each in dataclasses.fields(ours)]
        return type(ours) is type(theirs) and all(same(getattr(ours, n), getattr(theirs, n)) for n in names)
    if isinstance(ours, dict):
        return ours.keys() == theirs.keys() and all(same(ours[name], theirs[name]) for name in ours)
    if isinstance(ours, tuple):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, np.ndarray):
        kept = (theirs.dtype, theirs.shape, theirs.tobytes(), theirs.flags.writeable)
        return kept == (ours.dtype, ours.shape, ours.tobytes(), False)
    return ours == theirs or (ours != ours and theirs != theirs)


# ---- saved and loaded


@pytest.mark.parametrize("settings", RUNS.values(), ids=RUNS)
def test_what_is_loaded_is_what_was_saved(settings):
    recording = recorded(**settings)
    file = saved(recording)
    loaded = Recording.load(file)
    assert same(recording, loaded)
    assert file.getvalue() == saved(loaded).getvalue()
    for before, frame in zip(recording.frames, loaded.frames, strict=True):
        assert diagnose(loaded.info_at(frame.step - 1), frame) == before.diagnosis
    assert loaded.info_at(0).experiment == recording.experiment
    assert loaded.info_at(2).experiment == recording.experiment.replace(learning_rate=0.25)


def test_nothing_in_the_file_can_be_executed(remembered, tmp_path):
    path = tmp_path / "run.zip"
    remembered.save(path)
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".npy"):  # numpy refuses what is pickled, here
                array = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
                assert not array.dtype.hasobject
            else:
                json.loads(archive.read(name), parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        hidden = np.load(io.BytesIO(archive.read("frames/hidden.npy")))
    assert np.array_equal(hidden, np.stack([frame.hidden for frame in remembered.frames]))
    assert same(Recording.load(path), remembered)


def test_an_evidence_that_is_not_finite_survives(remembered):
    first = remembered.frames[0]
    diagnosis = dataclasses.replace(first.diagnosis, evidence={"ratio": math.inf, "loss": math.nan, "lag": -math.inf})
    broken = dataclasses.replace(remembered, frames=(dataclasses.replace(first, diagnosis=diagnosis),))
    assert same(Recording.load(saved(broken)).frames[0].diagnosis, diagnosis)


def test_tables_say_what_the_frames_say(remembered):
    table = remembered.to_pandas()
    assert table["step"].tolist() == [0, 1, 2]
    assert table["probe_loss"].tolist() == [frame.probe_loss for frame in remembered.frames]
    assert table["verdict"].tolist() == [frame.diagnosis.kind for frame in remembered.frames]
    assert table["ratio"].tolist() == [frame.ratio.max() for frame in remembered.frames]
    assert "hidden" not in table
    assert math.isnan(table["param_grad_norm"][0]) and table["clipped"].tolist()[0] is False
    curves = remembered.curves()
    assert curves["loss"].tolist() == [frame.loss for frame in remembered.frames]
    assert curves["metric"].tolist() == [frame.metric for frame in remembered.frames]


NAMES = {
    Frame: (
        "step loss probe_loss metric seconds hidden cell gates from_input from_state biases peepholes embedding "
        "embedding_share upper inputs outputs free_outputs targets loss_per_step sequence_loss valid counted grad_norm "
        "grad_norm_direct grad_norm_last grad_norm_cell grad_norm_memory sequence_grad_norm sequence_grad_norm_direct "
        "sequence_grad_norm_last sequence_grad_norm_cell sequence_grad_norm_memory ratio output_grad_norm "
        "bottleneck_grad_norm param_grad_norm param_grad_norm_clipped clipped recent_loss earlier_loss recent_clipped "
        "factors weight_gradients decomposition spectrum saliency diagnosis"
    ),
    StepFactors: "factor slope weights shares",
    WeightGradients: "hh ih hh_beyond ih_beyond",
    Decomposition: "steps norms cosines",
    ChainTerms: "from_input from_state biases vectors layer direction",
    FollowedLoss: "step relative relative_low relative_high",
    Spectrum: "eigenvalues largest_singular_value products",
    JacobianProducts: (
        "lags norm singular_values spectral_radius lyapunov step_norm step_singular_values step_spectral_radius"
    ),
    Saliency: "steps norms occluded",
}
"""The fields in format 1 of a recording. A new field gets a default; to rename one is to lose it in every old file."""


@pytest.mark.parametrize("kind", NAMES, ids=lambda kind: kind.__name__)
def test_the_names_of_columns_are_those_of_old_recordings(kind):
    fields = {each.name: each for each in dataclasses.fields(kind)}
    missing = set(NAMES[kind].split()) - set(fields)
    assert missing == (set(recordings.RENAMED) if kind is Frame else set())
    new = set(fields) - set(NAMES[kind].split())
    required = {name for name in new
                if {fields[name].default, fields[name].default_factory} == {dataclasses.MISSING}}  # fmt: skip
    assert required == set()


def test_a_column_that_was_renamed_is_read_from_old_files():
    recording = recorded(**RUNS["many_to_one"])
    vectors = np.stack([frame.vectors["weight_ch"] for frame in recording.frames])

    def as_before(data: dict[str, Any]) -> None:
        data["columns"]["peepholes"] = data["columns"].pop("vectors.weight_ch")

    parts = {"frames/vectors.weight_ch.npy": None, "frames/peepholes.npy": array(vectors)}
    assert same(Recording.load(changed(recording, contents=as_before, **parts)), recording)


def test_a_table_begins_with_the_step(remembered):
    assert remembered.to_pandas().columns[0] == "step"


def test_a_run_is_recorded_in_one_line(tmp_path):
    experiment = Experiment(**SMALL, seq_len=3)
    Recording.of(experiment, train(experiment, record_every=2)).save(tmp_path / "run.zip")
    loaded = Recording.load(tmp_path / "run.zip")
    assert loaded.experiment == experiment and [frame.step for frame in loaded.frames] == [0, 2, 4]


# ---- bad files


def changed(recording: Recording, **parts: Any) -> io.BytesIO:
    """The same file with parts of it replaced, or left out: bytes, or what becomes of recording.json."""
    file = io.BytesIO()
    with zipfile.ZipFile(saved(recording)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "recording.json" and "contents" in parts:
                data = json.loads(content)
                parts["contents"](data)
                content = json.dumps(data).encode()
            if (content := parts.get(name, content)) is not None:
                new.writestr(name, content)
        for name in parts.keys() - {"contents", *old.namelist()}:
            new.writestr(name, parts[name])
    return file


def array(values: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, **options)
    return buffer.getvalue()


def settle(path: str, value: Any) -> Any:
    def change(data: dict[str, Any]) -> None:
        *places, last = path.split(".")
        for each in places:
            data = data[each]
        data[last] = value

    return change


HIDDEN, EXTRA = "frames/hidden.npy", "frames/extra.npy"
BAD = {
    "another version": (dict(contents=settle("format", 2)), "another version"),
    "an experiment that cannot be": (dict(contents=settle("experiment.hidden_size", 0)), "hidden_size must be"),
    "an unknown setting": (dict(contents=settle("experiment.colour", 1)), "colour must be left out"),
    "another network": (dict(contents=settle("experiment.hidden_size", 5)), "wrong shape for this network"),
    "other live settings": (dict(contents=settle("changes", [[1, {"cell": "gru"}]])), "no change of learning_rate"),
    "a live setting too large": (dict(contents=settle("changes", [[1, {"learning_rate": 999}]])), "learning_rate must"),
    "another cure": (dict(contents=lambda data: data["diagnoses"][0].update(cure={"cell": "brain"})), "cell must be"),
    "no frames": (dict(contents=lambda data: data.update(frames=0, diagnoses=[], columns={})), "missing|no frames"),
    "more frames than any memory holds": (dict(contents=settle("frames", 2**62)), "not as many as it says"),
    "fewer verdicts": (dict(contents=lambda data: data["diagnoses"].pop()), "not as many as it says"),
    "a new column": (dict(contents=settle("columns.extra", None), **{EXTRA: array(np.zeros(3))}), "not know: extra"),
    "no contents": ({"recording.json": None}, "is no recording: it does not contain recording.json"),
    "contents that are no JSON": ({"recording.json": b"{"}, "damaged"),
    "contents nested too deep": ({"recording.json": b"[" * 100_000}, "damaged"),
    "a missing array": ({HIDDEN: None}, "frames/hidden.npy is missing"),
    "another shape": ({HIDDEN: array(np.zeros((3, 1, 1, 6, 4), np.float32))}, "hidden has the wrong shape"),
    "too few frames": ({HIDDEN: array(np.zeros((2, 1, 1, 5, 4), np.float32))}, "hidden does not belong"),
    "pickled objects": ({HIDDEN: array(np.array([{}] * 3), allow_pickle=True)}, "frames/hidden.npy is damaged"),
    "a header that lies": ({HIDDEN: array(np.zeros((3, 1, 1, 5, 4), "f4"))[:-4]}, "frames/hidden.npy is damaged"),
    "no array": ({HIDDEN: b"hello"}, "damaged"),
    "steps that are not rising": ({"frames/step.npy": array(np.array([0, 2, 1]))}, "order of their steps"),
    "steps that are no whole numbers": ({"frames/step.npy": array(np.arange(3.0))}, "step holds no numbers"),
    "another curve": ({"looks.npy": array(np.zeros(3))}, "other columns than a curve has"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "says"), BAD.values(), ids=BAD)
def test_a_bad_file_is_refused_in_a_sentence(remembered, parts, says):
    with pytest.raises(RecordingError, match=says):
        Recording.load(changed(remembered, **parts))


def test_what_is_no_zip_is_no_recording():
    for content, says in ((b"", "empty"), (b"PK\x03\x04", "end is missing"), (b"step,loss\n0,1\n", "no zip file")):
        with pytest.raises(RecordingError, match=f"is no recording.*{says}"):
            Recording.load(io.BytesIO(content))


def test_a_file_cut_or_changed_anywhere_is_refused(remembered):
    """Whatever is wrong, nothing but a sentence comes out; only a byte that no reader looks at may pass."""
    whole = saved(remembered).getvalue()
    for end in range(0, len(whole), len(whole) // 40):
        with pytest.raises(RecordingError):
            Recording.load(io.BytesIO(whole[:end]))
    refused = 0
    for at in range(0, len(whole), len(whole) // 100):
        try:
            Recording.load(io.BytesIO(whole[:at] + bytes([whole[at] ^ 0x5A]) + whole[at + 1 :]))
        except RecordingError:
            refused += 1
    assert refused > 60


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(remembered):
    with pytest.raises(RecordingError, match="more than 1 MB"):
        Recording.load(changed(remembered, **{"looks.npy": bytes(2**20)}), max_bytes=2**20)


def test_what_is_too_large_is_thinned(remembered, monkeypatch):
    assert remembered.fitting(remembered.size) is remembered
    smaller = remembered.fitting(remembered.size - 1)
    assert [frame.step for frame in smaller.frames] == [0, 2] and same(smaller.looks, remembered.looks)
    monkeypatch.setattr(recordings, "MAX_BYTES", 2**10)
    with pytest.raises(RecordingError, match="keep fewer"):
        remembered.save(io.BytesIO())


def test_frames_of_two_runs_are_not_saved(remembered):
    other = recorded(task="first_symbol_recall", seq_len=6)
    with pytest.raises(RecordingError, match="not of one run"):
        Recording.of(remembered.experiment, (*remembered.frames, *other.frames)).save(io.BytesIO())
