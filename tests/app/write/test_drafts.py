"""Drafts: what is written so far, checked as a file is, and seen by its author alone."""

from __future__ import annotations

import dataclasses

import pytest

from app import drafts, links, tab
from app.drafts import Draft, Drafts
from app.learn.progress import Progress
from app.write import start
from app.write.fields import Form, lines, number, read_settings, show_settings
from app.write.form import OWN_FIELD, claims, show_claims
from app.write.preview import readable
from engine.preset import PresetError, list_presets, load_preset, parse_preset, setting_links, write_table
from tests.cases import for_each

GOOD = {"order": 1, "title": "Half the length", "question": "Is it?", "look_for": "It falls.",
        "experiment": {"task": "adding", "cell": "gru", "seq_len": 20}}  # fmt: skip


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> dict:
    """What a tab has stored, of a browser that one may rename."""
    now: dict = {"browser": "one"}
    monkeypatch.setattr(tab, "load", now.get)
    monkeypatch.setattr(tab, "value", now.__getitem__)
    monkeypatch.setattr(tab, "store", now.__setitem__)
    monkeypatch.setattr(drafts, "browser", lambda: now["browser"])
    monkeypatch.setattr(drafts, "DRAFTS", Drafts())
    return now


def words(draft: Draft) -> list[str]:
    return [each.says for each in draft.problems]


def test_a_draft_is_a_lesson_once_nothing_is_wrong():
    draft = Draft(start.skeleton())
    assert (
        words(draft) == ["title is missing.", "question is missing.", "look_for is missing."] and draft.lesson is None
    )
    draft = Draft(GOOD)
    assert draft.problems == [] and draft.lesson is not None
    assert (draft.lesson.slug, draft.lesson.file) == (draft.slug, "half-the-length.md")
    assert parse_preset("half-the-length", draft.text, "md") == dataclasses.replace(
        draft.lesson, slug="half-the-length", file=""
    )


def test_the_rules_of_the_teachers_folder_hold_for_a_draft():
    assert words(Draft(GOOD, name="../x")) == [
        "the name must be small letters, digits and single hyphens, as in my-lesson.md."
    ]
    assert words(Draft(GOOD, name="remember")) == [
        "the course has a lesson called remember already; give the file another name."
    ]
    measured = {"says": "So.", "gate": "exact", "measure": "ratio", "above": 0}
    assert words(Draft({**GOOD, "claims": [measured]})) == [
        "nothing measures a lesson of this folder, so gate must be shown."
    ]
    assert "at most 200,000 bytes" in words(Draft({**GOOD, "text": "x" * 200_000}))[0]


@for_each({"preset": list_presets()})
def test_a_copy_of_a_lesson_is_the_lesson_and_every_field_reads_what_it_shows(preset):
    draft = Draft(start.copy_of(preset.slug), name="a-copy")
    shown = tuple(dataclasses.replace(parse_preset("x", draft.text, "md").claims[n], says=claim.says)
                  for n, claim in enumerate(preset.claims))  # fmt: skip
    assert draft.problems == []
    assert draft.lesson == dataclasses.replace(preset, slug=draft.slug, file="a-copy.md", claims=shown)
    table = draft.table
    for value in (table["order"], *(table["experiment"].get(name) for name in ("hidden_size", "seq_len", "steps"))):
        assert value is None or number(setting_links.written_value(value)) == value
    others = {name: value for name, value in table["experiment"].items() if name not in OWN_FIELD}
    changed = [each["settings"] for key in ("next", "predict") for each in table.get(key, []) if "settings" in each]
    for settings in (others, *changed, table.get("done", {}).get("settings", {})):
        assert (read_settings(show_settings(settings)) or {}) == settings
    for asked in table.get("predict", []):
        assert lines("\n".join(asked["answers"])) == asked["answers"]
    assert (claims(show_claims(table.get("claims", []))) or []) == table.get("claims", [])


def test_a_field_that_is_emptied_leaves_nothing_behind(stored):
    form = Form(Draft({}))
    for place in (("title",), ("done", "says"), ("predict", 0, "when", "kind"), ("experiment", "steps")):
        form.draft.table.setdefault("predict", [{}])
        form.put(place, "solved")
        assert form.value(place) == "solved"
        form.put(place, None)
    assert form.draft.table == {"predict": [{}], "experiment": {}}


def test_what_cannot_be_read_as_settings_stays_as_it_was_typed(stored):
    form = Form(Draft({**GOOD, "next": [{"says": "Shorter", "settings": {"seq_len": 10}}]}))
    place = ("next", 0, "settings")
    for typed, says in (
        ("seq_len", "expected name=value, but got 'seq_len'."),
        ("forget_bias=none", "forget_bias cannot be none here, only in a link of the text."),
    ):
        stored[form.key(place)] = typed
        form.write(place, read_settings)
        assert form.draft.unread[place] == (typed, says) and words(form.draft) == [says]
    stored[form.key(place)] = "seq_len=0"
    form.write(place, read_settings)
    assert not form.draft.unread and words(form.draft)[0].startswith("seq_len must be a whole number from 1 to 1,000")


def test_a_file_is_read_whole_or_not_at_all():
    draft = Draft(GOOD)
    for wrong, says in (("# no settings", "begins with a line"), ("+++\ntitle = 3\n+++\n", "title must be a text"),
                        ("+++\noder = 3\n+++\n", "oder is not a key"),
                        ("+++\nx 3\n+++\n", "cannot be read")):  # fmt: skip
        with pytest.raises(PresetError, match=says):
            draft.read(wrong)
        assert draft.table == GOOD and draft.raw == wrong
    draft.read(write_table({"title": "Only this"}))
    assert draft.table == {"title": "Only this"} and draft.raw == "" and draft.version == 1


def test_an_uploaded_file_that_cannot_be_read_can_be_mended_as_a_file():
    assert start.draft_of("mine.md", write_table(GOOD)).table == GOOD
    assert start.draft_of("mine.toml", write_table(GOOD).replace("+++\n", "")).table == GOOD
    broken = start.draft_of("mine.toml", "title 3")
    assert (broken.name, broken.raw) == ("mine", "+++\ntitle 3\n+++\n")


def test_what_the_browser_has_kept_is_shown_if_the_server_knows_nothing(stored, monkeypatch):
    monkeypatch.setattr(start.st, "query_params", {})
    for kept in (None, 3, {}, {"name": 1, "text": "x"}, {"name": "", "text": 1}, {"name": "", "text": "x" * 200_001}):
        stored[start.KEEPER] = {"kept": kept}
        start.on_kept()
        assert drafts.mine() == []
    stored[start.KEEPER] = {"kept": {"name": "mine", "text": write_table(GOOD) + "\ud800"}}
    start.on_kept()
    (draft,) = drafts.mine()
    assert (draft.file, draft.table) == ("mine.md", {**GOOD, "text": "?"}) and stored[drafts.SHOWN] is draft
    stored[start.KEEPER] = {"kept": {"name": "other", "text": write_table(GOOD)}}
    start.on_kept()
    assert drafts.mine() == [draft]


@for_each({"change": [{"title": 3}, {"experiment": {"cell": "x"}}, {"predict": [{}]}, {"figures": ["a", "a"]},
                      {"done": {"says": "x"}}, {"text": "[x](set:y)"},
                      {"experiment": {"task": "gap"}, "next": [{}]}, {"kind": "x", "speed": "y", "card": "z"},
                      {"order": "x", "seen_as": [{"says": "x"}]}]})  # fmt: skip
def test_there_is_always_something_to_look_at(change):
    assert readable(Draft({**GOOD, **change})).experiment and readable(Draft(change)).title


def test_a_draft_is_opened_by_its_author_alone(stored):
    draft = Draft(GOOD)
    drafts.keep(draft)
    stored.pop(drafts.TRIED, None)
    assert drafts.exists(draft.slug) and drafts.load_preset(draft.slug).title == "Half the length"
    assert links.read({"preset": draft.slug}).preset == draft.lesson
    stored.clear()
    stored["browser"] = "another"
    assert not drafts.exists(draft.slug)
    opening = links.read({"preset": draft.slug, "hidden_size": "8"})
    assert opening.preset.slug == "remember" and opening.experiment.hidden_size == 8
    assert opening.refused["preset"].startswith(f"The link opens {draft.slug}, the draft of a lesson, which only its")
    with pytest.raises(PresetError):
        drafts.load_preset(draft.slug)


def test_a_draft_that_is_forgotten_or_wrong_stays_open_where_it_is_played(stored):
    draft = Draft(GOOD)
    drafts.keep(draft)
    played = drafts.load_preset(draft.slug)
    draft.table = {**GOOD, "title": ""}
    del draft.table["title"]
    draft.check()
    assert draft.problems and drafts.load_preset(draft.slug) is played  # as a teacher's file that is being edited
    drafts.DRAFTS = Drafts()
    assert drafts.load_preset(draft.slug) is played and drafts.load_preset("remember") is load_preset("remember")


def test_what_was_not_changed_for_longest_is_forgotten(monkeypatch, stored):
    monkeypatch.setattr(drafts, "MAX_PER_BROWSER", 2)
    monkeypatch.setattr(drafts, "MAX_DRAFTS", 3)
    first, second, third, other = (Draft(GOOD) for _ in range(4))
    for draft in (first, second, first, third):
        drafts.keep(draft)
    assert drafts.mine() == [third, first]
    stored["browser"] = "another"
    drafts.keep(other)
    drafts.keep(second)
    assert drafts.mine() == [second, other]
    stored["browser"] = "one"
    assert drafts.mine() == [third]


def test_without_a_cookie_drafts_are_the_tabs_own(stored):
    stored["browser"] = ""
    drafts.keep(Draft(GOOD))
    assert len(drafts.mine()) == 1 and len(stored["_drafts"]) == 1 and drafts.DRAFTS.of("") == stored["_drafts"]


def test_a_draft_that_is_tried_again_begins_anew():
    progress = Progress()
    for slug in ("draft-1", "remember"):
        progress.add("one", slug)
    progress.remove("one", "draft-1")
    progress.remove("another", "draft-1")
    assert progress.of("one") == {"remember"} and not progress.of("another")
