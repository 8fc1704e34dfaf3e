"""The course's page of cards, and the ways between it and the playground."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qsl, urlencode

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from app import links, text
from app.hub import HUB
from app.learn import plans
from app.learn import text as learn_text
from engine.preset import list_plans, list_presets, load_preset
from tests.app.conftest import LIMIT, MAIN, move, opened, press, run, slot, turn, warnings, widgets
from tests.app.learn.conftest import BUGS, FAILURES, LESSONS, bodies, card_links, cards, page_links

pytestmark = pytest.mark.usefixtures("pool")


def test_the_page_has_a_card_for_every_lesson_under_its_chapter():
    page = turn(opened(), "learn")
    assert cards(page) == [preset.slug for preset in list_presets()]
    assert [each.value for each in page.title] == [text.LEARN_HEADING]
    (write,) = [each for each in page_links(page) if each.proto.label == learn_text.WRITE]
    others = {each.proto.page_script_hash for each in page_links(page) if each is not write}
    assert others == {calc_hash("playground"), calc_hash("first")}
    assert write.proto.page_script_hash == calc_hash("write")
    labels = [each.proto.label for each in card_links(page)]
    assert page_links(page)[0].proto.label == f"{learn_text.BEGIN}: {text.preset(LESSONS[0])}"
    for preset, label, body in zip(list_presets(), labels, bodies(page, 'class="question"'), strict=True):
        assert str(preset.order) in label and label.endswith(preset.title)
        assert 'class="thumbnail"' in body and text.RNN_TYPES[preset.experiment.rnn_type] in body
        assert (learn_text.SYMPTOM in body) == bool(preset.symptom)
    chapters = list(dict.fromkeys(preset.chapter for preset in LESSONS))
    assert set(learn_text.CHAPTERS) == set(chapters)
    names = [*chapters, learn_text.FAILURES, learn_text.BUG_CARDS, load_preset("example").chapter]
    texts = bodies(page, 'class="chapter"')
    assert len(texts) == len(names) and all(f"<h2>{name}</h2>" in body for name, body in zip(names, texts, strict=True))
    (contents,) = bodies(page, "<nav")
    assert all(f'href="#{each.anchor}"' in contents for each in learn_text.chapters(list_presets()))


def test_the_page_counts_as_the_sidebar_does():
    page = turn(opened(preset=LESSONS[2].slug), "learn")
    (said,) = [each.value for each in page.caption if each.value.endswith(learn_text.REMEMBERED)]
    counts = f"{len(LESSONS)} lessons, 0 of {len(FAILURES)} failure cards and 0 of {len(BUGS)} bug cards"
    assert said.startswith(f"0 of {counts} done. ")
    assert text.place(LESSONS[2], len(LESSONS), LESSONS[2].experiment) == f"Lesson 3 of {len(LESSONS)}"


def test_the_page_opens_by_itself_and_starts_no_run():
    page = AppTest.from_file(str(MAIN), default_timeout=LIMIT)
    page._page_hash = calc_hash("learn")
    assert cards(run(page)) == [preset.slug for preset in list_presets()]
    assert HUB._slots == []


def test_every_symptom_leads_to_the_network_that_shows_it_and_names_the_figure():
    page = turn(opened(), "learn")
    found = learn_text.symptoms(list_presets())
    assert len(found) >= 12 and found[0][0].kind == "failure"
    shown = {each.proto.label: each.proto.query_string for each in page_links(page)}
    for preset, seen in found:
        link = dict(parse_qsl(shown[seen.says]))
        assert link["preset"] == preset.slug and seen.settings.keys() <= link.keys()
        opening = links.read(link)
        assert not opening.refused and opening.experiment == preset.experiment.replace(**seen.settings)
        assert bodies(page, learn_text.leads_to(preset, seen))
    (contents,) = bodies(page, "<nav")
    assert f"#{learn_text.SYMPTOMS_ANCHOR}" in contents and bodies(page, f'id="{learn_text.SYMPTOMS_ANCHOR}"')


def test_every_link_of_a_plan_opens_what_it_says():
    page = turn(opened(), "learn")
    shown = [(each.proto.label, each.proto.query_string) for each in page_links(page)]
    for plan in list_plans():
        assert f"{plan.minutes} minutes" in "".join(each.label for each in page.expander)
        for part, begins in zip(plan.parts, plan.starts, strict=True):
            opening = links.read(part.query)
            assert not opening.refused and opening.is_lesson and opening.preset.slug == part.query["preset"]
            assert (plans.label(part), urlencode(part.query)) in shown
            assert bodies(page, f"{begins}–{begins + part.minutes} min") and bodies(page, escape(part.asks))


@pytest.mark.parametrize("part", [part for plan in list_plans() for part in plan.parts], ids=lambda part: part.link)
def test_the_playground_opens_a_link_of_a_plan_without_a_warning(part):
    page = opened(**part.query)
    assert warnings(page) == [] and page.query_params == part.query
    assert slot().experiment == links.read(part.query).experiment


# ---- between the pages


def test_a_card_opens_its_lesson_in_the_tabs_own_run():
    page = turn(opened(cell="gru", speed="max"), "learn")
    own_slot = slot()
    turn(page, "playground", preset="explode")
    preset = load_preset("explode")
    assert slot() is own_slot
    assert (own_slot.experiment, own_slot.paused, own_slot.speed) == (preset.experiment, True, preset.speed)
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
    (message,) = warnings(page)
    assert message.startswith("There is no lesson called nope.") and widgets(page)["preset"].value == "remember"
