"""A text task: predict the next character."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

import numpy as np

from engine.tasks.base import (
    NO_SYMBOL,
    DataSettings,
    Lengths,
    Metric,
    Passages,
    Task,
    accuracy,
    answer_mask,
    full_lengths,
    next_inputs,
)
from engine.tasks.batch import Batch
from engine.tasks.text_input import beginning, single_sequence
from engine.tasks.unknown_words import UNKNOWN_CHARACTER, UNKNOWN_TOKEN

ALICE = Path(__file__).parent / "data" / "alice.txt"
TRAINED_SHARE = 0.9  # the first nine tenths of the text; the rest is held out


def _read() -> str:
    """The text in lower case, with each run of white space as one space, for fewer symbols."""
    return " ".join(ALICE.read_text(encoding="utf-8").lower().split())


def _vocabulary(text: str) -> tuple[str, ...]:
    """The unknown character first, then those of the training part, sorted."""
    return (UNKNOWN_CHARACTER, *sorted(set(text[: int(len(text) * TRAINED_SHARE)])))


VOCABULARY = _vocabulary(_read())


def encode(text: str) -> np.ndarray:
    """Characters to tokens, (len(text),) int64; one that training never saw becomes UNKNOWN_TOKEN."""
    index = {character: token for token, character in enumerate(VOCABULARY)}
    return np.array([index.get(character, UNKNOWN_TOKEN) for character in text], np.int64)


@cache
def _tokens(split: str) -> np.ndarray:
    tokens = encode(_read())
    cut = int(len(tokens) * TRAINED_SHARE)
    return tokens[:cut] if split == "train" else tokens[cut:]


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw windows from anywhere in the text. The input at t is the previous target, NO_SYMBOL at t = 0."""
    seq_len, tokens = experiment.seq_len, _tokens(split)
    starts = rng.integers(0, len(tokens) - seq_len + 1, batch_size)
    targets = tokens[starts + np.arange(seq_len)[:, None]]  # (T, batch)
    inputs = np.concatenate([np.full((1, batch_size), NO_SYMBOL), targets[:-1]])
    return Batch(inputs, targets, answer_mask(experiment, seq_len, batch_size), full_lengths(seq_len, batch_size))


def _passages(experiment: DataSettings) -> Passages:
    """The whole text; before its first character nothing is read."""
    tokens = _tokens("train")
    return [(np.concatenate([[NO_SYMBOL], tokens[:-1]]), tokens, np.ones(len(tokens), bool))]


@cache
def _frequency_baseline() -> float:
    """Cross-entropy, in nats, of the held-out text under the training text's character frequencies."""
    counts = (
        np.bincount(_tokens("train"), minlength=len(VOCABULARY)) + 1.0
    )  # add-one smoothing: no character has probability 0
    return float(-np.log(counts / counts.sum())[_tokens("test")].mean())


def _encode_typed(experiment: DataSettings, text: str) -> Batch:
    """A text to continue, or nothing; the answer at the last step is the prediction of the next character."""
    inputs = beginning(text, lambda typed: encode(re.sub(r"\s+", " ", typed.lower())), "characters")
    return single_sequence(inputs, answer_mask(experiment, len(inputs), 1)[:, 0])


CHARACTERS = Task(
    slug="characters",
    family="Text",
    title="Next character",
    teaches="A sequence in, a sequence out: at every character the network predicts the next one.",
    source="Real: Lewis Carroll, Alice's Adventures in Wonderland (1865), chapters I and II, public domain. "
    "The last tenth is held out.",
    rnn_types=("many_to_many", "many_to_one"),
    lengths=Lengths(2, 400, 40),
    inputs="symbols",
    outputs="symbols",
    input_labels=VOCABULARY,
    output_labels=VOCABULARY,
    metric=Metric("accuracy", accuracy),
    draw=_draw,
    baselines=lambda experiment: {
        "knowing how common each letter is": _frequency_baseline(),
        "guessing": math.log(len(VOCABULARY)),
    },
    # About a word and the start of the one before it. Chosen by hand, since text has no single lag.
    lag=lambda experiment: min(8, experiment.seq_len - 1),
    causal=True,
    continues=True,
    passages=_passages,
    answers=next_inputs,
    encode=_encode_typed,
    asks="The beginning of a text; empty: which character comes first",
    example="alice was beginning to ",
)
