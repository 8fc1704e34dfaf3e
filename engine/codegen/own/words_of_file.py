"""Texts that a script reads from somebody's file, symbol by symbol as the reader did."""

from __future__ import annotations

import pprint
import zlib
from collections.abc import Sequence

import numpy as np

from engine.codegen.own.file import cells_by_line, lines_of_files, open_file
from engine.codegen.own.writer import Own
from engine.data.content import LabelledContent, PairsContent, TextContent
from engine.data.dataset import Dataset
from engine.data.kinds import text as kind_text
from engine.data.kinds import tokens
from engine.data.kinds.labelled import MAX_STEPS
from engine.data.kinds.tokens import CHARACTERS
from engine.data.layout import Layout

WIDTH = 112  # characters of a line of names
SHORT = 50  # characters of a list that stays in its line


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
        *_checked("text", [content.tokens]),
        "    return text",
    )
    own.add("TEXT = text_as_numbers()")


def read_labelled(own: Own, dataset: Dataset, layout: Layout, content: LabelledContent) -> None:
    """Add TEXTS and LABELS."""
    _open_table(own, dataset, layout, content)
    own.add(f"TEXT, CLASS = {layout.places}  # columns, counted from 0")
    _vocabulary(own, "VOCABULARY", content.vocabulary)
    own.add(f"CLASSES = {_listed([each.lower() for each in content.classes])}")
    own.add(
        "def texts_of_file() -> tuple[list[np.ndarray], np.ndarray]:",
        f'    """The first {MAX_STEPS} {content.unit} of each text, as numbers of VOCABULARY, and its class."""',
        "    cells = cells_by_line()",
        "    rows = [cells[line] for line in LINES.tolist()]",
        f'    texts = [split_text(without_marks(row[TEXT]).lower(), "{content.unit}")[:{MAX_STEPS}] for row in rows]',
        "    texts = [as_numbers(text, VOCABULARY) for text in texts]",
        "    labels = np.array([CLASSES.index(row[CLASS].strip().lower()) for row in rows])",
        *_checked("np.concatenate([*texts, labels])", [*content.tokens, content.labels]),
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
        *_checked("np.concatenate([*sources, *targets])", [*content.sources, *content.targets]),
        "    return sources, [np.append(each, len(TARGET_VOCABULARY)) for each in targets]",
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
    own.add(f"{name} = {{symbol: number for number, symbol in enumerate({_listed(vocabulary)})}}")


def _listed(names: Sequence[str]) -> str:
    """Names as a list that Python reads again, in lines that are not too long."""
    text = pprint.pformat(list(names), width=WIDTH, compact=True)
    if len(text) < SHORT:
        return text
    return "\n".join(["[", *(f"    {line.strip()}" for line in text[1:-1].split("\n")), "]"])


def _checked(expression: str, sequences: Sequence[np.ndarray]) -> list[str]:
    """Lines that compare what was read with what the playground read."""
    sum_of_all = zlib.crc32(np.concatenate(sequences).astype(np.int64).tobytes())
    return [
        f"    if zlib.crc32({expression}.tobytes()) != {sum_of_all}:",
        '        raise SystemExit("The texts were not read as the playground has read them.")',
    ]
