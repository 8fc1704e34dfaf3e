"""Text files of tagged words: one word a line (CoNLL, CoNLL-U), or a sentence and its tags in one line (ATIS)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable

from engine.data.files.header import is_value
from engine.data.files.structured import Sentences
from engine.data.layout import Layout
from engine.data.limits import MAX_TAGS
from engine.data.problems import Notes, left_out
from engine.number_format import count, verb

LOOK = 4_000  # lines looked at
MIN_WORDS, MIN_BLANK, MIN_SENTENCES = 10, 2, 5
DOCUMENT = "-DOCSTART-"
ENTITY_TAG = re.compile(r"[OBIESLU](-.*)?")
ATIS_TAG = re.compile(r"O|[BIESLU]-.+|[A-Z$.,:]{1,5}")
TREEBANK_WIDTH, TREEBANK_WORD, TREEBANK_TAG = 10, 1, 3  # columns of CoNLL-U: ten, FORM, UPOS
SPAN = re.compile(r"\d+[-.]\d+")  # CoNLL-U: a word of several tokens, or a word that is not written

Split = Callable[[str], list[str]]


class _Layout:
    """Which column has the word, and which its tag."""

    def __init__(self, split: Split, width: int, word: int, tag: int, treebank: bool) -> None:
        self.split, self.width, self.word, self.tag, self.treebank = split, width, word, tag, treebank


def read_words_in_lines(text: str, notes: Notes) -> Sentences | None:
    """Sentences of a file with a word and its tag in a line and empty lines between sentences; None if it is none."""
    layout = _layout_of(text.split("\n", LOOK)[:LOOK])
    if layout is None:
        return None
    lines = text.split("\n")
    sentences: list[list[tuple[int, str, str]]] = [[]]
    documents, document, odd = [0], 0, []
    for number, line in enumerate(lines, 1):
        cells = layout.split(line)
        if line.startswith("#") and (layout.treebank or len(cells) != layout.width):
            continue
        if DOCUMENT in line:
            document += 1
            cells = []
        if not cells:
            if sentences[-1]:
                sentences.append([])
                documents.append(document)
            documents[-1] = document
        elif len(cells) != layout.width:
            odd.append((number, len(cells)))
        elif not (layout.treebank and SPAN.fullmatch(cells[0])):
            sentences[-1].append((number, cells[layout.word], cells[layout.tag]))
    if not sentences[-1]:
        sentences.pop()
        documents.pop()
    _say(notes, document, odd, layout.width)
    column = "UPOS" if layout.treebank else f"column {layout.tag + 1}"
    delimiter = "\t" if layout.split is _by_tabs else " "
    found = Layout(delimiter, False, (layout.word, layout.tag), ())
    return Sentences(sentences, column, documents if document else None, found)


def _say(notes: Notes, documents: int, odd: list[tuple[int, int]], width: int) -> None:
    if odd:
        number, found = odd[0]
        where = f"Line {number} has {found} columns where {width} are expected"
        notes.say(f"{where} (a word and its tag); {left_out(len(odd), 'line')}.", number)
    if documents:
        read = verb(documents, "it is not read as a word", "they are not read as words")
        marks = verb(documents, "marks", "mark")
        notes.say(f"{count(documents, 'line')} {DOCUMENT} {marks} documents; {read}.")


def _layout_of(lines: list[str]) -> _Layout | None:
    """The columns of a file of words in lines; None if it is none: too few empty lines, or no column of few tags."""
    filled = [line for line in lines if line.strip() and not line.startswith("#") and DOCUMENT not in line]
    blank = sum(not line.strip() for line in lines)
    if len(filled) < MIN_WORDS or not MIN_BLANK <= blank <= len(filled):
        return None
    tabs = sum("\t" in line for line in filled) > 0.8 * len(filled)
    split: Split = _by_tabs if tabs else str.split
    rows = [split(line) for line in filled]
    width, count = Counter(map(len, rows)).most_common(1)[0]
    rows = [row for row in rows if len(row) == width]
    if width < 2 or count < 0.9 * len(filled) or _share(" " in row[0] for row in rows) > 0.3:
        return None
    numbered = all(re.fullmatch(r"\d+([-.]\d+)?", row[0]) for row in rows)
    if numbered and width == TREEBANK_WIDTH:
        return _Layout(split, width, TREEBANK_WORD, TREEBANK_TAG, True)
    word, tag = (1 if numbered and width > 2 else 0), width - 1
    return _Layout(split, width, word, tag, False) if _tags(rows, word, tag) else None


def _by_tabs(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")] if line.strip() else []


def _share(true: Iterable[bool]) -> float:
    every = list(true)
    return sum(every) / max(1, len(every))


def _tags(rows: list[list[str]], word: int, tag: int) -> bool:
    """Whether the column holds tags: few that come again, and no numbers beside numbers or dates."""
    words, tags = {row[word] for row in rows}, {row[tag] for row in rows}
    if len(tags) > MAX_TAGS and len(tags) > len(words) / 2:
        return False
    if _numeric(rows, tag) > 0.9 and _numeric(rows, word) > 0.5:
        return False
    return all(ENTITY_TAG.fullmatch(each) for each in tags) or len(tags) <= len(rows) / 3


def _numeric(rows: list[list[str]], column: int) -> float:
    return _share(is_value(row[column]) for row in rows)


def read_sentences_in_lines(text: str) -> Sentences | None:
    """Sentences of a file with words, a tab and as many tags in a line (ATIS); None if it is none.

    "BOS" before the words, "EOS" after them and the tags of these two are left out, as is the intent after the tags.
    """
    head = [line for line in text.split("\n", LOOK)[:LOOK] if line.strip()]
    if len(head) < MIN_SENTENCES or not all(line.count("\t") == 1 for line in head):
        return None
    filled = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    sentences = []
    for number, line in filled:
        halves = line.split("\t")
        words, tags = halves[0].split(), halves[-1].split()
        if words[:1] == ["BOS"]:
            words, tags = words[1:-1], tags[1:-1]
        if len(halves) != 2 or len(words) != len(tags) or not words:
            return None
        sentences.append([(number, word, tag) for word, tag in zip(words, tags, strict=True)])
    if _share(len(sentence) > 1 for sentence in sentences) < 0.5:
        return None  # a word and its tag in a line
    every = [tag for sentence in sentences for _, _, tag in sentence]
    words_known = {word for sentence in sentences for _, word, _ in sentence}
    usual = _share(bool(ATIS_TAG.fullmatch(tag)) for tag in every)
    return Sentences(sentences, "tags") if usual > 0.95 and len(set(every)) < len(words_known) else None
