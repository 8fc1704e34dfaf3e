"""A recording of somebody's own data plays where the data are not."""

from __future__ import annotations

import gc
import io

from app.replay import player
from engine.recording import Recording
from engine.tasks.own import known
from engine.training import train
from tests.engine.own_data import experiment_on, labelled


def test_it_plays_without_the_data():
    file, dataset = io.BytesIO(), labelled()
    e = experiment_on(dataset, steps=2)
    Recording.of(e, train(e, 1)).save(file)
    options = dataset.options
    del e, dataset
    gc.collect()
    assert known(options) is None
    opened = player.open_file("run.zip", file)
    assert opened.summary[0].startswith("reviews.csv · many to one") and "1abe11ed" in opened.link["data"]
    assert len(opened.table) == 3 and "verdict" in opened.table
