"""The card "My runs": what a row says, what it does, and the file of all runs."""

from __future__ import annotations

import asyncio
import io
from urllib.parse import parse_qsl, urljoin

import pandas as pd
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from app import links, tab
from app.compare import plan
from app.hub import HUB, MOST_BESIDE, RunSlot
from app.my_runs import card, compare_link, csv_file
from app.my_runs import text as my_runs_text
from engine.experiment import Experiment
from engine.frame import RunPhase
from tests.app.conftest import Session, opened, run, waiting
from tests.app.conftest import slot as only_slot
from tests.fakes import SMALL, at_step


@pytest.fixture
def session(monkeypatch) -> Session:
    session = Session(speed="normal", _hidden=())
    monkeypatch.setattr("streamlit.session_state", session)
    return session


def trained(*experiments: Experiment, now: Experiment = SMALL) -> RunSlot:
    """A tab whose past runs had these settings."""
    slot, _ = waiting(experiments[0])
    for following in (*experiments[1:], now):
        slot.run.frame = at_step(9)
        slot.apply(following)
    return slot


def query(address: str) -> dict[str, str]:
    return dict(parse_qsl(address.partition("?")[2]))


def test_a_row_opens_the_runs_settings_and_changes(session):
    slot = trained(SMALL.replace(cell="gru"))
    slot.run.frame = at_step(9)
    slot.run.update(learning_rate=0.5)
    slot.reset()
    new, old = (card.row(kept, slot, None, None) for kept in slot.past.newest_first)
    opening = links.read(query(new["open"]))
    assert (opening.experiment, opening.changes) == (SMALL, ((9, {"learning_rate": 0.5}),)) and not opening.refused
    assert links.read(query(old["open"])).experiment == SMALL.replace(cell="gru")


def followed(address: str) -> Response:
    """What the server answers to this address of the page."""
    path, _, query_string = f"/{address}".partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query_string.encode()}
    ((route, more),) = [
        (route, more) for route in compare_link.ROUTES for match, more in [route.matches(scope)] if match == Match.FULL
    ]
    return asyncio.run(route.endpoint(Request({**scope, **more})))


def test_a_row_leads_to_a_race_against_the_present_network(session, monkeypatch):
    other = SMALL.replace(cell="gru", hidden_size=7, seed=3, learning_rate=0.1)
    slot = trained(other)
    monkeypatch.setattr(HUB, "_slots", [slot])
    row = card.row(slot.past.newest_first[0], slot, None, None)
    slot.apply(SMALL.replace(clip_threshold=0.25))  # in place: the row is not drawn again
    answer, refused = followed(row["compare"]), []
    assert answer.status_code == 307
    assert urljoin("http://here/live/token/compare/id", answer.headers["location"]).startswith("http://here/compare?")
    setup = plan.from_link(query(answer.headers["location"]), refused)
    assert not refused and setup.lanes == (slot.experiment, other)
    assert "seed" not in row["compare_about"]
    for nonsense in ("live/nobody/compare/x", f"live/{slot.token}/compare/x", f"{row['compare']}nonsense"):
        assert followed(nonsense).status_code == 404


def test_a_network_that_does_not_fit_the_data_has_no_race(session):
    wide = Experiment(task="parity", rnn_type="many_to_many", cell="feedforward", window=3)
    slot = trained(wide, now=Experiment(task="melody", rnn_type="one_to_many"))
    row = card.row(slot.past.newest_first[0], slot, None, None)
    assert (row["compare"], row["compare_about"]) == ("", my_runs_text.NO_COMPARISON)
    assert not row["can_draw"] and "Not drawn" in row["note"]


def test_a_run_of_another_length_says_where_it_is_not_drawn(session):
    slot = trained(SMALL.replace(seq_len=9))
    row = card.row(slot.past.newest_first[0], slot, None, None)
    assert row["can_draw"] and "other steps in time" in row["note"] and "Is it learning" not in row["note"]


def test_what_is_pressed_is_done_and_nonsense_is_not(session, monkeypatch):
    slot = trained(*(SMALL.replace(seed=seed) for seed in range(1, MOST_BESIDE + 2)))
    runs = slot.past.newest_first

    def press(**asked) -> None:
        session[card.KEY] = {"press": asked}
        card.on_press(slot, None)

    for kept in runs:
        press(what="draw", id=kept.id, value=True)
    assert list(slot.beside.values()) == list(runs[:MOST_BESIDE]) and tab.load(card.REFUSED) == my_runs_text.FULL
    press(what="name", id=runs[0].id, value="before my change")
    press(what="keep", id=runs[0].id, value=True)
    assert (runs[0].name, runs[0].is_kept) == ("before my change", True)
    for nonsense in (
        {},
        {"what": "forget"},
        {"what": "forget", "id": [1]},
        {"what": "name", "id": runs[0].id, "value": 3},
    ):
        press(**nonsense)
    assert slot.past.newest_first == runs and runs[0].name == "before my change"
    press(what="forget", id=runs[0].id)
    assert slot.past.newest_first == runs[1:]


def test_the_page_keeps_a_run_that_a_setting_ends(pool):
    page = opened(preset="remember")
    pool.runs[-1].frame = at_step(9)
    page.query_params.update({"preset": "remember", "cell": "gru"})
    run(page)
    (kept,) = only_slot().past.newest_first
    assert kept.step == 9 and kept.initial.cell != "gru"


def test_a_finished_run_is_the_first_row_and_can_be_named(session):
    slot = trained(SMALL.replace(seed=1))
    slot.run.frame, slot.run.phase = at_step(9), RunPhase.FINISHED
    HUB.gather(slot)
    line = slot.past.line_of(slot.run)
    session[card.KEY] = {"press": {"what": "name", "id": line.id, "value": "now"}}
    card.on_press(slot, None)
    rows = {row["name"]: row for row in (card.row(kept, slot, None, None) for kept in slot.past.newest_first)}
    assert [row["present"] for row in rows.values()] == [True, False] and rows["now"]["ended"]
    slot.train()
    assert card.row(line, slot, None, None)["ended"] is None


def test_the_file_has_all_runs_and_what_differs(session):
    slot = trained(SMALL, SMALL.replace(cell="gru", forget_bias=2.0))
    first, second = slot.past.newest_first[::-1]
    first.name = 'a "name", with <signs>'
    table = pd.read_csv(io.StringIO(csv_file.written([first, second])))
    assert list(table.columns)[:6] == ["run", "step", "loss", "gradient_norm", "held_out_loss", "gradient_ratio"]
    assert {"cell", "forget_bias"} == set(table.columns[6:])
    assert set(table["run"]) == {first.name, second.name} and set(table["cell"]) == {"lstm", "gru"}
