"""Figures of a single layer show the one that is chosen; the others show all layers anyway."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import pytest

from app.figures import FIGURES, Curves, PastRun, Patch, Quantised, applicable, theme
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.frame.readings import ON_DEMAND_READINGS
from engine.recording.history import History, Waterfall
from engine.training import Trainer

OF_ONE_LAYER = ("factors", "waterfall", "decomposition", "weights", "gates", "spectrum", "memory")
OTHER = (0, 1)  # the lower layer, backwards: with all layers and directions turned round it is the top one, forwards


@cache
def looked_at() -> tuple[RunInfo, Frame]:
    e = Experiment(task="parity", rnn_type="many_to_many", cell="gru", num_layers=2, bidirectional=True, hidden_size=5,
                   seq_len=7, batch_size=4)  # fmt: skip
    trainer = Trainer(e)
    for _ in range(2):
        trainer.advance()
    return trainer.info, trainer.frame(frozenset(ON_DEMAND_READINGS))


def turned(value: Any) -> Any:
    """The same with the layers from the top down and the directions backwards first."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value, **{each.name: turned(getattr(value, each.name)) for each in dataclasses.fields(value) if each.init}
        )
    if isinstance(value, dict):
        return {key: turned(each) for key, each in value.items()}
    return value[::-1, ::-1] if isinstance(value, np.ndarray) and value.shape[:2] == (2, 2) else value


def curves(info: RunInfo, frame: Frame) -> Curves:
    waterfall = Waterfall()
    waterfall.add_frame(info, frame)
    return Curves(History().updates(), History().looks(), waterfall.table(info.shown_chain))


def plain(patch: Patch) -> dict[str, Any]:
    values = {path: each.values if isinstance(each, Quantised) else each for path, each in patch.items()}
    return {path: each.tolist() if isinstance(each, np.ndarray) else each for path, each in values.items()}


@pytest.mark.parametrize("name", OF_ONE_LAYER)
def test_a_figure_of_one_layer_shows_the_chosen_one(name):
    info, frame = looked_at()
    figure, chosen, other_way = FIGURES[name], info.showing(OTHER), turned(frame)
    wanted = plain(figure.patch(info, other_way, curves(info, other_way)))
    assert str(plain(figure.patch(chosen, frame, curves(chosen, frame)))) == str(wanted)  # NaN equals NaN
    assert figure.readout(chosen, frame) == figure.readout(info, other_way) != ""
    assert figure.title(info).endswith("(layer 2, forwards)")
    assert figure.title(chosen) == figure.title(info).replace("layer 2, forwards", "layer 1, backwards")
    assert str(wanted) != str(plain(figure.patch(info, frame, curves(info, frame))))


def test_the_dots_of_the_gradient_are_the_chosen_layer_and_the_lines_the_others():
    info, frame = looked_at()
    chosen, figure = info.showing(OTHER), FIGURES["gradient"]
    names = [trace.name for trace in figure.template(chosen).data]
    patch = figure.patch(chosen, frame, curves(chosen, frame))
    assert names[2] == "relative size (layer 1, backwards)"
    for k, chain in zip((2, 7, 8, 9), (OTHER, (0, 0), (1, 0), (1, 1)), strict=True):
        there = frame.relative[chain] > 0
        assert np.allclose(patch[f"data.{k}.y"][there], frame.relative[chain][there])
    assert figure.readout(chosen, frame) != figure.readout(info, frame)


def test_the_other_figures_do_not_depend_on_the_choice():
    info, frame = looked_at()
    chosen = info.showing(OTHER)
    for name, figure in applicable(info).items():
        if name not in (*OF_ONE_LAYER, "gradient"):
            before, after = (figure.patch(each, frame, curves(each, frame)) for each in (info, chosen))
            assert str(plain(before)) == str(plain(after)) and figure.title(info) == figure.title(chosen), name


@pytest.mark.parametrize("chain", [None, (2, 0), (-1, 0), (0, 2), (1, 0)], ids=str)
def test_a_layer_that_is_not_there_is_the_top_one_forwards(chain):
    info, _ = looked_at()
    assert info.showing(chain).shown_chain == info.showing(None).shown_chain == (1, 0)


def test_the_previous_run_is_drawn_with_the_same_layer_if_it_has_it():
    info, frame = looked_at()
    past = PastRun(info, frame, curves(info, frame))
    _, shown = FIGURES["gradient"].past_line(info.showing(OTHER), past)
    assert np.allclose(shown, theme.float32(frame.relative[OTHER]), equal_nan=True)
