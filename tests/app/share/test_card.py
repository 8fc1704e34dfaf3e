"""A link that says more than settings: what is changed on the way, where it opens, what it hides, for whom it is."""

from __future__ import annotations

import json

import pytest
import streamlit as st

from app import controls, state
from app.hub import RunSlot
from app.share import card
from engine.experiment import settings_at
from engine.preset import load_preset
from tests.app.conftest import Session, opened, press, run, slot, waiting, widgets
from tests.app.live.conftest import figures_at
from tests.fakes import at_step

CHANGES = ((30, {"learning_rate": 0.1, "noise": 0.25}), (90, {"clip": "none"}))
THEN = "30~learning_rate~0.1~noise~0.25~~90~clip~none"


def shown(page) -> dict:
    """What the live view was given."""
    return next(json.loads(each.proto.json) for each in page.get("bidi_component") if "figures" in each.proto.json)


def test_changes_on_the_way_are_planned_and_stay_in_the_link(pool):
    page = opened(preset="remember", then=THEN)
    experiment = load_preset("remember").experiment
    assert slot().initial == experiment and slot().changes == CHANGES
    assert slot().experiment == settings_at(experiment, CHANGES) and widgets(page)["learning_rate"].value == 0.1
    assert page.query_params == {"preset": "remember", "then": THEN}
    run(page)
    assert len(pool.runs) == 1 and pool.runs[0].calls == []


def test_a_link_opens_paused_at_a_step_and_says_so_only_once(pool):
    page = opened(preset="remember", at="300")
    assert pool.runs[0].opened["until"] == 300 and pool.runs[0].opened["paused"] and slot().paused
    assert page.query_params == {"preset": "remember"}
    run(page)
    assert len(pool.runs) == 1


def test_a_link_to_another_step_of_the_same_network_is_obeyed_by_an_open_tab(pool):
    page = opened(preset="remember")
    page.query_params["at"] = "40"
    run(page)
    assert len(pool.runs) == 2 and pool.runs[1].opened["until"] == 40


@pytest.mark.parametrize("key", ["cell", "noise", "speed", "new_seed", "preset"])
def test_what_a_link_hides_is_not_there_and_keeps_its_value(pool, key):
    page = opened(preset="remember-lstm", hide=key, noise="0.3")
    assert key not in {*widgets(page), *(each.key for each in page.button)}
    assert slot().experiment == load_preset("remember-lstm").experiment.replace(noise=0.3)
    assert page.query_params["hide"] == key
    widgets(page)["hidden_size"].set_value(16)
    run(page)
    assert slot().experiment == load_preset("remember-lstm").experiment.replace(noise=0.3, hidden_size=16)


def test_the_cure_and_the_lesson_can_be_hidden(pool):
    page = opened(preset="remember", hide="cure~lesson")
    assert shown(page)["cure"] is False and shown(opened(preset="remember"))["cure"] is True
    assert "preset" not in widgets(page)


def test_a_room_sees_the_lessons_figures_large_and_the_desk_sees_all_again(pool):
    page = opened(preset="explode", present="1")
    preset, room = load_preset("explode"), shown(page)
    assert {each["name"] for each in figures_at(room["figures"])} == set(preset.figures) and room["large"] > 1
    assert page.query_params == {"preset": "explode", "present": "1"}
    press(page, "present")
    assert len(figures_at(shown(page)["figures"])) > 6 and shown(page)["large"] == 1
    assert page.query_params == {"preset": "explode"} and len(pool.runs) == 1


def test_what_a_link_gets_wrong_is_said_in_sentences(pool):
    page = opened(preset="remember", then="soon", at="never", hide="everything")
    text = " ".join(each.value for each in page.warning)
    assert all(word in text for word in ("soon", "never", "everything")) and slot().changes == ()
    assert page.query_params == {"preset": "remember"}


def test_the_link_to_share_says_what_was_picked(pool):
    page = opened(preset="remember", learning_rate="0.1")
    page.checkbox(key="share_at").check()
    run(page)
    page.number_input(key="share_step").set_value(77)
    page.checkbox(key="share_present").check()
    page.multiselect(key="share_hide").set_value(["cell", "seed"])
    run(page)
    link = page.code[0].value
    assert link.endswith("?preset=remember&learning_rate=0.1&at=77&hide=cell~seed&present=1")
    assert page.query_params == {"preset": "remember", "learning_rate": "0.1"}  # the page itself stays as it is


def branched(monkeypatch: pytest.MonkeyPatch, asked: object) -> RunSlot:
    """The slot after the browser has asked for this; its run stands at step 40."""
    branch, _ = waiting(load_preset("remember").experiment)
    branch.run.frame = at_step(40)
    monkeypatch.setattr(st, "session_state", Session(live={"branch": asked}, _slot=branch))
    state._show(branch.experiment)
    state.on_branch("live")
    return branch


def test_a_branch_sets_the_widgets_to_what_is_in_force(monkeypatch):
    branch = branched(monkeypatch, {"step": 25, "changes": {"clip": "none"}, "paused": False})
    assert branch.changes == ((25, {"clip": "none"}),) and state.st.session_state.clip == "none"
    assert state.requested() == branch.experiment and not branch.paused


@pytest.mark.parametrize(
    "asked",
    [None, [], "now", {}, {"step": 5}, {"step": "5", "changes": {}, "paused": True},
     {"step": True, "changes": {}, "paused": True}, {"step": -1, "changes": {}, "paused": True},
     {"step": 41, "changes": {}, "paused": True}, {"step": 5, "changes": ["clip"], "paused": True}],
    ids=str,
)  # fmt: skip
def test_what_is_no_branch_changes_nothing(monkeypatch, asked):
    branch = branched(monkeypatch, asked)
    assert branch.run.branched_at is None and branch.ghost is None and branch.changes == ()


def test_the_link_is_made_when_the_card_is_opened_and_its_options_stay(pool):
    page = opened(preset="remember", hidden_size="16")
    page.checkbox(key="share_present").check()
    page.multiselect(key="share_hide").set_value(["cell"])
    run(page).session_state[card.OPEN] = False
    assert not run(page).code
    widgets(page)["learning_rate"].set_value(0.01)
    run(page).session_state[card.OPEN] = True
    (link,) = [each.value for each in run(page).code]
    assert {"learning_rate=0.01", "present=1", "hide=cell"} <= set(link.partition("?")[2].split("&"))


def test_settings_that_are_folded_keep_their_values(pool):
    page = opened(preset="remember")
    widgets(page)["seed"].set_value(7)
    widgets(page)["optimizer"].set_value("sgd")
    folds = [group.key for group in controls.GROUPS]
    run(page)
    for fold in folds:
        page.session_state[fold] = False
    assert "seed" not in widgets(run(run(page)))
    assert (slot().experiment.seed, slot().experiment.optimizer) == (7, "sgd")
    for fold in folds:
        page.session_state[fold] = True
    assert (widgets(run(page))["seed"].value, slot().experiment.optimizer) == (7, "sgd")
