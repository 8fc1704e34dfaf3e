"""Sentences whose every word has a tag."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import numpy as np

from engine.data.content import TaggedContent
from engine.data.kinds.columns import by_name, is_empty
from engine.data.kinds.split import FEWEST_DOCUMENTS, NOTHING, Given, SplitColumns, check_sides, say_copies
from engine.data.kinds.tokens import WORDS, lengths_of, readable, spread
from engine.data.kinds.vocabulary import Numbered, unknown_share, vocabulary_of
from engine.data.limits import LOPSIDED, MAX_TAGS
from engine.data.names import rank
from engine.data.problems import DataError, Notes, left_out, named
from engine.data.table import Column, Table
from engine.data.tasks.tagged import held_out_baselines
from engine.number_format import count, verb

Sentence = list[tuple[int, str, str]]
"""(line, word, tag) of every word."""

TEST_SHARE = 0.2
MIN_SENTENCES = 5
MAX_STEPS = 200  # words of a sentence that are read
SENTENCE_NAME = re.compile(r"sentence ?#?|sentence[_ ]?(id|no|number)|sent_?(id|no)?", re.IGNORECASE)
WORD_NAMES = ("word", "token", "words", "tokens", "form")
TAG_NAMES = ("tag", "ner", "ner_tag", "label", "pos", "upos", "class", "entity", "tags")
SENTENCE_ENDS = (".", "!", "?")


def of_table(
    table: Table, columns: list[Column], notes: Notes, choices: dict[str, Any]
) -> tuple[dict[str, Any], TaggedContent]:
    """A word a row: a column of words, one of tags and, mostly, one that says which sentence a word belongs to.

    That one may be filled in the first row of each sentence alone. Without it a sentence ends after a full stop.

    Raises:
        DataError: if there are no such columns, or too little in them.
    """
    sentence, word, tag = roles(table, columns, choices)
    rest = [each for each in columns if each not in (sentence, word, tag)]
    split = SplitColumns.among(rest, len(table), documents=True)
    left_out = [each.name for each in split.others(rest)]
    if left_out:
        says = f"Column '{word.name}' holds the words and '{tag.name}' their tags; {named(left_out)} left out."
        notes.say(says, int(table.lines[0]), left_out[0])
    rows = _sentences(table, sentence, word, tag, notes)
    starts = np.array([each[0] for each in rows], np.int64)
    given = split.given(starts, notes, FEWEST_DOCUMENTS) if rows else NOTHING
    sentences = [[(int(table.lines[row]), str(word.cells[row]), str(tag.cells[row])) for row in each] for each in rows]
    return of_sentences(sentences, notes, choices, tag.name, given)


def of_sentences(
    sentences: list[Sentence],
    notes: Notes,
    choices: dict[str, Any],
    column: str,
    given: Given = NOTHING,
) -> tuple[dict[str, Any], TaggedContent]:
    """Words and tags as numbers, and which sentences are held out.

    Args:
        column: the name of the column of tags.
        given: what the file says of the split of the sentences.

    Raises:
        DataError: for too few sentences or tags, and too many tags.
    """
    places = [place for place, sentence in enumerate(sentences) if sentence]
    places = [places[place] for place in spread(len(places), notes, "sentences")]
    sentences = _cut([sentences[place] for place in places], notes)
    sentences = [[(line, readable(word), readable(tag)) for line, word, tag in sentence] for sentence in sentences]
    counts = _checked_tags(sentences, notes, column)
    words = Numbered.of([word.lower() for _, word, _ in sentence] for sentence in sentences)
    if any(word != word.lower() for sentence in sentences for _, word, _ in sentence):
        notes.say("Capitals are read as small letters.")
    keys = words.written()
    lines = np.array([sentence[0][0] for sentence in sentences], np.int64)
    held = given.only(places).divided(keys, choices.get("test_share", TEST_SHARE))
    check_sides(held, "sentences", int(lines[0]))
    say_copies(keys, held, lines, notes, "sentence")
    vocabulary, known = vocabulary_of(words, held, WORDS, notes)
    classes = tuple(sorted(counts))
    number = {tag: place for place, tag in enumerate(classes)}
    tags = tuple(np.array([number[tag] for _, _, tag in sentence], np.int32) for sentence in sentences)
    content = TaggedContent(
        words=known,
        tags=tags,
        classes=classes,
        held=held,
        lines=lines,
        vocabulary=vocabulary,
        usual=_usual(words, tags, held, len(classes)),
        skipped=_skipped(sentences),
    )
    return _summary(content, column, dict(counts.most_common())), content


def _skipped(sentences: list[Sentence]) -> np.ndarray | None:
    """As `TaggedContent.skipped`."""
    of_each = [np.array([line for line, _, _ in sentence], np.int64) for sentence in sentences]
    if any((np.diff(lines) < 1).any() for lines in of_each):
        return None
    return np.concatenate([np.setdiff1d(np.arange(lines[0], lines[-1]), lines) for lines in of_each])


def _summary(content: TaggedContent, column: str, counts: dict[str, int]) -> dict[str, Any]:
    held = content.held
    return {
        "column": column,
        "rows": sum(map(len, content.words)),
        "sequences": len(held),
        "train": int((~held).sum()),
        "test": int(held.sum()),
        "classes": counts,
        "lengths": lengths_of(content.words),
        "vocabulary": len(content.vocabulary),
        "unknown": unknown_share([each for each, out in zip(content.words, held, strict=True) if out]),
        "baselines": held_out_baselines(content),
    }


# ---- which column is which


def roles(table: Table, columns: list[Column], choices: dict[str, Any]) -> tuple[Column | None, Column, Column]:
    """The columns of sentences (perhaps none), words and tags."""
    sentence = next((each for each in columns if SENTENCE_NAME.fullmatch(each.name.strip())), None)
    words = [each for each in columns if rank(each.name, WORD_NAMES) < len(WORD_NAMES) and each is not sentence]
    word = by_name(columns, choices["text"], "words") if choices.get("text") else next(iter(words), None)
    kinds = ("label", "text", "other", "constant")
    tags = [each for each in columns if each not in (sentence, word) and each.type in kinds]
    if choices.get("label"):
        tag: Column | None = by_name(columns, choices["label"], "tags")
    else:
        tag = min(tags, key=lambda each: rank(each.name, TAG_NAMES), default=None)
    if word is None or tag is None or word is tag:
        raise DataError("Tagged words need a column of words and a column of tags.", int(table.lines[0]))
    return sentence, word, tag


def _sentences(table: Table, sentence: Column | None, word: Column, tag: Column, notes: Notes) -> list[list[int]]:
    """The rows of each sentence. Rows that lack a word or its tag are left out, which is said."""
    sentences: list[list[int]] = [[]]
    before: object = None
    lacking = []
    for row in range(len(table)):
        if sentence is not None and not is_empty(sentence.cells[row]) and sentence.cells[row] != before:
            before = sentence.cells[row]
            sentences.append([])
        if is_empty(word.cells[row]) or is_empty(tag.cells[row]):
            lacking.append(row)
            continue
        sentences[-1].append(row)
        if sentence is None and str(word.cells[row]).strip() in SENTENCE_ENDS:
            sentences.append([])
    if lacking:
        first = int(table.lines[lacking[0]])
        notes.say(f"Line {first} lacks a word or its tag; {left_out(len(lacking), 'row')}.", first, tag.name)
    return [each for each in sentences if each]


# ---- what is done with them


def _cut(sentences: list[Sentence], notes: Notes) -> list[Sentence]:
    if len(sentences) < MIN_SENTENCES:
        first = sentences[0][0][0] if sentences else None
        raise DataError(f"There are {len(sentences)} tagged sentences; at least {MIN_SENTENCES} are needed.", first)
    long = [each[0][0] for each in sentences if len(each) > MAX_STEPS]
    if long:
        notes.say(
            f"{count(len(long), 'sentence')}, first that in line {long[0]}, {verb(len(long), 'is', 'are')} longer than "
            f"{MAX_STEPS} words; the first {MAX_STEPS} are read.",
            long[0],
        )
    return [each[:MAX_STEPS] for each in sentences]


def _checked_tags(sentences: list[Sentence], notes: Notes, column: str) -> Counter[str]:
    """How often each tag occurs, after saying what is odd about them."""
    tags = Counter(tag for sentence in sentences for _, _, tag in sentence)
    first = sentences[0][0][0]
    if len(tags) < 2:
        raise DataError(
            f"There is only one class, the tag '{next(iter(tags))}': at least two are needed.", first, column
        )
    if len(tags) > MAX_TAGS:
        raise DataError(
            f"Column '{column}' has {len(tags):,} different tags; at most {MAX_TAGS} are read. "
            "Is it the column of tags?",
            first,
            column,
        )
    if any(tag.startswith("B-") for tag in tags):
        _say_lost(sentences, notes, column)
    largest, count = tags.most_common(1)[0]
    if count > LOPSIDED * tags.total():
        notes.say(
            f"{100 * count / tags.total():.0f} % of the words are tagged '{largest}': look at the other tags, not at "
            "the accuracy alone.",
            None,
            column,
            harmless=True,
        )
    return tags


def _say_lost(sentences: list[Sentence], notes: Notes, column: str) -> None:
    """Say where a tag I-X goes on from nothing: neither B-X nor I-X stands before it."""
    lost = [
        (line, tag)
        for sentence in sentences
        for (line, _, tag), (_, _, before) in zip(sentence, [(0, "", ""), *sentence], strict=False)
        if tag.startswith("I-") and before[2:] != tag[2:]
    ]
    if lost:
        line, tag = lost[0]
        notes.say(
            f"Line {line}: the tag '{tag}' goes on from nothing, where 'B-{tag[2:]}' is expected; "
            f"{count(len(lost), 'such tag')} {verb(len(lost), 'is', 'are')} kept as written.",
            line,
            column,
            harmless=True,
        )


def _usual(words: Numbered, tags: tuple[np.ndarray, ...], held: np.ndarray, classes: int) -> tuple[np.ndarray, ...]:
    """The tag that each word mostly has in the trained sentences: of equally common ones the first of the classes; the
    most common of all for a word that does not occur there. An int32 array a sentence."""
    trained = np.flatnonzero(~held)
    asked = np.concatenate([tags[row] for row in trained]).astype(np.int64)
    read = np.concatenate([words.sequences[row] for row in trained]).astype(np.int64)
    pairs, counts = np.unique(read * classes + asked, return_counts=True)
    word, tag = np.divmod(pairs, classes)
    order = np.lexsort((tag, -counts, word))
    seen, first = np.unique(word[order], return_index=True)
    usual = np.full(len(words.symbols), np.bincount(asked).argmax(), np.int32)
    usual[seen] = tag[order][first]
    return tuple(usual[each] for each in words.sequences)
