"""The links of a race, and changes of its setup."""

from __future__ import annotations

import dataclasses

import pytest

from app.compare import plan as race_plan
from app.compare.plan import OWN, SHARED
from engine.experiment import Experiment, ExperimentError
from engine.preset import list_presets


def test_every_setting_is_either_shared_or_a_lanes_own():
    assert {"task", "rnn_type", "steps"} <= set(SHARED)
    assert {"seq_len", "seed", "batch_size", "optimizer", "schedule", "train_set", "reduction"} <= set(OWN)
    assert not set(OWN) & set(SHARED) and set(OWN) <= {each.name for each in dataclasses.fields(Experiment)}


@pytest.mark.parametrize("link", [{}, *race_plan.EXAMPLES.values()], ids=["none", *race_plan.EXAMPLES])
def test_a_race_and_its_link_say_the_same(link):
    refused: list[str] = []
    setup = race_plan.from_link(link, refused)
    assert not refused and race_plan.from_link(race_plan.to_link(setup), refused) == setup and not refused
    for lane in setup.lanes:
        assert {name: getattr(lane, name) for name in SHARED} == {name: getattr(setup.shared, name) for name in SHARED}


def test_cures_of_overfitting_can_be_compared():
    lanes = {"a": "cell.rnn", "b": "cell.rnn~head_dropout.0.5~weight_decay.1e-05"}
    setup = race_plan.from_link({"task": "xor", **lanes}, [])
    assert [(lane.head_dropout, lane.weight_decay) for lane in setup.lanes] == [(0.0, 0.0), (0.5, 1e-5)]
    assert race_plan.to_link(setup)["b"] == lanes["b"]


def test_lanes_may_differ_in_anything_but_the_data():
    lanes = {
        "a": "cell.rnn~optimizer.sgd~seq_len.10~seed.3",
        "b": "cell.rnn~batch_size.8~schedule.cosine~reduction.sum",
    }
    refused: list[str] = []
    setup = race_plan.from_link({"preset": "when-what", **lanes}, refused)
    a, b = setup.lanes
    assert not refused and (a.optimizer, a.seq_len, a.seed, b.batch_size, b.schedule) == ("sgd", 10, 3, 8, "cosine")
    link = race_plan.to_link(setup)
    assert {*link["a"].split("~")} == {*lanes["a"].split("~")} and {*link["b"].split("~")} == {*lanes["b"].split("~")}
    assert race_plan.from_link(link, refused) == setup and not refused


def test_what_only_fits_together_in_a_lane_is_not_refused():
    """Dropout between layers needs two of them, which the lesson's network has not."""
    lanes = {"a": "cell.rnn~num_layers.2", "b": "cell.rnn~num_layers.3"}
    refused: list[str] = []
    setup = race_plan.from_link({"preset": "when-what", "dropout": "0.3", **lanes}, refused)
    assert not refused and {lane.dropout for lane in setup.lanes} == {0.3}
    assert race_plan.from_link(race_plan.to_link(setup), refused) == setup and not refused


def test_five_seeds_stand_in_the_link():
    refused: list[str] = []
    setup = race_plan.from_link({"seeds": "5", "a": "cell.rnn", "b": "cell.gru"}, refused)
    assert setup.seeds == 5 and race_plan.to_link(setup)["seeds"] == "5" and not refused
    assert race_plan.from_link({"seeds": "3"}, refused).seeds == 1 and "1 or 5" in refused[0]


def test_a_link_says_what_all_share_and_what_is_a_lanes_own():
    lanes = {"a": "cell.feedforward~window.2", "b": "cell.rnn~init_gain.1.5"}
    link = {"task": "xor", "seq_len": "15", "seed": "4", "speed": "slow", **lanes}
    setup = race_plan.from_link(link, [])
    assert [(lane.task, lane.seq_len, lane.seed, lane.rnn_type) for lane in setup.lanes] == [
        ("xor", 15, 4, "many_to_many")
    ] * 2
    assert [(lane.cell, lane.window, lane.init_gain) for lane in setup.lanes] == [
        ("feedforward", 2, 1.0),
        ("rnn", 1, 1.5),
    ]
    assert setup.speed == "slow" and race_plan.to_link(setup)["b"] == "cell.rnn~init_gain.1.5"


def test_bad_parts_of_a_link_are_said_and_the_rest_stays():
    refused: list[str] = []
    link = {"preset": "nothing", "seed": "-1", "speed": "warp", "a": "cell.gru~task.xor~hidden_size.0~colour.red~junk",
            "b": "cell.lstm~forget_bias.2", "d": "cell.rnn"}  # fmt: skip
    setup = race_plan.from_link(link, refused)
    assert [(lane.cell, lane.forget_bias) for lane in setup.lanes] == [("gru", None), ("lstm", 2.0)]
    assert (setup.shared.task, setup.shared.seed, setup.speed) == ("adding", 0, "max")
    for part in ("nothing", "-1", "warp", "task.xor", "Units", "colour.red", "junk", "setting d"):
        assert any(part in message for message in refused), part
    assert len(refused) == 8


def test_a_setting_without_effect_in_any_lane_that_has_it_is_said():
    refused: list[str] = []
    race_plan.from_link({"nonlinearity": "relu", "a": "cell.lstm", "b": "cell.rnn"}, refused)
    assert refused == []  # it has one in lane B
    race_plan.from_link({"nonlinearity": "relu", "a": "cell.lstm~init_gain.2", "b": "cell.linear~init_gain.2"}, refused)
    own, shared = refused
    assert own.startswith("B: Gain of the initial weights: the link asks for 2, but that has no effect here")
    assert shared.startswith("Activation: the link asks for relu, but that has no effect here")


def test_a_single_lane_gets_an_opponent():
    assert [lane.cell for lane in race_plan.from_link({"a": "cell.rnn"}, []).lanes] == ["rnn", "gru", "lstm"]
    cells = [lane.cell for lane in race_plan.from_link({"b": "cell.lstm"}, []).lanes]
    assert len(cells) >= 2 and cells[0] == "lstm" and len(set(cells)) == len(cells)


def test_every_lessons_network_can_race():
    """As "Race this against ..." leads there, and from the page itself."""
    usual = race_plan.from_link({}, [])
    for preset in list_presets():
        refused: list[str] = []
        setup = race_plan.from_link(race_plan.against(preset.experiment, preset.slug), refused)
        assert not refused and setup.lanes[0] == preset.experiment and setup.lanes[1].cell != setup.lanes[0].cell
        taken = usual.take(2, preset.experiment)
        assert taken.lanes[2] == preset.experiment and taken.lanes[0].task == preset.experiment.task


def test_changes_of_a_plan():
    usual = race_plan.from_link({}, [])
    assert {lane.seed for lane in usual.share(seed=7).lanes} == {7}
    other = usual.on("characters")
    assert {(lane.task, lane.rnn_type) for lane in other.lanes} == {("characters", other.shared.rnn_type)}
    assert [lane.cell for lane in usual.remove(1).lanes] == ["rnn", "lstm"]
    assert [lane.cell for lane in usual.remove(1).add().lanes] == ["rnn", "lstm", "gru"]
    with pytest.raises(ExperimentError):
        usual.change(0, hidden_size=0)
