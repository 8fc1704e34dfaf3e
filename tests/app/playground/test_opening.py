"""The playground as a link opens it, as a reload finds it, and in a second tab."""

from __future__ import annotations

import pytest
import streamlit as st
from streamlit.runtime.caching.cache_resource_api import clear_session_cache

from app import links, text
from app.hub import HUB
from app.run_start import Start
from engine.preset import SPEEDS, list_presets, load_preset
from engine.tasks import TASKS
from tests.app.conftest import SESSION, move, opened, run, slot, waits, warnings, widgets
from tests.cases import grid, in_turn

STABLE = [  # DESIGN, section 6
    "preset", "task", "rnn_type", "cell", "nonlinearity", "hidden_size", "num_layers", "bidirectional", "seq_len",
    "init", "init_gain", "forget_bias", "optimizer", "learning_rate", "clip", "clip_threshold", "batch_size", "tbptt",
    "seed", "output_layers", "window", "embedding_size", "teacher_forcing", "speed", "train", "pause", "step", "reset",
]  # fmt: skip
PRESETS = [preset.slug for preset in list_presets()]


def test_the_page_opens_on_the_first_lesson_with_every_stable_key(pool):
    page = opened()
    keys = widgets(page)
    assert [key for key in STABLE if key not in keys] == []
    assert keys["preset"].value == "remember"
    assert page.title[0].value == load_preset("remember").question
    assert warnings(page) == [] and len(pool.runs) == 1
    assert page.query_params == {"preset": "remember"}


@pytest.mark.parametrize("slug", grid(PRESETS, kept=in_turn))
def test_a_link_to_a_lesson_opens_it_as_it_says(pool, slug):
    page, preset = opened(preset=slug), load_preset(slug)
    (only,) = pool.runs
    assert only.experiment == preset.experiment
    assert only.opened == {"paused": waits(preset), "speed": SPEEDS[preset.speed]}
    shown = {key: widget.value for key, widget in widgets(page).items()}
    settings = {key: value for key, value in preset.experiment.to_dict().items() if key in shown}
    assert set(settings) == set(links.WIDGETS) and {key: shown[key] for key in settings} == settings
    assert (shown["preset"], shown["speed"]) == (slug, preset.speed)
    assert page.title[0].value == preset.question
    assert page.markdown[0].value.startswith(preset.look_for)
    assert warnings(page) == [] and page.query_params == {"preset": slug}


def test_a_link_can_change_several_settings(pool):
    page = opened(
        preset="remember-lstm", cell="gru", hidden_size="37", bidirectional="true", forget_bias="none", seq_len="33",
        learning_rate="0.0123", init="gaussian", init_gain="1.5", steps="77", speed="max",
    )  # fmt: skip
    assert warnings(page) == []
    assert pool.runs[0].experiment == load_preset("remember-lstm").experiment.replace(
        cell="gru", hidden_size=37, bidirectional=True, forget_bias=None, learning_rate=0.0123, seq_len=33,
        init="gaussian", init_gain=1.5, steps=77,
    )  # fmt: skip
    assert pool.runs[0].opened["speed"] is None
    assert widgets(page)["hidden_size"].value == 37 and widgets(page)["learning_rate"].value == 0.0123


# ---- tabs


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(st.context), "cookies", {"playground": "one browser"})


def test_a_reload_finds_its_run(pool, browser):
    page = opened(hidden_size="64")
    own_slot = slot()
    clear_session_cache(SESSION)  # the tab's connection is gone for good
    assert own_slot.tabs == 0
    opened(**page.query_params)
    assert slot() is own_slot and own_slot.tabs == 1 and len(pool.runs) == 1


def test_a_second_tab_beside_the_first_is_a_second_run(pool, browser):
    opened()
    second = HUB.attach("one browser", Start(load_preset("remember").experiment), speed="normal")
    assert [each is second for each in HUB._slots] == [False, True] and len(pool.runs) == 2


def test_a_dropped_connection_holds_the_same_slot_again(pool):
    page = opened()
    own_slot = slot()
    clear_session_cache(SESSION)  # Streamlit clears the session's cache and keeps its state
    assert own_slot.tabs == 0
    run(page)
    assert slot() is own_slot and own_slot.tabs == 1 and len(pool.runs) == 1


# ---- a link without a lesson


@pytest.mark.parametrize(
    ("link", "written"),
    [
        ({"task": "adding"}, {"task": "adding", "seq_len": "50"}),
        ({"cell": "gru"}, {"task": "first_symbol_recall", "cell": "gru"}),
        ({"task": "first_symbol_recall"}, {"task": "first_symbol_recall"}),
    ],
    ids=["other data", "the first lesson's data", "the first lesson's settings"],
)
def test_a_link_of_settings_alone_is_no_lesson(pool, link, written):
    page = opened(**link)
    (only,) = pool.runs
    assert page.title[0].value == TASKS[only.experiment.task].title and page.query_params == written
    assert page.markdown[0].value.startswith(TASKS[only.experiment.task].teaches)
    assert ":blue-badge" not in page.markdown[0].value
    keys = widgets(page)
    assert keys["preset"].value is None and text.NO_LESSON in [each.value for each in page.caption]
    assert [key for key in keys if "lesson" in key or key.startswith(("next_", "guess_", "run_it"))] == []
    again = opened(**page.query_params)
    assert again.title[0].value == page.title[0].value and slot().experiment == only.experiment
    assert warnings(page) == [] == warnings(again)


def test_a_lesson_can_be_picked_after_a_link_without_one(pool):
    page = move(opened(task="adding"), "preset", "explode")
    assert page.title[0].value == load_preset("explode").question and page.query_params == {"preset": "explode"}


def test_a_change_by_hand_after_such_a_link_stays_without_a_lesson(pool):
    page = move(opened(task="adding"), "hidden_size", 16)
    assert page.query_params == {"task": "adding", "hidden_size": "16", "seq_len": "50"}
    assert widgets(page)["preset"].value is None


@pytest.mark.parametrize("link", [{"speed": "max"}, {"present": "1"}, {"hide": "cure"}], ids=str)
def test_a_link_that_names_no_settings_opens_the_first_lesson(pool, link):
    assert opened(**link).title[0].value == load_preset("remember").question


def test_a_speed_that_the_browser_has_not_said_yet_is_the_one_before():
    """A busy browser may answer before it has drawn the buttons: then it says that none is chosen."""
    page = opened(preset="remember", speed="max")
    page.session_state["speed"] = None
    page = run(page)
    assert slot().speed == page.session_state["speed"] == "max" and page.query_params["speed"] == "max"
