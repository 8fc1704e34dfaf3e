"""Running text, against calculations by hand."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from engine.data import limits
from engine.data.kinds import text
from engine.data.kinds.tokens import split_text
from engine.data.problems import DataError, Notes
from engine.tasks import NO_SYMBOL, held_out, sample
from engine.tasks.next_character import ALICE
from engine.tasks.unknown_words import UNKNOWN_CHARACTER, not_in_vocabulary
from tests.cases import for_each
from tests.engine.data.word_tables import experiment_of, said, table_of, task_for

BIGRAM = "the one before alone (bigram)"


def read(body: str, notes: Notes | None = None, **choices):
    return text.of_text(body, Notes() if notes is None else notes, choices)


def names(count: int) -> str:
    """A sorted list of names, one a line."""
    chance = random.Random(0)
    return "\n".join(
        sorted("".join(chance.choices("abcdefgh", k=5)) + chance.choice(("saurus", "raptor")) for _ in range(count))
    )


def by_hand(symbols: list[str], cut: int, asked: list[tuple[str | None, str]]) -> tuple[float, float, int]:
    """Perplexity of asked (before, following) by frequency and by bigram, and the number of symbols."""
    counts = Counter(symbols[:cut])
    known = {symbol for symbol, count in counts.items() if count > 1}
    trained = [symbol if symbol in known else None for symbol in symbols[:cut]]
    single, total, size = Counter(trained), cut, len(known) + 1
    two, first = Counter(pairwise(trained)), Counter(trained[:-1])
    losses, by_pair = [], []
    for before, following in asked:
        b = following if following in known else None
        share = (single[b] + 1) / (total + size)
        losses.append(-math.log(share))
        if before == "":
            by_pair.append(losses[-1])
        else:
            a = before if before in known else None
            by_pair.append(-math.log((two[a, b] + share) / (first[a] + 1)))
    return math.exp(np.mean(losses)), math.exp(np.mean(by_pair)), size


@pytest.mark.parametrize("unit", ["characters", "words"])
def test_baselines_equal_a_calculation_by_hand(unit):
    body = ALICE.read_text(encoding="utf-8")[:12_000]
    summary, content = read(body, unit=unit)
    paragraphs = [" ".join(each.split()) for each in re.split(r"\n\s*\n", body.strip())]
    symbols = split_text("\n".join(paragraphs), unit)
    written = [content.vocabulary[token] for token in content.tokens]
    assert all(one in (other, content.vocabulary[0]) for one, other in zip(written, symbols, strict=True))
    cut = int(len(symbols) * 0.9)
    single, pair, size = by_hand(symbols, cut, list(zip(symbols[cut - 1 : -1], symbols[cut:], strict=True)))
    assert summary["train"] == cut == content.cut and summary["test"] == len(symbols) - cut
    assert summary["vocabulary"] == size
    assert list(summary["baselines"]) == [f"how common each {unit[:-1]} is", BIGRAM, "guessing"]
    assert list(summary["baselines"].values()) == pytest.approx([single, pair, size])
    assert pair < single < size


def test_baselines_of_a_batch_know_nothing_before_its_first_symbol():
    body = ALICE.read_text(encoding="utf-8")[:9_000]
    summary, content = read(body, unit="words")
    task = task_for("text", (summary, content))
    experiment = experiment_of(task, "text", seq_len=12)
    batch = held_out(experiment)
    symbols = split_text(" ".join(body.split()), "words")
    asked = []
    for _, start in batch.origin:
        piece = symbols[start : start + 12]
        asked += zip(["", *piece[:-1]], piece, strict=True)
    single, pair, size = by_hand(symbols, content.cut, asked)
    assert list(task.metric_baselines(experiment, batch).values()) == pytest.approx([single, pair, size])
    logs = [math.log(single), math.log(pair), math.log(size)]
    assert list(task.baselines_on(experiment, batch).values()) == pytest.approx(logs)
    assert list(task.baselines(experiment).values()) == pytest.approx(np.log([*summary["baselines"].values()]))


def test_a_batch_is_a_piece_of_its_part():
    summary, content = read(ALICE.read_text(encoding="utf-8"))
    task = task_for("text", (summary, content))
    for split, low, high in (("train", 0, content.cut), ("test", content.cut, len(content.tokens))):
        batch = sample(experiment_of(task, "text", seq_len=30), 64, 3, split)
        starts = batch.origin[:, 1]
        assert not batch.origin[:, 0].any() and low <= starts.min() and starts.max() + 30 <= high
        for column, start in enumerate(starts):
            assert batch.targets[:, column].tolist() == content.tokens[start : start + 30].tolist()
        assert (batch.inputs[0] == NO_SYMBOL).all() and batch.mask.all()


def test_every_symbol_knows_its_line():
    body = ALICE.read_text(encoding="utf-8")
    _, content = read(body)
    written = np.array(content.vocabulary)[content.tokens]
    for number, line in enumerate(body.split("\n"), 1):
        own = "".join(written[content.lines == number]).strip()
        assert all(one in (other, UNKNOWN_CHARACTER) for one, other in zip(own, " ".join(line.split()), strict=True)), (
            number
        )


def test_a_text_broken_to_a_width_is_put_together_and_verses_are_not():
    prose = "\n\n".join("\n".join(["word " * 13 + "wide."] * 6 + ["short end."]) for _ in range(5))
    notes = Notes()
    _, content = read(prose, notes)
    written = "".join(content.vocabulary[token] for token in content.tokens)
    assert written == "\n".join(" ".join(part.split()) for part in prose.split("\n\n"))
    assert "broken to a width" in said(notes)
    verses = "\n".join("line of verse number " + "la " * (number % 9) for number in range(60))
    notes = Notes()
    _, content = read(verses, notes)
    assert "".join(content.vocabulary[token] for token in content.tokens).count("\n") == 59 and "width" not in said(
        notes
    )
    assert content.lines[0] == 1 and content.lines[-1] == 60


def test_a_list_of_names_is_held_out_from_all_of_it_and_pieces_begin_with_a_name():
    body = names(400)
    notes = Notes()
    summary, content = read(body + "\n" + body.split("\n")[0], notes)
    assert summary["lines"] and summary["rows"] == 401 == summary["sequences"] and summary["unit"] == "characters"
    held = {int(line) for line in content.lines[content.cut :]}
    assert len(held) == pytest.approx(40, abs=2) and min(held) < 40 and max(held) > 360
    assert (1 in held) == (401 in held)
    assert "Each line is a text of its own" in said(notes)
    written = "".join(content.vocabulary[token] for token in content.tokens)
    first = body.split("\n")[content.lines[0] - 1]
    assert written.startswith(first + "\n") and written.endswith("\n")
    task = task_for("text", (summary, content))
    assert "↵" in task.input_labels and "\n" not in task.input_labels
    for split in ("train", "test"):
        starts = sample(experiment_of(task, "text", seq_len=20), 50, 1, split).origin[:, 1]
        assert all(start in (0, content.cut) or written[start - 1] == "\n" for start in starts)
        assert len(set(starts.tolist())) > 10
    assert body.count(task.example) and len(task.example) < 10
    _, of_words = read(body, unit="words")
    assert of_words.vocabulary.count("\n") == 1


def test_a_person_can_begin_a_text():
    summary, content = read(ALICE.read_text(encoding="utf-8"))
    task = task_for("text", (summary, content))
    experiment = experiment_of(task, "text")
    batch = task.encode(experiment, "Alice  was 漢 ")
    assert batch.inputs[0, 0] == NO_SYMBOL
    written = [task.input_labels[token] for token in batch.inputs[1:, 0]]
    assert "".join(written) == f"Alice was {UNKNOWN_CHARACTER} " and batch.mask.all()
    assert not_in_vocabulary("ALICE's漢 Ж", ("\N{REPLACEMENT CHARACTER}", *"alicE's")) == ["漢", "ж"]
    assert task.encode(experiment, "").inputs.tolist() == [[NO_SYMBOL]]
    one = experiment_of(task, "text", rnn_type="many_to_one")
    assert np.flatnonzero(task.encode(one, "ab").mask).tolist() == [2]
    assert task.encode(experiment, task.example).inputs[1:].min() > 0
    inputs = batch.inputs[1:]
    assert task.answers(experiment, inputs)[:-1].tolist() == inputs[1:].tolist()


def test_a_column_of_a_table_is_one_text():
    lines = [f"some words of line {number} and a few more" for number in range(40)]
    notes = Notes()
    table = table_of({"n": "counter", "story": "text"}, n=range(40), story=[*lines[:-1], "two\nlines"])
    summary, content = text.of_table(*table, notes, {})
    assert summary["rows"] == 41 and content.lines[-1] == 41 and "'n' left out" in said(notes)
    assert not summary["lines"]


def test_long_texts_are_cut_and_odd_signs_said(monkeypatch):
    monkeypatch.setattr(text, "MAX_TEXT", 1_000)
    body = "\n".join(f"a line of a text, no. {number}" for number in range(200))
    notes = Notes()
    _, content = read(body[:1_000], notes)
    assert len(content.tokens) == len(body[:1_000].rstrip()) and "characters; the first" not in said(notes)
    _, content = read(body, notes)
    assert f"The text has {len(body):,} characters; the first 1,000 are read." in said(notes)
    assert len(content.tokens) == len(body[:1_000].rstrip())
    notes = Notes()
    _, content = read("a\x00b c\ud800d " * 60, notes)
    assert "control characters" in said(notes) and UNKNOWN_CHARACTER not in content.vocabulary[1:]
    assert limits.MAX_TEXT == 5_000_000


REFUSED = [
    ("short", "5 characters; at least 200"),
    ("", "0 characters"),
    ("\n \n", "0 characters"),
    ("a" * 300, "only 1 different"),
    ("x\n" * 300, "300 lines cannot be divided"),
]


@for_each({"body, sentence": REFUSED})
def test_what_cannot_be_used_is_refused_in_a_sentence(body, sentence):
    with pytest.raises(DataError, match=sentence):
        read(body)
