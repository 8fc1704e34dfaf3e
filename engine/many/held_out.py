"""What is measured of a network on its held-out sequences: the numbers of the held-out record of its own trainer."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.model import build
from engine.tasks import held_out, probe
from engine.training.capture_frame import verdicts_gradient
from engine.training.held_out import measured


class HeldOut(NamedTuple):
    """What was measured; see `engine.frame.held_out.HeldOutRecord`, where the names begin with `held_out_`."""

    loss: float
    metric: float
    ratio: float


class HeldOutMeter:
    """Measures networks of one experiment; it keeps one network, into which the weights are copied."""

    def __init__(self, experiment: Experiment) -> None:
        self._info, self._model = RunInfo.of(experiment), build(experiment)
        self._batch, self._probe = held_out(experiment), probe(experiment)

    def measure(self, state_dict: dict[str, Tensor]) -> HeldOut:
        """Measure the network with these parameters."""
        self._model.load_state_dict(state_dict)
        loss, metric, _ = measured(self._model, self._batch, self._info)
        ratio, _ = verdicts_gradient(self._model, self._probe, self._info)
        return HeldOut(loss, metric, ratio)
