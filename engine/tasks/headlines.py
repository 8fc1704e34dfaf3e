"""A sentence to its headline (sequence to sequence): keep who, what and where, drop the rest."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np

from engine.tasks.base import END, NO_SYMBOL, DataSettings, Lengths, Metric, Task, exact_match
from engine.tasks.batch import Batch
from engine.tasks.entropy import answer_baselines
from engine.tasks.tables import table
from engine.tasks.text_input import encode_known_words, source_batch
from engine.tasks.transduction import end_to_end, previous

# ---- what a headline keeps
WHO = ("mayor", "teacher", "doctor", "singer", "farmer", "judge", "queen", "painter")
VERBS = (("opened", "opens"), ("sold", "sells"), ("bought", "buys"), ("painted", "paints"), ("visited", "visits"),
         ("closed", "closes"))  # fmt: skip  # in the sentence, in the headline
WHAT = ("bridge", "school", "museum", "garden", "house", "tower", "church", "theatre")
PLACES = ("", "lyon", "rome", "oslo", "dublin", "berlin", "cairo", "lima", "delhi")  # "" for no place

# ---- what it drops
TIMES = ("", "yesterday evening", "this morning", "on monday", "last week", "after the storm")
OF_PERSONS = ("", "old", "young", "famous", "tall")
OF_THINGS = ("", "new", "small", "beautiful", "strange")
MANNERS = ("", "with a smile", "at last")

SLOTS = ("WHO", "VERB", "WHAT", "PLACE")


def _vocabulary(*texts: str) -> tuple[str, ...]:
    return tuple(sorted({word for text in texts for word in text.split()}))


INPUT_WORDS = _vocabulary(*WHO, *(past for past, _ in VERBS), *WHAT, *PLACES, *TIMES, *OF_PERSONS, *OF_THINGS, *MANNERS,
                   "the a was by in")  # fmt: skip
OUTPUT_WORDS = (*_vocabulary(*WHO, *(present for _, present in VERBS), *WHAT, *PLACES, "in"), END)
MAX_WORDS = 17  # after the storm a new tower was opened in lyon by the old mayor with a smile
HEADLINE_STEPS = 6  # mayor opens tower in lyon, and END


def sentences(place: str) -> list[str]:
    """All sentences about one event, with SLOTS for what the headline keeps; `place` is "in PLACE" or "" for none."""
    texts = []
    for time, person, thing, manner in product(TIMES, OF_PERSONS, OF_THINGS, MANNERS):
        who, what = f"the {person} WHO", f"a {thing} WHAT"
        for statement in (f"{who} VERB {what} {place} {manner}", f"{what} was VERB {place} by {who} {manner}"):
            texts += [f"{time} {statement}"] + [f"{statement} {time}"] * bool(time)
    return [" ".join(each.split()) for each in texts]


@cache
def _forms() -> np.ndarray:
    """(MAX_WORDS, 2, forms) tokens of every sentence, without and with a place; slot k is len(INPUT_WORDS) + k."""
    index = {word: token for token, word in enumerate((*INPUT_WORDS, *SLOTS))}
    sides = []
    for place in ("", "in PLACE"):
        tokens, _ = table([[index[word] for word in each.split()] for each in sentences(place)], padding=NO_SYMBOL)
        sides.append(np.pad(tokens, ((0, MAX_WORDS - len(tokens)), (0, 0)), constant_values=NO_SYMBOL))
    return np.stack(sides, axis=1)


@cache
def _facts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All possible events: tokens for the slots (4, facts); tokens and mask of their headlines, (T, facts)."""
    facts = list(product(WHO, VERBS, WHAT, PLACES))
    filled = [
        [INPUT_WORDS.index(each or WHO[0]) for each in (who, past, what, place)]
        for who, (past, _), what, place in facts
    ]
    headlines = [
        f"{who} {present} {what} {'in ' * bool(place)}{place} {END}" for who, (_, present), what, place in facts
    ]
    return np.array(filled).T, *table(
        [[OUTPUT_WORDS.index(word) for word in each.split()] for each in headlines], padding=0
    )


@cache
def _split(split: str) -> np.ndarray:
    """The facts that belong to a split: a random fifth is held out, in all its sentences."""
    count = _facts()[0].shape[1]
    shuffled = np.random.RandomState(0).permutation(count)  # legacy generator: NumPy guarantees its numbers
    return shuffled[count // 5 :] if split == "train" else shuffled[: count // 5]


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw an event, then one of its sentences."""
    (filled, headlines, kept), forms, chosen = _facts(), _forms(), _split(split)
    fact = chosen[rng.integers(0, len(chosen), batch_size)]
    placed = (fact % len(PLACES) > 0).astype(np.int64)  # the place is the last factor of `product`, and 0 is none
    inputs = forms[:, placed, rng.integers(0, forms.shape[2], batch_size)]
    slot = inputs - len(INPUT_WORDS)
    inputs = np.where(slot >= 0, filled[np.maximum(slot, 0), fact], inputs)
    targets, mask = headlines[:, fact], kept[:, fact]
    return Batch(inputs, targets, mask, (inputs != NO_SYMBOL).sum(0), previous(targets, mask))


@cache
def _baselines() -> dict[str, float]:
    """Over all facts. Earlier words help no more than the position does, since all combinations occur."""
    filled, headlines, kept = _facts()
    by_place, _ = answer_baselines(headlines, kept, np.full(filled.shape[1], 1 / filled.shape[1]))
    return {"how common each word is, by place": by_place}


HEADLINE = Task(
    slug="headline",
    family="Sequence to sequence",
    title="Write the headline",
    teaches="A summary: who did what and where is kept, the rest is dropped, and passive sentences become active.",
    source="Generated: sentences from a small grammar. A random fifth of what can happen in them is held out.",
    rnn_types=("encoder_decoder",),
    lengths=Lengths(MAX_WORDS, MAX_WORDS, MAX_WORDS),
    inputs="symbols",
    outputs="symbols",
    input_labels=INPUT_WORDS,
    output_labels=OUTPUT_WORDS,
    metric=Metric("whole headlines right", exact_match),
    draw=_draw,
    baselines=lambda experiment: _baselines(),
    lag=end_to_end,
    target_steps=lambda experiment: HEADLINE_STEPS,
    encode=lambda experiment, text: source_batch(
        encode_known_words(
            text, INPUT_WORDS, maximum=MAX_WORDS, known=(*WHO[:3], *(past for past, _ in VERBS[:3]), *WHAT[:3])
        ),
        HEADLINE_STEPS,
    ),
    asks="A sentence on who did what and where, such as “last week a new school was closed in oslo by the mayor”",
    example="yesterday evening the old mayor opened a new bridge in lyon",
)
