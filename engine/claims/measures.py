"""Measure the claims of the lessons: one number from a network, to be compared with the claim's bounds."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from engine.cells import CELLS
from engine.cells.parallel_time import dependent_steps, scan_pays
from engine.claims import bug_measures
from engine.claims.table import Row, digest
from engine.experiment import Experiment
from engine.frame.readings import saturation
from engine.preset import Claim, Preset
from engine.tasks import Batch, sample
from engine.training import NotFiniteError, Trainer

FRESH_SEQUENCES = 1024
"""Number of held-out sequences for evaluation; they are drawn separately from the probe."""


def _ratio(trainer: Trainer) -> float:
    """The verdict's ratio: the part of the last loss's gradient that arrives at the deciding step."""
    verdict = trainer.frame().diagnosis
    assert verdict is not None
    return float(verdict.evidence["ratio"])


def _fresh_batch(trainer: Trainer) -> Batch:
    return sample(trainer.experiment, FRESH_SEQUENCES, (trainer.experiment.seed, 1), "test")


def _test_loss(trainer: Trainer) -> float:
    """Loss on FRESH held-out sequences, with teacher forcing where outputs are fed back."""
    with torch.no_grad():
        loss = trainer.model.eval().loss(_fresh_batch(trainer))
    trainer.model.train()
    return loss.item()


def _test_metric(trainer: Trainer) -> float:
    """The task's metric on FRESH held-out sequences; where outputs are fed back, of the free-running network."""
    return trainer.metric(_fresh_batch(trainer))


def _training_loss(trainer: Trainer) -> float:
    """Mean loss of the last 20 updates' batches."""
    return trainer.recent_loss


def _saturated(trainer: Trainer) -> float:
    """Share of the drawn sequence's states that are saturated, for tanh: |h| above 0.95."""
    frame = trainer.frame()
    return float(saturation(frame.hidden[:, :, frame.valid].ravel(), "tanh"))


def _largest_gradient(trainer: Trainer) -> float:
    """The largest gradient norm of the last loss at any step but the last."""
    return float(np.nanmax(trainer.frame().grad_norm_last[..., :-1]))


def _beyond_the_cut(trainer: Trainer) -> float:
    """The largest gradient norm of the last loss before the last truncation point."""
    cuts = trainer.model.truncation_points(trainer.info.time_steps)
    return float(trainer.frame().grad_norm_last[..., : cuts[-1]].max())


def _gradient_of_the_update(trainer: Trainer) -> float:
    """Norm of the gradient of all parameters after clipping, as the optimiser used it."""
    return trainer.param_grad_norm_clipped


def _updates_made(trainer: Trainer) -> float:
    """Number of updates made; fewer than requested if a number was not finite."""
    return float(trainer.step)


def _parameters(trainer: Trainer) -> float:
    """Number of scalar parameters."""
    return float(trainer.info.parameter_count)


def _padding_changes(trainer: Trainer) -> float:
    """The largest relative change of a held-out sequence's loss when it is computed alone, without padding."""
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


def _gate_difference(trainer: Trainer) -> float:
    """The largest difference of a unit's keeping gate between steps of the drawn sequence with the same input."""
    frame, keeps = trainer.frame(), CELLS[trainer.experiment.cell].retain_gate
    assert keeps is not None
    gate = frame.gates[keeps][0, 0]
    return max(float(np.ptp(gate[frame.inputs == symbol], axis=0).max()) for symbol in np.unique(frame.inputs))


def _dependent_steps(trainer: Trainer) -> float:
    """Time steps of a layer that wait for one another on the way forward, as the layer computes them."""
    e, cell = trainer.experiment, CELLS[trainer.experiment.cell]
    if not cell.is_recurrent:
        return 1.0
    steps = dependent_steps(e.time_steps)
    scans = cell.structure.is_linear and scan_pays(e.time_steps, e.batch_size * e.hidden_size)
    return float(steps.scan if scans else steps.loop)


def _of_frame(name: str) -> Callable[[Trainer], float]:
    """A number that a frame has, by its name."""
    return lambda trainer: float(getattr(trainer.frame(), name))


def _around_share(trainer: Trainer) -> float:
    """The share of the last loss's gradient at the deciding step that came through attention."""
    verdict = trainer.frame().diagnosis
    assert verdict is not None
    return float(verdict.evidence["around_share"])


def _chosen_weight(trainer: Trainer) -> float:
    """How much the last loss's step reads of what it reads most, in multiples of what all would get alike."""
    attention = trainer.frame().attention
    assert attention is not None
    return attention.largest_weight / attention.even_weight


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
    "gate_difference": _gate_difference,
    "dependent_steps": _dependent_steps,
    "entering": _of_frame("output_grad_norm"),
    "padding_counted": _of_frame("padding_counted"),
    "data_gradient": _of_frame("data_gradient"),
    "off_one": _of_frame("off_one"),
    "leak": _of_frame("held_out_leak"),
    "stored_gradient": _of_frame("stored_gradient"),
    "reverse_steps": bug_measures.reverse_steps,
    "steps_with_loss": bug_measures.steps_with_loss,
    "sound_loss": bug_measures.sound_loss,
    "sound_metric": bug_measures.sound_metric,
    "kept_state_helps": bug_measures.kept_state_helps,
    "second_update_fails": bug_measures.second_update_fails,
    "graph_growth": bug_measures.graph_growth,
    "around_share": _around_share,
    "chosen_weight": _chosen_weight,
}
"""Name to measure: a function of a trainer in its present state."""


def measure(preset: Preset, claim: Claim, seed: int) -> float:
    """Measure a claim for one seed; trains first if the claim needs it."""
    value = _measured(preset.experiment.replace(**claim.settings, seed=seed), claim)
    if claim.against is None:
        return value
    other = _measured(preset.experiment.replace(**{**claim.settings, **claim.against}, seed=seed), claim)
    return value / other if other else math.inf


def _measured(experiment: Experiment, claim: Claim) -> float:
    trainer = Trainer(experiment)
    default_steps = 0 if claim.gate == "exact" else experiment.steps
    try:
        for _ in range(default_steps if claim.steps is None else claim.steps):
            trainer.advance()
    except NotFiniteError:
        pass  # the trainer keeps the state before the failed update; see `updates_made`
    return MEASURES[claim.measure](trainer)


def measure_all(presets: tuple[Preset, ...], known: dict[tuple[Any, ...], Row], gate: str) -> Iterator[Row]:
    """Measure every claim of one gate, seed by seed; rows in `known` are reused."""
    torch.set_num_threads(1)  # as in a worker
    for preset in presets:
        for claim in preset.claims:
            if claim.gate != gate:
                continue
            for seed in claim.seeds:
                key = preset.slug, digest(preset, claim), seed
                yield known.get(key) or Row.of(preset, claim, seed, measure(preset, claim, seed))
