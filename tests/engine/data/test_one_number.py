"""What is said of simple answers before training is what the run is judged by: one number on every page."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.data import read
from engine.data.defaults import defaults
from engine.frame import RunInfo
from engine.tasks import held_out

DATA = Path(__file__).resolve().parents[3] / "presets" / "data"


@pytest.mark.parametrize("file", ["airline.csv", "elnino.csv", "names.csv", "pronunciations.tsv"])
def test_simple_answers_have_one_number(file: str):
    dataset = read(DATA / file)
    experiment = defaults(dataset)
    info, said = RunInfo.of(experiment), dataset.summary["baselines"]
    assert {name: info.metric_baselines[name] for name in said} == pytest.approx(said, rel=1e-6)
    if dataset.kind == "series":
        batch = held_out(experiment)
        assert batch.mask.sum() == dataset.summary["test"], "each held-out answer once"
        assert info.baselines.keys() == info.held_out_baselines.keys()
        assert next(iter(info.held_out_baselines)) == min(said, key=said.__getitem__), "the best one is to be beaten"
