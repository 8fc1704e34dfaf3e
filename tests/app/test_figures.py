"""The live figures over real frames: what they draw is what the frame holds, in a figure that Plotly accepts."""

from __future__ import annotations

import base64
import copy
import dataclasses
import itertools
import json
import pickle
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures import FIGURES, Curves, Patch, Quantised, applicable, theme
from app.figures.unrolled import symbols
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.history import History
from engine.readings import ON_DEMAND_READINGS
from engine.tasks import TASKS, probe
from engine.training import Trainer

FLOOR, TOP = 1e-12, 1e8  # what the gradient's axis shows at its widest
USUAL_TOP = 1e2  # and where it ends in a frame whose bars all stay below
TITLES = {
    "rnn": "RNN",
    "gru": "GRU",
    "lstm": "LSTM",
    "lstm_peephole": "Peephole LSTM",
    "lstm_no_forget": "LSTM 1997",
    "gru_simple": "Simple GRU",
    "feedforward": "Feed-forward",
}
ARROWS = range(-13, 3)  # a trace for each decade of the axis, and one for all that lies below it
HUGE = {"cell": "rnn", "nonlinearity": "relu", "hidden_size": 8, "init": "identity", "init_gain": 2.0, "seq_len": 400}
TINY = {"hidden_size": 6, "batch_size": 4}
EXPERIMENTS: dict[str, tuple[Experiment, int]] = (
    {  # and the step at which it is looked at
        f"{task.slug}-{kind}-{cell}": (Experiment(task=task.slug, rnn_type=kind, cell=cell, **TINY), 3)
        for task in TASKS.values()
        for kind in task.rnn_types
        for cell in ("rnn", "gru", "lstm")
        if cell != "rnn" or task.slug in ("first_symbol_recall", "adding", "characters", "stocks")
    }
    | {f"first_symbol_recall-many_to_one-{cell}": (Experiment(cell=cell, **TINY), 3) for cell in TITLES}
    | {
        "step 0": (Experiment(seq_len=20, cell="rnn", **TINY), 0),
        "stacked": (Experiment(num_layers=3, cell="lstm", seq_len=24, **TINY), 3),
        "both ways": (Experiment(num_layers=2, bidirectional=True, cell="gru", seq_len=30, **TINY), 3),
        "both ways, letters": (Experiment(task="characters", rnn_type="many_to_many", bidirectional=True, **TINY), 0),
        "relu, unbounded": (Experiment(**{**HUGE, "init_gain": 1.4, "seq_len": 30}, batch_size=4), 0),
        "cut": (Experiment(cell="lstm", tbptt=4, seq_len=11, forget_bias=3.0, **TINY), 3),
        "sums": (Experiment(task="stocks", rnn_type="many_to_many", reduction="sum", **TINY), 3),
        "2 steps": (Experiment(seq_len=2, **TINY), 3),
        "3 steps, values": (Experiment(task="adding", seq_len=3, **TINY), 0),
        "1000 steps": (Experiment(seq_len=1000, cell="rnn", hidden_size=2, batch_size=2), 0),
        "1 unit": (Experiment(seq_len=12, hidden_size=1, batch_size=4), 3),
        "512 units": (Experiment(seq_len=4, hidden_size=512, batch_size=2), 0),
        "clipped": (Experiment(seq_len=8, clip="norm", clip_threshold=1e-3, **TINY), 3),
        "clipped by value": (Experiment(seq_len=8, clip="value", clip_threshold=1e-3, **TINY), 3),
        "infinite, symbols": (Experiment(**HUGE, batch_size=4), 0),
        "infinite, values": (Experiment(task="adding", **HUGE, batch_size=4), 0),
    }
)
EDITED = ("not a number", "zeros", "next to nothing", "beyond both ends", "beyond float32")
CASES = (*EXPERIMENTS, *EDITED)
BASE = "characters-many_to_many-lstm"  # of the edited ones
LENS = ("factors", "waterfall", "decomposition", "weights", "saliency", "spectrum", "memory")
"""Those of the lens have tests of their own."""
NOT_FINITE = ("infinite, symbols", "infinite, values", "not a number")


def experiment_of(case: str) -> Experiment:
    return EXPERIMENTS[BASE if case in EDITED else case][0]


@cache
def seen(case: str) -> tuple[RunInfo, Frame, Curves]:
    """A frame and its curves; those that training seldom gives are real ones with other numbers."""
    if case in EDITED:
        info, frame, curves = seen(BASE)
        return info, dataclasses.replace(frame, **edited(case, frame)), curves
    experiment, step = EXPERIMENTS[case]
    trainer, history = Trainer(experiment), History()
    look(history, trainer.frame())
    for _ in range(step):
        loss = trainer.advance()
        history.update(trainer.step, loss, trainer.param_grad_norm, trainer.clipped)
    frame = trainer.frame(ON_DEMAND_READINGS)
    look(history, frame)
    return trainer.info, frame, Curves(updates=history.updates(), looks=history.looks())


def look(history: History, frame: Frame) -> None:
    history.look(frame.step, frame.loss, frame.probe_loss, frame.metric, frame.param_grad_norm, frame.clipped)


def edited(case: str, frame: Frame) -> dict[str, Any]:
    norms = ("grad_norm", "grad_norm_direct", "grad_norm_last", "grad_norm_cell")
    norms += tuple(f"sequence_{name}" for name in norms)
    seq_len = frame.grad_norm.shape[-1]
    values = {
        "not a number": np.where(np.arange(seq_len) % 2, np.nan, np.inf),
        "zeros": np.where(np.arange(seq_len) < seq_len // 2, 0.0, 1e-3),
        "next to nothing": np.geomspace(1e-320, 1e-11, seq_len),
        "beyond both ends": np.geomspace(1e-20, 1e12, seq_len),
        "beyond float32": np.geomspace(1e-300, 1e300, seq_len),
    }[case]
    changes: dict[str, Any] = {name: np.broadcast_to(values, frame.grad_norm.shape).copy() for name in norms}
    if case == "not a number":
        lost = ("hidden", "cell", "outputs", "loss_per_step")
        changes |= {name: np.full_like(getattr(frame, name), np.nan) for name in lost}
        changes |= dict.fromkeys(("loss", "probe_loss", "param_grad_norm", "param_grad_norm_clipped"), np.nan)
    return changes


@cache
def plain(case: str, name: str) -> dict[str, Any]:
    """The template as Plotly writes it. Never change it."""
    figure = FIGURES[name].template(seen(case)[0])
    assert isinstance(figure, go.Figure)
    return figure.to_plotly_json()


@cache
def template(case: str, name: str) -> dict[str, Any]:
    """The template with its arrays as arrays. Never change it."""
    return decoded(plain(case, name))


def decoded(value: Any) -> Any:
    """Plotly writes an array as base64."""
    if isinstance(value, dict) and "bdata" in value:
        array = np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])
        return array.reshape([int(each) for each in value["shape"].split(",")]) if "shape" in value else array
    if isinstance(value, dict):
        return {key: decoded(each) for key, each in value.items()}
    return [decoded(each) for each in value] if isinstance(value, (list, tuple)) else value


def numbers(value: Any) -> Any:
    """What the browser makes of a patch's value."""
    return value.values.astype(np.float32) * value.scale / 127 if isinstance(value, Quantised) else value


def step_into(place: Any, key: str) -> Any:
    return place[int(key)] if isinstance(place, (list, tuple)) else place[key]


def patched(figure: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """As plots.js does it; a path that leads nowhere is a KeyError or an IndexError."""
    figure = copy.deepcopy(figure)
    for path, value in patch.items():
        *way, last = path.split(".")
        place: Any = figure
        for key in way:
            place = step_into(place, key)
        assert isinstance(place, dict), path
        place[last] = numbers(value)
    return figure


@cache
def drawn(case: str, name: str) -> dict[str, Any]:
    """The figure with the frame in it. Never change it."""
    return patched(template(case, name), FIGURES[name].patch(*seen(case)))


def trace(case: str, name: str, called: str) -> dict[str, Any]:
    """The one trace of this name."""
    (found,) = (each for each in drawn(case, name)["data"] if each.get("name") == called)
    return found


def f4(values: Any) -> np.ndarray:
    return np.asarray(values, np.float64).astype(np.float32)


def written(figure: dict[str, Any]) -> str:
    return json.dumps(figure, default=np.ndarray.tolist)


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Quantised):
        return one.scale == other.scale and np.array_equal(one.values, other.values)
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    return one == other


KINDS = [(slug, kind) for slug, task in TASKS.items() for kind in task.rnn_types]
CATALOGUE = [(*KINDS[at], cell) for at in range(len(KINDS)) for cell in (list(TITLES) * 2)[at % len(TITLES) :][:2]]
"""Every task in each of its RNN types, with two of the cells in turn."""


@pytest.mark.parametrize(("task", "kind", "cell"), CATALOGUE)
def test_all_figures_draw_every_cell_and_every_task(task, kind, cell):
    trainer = Trainer(Experiment(task=task, rnn_type=kind, cell=cell, output_layers=1, **TINY))
    info, frame = trainer.info, trainer.frame(ON_DEMAND_READINGS)
    curves = Curves(updates=History().updates(), looks=History().looks())
    for figure in applicable(info).values():
        assert figure.template(info).data and figure.patch(info, frame, curves)
        assert figure.title(info) and figure.look_for(info)
        json.dumps(figure.readout(info, frame), allow_nan=False)


cases = pytest.mark.parametrize("case", CASES)
finite = pytest.mark.parametrize("case", [case for case in CASES if case not in NOT_FINITE])
pairs = pytest.mark.parametrize(
    ("case", "name"),
    [
        (case, name)
        for at, case in enumerate(CASES)
        for name in applicable(RunInfo.of(experiment_of(case)))
        if name not in LENS and (at + list(FIGURES).index(name)) % 2 == 0
    ],
)
"""Every case with half of its figures and every figure with half of its cases: each pair would take minutes."""


# ---- every figure


@pairs
def test_a_patched_template_is_a_figure(case, name):
    before, after = template(case, name), drawn(case, name)
    go.Figure(after)  # raises where Plotly does not know a property or cannot take its value
    assert [each["type"] for each in after["data"]] == [each["type"] for each in before["data"]]
    for old, new in zip(before["data"], after["data"], strict=True):
        if new["type"] == "heatmap":
            assert np.shape(new["z"]) == np.shape(old["z"]) and np.ndim(new["z"]) == 2
            rows, columns = np.shape(new["z"])
            assert "x" not in new or len(new["x"]) in (columns, columns + 1)
            assert "y" not in new or len(new["y"]) in (rows, rows + 1)
            assert "text" not in new or np.shape(new["text"]) == (rows, columns)
            assert np.isfinite([new["zmin"], new["zmax"]]).all() and new["zmin"] < new["zmax"]
        else:
            marker = new.get("marker", {})
            arrays = [new["x"], new["y"], new.get("text"), new.get("customdata"), marker.get("size"),
                      marker.get("symbol"), marker.get("color")]  # fmt: skip
            lengths = {len(each) for each in arrays if each is not None and not isinstance(each, (str, int, float))}
            assert len(lengths) == 1, lengths
    for axis in ("xaxis", "yaxis"):
        low, high = after["layout"][axis].get("range", (0, 1))
        assert np.isfinite([low, high]).all() and low < high


@pairs
def test_drawing_changes_nothing_gives_the_same_twice_can_be_sent_and_never_says_nan(case, name):
    info, frame, curves = seen(case)
    figure, before = FIGURES[name], (pickle.dumps((info, frame, curves)), written(plain(case, name)))
    once, twice = figure.patch(info, frame, curves), figure.patch(info, frame, curves)
    assert list(once) == list(twice) and all(equal(once[path], twice[path]) for path in once)
    for path, value in once.items():
        if isinstance(value, Quantised):
            assert value.values.dtype == np.int8 and np.isfinite(value.scale), path
        elif isinstance(value, np.ndarray):
            assert value.dtype == np.float32, path
        else:
            json.dumps(value, allow_nan=False)
    assert [each for each in words(once) if "nan" in each.lower()] == []
    said = figure.readout(info, frame)
    all_drawn = name == "unrolled" and info.time_steps <= 16  # then there is nothing to say
    assert isinstance(said, str) and (said == "" if all_drawn else said) and said == figure.readout(info, frame)
    assert "nan" not in said.lower().replace("finance", "")
    assert written(figure.template(info).to_plotly_json()) == before[1]
    assert pickle.dumps((info, frame, curves)) == before[0]


def words(value: Any) -> list[str]:
    """Every text inside a value."""
    if isinstance(value, str):
        return [value]
    values = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return list(itertools.chain.from_iterable(map(words, values)))


@cases
def test_figures_over_time_share_one_time_axis(case):
    layouts = [
        template(case, name)["layout"] for name, figure in applicable(seen(case)[0]).items() if figure.over == "time"
    ]
    places = {(*each["xaxis"]["range"], each["margin"]["l"], each["margin"]["r"]) for each in layouts}
    assert len(layouts) >= 3 and len(places) == 1
    low, high, *_ = places.pop()
    seq_len = seen(case)[0].time_steps
    air = 3.0 if seq_len == 1 else max(0.7, 0.014 * seq_len)  # so that the marks at both ends are whole
    assert (low, high) == pytest.approx((-air, seq_len - 1 + air))
    for figure in applicable(seen(case)[0]).values():
        assert "layout.xaxis.range" not in (figure.patch(*seen(case)) if figure.over == "time" else {})


# ---- gradient


def shown_norms(case: str, name: str) -> np.ndarray:
    """The median over the probe; of the drawn sequence alone where the sequences are not alike. NaN in padding."""
    info, frame, _ = seen(case)
    batch = probe(info.experiment)
    rows = [*batch.valid.T, *batch.counted.T]
    same = len({tuple(row) for row in batch.valid.T}) == len({tuple(row) for row in batch.counted.T}) == 1
    assert info.same_lengths is same and len(rows) == 32
    return np.where(frame.valid, getattr(frame, name if same else f"sequence_{name}"), np.nan)


@finite
def test_bars_are_the_gradient_of_the_top_layer(case):
    info, total = seen(case)[0], shown_norms(case, "grad_norm")[-1, 0]
    (bars,) = (each for each in drawn(case, "gradient")["data"] if each["type"] == "bar")
    assert bars["x"].tolist() == list(range(info.time_steps))
    inside = (total >= FLOOR) & (total <= TOP)
    assert np.array_equal(bars["y"][inside], f4(total[inside]))
    assert np.isnan(bars["y"][~(total >= FLOOR)]).all() and (bars["y"][total > TOP] >= TOP).all()


@cases
def test_no_step_is_left_without_a_bar_or_a_mark(case):
    """Nothing is five things: what has no height gets a mark and a word."""
    there = np.isfinite([each["y"] for each in drawn(case, "gradient")["data"][1:5]])
    assert there.any(0).tolist() == seen(case)[1].valid.tolist()  # padding has neither


@cases
def test_in_the_padding_of_the_drawn_sequence_nothing_stands(case):
    padding = ~seen(case)[1].valid
    for each in drawn(case, "gradient")["data"][1:]:
        assert np.isnan(each["y"][padding]).all(), each["name"]
    words = [each.get("label", {}).get("text") for each in drawn(case, "gradient")["layout"].get("shapes", [])]
    assert ("padding" in words) == padding.any()


def test_the_cases_have_sequences_that_are_alike_and_others():
    assert {seen(case)[0].same_lengths for case in CASES} == {True, False}
    assert (
        not seen("teddy-many_to_many-gru")[0].same_lengths and not seen("reverse-encoder_decoder-lstm")[0].same_lengths
    )


def test_where_one_step_alone_is_asked_there_is_a_diamond_and_nowhere_else():
    """A median over sequences that are asked at other steps would be 0 at each of them."""
    info, frame, _ = seen("teddy-many_to_many-gru")
    (diamonds,) = (each for each in drawn("teddy-many_to_many-gru", "gradient")["data"] if "direct" in each["name"])
    assert np.array_equal(np.isfinite(diamonds["y"]), frame.counted) and frame.counted.sum() == 1
    assert (frame.grad_norm_direct[-1, 0][frame.counted] == 0).all()
    assert "Of the drawn sequence alone" in FIGURES["gradient"].look_for(info)


@finite
def test_marks_stand_where_the_gradient_leaves_the_axis(case):
    total, figure = shown_norms(case, "grad_norm")[-1, 0], drawn(case, "gradient")
    _, _, below, zero, above, *_ = figure["data"]
    low, high = (10.0**end for end in figure["layout"]["yaxis"]["range"])
    assert np.array_equal(np.isfinite(below["y"]), (total < FLOOR) & (total > 0))
    assert np.array_equal(np.isfinite(zero["y"]), total == 0)
    assert np.array_equal(np.isfinite(above["y"]), total > TOP)
    for each, symbol, name in ((below, "triangle-down", "below the axis"), (zero, "x-thin", "exactly 0")):
        marked = np.isfinite(each["y"])
        assert (each["marker"]["symbol"], each["name"], each["showlegend"]) == (symbol, name, marked.any())
        assert ((low < each["y"][marked]) & (each["y"][marked] < FLOOR)).all()
    assert set(zero["customdata"]) == {"exactly 0"}
    for t in np.flatnonzero(np.isfinite(below["y"])):
        assert float(below["customdata"][t].split(",")[0]) == pytest.approx(total[t], rel=0.05)
    for t in np.flatnonzero(total > TOP):
        assert TOP < above["y"][t] < high
        assert float(above["customdata"][t]) == pytest.approx(total[t], rel=0.05)


@cases
def test_the_axis_of_the_gradient_grows_only_where_a_bar_needs_it(case):
    """The top layer's bars alone decide, what is not a number too."""
    total, figure = shown_norms(case, "grad_norm")[-1, 0][seen(case)[1].valid], drawn(case, "gradient")
    top = USUAL_TOP if all(value <= USUAL_TOP for value in total) else TOP
    low, high = template(case, "gradient")["layout"]["yaxis"]["range"]
    assert low < np.log10(FLOOR) < low + 1 and np.log10(USUAL_TOP) < high < np.log10(USUAL_TOP) + 1
    assert figure["layout"]["yaxis"]["range"] == pytest.approx([low, high + np.log10(top / USUAL_TOP)])


def test_the_cases_have_both_axes():
    tops = {case: drawn(case, "gradient")["layout"]["yaxis"]["range"][1] for case in CASES}
    assert {case for case, top in tops.items() if top > np.log10(TOP)} >= {*NOT_FINITE, "beyond both ends"}
    assert tops["step 0"] == tops["zeros"] < 3


@pytest.mark.parametrize("edge", [(1e2, False), (np.nextafter(1e2, 1e3), True), (1e8, True), (np.nan, True)], ids=str)
def test_the_axis_at_its_limit(edge):
    value, wide = edge
    info, frame, curves = seen("stacked")
    norms = frame.grad_norm.copy()
    norms[0] = 1e6  # lower layers do not count
    norms[-1, 0, 3] = value
    patch = FIGURES["gradient"].patch(info, dataclasses.replace(frame, grad_norm=norms), curves)
    assert (patch["layout.yaxis.range"][1] > 8) is wide
    assert np.isfinite(patch["data.4.y"]).any() == np.isnan(value)  # at the wide end a bar still has its height


@finite
def test_the_gradients_readout_is_what_the_verdict_is_about(case):
    info, frame, _ = seen(case)
    cell = info.memory_symbol == "c"
    norms, end = shown_norms(case, "grad_norm_cell" if cell else "grad_norm")[-1, 0], max(np.flatnonzero(frame.valid))
    first, last = ("exactly 0" if norms[t] == 0 else theme.short(norms[t]) for t in (0, end))
    said, what = FIGURES["gradient"].readout(info, frame), "dL/dc " if cell else ""
    ends = first if info.time_steps == 1 else f"at t = 0: {first} · at t = {end}: {last}"
    assert said == what + ends


@pytest.mark.parametrize("case", ["stacked", "both ways, letters", "step 0"])
def test_hovering_names_the_step_once_for_all_series(case):
    """The unified box has t as its heading, so no line of it says t again."""
    figure = template(case, "gradient")
    assert figure["layout"]["hovermode"] == "x unified"
    assert [each["hovertemplate"] for each in figure["data"] if "%{x}" in each["hovertemplate"]] == []
    assert all("%{y" in each["hovertemplate"] or "%{customdata}" in each["hovertemplate"] for each in figure["data"])


def test_the_cases_leave_the_axis_at_both_ends():
    total = seen("beyond both ends")[1].grad_norm
    assert (total < FLOOR).any() and (total > TOP).any() and (seen("zeros")[1].grad_norm == 0).any()
    cut = seen("cut")[1].grad_norm[-1, 0]
    assert (cut[: 11 - 4] == 0).all() and (cut[11 - 4 :] > 0).all()


def series_of(case: str) -> list[tuple[str, tuple[int, int], np.ndarray]]:
    """(meaning, (layer, direction), its norms) of every line and mark after the bars: the top layer's come first."""
    info, frame, _ = seen(case)
    e = info.experiment
    names = {"total": "grad_norm", "direct, from above": "grad_norm_direct"}
    if frame.counted.sum() > 1:
        names["from the last loss alone"] = "grad_norm_last"
    if info.memory_symbol == "c":
        names["dL/dc, the cell state"] = "grad_norm_cell"
    norms = {meaning: shown_norms(case, name) for meaning, name in names.items()}
    top, every = (e.num_layers - 1, 0), list(itertools.product(range(e.num_layers), range(e.directions)))
    chains = [top, *(chain for chain in every if chain != top)]
    return [(meaning, chain, each[chain]) for chain in chains for meaning, each in norms.items()][1:]


@finite
def test_the_other_series_are_the_frames(case):
    lines, series, valid = drawn(case, "gradient")["data"][5:], series_of(case), seen(case)[1].valid
    assert len(lines) == len(series)
    for line, (meaning, _, values) in zip(lines, series, strict=True):
        assert line["name"].startswith(meaning)
        inside = values >= FLOOR
        assert np.array_equal(line["y"][inside], f4(np.minimum(values[inside], 3e38)))
        assert not (line["y"][~inside] >= FLOOR).any()
        if line["mode"] == "lines":
            assert np.array_equal(np.isfinite(line["y"]), valid) and line["connectgaps"]


@pytest.mark.parametrize("case", ["stacked", "both ways", "both ways, letters"])
def test_hovering_over_a_series_says_what_it_is(case):
    e = seen(case)[0].experiment
    for line, (meaning, (layer, d), _) in zip(drawn(case, "gradient")["data"][5:], series_of(case), strict=True):
        said = line["hovertemplate"].split("<extra>")[1]
        if (layer, d) != (e.num_layers - 1, 0):
            assert e.num_layers == 1 or f"layer {layer + 1}" in said
            assert e.directions == 1 or ("forwards", "backwards")[d] in said
        assert meaning in said


@pytest.mark.parametrize("case", ["stacked", "both ways", "step 0", "cut"])
def test_the_legend_names_every_meaning_once(case):
    shown = [each["name"] for each in drawn(case, "gradient")["data"] if each.get("showlegend", True)]
    assert len(shown) == len(set(shown)) and "previous run" not in shown
    groups = [each.get("legendgroup") for each in drawn(case, "gradient")["data"][5:] if each.get("showlegend", True)]
    assert len([each for each in groups if each]) == len({each for each in groups if each})
    assert ("exactly 0" in shown) == (case == "cut")


# ---- unrolled


def most_columns(info: RunInfo) -> int:
    """16, or as many as leave room for the answer, its mark and the line that tells the truth, on 600 pixels."""
    letters = max(map(len, info.output_labels)) + 1
    return min(16, int(600 / (7.5 * letters + 26))) if info.feeds_back else 16


def columns_of(case: str) -> np.ndarray:
    """The steps drawn: the middles of the strips."""
    edges = np.asarray(drawn(case, "unrolled")["data"][0]["x"])
    return edges.reshape(-1, 2).mean(1)


def arrows_of(case: str) -> dict[tuple[int, int, int], int]:
    """{(layer, direction, step at the head): decade} of every arrow, checked for its direction."""
    e, columns, found = seen(case)[0].experiment, columns_of(case), {}
    for decade, each in zip(ARROWS, drawn(case, "unrolled")["data"][-len(ARROWS) :], strict=True):
        assert len(each["x"]) % 3 == 0
        for at in range(0, len(each["x"]), 3):
            start, end, gap = each["x"][at : at + 3]
            layer, d = divmod(each["y"][at] - 1, e.directions)
            assert gap is None and each["y"][at] == each["y"][at + 1]
            assert (start < end) == bool(d)  # the reverse chain's gradient goes to the right
            assert each["marker"]["symbol"][at + 1] == ("triangle-left", "triangle-right")[d]
            tail, head, none = each["marker"]["size"][at : at + 3]
            assert tail == none == 0 < head
            reached = columns[columns < end].max() if not d else columns[columns > end].min()
            assert seen(case)[1].valid[int(reached)]
            assert (layer, d, int(reached)) not in found
            found[layer, d, int(reached)] = decade
    return found


@cases
def test_first_and_last_step_are_drawn_and_no_more_than_16(case):
    info, columns = seen(case)[0], columns_of(case)
    steps, border = info.time_steps, {info.encoder_steps - 1, info.encoder_steps} if info.encoder_steps else set()
    assert columns[0] == 0 and columns[-1] == steps - 1 and border <= set(columns)
    most = most_columns(info)
    evenly = columns if len(columns) <= most else np.array(sorted(set(columns) - border))
    assert len(evenly) == min(most, steps) or (border and len(columns) <= most + 2)
    gaps = np.diff(evenly)
    assert np.array_equal(columns, columns.round()) and (gaps > 0).all()
    assert np.ptp([*gaps] or [0]) <= 1 or (border and len(columns) < steps)  # none too near the decoder's first


@cases
def test_an_arrow_carries_the_gradient_that_arrives_at_its_head(case):
    info, frame, _ = seen(case)
    columns, expected = columns_of(case).astype(int), {}
    columns = columns[frame.valid[columns]] if info.has_links else columns[:0]  # padding is skipped
    for layer, d in itertools.product(range(info.experiment.num_layers), range(info.experiment.directions)):
        for head, tail in itertools.pairwise(columns[::-1] if d else columns):
            norm = float(frame.sequence_grad_norm[layer, d, head])
            starts = frame.sequence_grad_norm[layer, d, tail] != 0
            if starts and 0 < norm < np.inf:  # exactly nothing has no arrow, nor has what is not a number
                expected[layer, d, int(head)] = min(max(int(f"{norm:.0e}".split("e")[1]), -13), 2)
    found = arrows_of(case)
    assert found.keys() == expected.keys()
    near = {key: (found[key], expected[key]) for key in found if found[key] != expected[key]}
    for key in near:  # the mantissa was rounded up to the next decade
        norm = frame.sequence_grad_norm[key]
        assert found[key] == expected[key] - 1 and 9.5 * 10.0 ** found[key] <= norm < 10.0 ** expected[key]


def test_the_cases_have_arrows_of_many_decades_and_none_where_nothing_is():
    assert len(set(arrows_of("beyond both ends").values())) > 5
    assert {head for _, _, head in arrows_of("zeros")} == {
        int(t) for t in columns_of("zeros")[:-1] if seen("zeros")[1].sequence_grad_norm[0, 0, int(t)]
    }
    assert arrows_of("not a number") == {}
    assert {d for _, d, _ in arrows_of("both ways")} == {0, 1} and {layer for layer, _, _ in arrows_of("stacked")} == {
        0, 1, 2,
    }  # fmt: skip


def test_thicker_arrows_carry_more():
    traces = drawn("step 0", "unrolled")["data"][-len(ARROWS) :]
    widths = [each["line"]["width"] for each in traces]
    assert widths == sorted(set(widths)) and widths[0] > 0


@finite
def test_strips_show_the_states_of_their_steps(case):
    info, frame, _ = seen(case)
    columns, z = columns_of(case).astype(int), drawn(case, "unrolled")["data"][0]["z"]
    chains, above = info.experiment.num_layers * info.experiment.directions, info.experiment.output_layers
    blocks = np.split(z, np.flatnonzero(np.isnan(z).all(1)))
    blocks = blocks[len(blocks) - chains - above :][:chains]  # below them a row of the inputs, where they are drawn
    assert len(blocks) == chains
    for index, block in enumerate(blocks):
        block = block[-min(8, info.experiment.hidden_size) :]
        states = frame.hidden[divmod(index, info.experiment.directions)][columns]
        states = np.where(frame.valid[columns, None], states, np.nan)
        assert np.isnan(block[:, 1::2]).all()
        for row in (0, -1):
            assert np.array_equal(block[row, ::2], f4(states[:, row]), equal_nan=True)


@finite
def test_hovering_says_the_gradient(case):
    info, frame, _ = seen(case)
    hover = next(each for each in drawn(case, "unrolled")["data"] if "customdata" in each)
    for x, y, said in zip(hover["x"], hover["y"], hover["customdata"], strict=True):
        norm, t = frame.sequence_grad_norm[(*divmod(int(y) - 1, info.experiment.directions), int(x))], int(x)
        if not frame.valid[t]:
            assert said == "padding: the sequence has no such step"
            continue
        first, *more = said.split("<br>")
        why = "masked" if t >= info.encoder_steps else "the encoder only reads"
        assert more == ([] if frame.counted[t] else [f"no loss here ({why})"])
        assert first.startswith("gradient of this sequence ")
        word = first.removeprefix("gradient of this sequence ")
        assert word == "exactly 0" if norm == 0 else float(word) == pytest.approx(norm, rel=0.06, abs=0.0006)


@finite
def test_what_was_read_stands_below_its_step(case):
    info, frame, _ = seen(case)
    below = next(each for each in drawn(case, "unrolled")["data"] if each.get("mode") == "text")
    assert np.array_equal(below["x"], columns_of(case)) and set(below["y"]) == {0}
    for t, said in zip(np.asarray(below["x"], int), below["text"], strict=True):
        assert said.startswith("<i>") == bool(info.feeds_back and t > info.encoder_steps and frame.valid[t])
        assert_read(info, frame, t, said.removeprefix("<i>").removesuffix("</i>"))


def assert_read(info: RunInfo, frame: Frame, t: int, said: str) -> None:
    """A symbol, a number, or the word for an image; nothing for padding, and where the input is a strip."""
    token, channels = frame.inputs[t], len(info.input_labels)
    if not frame.valid[t] or (info.inputs == "values" and 2 < channels <= 16):
        assert said == "\u00a0"
    elif info.inputs == "symbols":
        labels = info.output_labels if 0 < info.encoder_steps <= t else info.input_labels
        label = labels[token] if token >= 0 else "start" if info.encoder_steps else "–"
        assert said == theme.symbol(label)
    elif info.image and channels > 1:
        fed = info.feeds_back and t > 0
        assert said == (info.output_labels[int(token[-len(info.output_labels) :].argmax())] if fed else "image")
    elif "hidden" in info.input_labels and token[1]:
        assert said == "?"
    else:
        number = said.removeprefix("<b>").removesuffix("</b>▴").replace("−", "-")
        assert float(number) == pytest.approx(float(token[0]), abs=0.051)
        assert said.endswith("▴") == ("mark" in info.input_labels and token[1] > 0)


FED_BACK = [case for case in CASES if RunInfo.of(experiment_of(case)).feeds_back]


def texts(case: str) -> tuple[dict[int, str], ...]:
    """{step: text} of the rows of inputs, outputs, targets, and what it says by itself."""
    rows = [each for each in drawn(case, "unrolled")["data"] if each.get("mode") == "text"]
    return tuple({int(t): said for t, said in zip(each["x"], each["text"], strict=True)} for each in rows)


@pytest.mark.parametrize("case", FED_BACK)
def test_what_comes_in_is_the_target_of_the_step_before_and_the_line_says_so(case):
    """Never the output: the pass that is drawn and measured is told the truth."""
    info, frame, _ = seen(case)
    inputs, outputs, targets, free = texts(case)
    assert outputs.keys() == targets.keys() == free.keys() == {t for t in inputs if frame.counted[t]}
    for t, said in outputs.items():
        best, alone = (info.output_labels[each[t].argmax()] for each in (frame.outputs, frame.free_outputs))
        wanted = info.output_labels[frame.targets[t]]
        assert targets[t] == theme.symbol(wanted)
        assert said == theme.symbol(best) + ("✓" if best == wanted else "✗")
        assert free[t] == theme.symbol(alone) + ("✓" if alone == wanted else "✗")
    told = [t for t in inputs if frame.valid[t] and t > info.encoder_steps]
    assert all(inputs[t] == f"<i>{theme.symbol(info.output_labels[frame.targets[t - 1]])}</i>" for t in told)
    line = drawn(case, "unrolled")["data"][2]
    ends = [at for at, size in enumerate(line["marker"]["size"]) if size]
    row = drawn(case, "unrolled")["data"][7]["y"][0]
    assert len(ends) == len(told) > 0 and set(outputs) <= set(np.flatnonzero(frame.counted))
    for t, end in zip(told, ends, strict=True):
        start = end - 3
        before = max(each for each in inputs if each < t)
        assert before < line["x"][end - 1] == line["x"][end - 2] < line["x"][end] < t
        assert line["y"][start] == row and line["y"][end - 1] == line["y"][end] == 0
        if t - 1 in targets:
            assert t - 1 < line["x"][start] < t - 0.5 and line["text"][start] == ""
        else:  # it comes from a step that is not drawn
            assert line["x"][start] == line["x"][end - 1] and line["text"][start] == "…"


def test_both_kinds_of_lines_are_among_the_cases():
    drawn_all = {case: len(columns_of(case)) == seen(case)[0].time_steps for case in FED_BACK}
    assert set(drawn_all.values()) == {True, False}


@pytest.mark.parametrize("case", CASES)
def test_only_where_outputs_could_be_fed_back_are_there_rows_for_them(case):
    info, figure = seen(case)[0], template(case, "unrolled")
    names, (low, high) = figure["layout"]["yaxis"]["ticktext"], figure["layout"]["yaxis"]["range"]
    assert (names[-2:] == ["target", "by itself"]) == info.feeds_back == bool(len(figure["data"][2]["x"]))
    assert len(names) == len(figure["layout"]["yaxis"]["tickvals"])
    assert low < 0 and max(figure["layout"]["yaxis"]["tickvals"]) < high


@pytest.mark.parametrize(("forced", "words"), [(1.0, "(as in training)"), (0.25, "(in training 25% of the time)"),
                                               (0.0, "(in training never)")])  # fmt: skip
def test_what_is_seen_is_said_beside_what_training_does(forced, words):
    for task, kind in (("melody", "one_to_many"), ("reverse", "encoder_decoder")):
        info = RunInfo.of(Experiment(task=task, rnn_type=kind, teacher_forcing=forced))
        said = FIGURES["unrolled"].look_for(info)
        assert f"told the truth {words}" in said and "Top row: it hears its own answers" in said
    assert "truth" not in FIGURES["unrolled"].look_for(RunInfo.of(Experiment()))


def test_truncation_is_a_wall_where_the_gradient_ends():
    frame = seen("cut")[1]
    for name in ("unrolled", "gradient", "hidden", "gates", "cell"):
        walls = [each for each in drawn("cut", name)["layout"]["shapes"] if each["line"].get("color") == theme.WRONG]
        assert sorted(each["x0"] for each in walls) == [11 - 8 - 0.5, 11 - 4 - 0.5]
        assert all(each["x0"] == each["x1"] for each in walls)
    reached = np.flatnonzero(frame.sequence_grad_norm[0, 0])
    assert reached[0] - 0.5 == 11 - 4 - 0.5
    shapes = drawn("stacked", "unrolled")["layout"].get("shapes", [])
    assert [each for each in shapes if each["line"].get("color") == theme.WRONG] == []


# ---- hidden


@cases
def test_states_survive_the_journey_in_one_byte(case):
    info, frame, _ = seen(case)
    heat, e = drawn(case, "hidden")["data"][0], info.experiment
    scale, rows = heat["zmax"], np.asarray(heat["z"])
    assert heat["zmin"] == -scale and scale in (1, 5, 25, 125, 625, 1e4, 1e6)
    per_chain = len(rows) // (e.num_layers * e.directions)
    assert per_chain == min(e.hidden_size, max(4, 128 // (e.num_layers * e.directions)))
    chosen = np.unique(np.linspace(0, e.hidden_size - 1, per_chain).round().astype(int))
    for index, (layer, d) in enumerate(itertools.product(range(e.num_layers), range(e.directions))):
        truth = frame.hidden[layer, d][:, chosen].T
        known = ~np.isnan(truth)
        shown = rows[index * per_chain : (index + 1) * per_chain]
        wanted = np.clip(truth[known].astype(np.float64), -scale, scale)
        assert np.abs(shown[known] - wanted).max(initial=0) <= scale / 127


@finite
def test_the_scale_of_states_holds_them_and_is_no_larger_than_needed(case):
    scale = drawn(case, "hidden")["data"][0]["zmax"]
    reach = np.sort(np.abs(seen(case)[1].hidden).ravel())
    held = (reach <= scale).mean()
    smaller = max((each for each in (1, 5, 25, 125, 625, 1e4, 1e6) if each < scale), default=None)
    assert held > 0.985 or scale == 1e6
    assert smaller is None or (reach <= smaller).mean() < 0.995


def test_states_of_tanh_are_drawn_up_to_1_and_unbounded_ones_further():
    assert drawn("stacked", "hidden")["data"][0]["zmax"] == 1
    assert drawn("relu, unbounded", "hidden")["data"][0]["zmax"] > 1


# ---- loss


@cases
def test_each_baseline_is_a_dashed_line_at_its_value_with_its_name(case):
    info, layout = seen(case)[0], template(case, "loss")["layout"]
    lines = {(each["y0"], each["y1"], each["line"]["dash"]) for each in layout["shapes"]}
    assert lines == {(value, value, "dash") for value in info.baselines.values()} and lines
    names = [each["text"] for each in layout["annotations"]]
    assert names == [f"{name} {theme.short(value)}" for name, value in info.baselines.items()]


@cases
def test_the_names_of_two_baselines_do_not_cover_each_other(case):
    """They stand right and left in turn; on a narrow screen they could meet, so none is level with another."""
    info, layout = seen(case)[0], drawn(case, "loss")["layout"]
    assert_apart(layout, info)
    sides = [each["xanchor"] for each in layout["annotations"]]
    assert sides == list(itertools.islice(itertools.cycle(["right", "left"]), len(info.baselines)))
    assert [each["x"] > 0.5 for each in layout["annotations"]] == [side == "right" for side in sides]


def assert_apart(layout: dict[str, Any], info: RunInfo) -> None:
    """A name is 16 pixels high, of some 130; each touches its line, or the name that does."""
    height = layout["yaxis"]["range"][1] * 16 / 130
    places = [(each["y"], value) for each, value in zip(layout["annotations"], info.baselines.values(), strict=True)]
    for (one, _), (other, _) in itertools.combinations(places, 2):
        assert abs(one - other) >= height
    for y, value in places:
        near = [value, value - 1.1 * height, *(other + 1.1 * height for other, _ in places)]
        assert y >= 0 and min(abs(y - each) for each in near) < 0.1 * height


@pytest.mark.parametrize(
    "values", [(2.0, 1.9), (1.9, 2.0), (2.0, 2.0), (2.0, 0.5), (0.05, 0.1), (0.1, 0.05), (3.0, 2.9, 2.8)], ids=str
)
def test_names_of_close_baselines_stand_apart_on_any_axis(values):
    info, frame, curves = seen("stacked")
    info = dataclasses.replace(info, baselines={f"baseline {n}": value for n, value in enumerate(values)})
    plain = decoded(FIGURES["loss"].template(info).to_plotly_json())
    wild = curves.updates.copy()
    for loss in (0.1, 20.0):
        wild["loss"] = loss
        assert_apart(plain["layout"], info)
        patch = FIGURES["loss"].patch(info, frame, dataclasses.replace(curves, updates=wild))
        assert_apart(patched(plain, patch)["layout"], info)


def test_the_baselines_are_those_of_the_task():
    assert seen("step 0")[0].baselines == {"guessing": pytest.approx(np.log(10))}
    assert list(seen("adding-many_to_one-gru")[0].baselines.values()) == [pytest.approx(1 / 6), pytest.approx(1 / 12)]
    summed, mean = seen("sums")[0].baseline, seen("stocks-many_to_many-rnn")[0].baseline
    assert summed == pytest.approx(12 * mean)


@cases
def test_the_loss_curves_are_the_history(case):
    _, frame, curves = seen(case)
    training, probe = trace(case, "loss", "training batch"), trace(case, "loss", "held-out probe")
    assert training["x"].tolist() == curves.updates["step"].tolist()
    assert probe["x"].tolist() == curves.looks["step"].tolist()
    for drawn_line, truth in ((training["y"], curves.updates["loss"]), (probe["y"], curves.looks["probe_loss"])):
        known = np.isfinite(truth)
        assert np.array_equal(drawn_line[known], f4(truth[known]))
    low, high = drawn(case, "loss")["layout"]["xaxis"]["range"]
    assert low == 0 and high >= max(frame.step, 50)
    top = drawn(case, "loss")["layout"]["yaxis"]["range"][1]
    assert top > max(seen(case)[0].baselines.values())


# ---- update


def rows(*clipped: bool) -> Curves:
    """Six updates of which these were clipped."""
    history = History()
    for step, each in enumerate(clipped, start=1):
        history.update(step, 1.0, 0.5 * step, each)
    return Curves(updates=history.updates(), looks=history.looks())


@pytest.mark.parametrize(
    "clipped",
    [(False,) * 6, (True,) * 6, (False, True, False, False, True, True), ()],
    ids=["none", "all", "some", "no update"],
)
def test_exactly_the_clipped_updates_are_marked(clipped):
    info, frame, _ = seen("clipped")
    figure = patched(template("clipped", "update"), FIGURES["update"].patch(info, frame, rows(*clipped)))
    _, norm, marks = figure["data"]
    steps = [step for step, each in enumerate(clipped, start=1) if each]
    assert marks["x"].tolist() == steps and len(marks["y"]) == len(steps)
    low, high = (10.0**end for end in figure["layout"]["yaxis"]["range"])
    assert ((low < marks["y"]) & (marks["y"] < high)).all()
    assert norm["x"].tolist() == list(range(1, len(clipped) + 1))
    assert norm["y"].tolist() == [0.5 * step for step in norm["x"]]


@cases
def test_the_clip_line_stands_where_clipping_by_norm_begins(case):
    e = seen(case)[0].experiment
    (line,) = drawn(case, "update")["layout"]["shapes"]
    assert line["visible"] == (e.clip == "norm")
    assert not line["visible"] or line["y0"] == line["y1"] == e.clip_threshold


def test_the_clip_line_follows_a_live_change():
    info, frame, curves = seen("clipped")
    for changes, visible, height in (({"clip_threshold": 7.0}, True, 7.0), ({"clip": "none"}, False, 1.0)):
        now = dataclasses.replace(info, experiment=info.experiment.replace(**changes))
        (line,) = patched(template("clipped", "update"), FIGURES["update"].patch(now, frame, curves))["layout"][
            "shapes"
        ]
        assert (line["visible"], line["y0"]) == (visible, height)


@pytest.mark.parametrize("case", ["clipped", "step 0", "stacked"])
def test_the_update_readout_says_what_clipping_did(case):
    info, frame, _ = seen(case)
    said = FIGURES["update"].readout(info, frame)
    assert ("clipped to" in said) == frame.clipped
    assert frame.step > 0 or said == "no update yet"
    assert not frame.clipped or said.endswith("clipped to 0.001")


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.05, "0.050"), (2.3, "2.30"), (12.4, "12.4"), (3.1e-7, "3.1e-7"), (0, "0"), (np.inf, "not finite"),
     (np.nan, "not finite"), (123.4, "123"), (2e4, "2.0e4"), (1e-12, "1.0e-12"), (1e12, "1.0e12"), (-2.3, "-2.30")],
)  # fmt: skip
def test_a_number_has_three_digits_at_most(value, said):
    """The examples of its own description, and their neighbours."""
    assert theme.short(value) == said


# ---- prediction


@finite
def test_the_prediction_is_the_networks_output(case):
    info, frame, _ = seen(case)
    figure, last = drawn(case, "prediction"), int(np.flatnonzero(frame.counted)[-1])
    if info.outputs == "values":
        for called, truth in (("target", frame.targets), ("prediction", frame.outputs)):
            line = trace(case, "prediction", called)
            assert line["x"].tolist() == (np.flatnonzero(frame.counted) + (not case.startswith("gap"))).tolist()
            assert np.array_equal(line["y"], f4(truth[frame.counted, 0]))
        drawn_input = np.isfinite(figure["data"][0]["y"])
        assert np.array_equal(figure["data"][0]["y"][drawn_input], f4(frame.inputs[drawn_input, 0]))
        assert drawn_input.all() or case.startswith("gap")
    elif frame.counted.sum() > 1:
        letters(info, frame, figure["data"][0])
    else:
        bars, *_ = figure["data"]
        assert np.array_equal(bars["y"], f4(frame.outputs[last])) and bars["y"].sum() == pytest.approx(1, abs=1e-5)
        assert np.flatnonzero(bars["marker"]["color"]).tolist() == [frame.targets[last]]
        (mark,) = figure["layout"]["annotations"]
        assert (mark["text"], mark["x"]) == ("target", frame.targets[last])


def letters(info: RunInfo, frame: Frame, heat: dict[str, Any]) -> None:
    """The target on top, below it the best guesses, each with its probability; or what it says helped and alone."""
    signs = [theme.symbol(each) for each in info.output_labels]
    most = 26 if max(map(len, info.output_labels)) == 1 else len(heat["x"])
    steps = np.flatnonzero(frame.counted)[-most:]
    assert len(heat["x"]) == len(steps) <= 26 and np.array_equal(heat["customdata"][0], steps)
    *guesses, text = heat["text"]
    for column, t in enumerate(steps):
        assert text[column] == signs[frame.targets[t]]
        assert heat["z"][-1][column] == np.float32(frame.outputs[t, frame.targets[t]])
        if frame.free_outputs is None:
            best = np.sort(frame.outputs[t])[::-1][: len(guesses)]
            said = [(frame.outputs[t], value) for value in f4(best)[::-1]]
        else:
            said = [(each[t], np.float32(each[t].max())) for each in (frame.free_outputs, frame.outputs)]
        for row, (values, value) in enumerate(said):
            assert heat["z"][row][column] == value
            assert value in {np.float32(values[k]) for k, sign in enumerate(signs) if sign == guesses[row][column]}


def test_the_marked_numbers_stand_out():
    _, frame, _ = seen("adding-many_to_one-gru")
    given = trace("adding-many_to_one-gru", "prediction", "number")
    large = given["marker"]["size"] == given["marker"]["size"].max()
    assert large.sum() == 2 and np.array_equal(large, frame.inputs[:, 1] > 0)
    orange = np.array([each == theme.DIRECT for each in given["marker"]["color"]])
    assert np.array_equal(orange, large)
    assert "the two orange numbers" in FIGURES["prediction"].look_for(seen("adding-many_to_one-gru")[0])


@finite
def test_the_readout_names_answer_and_target(case):
    info, frame, _ = seen(case)
    said, t = FIGURES["prediction"].readout(info, frame), int(np.flatnonzero(frame.counted)[-1])
    if info.outputs == "values":
        answer, target = (float(part.split(" ")[-1]) for part in said.split(" · "))
        assert answer == pytest.approx(float(frame.outputs[t, 0]), abs=0.01, rel=0.01)
        assert target == pytest.approx(float(frame.targets[t, 0]), abs=0.01)
    elif frame.free_outputs is not None:
        right = sum(frame.free_outputs[each].argmax() == frame.targets[each] for each in np.flatnonzero(frame.counted))
        assert said == f"by itself {right} of {frame.counted.sum()} right"
    else:
        signs = {" ": "␣", "\N{REPLACEMENT CHARACTER}": "?"}
        best, right = (info.output_labels[int(k)] for k in (frame.outputs[t].argmax(), frame.targets[t]))
        share = f"{frame.outputs[t].max():.0%}"
        assert said == f"says {signs.get(best, best)} ({share}) · target {signs.get(right, right)}"


# ---- ghosts


def ghost(name: str, now: str, before: str) -> Patch:
    info, (old, frame, curves) = seen(now)[0], seen(before)
    return FIGURES[name].ghost(info, old, frame, curves)


@pytest.mark.parametrize("name", ["gradient", "loss", "update"])
@pytest.mark.parametrize("case", CASES)
def test_the_previous_run_is_drawn_in_a_place_of_its_own(name, case):
    """Over the frame, as the first message of a stream sends both."""
    info, frame, curves = seen(case)
    grey, own = ghost(name, case, case), FIGURES[name].patch(info, frame, curves)
    assert grey and not grey.keys() & own.keys()
    figure = patched(patched(template(case, name), own), grey)
    go.Figure(figure)
    line = figure["data"][0]
    assert (line["name"], line["showlegend"]) == (f"before: {TITLES[info.experiment.cell]}", True)
    assert template(case, name)["data"][0]["showlegend"] is False
    assert len(line["x"]) == len(line["y"])


@pytest.mark.parametrize("name", ["gradient", "loss", "update"])
def test_the_ghost_is_named_after_the_previous_runs_cell(name):
    for now, before in itertools.permutations(TITLES, 2):
        grey = ghost(name, f"first_symbol_recall-many_to_one-{now}", f"first_symbol_recall-many_to_one-{before}")
        assert grey["data.0.name"] == f"before: {TITLES[before]}"


def test_the_ghost_is_the_previous_run():
    now, before = "stacked", "first_symbol_recall-many_to_one-rnn"
    _, frame, curves = seen(before)
    loss, update = ghost("loss", now, before), ghost("update", now, before)
    assert np.array_equal(loss["data.0.y"], f4(curves.looks["probe_loss"]))
    assert loss["data.0.x"].tolist() == curves.looks["step"].tolist()
    assert np.array_equal(update["data.0.y"], f4(curves.updates["param_grad_norm"]))
    total = frame.grad_norm[-1, 0]
    shown = ghost("gradient", "first_symbol_recall-many_to_one-lstm", before)["data.0.y"]
    assert np.array_equal(shown[total >= FLOOR], f4(total[total >= FLOOR])) and len(shown) == len(total)


@pytest.mark.parametrize(
    ("name", "now", "before", "comparable"),
    [
        ("gradient", "stacked", "both ways", False),  # 24 steps after 30
        ("gradient", "first_symbol_recall-many_to_one-lstm", "first_symbol_recall-many_to_one-rnn", True),
        ("loss", "stacked", "both ways", True),
        ("loss", "stacked", "adding-many_to_one-rnn", False),
        ("loss", "sums", "stocks-many_to_many-rnn", False),
        ("gradient", "characters-many_to_many-lstm", "first_symbol_recall-many_to_one-lstm", False),  # 40 steps both
        ("update", "stacked", "adding-many_to_one-rnn", False),
        ("update", "stacked", "both ways", True),
    ],
)
def test_the_previous_run_is_drawn_only_where_it_can_be_compared(name, now, before, comparable):
    assert bool(ghost(name, now, before)) is comparable


def test_a_sum_over_more_steps_is_another_loss():
    info, frame, curves = seen("sums")
    longer = RunInfo.of(info.experiment.replace(seq_len=20))
    assert FIGURES["loss"].ghost(longer, info, frame, curves) == {}


# ---- values that are hidden, marked, or told beside others


def test_what_is_hidden_is_not_drawn_and_its_answers_stand_where_it_is():
    info, frame, _ = seen("gap-many_to_many-gru")
    read, target, said = drawn("gap-many_to_many-gru", "prediction")["data"]
    hidden = frame.inputs[:, 1] > 0
    assert np.array_equal(np.isnan(read["y"]), hidden) and hidden.sum() == frame.counted.sum() > 1
    for each, values in ((target, frame.targets), (said, frame.outputs)):
        assert np.array_equal(each["x"], np.flatnonzero(hidden)) and np.array_equal(each["y"], f4(values[hidden, 0]))
    words = [symbols.read(info, frame, t) for t in range(info.time_steps)]
    assert [word == "?" for word in words] == hidden.tolist()


@pytest.mark.parametrize("case", ["sine-many_to_many-gru", "stocks-many_to_one-gru", "adding-many_to_one-gru"])
def test_a_forecast_stands_at_the_step_that_it_is_about(case):
    _, frame, _ = seen(case)
    _, target, said = drawn(case, "prediction")["data"]
    assert np.array_equal(target["x"], np.flatnonzero(frame.counted) + 1) and np.array_equal(said["x"], target["x"])


@pytest.mark.parametrize("task", ["adding", "irregular_wave_gaps", "speech"])
def test_only_marked_numbers_are_marked(task):
    kind = TASKS[task].rnn_types[0]
    info, frame, _ = seen(f"{task}-{kind}-gru")
    marked = ["▴" in symbols.read(info, frame, t) for t in range(info.time_steps)]
    assert sum(marked) == (2 if task == "adding" else 0)


@pytest.mark.parametrize(("task", "word"), [("adding", "sum"), ("multiplication", "product")])
def test_the_figure_says_what_is_to_be_reckoned(task, word):
    assert f"the {word} of the two orange numbers" in FIGURES["prediction"].look_for(seen(f"{task}-many_to_one-gru")[0])


@pytest.mark.parametrize(
    ("case", "left"), [("agreement-many_to_one-gru", True), ("sentiment-many_to_one-gru", False), ("step 0", True)]
)
def test_one_answer_at_the_right_end_stands_left_of_its_wire(case, left):
    """With its probability the edge of the picture would cut it; before padding it fits."""
    answers = [each for each in drawn(case, "unrolled")["data"] if each.get("mode") == "text"][1]
    assert (answers.get("textposition") == "middle left") is left
