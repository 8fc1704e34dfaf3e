"""The unrolled network: its columns, its arrows, its strips of states, and the words below and above them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from app.figures import FIGURES, theme
from app.figures.unrolled import symbols
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.tasks import TASKS
from tests.app.figures.conftest import (
    CASES,
    REPRESENTATIVE,
    cases,
    drawn,
    experiment_of,
    f4,
    finite,
    over,
    seen,
    template,
)

ARROWS = range(-13, 3)  # a trace for each decade of the axis, and one for all that lies below it


def most_columns(info: RunInfo) -> int:
    """16, or as many as leave room for the answer, its mark and the line that tells the truth, on 600 pixels."""
    letters = max(map(len, info.output_labels)) + 1
    return min(16, int(600 / (7.5 * letters + 26))) if info.is_autoregressive else 16


def columns_of(case: str) -> np.ndarray:
    """The steps drawn: the middles of the strips."""
    edges = np.asarray(drawn(case, "unrolled")["data"][0]["x"])
    return edges.reshape(-1, 2).mean(1)


def arrows_of(case: str) -> dict[tuple[int, int, int], int]:
    """{(layer, direction, step at the head): decade} of every arrow, checked for its direction."""
    e, columns, arrows = seen(case)[0].experiment, columns_of(case), {}
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
            assert (layer, d, int(reached)) not in arrows
            arrows[layer, d, int(reached)] = decade
    return arrows


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
    drawn_arrows = arrows_of(case)
    assert drawn_arrows.keys() == expected.keys()
    near = {key: (drawn_arrows[key], expected[key]) for key in drawn_arrows if drawn_arrows[key] != expected[key]}
    for key in near:  # the mantissa was rounded up to the next decade
        norm = frame.sequence_grad_norm[key]
        assert (
            drawn_arrows[key] == expected[key] - 1 and 9.5 * 10.0 ** drawn_arrows[key] <= norm < 10.0 ** expected[key]
        )


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
        chain = divmod(index, info.experiment.directions)
        there = (frame.valid & info.has(chain[1]))[columns, None]
        states = np.where(there, frame.hidden[chain][columns], np.nan)
        assert np.isnan(block[:, 1::2]).all()
        for row in (0, -1):
            assert np.array_equal(block[row, ::2], f4(states[:, row]), equal_nan=True)


@finite
def test_hovering_says_the_gradient(case):
    info, frame, _ = seen(case)
    hover = next(each for each in drawn(case, "unrolled")["data"] if "customdata" in each)
    for x, y, text in zip(hover["x"], hover["y"], hover["customdata"], strict=True):
        norm, t = frame.sequence_grad_norm[(*divmod(int(y) - 1, info.experiment.directions), int(x))], int(x)
        if not frame.valid[t]:
            assert text == "padding: the sequence has no such step"
            continue
        if not info.has((int(y) - 1) % info.directions)[t]:
            assert text == "a decoder reads one way: it has no such state"
            continue
        first, *more = text.split("<br>")
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
    for t, text in zip(np.asarray(below["x"], int), below["text"], strict=True):
        assert text.startswith("<i>") == bool(info.is_autoregressive and t > info.encoder_steps and frame.valid[t])
        assert_read(info, frame, t, text.removeprefix("<i>").removesuffix("</i>"))


def assert_read(info: RunInfo, frame: Frame, t: int, text: str) -> None:
    """A symbol, a number, or the word for an image; nothing for padding, and where the input is a strip."""
    token, channels = frame.inputs[t], len(info.input_labels)
    if not frame.valid[t] or (info.inputs == "values" and 2 < channels <= 16):
        assert text == "\u00a0"
    elif info.inputs == "symbols":
        labels = info.output_labels if 0 < info.encoder_steps <= t else info.input_labels
        label = labels[token] if token >= 0 else "start" if info.encoder_steps else "–"
        assert text == theme.symbol(label)
    elif info.image and channels > 1:
        fed = info.is_autoregressive and t > 0
        assert text == (info.output_labels[int(token[-len(info.output_labels) :].argmax())] if fed else "image")
    elif "hidden" in info.input_labels and token[1]:
        assert text == "?"
    else:
        number = text.removeprefix("<b>").removesuffix("</b>▴").replace("−", "-")
        assert float(number) == pytest.approx(float(token[0]), abs=0.051)
        assert text.endswith("▴") == ("mark" in info.input_labels and token[1] > 0)


AUTOREGRESSIVE_TYPES = [case for case in CASES if RunInfo.of(experiment_of(case)).is_autoregressive]


def texts(case: str) -> tuple[dict[int, str], ...]:
    """{step: text} of the rows of inputs, outputs, targets, and its free-running outputs."""
    rows = [each for each in drawn(case, "unrolled")["data"] if each.get("mode") == "text"]
    return tuple({int(t): text for t, text in zip(each["x"], each["text"], strict=True)} for each in rows)


@over(AUTOREGRESSIVE_TYPES)
def test_what_comes_in_is_the_target_of_the_step_before_and_the_line_says_so(case):
    """Never the output: the pass that is drawn and measured uses teacher forcing."""
    info, frame, _ = seen(case)
    inputs, outputs, targets, free = texts(case)
    assert outputs.keys() == targets.keys() == free.keys() == {t for t in inputs if frame.counted[t]}
    for t, text in outputs.items():
        best, alone = (info.output_labels[each[t].argmax()] for each in (frame.outputs, frame.free_outputs))
        wanted = info.output_labels[frame.targets[t]]
        assert targets[t] == theme.symbol(wanted)
        assert text == theme.symbol(best) + ("✓" if best == wanted else "✗")
        assert free[t] == theme.symbol(alone) + ("✓" if alone == wanted else "✗")
    forced = [t for t in inputs if frame.valid[t] and t > info.encoder_steps]
    assert all(inputs[t] == f"<i>{theme.symbol(info.output_labels[frame.targets[t - 1]])}</i>" for t in forced)
    line = drawn(case, "unrolled")["data"][2]
    ends = [at for at, size in enumerate(line["marker"]["size"]) if size]
    row = drawn(case, "unrolled")["data"][7]["y"][0]
    assert len(ends) == len(forced) > 0 and set(outputs) <= set(np.flatnonzero(frame.counted))
    for t, end in zip(forced, ends, strict=True):
        start = end - 3
        before = max(each for each in inputs if each < t)
        assert before < line["x"][end - 1] == line["x"][end - 2] < line["x"][end] < t
        assert line["y"][start] == row and line["y"][end - 1] == line["y"][end] == 0
        if t - 1 in targets:
            assert t - 1 < line["x"][start] < t - 0.5 and line["text"][start] == ""
        else:  # it comes from a step that is not drawn
            assert line["x"][start] == line["x"][end - 1] and line["text"][start] == "…"


def test_both_kinds_of_lines_are_among_the_cases():
    drawn_all = {
        case: len(columns_of(case)) == seen(case)[0].time_steps
        for case in AUTOREGRESSIVE_TYPES
        if case in REPRESENTATIVE
    }
    assert set(drawn_all.values()) == {True, False}


@over(CASES)
def test_only_where_outputs_could_be_fed_back_are_there_rows_for_them(case):
    info, figure = seen(case)[0], template(case, "unrolled")
    names, (low, high) = figure["layout"]["yaxis"]["ticktext"], figure["layout"]["yaxis"]["range"]
    assert (names[-2:] == ["target", "by itself"]) == info.is_autoregressive == bool(len(figure["data"][2]["x"]))
    assert len(names) == len(figure["layout"]["yaxis"]["tickvals"])
    assert low < 0 and max(figure["layout"]["yaxis"]["tickvals"]) < high


@pytest.mark.parametrize(("forced", "words"), [(1.0, "as in training"), (0.25, "in training 25% of the time"),
                                               (0.0, "in training never")])  # fmt: skip
def test_what_is_seen_is_said_beside_what_training_does(forced, words):
    for task, kind in (("melody", "one_to_many"), ("reverse", "encoder_decoder")):
        info = RunInfo.of(Experiment(task=task, rnn_type=kind, teacher_forcing=forced))
        text = FIGURES["unrolled"].look_for(info)
        assert f"the target (dotted; {words})" in text and "Top row: it reads its own outputs" in text
    assert "target" not in FIGURES["unrolled"].look_for(RunInfo.of(Experiment()))


@pytest.mark.parametrize("task", ["adding", "irregular_wave_gaps", "speech"])
def test_only_marked_numbers_are_marked(task):
    kind = TASKS[task].rnn_types[0]
    info, frame, _ = seen(f"{task}-{kind}-gru")
    marked = ["▴" in symbols.read(info, frame, t) for t in range(info.time_steps)]
    assert sum(marked) == (2 if task == "adding" else 0)


@pytest.mark.parametrize(
    ("case", "left"), [("agreement-many_to_one-gru", True), ("sentiment-many_to_one-gru", False), ("step 0", True)]
)
def test_one_answer_at_the_right_end_stands_left_of_its_wire(case, left):
    """With its probability the edge of the picture would cut it; before padding it fits."""
    answers = [each for each in drawn(case, "unrolled")["data"] if each.get("mode") == "text"][1]
    assert (answers.get("textposition") == "middle left") is left


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.54, ".5"), (-0.54, "−.5"), (-0.04, ".0"), (0.0, ".0"), (-1.2, "−1.2"), (10.4, "10.4"), (-20.0, "−20.0")],
)
def test_an_input_that_is_a_number_loses_only_the_zero_before_its_point(value, text):
    assert symbols.tenths(value) == text
