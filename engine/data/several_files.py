"""Several files together: two of parallel lines, or one class a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from engine.data.content import Content, LabelledContent
from engine.data.files.encoding import decode
from engine.data.files.load import format_of
from engine.data.kinds import labelled, pairs
from engine.data.layout import Layout
from engine.data.limits import MAX_FILE_BYTES
from engine.data.names import PAIR_NAMES
from engine.data.problems import DataError, Notes, named


def read_several(
    loaded: list[tuple[bytes, str]], kind: str | None, notes: Notes, choices: dict[str, Any]
) -> tuple[str, dict[str, Any], Content]:
    """Kind, summary and content of text files, given with their names.

    Two are parallel if they have equally many lines and are named so: "train.en" and "train.fr", or sentences in
    "source.txt" and "target.txt". Else each file is a class, and each of its lines a text.

    Raises:
        DataError: for files that are no texts, or parallel ones of different lengths.
    """
    size = sum(len(data) for data, _ in loaded)
    if size > MAX_FILE_BYTES:
        raise DataError(
            f"The files have {size / 1e6:,.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are read together."
        )
    if kind not in (None, "pairs", "labelled"):
        raise DataError(f"Several files are pairs or classes ('pairs', 'labelled'); the kind '{kind}' has one file.")
    texts = [_lines_of(data, name, notes, choices) for data, name in loaded]
    names = [name for _, name in loaded]
    if kind == "pairs" or (kind is None and _are_parallel(names, texts)):
        return "pairs", *_parallel(names, texts, notes, choices)
    return "labelled", *_classes(names, texts, notes, choices)


def layout_of_files(loaded: list[tuple[bytes, str]], content: Content, choices: dict[str, Any]) -> Layout | None:
    """How a program finds the texts of a content in these files again; None where capitals alone tell them apart."""
    decoded = [(name, *decode(data, Notes(), choices.get("encoding"))) for data, name in loaded]
    files = tuple((name, encoding, len(_split(text))) for name, text, encoding in decoded)
    classes = {name.lower() for name in classes_of([name for _, name in loaded])}
    if isinstance(content, LabelledContent) and len(classes) < len(loaded):
        return None
    return Layout(None, False, (0, 1), (), files)


def classes_of(names: list[str]) -> list[str]:
    """The class of each file: its name, without the ending where names differ without it."""
    stems = [Path(name).stem for name in names]
    return stems if len(set(stems)) == len(stems) else names


def _split(text: str) -> list[str]:
    return [line.strip() for line in text.rstrip("\n").split("\n")]


def _lines_of(data: bytes, name: str, notes: Notes, choices: dict[str, Any]) -> list[str]:
    if format_of(data, name) != "text":
        raise DataError(f"{name} is no plain text; several files together are read line by line.")
    own = Notes()
    text, _ = decode(data, own, choices.get("encoding"))
    for problem in own:
        notes.say(f"{name}: {problem.sentence}", problem.line, harmless=problem.harmless)
    return _split(text)


def _are_parallel(names: list[str], texts: list[list[str]]) -> bool:
    if len(names) != 2 or len(texts[0]) != len(texts[1]):
        return False
    stems = [Path(name).stem.lower() for name in names]
    sentences = all(np.median([len(line.split()) for line in lines]) >= 2 for lines in texts)  # and no lists of names
    return stems[0] == stems[1] or (sentences and all(stem in PAIR_NAMES for stem in stems))


def _parallel(
    names: list[str], texts: list[list[str]], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], Content]:
    if len(texts) != 2 or len(texts[0]) != len(texts[1]):
        found = ", ".join(f"{name} has {len(lines):,} lines" for name, lines in zip(names, texts, strict=True))
        raise DataError(f"Two files are expected whose lines answer each other, equally many: {found[:300]}.")
    lines = np.arange(1, len(texts[0]) + 1, dtype=np.int64)
    summary, content = pairs.of_texts(texts[0], texts[1], lines, notes, choices, (names[0], names[1]))
    return {"why": "The two files have a line for each other.", **summary}, content


def _classes(
    names: list[str], texts: list[list[str]], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], Content]:
    classes = classes_of(names)
    if len(set(classes)) < len(classes):
        raise DataError(f"Each file is a class, so their names must differ: {named(names)}.")
    notes.say(f"Each of the {len(names)} files is a class ({named(classes)}), and each line a text.")
    rows = [
        (text, name, line)
        for name, all_lines in zip(classes, texts, strict=True)
        for line, text in enumerate(all_lines, 1)
        if text
    ]
    summary, content = labelled.of_texts(
        [text for text, _, _ in rows],
        [name for _, name, _ in rows],
        np.array([line for _, _, line in rows], np.int64),
        notes,
        choices,
        ("line", "file"),
    )
    return {"why": "Each file is a class.", **summary}, content
