"""A changed network on the stage: asked for once, shown beside the untouched one, with its own numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.stage.feed import StageFeed, Wanted
from app.stage.other_frame import ONLY_LIVE
from app.stage.values import logarithm
from engine.experiment import Experiment
from engine.intervention.intervention import CutLink, HoldGate, SetState, ZeroUnit
from engine.training import Trainer
from engine.workers import CHANGED_FRAME, TYPED_FRAME
from tests.fakes import FakeRun

CHOICE: dict[str, Any] = {
    "t": 3, "chain": [0, 0], "unit": 1, "open": True, "follow": None, "typed": {}, "matrix": None,
}  # fmt: skip
SHUT = {"kind": "hold_gate", "layer": 0, "direction": 0, "gate": "forget_gate", "value": 0}
E = Experiment(task="agreement", rnn_type="many_to_one", cell="lstm", hidden_size=4, seq_len=8, batch_size=3)


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    trainer = Trainer(E)
    for _ in range(3):
        trainer.advance()
    return trainer


@pytest.fixture
def run(trainer) -> FakeRun:
    run = FakeRun(E, paused=True, speed=None)
    run.frame = trainer.frame()
    return run


def chosen(run: FakeRun, *interventions: Any, **choice: Any) -> StageFeed:
    feed = StageFeed(run)
    feed.receive({**CHOICE, **choice, "interventions": list(interventions)})
    feed.is_due(run.frame)
    return feed


def asked(run: FakeRun) -> list[Any]:
    return [arguments for name, arguments in run.calls if name == CHANGED_FRAME.name]


def test_it_is_asked_for_once_and_shown_beside_the_network_as_it_is(run, trainer):
    feed = chosen(run, SHUT)
    assert not feed.patch(run.info, run.frame)["changes"]  # not there yet
    assert not feed.is_due(run.frame) and len(asked(run)) == 1
    (arguments,) = asked(run)
    assert arguments["interventions"] == (HoldGate(layer=0, gate="forget_gate", value=0),)
    changed = trainer.changed_frame(**arguments)
    run.finish(CHANGED_FRAME, changed)
    assert feed.is_due(run.frame)
    patch = feed.patch(run.info, run.frame)
    assert patch["changes"] == ["forget gate held shut, layer 1, all steps"]
    np.testing.assert_array_equal(patch["relative"], logarithm(changed.frame.relative))
    np.testing.assert_array_equal(patch["wasRelative"], logarithm(changed.untouched.relative))
    assert patch["wasSure"][-1] == np.float32(changed.untouched.outputs[-1].max())
    feed.receive(CHOICE)
    patch = feed.patch(run.info, run.frame)
    assert patch["changes"] == [] and patch["wasRelative"] is None


@pytest.mark.parametrize(
    "intervention",
    [
        HoldGate(layer=0, gate="forget_gate", value=0), HoldGate(layer=0, gate="input_gate", value=1),
        ZeroUnit(layer=0, unit=1), SetState(layer=0, t=3, unit=1, value=0.5), CutLink(layer=0, t=3),
    ],
    ids=lambda each: each.kind,
)  # fmt: skip
def test_the_open_cell_has_the_numbers_of_the_changed_network(run, trainer, intervention):
    changed = trainer.changed_frame([intervention])
    feed = chosen(run, {"kind": intervention.kind, **vars(intervention)})
    run.finish(CHANGED_FRAME, changed)
    found = feed.patch(run.info, run.frame)["cellValues"]
    frame = changed.frame
    for letter, name in zip("ifgo", E_GATES, strict=True):
        assert found[f"gate {letter}"] == pytest.approx(frame.gates[name][0, 0, 3, 1], abs=1e-4)
    assert found["c"] == pytest.approx(frame.cell[0, 0, 3, 1], abs=1e-4)
    assert found["h"] == pytest.approx(frame.hidden[0, 0, 3, 1], abs=1e-4)
    before = 0 if isinstance(intervention, CutLink) else frame.cell[0, 0, 2, 1]
    assert found["c old"] == pytest.approx(before, abs=1e-4)


E_GATES = ("input_gate", "forget_gate", "cell_candidate", "output_gate")


@pytest.mark.parametrize(
    ("intervention", "sentence"),
    [
        ({**SHUT, "gate": "update_gate"}, "update_gate"), ({**SHUT, "value": 7}, "7"), ({"kind": "melt"}, "melt"),
        ({**SHUT, "layer": 3}, "layer"), (5, "5"),
    ],
)  # fmt: skip
def test_what_this_network_does_not_have_is_said_and_not_asked_for(run, intervention, sentence):
    feed = chosen(run, intervention)
    patch = feed.patch(run.info, run.frame)
    assert sentence in patch["typedProblem"] and asked(run) == []
    np.testing.assert_array_equal(patch["relative"], logarithm(run.frame.relative))


@pytest.mark.parametrize("interventions", ["all", 5, {}, [SHUT] * 101], ids=lambda each: str(each)[:10])
def test_what_is_no_list_of_a_few_is_no_request(interventions):
    assert Wanted.of({**CHOICE, "interventions": interventions}) is None


def test_a_past_frame_is_not_changed_at_the_newest_weights(run):
    feed = chosen(run, SHUT)
    feed.is_live = False
    assert feed.patch(run.info, run.frame)["typedProblem"] == ONLY_LIVE


def test_typed_words_are_read_by_the_changed_network(run):
    chosen(run, SHUT, typed={"1": "keys"})
    assert asked(run)[0]["changes"] == {1: "keys"} and TYPED_FRAME.name not in [name for name, _ in run.calls]
