"""Texts that a script reads from somebody's file, symbol by symbol as the reader did."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.codegen.own.file import cells_by_line, lines_of_files, open_file
from engine.codegen.own.writer import Own, checked, listed
from engine.data.content import LabelledContent, PairsContent, TaggedContent, TextContent
from engine.data.dataset import Dataset
from engine.data.kinds import text as kind_text
from engine.data.kinds import tokens
from engine.data.kinds.labelled import MAX_STEPS
from engine.data.kinds.tokens import CHARACTERS
from engine.data.layout import Layout


def read_text(own: Own, dataset: Dataset, content: TextContent) -> None:
    """Add TEXT."""
    open_file(own, dataset)
    own.need(kind_text.__name__, "CONTROL")
    first = np.flatnonzero(np.diff(content.lines, prepend=-1))  # of the symbols of each line
    lines = content.lines[first]
    in_order = "those for training first" if dataset.summary["lines"] else "without the empty ones that follow another"
    own.whole_numbers("LINES", lines, f"of the file, counted from 1, {in_order}")
    _vocabulary(own, "VOCABULARY", content.vocabulary)
    characters, short = content.unit == CHARACTERS, dataset.summary["lines"]
    if not characters:
        own.need(tokens.__name__, "split_text")
    ends = content.tokens[first[1:] - 1]  # the last symbol of each line
    broken = characters and not short and " " in content.vocabulary and (ends == content.vocabulary.index(" ")).any()
    if short:
        symbols = (
            "[*lines[at].strip(), NEW_LINE]" if characters else '[*split_text(lines[at].strip(), "words"), NEW_LINE]'
        )
    elif broken:
        symbols = '[*" ".join(lines[at].split()), " " if lines[at + 1].strip() else NEW_LINE]'
    else:
        symbols = "[*lines[at].rstrip(), NEW_LINE]" if characters else 'split_text(lines[at], "words")'
    if "NEW_LINE" in symbols:
        own.add(r'NEW_LINE = "\n"')
    own.add(
        "def text_as_numbers() -> np.ndarray:",
        '    """The symbols of the file, as numbers of VOCABULARY."""',
        r'    lines = ["", *CONTROL.sub(" ", text_of_file()).split("\n"), ""]',
        "    # The lines of a paragraph are one line here." if broken else None,
        f"    parts = [{symbols} for at in LINES.tolist()]",
        f"    text = as_numbers([symbol for part in parts for symbol in part][:{len(content.tokens)}], VOCABULARY)",
        *checked("text", content.tokens.astype(np.int64), "texts"),
        "    return text",
    )
    own.add("TEXT = text_as_numbers()")


def read_labelled(own: Own, dataset: Dataset, layout: Layout, content: LabelledContent) -> None:
    """Add TEXTS and LABELS."""
    _open_table(own, dataset, layout, content)
    own.add(f"TEXT, CLASS = {layout.places}  # columns, counted from 0")
    _vocabulary(own, "VOCABULARY", content.vocabulary)
    own.add(f"CLASSES = {listed([each.lower() for each in content.classes])}")
    own.add(
        "def texts_of_file() -> tuple[list[np.ndarray], np.ndarray]:",
        f'    """The first {MAX_STEPS} {content.unit} of each text, as numbers of VOCABULARY, and its class."""',
        "    cells = cells_by_line()",
        "    rows = [cells[line] for line in LINES.tolist()]",
        f'    texts = [split_text(without_marks(row[TEXT]).lower(), "{content.unit}")[:{MAX_STEPS}] for row in rows]',
        "    texts = [as_numbers(text, VOCABULARY) for text in texts]",
        "    labels = np.array([CLASSES.index(row[CLASS].strip().lower()) for row in rows])",
        *checked("np.concatenate([*texts, labels])", whole([*content.tokens, content.labels]), "texts"),
        "    return texts, labels",
    )


def read_pairs(own: Own, dataset: Dataset, layout: Layout, content: PairsContent) -> None:
    """Add `pairs_of_file`."""
    _open_table(own, dataset, layout, content)
    own.add(f"SOURCE, TARGET = {layout.places}  # columns, counted from 0")
    _vocabulary(own, "SOURCE_VOCABULARY", content.source_vocabulary)
    _vocabulary(own, "TARGET_VOCABULARY", content.target_vocabulary)
    own.add(
        "def pairs_of_file() -> tuple[list[np.ndarray], list[np.ndarray]]:",
        '    """The sources and the answers, as numbers of their vocabularies; each answer with its end."""',
        "    cells = cells_by_line()",
        "    rows = [cells[line] for line in LINES.tolist()]",
        f'    sources = [split_text(without_marks(row[SOURCE]), "{content.source_unit}") for row in rows]',
        f'    targets = [split_text(without_marks(row[TARGET]), "{content.target_unit}") for row in rows]',
        "    sources = [as_numbers(each, SOURCE_VOCABULARY) for each in sources]",
        "    targets = [as_numbers(each, TARGET_VOCABULARY) for each in targets]",
        *checked("np.concatenate([*sources, *targets])", whole([*content.sources, *content.targets]), "texts"),
        "    return sources, [np.append(each, len(TARGET_VOCABULARY)) for each in targets]",
    )


def read_tagged(own: Own, dataset: Dataset, layout: Layout, content: TaggedContent, skipped: np.ndarray) -> None:
    """Add `sentences_of_file`."""
    open_file(own, dataset)
    cells_by_line(own, layout)
    own.whole_numbers("LINES", content.lines, "of the first word of each sentence, counted from 1")
    own.whole_numbers("LENGTHS", [len(each) for each in content.words], "words of each")
    own.whole_numbers("SKIPPED", skipped, "lines inside sentences that are no words of theirs")
    own.add(f"WORD, TAG = {layout.places}  # columns, counted from 0")
    _vocabulary(own, "VOCABULARY", content.vocabulary)
    _vocabulary(own, "CLASSES", content.classes)
    own.imports |= {"from itertools import count, islice"}
    own.add(
        "def sentences_of_file() -> tuple[list[np.ndarray], list[np.ndarray]]:",
        '    """The words of each sentence as numbers of VOCABULARY, and their tags as numbers of CLASSES."""',
        "    cells, skipped, words, tags = cells_by_line(), set(SKIPPED.tolist()), [], []",
        "    for first, length in zip(LINES.tolist(), LENGTHS.tolist(), strict=True):",
        "        rows = [cells[line] for line in islice((at for at in count(first) if at not in skipped), length)]",
        "        words.append(as_numbers([row[WORD].strip().lower() for row in rows], VOCABULARY))",
        "        tags.append(as_numbers([row[TAG].strip() for row in rows], CLASSES))",
        *checked("np.concatenate([*words, *tags])", whole([*content.words, *content.tags]), "words"),
        "    return words, tags",
    )


def _open_table(own: Own, dataset: Dataset, layout: Layout, content: LabelledContent | PairsContent) -> None:
    """Add `cells_by_line` and LINES."""
    own.need(tokens.__name__, "split_text", "without_marks")
    lines = content.lines
    if layout.files:
        lines = lines_of_files(own, dataset, layout, content)
    else:
        open_file(own, dataset)
        cells_by_line(own, layout)
    own.whole_numbers("LINES", lines, "counted from 1, that are used")


def _vocabulary(own: Own, name: str, vocabulary: Sequence[str]) -> None:
    """Add a vocabulary, and the first time the function that uses it."""
    if not any(part.startswith("def as_numbers") for part in own.parts):
        own.add(
            "def as_numbers(symbols: list[str], vocabulary: dict[str, int]) -> np.ndarray:",
            '    """Symbols as numbers; 0 for those that are not in the vocabulary."""',
            "    return np.array([vocabulary.get(symbol, 0) for symbol in symbols], np.int64)",
        )
    own.add(f"{name} = {{symbol: number for number, symbol in enumerate({listed(vocabulary)})}}")


def whole(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences of whole numbers one after the other, int64."""
    return np.concatenate(sequences).astype(np.int64)
