"""Tasks on generated sentences: sentiment with negation, and a word that only later words explain."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from engine.tasks.base import NO_ANSWER, NO_SYMBOL, DataSettings, Lengths, Metric, Task, accuracy
from engine.tasks.batch import Batch
from engine.tasks.tables import table
from engine.tasks.text_input import check_length, single_answer, single_sequence
from engine.tasks.unknown_words import UNKNOWN, UNKNOWN_TOKEN, split_words

# ---- reviews: an opening, an adverb or a negation, the word that judges, an ending
GOOD = ("good", "great", "lovely", "funny", "clever", "charming", "brilliant", "exciting")
BAD = ("bad", "awful", "boring", "dull", "slow", "silly", "clumsy", "dreadful")
JUDGEMENTS = (*BAD, *GOOD)
TURNS = (  # (without, with a negation): equally long, so that the length does not reveal the answer
    ("truly", "not"),
    ("always", "never"),
    ("really quite", "not very"),
    ("just so", "never really"),
    ("in every way", "not at all"),
    ("to my surprise", "never once truly"),
    ("from start to finish", "not in any way"),
    ("in every single scene", "never for one minute"),
)
NEGATIONS = ("not", "never")  # every negation has one of them, and nothing else has
ONE_IN = 3  # one review in so many is negated
OPENINGS = (
    "",
    "honestly",
    "it was",
    "the film was",
    "i thought it was",
    "the story and music were",
    "my friends and i found it",
    "we saw it on sunday and it was",
    "i went with my sister and found it",
)
ENDINGS = (
    "",
    "overall",
    "to me",
    "in the end",
    "if you ask me",
    "for a film like this one",
    "and so said all of my friends",
)

# ---- Teddy: the words before the name do not help; the deciding word comes one to three words after it
SPEAKERS = ("he said", "she said", "everyone said", "my mother told us", "the man outside said", "i heard someone say")
OCCASIONS = ("", "today", "last night", "after the game", "on the way home")
LINKS = ("", "that")
TAILS = (  # (no person, person), shortest first
    (
        "bears sell well",
        "bears are soft",
        "bears are on sale",
        "bears were a gift",
        "and doll sets sell well",
        "and the dolls sold out",
        "bears make a lovely present",
        "and the dolls are on sale",
    ),
    (
        "roosevelt smiled",
        "roosevelt was president",
        "and his wife waved",
        "and the senators met",
        "roosevelt loved the woods",
        "and his wife came home",
        "roosevelt was a great president",
        "and the senators went home early",
    ),
)
DECIDING = (("bears", "doll", "dolls"), ("roosevelt", "wife", "senators"))  # (no person, person): one in every tail
FARTHEST = 3  # words from "teddy" to the one that decides, at most


def _vocabulary(*texts: str) -> tuple[str, ...]:
    """The unknown word first, then all words, sorted."""
    return (UNKNOWN, *sorted({word for text in texts for word in text.split()}))


REVIEW_WORDS = _vocabulary(*OPENINGS, *ENDINGS, *JUDGEMENTS, *(phrase for pair in TURNS for phrase in pair))
TEDDY_WORDS = _vocabulary("teddy", *SPEAKERS, *OCCASIONS, *LINKS, *(tail for tails in TAILS for tail in tails))


def encode_words(text: str, vocabulary: tuple[str, ...] = REVIEW_WORDS) -> np.ndarray:
    """Words to tokens, (words,) int64, without regard to case and punctuation; unknown ones become UNKNOWN_TOKEN."""
    index = {word: token for token, word in enumerate(vocabulary)}
    return np.array([index.get(word, UNKNOWN_TOKEN) for word in split_words(text)], np.int64)


def _table(sentences: list[str], vocabulary: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Sentences as tokens (longest, sentences), padded with NO_SYMBOL, and their lengths (sentences,)."""
    tokens, mask = table([encode_words(sentence, vocabulary) for sentence in sentences], padding=NO_SYMBOL)
    return tokens, mask.sum(0)


def _one_answer(tokens: np.ndarray, lengths: np.ndarray, asked: np.ndarray, answers: np.ndarray) -> Batch:
    """A batch whose sequences each have one loss, at step `asked`."""
    targets, mask, columns = np.zeros_like(tokens), np.zeros(tokens.shape, bool), np.arange(len(asked))
    targets[asked, columns], mask[asked, columns] = answers, True
    return Batch(tokens, targets, mask, lengths)


JUDGEMENT_TOKENS = encode_words(" ".join(JUDGEMENTS))


@cache
def _review_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All reviews without their judging word, shortest first.

    Returns:
        tokens (longest, 2, reviews), without and with a negation; lengths (reviews,); and the
        position of the judging word (reviews,), where the tokens have 0.
    """
    shapes = [(opening, pair, ending) for opening in OPENINGS for pair in TURNS for ending in ENDINGS]
    shapes.sort(key=lambda shape: len(f"{shape[0]} {shape[1][0]} {shape[2]}".split()))
    sides = [
        _table([f"{opening} {pair[negated]} {UNKNOWN} {ending}" for opening, pair, ending in shapes], REVIEW_WORDS)
        for negated in (0, 1)
    ]
    place = np.array([len(f"{opening} {pair[0]}".split()) for opening, pair, _ in shapes])
    return np.stack([tokens for tokens, _ in sides], axis=1), sides[0][1], place


def _draw_sentiment(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw reviews, all lengths equally likely; the judging word and the negation are independent of the rest."""
    tokens, lengths, place = _review_table()
    wanted = rng.integers(3, experiment.seq_len + 1, batch_size)
    first, end = np.searchsorted(lengths, wanted), np.searchsorted(lengths, wanted, side="right")
    review = rng.integers(first, end)
    negated = (rng.integers(0, ONE_IN, batch_size) == 0).astype(np.int64)
    judgement = rng.integers(0, len(JUDGEMENTS), batch_size)
    inputs = tokens[: experiment.seq_len, negated, review]
    inputs[place[review], np.arange(batch_size)] = JUDGEMENT_TOKENS[judgement]
    positive = (judgement >= len(BAD)) ^ (negated == 1)
    return _one_answer(inputs, wanted, wanted - 1, positive)


def _judged(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """Negative or positive; NO_ANSWER unless one word judges and at most one negation stands before it."""
    judges, negates = np.isin(inputs, JUDGEMENT_TOKENS), np.isin(inputs, encode_words(" ".join(NEGATIONS)))
    place, columns = judges.argmax(0), np.arange(inputs.shape[1])
    good = np.isin(inputs[place, columns], JUDGEMENT_TOKENS[len(BAD) :])
    before = np.arange(len(inputs))[:, None] < place
    clear = (judges.sum(0) == 1) & (negates.sum(0) <= 1) & ~(negates & ~before).any(0)
    return np.broadcast_to(np.where(clear, good ^ negates.any(0), NO_ANSWER), inputs.shape)


SENTIMENT = Task(
    slug="sentiment",
    family="Text",
    title="Good or bad review?",
    teaches="One answer for a sentence: a small 'not' reverses the meaning of a later word.",
    source="Generated: short film reviews from a small grammar; one in three says 'not' or 'never'.",
    rnn_types=("many_to_one",),
    lengths=Lengths(4, 20, 12),
    inputs="symbols",
    outputs="symbols",
    input_labels=REVIEW_WORDS,
    output_labels=("negative", "positive"),
    metric=Metric("accuracy", accuracy),
    draw=_draw_sentiment,
    baselines=lambda experiment: {
        "guessing": math.log(2),
        "deaf to 'not'": math.log(ONE_IN) - (1 - 1 / ONE_IN) * math.log(ONE_IN - 1),  # entropy of a third
    },
    # The deciding words can stand anywhere; 6 is chosen by hand, since reviews have no single lag.
    lag=lambda experiment: min(6, experiment.seq_len - 1),
    answers=_judged,
    encode=lambda experiment, text: single_answer(check_length(encode_words(text, REVIEW_WORDS))),
    asks="A short film review",
    example="the story and music were never really good",
)


@cache
def _teddy_table() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All sentences: tokens (longest, prefixes, 2, tails), lengths (prefixes, 2, tails), place of "teddy" (prefixes,).

    The middle index is the answer: 0 no person, 1 person.
    """
    prefixes = [f"{occasion} {speaker} {link}" for occasion in OCCASIONS for speaker in SPEAKERS for link in LINKS]
    sentences = [f"{prefix} teddy {tail}" for prefix in prefixes for tails in TAILS for tail in tails]
    tokens, lengths = _table(sentences, TEDDY_WORDS)
    shape = len(prefixes), len(TAILS), len(TAILS[0])
    return tokens.reshape(-1, *shape), lengths.reshape(shape), np.array([len(each.split()) for each in prefixes])


@cache
def _fitting(seq_len: int) -> tuple[np.ndarray, np.ndarray]:
    """The prefixes that leave room for a tail of either kind, and how many tails fit, (prefixes, 2)."""
    tails = (_teddy_table()[1] <= seq_len).sum(-1)
    return np.flatnonzero(tails.all(1)), tails


def _draw_teddy(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw the prefix, then the answer, then a tail that fits, so that the prefix does not reveal the answer."""
    (tokens, lengths, place), (prefixes, tails) = _teddy_table(), _fitting(experiment.seq_len)
    prefix = prefixes[rng.integers(0, len(prefixes), batch_size)]
    person = rng.integers(0, 2, batch_size)
    chosen = prefix, person, rng.integers(0, tails[prefix, person])
    return _one_answer(tokens[: experiment.seq_len, *chosen], lengths[chosen], place[prefix], person)


def _who_is_teddy(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """At each "teddy" what the next deciding word says; NO_ANSWER at other words, and where none is near enough."""
    targets = np.full_like(inputs, NO_ANSWER)
    decided = np.full_like(inputs, NO_ANSWER)  # of each word: the answer that it means
    for person, words in enumerate(DECIDING):
        decided[np.isin(inputs, encode_words(" ".join(words), TEDDY_WORDS))] = person
    for distance in range(FARTHEST, 0, -1):  # the nearest is written last
        later = decided[distance:]
        targets[:-distance] = np.where(later == NO_ANSWER, targets[:-distance], later)
    return np.where(inputs == TEDDY_WORDS.index("teddy"), targets, NO_ANSWER)


def _encode_teddy(experiment: DataSettings, text: str) -> Batch:
    """A sentence with the word "teddy"; each occurrence is asked about."""
    tokens = check_length(encode_words(text, TEDDY_WORDS))
    asked = tokens == TEDDY_WORDS.index("teddy")
    if not asked.any():
        raise ValueError("This text has no word 'teddy'; the network is asked about it, so it must occur.")
    return single_sequence(tokens, asked)


TEDDY = Task(
    slug="teddy",
    family="Text",
    title="Teddy who?",
    teaches="Only the future decides: is 'teddy' a person? The words after it say so; those before it never do.",
    source="Generated: sentences about Teddy Roosevelt or teddy bears, after an example by Andrew Ng.",
    rnn_types=("many_to_many",),
    lengths=Lengths(6, 16, 10),
    inputs="symbols",
    outputs="symbols",
    input_labels=TEDDY_WORDS,
    output_labels=("no person", "person"),
    metric=Metric("accuracy", accuracy),
    draw=_draw_teddy,
    baselines=lambda experiment: {"guessing, as any one-way network": math.log(2)},
    lag=lambda experiment: 1,  # counted forwards: the deciding word mostly comes next
    looks_ahead=True,
    answers=_who_is_teddy,
    encode=_encode_teddy,
    asks="A sentence with 'teddy' in it",
    example="my mother told us that teddy bears are soft",
)
