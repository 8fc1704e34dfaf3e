"""A link that an older program wrote opens the same run, and is written again as it was."""

from __future__ import annotations

import urllib.parse

import pytest

from tests.compatibility import cases
from tests.compatibility.links import open_link

STORED = cases.read_json(cases.LINKS)


@pytest.mark.parametrize("stored", STORED, ids=[each["link"] for each in STORED])
def test_a_link_opens_the_same_run_and_is_written_again(stored):
    now, link = open_link(stored["link"]), dict(urllib.parse.parse_qsl(stored["link"]))
    assert stored["experiment"].items() <= now["experiment"].items()
    for name in ("changes", "opened"):
        assert now[name] == stored[name], name
    # What has no effect was once taken without a word.
    assert [each for each in now["warnings"] if "has no effect" not in each] == stored["warnings"]
    written, widgets = stored["written"], set(stored["widgets"])
    if "preset" not in link:  # it once opened the first lesson, on other data
        written = written.replace("preset=remember&", "", 1)
        widgets = {each for each in widgets if "lesson" not in each and not each.startswith(("next_", "run_it"))}
    assert now["written"] == written
    hidden = link.get("hide", "").split("~")
    assert widgets <= set(now["widgets"]) and not set(hidden) & set(now["widgets"])


def test_the_links_say_everything_that_a_link_can_say():
    as_written = [each for each in STORED if each["link"] == each["written"]]
    assert len(as_written) >= 10 and all(not each["warnings"] for each in STORED)
    names = {name for each in as_written for name in dict(urllib.parse.parse_qsl(each["link"]))}
    assert {"preset", "task", "rnn_type", "cell", "speed", "then", "at", "hide", "present"} <= names
    changed = {name for each in STORED for _, settings in each["changes"] for name in settings}
    assert changed == {"learning_rate", "clip", "clip_threshold", "noise", "teacher_forcing", "batch_size"}
