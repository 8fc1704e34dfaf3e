"""Theory's line in the gradient figure: what the weights or the keeping gate alone say."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures.over_time import theory
from app.figures.over_time.gradient import TRACES, patch, relative, template
from engine.experiment import Experiment
from engine.training import Trainer
from tests.app.figures.conftest import seen


def trained(**settings):
    trainer = Trainer(Experiment(**settings))
    for _ in range(5):
        trainer.advance()
    return trainer


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
def test_a_plain_cell_never_lets_more_through_than_its_largest_singular_value(nonlinearity):
    trainer = trained(cell="rnn", seq_len=20, nonlinearity=nonlinearity, init_gain=1.3)
    info, frame = trainer.info, trainer.frame()
    largest = np.linalg.norm(trainer.model.state_dict()["recurrent.weight_hh_l0"].numpy().astype(float), 2)
    line = theory.line(info, frame)
    assert line == pytest.approx(largest ** np.arange(19, -1, -1), rel=1e-5)
    assert (relative(info, frame)[0, 0] <= line * (1 + 1e-6)).all()


def test_units_with_a_weight_each_go_by_the_largest():
    trainer = trained(cell="indrnn", seq_len=6)
    largest = trainer.model.state_dict()["recurrent.weight_u_l0"].abs().max().item()
    assert theory.line(trainer.info, trainer.frame()) == pytest.approx(largest ** np.arange(5, -1, -1), rel=1e-5)


@pytest.mark.parametrize(("cell", "gate"), [("lstm", "forget_gate"), ("gru", "update_gate")])
def test_a_gated_cell_goes_by_the_product_of_its_keeping_gate(cell, gate):
    trainer = trained(cell=cell, seq_len=9, task="sine", rnn_type="many_to_many", bidirectional=True, num_layers=2)
    frame = trainer.frame()
    for layer, d in trainer.info.chains:
        info = trainer.info.showing((layer, d))
        kept, line = frame.gates[gate][layer, d].mean(-1), theory.line(info, frame)
        for t in range(9):
            expected = np.prod(kept[t + 1 :]) if d == 0 else np.prod(kept[:t])
            assert line[t] == pytest.approx(expected), (layer, d, t)


def test_encoder_and_decoder_have_weights_of_their_own_and_padding_is_skipped():
    trainer = trained(task="reverse", rnn_type="encoder_decoder", cell="rnn", seq_len=6)
    info, frame = trainer.info, trainer.frame()
    norms = [float(frame.spectral_norms[f"{part}.weight_hh_l0"]) for part in ("encoder", "decoder")]
    line, n = theory.line(info, frame), info.encoder_steps
    assert np.array_equal(np.isnan(line), ~frame.valid)
    first = int(frame.valid[:n].sum()) - 1  # steps within the encoder
    assert line[0] == pytest.approx(norms[1] ** int(frame.valid[n:].sum()) * norms[0] ** first)


def test_nothing_crosses_a_cut_and_nothing_is_said_where_nothing_is_known():
    info, frame, _ = seen("cut")
    line, cut = theory.line(info, frame), max(range(info.time_steps - info.experiment.tbptt, 0, -info.experiment.tbptt))
    assert (line[:cut] == 0).all() and (line[cut : info.enters(0) + 1] > 0).all()
    trainer = trained(cell="feedforward", seq_len=4)
    assert np.isnan(theory.line(trainer.info, trainer.frame())).all()


def test_the_line_is_there_to_be_switched_on():
    info, frame, curves = seen("cut")
    line = template(info).data[TRACES.number("theory")]
    assert line.visible == "legendonly" and line.name.startswith("theory")
    drawn = patch(info, frame, curves)[TRACES.path("theory", "y")]
    assert drawn == pytest.approx(theory.line(info, frame), nan_ok=True)
