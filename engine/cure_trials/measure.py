"""Try cures: run a network, apply the cure that its verdict offers, run that, and so on; measure how each ends."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

import torch

from engine.cure_trials.grid import UPDATES, Trial
from engine.cure_trials.table import CURES, Outcome, Row, settings_of, spelled
from engine.experiment import Experiment
from engine.tasks import held_out
from engine.training import NotFiniteError, Trainer
from engine.training.held_out import measured


def measure_all(trials: Sequence[Trial], processes: int) -> Iterator[Row]:
    """Measure trials in this many processes; rows come as they are done."""
    with ProcessPoolExecutor(processes, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for future in as_completed([pool.submit(measure, trial) for trial in trials]):
            yield future.result()


def measure(trial: Trial, updates: int = UPDATES) -> Row:
    """Run a trial, and apply the cures that its verdicts offer until it is well or none is offered."""
    e, outcomes = trial.experiment, []
    while True:
        outcome, cure = _run(e, updates)
        outcomes.append(outcome)
        if not outcome.is_bad or not cure or len(outcomes) > CURES:
            return Row(settings_of(trial.experiment), trial.held_back, tuple(outcomes))
        e = e.replace(**cure)


def _run(e: Experiment, updates: int) -> tuple[Outcome, dict]:
    """Train from the start; returns how it ends, and the cure of its verdict."""
    trainer = Trainer(e)
    try:
        while trainer.step < updates:
            trainer.advance()
    except NotFiniteError:
        pass  # the network stays as it was before; its verdict says what is wrong
    verdict = trainer.frame().diagnosis
    assert verdict is not None
    loss, _, _ = measured(trainer.model, held_out(e), trainer.info)
    share = loss / trainer.info.held_out_baseline
    return Outcome(verdict.kind, share if math.isfinite(share) else math.inf, spelled(verdict.cure)), verdict.cure
