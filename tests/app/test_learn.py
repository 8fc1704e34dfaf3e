"""The course: its page of cards, a lesson's text beside the playground, and the ways between lessons."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from streamlit.runtime.caching.cache_resource_api import clear_session_cache
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import acting, progress, state, text, textbook
from app.hub import HUB
from app.progress import Progress
from engine import claim_table
from engine.experiment import Experiment
from engine.frame import Diagnosis, Frame
from engine.preset import Claim, Preset, list_presets, load_preset
from engine.tasks import TASKS
from engine.tasks.base import FAMILIES
from tests.app.conftest import LIMIT, MAIN, SESSION, move, opened, press, run, slot, turn, warnings, widgets
from tests.fakes import FakePool, untrained_frame

pytestmark = pytest.mark.usefixtures("pool")

LESSONS = [preset for preset in list_presets() if preset.kind == "lesson" and not preset.file]
FAILURES = [preset for preset in list_presets() if preset.kind == "failure" and not preset.file]
KINDS = [pytest.param(kin, id=kin[0].kind) for kin in (LESSONS, FAILURES) if kin]


def cards(page: AppTest) -> list[str]:
    """The lessons that the page's cards open, in order; the link above them, to the next lesson, is left out."""
    return [each.proto.query_string.split("&")[0].removeprefix("preset=") for each in page.get("page_link")][1:]


def bodies(page: AppTest, mark: str) -> list[str]:
    """The page's HTML that has this in it."""
    return [each.proto.body for each in page.get("html") if mark in each.proto.body]


# ---- the page


def test_the_page_has_a_card_for_every_lesson_under_its_chapter():
    page = turn(opened(), "learn")
    assert cards(page) == [preset.slug for preset in list_presets()]
    assert [each.value for each in page.title] == [text.LEARN_HEADING]
    assert {each.proto.page_script_hash for each in page.get("page_link")} == {calc_hash("playground")}
    first, *labels = [each.proto.label for each in page.get("page_link")]
    assert first == f"{textbook.BEGIN}: {text.preset(LESSONS[0])}"
    for preset, label, body in zip(list_presets(), labels, bodies(page, 'class="question"'), strict=True):
        assert str(preset.order) in label and label.endswith(preset.title)
        assert 'class="thumbnail"' in body and text.RNN_TYPES[preset.experiment.rnn_type] in body
        assert (textbook.SYMPTOM in body) == bool(preset.symptom)
    chapters = list(dict.fromkeys(preset.chapter for preset in LESSONS))
    assert set(textbook.CHAPTERS) == set(chapters)
    names = [*chapters, textbook.FAILURES, load_preset("example").chapter]
    said = bodies(page, 'class="chapter"')
    assert len(said) == len(names) and all(f"<h2>{name}</h2>" in body for name, body in zip(names, said, strict=True))
    (contents,) = bodies(page, "<nav")
    assert all(f'href="#{each.anchor}"' in contents for each in textbook.chapters(list_presets()))


def test_the_page_opens_by_itself_and_starts_no_run():
    page = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    page._page_hash = calc_hash("learn")
    assert cards(run(page)) == [preset.slug for preset in list_presets()]
    assert HUB._slots == []


# ---- between the pages


def test_a_card_opens_its_lesson_in_the_tabs_own_run():
    page = turn(opened(cell="gru", speed="max"), "learn")
    mine = slot()
    turn(page, "playground", preset="explode")
    preset = load_preset("explode")
    assert slot() is mine and (mine.experiment, mine.paused, mine.speed) == (preset.experiment, True, preset.speed)
    assert page.query_params == {"preset": "explode"} and page.title[0].value == preset.question
    assert warnings(page) == []


def test_what_is_pressed_after_a_card_counts():
    """The link of the way in is read once."""
    page = turn(turn(opened(), "learn"), "playground", preset="explode")
    press(page, "next_lesson")
    assert page.query_params != {"preset": "explode"} and widgets(page)["preset"].value != "explode"
    move(page, "hidden_size", 32)
    assert slot().experiment.hidden_size == 32 and page.query_params["hidden_size"] == "32"


def test_the_run_goes_on_while_somebody_looks_at_the_course():
    page = opened(preset="clip", hidden_size="32", speed="slow")
    run_before, link = slot().run, dict(page.query_params)
    turn(turn(page, "learn"), "playground")
    assert slot().run is run_before and slot().tabs == 1 and not slot().paused
    assert page.query_params == link and widgets(page)["hidden_size"].value == 32
    assert (widgets(page)["preset"].value, widgets(page)["speed"].value) == ("clip", "slow")


def test_going_back_in_the_browser_finds_the_run_as_it_was_left():
    page = opened(preset="clip", hidden_size="32")
    run_before, link = slot().run, dict(page.query_params)
    turn(turn(page, "learn"), "playground", **link)
    assert slot().run is run_before and page.query_params == link


def test_a_wrong_link_on_the_way_back_says_what_is_wrong():
    page = turn(turn(opened(), "learn"), "playground", preset="nope")
    (said,) = warnings(page)
    assert said.startswith("There is no lesson called nope.") and widgets(page)["preset"].value == "remember"


# ---- the neighbours


@pytest.mark.parametrize("kin", KINDS)
def test_next_goes_from_one_of_a_kind_to_the_other_each_with_its_text_and_previous_leads_back(kin):
    page = opened(preset=kin[0].slug)
    assert page.button(key="previous_lesson").disabled
    for preset in kin[:4]:
        assert slot().experiment == preset.experiment and slot().paused == preset.paused
        assert page.query_params == {"preset": preset.slug}
        check_text(page, preset)
        press(page, "next_lesson")
    press(page, "previous_lesson")
    assert page.query_params == {"preset": kin[3].slug} and slot().experiment == kin[3].experiment
    assert opened(preset=kin[-1].slug).button(key="next_lesson").disabled


def check_text(page: AppTest, preset: Preset) -> None:
    """What is behind it, what to change next and what should happen, in this order."""
    said = [each.value.strip() for each in page.sidebar.markdown]
    prose = [textbook.led(preset, part).strip() for part in (preset.explains, preset.text)]
    wanted = [textbook.symptom(preset) if preset.symptom else "", *prose, *(claim.says for claim in preset.claims)]
    assert [each for each in said if each in wanted] == [each for each in wanted if each]
    assert [each.label for each in page.radio] == [each.asks for each in preset.predict]
    wanted = [text.held(claim, claim_table.values(preset, claim)) for claim in preset.claims]
    assert [each.value for each in page.sidebar.caption if each.value in wanted] == wanted
    buttons = [each.label for each in page.button if each.key.startswith("next_") and each.key != "next_lesson"]
    assert buttons == [change.says for change in preset.next]


# ---- the lesson's text


@pytest.mark.parametrize(
    ("link", "open"),
    [({}, True), ({"preset": "remember", "hidden_size": "64"}, True), ({"task": "adding"}, False)],
    ids=["first visit", "a lesson changed", "own settings"],
)
def test_newcomers_and_whoever_chose_the_lesson_are_asked_and_the_text_waits_for_their_guess(link, open):
    page = opened(**link)
    folded = {each.label: each.proto.expanded for each in page.sidebar.expander}
    assert folded[textbook.PREDICT] is open and not folded[text.ABOUT["lesson"]] and not folded[text.SHOULD_HAPPEN]
    page = opened(preset="dates")  # asks nothing
    folded = {each.label: each.proto.expanded for each in page.sidebar.expander}
    assert folded[text.ABOUT["lesson"]] and textbook.PREDICT not in folded


@pytest.mark.parametrize(
    ("claim", "measured", "said"),
    [
        (Claim(says="", gate="exact"), [], "holds exactly, checked in every test run"),
        (Claim(says="", gate="trained", above=0.5), [], "measured on 3 seeds; asked is above 0.5"),
        (Claim(says="", gate="trained", below=2, seeds=(4,)), [1.23456], "measured on 1 seed: 1.23; asked is below 2"),
        (Claim(says="", gate="shown"), [], "usually to be seen"),
    ],
    ids=lambda each: each.gate if isinstance(each, Claim) else "",
)
def test_a_claim_says_how_far_to_rely_on_it(claim, measured, said):
    assert text.held(claim, measured) == said


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


@pytest.mark.parametrize(("kin", "name"), [(LESSONS, "Lesson"), (FAILURES, "Failure card")], ids=["lesson", "failure"])
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
    move(page, "task", "stocks")
    assert place(page) == f"Your own settings, begun at lesson {preset.order}"
    press(page, "back_to_lesson")
    assert place(page) == f"Lesson {preset.order} of {len(LESSONS)}"
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


# ---- predict, then run; done; links that act


def looked(step: int, kind: str = "healthy") -> Frame:
    return dataclasses.replace(untrained_frame(), step=step, diagnosis=Diagnosis(kind, "", {"ratio": 1.0}, {}))


def shows(page: AppTest, pool: FakePool, step: int, kind: str = "healthy") -> str:
    """The newest run shows this frame; what the sidebar says once that was looked at, and the page drawn anew."""
    pool.runs[-1].frame = looked(step, kind)
    pool.runs[-1].frames = (pool.runs[-1].frame,)
    run(run(page))
    return "\n".join(each.value for each in page.sidebar.markdown)


def guess(page: AppTest, answer: int) -> AppTest:
    page.radio[0].set_value(answer)
    return press(run(page), "run_it_0")


@pytest.mark.parametrize("answer", [0, 2], ids=["wrong", "right"])
def test_nothing_is_revealed_before_the_guess_and_the_run(pool, answer):
    (asked,) = load_preset("remember").predict
    page = opened(preset="remember")
    assert page.button(key="run_it_0").disabled and asked.because not in shows(page, pool, 2999)
    before = slot().run
    guess(page, answer)
    assert slot().run is not before and not slot().paused  # a run of its own, from step 0
    assert asked.because not in shows(page, pool, 299)
    said = shows(page, pool, 300)
    assert asked.because in said and asked.answers[2] in said
    assert (f"{textbook.YOUR_GUESS}: right" in said) == (answer == 2) and (asked.answers[0] in said) == (answer == 0)
    assert "run_it_0" not in {each.key for each in page.button} and not page.radio
    press(page, "next_lesson")
    press(page, "previous_lesson")
    assert asked.because in shows(page, pool, 0)


def test_another_run_than_the_one_asked_for_reveals_nothing(pool):
    (asked,) = load_preset("wave").predict
    page = guess(opened(preset="wave"), 2)
    assert slot().experiment.cell == "feedforward"
    move(page, "hidden_size", 8)
    assert asked.because not in shows(page, pool, 999)
    assert textbook.CHANGED in [each.value for each in page.sidebar.caption]
    move(press(page, "run_it_0"), "seed", 5)
    assert slot().experiment.hidden_size == 16 and asked.because in shows(page, pool, 999)


def test_a_run_that_waits_is_set_going_once_it_is_there(pool):
    page = guess(opened(preset="explode"), 2)
    assert slot().paused
    shows(page, pool, 0)
    assert not slot().paused and load_preset("explode").predict[0].because in shows(page, pool, 1, "dead")


def test_a_lesson_that_was_done_gets_its_tick_also_in_another_session_of_this_browser(pool, monkeypatch):
    monkeypatch.setattr(progress, "PROGRESS", Progress())
    monkeypatch.setattr(progress, "_browser", lambda: "ann")
    preset = load_preset("default-lstm")
    page = opened(preset="default-lstm")
    assert "To do" in shows(page, pool, 0)  # healthy, but not with the settings that are asked for
    press(page, "next_2")
    assert slot().experiment.forget_bias == 3.0
    assert textbook.task(preset, False) in shows(page, pool, 0, "vanished")
    assert textbook.task(preset, True) in shows(page, pool, 0)
    clear_session_cache(SESSION)
    page = turn(opened(), "learn")
    (ticked,) = bodies(page, 'class="tick"')
    assert preset.question in ticked
    assert [body for body in bodies(page, 'class="chapter"') if "1 of 3 done" in body and preset.chapter in body]
    assert page.get("page_link")[0].proto.label == f"{textbook.CONTINUE}: {text.preset(LESSONS[0])}"
    monkeypatch.setattr(progress, "_browser", lambda: "bob")
    clear_session_cache(SESSION)
    assert bodies(run(page), 'class="tick"') == []


def test_what_a_browser_has_done_is_bounded_and_the_longest_ago_forgotten_first():
    seen_by = Progress(most=2)
    for browser, slug in (("ann", "wave"), ("bob", "xor"), ("ann", "xor"), ("eve", "wave")):
        seen_by.add(browser, slug)
    assert [seen_by.of(each) for each in ("ann", "bob", "eve")] == [{"wave", "xor"}, frozenset(), {"wave"}]


def test_a_link_of_the_prose_leads_where_it_acts(monkeypatch):
    preset = load_preset("remember-lstm")
    for act in textbook.acts(preset):
        page = opened(**dict(each.split("=") for each in act.address.removeprefix("/?").split("&")))
        assert warnings(page) == [] and widgets(page)["preset"].value == preset.slug
        assert HUB._slots[-1].experiment == preset.experiment.replace(**act.settings)
    monkeypatch.setattr(state, "pressed", lambda _: {"link": act.address})
    assert acting.pressed([preset]) == act and acting.pressed([load_preset("wave")]) is None


# ---- a teacher's lesson

TEACHERS = """+++
order = 1
title = "Mine"
question = "Does it work?"
look_for = "Look."
paused = true

[experiment]
task = "adding"

[done]
says = "Make 5 updates."
step = 5
+++
Now [make it narrow](set:hidden_size=4).
"""


def test_a_teachers_lesson_appears_runs_and_is_done_and_a_bad_file_is_named(pool, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("PLAYGROUND_LESSONS", str(tmp_path))
    page = turn(opened(), "learn")
    assert cards(page)[-1] == FAILURES[-1].slug
    (tmp_path / "mine.md").write_text(TEACHERS)
    (tmp_path / "bad.md").write_text(TEACHERS.replace("step = 5", "stop = 5"))
    run(page)
    assert cards(page)[-1] == "mine" and textbook.TEACHER in bodies(page, 'class="chapter"')[-1]
    (said,) = warnings(page)
    assert "bad.md" in said and "stop is not a key" in said.replace("\\", "")
    turn(page, "playground", preset="mine")
    assert page.title[0].value == "Does it work?" and slot().experiment == Experiment(task="adding")
    assert page.sidebar.caption[0].value == "Lesson 1 of 1" and page.button(key="next_lesson").disabled
    assert "To do" in shows(page, pool, 4) and "Done" in shows(page, pool, 5)
    (tmp_path / "mine.md").unlink()
    run(page)
    assert page.title[0].value == "Does it work?"
    assert cards(turn(page, "learn"))[-1] == FAILURES[-1].slug
