"""What is shown of each kind of data, and the pictures by themselves."""

from __future__ import annotations

from itertools import cycle, islice

import numpy as np
import pytest

from app.own_data import figures, pictures
from app.own_data import text as own_text
from engine.data import read
from tests.app.conftest import opened, turn
from tests.app.own_data.conftest import bring, html, words

pytestmark = pytest.mark.usefixtures("pool")

WORDS = ("red", "blue", "green", "old", "new", "small")
NOUNS = ("house", "boat", "tree", "road", "bird")


def rows(count: int, line: str) -> str:
    """So many lines with different words in them."""
    firsts, seconds = cycle(WORDS), cycle(NOUNS)
    return "".join(
        line.format(n=n, a=a, b=b, yes="yes" if n % 2 else "no")
        for n, (a, b) in enumerate(zip(islice(firsts, count), islice(seconds, count), strict=True))
    )


FILES = {
    "series": ("date,sold\n" + "".join(f"{2000 + n // 12}-{n % 12 + 1:02d}-01,{n % 7}\n" for n in range(60)),
               "the value before"),
    "text": (rows(60, "The {a} {b} is far from the {b}.\n"), "held out from line"),
    "labelled": ("review,good\n" + rows(60, "the {a} {b} is what I saw on day {n},{yes}\n"), "<td><b>"),
    "pairs": ("english,french\n" + rows(60, "the {a} {b} of {n},la {b} {a} de {n}\n"), "pairs"),
    "tagged": (rows(40, "the O\n{a} ADJ\n{b} NOUN\n\n"), "own-word"),
    "sequences": ("".join(",".join(f"{np.sin(n + t / 3):.3f}" for t in range(12)) + f",{n % 2}\n" for n in range(40)),
                  "All 40 have 12 steps"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES)
def test_every_kind_is_shown(readings, kind: str):
    text, shown = FILES[kind]
    readings.known["mine.csv"] = read(text.encode(), kind, name="mine.csv")
    page = bring(turn(opened(), "data"), "mine.csv")
    assert own_text.KINDS[kind].capitalize() in words(page) and not page.error
    assert shown in html(page) or page.get("plotly_chart")
    assert own_text.TO_BEAT in html(page) and not page.button(key="own_train").disabled


def test_a_long_series_keeps_its_lowest_and_highest_values():
    y = np.sin(np.arange(100_003) / 50)
    y[70_000], y[5] = 40.0, -40.0
    x, kept = figures._thinned(np.arange(len(y)), y)
    assert len(kept) <= figures.MAX_POINTS + 2 and kept.max() == 40 and kept.min() == -40
    assert (np.diff(x) >= 0).all() and np.array_equal(y[x], kept)


def test_symbols_are_shown_as_they_read_and_are_no_html():
    letters, longer = ("\N{REPLACEMENT CHARACTER}", "<", "b"), ("\N{REPLACEMENT CHARACTER}", "boat", "<i>")
    assert pictures.words([1, 2, 0, -1], letters) == "&lt;b▯"
    assert pictures.words([1, 2, 0], longer) == "boat &lt;i&gt; ▯"
    assert pictures.words([2] * 300, letters).endswith("…")


def test_classes_beyond_the_most_common_are_taken_together():
    shown = pictures.classes({f"class {n}": 100 - n for n in range(12)})
    assert "class 7" in shown and "class 8" not in shown and "4 others" in shown


def test_lengths_are_counted():
    shown = pictures.histogram(np.array([2, 2, 2, 5, 9]))
    assert shown.count("<i ") == 8 and "half of them at most 2" in shown and "height: 100.0%" in shown
