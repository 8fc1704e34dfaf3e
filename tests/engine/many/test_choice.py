"""Which networks are trained side by side: where that was measured to be faster."""

from __future__ import annotations

import pytest

from engine.experiment import Experiment
from engine.many import choice
from engine.many.many import Many

TINY = Experiment(task="adding", cell="rnn", hidden_size=2, seq_len=3, batch_size=2)


@pytest.mark.parametrize(("ratio", "faster"), [(3.5, True), (4.5, False)])
def test_the_faster_way_is_chosen_and_measured_once(monkeypatch, ratio, faster):
    four = [TINY.replace(seed=seed, hidden_size=3 + faster) for seed in range(4)]
    calls = []

    def seconds(act, clock):
        calls.append(act)
        act()
        return ratio if isinstance(act.__self__, Many) else 1.0

    monkeypatch.setattr(choice, "_seconds", seconds)
    assert choice.pays(four) is faster
    measured = len(calls)
    assert measured == 2 * (choice.NOT_TIMED + choice.TURNS)
    others = [e.replace(learning_rate=0.1, init_gain=2.0) for e in four]
    assert choice.pays(others) is faster and len(calls) == measured


def test_one_network_and_one_that_cannot_are_not_measured(monkeypatch):
    monkeypatch.setattr(choice, "_seconds", None)
    assert not choice.pays([TINY])
    assert not choice.pays([TINY.replace(nonlinearity="sigmoid", seed=seed) for seed in range(2)])
