"""Texts in a script: their symbols, their answers, and the batches that are drawn from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.codegen.own.words_of_file import read_labelled, read_pairs, read_tagged, read_text
from engine.codegen.own.writer import Own, commented
from engine.data.content import LabelledContent, PairsContent, TaggedContent, TextContent
from engine.data.dataset import Dataset
from engine.data.tasks import ragged
from engine.data.tasks.pairs import output_labels
from engine.data.tasks.text import beginnings
from engine.tasks import base, transduction

DRAW = "def draw(rng: np.random.Generator, batch_size: int, split: str) -> Batch:"


def text(own: Own, dataset: Dataset, content: TextContent, carries: bool) -> None:
    """Add a running text, and pieces that are drawn from it; where a state is carried on, its whole trained part."""
    own.need(base.__name__, "NO_SYMBOL", *([] if carries else ["answer_mask", "full_lengths"]))
    if dataset.layout is None:
        own.whole_numbers("TEXT", content.tokens, f"{content.unit} of {commented(dataset.name)}, as numbers")
    else:
        read_text(own, dataset, content)
    own.add(f"CUT = {content.cut}  # the first that is held out")
    if carries:
        own.draw = "passages()"
        own.add(
            "def passages() -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:",
            '    """Of the trained part: the symbol before each, itself, and whether it is asked."""',
            "    before = np.concatenate([[NO_SYMBOL], TEXT[: CUT - 1]])",
            "    return [(before, TEXT[:CUT], np.ones(CUT, bool))]",
        )
        return
    own.add('PARTS = {"train": (0, CUT), "test": (CUT, len(TEXT))}')
    starts = ["    starts = rng.integers(low, high - SEQ_LEN + 1, batch_size)"]
    if dataset.summary["lines"]:
        own.whole_numbers("BEGINS", beginnings(content), "where a line begins")
        starts = [
            "    first, end = np.searchsorted(BEGINS, (low, high - SEQ_LEN + 1))",
            "    starts = BEGINS[rng.integers(first, end, batch_size)]",
        ]
    own.add(
        DRAW,
        '    """Pieces of SEQ_LEN symbols; each is asked from those before it, the first from nothing."""',
        "    low, high = PARTS[split]",
        *starts,
        "    targets = TEXT[starts + np.arange(SEQ_LEN)[:, None]]",
        "    inputs = np.concatenate([np.full((1, batch_size), NO_SYMBOL), targets[:-1]])",
        "    return Batch(inputs, targets, answer_mask(SEQ_LEN, batch_size), full_lengths(SEQ_LEN, batch_size))",
    )


def labelled(own: Own, dataset: Dataset, content: LabelledContent) -> None:
    """Add texts with a class each."""
    own.need(base.__name__, "NO_SYMBOL")
    if dataset.layout is None:
        says = f"{content.unit} of the texts in {commented(dataset.name)}, as numbers"
        _sequences(own, "TEXTS", content.tokens, says)
        classes = ", ".join(map(commented, content.classes[:6]))
        own.whole_numbers("LABELS", content.labels, f"the class of each text, a number of: {classes}")
    else:
        read_labelled(own, dataset, dataset.layout, content)
        own.need(ragged.__name__, "Ragged")
        own.add("FOUND, LABELS = texts_of_file()")
        own.add("TEXTS = Ragged(FOUND)")
    add_parts(own, content.held)
    own.add(
        DRAW,
        '    """Texts, cut after SEQ_LEN symbols; the class is asked at the end of each."""',
        "    rows = ROWS[split][rng.integers(0, len(ROWS[split]), batch_size)]",
        "    inputs, lengths = TEXTS.dealt(rows, SEQ_LEN, NO_SYMBOL)",
        "    targets, mask = np.zeros_like(inputs), np.zeros(inputs.shape, bool)",
        "    ends = lengths - 1, np.arange(batch_size)",
        "    targets[ends], mask[ends] = LABELS[rows], True",
        "    return Batch(inputs, targets, mask, lengths)",
    )


def pairs(own: Own, dataset: Dataset, content: PairsContent) -> None:
    """Add texts and the texts that answer them."""
    own.need(base.__name__, "NO_SYMBOL")
    own.need(transduction.__name__, "previous")
    if dataset.layout is None:
        end = len(output_labels(content.target_vocabulary)) - 1
        answers, file = [np.append(each, end) for each in content.targets], commented(dataset.name)
        _sequences(own, "SOURCES", content.sources, f"{content.source_unit} of the sources in {file}, as numbers")
        _sequences(own, "TARGETS", answers, f"{content.target_unit} of the answers, each with its end, {end}")
    else:
        read_pairs(own, dataset, dataset.layout, content)
        own.need(ragged.__name__, "Ragged")
        own.add("SOURCES, TARGETS = map(Ragged, pairs_of_file())")
    add_parts(own, content.held)
    own.add("# In order of the source's length, so that those that fit are the first ones.")
    own.add('ROWS = {split: rows[SOURCES.lengths[rows].argsort(kind="stable")] for split, rows in ROWS.items()}')
    own.add("TARGET_STEPS = int(TARGETS.lengths.max())")
    own.add(
        DRAW,
        '    """Pairs whose source has at most SEQ_LEN symbols."""',
        '    fitting = np.searchsorted(SOURCES.lengths[ROWS[split]], SEQ_LEN, side="right")',
        "    rows = ROWS[split][rng.integers(0, fitting, batch_size)]",
        "    inputs, lengths = SOURCES.dealt(rows, SEQ_LEN, NO_SYMBOL)",
        "    targets, steps = TARGETS.dealt(rows, TARGET_STEPS, 0)",
        "    mask = np.arange(TARGET_STEPS)[:, None] < steps",
        "    return Batch(inputs, targets, mask, lengths, previous(targets, mask))",
    )


def tagged(own: Own, dataset: Dataset, content: TaggedContent) -> None:
    """Add sentences whose every word has a tag."""
    own.need(base.__name__, "NO_SYMBOL")
    if dataset.layout is None or content.skipped is None:
        _sequences(own, "SENTENCES", content.words, f"the words of {commented(dataset.name)}, as numbers")
        _sequences(own, "TAGS", content.tags, "the tag of each word, as a number")
    else:
        read_tagged(own, dataset, dataset.layout, content, content.skipped)
        own.need(ragged.__name__, "Ragged")
        own.add("SENTENCES, TAGS = map(Ragged, sentences_of_file())")
    add_parts(own, content.held)
    own.add(
        DRAW,
        '    """Sentences, cut after SEQ_LEN words."""',
        "    rows = ROWS[split][rng.integers(0, len(ROWS[split]), batch_size)]",
        "    inputs, lengths = SENTENCES.dealt(rows, SEQ_LEN, NO_SYMBOL)",
        "    targets, _ = TAGS.dealt(rows, SEQ_LEN, 0)",
        "    return Batch(inputs, targets, np.arange(SEQ_LEN)[:, None] < lengths, lengths)",
    )


def _sequences(own: Own, name: str, sequences: Sequence[np.ndarray], says: str) -> None:
    """Add sequences of whole numbers of different lengths."""
    own.need(ragged.__name__, "Ragged")
    own.whole_numbers(f"{name}_JOINED", np.concatenate(sequences), f"{says}, one after the other")
    own.whole_numbers(f"{name}_LENGTHS", [len(each) for each in sequences], "the length of each")
    own.add(f"{name} = Ragged(np.split({name}_JOINED, np.cumsum({name}_LENGTHS)[:-1]))")


def add_parts(own: Own, held: np.ndarray) -> None:
    """Add ROWS, the numbers of the trained and of the held-out sequences."""
    own.whole_numbers("HELD_OUT", np.flatnonzero(held), "the numbers of those that are held out")
    own.add(f'ROWS = {{"train": np.setdiff1d(np.arange({len(held)}), HELD_OUT), "test": HELD_OUT}}')
