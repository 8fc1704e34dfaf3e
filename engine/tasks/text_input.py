"""What a person typed, read for a network; or a sentence that says why it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from engine.tasks.base import NO_SYMBOL, Batch, full_lengths, last_step_only

MOST = 200
"""Steps that a person may type where a task has no length of its own."""


def signs(text: str, labels: Sequence[str], *, least: int = 1, most: int = MOST) -> np.ndarray:
    """Single signs to tokens, (signs,) int64.

    Capital or small does not matter where only one of the two is a label; spaces go unless they are labels.

    Raises:
        ValueError: for a sign that is none of the labels, and for too few or too many.
    """
    index = {label: token for token, label in enumerate(labels)}
    text = " ".join(text.split()) if " " in index else "".join(text.split())
    tokens = []
    for sign in text:
        found = [index[each] for each in (sign, sign.lower(), sign.upper()) if each in index]
        if not found:
            raise ValueError(f"“{sign}” cannot be read here, only {_listed(labels)}.")
        tokens.append(found[0])
    _check_number(len(tokens), "signs", least, most, f"they may be {_listed(labels)}")
    return np.array(tokens, np.int64)


def words(text: str, labels: Sequence[str], *, most: int, known: Sequence[str]) -> np.ndarray:
    """Words to tokens, (words,) int64, without regard to case and punctuation.

    Args:
        known: some words to name as examples where one is unknown.

    Raises:
        ValueError: for a word that is none of the labels, and for none or too many.
    """
    index = {label: token for token, label in enumerate(labels)}
    read = re.findall(r"\w+", text.lower())
    for word in read:
        if word not in index:
            raise ValueError(f"The word “{word}” is not known here. Known are, for example, {_listed(known)}.")
    _check_number(len(read), "words", 1, most, f"for example {_listed(known)}")
    return np.array([index[word] for word in read], np.int64)


def checked(tokens: np.ndarray, kind: str = "words") -> np.ndarray:
    """Tokens (typed,) that a vocabulary with an unknown symbol has read, as they are.

    Raises:
        ValueError: for none, and for more than MOST.
    """
    _check_number(len(tokens), kind, 1, MOST, "" if len(tokens) else f"only {kind} count, not other signs")
    return tokens


def alone(inputs: np.ndarray, asked: np.ndarray) -> Batch:
    """A batch of one sequence: inputs (T,) tokens; asked (T,) bool, where an answer is expected. Targets are zeros."""
    return Batch(inputs[:, None], np.zeros((len(inputs), 1), np.int64), asked[:, None], full_lengths(len(inputs), 1))


def asked_at_the_end(inputs: np.ndarray) -> Batch:
    """A batch of one sequence with one answer, at its last step."""
    return alone(inputs, last_step_only(len(inputs), 1)[:, 0])


def question(source: np.ndarray, target_steps: int) -> Batch:
    """One source (T,) for an encoder-decoder, which may say `target_steps` symbols; what they should be is unknown."""
    shape = (target_steps, 1)
    return Batch(
        source[:, None],
        np.zeros(shape, np.int64),
        np.ones(shape, bool),
        full_lengths(len(source), 1),
        np.full(shape, NO_SYMBOL),
    )


def _check_number(got: int, kind: str, least: int, most: int, accepted: str) -> None:
    if not least <= got <= most:
        said = f"{got or 'none'}{f': {accepted}' if accepted else ''}"
        raise ValueError(f"From {least} to {most} {kind} can be read here, but got {said}.")


def _listed(labels: Sequence[str]) -> str:
    named = ["the space" if label == " " else label for label in labels]
    return f"{' '.join(named[:-1])} and {named[-1]}" if max(map(len, labels)) == 1 else f"{', '.join(named)}"
