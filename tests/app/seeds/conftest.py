"""A pool whose sweeps no worker trains: a test says what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from app.seeds.sweep import Plan, SeedSweep
from engine.experiment import Experiment
from engine.many.measurement import Measurement
from engine.workers import SweepRun
from engine.workers.protocol import SweepReport
from tests.fakes import FakePool

DATA = Experiment(task="first_symbol_recall", cell="rnn", hidden_size=4, seq_len=5, batch_size=4, steps=100)
GUESSING = 2.302585  # the loss to beat


class SweepingPool(FakePool):
    """Hands out sweeps without workers, too."""

    def __init__(self) -> None:
        super().__init__()
        self.sweeps: list[SweepRun] = []

    def sweep(self, experiments: Sequence[Experiment], updates: int, measure_every: int) -> SweepRun:
        self.sweeps.append(SweepRun(experiments, updates, measure_every))
        return self.sweeps[-1]


def measured(number: int, step: int, loss: float, metric: float = 0.1, *, diverged: bool = False) -> Measurement:
    return Measurement(number, step, loss, metric, 0.5, diverged, 1.0)


def report(run: SweepRun, *measurements: Measurement) -> None:
    """A worker reports these measurements."""
    run.receive(SweepReport(0, measurements, {}, {}, True, False, {}))


def sweep_of(seeds: int, *measurements: Measurement) -> SeedSweep:
    """Networks of which this was measured."""
    sweep = SeedSweep(SweepingPool(), Plan.of(DATA, seeds, 0.001, 0))
    report(sweep.run, *measurements)
    sweep.update()
    return sweep


@pytest.fixture
def sweeping(pool: FakePool, monkeypatch: pytest.MonkeyPatch) -> list[SweepRun]:
    """The sweeps of the server's pool."""
    other = SweepingPool()
    monkeypatch.setattr(pool, "sweep", other.sweep, raising=False)
    return other.sweeps
