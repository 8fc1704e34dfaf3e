"""What the lessons claim, measured: one number from a network, held against the claim's bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from engine.claims.table import Row, digest
from engine.experiment import Experiment
from engine.frame.readings import saturation
from engine.preset import Claim, Preset
from engine.tasks import Batch, sample
from engine.training import NotFiniteError, Trainer

FRESH = 1024
"""Held-out sequences on which a trained network is judged; they are not the probe's."""


def _ratio(trainer: Trainer) -> float:
    """How much of the gradient of the last loss arrives where the answer lies: the verdict's R."""
    verdict = trainer.frame().diagnosis
    assert verdict is not None
    return float(verdict.evidence["ratio"])


def _fresh(trainer: Trainer) -> Batch:
    return sample(trainer.experiment, FRESH, (trainer.experiment.seed, 1), "test")


def _test_loss(trainer: Trainer) -> float:
    """Loss on FRESH held-out sequences, with teacher forcing where outputs are fed back."""
    with torch.no_grad():
        loss = trainer.model.eval().loss(_fresh(trainer))
    trainer.model.train()
    return loss.item()


def _test_metric(trainer: Trainer) -> float:
    """The task's metric on FRESH held-out sequences; where outputs are fed back, the network runs by itself."""
    return trainer.metric(_fresh(trainer))


def _training_loss(trainer: Trainer) -> float:
    """Mean loss of the last 20 updates' batches."""
    return trainer.recent_loss


def _saturated(trainer: Trainer) -> float:
    """Share of the drawn sequence's states that are saturated, for tanh: |h| above 0.95."""
    frame = trainer.frame()
    return float(saturation(frame.hidden[:, :, frame.valid].ravel(), "tanh"))


def _largest_gradient(trainer: Trainer) -> float:
    """The largest norm of the last loss's gradient at any step but the last."""
    return float(np.nanmax(trainer.frame().grad_norm_last[..., :-1]))


def _beyond_the_cut(trainer: Trainer) -> float:
    """The largest norm of a gradient before the place where truncation cuts."""
    cuts = trainer.model.truncation_points(trainer.info.time_steps)
    return float(trainer.frame().grad_norm_last[..., : cuts[-1]].max())


def _gradient_of_the_update(trainer: Trainer) -> float:
    """Global norm of the parameters' gradient as the optimiser saw it, after clipping."""
    return trainer.param_grad_norm_clipped


def _updates_made(trainer: Trainer) -> float:
    """Fewer than were asked for if a number became infinite on the way."""
    return float(trainer.step)


def _parameters(trainer: Trainer) -> float:
    """How many numbers are learned."""
    return float(trainer.info.parameter_count)


def _padding_changes(trainer: Trainer) -> float:
    """The largest change, relative to the loss, when a sequence of the probe is computed alone, without padding."""
    model, e = trainer.model.eval(), trainer.experiment
    batch = sample(e, 64, (e.seed, 0), "test")
    with torch.no_grad():
        together = (model.loss_per_step(batch) * model.loss_weights(batch)).sum(0)
        alone = torch.stack([model.loss(_alone(batch, b)) for b in range(len(batch.lengths))])
    model.train()
    return float(((together - alone).abs() / together).max())


def _alone(batch: Batch, b: int) -> Batch:
    """One sequence of a batch, cut where its padding begins."""
    end, column = batch.lengths[b], slice(b, b + 1)
    return Batch(batch.inputs[:end, column], batch.targets[:end, column], batch.mask[:end, column],
                 batch.lengths[column])  # fmt: skip


MEASURES: dict[str, Callable[[Trainer], float]] = {
    "ratio": _ratio,
    "test_loss": _test_loss,
    "test_metric": _test_metric,
    "training_loss": _training_loss,
    "saturated": _saturated,
    "largest_gradient": _largest_gradient,
    "beyond_the_cut": _beyond_the_cut,
    "gradient_of_the_update": _gradient_of_the_update,
    "updates_made": _updates_made,
    "parameters": _parameters,
    "padding_changes": _padding_changes,
}
"""What a claim may measure, by name; each is a function of a trainer as it stands."""


def measure(preset: Preset, claim: Claim, seed: int) -> float:
    """The claim's number for one seed; trains first where the claim says so."""
    value = _measured(preset.experiment.replace(**claim.settings, seed=seed), claim)
    if claim.against is None:
        return value
    other = _measured(preset.experiment.replace(**{**claim.settings, **claim.against}, seed=seed), claim)
    return value / other if other else math.inf


def _measured(experiment: Experiment, claim: Claim) -> float:
    trainer = Trainer(experiment)
    usual = 0 if claim.gate == "exact" else experiment.steps
    try:
        for _ in range(usual if claim.steps is None else claim.steps):
            trainer.advance()
    except NotFiniteError:
        pass  # it stays as it was before the update that broke; `updates_made` tells
    return MEASURES[claim.measure](trainer)


def measure_all(presets: tuple[Preset, ...], known: dict[tuple[Any, ...], Row], gate: str) -> Iterator[Row]:
    """Every claim of one gate, seed by seed; what is known already is not measured again."""
    torch.set_num_threads(1)  # as in a worker
    for preset in presets:
        for claim in preset.claims:
            if claim.gate != gate:
                continue
            for seed in claim.seeds:
                key = preset.slug, digest(preset, claim), seed
                yield known.get(key) or Row.of(preset, claim, seed, measure(preset, claim, seed))
