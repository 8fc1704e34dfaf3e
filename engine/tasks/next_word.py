"""Next word: a small language with people, animals, foods and places, and words that training never saw."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np

from engine.tasks.base import END, NO_ANSWER, NO_SYMBOL, DataSettings, Lengths, Metric, Task, next_inputs
from engine.tasks.batch import Batch
from engine.tasks.entropy import conditional_entropy
from engine.tasks.grammar import Patterns, read_patterns, vocabulary
from engine.tasks.sentiment import encode_words
from engine.tasks.text_input import beginning, single_sequence
from engine.tasks.unknown_words import UNKNOWN, UNKNOWN_TOKEN

CLASSES = {
    "WOMAN": ("anna", "maria", "lucy", "emma"),
    "MAN": ("peter", "tom", "david", "paul"),
    "ANIMAL": ("dog", "cat", "horse", "bird", "mouse", "rabbit"),
    "FOOD": ("bread", "cheese", "soup", "rice", "fish", "cake"),
    "PLACE": ("garden", "station", "market", "school", "river", "village"),
    "SMALL": ("small", "old", "young", "quick"),
    "TIRED": ("tired", "hungry", "happy", "late"),
    "COOKS": ("cooks", "buys", "orders", "bakes"),
    "EATS": ("eats", "smells", "finds", "steals"),
    "DRIVES": ("drives", "walks", "cycles", "travels"),
    "RUNS": ("runs", "jumps", "hurries"),
    "SLEEPS": ("sleeps", "waits", "rests"),
    "SEES": ("sees", "hears", "follows", "likes"),
    "TODAY": ("today", "again", "often"),
}
UNSEEN = {"WOMAN": ("nadia",), "MAN": ("igor",), "ANIMAL": ("wolf",), "FOOD": ("plum",), "PLACE": ("harbour",)}
"""Words that occur in held-out sentences only. They are not in the vocabulary: the network reads UNKNOWN instead."""

SUBJECTS = (("WOMAN", "she"), ("MAN", "he"), ("the ANIMAL", "it"), ("the SMALL ANIMAL", "it"))  # and their pronouns
SEEN = ("SEES the ANIMAL", "SEES WOMAN", "SEES MAN")
DONE_BY_PEOPLE = ("COOKS FOOD", "DRIVES to the PLACE", "SLEEPS", *SEEN)
DONE_BY_ANIMALS = ("EATS FOOD", "RUNS to the PLACE", "SLEEPS", *SEEN)
CIRCUMSTANCES = ("TODAY", "in the PLACE", "because {pronoun} is TIRED", "and SLEEPS")
MIN_WORDS, MAX_WORDS = 4, 12  # words of a sentence, with the full stop that ends it


def _grammar() -> list[str]:
    """All patterns: subject, action, and none, one or two circumstances."""
    texts = []
    for (subject, pronoun), first, second in product(SUBJECTS, ("", *CIRCUMSTANCES), ("", *CIRCUMSTANCES)):
        done = DONE_BY_ANIMALS if "ANIMAL" in subject else DONE_BY_PEOPLE
        # "in the market because she is tired", not the other way round, and nothing twice
        if second and (not first or CIRCUMSTANCES.index(second) <= CIRCUMSTANCES.index(first)):
            continue
        ends = f"{first} {second}".format(pronoun=pronoun)
        texts += [
            f"{subject} {action} {ends} {END}" for action in done if not ("SLEEPS" in ends and action == "SLEEPS")
        ]
    return [text for text in texts if MIN_WORDS <= len(text.split()) <= MAX_WORDS]


WORDS = vocabulary(_grammar(), CLASSES)


@cache
def _patterns(split: str) -> Patterns:
    """The same patterns for both splits; in held-out sentences the classes contain the unseen words as well."""
    unseen = UNSEEN if split == "test" else {}
    classes = {name: (*known, *(UNKNOWN for _ in unseen.get(name, ()))) for name, known in CLASSES.items()}
    return read_patterns(_grammar(), classes, WORDS)


def _draw_batch(rng: np.random.Generator, seq_len: int, batch_size: int, split: str) -> Batch:
    """Draw sentences, all fitting patterns equally likely. The input at t is the previous target, NO_SYMBOL at t = 0.

    In held-out sentences UNKNOWN is an input but never a target: such a step has no loss, since a word outside the
    vocabulary cannot be predicted, and the network should not learn to generate UNKNOWN.
    """
    patterns = _patterns(split)
    chosen = rng.integers(0, patterns.fitting(seq_len), batch_size)
    lengths = patterns.lengths[chosen]
    words = patterns.draw_sentences(rng, chosen, seq_len)
    before = np.concatenate([np.full((1, batch_size), NO_SYMBOL), words[:-1]])
    inputs = np.where(np.arange(seq_len)[:, None] < lengths, before, NO_SYMBOL)  # the full stop is never read
    return Batch(inputs, np.maximum(words, 0), words > 0, lengths)


def _next_words(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The next word; NO_ANSWER where that is unknown, as in `_draw_batch`, or the sentence might go on or end."""
    following = next_inputs(experiment, inputs)
    return np.where(following == UNKNOWN_TOKEN, NO_ANSWER, following)


def perplexity(batch: Batch, outputs: np.ndarray) -> float:
    """exp of the mean cross-entropy over the counted steps: the number of equally likely words with the same loss."""
    right = np.take_along_axis(outputs, batch.targets[..., None], axis=-1)[..., 0][batch.mask]
    # A probability can underflow to 0 in float32; the smallest normal number keeps the result finite.
    return float(np.exp(-np.log(np.maximum(right.astype(np.float64), np.finfo(np.float32).tiny)).mean()))


@cache
def _frequency_baseline(seq_len: int) -> float:
    """Lowest loss, in nats, without any input, estimated on 20,000 held-out sentences (fixed seed)."""
    batch = _draw_batch(np.random.default_rng(0), seq_len, 20_000, "test")
    targets, weights = batch.targets[batch.mask], (batch.mask / batch.mask.sum(0))[batch.mask]
    return conditional_entropy(np.zeros_like(targets), targets, weights)


def _encode(experiment: DataSettings, text: str) -> Batch:
    """The beginning of a sentence, or nothing; the answer at the last step is the prediction of the next word."""
    inputs = beginning(text, lambda typed: encode_words(typed, WORDS))
    return single_sequence(inputs, np.ones(len(inputs), bool))


NEXT_WORD = Task(
    slug="next_word",
    family="Text",
    title="Next word",
    teaches="At every word the network predicts the next one, even after a word that it has never seen.",
    source="Generated: sentences from a small grammar; five words, as 'wolf', occur in held-out sentences only.",
    rnn_types=("many_to_many",),
    lengths=Lengths(5, MAX_WORDS, MAX_WORDS),
    inputs="symbols",
    outputs="symbols",
    input_labels=WORDS,
    output_labels=WORDS,
    metric=Metric("perplexity", perplexity, percent=False, higher_is_better=False, solved=math.inf),
    draw=lambda rng, experiment, batch_size, split: _draw_batch(rng, experiment.seq_len, batch_size, split),
    baselines=lambda experiment: {
        "knowing how common each word is": _frequency_baseline(experiment.seq_len),
        "guessing": math.log(len(WORDS)),
    },
    # The subject decides the verb at once, and "she" up to eight words later: no single lag, so 4 is chosen by hand.
    lag=lambda experiment: min(4, experiment.seq_len - 1),
    causal=True,
    continues=True,
    answers=_next_words,
    encode=_encode,
    asks="The beginning of a sentence; empty: which word comes first",
    example="the old wolf",
)
