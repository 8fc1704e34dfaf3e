"""Three thousand real phrases with their translations: what the programs of this machine say, in two languages."""

from __future__ import annotations

import csv
import gettext
import hashlib
import io
import sys
from pathlib import Path

import pytest

from engine.data import read
from engine.data.defaults import defaults
from engine.training import Trainer

CATALOGUES = Path("/usr/share/locale/fr/LC_MESSAGES")
PHRASES, LONGEST = 3_000, 4  # of at most so many words


def phrases() -> list[tuple[str, str]]:
    """English phrases of all catalogues and their French ones, as translators wrote them; lists of names aside.

    Which ones, and in which order, depends on the phrases alone.
    """
    found: dict[str, str] = {}
    for path in sorted(CATALOGUES.glob("*.mo")):
        if path.stem.startswith("iso_"):
            continue
        with path.open("rb") as file:
            catalogue = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]  # it has no public list
        for english, french in catalogue.items():
            if isinstance(english, str) and isinstance(french, str) and is_phrase(english) and is_phrase(french):
                found.setdefault(english, french)
    return sorted(found.items(), key=lambda pair: hashlib.sha256(pair[0].encode()).digest())[:PHRASES]


def is_phrase(text: str) -> bool:
    return 1 <= len(text.split()) <= LONGEST and text.isprintable() and not set(text) & set("%{}<>=|_\\&")


@pytest.mark.full  # a minute on one core
def test_a_network_on_real_phrases_is_judged_beside_copying_and_the_most_common_answer(capsys):
    pairs = phrases()
    if len(pairs) < PHRASES:
        pytest.skip(f"it takes {PHRASES:,} phrases from {CATALOGUES}, of which there are {len(pairs):,} here")
    table = io.StringIO()
    csv.writer(table).writerows([("English", "French"), *pairs])
    dataset = read(table.getvalue().encode(), name="phrases.csv")
    assert dataset.kind == "pairs" and dataset.summary["rows"] > 0.98 * PHRASES
    trainer = Trainer(defaults(dataset))
    while not trainer.finished:
        trainer.advance()
    info, frame = trainer.info, trainer.frame()
    beside = info.metric_baselines
    assert set(beside) == {"copy the source", "always the most common answer"}
    assert frame.held_out_step == trainer.experiment.steps and 0.01 < beside["copy the source"] < 0.2
    with capsys.disabled():
        shown = {"this network": frame.held_out_metric, **beside}
        sys.stdout.write(f"\nWhole answers right: {shown}. {frame.diagnosis.kind}: {frame.diagnosis.sentence}\n")
    beats_the_best = info.best_metric_baseline in info.beaten(frame.held_out_metric)
    assert (frame.diagnosis.kind == "behind") == (not beats_the_best), frame.diagnosis.sentence
