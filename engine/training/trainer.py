"""Training: one optimiser step at a time, and a look at the network whenever one is asked for. No threads."""

from __future__ import annotations

import dataclasses
import io
import math
import time
from collections import deque
from collections.abc import Collection, Iterator
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

from engine.experiment import LIVE_SETTINGS, Changes, Experiment, ExperimentError, record_change, settings_at
from engine.frame import Frame, RunInfo
from engine.frame.frame import TrainingProgress
from engine.model import build
from engine.tasks import TASKS, Batch, probe, sample
from engine.training.capture_frame import capture_frame, embedding_map
from engine.training.nonfinite import describe_nonfinite
from engine.training.optimizers import make_optimizer

RECENT = 20  # updates over which the training loss is averaged to say "solved" or "target reached"
EARLIER = 100  # updates between the recent losses and those that a plateau is judged against
METRIC_EVERY = 50  # updates between two measurements of the metric, where a run stops at a target metric


class NotFiniteError(ArithmeticError):
    """The loss or its gradient is infinite or not a number; the update was not made."""


class Trainer:
    """One network being trained. `step` counts the updates made; `experiment` follows what `update` changes.

    The batch of step s depends on (seed, s) alone, and dropout draws from a generator seeded by (seed, s): the frame
    of step s is the same whenever, and however often, anybody looks.
    """

    def __init__(self, experiment: Experiment) -> None:
        if experiment.device == "cuda" and not torch.cuda.is_available():
            raise ExperimentError("device", got="cuda", accepts="cpu on this machine, which has no CUDA device")
        self.experiment, self.info = experiment, RunInfo.of(experiment)
        self.model = build(experiment)
        self._parameters = list(self.model.parameters())
        self._optimizer = make_optimizer(experiment, self._parameters)
        self._probe = probe(experiment)
        self._untrained_map = embedding_map(self.model)  # of the experiment alone: a checkpoint is restored after this
        self.step, self.seconds = 0, 0.0
        self.changes: Changes = ()
        self.solved_at: int | None = None
        self.loss, self.param_grad_norm, self.param_grad_norm_clipped = math.nan, math.nan, math.nan
        self.clipped = False
        self._losses: deque[float] = deque(maxlen=RECENT + EARLIER)
        self._clips: deque[bool] = deque(maxlen=RECENT)
        self._target_reached = False

    def advance(self) -> float:
        """Make one update. Returns the loss of its batch, before the update.

        Raises:
            NotFiniteError: saying where it broke; the network stays as it was before this update.
        """
        began, e = time.perf_counter(), self.experiment
        batch = sample(e, e.batch_size, (e.seed, self.step + 1))
        self._optimizer.zero_grad()
        loss = self._loss(batch)
        loss.backward()
        value, norm = loss.item(), self._clip()
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise NotFiniteError(describe_nonfinite(self.model, batch, self.step + 1, value))
        self._optimizer.step()
        self.step, self.loss, self.param_grad_norm = self.step + 1, value, norm
        self._losses.append(value)
        self._clips.append(self.clipped)
        if self.solved_at is None and self.recent_loss < self.info.solved_loss:
            self.solved_at = self.step
        self._target_reached = self._reaches_target()
        self.seconds += time.perf_counter() - began
        return value

    @property
    def probe(self) -> Batch:
        """The held-out sequences that every frame is taken on, fixed for the run."""
        return self._probe

    @property
    def recent_loss(self) -> float:
        """Mean training loss of the last RECENT updates; infinite before there are so many."""
        return _mean(self._recent) if len(self._losses) >= RECENT else math.inf

    @property
    def _recent(self) -> list[float]:
        """The losses of the last RECENT updates, or of as many as there are."""
        return list(self._losses)[-RECENT:]

    @property
    def finished(self) -> bool:
        """True when the experiment's steps are done, or its target loss or target metric is reached."""
        return self.step >= self.experiment.steps or self._target_reached

    def _reaches_target(self) -> bool:
        """The loss is that of recent training; the metric is the probe's, measured every METRIC_EVERY updates."""
        e, metric = self.experiment, TASKS[self.experiment.task].metric
        if e.target_loss is not None and self.recent_loss <= e.target_loss:
            return True
        if e.target_metric is None or self.step % METRIC_EVERY:
            return False
        reached = self.metric(self._probe)
        return reached >= e.target_metric if metric.higher_is_better else reached <= e.target_metric

    def update(self, **changes: Any) -> None:
        """Change settings of `engine.experiment.LIVE_SETTINGS` from the next update on; `changes` remembers what and
        when.

        Raises:
            ExperimentError: for any other setting, or a value out of range; nothing is changed then.
        """
        for name, value in changes.items():
            if name not in LIVE_SETTINGS:
                raise ExperimentError(
                    name, got=value, accepts=f"unchanged: while it runs only {', '.join(LIVE_SETTINGS)} change"
                )
        changed = self.experiment.replace(**changes)
        self.changes = record_change(self.changes, self.step, self.experiment, changed)
        self._apply_settings(changed)

    def _apply_settings(self, experiment: Experiment) -> None:
        """From the next update on by these settings."""
        self.experiment = self.model.experiment = experiment
        for group in self._optimizer.param_groups:
            group["lr"] = experiment.learning_rate

    def frame(self, requested: Collection[str] = ()) -> Frame:
        """Look at the network as it is. Changes nothing and draws no random number.

        Args:
            requested: which of `engine.frame.readings.ON_DEMAND_READINGS` to compute as well; those that this network
                does not have stay None.
        """
        info = dataclasses.replace(self.info, experiment=self.experiment)
        return capture_frame(self.model, self._probe, info, self.progress, self._untrained_map, requested)

    @property
    def progress(self) -> TrainingProgress:
        """How far the training is; the loss is NaN at step 0."""
        losses = list(self._losses)
        return TrainingProgress(
            step=self.step,
            loss=self.loss,
            seconds=self.seconds,
            param_grad_norm=self.param_grad_norm,
            param_grad_norm_clipped=self.param_grad_norm_clipped,
            clipped=self.clipped,
            recent_loss=_mean(self._recent),
            earlier_loss=_mean(losses[:RECENT] if len(losses) == RECENT + EARLIER else []),
            recent_clipped=_mean(list(self._clips)),
        )

    @torch.no_grad()
    def metric(self, batch: Batch) -> float:
        """The task's metric on a batch, in evaluation mode; where outputs are fed back, the network runs by itself."""
        self.model.eval()
        logits = self.model.generate(batch) if self.info.is_autoregressive else self.model(batch)
        self.model.train()
        return TASKS[self.experiment.task].metric.measure(batch, self.model.predictions(logits, batch))

    def checkpoint(self) -> bytes:
        """Everything that `restore` needs to go on as if nothing had happened: safe to load, tensors and numbers."""
        state = {
            "step": self.step,
            "seconds": self.seconds,
            "solved_at": self.solved_at,
            "loss": self.loss,
            "norms": [self.param_grad_norm, self.param_grad_norm_clipped],
            "clipped": self.clipped,
            "losses": list(self._losses),
            "clips": list(self._clips),
            "changes": [list(each) for each in self.changes],
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        buffer = io.BytesIO()
        torch.save(state, buffer)
        return buffer.getvalue()

    def restore(self, checkpoint: bytes) -> None:
        """Go back, or forward, to a checkpoint of the same experiment."""
        state = torch.load(io.BytesIO(checkpoint), weights_only=True)
        self.model.load_state_dict(state["model"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.solved_at = state["step"], state["seconds"], state["solved_at"]
        self.loss, self.clipped = state["loss"], state["clipped"]
        self.param_grad_norm, self.param_grad_norm_clipped = state["norms"]
        for kept, name in ((self._losses, "losses"), (self._clips, "clips")):
            kept.clear()
            kept.extend(state[name])
        self._apply_changes(tuple((step, changes) for step, changes in state["changes"]))

    def drop_unmade_changes(self) -> None:
        """Forget the live changes that no update has followed yet."""
        self._apply_changes(tuple(each for each in self.changes if each[0] < self.step))

    def _apply_changes(self, changes: Changes) -> None:
        self.changes = changes
        self._apply_settings(settings_at(self.info.experiment, changes))

    def weights(self) -> bytes:
        """What is learned, as a safetensors file: PyTorch's names, float32, as `load_state_dict` wants them."""
        return safetensors.torch.save(self.model.state_dict(), {"step": str(self.step)})

    def _loss(self, batch: Batch) -> Tensor:
        """L of a batch in training mode; dropout, noise and teacher forcing need random numbers, and get their own."""
        e = self.experiment
        by_chance = self.info.is_autoregressive and e.teacher_forcing < 1
        if not (e.dropout or e.noise or by_chance):
            return self.model.loss(batch)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(e.seed * 1_000_003 + self.step)
            return self.model.loss(batch)

    def _clip(self) -> float:
        """Clip the parameters' gradients as the experiment says. Returns their global 2-norm before."""
        e, parameters = self.experiment, self._parameters
        total = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        norm = after = total.item()
        if e.clip == "norm":
            nn.utils.clip_grads_with_norm_(parameters, e.clip_threshold, total)
            after = min(norm, e.clip_threshold)
        elif e.clip == "value":
            nn.utils.clip_grad_value_(parameters, e.clip_threshold)
            after = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None]).item()
        self.param_grad_norm_clipped, self.clipped = after, after < norm
        return norm


def _mean(values: list) -> float:
    """NaN unless there are RECENT of them."""
    return sum(values) / RECENT if len(values) == RECENT else math.nan


def train(experiment: Experiment, record_every: int = 10) -> Iterator[Frame]:
    """Train from the start, yielding the frame of step 0, then of every `record_every` steps and of the last.

    Raises:
        NotFiniteError: as `Trainer.advance`.
    """
    trainer = Trainer(experiment)
    yield trainer.frame()
    while not trainer.finished:
        trainer.advance()
        if trainer.step % record_every == 0 or trainer.finished:
            yield trainer.frame()
