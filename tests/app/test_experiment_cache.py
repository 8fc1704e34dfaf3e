"""What is kept of an experiment is computed once, and never keeps somebody's own data."""

from __future__ import annotations

import gc
import io

from app.experiment_cache import cached_by_experiment
from app.live.component import stage, templates
from app.live.timeline import what_ifs
from app.thumbnail import thumbnail
from engine.experiment import Experiment
from engine.recording import Recording
from engine.tasks.own import known
from engine.training import train
from tests.engine.own_data import experiment_on, labelled, series


def test_it_is_computed_once_an_experiment_and_argument():
    calls = []

    @cached_by_experiment(maxsize=2)
    def units(experiment: Experiment, more: int = 0) -> int:
        calls.append((experiment.task, experiment.hidden_size, more))
        return experiment.hidden_size + more

    for e in (Experiment(hidden_size=3), experiment_on(series(), hidden_size=3)):
        assert [units(e), units(e.replace(seed=0)), units(e, 1), units(e, 1), units(e.replace(hidden_size=4))] == [
            3, 3, 4, 4, 4,
        ]  # fmt: skip
        assert len(calls) == 3 and len(set(calls)) == 3
        calls.clear()
    assert units.__name__ == "units" and units.__wrapped__(e) == 3


def test_own_data_are_forgotten_with_the_last_who_needs_them():
    dataset = labelled()
    e = experiment_on(dataset)
    shown = [thumbnail(e), *templates(e), *templates(e, (0, 0)), *what_ifs(e), stage(e)]
    assert all(shown) and templates(e) is templates(e)
    options = dataset.options
    del e, dataset
    gc.collect()
    assert known(options) is None


def test_a_recording_without_its_data_has_templates_of_its_own():
    e, file = experiment_on(series(), steps=1), io.BytesIO()
    Recording.of(e, train(e, 1)).save(file)
    opened = Recording.load(file).experiment
    assert opened == e and templates(opened) == templates(e)
