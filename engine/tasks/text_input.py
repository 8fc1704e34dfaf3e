"""Encode typed text for a network, or raise an error that tells the user why it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np

from engine.tasks.base import NO_SYMBOL, full_lengths, last_step_only
from engine.tasks.batch import Batch
from engine.tasks.unknown_words import UNKNOWN_CHARACTER, UNKNOWN_TOKEN, UNKNOWNS, has_unknown, split_words

MAX_TYPED_STEPS = 200
"""Maximum number of typed steps, for tasks without a limit of their own."""
EXAMPLES = 6  # labels that an error names


def encode_symbols(text: str, labels: Sequence[str], *, minimum: int = 1, maximum: int = MAX_TYPED_STEPS) -> np.ndarray:
    """Encode single characters as tokens, (characters,) int64.

    Case is ignored where only one case is a label; spaces are dropped unless they are a label.

    Raises:
        ValueError: for a character that is no label, and for too few or too many.
    """
    index = {label: token for token, label in enumerate(labels)}
    text = " ".join(text.split()) if " " in index else "".join(text.split())
    tokens = []
    for character in text:
        matches = [index[each] for each in (character, character.lower(), character.upper()) if each in index]
        if not matches:
            raise ValueError(f"“{character}” cannot be read here, only {_listed(labels)}.")
        tokens.append(matches[0])
    _check_number(len(tokens), "characters", minimum, maximum, f"they may be {_listed(labels)}")
    return np.array(tokens, np.int64)


def encode_symbol(text: str, labels: Sequence[str]) -> int:
    """One typed symbol as a token, ignoring case where only one case is a label.

    A word or character that is no label is UNKNOWN_TOKEN if the vocabulary has a symbol for those.

    Raises:
        ValueError: with a sentence that names some labels, for what cannot be read, and for none or several.
    """
    index = {label: token for token, label in enumerate(labels)}
    for typed in (text, text.strip()):
        for each in (typed, typed.lower(), typed.upper()):
            if each in index:
                return index[each]
    accepted = f"for example {_listed([label for label in labels if label not in UNKNOWNS][:EXAMPLES])}"
    if not text.strip():
        raise ValueError(f"Nothing was typed; what can be read is {accepted}.")
    one = len(text.strip()) == 1 if labels[UNKNOWN_TOKEN] == UNKNOWN_CHARACTER else len(split_words(text)) == 1
    if not has_unknown(labels) or not one:
        raise ValueError(f"“{text.strip()}” cannot be read at one step; what can is {accepted}.")
    known = [index[word] for word in split_words(text) if word in index]  # it had a comma, perhaps
    return known[0] if known else UNKNOWN_TOKEN


def encode_known_words(text: str, labels: Sequence[str], *, maximum: int, known: Sequence[str]) -> np.ndarray:
    """Encode words as tokens, (words,) int64, ignoring case and punctuation.

    Args:
        known: words to give as examples in the error message.

    Raises:
        ValueError: for a word that is no label, and for none or too many.
    """
    index = {label: token for token, label in enumerate(labels)}
    read = re.findall(r"\w+", text.lower())
    for word in read:
        if word not in index:
            raise ValueError(f"The word “{word}” is not known here. Known are, for example, {_listed(known)}.")
    _check_number(len(read), "words", 1, maximum, f"for example {_listed(known)}")
    return np.array([index[word] for word in read], np.int64)


def check_length(tokens: np.ndarray, kind: str = "words") -> np.ndarray:
    """Tokens (typed,), unchanged if their number is accepted. For vocabularies with an unknown symbol.

    Raises:
        ValueError: for none, and for more than MAX_TYPED_STEPS.
    """
    _check_number(len(tokens), kind, 1, MAX_TYPED_STEPS, "" if len(tokens) else f"only {kind} count, nothing else")
    return tokens


def beginning(text: str, encode: Callable[[str], np.ndarray], kind: str = "words") -> np.ndarray:
    """NO_SYMBOL, then the typed tokens: (1 + typed,) inputs where the network predicts the next symbol.

    A text without any character is NO_SYMBOL alone: the network is asked for the first symbol, from the zero input
    with which every training sequence begins.

    Raises:
        ValueError: for too many tokens, and for a text of which nothing counts.
    """
    typed = check_length(encode(text), kind) if text.strip() else np.zeros(0, np.int64)
    return np.concatenate([[NO_SYMBOL], typed])


def single_sequence(inputs: np.ndarray, asked: np.ndarray) -> Batch:
    """A batch of one sequence: inputs (T,) tokens; asked (T,) bool, where an answer is expected. Targets are zeros."""
    return Batch(inputs[:, None], np.zeros((len(inputs), 1), np.int64), asked[:, None], full_lengths(len(inputs), 1))


def single_answer(inputs: np.ndarray) -> Batch:
    """A batch of one sequence with one answer, at its last step."""
    return single_sequence(inputs, last_step_only(len(inputs), 1)[:, 0])


def source_batch(source: np.ndarray, target_steps: int) -> Batch:
    """A batch of one source (T,) for an encoder-decoder with `target_steps` output steps. Targets are zeros."""
    shape = (target_steps, 1)
    return Batch(
        source[:, None],
        np.zeros(shape, np.int64),
        np.ones(shape, bool),
        full_lengths(len(source), 1),
        np.full(shape, NO_SYMBOL),
    )


def _check_number(got: int, kind: str, minimum: int, maximum: int, accepted: str) -> None:
    if not minimum <= got <= maximum:
        got_text = f"{got or 'none'}{f': {accepted}' if accepted else ''}"
        raise ValueError(f"From {minimum} to {maximum} {kind} can be read here, but got {got_text}.")


def _listed(labels: Sequence[str]) -> str:
    named = ["the space" if label == " " else label for label in labels]
    return f"{' '.join(named[:-1])} and {named[-1]}" if max(map(len, labels)) == 1 else f"{', '.join(named)}"
