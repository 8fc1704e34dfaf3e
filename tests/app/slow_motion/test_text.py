"""The page "Slow motion": its pictures, its sentences, and the way through the five phases, without workers."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from app.figures.slow_motion import phases
from app.slow_motion import text as slow_motion_text
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.slow_motion.dry_run import dry_run_update
from engine.slow_motion.update_trace import UpdateTrace
from engine.training import Trainer
from engine.workers import UPDATE_TRACE
from tests.app.conftest import opened, press, run, slot, turn, warnings

LINK = {"hidden_size": "4", "seq_len": "6"}
SHAPES: dict[str, dict[str, Any]] = {
    "many_to_one": {},
    "one_to_one": {"task": "digits", "rnn_type": "one_to_one"},
    "one_to_many": {"task": "melody", "rnn_type": "one_to_many", "output_layers": 1, "teacher_forcing": 0.5},
    "long, both ways": {"task": "characters", "rnn_type": "many_to_many", "seq_len": 40, "bidirectional": True,
                        "num_layers": 2},
    "encoder_decoder": {"task": "reverse", "rnn_type": "encoder_decoder"},
    "no links": {"task": "stocks", "rnn_type": "many_to_many", "cell": "feedforward"},
    "cut": {"seq_len": 20, "tbptt": 5},
    "one weight per unit": {"cell": "indrnn"},
    "no weights in time": {"cell": "linear"},
}  # fmt: skip


@cache
def rehearsed(shape: str) -> tuple[RunInfo, UpdateTrace]:
    e = Experiment(**{"hidden_size": 4, "batch_size": 3, "cell": "rnn", **SHAPES[shape]})
    trainer = Trainer(e)
    return trainer.info, dry_run_update(trainer)


def written(figure: go.Figure) -> list[str]:
    return [each for trace in figure.select_traces({"mode": "text"}) for each in trace.text]


def arrows(figure: go.Figure, *heads: str) -> list[Any]:
    return [trace for trace in figure.select_traces({"mode": "lines+markers"}) if trace.marker.symbol in heads]


# ---- pictures


@pytest.mark.parametrize("shape", SHAPES)
def test_every_phase_has_a_picture_a_sentence_numbers_and_a_table(shape):
    info, update = rehearsed(shape)
    figures = [phases.picture(info, update, phase) for phase in phases.PHASES]
    assert len({figure.layout.height for figure in figures}) == 1  # the page does not jump
    for phase in phases.PHASES:
        assert len(slow_motion_text.meaning(info, update, phase)) > 20 and "nan" not in slow_motion_text.meaning(
            info, update, phase
        )
        assert slow_motion_text.tiles(info, update, phase)
        head, rows = slow_motion_text.table(info, update, phase)
        assert rows and {len(row) for row in rows} == {len(head)}
    columns = figures[phases.FORWARD].layout.xaxis.tickvals
    assert len(columns) <= 16 and columns[0] == 0 and columns[-1] == info.time_steps - 1
    assert (phases.uncovered(info, update, phases.BACKWARD) or ("",))[0] == "right"


def test_arrows_go_back_to_every_step_as_thick_as_its_gradient():
    info, update = rehearsed("many_to_one")
    figure = phases.picture(info, update, phases.BACKWARD)
    drawn = arrows(figure, "triangle-left")
    norms = update.grad_norm[0, 0]
    steps = [t for t in figure.layout.xaxis.tickvals if t < info.time_steps - 1]
    assert len(drawn) == len(steps) and len(arrows(figure, "triangle-down")) == 1
    widths = {t: next(a.line.width for a in drawn if t < a.x[1] < t + 1) for t in steps}
    by_norm = sorted(steps, key=lambda t: norms[t])
    assert [widths[t] for t in by_norm] == sorted(widths.values()) and widths[by_norm[0]] < widths[by_norm[-1]]


def test_without_links_each_loss_reaches_its_own_step_alone():
    info, update = rehearsed("no links")
    figure = phases.picture(info, update, phases.BACKWARD)
    assert not arrows(figure, "triangle-left", "triangle-right")
    assert len(arrows(figure, "triangle-down")) == info.time_steps


def test_no_arrow_leads_over_a_cut_and_nothing_is_a_cross():
    info, update = rehearsed("cut")
    figure = phases.picture(info, update, phases.BACKWARD)
    assert all(min(arrow.x) > 14 for arrow in arrows(figure, "triangle-left"))
    columns = np.array(figure.layout.xaxis.tickvals)
    assert written(figure).count("✕") == (columns < 15).sum()
    assert "exactly 0" in slow_motion_text.meaning(info, update, phases.BACKWARD)


def test_reading_both_ways_has_arrows_both_ways_in_both_layers():
    info, update = rehearsed("long, both ways")
    figure = phases.picture(info, update, phases.BACKWARD)
    for head in ("triangle-left", "triangle-right"):
        assert len({arrow.y[0] for arrow in arrows(figure, head)}) == 2


# ---- sentences


def changed(**values: Any) -> tuple[RunInfo, UpdateTrace]:
    info, update = rehearsed("many_to_one")
    settings = {key: values.pop(key) for key in ("clip", "clip_threshold") if key in values}
    return info, dataclasses.replace(update, experiment=update.experiment.replace(**settings), **values)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"clip": "none", "norm": 3.2, "norm_clipped": 3.2, "clipped": False}, "Clipping is off"),
        ({"clip": "norm", "clip_threshold": 5.0, "norm": 3.2, "norm_clipped": 3.2, "clipped": False},
         "threshold is 5. The gradient is short enough: there is nothing to clip"),
        ({"clip": "norm", "clip_threshold": 0.8, "norm": 3.2, "norm_clipped": 0.8, "clipped": True},
         "whole gradient is 3.20, the threshold is 0.8. Every number is multiplied by 0.25"),
        ({"clip": "value", "clip_threshold": 0.5, "norm": 3.2, "norm_clipped": 1.6, "clipped": True},
         "between −0.5 and 0.5. The norm falls from 3.20 to 1.60"),
    ],
)  # fmt: skip
def test_clipping_is_said_plainly(values, text):
    assert text in slow_motion_text.meaning(*changed(**values), phases.CLIP)


@pytest.mark.parametrize(
    ("first", "text"),
    [(1.0, "hardly changes: 100%"), (1e-5, "vanishes: 1 part in 100,000"), (0.0, "exactly 0"),
     (500.0, "explodes: it becomes 500 times"), (0.05, "fades: 5.0%"), (3.0, "grows: it becomes 3.00 times")],
)  # fmt: skip
def test_what_became_of_the_gradient_is_said(first, text):
    norms = np.ones_like(rehearsed("many_to_one")[1].grad_norm)
    norms[..., 0] = first
    assert text in slow_motion_text.meaning(*changed(grad_norm=norms), phases.BACKWARD)


@pytest.mark.parametrize(
    ("after", "text"), [(1.5, "falls from 2 to 1.5"), (2.5, "rises from 2 to 2.5"), (np.inf, "no longer finite")]
)
def test_what_the_update_does_to_the_loss_is_said(after, text):
    assert text in slow_motion_text.meaning(*changed(loss=2.0, loss_after=after), phases.UPDATE)


def test_weight_decay_is_said_where_there_is_some():
    assert "decay" not in slow_motion_text.meaning(*changed(), phases.UPDATE)
    info, update = changed()
    decayed = dataclasses.replace(update, experiment=update.experiment.replace(weight_decay=0.01))
    said = slow_motion_text.meaning(info, decayed, phases.UPDATE)
    assert "That includes the weight decay, 0.01, which pulls all weights towards 0." in said


def test_weights_that_the_cell_itself_cuts_are_counted():
    assert "then cut" not in slow_motion_text.meaning(*changed(cut_to_limit=0), phases.UPDATE)
    assert "1 weight was then cut" in slow_motion_text.meaning(*changed(cut_to_limit=1), phases.UPDATE)
    assert "3 weights were then cut" in slow_motion_text.meaning(*changed(cut_to_limit=3), phases.UPDATE)


def test_what_was_measured_otherwise_than_trained_is_said():
    info, update = rehearsed("one_to_many")
    for phase in (phases.FORWARD, phases.BACKWARD):
        assert slow_motion_text.BY_CHANCE in slow_motion_text.notes(info, update, phase)
    assert slow_motion_text.BY_CHANCE not in slow_motion_text.notes(*rehearsed("many_to_one"), phases.FORWARD)


def test_a_table_says_every_parameter_and_nothing_is_markup():
    info, update = rehearsed("encoder_decoder")
    rows = slow_motion_text.table(info, update, phases.UPDATE)[1]
    assert [row[0].split(" (")[0] for row in rows] == list(update.parameters)
    assert "<b>" not in slow_motion_text.as_html((("<b>",), [("<b>",)]))


# ---- the page


@pytest.fixture
def page(pool) -> AppTest:
    """Somebody comes over from the playground, and the rehearsal has arrived."""
    page = turn(opened(**LINK), "slow")
    (only,) = pool.runs
    assert (UPDATE_TRACE.name, {}) in only.calls and slow_motion_text.COMPUTING in page_text(page) and slot().paused
    only.finish(UPDATE_TRACE, dry_run_update(Trainer(only.experiment)))
    return run(page)


def page_text(page: AppTest) -> str:
    return "\n".join([each.value for each in page.caption] + [each.proto.body for each in page.get("html")])


def phase_of(page: AppTest) -> int:
    (shown,) = [k for k in phases.PHASES if page.button(key=f"slow_phase_{k + 1}").proto.type == "primary"]
    return shown


def test_the_address_keeps_the_experiment(page):
    assert page.query_params == {"task": "first_symbol_recall", **LINK}


def test_five_phases_on_and_back_by_buttons_and_keys(page):
    keys = {
        name: page.button(key=f"slow_{name}").proto.shortcut
        for name in ("back", "next", *map("phase_{}".format, range(1, 6)))
    }
    assert keys == {"back": "left", "next": "right", **{f"phase_{k}": str(k) for k in range(1, 6)}}
    assert phase_of(page) == phases.FORWARD and page.button(key="slow_back").disabled
    page = press(press(page, "slow_next"), "slow_next")
    assert phase_of(page) == phases.BACKWARD and "The gradient enters at the loss" in page_text(page)
    assert phase_of(press(page, "slow_back")) == phases.LOSS
    assert phase_of(press(page, "slow_phase_5")) == phases.UPDATE


def test_the_next_update_is_made_once_and_compared_with_its_rehearsal(pool, page):
    (only,), update = pool.runs, pool.runs[0].result(UPDATE_TRACE)
    page = press(press(page, "slow_phase_5"), "slow_next_update")
    assert only.calls.count(("advance", 1)) == 1 and slow_motion_text.MAKING in page_text(page)
    assert page.button(key="slow_next_update").disabled
    only.frame = dataclasses.replace(Trainer(only.experiment).frame(), step=1)
    only.curve.add_update(1, update.loss, update.norm, update.clipped)
    only.calls.clear()
    page = run(page)
    assert only.calls == [(UPDATE_TRACE.name, {})]
    only.finish(UPDATE_TRACE, dataclasses.replace(update, step=1))
    page = run(page)
    assert (
        phase_of(page) == phases.FORWARD
        and "Update 1 was made" in page_text(page)
        and "exactly as on the copy" in page_text(page)
    )


def test_what_cannot_be_rehearsed_is_said_and_not_asked_for_again(pool, page):
    (only,) = pool.runs
    only.frame = dataclasses.replace(Trainer(only.experiment).frame(), step=7)
    only.calls.clear()
    page = run(page)
    only.finish(UPDATE_TRACE, problem="Update 8 was not made: the loss is no longer finite.")
    page = run(run(page))
    assert warnings(page) == ["Update 8 was not made: the loss is no longer finite."]
    assert only.calls == [(UPDATE_TRACE.name, {})]
