"""The cure that the browser sends back."""

from __future__ import annotations

import pytest
import streamlit as st

from app import state
from app.hub import RunSlot as Slot
from engine.experiment import Experiment
from engine.preset import load_preset
from tests.app.conftest import Session, waiting


def cured(monkeypatch: pytest.MonkeyPatch, changes: object, slot: Slot) -> Experiment:
    """What is wanted after the browser has sent these changes."""
    monkeypatch.setattr(st, "session_state", Session(live={"cure": changes}, _slot=slot))
    state._show(slot.experiment)
    state.on_cure("live")
    return state.requested()


@pytest.mark.parametrize("paused", [True, False], ids=["was paused", "was training"])
@pytest.mark.parametrize(
    "changes",
    [{"cell": "lstm", "forget_bias": 3.0}, {"init": "orthogonal", "clip": "norm"}, {"clip": "norm"}],
    ids=["gate", "taming", "clipping alone"],
)
def test_the_cure_changes_the_settings_and_trains(monkeypatch, changes, paused):
    """In a new run, even where the present one could be changed on the way: what broke stays broken."""
    experiment = load_preset("remember").experiment.replace(clip="none")
    slot, _ = waiting(experiment, paused=paused)
    better = cured(monkeypatch, changes, slot)
    assert better == experiment.replace(**changes)
    assert state.st.session_state._begin and not state.st.session_state._start.paused  # which the page obeys next


@pytest.mark.parametrize(
    "changes",
    [None, [], "lstm", 3, {}, {"cell": "nope"}, {"cell": ["lstm"]}, {"nonsense": 1}, {"self": 1}, {"": 1},
     {"hidden_size": 10**9}, {"hidden_size": 64.0}, {"task_options": {"a": 1}}, {"cell": "lstm", "seed": -1}],
    ids=str,
)  # fmt: skip
def test_a_cure_that_cannot_be_is_left_alone(monkeypatch, changes):
    """It comes from the browser, and so from anybody."""
    experiment = load_preset("remember").experiment
    slot, pool = waiting(experiment)
    assert cured(monkeypatch, changes, slot) == experiment
    assert slot.paused and len(pool.runs) == 1 and pool.runs[0].calls == []
