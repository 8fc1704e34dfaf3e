"""Unknown words: the symbol that stands for them, and word dropout, which trains that symbol's vector."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.tasks.base import NO_SYMBOL
from engine.tasks.batch import Batch

UNKNOWN = "<UNK>"
UNKNOWN_CHARACTER = "\N{REPLACEMENT CHARACTER}"
UNKNOWNS = (UNKNOWN, UNKNOWN_CHARACTER)
"""The input symbols that stand for whatever is not in the vocabulary, of words and of characters."""
UNKNOWN_TOKEN = 0
"""Such a symbol is always the first of its vocabulary."""

HIDING_SHARE = 0.1
"""Share of the training sequences in which words are hidden; half of the words there, on average."""


def has_unknown(labels: Sequence[str]) -> bool:
    """True if a vocabulary has a symbol for unknown words or characters."""
    return labels[UNKNOWN_TOKEN] in UNKNOWNS


def hide_words(rng: np.random.Generator, batch: Batch) -> Batch:
    """Word dropout: in HIDING_SHARE of the sequences, replace some input words by UNKNOWN_TOKEN; targets stay.

    Each of these sequences has a share of its own, uniform from 0 to 1, with which every word is hidden. So training
    meets a single unknown word, several, and sentences of unknown words alone, for which the best answer is how common
    each class is; nine sentences in ten stay whole. With one fixed small share for all words (Iyyer et al. 2015, "Deep
    unordered composition rivals syntactic methods for text classification"; Bowman et al. 2016, "Generating sentences
    from a continuous space"; Gal and Ghahramani 2016, "A theoretically grounded application of dropout in recurrent
    neural networks") a network stays certain of sentences of unknown words where several words give the answer away.

    Args:
        batch: inputs are tokens (T, batch); padding and "nothing yet" (NO_SYMBOL) are never hidden.
    """
    sequences = batch.inputs.shape[1]
    share = np.where(rng.random(sequences) < HIDING_SHARE, rng.random(sequences), 0.0)
    hidden = (rng.random(batch.inputs.shape) < share) & (batch.inputs != NO_SYMBOL)
    return replace(batch, inputs=np.where(hidden, UNKNOWN_TOKEN, batch.inputs))


def split_words(text: str) -> list[str]:
    """The words of a typed text, in lower case and without punctuation."""
    return re.findall(r"\w+(?:['’]\w+)*", text.lower())


def not_in_vocabulary(text: str, labels: Sequence[str]) -> list[str]:
    """The words, or characters, of a typed text that are not in this vocabulary: each once, in order."""
    if labels[UNKNOWN_TOKEN] != UNKNOWN_CHARACTER:
        return list(dict.fromkeys(word for word in split_words(text) if word not in labels))
    known = {each for label in labels for each in (label, label.lower(), label.upper())}
    return list(dict.fromkeys(each.lower() for each in "".join(text.split()) if each not in known))
