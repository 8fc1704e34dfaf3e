"""What is measured of networks on held-out sequences: the numbers of the held-out record of their own trainers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.many.batches import for_each_seed
from engine.many.networks import Networks
from engine.model import build
from engine.tasks import held_out, probe
from engine.training.capture_frame import verdicts_gradient
from engine.training.held_out import answered


class HeldOut(NamedTuple):
    """What was measured; see `engine.frame.held_out.HeldOutRecord`, where the names begin with `held_out_`."""

    loss: float
    metric: float
    ratio: float


class HeldOutMeter(Protocol):
    """Measures networks on held-out sequences."""

    def measure(self, places: Iterable[int]) -> list[HeldOut]:
        """Measure the networks at these places as they are now."""


class SeparateMeter:
    """Measures one network after the other; see `HeldOutMeter`.

    Args:
        networks: whose parameters have the same shapes.
    """

    def __init__(self, networks: Networks) -> None:
        self._networks, experiments = networks, networks.experiments
        self._model = build(experiments[0])  # the parameters of one network after the other are copied into it
        self._batches, self._probes = for_each_seed(experiments, held_out), for_each_seed(experiments, probe)

    def measure(self, places: Iterable[int]) -> list[HeldOut]:
        """See `HeldOutMeter`."""
        return [self._measured(place, self._networks.experiments[place]) for place in places]

    def _measured(self, place: int, experiment: Experiment) -> HeldOut:
        info = RunInfo.of(experiment)
        self._model.load_state_dict(self._networks.state_dict(place))
        loss, metric, _ = answered(self._model, self._batches[place], info)
        ratio = verdicts_gradient(self._model, self._probes[place], info).ratio
        return HeldOut(loss, metric, ratio)
