"""The table of a sweep."""

from __future__ import annotations

import pandas as pd

from engine.many.measurement import Measurement
from engine.sweeps import table
from engine.sweeps.definition import parse
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
