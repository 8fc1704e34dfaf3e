"""One browser's view of a sequence that is stepped through: what is asked for, and what is told of a place."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from app.live.messages import pack
from app.stage.feed import StageFeed
from app.step_through import text
from app.step_through import verification as saying
from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.step_through.verification_result import JacobianEntry, StateEntry, WeightEntry
from engine.training import Trainer
from engine.workers import CHANGED_FRAME, SEQUENCE_TRACE, TYPED_FRAME, VERIFICATION
from engine.workers.requests import trace_sequence
from tests.app.step_through.conftest import CASES, verification
from tests.fakes import FakeRun

CHOICE = {"t": 0, "chain": [0, 0], "unit": 0, "open": False, "follow": None, "typed": {}, "matrix": None}
E = Experiment(cell="lstm", hidden_size=4, seq_len=6, batch_size=3)


def walk(*place: int, verify: Any = None, **chosen: Any) -> dict[str, Any]:
    return {**CHOICE, **chosen, "walk": {"place": [*place, 0, 0, 0, 0][:4], "verify": verify}}


def paused(experiment: Experiment) -> tuple[FakeRun, Trainer]:
    run, trainer = FakeRun(experiment, paused=True, speed=None), Trainer(experiment)
    run.frame, run.phase = trainer.frame(), RunPhase.PAUSED
    return run, trainer


def asked(run: FakeRun, kind: Any) -> list[Any]:
    return [arguments for name, arguments in run.calls if name == kind.name]


class Browser:
    """What a browser has been told: of the news of each message, the last."""

    def __init__(self, run: FakeRun) -> None:
        self.run, self.feed, self.shown = run, StageFeed(run), dict[str, Any]()

    def look(self, request: dict[str, Any]) -> dict[str, Any]:
        self.feed.receive(request)
        if self.feed.is_due(self.run.frame):
            news = self.feed.patch(self.run.info, self.run.frame)
            pack({"stage": news}, step=0)  # it can be sent
            self.shown |= news
        return self.shown


@pytest.fixture
def browser() -> Browser:
    """In the mode, and the trace has come."""
    run, trainer = paused(E)
    browser = Browser(run)
    browser.look(walk())
    run.finish(SEQUENCE_TRACE, trace_sequence(trainer, 0, 0))
    return browser


def test_the_trace_is_asked_for_once_in_the_mode_alone_and_of_a_run_that_stands_still():
    run, _ = paused(dataclasses.replace(E, num_layers=2))
    browser = Browser(run)
    browser.look(CHOICE)
    run.phase = RunPhase.RUNNING
    browser.look(walk())
    assert asked(run, SEQUENCE_TRACE) == []
    run.phase = RunPhase.PAUSED
    browser.look(walk())
    browser.look(walk())
    assert asked(run, SEQUENCE_TRACE) == [{"layer": 0, "direction": 0}]
    run.finish(SEQUENCE_TRACE, problem="This run has ended.")
    assert browser.look(walk())["walkProblem"] == "This run has ended."
    assert len(asked(run, SEQUENCE_TRACE)) == 1  # not again: it would fail again
    browser.look(walk(chain=[1, 0]))
    assert asked(run, SEQUENCE_TRACE)[1:] == [{"layer": 1, "direction": 0}]
    browser.look(walk(chain=[9, 3]))  # there is none
    assert len(asked(run, SEQUENCE_TRACE)) == 2


def test_every_place_has_its_numbers_and_the_next_network_has_others(browser):
    run = browser.run
    trace = run.result(SEQUENCE_TRACE)
    forward = browser.look(walk(2, 3, 1, 1))
    assert forward["walk"]["of"] == [2, 3, 1, 1] and forward["walk"]["flow"] == []
    assert forward["walk"]["where"] == "Forward · t = 2 · step 3 of 6"
    assert forward["walk"]["weight"][0][0] == "W_hh[7, 1]" and forward["walk"]["largest"] == text.largest_unit(trace)
    drawn = forward["jacobian"].values.reshape(8, 8) / 127 * forward["walk"]["jacobian"]["scale"]
    assert np.abs(drawn - trace.jacobians[2]).max() < forward["walk"]["jacobian"]["scale"] / 127
    back = browser.look(walk(9, 3))["walk"]
    assert [len(row) for row in back["flow"]] == [5] * 4 and back["where"].startswith("Back · t = 2")
    assert browser.look(walk(10**6, 10**6))["walk"]["of"] == [11, 3, 0, 0]
    run.frame = dataclasses.replace(run.frame, step=1)
    assert browser.look(walk(9, 3))["walk"] is None and len(asked(run, SEQUENCE_TRACE)) == 2


@pytest.mark.parametrize("case", CASES)
def test_every_type_and_cell_has_its_numbers_at_every_place(case):
    e = Experiment(**{"hidden_size": 4, "batch_size": 2, **CASES[case]})
    run, trainer = paused(e)
    browser, chain = Browser(run), [run.info.num_layers - 1, run.info.directions - 1]
    run.finish(SEQUENCE_TRACE, trace_sequence(trainer, *chain))
    n = len(run.result(SEQUENCE_TRACE).positions)
    for at in (0, n - 1, n, 2 * n - 1):
        changed = browser.look(walk(at, 1, 2, 1, chain=chain))
        said = changed["walk"]
        assert said["happens"] and "nan" not in str(said) and bool(said["noLink"]) == (changed["jacobian"] is None)
        assert not said["flow"] if at < n else said["flow"]


def test_the_sequence_drawn_is_shown_without_what_was_changed_in_it(browser):
    run = browser.run
    cut = {"kind": "cut_link", "layer": 0, "direction": 0, "t": 2}
    changed = browser.look(walk(typed={"0": "7"}, interventions=[cut]))
    assert not changed["isTyped"] and changed["changes"] == []
    assert asked(run, TYPED_FRAME) == asked(run, CHANGED_FRAME) == []
    assert not changed["description"]["ofProbe"]  # the ribbon is of this sequence, as the numbers are
    assert browser.look(CHOICE)["description"]["ofProbe"]


def test_while_a_past_frame_is_shown_there_is_no_trace(browser):
    browser.feed.is_live = False
    changed = browser.look(walk())
    assert changed["walk"] is None and changed["walkProblem"] == text.ONLY_LIVE
    assert browser.look(CHOICE)["walkProblem"] == ""


def test_a_number_is_verified_once_and_the_result_stays_with_its_name(browser):
    run = browser.run
    entries = [StateEntry(layer=0, position=1, unit=3), WeightEntry(layer=0, row=4 + 3, column=2, part=0),
               JacobianEntry(layer=0, position=1, row=3, column=2)]  # fmt: skip
    for which, entry in enumerate(entries):
        said = browser.look(walk(10, 3, 2, 1, verify=[which, [10, 3, 2, 1]]))["walk"]
        assert asked(run, VERIFICATION)[-1] == {"entry": entry} and said["verifying"] == saying.VERIFYING
        run.finish(VERIFICATION, verification(what=entry, step=0))
        elsewhere = browser.look(walk(3, verify=[which, [10, 3, 2, 1]]))["walk"]["verified"]
        assert elsewhere["symbol"] == saying.entry_symbol(entry) and "13 runs" in elsewhere["how"]
        assert len(elsewhere["rows"]) == 5 and len(asked(run, VERIFICATION)) == which + 1
    said = browser.look(walk(3, verify=[0, [4, 1, 2, 1]]))["walk"]
    assert said["verified"] is None  # the result is another number's
    run.finish(VERIFICATION, problem="There is no such unit.")
    assert browser.look(walk(3, verify=[0, [4, 1, 2, 1]]))["walk"]["refused"] == "There is no such unit."
    asked_for = len(asked(run, VERIFICATION))
    for nothing in ([7, [4, 1, 2, 1]], [2, [0, 3, 2, 1]]):  # no such number; the first step has no Jacobian's entry
        assert browser.look(walk(4, verify=nothing))["walk"]["verified"] is None
    assert len(asked(run, VERIFICATION)) == asked_for
