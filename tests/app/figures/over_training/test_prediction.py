"""The network's answer beside its target, as bars, letters or a forecast."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.figures import FIGURES, theme
from app.figures.unrolled import symbols
from engine.frame import Frame, RunInfo
from tests.app.figures.conftest import drawn, f4, finite, seen, trace


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
    elif info.pitches is not None:
        assert "wrong" in [each["name"] for each in figure["data"]]  # a piano roll, which has tests of its own
    elif frame.counted.sum() > 1:
        letters(info, frame, figure["data"][0])
    else:
        bars, *_ = figure["data"]
        assert np.array_equal(bars["y"], f4(frame.outputs[last])) and bars["y"].sum() == pytest.approx(1, abs=1e-5)
        assert np.flatnonzero(bars["marker"]["color"]).tolist() == [frame.targets[last]]
        (mark,) = figure["layout"]["annotations"]
        assert (mark["text"], mark["x"]) == ("target", frame.targets[last])


def letters(info: RunInfo, frame: Frame, heat: dict[str, Any]) -> None:
    """The target on top, below it the best guesses, each with its probability; or its outputs helped and by itself."""
    signs = [theme.symbol(each) for each in info.output_labels]
    most = 26 if max(map(len, info.output_labels)) == 1 else len(heat["x"])
    steps = np.flatnonzero(frame.counted)[-most:]
    assert len(heat["x"]) == len(steps) <= 26 and np.array_equal(heat["customdata"][0], steps)
    *guesses, text = heat["hovertext"]
    for column, t in enumerate(steps):
        assert text[column] == signs[frame.targets[t]]
        assert heat["z"][-1][column] == np.float32(frame.outputs[t, frame.targets[t]])
        if frame.free_outputs is None:
            best = np.sort(frame.outputs[t])[::-1][: len(guesses)]
            rows = [(frame.outputs[t], value) for value in f4(best)[::-1]]
        else:
            rows = [(each[t], np.float32(each[t].max())) for each in (frame.free_outputs, frame.outputs)]
        for row, (values, value) in enumerate(rows):
            assert heat["z"][row][column] == value
            assert value in {np.float32(values[k]) for k, sign in enumerate(signs) if sign == guesses[row][column]}


def test_the_marked_numbers_stand_out():
    _, frame, _ = seen("adding-many_to_one-gru")
    given = trace("adding-many_to_one-gru", "prediction", "number")
    large = given["marker"]["size"] == given["marker"]["size"].max()
    assert large.sum() == 2 and np.array_equal(large, frame.inputs[:, 1] > 0)
    marked = np.array([each == "diamond" for each in given["marker"]["symbol"]])
    assert np.array_equal(marked, large)
    assert "the two diamonds" in FIGURES["prediction"].look_for(seen("adding-many_to_one-gru")[0])


@finite
def test_the_readout_names_answer_and_target(case):
    info, frame, _ = seen(case)
    text, t = FIGURES["prediction"].readout(info, frame), int(np.flatnonzero(frame.counted)[-1])
    if info.outputs == "values":
        answer, target = (float(part.split(" ")[-1]) for part in text.split(" · "))
        assert answer == pytest.approx(float(frame.outputs[t, 0]), abs=0.01, rel=0.01)
        assert target == pytest.approx(float(frame.targets[t, 0]), abs=0.01)
    elif frame.free_outputs is not None:
        right = sum(frame.free_outputs[each].argmax() == frame.targets[each] for each in np.flatnonzero(frame.counted))
        assert text == f"by itself {right} of {frame.counted.sum()} right"
    else:
        signs = {" ": "␣", "\N{REPLACEMENT CHARACTER}": "?"}
        best, right = (info.output_labels[int(k)] for k in (frame.outputs[t].argmax(), frame.targets[t]))
        share = f"{frame.outputs[t].max():.0%}"
        assert text == f"predicts {signs.get(best, best)} ({share}) · target {signs.get(right, right)}"


# ---- values that are hidden, marked, or told beside others


def test_what_is_hidden_is_not_drawn_and_its_answers_stand_where_it_is():
    info, frame, _ = seen("gap-many_to_many-gru")
    read, target, predicted = drawn("gap-many_to_many-gru", "prediction")["data"]
    hidden = frame.inputs[:, 1] > 0
    assert np.array_equal(np.isnan(read["y"]), hidden) and hidden.sum() == frame.counted.sum() > 1
    for each, values in ((target, frame.targets), (predicted, frame.outputs)):
        assert np.array_equal(each["x"], np.flatnonzero(hidden)) and np.array_equal(each["y"], f4(values[hidden, 0]))
    words = [symbols.read(info, frame, t) for t in range(info.time_steps)]
    assert [word == "?" for word in words] == hidden.tolist()


@pytest.mark.parametrize("case", ["sine-many_to_many-gru", "stocks-many_to_one-gru", "adding-many_to_one-gru"])
def test_a_forecast_stands_at_the_step_that_it_is_about(case):
    _, frame, _ = seen(case)
    _, target, predicted = drawn(case, "prediction")["data"]
    assert np.array_equal(target["x"], np.flatnonzero(frame.counted) + 1)
    assert np.array_equal(predicted["x"], target["x"])


@pytest.mark.parametrize(("task", "word"), [("adding", "sum"), ("multiplication", "product")])
def test_the_figure_says_what_is_to_be_reckoned(task, word):
    assert f"the {word} of the two diamonds" in FIGURES["prediction"].look_for(seen(f"{task}-many_to_one-gru")[0])
