"""The figures of the lens over real frames: of any network, what they draw is a figure that Plotly takes."""

from __future__ import annotations

import copy
import dataclasses
import json
import pickle
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
import torch

from app.figures import FIGURES, Curves, applicable, decades, theme
from app.live.frames import pack
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.history import History, Waterfall
from engine.readings import ON_DEMAND_READINGS
from engine.training import Trainer
from tests.app.test_figures import decoded, patched

torch.set_num_threads(1)  # as in a worker: on networks this small two threads wait for each other
ROOT = Path(__file__).parents[2]
NAMES = ("factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory")
TINY = {"hidden_size": 5, "batch_size": 4}
EXPERIMENTS = {
    "plain": Experiment(cell="rnn", seq_len=12, **TINY),
    "gru": Experiment(cell="gru", seq_len=12, **TINY),
    "gru_simple": Experiment(cell="gru_simple", seq_len=12, **TINY),
    "lstm": Experiment(cell="lstm", seq_len=12, **TINY),
    "lstm_peephole": Experiment(cell="lstm_peephole", seq_len=9, **TINY),
    "lstm_no_forget": Experiment(cell="lstm_no_forget", seq_len=9, **TINY),
    "feedforward": Experiment(cell="feedforward", seq_len=6, **TINY),
    "letters, both ways, stacked": Experiment(
        task="characters", rnn_type="many_to_many", cell="gru", num_layers=2, bidirectional=True, seq_len=12, **TINY
    ),
    "padded, both ways": Experiment(task="sentiment", rnn_type="many_to_one", cell="lstm", bidirectional=True, **TINY),
    "encoder-decoder": Experiment(task="reverse", rnn_type="encoder_decoder", cell="lstm", **TINY),
    "one to many": Experiment(task="melody", rnn_type="one_to_many", cell="rnn", **TINY),
    "one step": Experiment(task="digits", rnn_type="one_to_one", cell="gru", **TINY),
    "values": Experiment(task="adding", rnn_type="many_to_one", cell="rnn", seq_len=20, **TINY),
    "cut": Experiment(cell="rnn", tbptt=4, seq_len=11, **TINY),
    "two steps": Experiment(cell="rnn", seq_len=2, **TINY),
    "dead": Experiment(cell="rnn", nonlinearity="relu", init="gaussian", init_gain=0.0, seq_len=6, **TINY),
    "infinite": Experiment(
        cell="rnn", nonlinearity="relu", init="identity", init_gain=4.0, seq_len=300, hidden_size=4, batch_size=2
    ),
}
PAIRS = [(case, name) for case, e in EXPERIMENTS.items() for name in applicable(RunInfo.of(e)) if name in NAMES]
pairs = pytest.mark.parametrize(("case", "name"), PAIRS)


@cache
def seen(case: str) -> tuple[RunInfo, Frame, Curves]:
    """A frame after two updates with all its details, and what was remembered on the way."""
    trainer, history, waterfall = Trainer(EXPERIMENTS[case]), History(), Waterfall()
    waterfall.look(trainer.info, trainer.frame())
    for _ in range(0 if case == "infinite" else 2):  # which no update survives
        history.update(trainer.step, trainer.advance(), trainer.param_grad_norm, trainer.clipped)
    frame = trainer.frame(ON_DEMAND_READINGS)
    waterfall.look(trainer.info, frame)
    return trainer.info, frame, Curves(history.updates(), history.looks(), waterfall.table())


def lost(case: str) -> tuple[RunInfo, Frame, Curves]:
    """The same with nothing but what is not a number in the readings."""
    info, frame, curves = seen(case)

    def undone(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
            return np.full_like(value, np.nan)
        if isinstance(value, dict):
            return {key: undone(each) for key, each in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {field.name: undone(getattr(value, field.name)) for field in dataclasses.fields(value)}
            return dataclasses.replace(value, **fields)
        return value

    names = (
        "factors",
        "weight_gradients",
        *ON_DEMAND_READINGS,
        "grad_norm_memory",
        "sequence_grad_norm_memory",
        "sequence_grad_norm_last",
        "sequence_grad_norm",
    )
    changes = {name: undone(getattr(frame, name)) for name in names}
    return info, dataclasses.replace(frame, **changes), curves


@cache
def template(case: str, name: str) -> dict[str, Any]:
    """With its arrays as arrays. Never change it."""
    return decoded(FIGURES[name].template(seen(case)[0]).to_plotly_json())


def shown(case: str, name: str) -> dict[str, Any]:
    return patched(template(case, name), FIGURES[name].patch(*seen(case)))


def test_they_stand_where_the_story_needs_them():
    order = [name for name in FIGURES if name in NAMES]
    assert order == list(NAMES)
    left, right = ([name for name in order if FIGURES[name].over == over] for over in ("time", "training"))
    assert left == list(NAMES[:5]) and right == list(NAMES[5:])
    assert list(FIGURES).index("hidden") < list(FIGURES).index("factors") < list(FIGURES).index("gates")


@pytest.mark.parametrize("case", EXPERIMENTS)
def test_each_is_there_where_it_has_something_to_show(case):
    info, frame, _ = seen(case)
    there = set(applicable(info)) & set(NAMES)
    links, steps = info.has_links, info.time_steps
    assert there == {"weights", "saliency"} | ({"spectrum"} if links else set()) | (
        {"waterfall"} if steps > 1 else set()
    ) | ({"factors", "memory"} if links and steps > 1 else set()) | (
        {"decomposition"} if frame.counted.sum() > 1 else set()
    )


@pytest.mark.parametrize("broken", [False, True], ids=["real", "not a number"])
@pairs
def test_a_figure_that_plotly_takes_and_that_can_be_sent(case, name, broken):
    info, frame, curves = lost(case) if broken else seen(case)
    figure = patched(template(case, name), FIGURES[name].patch(info, frame, curves))
    go.Figure(copy.deepcopy(figure))  # raises where Plotly does not know a property
    pack({name: FIGURES[name].patch(info, frame, curves)})  # and this one where a number cannot be sent
    for trace in figure["data"]:
        if trace["type"] == "heatmap":
            rows, columns = np.shape(trace["z"])
            assert columns == info.time_steps and len(trace["y"]) == rows
            assert np.shape(trace.get("customdata", trace["z"])) == (rows, columns)
        else:
            keys = ("x", "y", "customdata", "hovertext")
            assert len({len(trace[key]) for key in keys if trace.get(key) is not None}) == 1
    for axis in ("xaxis", "yaxis", "yaxis2"):
        low, high = figure["layout"].get(axis, {}).get("range", (0, 1))
        upside_down = figure["layout"].get(axis, {}).get("type") == "category" and (low, high) != (0, 1)
        assert np.isfinite([low, high]).all() and (low < high) != upside_down  # there the first row is at the top
    said = FIGURES[name].readout(info, frame)
    assert said and "nan" not in said.lower() and "inf" not in said.lower()
    assert "not finite" in said or not broken or (name == "memory" and "single step" in said)


@pairs
def test_drawing_changes_nothing(case, name):
    before = pickle.dumps(seen(case))
    once, twice = shown(case, name), shown(case, name)
    assert json.dumps(once, default=np.ndarray.tolist) == json.dumps(twice, default=np.ndarray.tolist)
    assert pickle.dumps(seen(case)) == before


@pairs
def test_a_frame_without_the_detail_changes_nothing_and_says_nothing(case, name):
    info, frame, curves = seen(case)
    requires = FIGURES[name].requires
    assert requires == {"decomposition": "decomposition", "saliency": "saliency", "spectrum": "spectrum",
                     "memory": "spectrum"}.get(name, "")  # fmt: skip
    assert FIGURES[name].lazy == (requires != "" or name == "waterfall")
    if requires:
        bare = dataclasses.replace(frame, **{requires: None})
        assert FIGURES[name].patch(info, bare, curves) == {} and FIGURES[name].readout(info, bare) == ""


@pairs
def test_it_says_what_to_look_for_and_how_it_is_measured(case, name):
    info, figure = seen(case)[0], FIGURES[name]
    assert figure.title(info) and figure.label and 20 < len(figure.look_for(info)) < 150
    how = figure.how(info)
    assert 80 < len(how) < 420 and how.endswith(".")
    file, function = re.search(r"(engine/\w+(?:/\w+)*\.py), (\w+)\.$", how).groups()
    assert re.search(rf"^(def|class) {function}\b", (ROOT / file).read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_what_can_be_fitted_is_there(name):
    figure = FIGURES[name].template(seen("letters, both ways, stacked")[0]).to_plotly_json()
    for path in FIGURES[name].fits:
        where, which = path.split(".")
        place = figure["data"][int(which)] if where == "data" else figure["layout"][which]
        assert (place["type"], where) in (("heatmap", "data"), ("log", "layout"))


@pytest.mark.parametrize("case", EXPERIMENTS)
def test_those_over_time_share_the_time_axis(case):
    info = seen(case)[0]
    expected = theme.time_axis(info.time_steps)["range"]
    for name in set(applicable(info)) & set(NAMES[:5]):
        layout = template(case, name)["layout"]
        assert list(layout["xaxis"]["range"]) == expected
        assert {side: layout["margin"][side] for side in ("l", "r")} == theme.TIME_MARGIN
        assert ("padding" in json.dumps(layout.get("shapes", []))) == (not all(info.valid))


# ---- the colours of logarithms


def test_logarithms_leave_a_gap_for_nothing():
    drawn = decades.logarithms(np.array([1e-300, 1e-3, 1.0, 0.0, np.nan, np.inf]))
    assert drawn.dtype == np.float32
    assert drawn[:3].tolist() == pytest.approx([-300, -3, 0], abs=1e-5)
    assert np.isnan(drawn[3:5]).all() and drawn[5] == 308


@pytest.mark.parametrize(("rows", "columns"), [(1, 1000), (120, 40), (120, 1000), (64, 312), (500, 40)])
def test_a_heat_map_has_at_most_so_many_cells_and_keeps_both_ends(rows, columns):
    chosen = decades.some(rows, columns)
    assert len(chosen) * columns <= 20_000 and (chosen[0], chosen[-1]) == (0, rows - 1)
    assert (np.diff(chosen) > 0).all() and (len(chosen) == rows or len(chosen) == 20_000 // columns)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.123, "12.3%"),
        (-0.05, "-5.0%"),
        (0.0, "exactly 0"),
        (3e-9, "1 part in 3.3e8"),
        (4e-4, "1 part in 2,500"),
        (-4e-4, "next to nothing"),
        (np.nan, "not finite"),
    ],
)
def test_shares_in_words(value, words):
    assert decades.share(value) == words


def brightness(colour: str) -> float:
    parts = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return float(np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(("page", "ground"), [("light", "#ffffff"), ("dark", "#11151b")])
def test_colours_stand_out_on_the_page(page, ground):
    stops = [brightness(colour) for _, colour in theme.DECADES[page]]
    assert stops == sorted(stops)  # without hue, too, more is lighter

    def contrast(one: float, other: float) -> float:
        return (max(one, other) + 0.05) / (min(one, other) + 0.05)

    nothing = brightness(ground)
    assert contrast(stops[0], nothing) > 1.8  # next to nothing is told apart from a gap
    for colour in (theme.WEIGHTS, theme.BESIDE):
        assert contrast(brightness(colour), nothing) >= 3
