"""Lines marked with their class, as fastText has them, and headers in a language of their own, which are refused."""

from __future__ import annotations

import re

import numpy as np

from engine.data.files.structured import Texts
from engine.data.problems import DataError, Notes, left_out

LABEL = "__label__"
FASTTEXT = re.compile(rf"{LABEL}(\S+)\s+(.*)")
LOOK = 50  # lines looked at
HEADER_PLACE = 200_000  # characters within which a header of .arff or .ts ends
DECLARED = re.compile(r"^@(relation|problemname)\b", re.MULTILINE | re.IGNORECASE)
DATA_BEGIN = re.compile(r"^@data\b", re.MULTILINE | re.IGNORECASE)


def refuse_declared(text: str) -> None:
    """Refuse .arff, .ts and .tsf, whose header declares columns in a language of its own.

    Raises:
        DataError: with the line where their data begin, which can be saved as CSV.
    """
    begin = DATA_BEGIN.search(text[:HEADER_PLACE])
    if begin and DECLARED.search(text[: begin.start()]):
        line = text.count("\n", 0, begin.start()) + 1
        raise DataError(
            "This is an .arff, .ts or .tsf file; its header is not read. Save what stands below @data as CSV.", line
        )


def read_fasttext(text: str, notes: Notes) -> Texts | None:
    """Lines of "__label__class text"; None where it is no such file. Of several labels in a line the first counts."""
    if not text.lstrip().startswith(LABEL):
        return None
    filled = [(number, line.strip()) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not filled or not all(FASTTEXT.match(line) for _, line in filled[:LOOK]):
        return None
    texts, labels, lines, odd, several = [], [], [], [], []
    for number, line in filled:
        match = FASTTEXT.match(line)
        if match is None:
            odd.append(number)
            continue
        rest = match[2]
        while (more := FASTTEXT.match(rest)) is not None:
            several.append(number)
            rest = more[2]
        texts.append(rest)
        labels.append(match[1])
        lines.append(number)
    if odd:
        notes.say(f"Line {odd[0]} does not begin with __label__ and a class; {left_out(len(odd), 'line')}.", odd[0])
    if several:
        notes.say(
            f"Line {several[0]} has several labels; of such lines ({len(set(several))}) the first label counts.",
            several[0],
        )
    return Texts(texts, labels, np.array(lines, np.int64), ("text", "__label__"))
