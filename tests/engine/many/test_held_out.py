"""What is measured on held-out sequences: the numbers of the held-out record of each network's own trainer."""

from __future__ import annotations

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.many.held_out_beside import SideBySideMeter
from engine.many.many import Many
from engine.model import build
from engine.tasks import held_out, probe
from engine.training.capture_frame import verdicts_gradient
from engine.training.held_out import measured
from tests.engine.many.test_many import EVERY_KIND, KINDS, different

GAINS = {"init": "orthogonal", "hidden_size": 8}


def expected(e: Experiment, many: Many, place: int) -> tuple[float, float, float]:
    """With the trainer's own functions."""
    model, info = build(e), RunInfo.of(e)
    model.load_state_dict(many.state_dict(place))
    loss, metric, _ = measured(model, held_out(e), info)
    return loss, metric, verdicts_gradient(model, probe(e), info)[0]


@EVERY_KIND
def test_it_is_what_the_trainer_would_record(kind, cell):
    experiments = different(**KINDS[kind], **cell)
    many = Many(experiments)
    meter = SideBySideMeter(many)
    for _ in range(2):
        many.advance()
    found = meter.measure([2, 0])
    for place, ours in zip((2, 0), found, strict=True):
        loss, metric, ratio = expected(experiments[place], many, place)
        assert ours.loss == pytest.approx(loss, rel=2e-6)
        assert ours.metric == pytest.approx(metric, abs=1e-9)
        assert ours.ratio == pytest.approx(ratio, rel=2e-5)


def test_a_ratio_far_below_what_float32_holds():
    e = Experiment(task="first_symbol_recall", cell="rnn", seq_len=100, init_gain=0.02, **GAINS)
    many = Many([e])
    (found,) = SideBySideMeter(many).measure([0])
    *_, ratio = expected(e, many, 0)
    assert 0 < ratio < 1e-150
    assert np.log10(found.ratio) == pytest.approx(np.log10(ratio), rel=1e-5)
