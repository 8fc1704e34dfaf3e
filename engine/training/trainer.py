"""Training: one optimiser step at a time, and frames on request. No threads."""

from __future__ import annotations

import dataclasses
import io
import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from engine.experiment import Changes, Experiment, record_change, settings_at
from engine.frame import Frame, RunInfo
from engine.frame.frame import TrainingProgress
from engine.frame.typed_frame import TypedFrame
from engine.intervention.as_json import check_interventions
from engine.intervention.changed_frame import ChangedFrame
from engine.intervention.changed_network import changed_network
from engine.intervention.intervention import Intervention
from engine.lens.forward_trace import DRAWN
from engine.live_settings import check_live
from engine.model import RecurrentNetwork, build
from engine.model.carried_state import CarriedState
from engine.model.limits import hold_limits, limited_parameters
from engine.schedule import Schedule
from engine.tasks import Batch, probe, task_of
from engine.training.capture_frame import capture_frame, embedding_map, verdicts_gradient
from engine.training.chance import chance_of
from engine.training.clipping import clip_gradient
from engine.training.cost_clock import cost_clock
from engine.training.gpu import on_this_machine
from engine.training.held_out import HeldOutMonitor
from engine.training.left_over import LeftOver
from engine.training.nonfinite import NotFiniteError, describe_nonfinite
from engine.training.optimizers import Optimizer
from engine.training.recent import RECENT, RecentUpdates
from engine.training.training_data import TrainingData
from engine.training.typed_sequence import typed_sequence

METRIC_EVERY = 50  # updates between two measurements of the metric, if there is a target metric


class Trainer:
    """One network being trained. `step` counts the updates made; `experiment` has the live settings and device of now.

    The batch of step s depends on (seed, s) alone, and dropout draws from a generator seeded by (seed, s). So the
    network at step s is the same however many frames were taken before. `weights` are as of `engine.model.build`.
    """

    def __init__(self, experiment: Experiment, weights: bytes = b"") -> None:
        experiment = on_this_machine(experiment)
        self.experiment, self.info = experiment, RunInfo.of(experiment)
        self.model = build(experiment, weights)
        self._parameters = list(self.model.parameters())
        self._limited = limited_parameters(self.model)
        self._optimizer = Optimizer(experiment, self._parameters)
        self._schedule = Schedule(experiment)
        self._probe, self._data = probe(experiment), TrainingData(experiment)
        self._untrained_map = embedding_map(self.model)  # here, because a checkpoint may be restored afterwards
        self.step, self.seconds = 0, 0.0
        self.measuring_seconds = 0.0  # what the held-out record has cost this trainer; it counts as frames' time
        self._cost_clock = cost_clock(experiment.device)
        self.changes: Changes = ()
        self.solved_at: int | None = None
        self.loss, self.param_grad_norm, self.param_grad_norm_clipped = math.nan, math.nan, math.nan
        self.clipped = False
        self.cut_to_limit = 0
        self._held_out = HeldOutMonitor(self.info)
        self._recent = RecentUpdates()
        self._left_over = LeftOver(experiment, self.model, RECENT)
        self._target_reached = False

    def advance(self) -> float:
        """Make one update. Returns the loss of its batch, before the update.

        Raises:
            NotFiniteError: if the loss or its gradient is not finite, with a sentence that says where. The network is
                unchanged then.
        """
        if self.step == 0:
            self.measure_held_out()  # where it began
        began, e = time.perf_counter(), self.experiment
        batch, carried = self._data.of_update(e, self.step + 1)
        self._left_over.clear(self._optimizer)
        loss = self._loss(batch, carried)
        loss.backward()
        value, own, (norm, after) = loss.item(), self._left_over.own_norm(), clip_gradient(e, self._parameters)
        self.param_grad_norm_clipped, self.clipped = after, after < norm
        if not (math.isfinite(value) and math.isfinite(norm)):
            self.measure_held_out(now=True)  # there will be no later step to measure
            raise NotFiniteError(describe_nonfinite(self.model, batch, self.step + 1, value, self.carried))
        self._optimizer.learning_rate = self.learning_rate
        self._optimizer.step()
        self._schedule.add(self.step, value)
        self.cut_to_limit = hold_limits(self._limited)
        self._data.carry(carried)
        self.step, self.loss, self.param_grad_norm = self.step + 1, value, norm
        self._recent.add(value, self.clipped)
        self._left_over.add(norm, own)
        self._target_reached = self._reaches_target()
        self.seconds += time.perf_counter() - began
        self.measure_held_out(now=self.finished)  # what is said of a run that is over is said of its last step
        return value

    @property
    def carried(self) -> CarriedState | None:
        """The state with which the next update begins; None if none is carried on."""
        return self._data.of_update(self.experiment, self.step + 1)[1]

    def step_back(self) -> None:
        """Have the next update made as the last one: on its batch, from its state, with its random numbers."""
        self.step -= 1
        self._data.step_back()

    def measure_held_out(self, now: bool = False) -> None:
        """Measure the network on the held-out sequences, if this is one of the fixed steps, or `now`."""
        if self._held_out.record.held_out_step == self.step or not (now or self._held_out.is_due(self.step)):
            return
        began = self._cost_clock()
        gradient = verdicts_gradient(self.model, self._probe, self._info)
        self._held_out.measure(self.model, self.step, self.recent_loss, gradient, self._probe)
        self.measuring_seconds += self._cost_clock() - began
        if self.solved_at is None and self._held_out.record.held_out_solved:
            self.solved_at = self.step

    def frames(self, record_every: int = 10) -> Iterator[Frame]:
        """Train to the end and yield frames: of now, of every `record_every` steps, and of the last; see `advance`."""
        yield self.frame()
        while not self.finished:
            self.advance()
            if self.step % record_every == 0 or self.finished:
                yield self.frame()

    @property
    def probe(self) -> Batch:
        """The held-out sequences on which every frame is measured, fixed for the run."""
        return self._probe

    @property
    def _info(self) -> RunInfo:
        return dataclasses.replace(self.info, experiment=self.experiment)

    @property
    def learning_rate(self) -> float:
        """The rate of the next update: the experiment's, times what its schedule has come to."""
        return self.experiment.learning_rate * self._schedule.factor(self.step)

    @property
    def recent_loss(self) -> float:
        """Mean training loss of the last RECENT updates; infinite until there are that many."""
        return math.inf if math.isnan(self._recent.loss) else self._recent.loss

    @property
    def finished(self) -> bool:
        """True once the experiment's steps are done, or its target loss or target metric is reached."""
        return self.step >= self.experiment.steps or self._target_reached

    def _reaches_target(self) -> bool:
        """Check the targets: recent training loss, or the metric on the probe every METRIC_EVERY updates."""
        e, metric = self.experiment, task_of(self.experiment).metric
        if e.target_loss is not None and self.recent_loss <= e.target_loss:
            return True
        if e.target_metric is None or self.step % METRIC_EVERY:
            return False
        reached = self.metric(self._probe)
        return reached >= e.target_metric if metric.higher_is_better else reached <= e.target_metric

    def update(self, **changes: Any) -> None:
        """Change `engine.live_settings` from the next update on, and record that in `changes`.

        Raises:
            ExperimentError: for any other setting, or a value out of range; nothing is changed then.
        """
        check_live(self.experiment, changes, "unchanged: while it runs only {live} change")
        changed = self.experiment.replace(**changes)
        self.changes = record_change(self.changes, self.step, self.experiment, changed)
        self._apply_settings(changed)

    def _apply_settings(self, experiment: Experiment) -> None:
        """Use these settings from the next update on."""
        self.experiment = self.model.experiment = experiment
        self._optimizer.apply_settings(experiment)

    def frame(self, requested: Collection[str] = ()) -> Frame:
        """Take a frame of the network as it is. Changes nothing and draws no random number.

        Args:
            requested: on-demand readings to compute as well, written as `engine.frame.reading_request` says; those that
                this network does not have stay None.
        """
        if self.step == 0:
            self.measure_held_out()
        return capture_frame(
            self.model, self._probe, self._info, self.progress, self._held_out.record, self._untrained_map, requested
        )

    def typed_frame(
        self, changes: Mapping[int, str], requested: Collection[str] = (), sentence: str = ""
    ) -> TypedFrame:
        """Take a frame of the drawn sequence alone, some of its symbols changed. Changes nothing, draws nothing.

        Args:
            changes: {position on the time axis: label of the symbol}; of an encoder-decoder only in its source.
            sentence: a text that is read in the place of the drawn sequence, before the changes; "": none.
            requested: as of `frame`.

        Raises:
            TypedSentenceError: for a change that cannot be made, or a text that cannot be read, with a sentence.
        """
        batch, known = typed_sequence(self.model, self._probe, changes, sentence)
        return TypedFrame(self.sequence_frame(batch, requested), known)

    def changed_frame(
        self,
        interventions: Sequence[Intervention],
        changes: Mapping[int, str] | None = None,
        requested: Collection[str] = (),
        sentence: str = "",
    ) -> ChangedFrame:
        """Take a frame of the drawn sequence alone with interventions, and one without. Changes and draws nothing.

        Args:
            interventions: of several for one value the last counts.
            changes, sentence: typed first, as of `typed_frame`; both frames then read this.
            requested: as of `frame`, for both.

        Raises:
            InterventionError: for an intervention that this network does not have, with a sentence.
            TypedSentenceError: as `typed_frame`.
        """
        batch = self._probe.single_sequence(DRAWN)
        known = batch.counted[:, 0].copy()
        if changes or sentence:
            batch, known = typed_sequence(self.model, self._probe, changes or {}, sentence)
        check_interventions(interventions, self.info.of_sequence(batch.valid[:, 0], batch.counted[:, 0]))
        changed, read = changed_network(self.model, batch, interventions)
        return ChangedFrame(
            interventions=tuple(interventions),
            frame=self._frame_of(changed, read, requested),
            untouched=self.sequence_frame(batch, requested),
            targets_known=known,
        )

    def sequence_frame(
        self, batch: Batch, requested: Collection[str] = (), carried: CarriedState | None = None
    ) -> Frame:
        """Take a frame of one sequence, begun with `carried` or 0, in place of the probe. Changes and draws nothing."""
        return self._frame_of(self.model, batch, requested, carried)

    def _frame_of(
        self, model: RecurrentNetwork, batch: Batch, requested: Collection[str], carried: CarriedState | None = None
    ) -> Frame:
        """A frame of a single sequence."""
        info = self._info.of_sequence(batch.valid[:, 0], batch.counted[:, 0])
        return capture_frame(
            model, batch, info, self.progress, self._held_out.record, self._untrained_map, requested, carried
        )

    @property
    def progress(self) -> TrainingProgress:
        """How far the training has come; the loss is NaN at step 0."""
        return TrainingProgress(
            step=self.step,
            loss=self.loss,
            seconds=self.seconds,
            param_grad_norm=self.param_grad_norm,
            param_grad_norm_clipped=self.param_grad_norm_clipped,
            clipped=self.clipped,
            recent_loss=self._recent.loss,
            earlier_loss=self._recent.earlier_loss,
            recent_clipped=self._recent.clipped,
            on_gpu=self.experiment.device == "cuda",
            learning_rate=self.learning_rate,
            stored_gradient=self._left_over.ratio,
        )

    @torch.no_grad()
    def metric(self, batch: Batch) -> float:
        """Measure the task's metric on a batch in evaluation mode; an autoregressive network is run freely."""
        self.model.eval()
        logits = self.model.generate(batch) if self.info.is_autoregressive else self.model(batch)
        self.model.train()
        return task_of(self.experiment).metric.measure(batch, self.model.predictions(logits, batch))

    def checkpoint(self) -> bytes:
        """Save everything that `restore` needs to continue exactly; only tensors and numbers, so loading is safe."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "solved_at": self.solved_at,
            "loss": self.loss,
            "norms": [self.param_grad_norm, self.param_grad_norm_clipped],
            "clipped": self.clipped,
            **self._recent.state(),
            "left_over": self._left_over.state(),
            "held_out": self._held_out.state(),
            "changes": [list(change) for change in self.changes],
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state(),
            "carried": self._data.state(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return buffer.getvalue()

    def restore(self, checkpoint: bytes) -> None:
        """Load a checkpoint of the same experiment."""
        state = torch.load(io.BytesIO(checkpoint), map_location="cpu", weights_only=True)  # here may be no GPU
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.restore(state.get("schedule"))
        self.step, self.seconds, self.solved_at = state["step"], state["seconds"], state["solved_at"]
        self.loss, self.clipped = state["loss"], state["clipped"]
        self.param_grad_norm, self.param_grad_norm_clipped = state["norms"]
        self._held_out.restore(state.get("held_out"))
        self._recent.restore(state)
        self._data.restore(state.get("carried", []), self._parameters[0].device)
        self._left_over.restore(state.get("left_over"))
        self._apply_changes(tuple((step, changes) for step, changes in state["changes"]))

    def drop_unmade_changes(self) -> None:
        """Drop the live changes that no update has used yet."""
        self._apply_changes(tuple(change for change in self.changes if change[0] < self.step))

    def _apply_changes(self, changes: Changes) -> None:
        self.changes = changes
        self._apply_settings(settings_at(self.info.experiment, changes))

    def weights(self) -> bytes:
        """The parameters as a safetensors file, float32, with the names that `load_state_dict` expects."""
        apart = {name: each.clone() for name, each in self.model.state_dict().items()}  # a tied head's as well
        return safetensors.torch.save(apart, {"step": str(self.step)})

    def _loss(self, batch: Batch, carried: CarriedState | None) -> Tensor:
        """L of a batch in training mode. Dropout, noise and teacher forcing use random numbers seeded by the step."""
        with chance_of(self.experiment, self.step):
            return self.model.loss(batch, carried)


def train(experiment: Experiment, record_every: int = 10) -> Iterator[Frame]:
    """Train from the start and yield frames, as `Trainer.frames` does."""
    yield from Trainer(experiment).frames(record_every)
