"""A lesson beside the playground: its text, what to change next, its neighbours, and which lesson it is."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app import text
from app.learn import text as learn_text
from engine.claims import table
from engine.experiment import Experiment
from engine.preset import Claim, Preset, list_presets, load_preset
from engine.tasks import TASKS
from engine.tasks.base import FAMILIES
from tests.app.conftest import move, opened, press, run, slot, waits, warnings, widgets
from tests.app.learn.conftest import BUGS, FAILURES, KINDS, LESSONS

pytestmark = pytest.mark.usefixtures("pool")


# ---- the neighbours


@pytest.mark.parametrize("kin", KINDS)
def test_next_goes_from_one_of_a_kind_to_the_other_each_with_its_text_and_previous_leads_back(kin):
    page = opened(preset=kin[0].slug)
    assert page.button(key="previous_lesson").disabled
    for preset in kin[:4]:
        assert slot().experiment == preset.experiment and slot().paused == waits(preset)
        assert page.query_params == {"preset": preset.slug}
        check_text(page, preset)
        press(page, "next_lesson")
    press(page, "previous_lesson")
    assert page.query_params == {"preset": kin[3].slug} and slot().experiment == kin[3].experiment
    assert opened(preset=kin[-1].slug).button(key="next_lesson").disabled


def check_text(page: AppTest, preset: Preset) -> None:
    """What is behind it, what to change next and what should happen, in this order."""
    paragraphs = [each.value.strip() for each in page.sidebar.markdown]
    prose = [learn_text.with_links(preset, part).strip() for part in (preset.explains, preset.text)]
    wanted = [learn_text.symptom(preset) if preset.symptom else "", *prose, *(claim.says for claim in preset.claims)]
    assert [each for each in paragraphs if each in wanted] == [each for each in wanted if each]
    assert [each.label for each in page.sidebar.radio] == [each.asks for each in preset.predict]
    wanted = [text.claim_evidence(claim, table.values(preset, claim)) for claim in preset.claims]
    assert [each.value for each in page.sidebar.caption if each.value in wanted] == wanted
    buttons = [each.label for each in page.button if each.key.startswith("next_") and each.key != "next_lesson"]
    assert buttons == [change.says for change in preset.next]


# ---- the lesson's text


@pytest.mark.parametrize(
    ("link", "open"),
    [
        ({}, True),
        ({"preset": "remember", "hidden_size": "64"}, True),
        ({"preset": "remember", "task": "adding"}, False),
    ],
    ids=["first visit", "a lesson changed", "own settings"],
)
def test_newcomers_and_whoever_chose_the_lesson_are_asked_and_the_text_waits_for_their_guess(link, open):
    page = opened(unfolded=False, **link)
    folded = {each.label: each.proto.expanded for each in page.sidebar.expander}
    assert folded[learn_text.PREDICT] is open and not folded[text.ABOUT["lesson"]] and not folded[text.SHOULD_HAPPEN]
    page = opened(preset="dates")  # asks nothing
    folded = {each.label: each.proto.expanded for each in page.sidebar.expander}
    assert folded[text.ABOUT["lesson"]] and learn_text.PREDICT not in folded


@pytest.mark.parametrize(
    ("claim", "measured", "message"),
    [
        (Claim(says="", gate="exact"), [], "always true, checked in every test run"),
        (Claim(says="", gate="trained", above=0.5), [], "measured on 3 seeds; required: above 0.5"),
        (Claim(says="", gate="trained", below=2, seeds=(4,)), [1.23456], "measured on 1 seed: 1.23; required: below 2"),
        (Claim(says="", gate="shown"), [], "usually visible"),
    ],
    ids=lambda each: each.gate if isinstance(each, Claim) else "",
)
def test_a_claim_says_how_far_to_rely_on_it(claim, measured, message):
    assert text.claim_evidence(claim, measured) == message


# ---- what to change next


@pytest.mark.parametrize(
    "preset", [each for each in (*LESSONS[2:5], *FAILURES[:1]) if each.next], ids=lambda each: each.slug
)
def test_the_last_change_is_applied_to_the_run_and_stands_in_the_link(preset):
    *_, change = preset.next
    page = press(opened(preset=preset.slug), f"next_{len(preset.next) - 1}")
    assert warnings(page) == [] and slot().experiment == preset.experiment.replace(**change.settings)
    changed = {name for name, now in change.settings.items() if now != getattr(preset.experiment, name)}
    assert changed and changed <= page.query_params.keys()
    assert slot().paused == preset.paused
    assert all(f":blue-badge[{each}]" in page.main.markdown[0].value
               for each in text.changed(slot().experiment, preset.experiment))  # fmt: skip


def test_a_change_is_made_to_the_lesson_as_it_is_and_the_seed_stays():
    """Two changes do not add up: each says what it changes in the lesson."""
    preset = load_preset("remember")
    page = opened(preset="remember", hidden_size="64", seed="7")
    for number in (2, 0):
        press(page, f"next_{number}")
        assert slot().experiment == preset.experiment.replace(seed=7, **preset.next[number].settings)


def test_a_change_after_other_data_begins_at_the_lesson_again():
    page = move(opened(preset="remember"), "task", "adding")
    press(page, "next_0")
    preset = load_preset("remember")
    assert slot().experiment == preset.experiment.replace(**preset.next[0].settings)


def test_a_change_that_does_not_fit_what_is_set_begins_at_the_lesson_again(monkeypatch):
    """Cut after 5 steps and both ways exclude each other."""
    preset = load_preset("remember")
    page = opened(preset="remember", bidirectional="true")
    monkeypatch.setitem(preset.next[0].settings, "tbptt", 5)
    press(run(page), "next_0")
    assert warnings(page) == [] and slot().experiment == preset.experiment.replace(**preset.next[0].settings)
    assert slot().experiment.tbptt == 5 and not slot().experiment.bidirectional


def test_a_change_sets_a_held_run_going_but_for_a_lesson_that_waits():
    page = press(opened(preset="remember"), "pause")
    assert slot().paused
    press(page, "next_0")
    assert not slot().paused


# ---- which lesson it is


def place(page: AppTest) -> str:
    return page.sidebar.caption[0].value


@pytest.mark.parametrize(("kin", "name"), [(LESSONS, "Lesson"), (FAILURES, "Failure card"), (BUGS, "Bug card")],
                         ids=["lesson", "failure", "bug"])  # fmt: skip
def test_lessons_and_failure_cards_count_by_themselves(kin, name):
    for preset in kin[:1] + kin[-1:]:
        assert text.place(preset, len(kin), preset.experiment) == f"{name} {preset.order} of {len(kin)}"
        assert place(opened(preset=preset.slug)) == f"{name} {preset.order} of {len(kin)}"


def test_the_sidebar_says_when_it_is_no_longer_the_lesson_and_leads_back():
    preset = load_preset("remember")
    page = opened(preset="remember")
    assert "back_to_lesson" not in {each.key for each in page.button}
    move(page, "hidden_size", 64)
    assert place(page) == f"Lesson {preset.order} of {len(LESSONS)}, with your changes"
    assert not page.sidebar.info
    move(page, "task", "stocks")
    (note,) = page.sidebar.info
    assert (
        note.value == "The text below is about the lesson's data, “First digit”; the network now reads “Stock prices”."
    )
    assert place(page) == f"Your own settings, started from lesson {preset.order}"
    press(page, "back_to_lesson")
    assert not page.sidebar.info and place(page) == f"Lesson {preset.order} of {len(LESSONS)}"
    assert slot().experiment == preset.experiment and page.query_params == {"preset": "remember"}


def test_the_list_of_lessons_has_all_with_their_numbers():
    options = widgets(opened())["preset"].options
    assert len(options) == len(set(options)) == len(list_presets())
    assert [each.endswith(f"{p.order} · {p.title}") for each, p in zip(options, list_presets(), strict=True)] == [
        True
    ] * len(options)


def test_the_list_of_data_goes_family_by_family():
    options = widgets(opened())["task"].options
    assert sorted(options) == sorted(f"{task.title} · {task.family}" for task in TASKS.values())
    families = [FAMILIES.index(each.split(" · ")[1]) for each in options]
    assert families == sorted(families)


def test_a_first_visit_opens_the_lesson_that_breaks_before_your_eyes():
    """A plain RNN over 40 digits, wherever it stands in the course."""
    opened()
    assert slot().experiment == Experiment(
        task="first_symbol_recall", cell="rnn", seq_len=40, hidden_size=32, learning_rate=0.003, steps=3000
    )
