"""The figures of a network of which no task is known are those of our own runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.figures import FIGURES, ChainFigure, Curves, Quantised, applicable, chain_figures
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.recording.history import Waterfall, ratios
from engine.training import Trainer
from tests.bare import bare_chain, bare_look
from tests.cases import for_each

SMALL = {"hidden_size": 5, "batch_size": 4, "seq_len": 9}
EXPERIMENTS = {
    "plain": Experiment(cell="rnn", **SMALL),
    "gated, two layers": Experiment(cell="gru", num_layers=2, **SMALL),
    "both ways": Experiment(cell="lstm", bidirectional=True, **SMALL),
    "cut": Experiment(cell="lstm", tbptt=4, **SMALL),
    "words": Experiment(task="characters", rnn_type="many_to_many", cell="lstm", **SMALL),
    "encoder and decoder": Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", **SMALL),
}
OF_WORDS = ("layout.xaxis.tick", "layout.margin.b", "text")
"""Paths of what a figure says of the inputs, which nobody knows of somebody else's model."""


def plain(value: Any) -> str:
    """What is equal for equal values, NaN included."""
    if isinstance(value, Quantised):
        return repr((value.scale, value.values.tolist()))
    return repr(value.tolist() if isinstance(value, np.ndarray) else value)


@for_each({"name": EXPERIMENTS})
def test_a_chain_and_a_look_are_drawn_like_the_run_that_they_are_of(name: str) -> None:
    info = RunInfo.of(EXPERIMENTS[name])
    frame = Trainer(EXPERIMENTS[name]).frame(["spectrum"])
    chain, look = bare_chain(info), bare_look(frame)
    waterfall = Waterfall()
    waterfall.add_frame(info, frame)
    curves = Curves(np.zeros(0, [("step", int)]), np.zeros(0), waterfall.table(), ratios=ratios([frame]))
    drawn = chain_figures(chain)
    assert list(drawn) == [each for each in applicable(info) if isinstance(FIGURES[each], ChainFigure)]
    for figure in drawn.values():
        of_chain, of_run = figure.patch(chain, look, curves), figure.patch(info, frame, curves)
        numbers = [path for path in of_run if not any(word in path for word in OF_WORDS)]
        assert numbers and set(numbers) <= set(of_chain)
        for path in numbers:
            np.testing.assert_array_equal(plain(of_chain[path]), plain(of_run[path]), path)
        assert figure.readout(chain, look) == figure.readout(info, frame)
        assert len(figure.template(chain).data) == len(figure.template(info).data)
        assert "probe" not in figure.how(chain) + figure.look_for(chain)


def test_every_question_about_a_chain_has_a_figure() -> None:
    chain = bare_chain(RunInfo.of(EXPERIMENTS["gated, two layers"]))
    expected = {"gradient", "hidden", "factors", "waterfall", "weights", "gates", "ratio", "spectrum", "memory"}
    assert set(chain_figures(chain)) == expected
