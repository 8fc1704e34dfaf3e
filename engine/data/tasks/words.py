"""What the tasks of own data share."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from engine.data.problems import shortened
from engine.tasks.text_input import MAX_TYPED_STEPS, check_length
from engine.tasks.unknown_words import UNKNOWN_CHARACTER, UNKNOWN_TOKEN

MAX_TITLE = 22  # characters
USUAL = 95  # per cent of the sequences that a network reads whole by default
WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
"""A word, with the apostrophes inside it, or one sign of punctuation."""
EXAMPLE = (3, 20)  # symbols of an example, if there is such a sequence
MAX_LISTED, MAX_NAME = 6, 30


def title_of(name: str) -> str:
    """A file's name as a title."""
    return shortened(name, MAX_TITLE)


def listed(names: Sequence[str], joint: str = "or") -> str:
    """Some names in a sentence: "ham or spam"."""
    shown = [shortened(each, MAX_NAME) for each in names[:MAX_LISTED]]
    if len(names) > MAX_LISTED:
        return f"{', '.join(shown)} {joint} {len(names) - MAX_LISTED} others"
    return f"{', '.join(shown[:-1])} {joint} {shown[-1]}" if len(shown) > 1 else shown[0]


def sides(held: np.ndarray) -> dict[str, np.ndarray]:
    """{split: the numbers of its sequences}. held: (n,) bool."""
    return {"train": np.flatnonzero(~held), "test": np.flatnonzero(held)}


def origin_of(rows: np.ndarray) -> np.ndarray:
    """(rows, 2) int64: the number of each sequence, and 0, since it is read from its beginning."""
    return np.column_stack([rows, np.zeros_like(rows)]).astype(np.int64)


def usual_length(lengths: np.ndarray, longest: int) -> int:
    """The 95th percentile of these lengths, from 1 to `longest`."""
    return int(np.clip(np.ceil(np.percentile(lengths, USUAL)), 1, longest))


def frequency_losses(counts: np.ndarray) -> np.ndarray:
    """(symbols,) the loss, in nats, of each answer if one knows only how often each occurs; add-one smoothing."""
    return -np.log((counts + 1.0) / (counts.sum() + len(counts)))


def mean_loss(losses: np.ndarray, mask: np.ndarray) -> float:
    """As the network's: averaged over the counted steps of a sequence, then over the sequences. Both (T, batch)."""
    return float((np.where(mask, losses, 0.0).sum(0) / mask.sum(0)).mean())


def mean_of_sequences(losses: np.ndarray, lengths: np.ndarray) -> float:
    """As `mean_loss`, of sequences that stand one after the other. losses: (symbols,); lengths: all at least 1."""
    return float((np.add.reduceat(losses, np.cumsum(lengths) - lengths) / lengths).mean())


def of_characters(vocabulary: Sequence[str]) -> bool:
    """Whether the symbols of a vocabulary are characters, not words."""
    return vocabulary[UNKNOWN_TOKEN] == UNKNOWN_CHARACTER


def numbers_of_typed(text: str, vocabulary: Sequence[str], maximum: int = MAX_TYPED_STEPS) -> np.ndarray:
    """A typed text as tokens, (symbols,) int64; UNKNOWN_TOKEN for what is not in the vocabulary.

    Raises:
        ValueError: for none and for too many.
    """
    number = {symbol: token for token, symbol in enumerate(vocabulary)}
    if of_characters(vocabulary):
        typed = [_known_case(each, number) for each in " ".join(text.split())]
        return check_length(np.array([number.get(each, UNKNOWN_TOKEN) for each in typed], np.int64), "characters")
    words: list[str] = []
    for piece in text.lower().split():
        words += [piece] if piece in number else WORD.findall(piece)  # "u.s." may be one word of the file
    return check_length(np.array([number.get(each, UNKNOWN_TOKEN) for each in words], np.int64))


def _known_case(character: str, number: dict[str, int]) -> str:
    """The character, or its other case where only that is known."""
    return next((each for each in (character, character.lower(), character.upper()) if each in number), character)


def written(tokens: np.ndarray, vocabulary: Sequence[str]) -> str:
    """Tokens as a text that a person could have typed."""
    symbols = [vocabulary[token] for token in tokens]
    return "".join(symbols) if of_characters(vocabulary) else re.sub(r" (?=[.,;:!?)])", "", " ".join(symbols))


def example_of(sequences: Sequence[np.ndarray], vocabulary: Sequence[str]) -> str:
    """One of these sequences as a text, or its beginning; rather one of moderate length whose symbols are all known."""
    low, high = EXAMPLE
    known = [each for each in sequences if (each != UNKNOWN_TOKEN).all() and len(each)]
    fitting = [each for each in known if low <= len(each) <= high]
    best = (fitting or sorted(known, key=len) or [*sequences])[0]
    return written(best[best != UNKNOWN_TOKEN][:high], vocabulary)
