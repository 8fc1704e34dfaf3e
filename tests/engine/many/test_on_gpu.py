"""Networks side by side on a GPU: those of the CPU, whoever stands beside them, and an update that is one graph."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.many.graph import Graphs
from engine.many.held_out_beside import SideBySideMeter
from engine.many.many import Many
from engine.many.stretch import Stretch
from engine.many.training import Training
from tests.engine.many.test_many import EVERY_CELL, EVERY_KIND, KINDS, SMALL, different, numbers

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


def on_gpu(experiments: list[Experiment]) -> list[Experiment]:
    return [e.replace(device="cuda") for e in experiments]


def difference(ours: Many, theirs: Many) -> float:
    return max(
        np.abs(numbers(ours.state_dict(k)) - numbers(theirs.state_dict(k))).max() for k in range(len(ours.experiments))
    )


@EVERY_KIND
def test_networks_on_a_gpu_are_those_of_the_cpu(kind, cell):
    experiments = different(**KINDS[kind], **cell)
    here, there = (Many(each, torch.float64) for each in (experiments, on_gpu(experiments)))
    for _ in range(20):
        losses = here.advance()
        assert np.abs(there.advance() - losses).max() < 1e-9
    assert difference(there, here) < 1e-9


@EVERY_CELL
def test_what_is_measured_is_that_of_the_cpu(cell):
    experiments = different(**KINDS["padded, every step"], **cell)
    here, there = Many(experiments), Many(on_gpu(experiments))
    for _ in range(3):
        here.advance()
        there.advance()
    for ours, theirs in zip(*(SideBySideMeter(each).measure(range(3)) for each in (there, here)), strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=2e-5)
        assert ours.metric == pytest.approx(theirs.metric, abs=1 / 256)
        assert ours.ratio == pytest.approx(theirs.ratio, rel=1e-3)


def test_an_update_is_one_graph_and_goes_on_exactly_after_a_checkpoint():
    experiments = on_gpu(different(**KINDS["classes"], cell="gru"))
    many = Many(experiments)
    assert isinstance(many.make_update, Graphs)
    for _ in range(5):
        many.advance()
    checkpoint = many.checkpoint()
    for _ in range(5):
        many.advance()
    again = Many(experiments)
    again.restore(checkpoint)
    for _ in range(5):
        again.advance()
    assert difference(again, many) == 0
    assert (again.steps == 10).all()


def test_a_network_that_diverges_stays_and_touches_nobody():
    calm = Experiment(**SMALL, task="adding", cell="rnn", seq_len=7, device="cuda", clip="none")
    wild = calm.replace(init="orthogonal", init_gain=100.0, learning_rate=1e30)
    both, alone = Many([calm, wild]), Many([calm])
    for _ in range(8):
        both.advance()
        alone.advance()
    assert list(both.diverged) == [False, True]
    assert both.steps[0] == 8 > both.steps[1]
    assert np.isfinite(numbers(both.state_dict(1))).all()
    assert np.abs(numbers(both.state_dict(0)) - numbers(alone.state_dict(0))).max() < 1e-6


def test_a_stretch_is_trained_there():
    experiments = on_gpu(different(**KINDS["classes"], cell="lstm"))
    settings = tuple(e.to_dict() for e in experiments)
    stretch = Stretch(numbers=(0, 1, 2), experiments=settings, beside=None, updates=12, measure_every=5, seconds=60.0)
    training = Training(stretch)
    while not training.done:
        training.advance()
    assert [each.step for each in training.take() if each.number == 1] == [0, 5, 10, 12]
