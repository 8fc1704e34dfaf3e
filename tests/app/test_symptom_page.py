"""docs/my-rnn-does-not-learn.md: what it links to is there, and what it promises is seen."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from app import links
from engine.preset import load_preset

PAGE = Path(__file__).parents[2] / "docs" / "my-rnn-does-not-learn.md"
TEXT = PAGE.read_text(encoding="utf-8")
LINKS = re.findall(r"\]\(([^)]+)\)", TEXT)
MISTAKES = PAGE.parents[1] / "examples" / "watch" / "mistakes"


def test_every_link_into_the_playground_opens_a_lesson_or_a_setting_that_is_there():
    into = [urlsplit(link) for link in LINKS if link.startswith("http")]
    assert len(into) >= 10 and {url.netloc for url in into} == {"127.0.0.1:8501"}
    for url in into:
        opening = links.read(dict(parse_qsl(url.query)))
        assert opening.refused == {} and opening.is_lesson, url.query
        assert f"preset={opening.preset.slug}" in url.query.split("&")


def test_every_failure_card_has_a_line():
    named = set(re.findall(r"preset=(failure-[\w-]+)", TEXT))
    cards = {path.stem for path in (PAGE.parents[1] / "presets").glob("failure-*.toml")}
    assert named == cards and all(load_preset(slug).kind == "failure" for slug in named)


def test_every_file_and_heading_that_is_linked_is_there():
    headings = {re.sub(r"[^\w -]", "", line.strip("# ").lower()).replace(" ", "-") for line in TEXT.splitlines()}
    for link in LINKS:
        if link.startswith("#"):
            assert link[1:] in headings, link
        elif not link.startswith("http"):
            assert (PAGE.parent / link).is_file(), link


def test_every_mistake_that_has_a_script_has_a_line_that_names_it():
    rows = [line for line in TEXT.splitlines() if "(../examples/watch/mistakes/" in line]
    named = {row.rsplit("`", 2)[1]: re.search(r"mistakes/(\w+)\.py", row)[1] for row in rows}
    assert {path.stem for path in MISTAKES.glob("*.py")} == set(named.values())
    assert all(kind.replace(" ", "_") == script for kind, script in named.items())
