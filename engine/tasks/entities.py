"""Named-entity tagging: person, place or none, where some names can be either."""

from __future__ import annotations

from functools import cache

import numpy as np

from engine.tasks.base import NO_ANSWER, NO_SYMBOL, DataSettings, Lengths, Metric, Task, accuracy
from engine.tasks.batch import Batch
from engine.tasks.entropy import conditional_entropy
from engine.tasks.grammar import Patterns, read_patterns, vocabulary
from engine.tasks.sentiment import encode_words
from engine.tasks.text_input import check_length, single_sequence
from engine.tasks.unknown_words import UNKNOWN

TAGS = ("none", "person", "place")
EITHER = ("paris", "jordan", "florence", "sydney", "austin", "washington")
"""Names of both people and places: only the words around them decide which."""

# UNKNOWN is a member of the classes of names, and of classes that do not affect the tags. So held-out sentences have it
# in many places, too, and the network learns to tag an unknown name by the words around it.
CLASSES = {
    "PERSON": ("anna", "peter", "maria", "tom", *EITHER, UNKNOWN),
    "PLACE": ("london", "berlin", "rome", "madrid", *EITHER, UNKNOWN),
    "FRIEND": ("friend", "sister", "teacher", "brother", UNKNOWN),
    "SAW": ("saw", "remembered", "liked", "found", UNKNOWN),
    "SMILED": ("smiled", "laughed", "slept", "sang"),
    "TIRED": ("tired", "angry", "happy", "hungry"),
    "FLOODED": ("flooded", "crowded", "rebuilt", "destroyed"),
    "SEA": ("sea", "river", "lake", UNKNOWN),
    "LATE": ("yesterday", "today", "again", UNKNOWN),
}
OPENINGS = ("", "they say that", "yesterday", "i heard that")
CLAUSES = (
    # decided by what follows
    "PERSON SMILED",
    "PERSON was TIRED",
    "PERSON called my FRIEND",
    "PLACE lies by the SEA",
    "PLACE was FLOODED",
    "PLACE has a new station",
    "we SAW PERSON who SMILED",
    "we SAW PLACE which was FLOODED",
    # decided by what stands before
    "my FRIEND PERSON was TIRED",
    "we spoke with PERSON",
    "the road to PLACE was FLOODED",
    "my FRIEND lives in PLACE",
    # both in one
    "PERSON moved to PLACE",
    "my FRIEND met PERSON in PLACE",
    "PLACE was FLOODED and PERSON SMILED",
)
ENDINGS = ("", "LATE", "in PLACE", "with PERSON")


def _grammar() -> list[str]:
    return [f"{opening} {clause} {ending}" for opening in OPENINGS for clause in CLAUSES for ending in ENDINGS]


WORDS = vocabulary(_grammar(), CLASSES)


@cache
def _patterns() -> tuple[Patterns, np.ndarray]:
    """The patterns, and the tag of every class, (classes + 1,); the last entry is for padding."""
    patterns = read_patterns(_grammar(), CLASSES, WORDS)
    tags = [TAGS.index(name.lower()) if name in ("PERSON", "PLACE") else 0 for name in patterns.names]
    return patterns, np.array([*tags, 0])


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw sentences from all patterns that fit, equally likely; every word has a tag."""
    (patterns, tags), steps = _patterns(), experiment.seq_len
    chosen = rng.integers(0, patterns.fitting(steps), batch_size)
    lengths = patterns.lengths[chosen]
    inputs = patterns.draw_sentences(rng, chosen, steps)
    return Batch(inputs, tags[patterns.slots[:steps, chosen]], np.arange(steps)[:, None] < lengths, lengths)


def _tags_of(experiment: DataSettings, inputs: np.ndarray) -> np.ndarray:
    """The tags by all patterns that a sentence fits; NO_ANSWER where they differ, and for one that fits none."""
    patterns, tags = _patterns()
    steps = len(inputs)
    slots = patterns.slots[:steps, : patterns.fitting(steps)]
    possible = tags[slots]
    accepts = np.zeros((len(patterns.members), len(WORDS) + 1), bool)  # (classes + 1, words); the last is padding
    np.put_along_axis(accepts, patterns.members % (len(WORDS) + 1), True, axis=1)
    accepts[:-1, NO_SYMBOL] = False
    targets = np.full_like(inputs, NO_ANSWER)
    for column, sentence in enumerate(inputs.T):
        fits = accepts[slots, sentence[:, None]].all(0)
        if fits.any():
            low, high = possible[:, fits].min(1), possible[:, fits].max(1)
            targets[:, column] = np.where(low == high, low, NO_ANSWER)
    return targets


@cache
def _baselines(seq_len: int) -> dict[str, float]:
    """Exact losses per step, computed over every word at every place of every pattern that fits."""
    patterns, tags = _patterns()
    fits = patterns.fitting(seq_len)
    lengths = patterns.lengths[:fits]
    real = np.arange(seq_len)[:, None] < lengths
    slots, share = patterns.slots[:seq_len, :fits][real], np.broadcast_to(1 / lengths, real.shape)[real]
    member = np.arange(patterns.members.shape[1]) < patterns.sizes[slots][:, None]  # (places, largest class)
    words = patterns.members[slots][member]
    targets, weights = (np.repeat(each, patterns.sizes[slots]) for each in (tags[slots], share / patterns.sizes[slots]))
    return {
        "knowing how common each tag is": conditional_entropy(np.zeros_like(words), targets, weights),
        "knowing the word alone": conditional_entropy(words, targets, weights),
    }


def _encode(experiment: DataSettings, text: str) -> Batch:
    tokens = check_length(encode_words(text, WORDS))
    return single_sequence(tokens, np.ones(len(tokens), bool))


ENTITIES = Task(
    slug="entities",
    family="Text",
    title="Person or place?",
    teaches="Every word gets a tag, and 'paris' is either: the word that decides may stand before or after it.",
    source="Generated: sentences from a small grammar; six names are those of people and of places.",
    rnn_types=("many_to_many",),
    lengths=Lengths(6, 11, 11),
    inputs="symbols",
    outputs="symbols",
    input_labels=WORDS,
    output_labels=TAGS,
    metric=Metric("accuracy", accuracy),
    draw=_draw,
    baselines=lambda experiment: _baselines(experiment.seq_len),
    lag=lambda experiment: 2,  # the deciding word is one or two words away, mostly after the name: "paris was flooded"
    answers=_tags_of,
    encode=_encode,
    asks="A sentence with names",
    example="they say that florence moved to jordan",
)
