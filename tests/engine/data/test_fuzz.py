"""Whatever file is brought: it becomes data, or a sentence says why not, and never is it an error of this program."""

from __future__ import annotations

import io
import random

import pytest

from engine.data import DataError, read
from tests.engine.data import format_files
from tests.strange import FEW, MANY, damaged

KINDS = (
    "kaggle_stores", "german_excel", "yahoo", "parquet", "spreadsheet", "fasttext", "tatoeba", "dialogue_lines",
    "treebank",    "entities_in_json", "novel", "ucr", "arrays", "strokes", "world_bank_json", "first_names",
)  # fmt: skip
ENDINGS = ("csv", "tsv", "txt", "json", "jsonl", "xlsx", "parquet", "npz", "zip", "exe", "pkl", "")


def check(seeds: range) -> None:
    made = {name: getattr(format_files, name)() for name in KINDS}
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        content = made[rng.choice(KINDS)]
        raw = damaged(rng, content[: rng.choice((2_000, 20_000, len(content)))])
        file = io.BytesIO(raw)
        file.name = f"../../{seed}<b>.{rng.choice(ENDINGS)}"
        try:
            read(file, None)
        except DataError as error:
            refused += 1
            assert error.sentence.endswith((".", "?", ")")), error.sentence
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
    assert 0 < refused < len(seeds)


def test_a_hundred_damaged_files():
    check(range(FEW))


@pytest.mark.full
def test_two_thousand_damaged_files():
    check(range(FEW, FEW + MANY))
