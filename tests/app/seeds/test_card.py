"""The card on the page: what a press starts, what is seen of it, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest

from app.seeds import text as seeds_text
from app.seeds.card import SeedsState
from app.seeds.sweep import Plan, SeedSweep
from engine.frame import RunPhase
from engine.workers import Measurement, SweepRun
from engine.workers.protocol import Measure
from tests.app.conftest import move, opened, press, run, turn
from tests.app.seeds.conftest import DATA, SweepingPool, measured, report
from tests.fakes import FakePool

LINK = {"task": "first_symbol_recall", "seq_len": "5", "hidden_size": "4", "steps": "100", "seed": "3"}


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> Measurement:
    """The measurement of an update, which has not ended yet."""
    measurement = Measurement(Measure(0, [], 3))
    monkeypatch.setattr(FakePool, "measure", lambda pool, experiments, repeats: measurement, raising=False)
    return measurement


@pytest.fixture
def page(sweeping: list[SweepRun], pace: Measurement) -> Any:
    """The playground with the card open, an update timed."""
    pace.result = (0.001,)
    return unfolded()


def unfolded(**link: str) -> Any:
    page = opened(**LINK | link)
    page.session_state["seeds"] = True
    return run(page)


def shown(page: Any) -> str:
    return "\n".join(each.value for kind in (page.markdown, page.caption, page.warning) for each in kind)


def keys(page: Any) -> set[str]:
    return {each.key for each in page.button if each.key.startswith("seeds")}


def charts(page: Any) -> list[str]:
    return [each.proto.spec for each in page.get("plotly_chart")]


def test_folded_it_measures_and_trains_nothing(sweeping):
    opened(**LINK)  # the pool of this page cannot measure: asking it would fail
    assert sweeping == []


def test_the_button_waits_until_an_update_was_timed(sweeping, pace):
    page = unfolded()
    assert page.button(key="seeds_begin").disabled and seeds_text.MEASURING in shown(page)
    pace.result = (0.001,)
    page = run(page)
    assert not page.button(key="seeds_begin").disabled
    assert "16 networks, 100 updates each: at most about 5 s" in shown(page)


def test_where_an_update_cannot_be_timed_the_networks_can_be_trained_all_the_same(sweeping, pace):
    pace.error = "The measurement ended with an error."
    page = unfolded()
    assert "16 networks, 100 updates each." in shown(page) and not page.button(key="seeds_begin").disabled


@pytest.mark.parametrize("seeds", [4, 16])
def test_a_press_trains_the_same_network_with_other_seeds(page, pool, sweeping, seeds):
    press(move(page, "seeds_count", seeds), "seeds_begin")
    (sweep,), experiment = sweeping, pool.runs[0].experiment
    assert sweep.experiments == tuple(experiment.replace(seed=seed) for seed in range(4, 4 + seeds))
    assert sweep.updates == 100 and pool.runs[0].phase == RunPhase.RUNNING and not pool.runs[0].calls


def test_what_was_measured_is_seen_while_they_train(page, sweeping):
    page = press(page, "seeds_begin")
    assert keys(page) == {"seeds_stop"} and len(charts(page)) == 1 and "have solved it" not in shown(page)
    good = [measured(number, 0, 0.01, 0.99) for number in range(11)]
    report(sweeping[0], *good, *(measured(number, 0, 2.0) for number in range(11, 16)))
    assert "**11 of 16 have solved it**" in shown(run(page))


def test_stopped_they_stay_on_the_page(page, sweeping):
    page = press(page, "seeds_begin")
    report(sweeping[0], *(measured(number, 0, 2.0) for number in range(16)))
    page = press(page, "seeds_stop")
    assert sweeping[0].stopped and keys(page) == {"seeds_begin"}
    assert "Stopped after 0 updates of 100." in shown(page) and "**0 of 16 have solved it**" in shown(page)


def test_what_went_wrong_is_said(page, sweeping):
    page = press(page, "seeds_begin")
    sweeping[0].fail("These networks ended with an error: *stars*")
    assert [each.value for each in run(page).warning] == [r"These networks ended with an error\: \*stars\*"]


@pytest.mark.parametrize("leave", ["reset", "new_seed", "hidden_size", "learning_rate"])
def test_another_run_or_setting_empties_the_card_and_ends_its_networks(page, sweeping, leave):
    page = press(page, "seeds_begin")
    page = (
        press(page, leave) if leave in ("reset", "new_seed") else move(page, leave, {"hidden_size": 6}.get(leave, 0.1))
    )
    assert sweeping[0].stopped and keys(page) == {"seeds_begin"} and not charts(page)


def test_training_on_and_other_pages_end_nothing(page, sweeping):
    page = press(press(press(page, "seeds_begin"), "pause"), "train")
    page = turn(turn(page, "glossary"), "playground", **page.query_params)
    assert not sweeping[0].stopped


def test_a_setting_that_was_changed_while_the_run_trained_is_mentioned(page, pool):
    assert seeds_text.CHANGED not in shown(page)
    pool.runs[0].changes = ((5, {"learning_rate": 0.1}),)
    assert seeds_text.CHANGED in shown(run(page))


def test_a_tab_that_has_gone_trains_nothing(monkeypatch):
    pace = Measurement(Measure(0, [], 1))
    stopped = []
    monkeypatch.setattr(Measurement, "stop", lambda self: stopped.append(self))
    state = SeedsState(pace, SeedSweep(SweepingPool(), Plan.of(DATA, 4, None, 0)))
    state.clear()
    SeedsState().clear()
    assert stopped == [pace] and state.sweep.run.stopped
