"""The table of a sweep."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from engine.many.measurement import Measurement
from engine.sweeps import table
from engine.sweeps.definition import parse
from engine.sweeps.journal import SweepError
from engine.sweeps.row import Row, varied

DEFINITION = parse('updates = 9\nseeds = [0, 1]\n[experiment]\ntask = "adding"\n[axes]\ninit_gain = [0.5, 2.0]')


def test_rows_stand_in_order_with_a_column_for_each_setting_that_varies(tmp_path):
    settings = varied(DEFINITION.experiments)
    measured = [Measurement(n, step, 0.5, 0.25, 1e-40, n == 2, 1.5) for step in (0, 9) for n in (2, 0)]
    path = tmp_path / "runs.parquet"
    table.write(path, [Row.of(settings[each.number], each) for each in measured], DEFINITION, done=False)
    frame = pd.read_parquet(path)
    assert list(frame.columns) == ["init_gain", "seed", *table.MEASURED]
    assert frame[["init_gain", "seed", "step"]].values.tolist() == [[0.5, 0, 0], [0.5, 0, 9], [2.0, 0, 0], [2.0, 0, 9]]
    assert frame.diverged.tolist() == [False, False, True, True] and (frame.ratio == 1e-40).all()
    assert [each.name for each in tmp_path.iterdir()] == ["runs.parquet"]


def test_the_file_says_what_was_swept_and_by_which_versions(tmp_path):
    path = tmp_path / "runs.parquet"
    table.write(path, [], DEFINITION, done=True)
    said = table.read_metadata(path)
    assert said["experiment"] == {"task": "adding"} and said["axes"] == {"init_gain": [0.5, 2.0]}
    assert (said["seeds"], said["updates"], said["measure_every"], said["done"]) == ([0, 1], 9, 1, True)
    assert set(said["versions"]) == {"python", "numpy", "torch"} and said["metric"] == "within 0.04"


def test_rows_are_read_again_as_they_were(tmp_path):
    settings = varied(DEFINITION.experiments)
    written = [
        Row.of(settings[n], Measurement(n, step, 0.5, 0.25, 1e-40, False, 1.5)) for n in range(4) for step in (0, 9)
    ]
    path = tmp_path / "runs.parquet"
    table.write(path, written, DEFINITION, done=True)
    assert table.read(path, DEFINITION) == written
    table.write(path, [], DEFINITION, done=False)
    assert table.read(path, DEFINITION) == []


def test_rows_of_another_sweep_and_other_files_are_refused(tmp_path):
    path = tmp_path / "runs.parquet"
    with pytest.raises(SweepError, match="cannot be read as the table of a sweep"):
        table.read(path, DEFINITION)
    path.write_bytes(b"no table")
    with pytest.raises(SweepError, match="cannot be read as the table of a sweep"):
        table.read(path, DEFINITION)
    pd.DataFrame({"seed": [0]}).to_parquet(path)
    with pytest.raises(SweepError, match="cannot be read as the table of a sweep"):
        table.read(path, DEFINITION)
    table.write(path, [], DEFINITION, done=True)
    with pytest.raises(SweepError, match="rows of another sweep: it differs in seeds, updates"):
        table.read(path, dataclasses.replace(DEFINITION, seeds=(0, 2), updates=10))
