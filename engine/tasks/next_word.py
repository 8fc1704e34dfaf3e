"""Next word: a small language with people, animals, foods and places, and words that training never saw."""

from __future__ import annotations

import math
from functools import cache
from itertools import product

import numpy as np

from engine.tasks.base import END, NO_SYMBOL, Batch, DataSettings, Lengths, Metric, Task
from engine.tasks.entropy import conditional_entropy
from engine.tasks.grammar import Patterns, read_patterns, vocabulary
from engine.tasks.sentiment import UNKNOWN, encode_words
from engine.tasks.text_input import alone, checked

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
"""Words of held-out sentences only. They are not in the vocabulary: the network reads UNKNOWN in their place."""

SUBJECTS = (("WOMAN", "she"), ("MAN", "he"), ("the ANIMAL", "it"), ("the SMALL ANIMAL", "it"))  # and their pronouns
SEEN = ("SEES the ANIMAL", "SEES WOMAN", "SEES MAN")
DONE_BY_PEOPLE = ("COOKS FOOD", "DRIVES to the PLACE", "SLEEPS", *SEEN)
DONE_BY_ANIMALS = ("EATS FOOD", "RUNS to the PLACE", "SLEEPS", *SEEN)
CIRCUMSTANCES = ("TODAY", "in the PLACE", "because {pronoun} is TIRED", "and SLEEPS")
SHORTEST, LONGEST = 4, 12  # words of a sentence, with the full stop that ends it

FORGET_ONE_IN = 50
"""Words of training sentences that are replaced by UNKNOWN, whichever they are: a vector for UNKNOWN is learned only
where UNKNOWN is read. Few enough to spare the rest of the sentence, and common enough to train: a batch of 64
sentences has about ten."""


def _grammar() -> list[str]:
    """Every pattern: who, does what, and none, one or two circumstances."""
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
    return [text for text in texts if SHORTEST <= len(text.split()) <= LONGEST]


WORDS = vocabulary(_grammar(), CLASSES)


@cache
def _patterns(split: str) -> Patterns:
    """The same patterns for both splits; the classes of held-out sentences have the unseen words as well."""
    unseen = UNSEEN if split == "test" else {}
    classes = {name: (*known, *(UNKNOWN for _ in unseen.get(name, ()))) for name, known in CLASSES.items()}
    return read_patterns(_grammar(), classes, WORDS)


def _deal(rng: np.random.Generator, seq_len: int, batch_size: int, split: str) -> Batch:
    """The input at t is the word before the target: x_0 is nothing yet. All patterns that fit are equally likely.

    UNKNOWN is read but never asked for: a step whose target it is has no loss, since nobody can foretell a word that
    is in no vocabulary, and a network that goes on by itself should not learn to say it.
    """
    patterns = _patterns(split)
    chosen = rng.integers(0, patterns.fitting(seq_len), batch_size)
    lengths = patterns.lengths[chosen]
    words = patterns.deal(rng, chosen, seq_len)
    if split == "train":
        words[(rng.random(words.shape) * FORGET_ONE_IN < 1) & (words > WORDS.index(END))] = 0
    before = np.concatenate([np.full((1, batch_size), NO_SYMBOL), words[:-1]])
    inputs = np.where(np.arange(seq_len)[:, None] < lengths, before, NO_SYMBOL)  # the full stop is never read
    return Batch(inputs, np.maximum(words, 0), words > 0, lengths)


def perplexity(batch: Batch, outputs: np.ndarray) -> float:
    """exp of the mean cross-entropy over the counted steps: between how many equally likely words it hesitates."""
    right = np.take_along_axis(outputs, batch.targets[..., None], axis=-1)[..., 0][batch.mask]
    # A probability of 0 is float32's underflow: its smallest number instead keeps the result finite.
    return float(np.exp(-np.log(np.maximum(right.astype(np.float64), np.finfo(np.float32).tiny)).mean()))


@cache
def _frequency_baseline(seq_len: int) -> float:
    """The least loss, in nats, of an answer that reads nothing, counted on 20,000 held-out sentences (fixed seed)."""
    batch = _deal(np.random.default_rng(0), seq_len, 20_000, "test")
    targets, weights = batch.targets[batch.mask], (batch.mask / batch.mask.sum(0))[batch.mask]
    return conditional_entropy(np.zeros_like(targets), targets, weights)


def _encode(experiment: DataSettings, text: str) -> Batch:
    """The beginning of a sentence; the answer at the last step is the word that may follow it."""
    inputs = np.concatenate([[NO_SYMBOL], checked(encode_words(text, WORDS))])
    return alone(inputs, np.ones(len(inputs), bool))


NEXT_WORD = Task(
    slug="next_word",
    family="Text",
    title="Next word",
    teaches="At every word the network says what it expects next, even after a word that it has never seen.",
    source="Generated: sentences from a small grammar; five words, as 'wolf', occur in held-out sentences only.",
    rnn_types=("many_to_many",),
    lengths=Lengths(5, LONGEST, LONGEST),
    inputs="symbols",
    outputs="symbols",
    input_labels=WORDS,
    output_labels=WORDS,
    metric=Metric("perplexity", perplexity, percent=False, higher_is_better=False),
    draw=lambda rng, experiment, batch_size, split: _deal(rng, experiment.seq_len, batch_size, split),
    baselines=lambda experiment: {
        "knowing how common each word is": _frequency_baseline(experiment.seq_len),
        "guessing": math.log(len(WORDS)),
    },
    # Who it is decides the verb at once and "she" up to eight words on: four is our choice, there is no single lag.
    lag=lambda experiment: min(4, experiment.seq_len - 1),
    causal=True,
    continues=True,
    encode=_encode,
    asks="The beginning of a sentence",
    example="the old wolf",
)
