"""The map of the symbols: every symbol stands at its place, and what can be read can be read."""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import FIGURES, Curves, Patch, applicable
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.recording.history import History
from engine.training import Trainer

CASES: dict[str, dict[str, Any]] = {
    "words": {"task": "sentiment", "rnn_type": "many_to_one", "embedding_size": 16},
    "letters": {"task": "characters", "rnn_type": "many_to_many", "embedding_size": 8, "seq_len": 20},
    "two numbers": {"task": "characters", "rnn_type": "many_to_many", "embedding_size": 2, "seq_len": 20},
    "one number": {"task": "parity", "rnn_type": "many_to_one", "embedding_size": 1},
    "notes": {"task": "melody", "rnn_type": "one_to_many", "embedding_size": 4},
    "source": {"task": "reverse", "rnn_type": "encoder_decoder", "embedding_size": 4, "seq_len": 6},
}
cases = pytest.mark.parametrize("case", CASES)


@cache
def seen(case: str) -> tuple[RunInfo, Frame]:
    trainer = Trainer(Experiment(cell="gru", hidden_size=4, batch_size=2, **CASES[case]))
    trainer.advance()
    return trainer.info, trainer.frame()


def patch(info: RunInfo, frame: Frame) -> Patch:
    return FIGURES["embedding"].patch(info, frame, Curves(updates=History().updates(), looks=History().looks()))


def points(changed: Patch) -> list[tuple[str, float, float, str, int]]:
    """Every symbol: where it is drawn, with which name, and in which trace."""
    drawn_points = []
    for trace in (0, 1):
        columns = (changed[f"data.{trace}.{each}"] for each in ("customdata", "x", "y", "text"))
        drawn_points += [(*row, trace) for row in zip(*columns, strict=True)]
    return drawn_points


@cases
def test_every_symbol_stands_at_its_place_within_the_axes(case):
    info, frame = seen(case)
    changed = patch(info, frame)
    drawn, low, high = points(changed), *changed["layout.xaxis.range"]
    assert len(drawn) == len(info.input_labels) and changed["layout.yaxis.range"] == [low, high]
    for label, place in zip(info.input_labels, frame.embedding, strict=True):
        shown = {" ": "␣", "\N{REPLACEMENT CHARACTER}": "?", "<UNK>": "&lt;UNK&gt;"}.get(label, label)
        assert (shown, *place) in [each[:3] for each in drawn]
    assert np.abs(frame.embedding).max() < high <= 1.4 * np.abs(frame.embedding).max()


@cases
def test_the_symbols_of_the_sequence_shown_stand_out(case):
    info, frame = seen(case)
    read = [int(token) for t, token in enumerate(frame.inputs) if frame.valid[t] and token >= 0]
    read = read[: frame.valid[: info.encoder_steps].sum()] if info.encoder_steps else read
    drawn = points(patch(info, frame))
    assert sum(trace for *_, trace in drawn) == len(set(read))
    assert any(name for *_, name, trace in drawn if trace)


@cases
def test_no_name_covers_another(case):
    info, frame = seen(case)
    changed = patch(info, frame)
    pixels = 300 / (2 * changed["layout.xaxis.range"][1])
    named = [(x * pixels, y * pixels, symbol) for symbol, x, y, name, _ in points(changed) if name]
    assert 1 <= len(named) <= 45
    for at, (x, y, name) in enumerate(named):
        for other_x, other_y, other in named[:at]:
            letters = len(name.replace("&lt;", "<").replace("&gt;", ">")), len(other)
            assert abs(y - other_y) >= 12.9 or abs(x - other_x) >= 6 * sum(letters) / 2, (name, other)


@pytest.mark.parametrize("scale", [0.37, 1.0, 1.03, 2.9, 71.3])
def test_names_that_have_room_are_drawn(scale):
    info, frame = seen("letters")
    side = np.arange(len(info.input_labels))
    spread = scale * np.stack([side % 7 - 3, side // 7 - 2.5], 1).astype(np.float32)
    drawn = points(patch(info, dataclasses.replace(frame, embedding=spread)))
    assert all(name == symbol for symbol, _, _, name, _ in drawn)


@cases
def test_it_is_a_figure_that_can_be_sent(case):
    info, frame = seen(case)
    figure = FIGURES["embedding"].template(info)
    for path, value in patch(info, frame).items():
        place, *way = path.split(".")
        target = figure[place]
        for key in way[:-1]:
            target = target[int(key) if key.isdigit() else key]
        target[way[-1]] = value  # Plotly refuses what it cannot take
        assert value.dtype == np.float32 if isinstance(value, np.ndarray) else json.dumps(value)
    assert isinstance(figure, go.Figure) and figure.layout.yaxis.scaleanchor == "x"


def test_a_network_that_broke_has_a_map_without_points():
    info, frame = seen("words")
    broken = dataclasses.replace(frame, embedding=np.full_like(frame.embedding, np.nan), embedding_share=np.nan)
    assert np.isfinite(patch(info, broken)["layout.xaxis.range"]).all()
    assert FIGURES["embedding"].readout(info, broken) == "its numbers are not finite"


def test_it_says_how_much_of_the_whole_it_shows():
    info, frame = seen("words")
    text = FIGURES["embedding"].readout(info, dataclasses.replace(frame, embedding_share=0.713))
    assert text == "two of 16 dimensions, which hold 71% of the differences"
    assert FIGURES["embedding"].title(info) == "Where each word lies"
    assert FIGURES["embedding"].title(seen("notes")[0]) == "Where each symbol lies"
    assert FIGURES["embedding"].readout(*seen("two numbers")) == "both of its numbers"


def test_it_is_there_only_where_symbols_are_embedded():
    assert "embedding" in applicable(seen("words")[0])
    assert "embedding" not in applicable(RunInfo.of(Experiment(task="sentiment", rnn_type="many_to_one")))
