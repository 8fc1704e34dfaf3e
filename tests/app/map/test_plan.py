"""What a map is made of: its axes, its networks in order, and its link."""

from __future__ import annotations

import dataclasses
import math

import pytest

from app.map import plan as map_plan
from app.map.axes import KINDS, Axis
from app.map.colours import COLOURS
from app.map.kept import kept_as, kept_maps, results_of
from app.map.plan import WEDGE, MapPlan
from engine.experiment import RANGES, ExperimentError
from engine.tasks import TASKS
from tests.app.map.small import BASE, CURVE, PLAN

ORDER = BASE.replace(task="temporal_order", seq_len=10)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_axis_has_usual_values_that_networks_accept(name):
    axis = Axis.usual(name, BASE, 6)
    assert all(RANGES[name].holds(value) for value in axis.values) and list(axis.values) == sorted(set(axis.values))
    assert [BASE.replace(**{name: value}) for value in axis.values]


def test_a_place_on_an_axis_follows_its_proportions():
    gains = Axis.spread("init_gain", 0.25, 4.0, 5)
    assert gains.values == (0.25, 0.5, 1.0, 2.0, 4.0)
    assert gains.place(1.0) == 2 and gains.place(math.sqrt(2)) == pytest.approx(2.5)
    assert Axis.spread("seq_len", 2, 10, 5).place(5) == 1.5
    assert math.isnan(gains.place(5)) and math.isnan(gains.place(math.nan))


def test_networks_stand_cell_by_cell_then_row_by_row():
    assert PLAN.shape == (2, 2, 3, 2)
    for cell, y, x in [(0, 0, 0), (1, 0, 2), (1, 1, 1)]:
        e = PLAN.experiments[PLAN.number(cell, y, x) + 1]
        expected = (PLAN.cells[cell], PLAN.y.values[y], PLAN.x.values[x], 1)
        assert (e.cell, e.seq_len, e.init_gain, e.seed) == expected
    assert CURVE.shape == (2, 1, 3, 4) and len(CURVE.experiments) == 24


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"y": PLAN.x}, "y axis"),
        ({"seeds": 0}, "seeds"),
        ({"updates": 10**6}, "updates"),
        ({"cells": ()}, "cells"),
        (
            {"x": Axis.of("seq_len", [2, 20]), "y": None, "base": ORDER},
            "seq_len",
        ),
        ({"x": Axis.spread("init_gain", 0.1, 3, 32), "y": Axis.spread("seq_len", 2, 48, 32), "seeds": 4}, "networks"),
    ],
)
def test_what_is_no_map_is_refused_by_name(changes, field):
    with pytest.raises(ExperimentError) as refused:
        dataclasses.replace(PLAN, **changes)
    assert refused.value.field == field


@pytest.mark.parametrize("values", [[1.0], [], [0.5, 100.0], [float(n) / 10 for n in range(1, 40)]])
def test_values_that_are_no_axis_are_refused(values):
    with pytest.raises(ExperimentError):
        Axis.of("init_gain", values)


@pytest.mark.parametrize("plan", [WEDGE, PLAN, CURVE, dataclasses.replace(PLAN, base=BASE.replace(clip="none"))])
def test_a_link_gives_the_same_map(plan):
    problems: list[str] = []
    assert map_plan.from_link(map_plan.to_link(plan), problems) == plan and problems == []


@pytest.mark.parametrize(
    "link", [{"x": "size~1~2~3"}, {"y": "seq_len~1"}, {"cells": "rnn.cnn"}, {"seeds": "many"}, {"updates": "-1"},
             {"seq_len": "0"}, {"task": "nothing"}, {"x": "init_gain~5~1~4"}]
)  # fmt: skip
def test_a_part_of_a_link_that_cannot_be_read_is_named_and_the_rest_is_used(link):
    problems: list[str] = []
    plan = map_plan.from_link({"hidden_size": "8"} | link, problems)
    assert len(problems) == 1 and plan.base.hidden_size == 8


def test_a_link_to_a_network_asks_for_no_map():
    assert map_plan.is_link(map_plan.to_link(WEDGE)) and not map_plan.is_link({"task": "adding", "at": "500"})


def test_another_task_gets_lengths_that_it_accepts():
    other = WEDGE.on("temporal_order")
    limits = other.base.definition.lengths
    assert other.base.task == "temporal_order" and limits.low <= other.y.values[0] and other.y.values[-1] <= limits.high


def test_a_setting_that_is_on_the_other_axis_changes_places():
    turned = PLAN.along("x", "seq_len")
    assert (turned.x, turned.y) == (PLAN.y, PLAN.x)
    assert PLAN.along("y", None).y is None and PLAN.along("y", "hidden_size").y.name == "hidden_size"


def test_a_quick_version_has_one_seed_for_each_square():
    quick = dataclasses.replace(PLAN, updates=2000).quick
    assert (quick.seeds, quick.updates) == (1, WEDGE.updates) and isinstance(quick, MapPlan)
    assert CURVE.quick.seeds == CURVE.seeds


@pytest.mark.parametrize("kept", kept_maps(), ids=lambda kept: kept.slug)
def test_a_map_measured_beforehand_has_a_plan_a_link_and_numbers_of_every_network(kept):
    problems: list[str] = []
    assert kept_as(kept.plan) is kept
    assert map_plan.from_link(map_plan.to_link(kept.plan), problems).experiments == kept.plan.experiments
    assert not problems and kept.colour in COLOURS
    results = results_of(kept.slug)
    assert ((results.steps == kept.plan.updates) | results.diverged).all()
    wanted = {e: e for e in kept.saved.definition.experiments}
    assert set(wanted) == set(kept.plan.experiments)


@pytest.mark.parametrize("slug", [slug for slug, task in TASKS.items() if task.lengths.low == task.lengths.high])
def test_on_data_of_one_length_another_setting_takes_the_place_of_the_length(slug):
    refused: list[str] = []
    plan = map_plan.from_link({"task": slug}, refused)
    assert not refused and plan.base.task == slug and [plan.x.name, plan.y.name] == ["init_gain", "learning_rate"]
    assert plan == WEDGE.on(slug)
    other = dataclasses.replace(WEDGE, x=Axis.usual("learning_rate", WEDGE.base, 4)).on(slug)
    assert [other.x.name, other.y.name] == ["learning_rate", "hidden_size"]
