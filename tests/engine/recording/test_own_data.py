"""A run on somebody's own data as a file: it opens where the data are not, and keeps them only if asked to."""

from __future__ import annotations

import dataclasses
import gc
import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from engine.diagnosis import diagnose
from engine.experiment import Experiment, ExperimentError
from engine.frame import RunInfo
from engine.recording import Recording, RecordingError
from engine.tasks import probe, task_of
from engine.tasks.own import RecordedTask, UnknownDataError, known
from engine.training import train
from tests.engine.conftest import assert_same
from tests.engine.own_data import MadeUp, experiment_on, labelled, series

MAKE: dict[str, tuple[Callable[..., MadeUp], dict[str, Any]]] = {
    "series": (series, {"noise": 0.3}),
    "series, summed": (series, {"rnn_type": "many_to_one", "reduction": "sum"}),
    "labelled": (labelled, {"embedding_size": 3, "num_layers": 2}),
}


def file_of(recording: Recording) -> io.BytesIO:
    file = io.BytesIO()
    recording.save(file)
    file.seek(0)
    return file


def saved(name: str, files: tuple[tuple[str, bytes], ...] = ()) -> tuple[io.BytesIO, RunInfo, Recording]:
    make, settings = MAKE[name]
    e = experiment_on(make(), steps=4, **settings)
    recording = Recording.of(e, train(e, 2)).with_files(files)
    return file_of(recording), recording.info, recording


def test_what_a_run_has_measured_is_not_measured_again_to_be_saved(monkeypatch):
    _, _, made = saved("series")
    monkeypatch.setattr("engine.frame.run_info.measured", lambda _: pytest.fail("measured again"))
    assert Recording.load(file_of(made)).info.constant_loss == made.info.constant_loss


@pytest.mark.parametrize("name", MAKE)
def test_it_opens_where_the_data_are_not_with_every_figure_and_verdict(name):
    file, info, made = saved(name)
    options = dict(info.experiment.task_options)
    opened = Recording.load(file)
    theirs = opened.info
    assert isinstance(task_of(opened.experiment), RecordedTask) and opened.experiment == made.experiment
    assert task_of(opened.experiment).file == task_of(made.experiment).title
    for each in dataclasses.fields(RunInfo):
        assert getattr(theirs, each.name) == getattr(info, each.name), each.name
    assert theirs.held_out_baseline == info.held_out_baseline and theirs.solved_loss == info.solved_loss
    for one, other in zip(opened.frames, made.frames, strict=True):
        assert_same(one, other)
        assert diagnose(theirs, one) == other.diagnosis, "judged as it was"
    del info, made
    gc.collect()
    assert known(options) is None, "nothing of them is left here"
    again = Recording.load(file_of(opened))
    assert again.info == theirs and file_of(again).getvalue() == file_of(opened).getvalue()


def test_what_it_lacks_is_said_and_no_network_trains_on_it():
    opened = Recording.load(saved("series")[0])
    gc.collect()
    with pytest.raises(UnknownDataError, match="bring the file first"):
        probe(opened.experiment)
    with pytest.raises(ExperimentError, match="bring the file first"):
        Experiment.from_dict(opened.experiment.to_dict())
    here = experiment_on(series())
    assert task_of(Experiment.from_dict(opened.experiment.to_dict())) is task_of(here), "once they are here, it does"


def test_the_file_is_kept_only_if_asked_for():
    source = (("sales.csv", b"month,sales\n2001-01,3\n" * 50), ("more.csv", b"1\n"))
    with_it, without = saved("series", source)[0], saved("series")[0]
    assert Recording.load(with_it).files == source and Recording.load(without).files == ()
    assert not [name for name in zipfile.ZipFile(without).namelist() if name.startswith("files")]
    assert Recording.load(with_it).thinned(2).files == source
    said = json.loads(zipfile.ZipFile(without).read("recording.json"))
    assert said["experiment"]["task_options"]["data"] == "5e41e5" and said["own_data"]["file"] == "sales.csv"


def edited(file: io.BytesIO, edit: Callable[[dict[str, Any]], object]) -> io.BytesIO:
    """The same archive with another description."""
    changed = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "recording.json":
                contents = json.loads(content)
                edit(contents)
                content = json.dumps(contents).encode()
            new.writestr(name, content)
    changed.seek(0)
    return changed


DAMAGE: dict[str, Callable[[dict[str, Any]], object]] = {
    "no description": lambda contents: contents.pop("own_data"),
    "no labels": lambda contents: contents["own_data"].update(output_labels=[]),
    "other labels": lambda contents: contents["own_data"].update(output_labels=["a", "b", "c"]),
    "labels that are no words": lambda contents: contents["own_data"].update(input_labels=[1]),
    "steps that do not fit": lambda contents: contents["own_data"]["measured"].update(valid=[True]),
    "no counted step": lambda contents: contents["own_data"]["measured"].update(counted=[False] * 5),
    "no baselines": lambda contents: contents["own_data"]["measured"].update(baselines={}),
    "a baseline that is no number": lambda contents: contents["own_data"]["measured"].update(baselines={"a": "x"}),
    "no metric": lambda contents: contents["own_data"].update(metric=[]),
    "other kinds": lambda contents: contents["own_data"].update(inputs="pictures"),
    "a lag that is no number": lambda contents: contents["own_data"].update(lag="far"),
    "a file that is not there": lambda contents: contents.update(files=["sales.csv"]),
}


def test_a_damaged_description_is_refused_in_a_sentence(subtests):
    file = saved("series")[0]
    for name, edit in DAMAGE.items():
        with subtests.test(name), pytest.raises(RecordingError, match=r"amaged|wrong shape"):
            Recording.load(edited(file, edit))
