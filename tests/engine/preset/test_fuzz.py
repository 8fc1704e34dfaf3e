"""Whatever stands in a lesson file: it is a lesson, or a sentence says what is wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from engine.preset.parser import parse_preset
from engine.preset.preset import PresetError
from tests.strange import FEW, MANY, damaged_text
from tests.test_layering import ROOT

FILES = [ROOT / "lessons" / "example.md", *sorted((ROOT / "presets").glob("*.toml"))[::4]]


def check(seeds: range) -> None:
    refused = 0
    texts = {file: file.read_text(encoding="utf-8") for file in FILES}
    for seed in seeds:
        rng = random.Random(seed)
        file: Path = rng.choice(FILES)
        try:
            parse_preset(file.stem, damaged_text(rng, texts[file]), file.suffix[1:])
        except PresetError as error:
            refused += 1
            assert error.says
    assert refused > len(seeds) / 5


def test_a_hundred_damaged_lessons():
    check(range(FEW))


@pytest.mark.full
def test_two_thousand_damaged_lessons():
    check(range(FEW, FEW + MANY))
