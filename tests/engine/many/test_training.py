"""A stretch: how long it lasts, and what its networks have taken. The clock is one of the test's own."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable

from engine.experiment import Experiment
from engine.many.stretch import Stretch
from engine.many.training import train

TWO = [Experiment(task="adding", cell="rnn", hidden_size=4, seq_len=4, batch_size=4, seed=seed) for seed in (0, 1)]
STRETCH = Stretch(
    numbers=(7, 8), experiments=tuple(e.to_dict() for e in TWO), beside=True, updates=6, measure_every=2, seconds=5
)


def ticking() -> Callable[[], float]:
    """A clock that is a second later whenever it is read."""
    return map(float, itertools.count()).__next__


def test_a_stretch_ends_when_its_time_is_over():
    trained = train(STRETCH, ticking())
    assert not trained.done and 0 < trained.updates < 12
    assert train(dataclasses.replace(STRETCH, seconds=1000), ticking()).done


def test_seconds_are_the_networks_share_of_all_stretches():
    first = train(STRETCH, ticking())
    second = train(dataclasses.replace(STRETCH, checkpoint=first.checkpoint, seconds=1000), ticking())
    assert second.done and second.updates == 12
    taken = [row.seconds for row in (*first.measurements, *second.measurements) if row.number == 8]
    assert taken == sorted(taken) and len(taken) == 4
    assert second.measurements[0].seconds > float(first.checkpoint["seconds"]) / 2
