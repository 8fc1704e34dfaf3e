"""Naive Bayes on words without their order: what a text says that is read as a set of words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.tasks.unknown_words import UNKNOWN_TOKEN

CHUNK = 10_000  # texts at a time, which bounds the memory


class NaiveBayes:
    """Multinomial naive Bayes on which words occur in a text, each counted once (Jurafsky and Martin, "Speech and
    Language Processing", 3rd edition, chapter on naive Bayes: "binary"), add-one smoothing, unknown words left out.

    Args:
        texts: of the trained part, an array of tokens each. classes: (texts,) their numbers.
        count: how many classes there are. vocabulary: how many symbols, the unknown one included.
    """

    def __init__(self, texts: Sequence[np.ndarray], classes: np.ndarray, count: int, vocabulary: int) -> None:
        self._vocabulary = vocabulary
        holding = np.zeros(vocabulary * count)  # texts of each class that hold each word
        for start in range(0, len(texts), CHUNK):
            rows, words = self._words(texts[start : start + CHUNK])
            holding += np.bincount(words * count + classes[start + rows], minlength=len(holding))
        smoothed = holding.reshape(vocabulary, count) + 1
        smoothed[UNKNOWN_TOKEN] = 0
        self._log_word = np.log(smoothed / smoothed.sum(0), where=smoothed > 0, out=np.zeros_like(smoothed))
        shares = np.bincount(classes, minlength=count) / max(1, len(classes))
        self._log_class = np.log(shares, where=shares > 0, out=np.full(count, -np.inf))

    def answers(self, texts: Sequence[np.ndarray]) -> np.ndarray:
        """(texts,) the most probable class of each; of equally probable ones the first."""
        answers = [np.zeros(0, np.int64)]
        for start in range(0, len(texts), CHUNK):
            chunk = texts[start : start + CHUNK]
            rows, words = self._words(chunk)
            scores = [
                log + np.bincount(rows, self._log_word[words, number], len(chunk))
                for number, log in enumerate(self._log_class)
            ]
            answers.append(np.argmax(scores, axis=0))
        return np.concatenate(answers)

    def _words(self, texts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """The row and the token of each different known word of each text."""
        lengths = [len(each) for each in texts]
        tokens = np.concatenate([np.zeros(0, np.int64), *texts]).astype(np.int64)
        found = np.sort(np.repeat(np.arange(len(texts)), lengths) * self._vocabulary + tokens)
        rows, words = np.divmod(found, self._vocabulary)
        first = np.diff(found, prepend=-1) > 0  # many times as fast as np.unique
        counted = first & (words != UNKNOWN_TOKEN)
        return rows[counted], words[counted]
