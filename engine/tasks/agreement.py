"""Tasks on words that refer back: a verb to its noun, 'themselves' to its pronoun, with other nouns in between."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from engine.tasks.base import NO_ANSWER, DataSettings, Lengths, Metric, Task, accuracy, full_lengths, last_step_only
from engine.tasks.batch import Batch
from engine.tasks.grammar import Classes, Patterns, read_patterns, vocabulary
from engine.tasks.sentiment import encode_words
from engine.tasks.text_input import check_length, single_answer
from engine.tasks.unknown_words import UNKNOWN

PATTERNS_PER_LENGTH = 200
"""Number of random patterns used for each sentence length; their words are drawn anew for every sequence."""

# UNKNOWN is a member of some classes that do not affect the answer; about every second sentence has one, held out or
# not. SUBJECT and PRONOUN, which decide the answer, are known in held-out sentences; in training they can be hidden as
# any word can (unknown_words.py).
SHARED_CLASSES = {
    "NEAR": ("near", "behind", "with", "beside"),
    "OLD": ("old", "young", "small", "tall", "quiet", "grey", UNKNOWN),
    "OFTEN": ("often", "never", "always", "once"),
    "WHICH": ("which", "that"),
    "SAW": ("saw", "heard", "loved", "feared", "followed", "watched", UNKNOWN),
}

# ---- agreement: the first noun decides
LIVING = (
    ("cat", "cats"),
    ("dog", "dogs"),
    ("horse", "horses"),
    ("bird", "birds"),
    ("child", "children"),
    ("teacher", "teachers"),
)
THINGS = (("house", "houses"), ("tree", "trees"), ("car", "cars"), ("river", "rivers"))
AGREEMENT_CLASSES: Classes = {
    "SUBJECT": sum(LIVING + THINGS, ()),
    "DOG": (*sum(LIVING, ()), UNKNOWN),
    "HOUSE": (*sum(THINGS, ()), UNKNOWN),
    **SHARED_CLASSES,
}
AGREEMENT_PIECES = {  # keys: the number of words
    3: ("NEAR the HOUSE",),
    4: ("NEAR the OLD HOUSE", "WHICH the DOG SAW"),
    5: ("WHICH the OLD DOG SAW", "WHICH the DOG OFTEN SAW"),
}
AGREEMENT_STARTS = ("the SUBJECT", "the SUBJECT nearby", "the SUBJECT over there")

# ---- themselves: the first pronoun decides
SELVES = {"he": "himself", "she": "herself", "they": "themselves"}
THEMSELVES_CLASSES: Classes = {
    "PRONOUN": tuple(SELVES),
    "PERSON": ("man", "woman", "men", "women", "king", "queen", "boys", "girls", UNKNOWN),
    "WANTED": ("wanted", "bought", "kept", "made", "found"),
    "MORE": ("more", "some", "the"),
    "BREAD": ("bread", "wine", "wool", "wood", "paper", "gold", UNKNOWN),
    **SHARED_CLASSES,
}
THEMSELVES_PIECES = {
    3: ("NEAR the PERSON", "WHICH PRONOUN SAW"),
    4: ("NEAR the OLD PERSON", "WHICH the PERSON SAW", "WHICH PRONOUN OFTEN SAW"),
    5: ("WHICH the OLD PERSON SAW", "WHICH the PERSON OFTEN SAW"),
}
THEMSELVES_STARTS = (
    "PRONOUN WANTED MORE BREAD",
    "PRONOUN WANTED MORE OLD BREAD",
    "PRONOUN OFTEN WANTED MORE OLD BREAD",
    "PRONOUN WANTED MORE",  # the last one, so that it is taken for 4 words alone: "they wanted more for"
)

Pieces = Mapping[int, tuple[str, ...]]


def _random_pieces(rng: np.random.Generator, words: int, pieces: Pieces) -> str:
    """Random pieces with `words` words in total, which is 0 or at least the length of the shortest piece."""
    shortest = min(pieces)
    chosen: list[str] = []
    while words:
        fitting = [size for size in pieces if size == words or size + shortest <= words]
        size = int(rng.choice(fitting))
        chosen.append(str(rng.choice(pieces[size])))
        words -= size
    return " ".join(chosen)


def _random_patterns(seq_len: int, starts: tuple[str, ...], pieces: Pieces, end: str) -> list[str]:
    """Random patterns of `seq_len` words: the first start after which whole pieces fit, and random pieces."""
    room = seq_len - len(end.split())
    start = next(each for each in starts if (left := room - len(each.split())) == 0 or left >= min(pieces))
    rng = np.random.default_rng(seq_len)
    return [
        f"{start} {_random_pieces(rng, room - len(start.split()), pieces)} {end}" for _ in range(PATTERNS_PER_LENGTH)
    ]


def _all_words(starts: tuple[str, ...], pieces: Pieces, classes: Classes, end: str) -> tuple[str, ...]:
    return vocabulary([*starts, end, *(text for texts in pieces.values() for text in texts)], classes)


AGREEMENT_WORDS = _all_words(AGREEMENT_STARTS, AGREEMENT_PIECES, AGREEMENT_CLASSES, "")
THEMSELVES_WORDS = _all_words(THEMSELVES_STARTS, THEMSELVES_PIECES, THEMSELVES_CLASSES, "for")


@cache
def _agreement(seq_len: int) -> Patterns:
    shapes = _random_patterns(seq_len, AGREEMENT_STARTS, AGREEMENT_PIECES, "")
    return read_patterns(shapes, AGREEMENT_CLASSES, AGREEMENT_WORDS)


@cache
def _themselves(seq_len: int) -> Patterns:
    shapes = _random_patterns(seq_len, THEMSELVES_STARTS, THEMSELVES_PIECES, "for")
    return read_patterns(shapes, THEMSELVES_CLASSES, THEMSELVES_WORDS)


def _answers(place: int, answers: Mapping[str, int], words: tuple[str, ...]) -> Callable[[np.ndarray], np.ndarray]:
    """A function from tokens (T, batch) to the class, (batch,), of the word at position `place`.

    NO_ANSWER for a word that is in no class, and for a sentence that ends before that position.
    """
    classes = np.array([answers.get(word, NO_ANSWER) for word in words])
    return lambda tokens: classes[tokens[place]] if place < len(tokens) else np.full(tokens.shape[1], NO_ANSWER)


NUMBERS = {word: number for noun in LIVING + THINGS for number, word in enumerate(noun)}
_number = _answers(1, NUMBERS, AGREEMENT_WORDS)
_who = _answers(0, {word: at for at, word in enumerate(SELVES)}, THEMSELVES_WORDS)


def _draw_batch(
    rng: np.random.Generator,
    experiment: DataSettings,
    batch_size: int,
    patterns: Patterns,
    answer: Callable[[np.ndarray], np.ndarray],
) -> Batch:
    """Draw every word independently, so that neither the pattern nor any other word reveals the answer."""
    steps = experiment.seq_len
    inputs = patterns.draw_sentences(rng, rng.integers(0, PATTERNS_PER_LENGTH, batch_size), steps)
    mask = last_step_only(steps, batch_size)
    return Batch(inputs, np.where(mask, answer(inputs), 0), mask, full_lengths(steps, batch_size))


def _draw_agreement(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    return _draw_batch(rng, experiment, batch_size, _agreement(experiment.seq_len), _number)


def _draw_themselves(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    return _draw_batch(rng, experiment, batch_size, _themselves(experiment.seq_len), _who)


AGREEMENT = Task(
    slug="agreement",
    family="Text",
    title="Was or were?",
    teaches="The verb agrees with the first noun, however many others stand between: remember one, ignore the rest.",
    source="Generated: 'the cat which the dogs near the houses saw' from a small grammar; the verb is the answer.",
    rnn_types=("many_to_one",),
    lengths=Lengths(5, 60, 15),
    inputs="symbols",
    outputs="symbols",
    input_labels=AGREEMENT_WORDS,
    output_labels=("was", "were"),
    metric=Metric("accuracy", accuracy),
    draw=_draw_agreement,
    # Singular or plural is drawn for every noun independently, so the last noun says nothing about the verb.
    baselines=lambda experiment: {"guessing, or by the last noun": math.log(2)},
    lag=lambda experiment: experiment.seq_len - 2,  # from the last word back to the noun after the first "the"
    answers=lambda experiment, inputs: np.broadcast_to(_number(inputs), inputs.shape),
    encode=lambda experiment, text: single_answer(check_length(encode_words(text, AGREEMENT_WORDS))),
    asks="A sentence up to its verb",
    example="the cats which the dog near the old house saw",
)

THEMSELVES = Task(
    slug="themselves",
    family="Text",
    title="Himself or herself?",
    teaches="The first word decides: 'himself', 'herself' or 'themselves' depends on nothing else.",
    source="Generated: 'they wanted more bread which he saw for' from a small grammar; the next word is the answer.",
    rnn_types=("many_to_one",),
    lengths=Lengths(4, 60, 12),
    inputs="symbols",
    outputs="symbols",
    input_labels=THEMSELVES_WORDS,
    output_labels=tuple(SELVES.values()),
    metric=Metric("accuracy", accuracy),
    draw=_draw_themselves,
    baselines=lambda experiment: {"guessing": math.log(len(SELVES))},
    lag=lambda experiment: experiment.seq_len - 1,
    answers=lambda experiment, inputs: np.broadcast_to(_who(inputs), inputs.shape),
    encode=lambda experiment, text: single_answer(check_length(encode_words(text, THEMSELVES_WORDS))),
    asks="A sentence up to 'for'",
    example="she bought some bread which the old king saw for",
)
