"""Whatever stands in an address: it opens something, says what it left out, and places no markup of its own."""

from __future__ import annotations

import random
import re

import pytest

from app import links
from app.compare import plan as race_plan
from app.first_minute.setup import read_words
from app.map import plan as map_plan
from engine.experiment import CHOICES, RANGES
from tests.app.conftest import opened
from tests.strange import FEW, MANY, WORDS, word

NAMES = [
    *RANGES, *CHOICES, "task_options", "preset", "speed", "then", "at", "hide", "layer", "present", "slow", "walk",
    "data", "file", "kind", "words", "x", "y", "cells", "seeds", "updates", "map", "a.cell", "b.cell", "data~target",
]  # fmt: skip
MARKUP = re.compile(r"(?<!\\)<(img|script|/script|svg|b>)|(?<!\\)\[a\]\(|(?<!\\)\$x\$| :material")
"""Foreign words that Streamlit's Markdown would take for more than text; escaped, they read otherwise."""


def some_link(rng: random.Random) -> dict[str, str]:
    """Known and unknown names, each with a value that is almost right, or strange."""
    link = {}
    for _ in range(rng.randrange(1, 7)):
        name = rng.choice(NAMES) if rng.random() < 0.9 else word(rng)
        usual = [str(choice).lower() for choice in CHOICES.get(name, ())] or [
            str(rng.randrange(-2, 70)),
            "0.01",
            "remember",
        ]
        link[name] = rng.choice(usual) if rng.random() < 0.5 else word(rng)
    return link


def check(seeds: range) -> None:
    for seed in seeds:
        link = some_link(random.Random(seed))
        opening = links.read(link)
        said = list(opening.refused.values())
        race_said: list[str] = []
        race_plan.from_link(link, race_said)
        map_plan.from_link(link, race_said)
        read_words(link.get("words", ""))
        for sentence in (*said, *race_said):
            assert not MARKUP.search(sentence), (seed, link, sentence)
        assert links.read(links.to_link(opening.experiment, None, opening.speed)).experiment == opening.experiment, seed


def test_a_hundred_strange_links():
    check(range(FEW))


@pytest.mark.full
def test_two_thousand_strange_links():
    check(range(FEW, FEW + MANY))


@pytest.mark.parametrize("key", ["preset", "cell", "then", "hide", "layer", "nonsense"])
def test_the_page_opens_with_them(pool, key):
    """All words one after the other in one place: each page is drawn without an error."""
    opened(**{key: "~".join(WORDS).replace("\x00", "").replace("\ud800", "")})
