"""English to French (sequence to sequence): noun phrases and short sentences from a small grammar."""

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

# ---- nouns: English singular and plural, French singular and plural, French gender
ANIMALS = (
    ("cat", "cats", "chat", "chats", "masculine"),
    ("dog", "dogs", "chien", "chiens", "masculine"),
    ("bird", "birds", "oiseau", "oiseaux", "masculine"),
    ("cow", "cows", "vache", "vaches", "feminine"),
    ("mouse", "mice", "souris", "souris", "feminine"),
)
THINGS = (
    ("tree", "trees", "arbre", "arbres", "masculine"),
    ("house", "houses", "maison", "maisons", "feminine"),
    ("flower", "flowers", "fleur", "fleurs", "feminine"),
    ("potato", "potatoes", "pomme de terre", "pommes de terre", "feminine"),
)
DETERMINERS = {  # masculine, feminine, plural; "a" has no plural here
    "the": ("le", "la", "les"),
    "a": ("un", "une", ""),
    "my": ("mon", "ma", "mes"),
}
ADJECTIVES = {  # masculine and feminine, singular then plural; True where it stands before the noun
    "small": ("petit", "petite", "petits", "petites", True),
    "big": ("grand", "grande", "grands", "grandes", True),
    "black": ("noir", "noire", "noirs", "noires", False),
    "white": ("blanc", "blanche", "blancs", "blanches", False),
    "red": ("rouge", "rouge", "rouges", "rouges", False),
}
VERBS = (
    ("sees", "see", "voit", "voient"),
    ("likes", "like", "aime", "aiment"),
    ("wants", "want", "veut", "veulent"),
    ("looks for", "look for", "cherche", "cherchent"),
)
SENTENCES = 20_000  # of the 162,000 that the grammar makes


def french_phrase(determiner: str, adjective: str, noun: tuple[str, ...], plural: bool) -> str:
    """A noun with its article or possessive and perhaps an adjective ("" for none), all in agreement."""
    feminine = noun[4] == "feminine"
    article = DETERMINERS[determiner][2 if plural else feminine]
    parts = [noun[2 + plural]]
    if adjective:
        *forms, before = ADJECTIVES[adjective]
        parts.insert(0 if before else 1, str(forms[2 * plural + feminine]))
    if article in ("le", "la") and parts[0][0] in "aeiou":
        article = "l'"  # elision, as a separate word
    return " ".join([article, *parts])


@cache
def phrases(animals_only: bool) -> list[tuple[str, str, bool]]:
    """Every (English, French, plural) noun phrase."""
    nouns = ANIMALS if animals_only else ANIMALS + THINGS
    return [
        (" ".join(filter(None, (determiner, adjective, noun[plural]))),
         french_phrase(determiner, adjective, noun, plural), plural)
        for noun, plural, determiner, adjective in product(nouns, (False, True), DETERMINERS, ("", *ADJECTIVES))
        if not (plural and determiner == "a")
    ]  # fmt: skip


@cache
def pairs() -> list[tuple[str, str]]:
    """(English, French): all noun phrases, and a fixed random choice of sentences, shuffled."""
    subjects, objects = phrases(True), phrases(False)
    chance = np.random.RandomState(0)  # legacy generator: NumPy guarantees its numbers
    chosen = chance.permutation(len(subjects) * len(VERBS) * len(objects))[:SENTENCES]
    every = [(english, french) for english, french, _ in objects]
    for who, verb, what in zip(*np.unravel_index(chosen, (len(subjects), len(VERBS), len(objects))), strict=True):
        (english, french, plural), (seen, vu, _) = subjects[who], objects[what]
        every.append((f"{english} {VERBS[verb][plural]} {seen}", f"{french} {VERBS[verb][2 + plural]} {vu}"))
    return [every[at] for at in chance.permutation(len(every))]


def _vocabulary(texts: list[str]) -> tuple[str, ...]:
    return tuple(sorted({word for text in texts for word in text.split()}))


ENGLISH = _vocabulary([english for english, _, _ in phrases(False)] + [each for verb in VERBS for each in verb[:2]])
FRENCH = (
    *_vocabulary([french for _, french, _ in phrases(False)] + [each for verb in VERBS for each in verb[2:]]),
    END,
)
ENGLISH_STEPS = 8  # the black cow looks for the red potato
FRENCH_STEPS = 10  # la vache noire cherche la pomme de terre rouge, and END


def _tokens(texts: list[str], labels: tuple[str, ...]) -> list[list[int]]:
    index = {label: token for token, label in enumerate(labels)}
    return [[index[word] for word in text.split()] for text in texts]


@cache
def _translations() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All pairs: inputs and their mask, targets and their mask."""
    english, french = zip(*pairs(), strict=True)
    return *table(_tokens(list(english), ENGLISH), padding=NO_SYMBOL), *table(
        _tokens([f"{text} {END}" for text in french], FRENCH), padding=0
    )


def _draw_french(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    """Draw pairs; the first fifth of the shuffled pairs is held out."""
    held_out = len(pairs()) // 5
    low, high = (held_out, len(pairs())) if split == "train" else (0, held_out)
    chosen = rng.integers(low, high, batch_size)
    inputs, read, targets, mask = (every[:, chosen] for every in _translations())
    return Batch(inputs, targets, mask, read.sum(0), previous(targets, mask))


@cache
def _french_baselines() -> dict[str, float]:
    """Over all pairs."""
    _, _, targets, mask = _translations()
    by_place, by_words = answer_baselines(targets, mask, np.full(mask.shape[1], 1 / mask.shape[1]))
    return {"how common each word is, by place": by_place, "without reading the English": by_words}


ENGLISH_FRENCH = Task(
    slug="english_french",
    family="Sequence to sequence",
    title="English to French",
    teaches="Translation: words change places and agree, and the answer is longer or shorter than the question.",
    source="Generated: noun phrases and short sentences from a small grammar. A random fifth of them is held out.",
    rnn_types=("encoder_decoder",),
    lengths=Lengths(ENGLISH_STEPS, ENGLISH_STEPS, ENGLISH_STEPS),
    inputs="symbols",
    outputs="symbols",
    input_labels=ENGLISH,
    output_labels=FRENCH,
    metric=Metric("whole answers right", exact_match),
    draw=_draw_french,
    baselines=lambda experiment: _french_baselines(),
    lag=end_to_end,
    target_steps=lambda experiment: FRENCH_STEPS,
    encode=lambda experiment, text: source_batch(
        encode_known_words(text, ENGLISH, maximum=ENGLISH_STEPS, known=("the", "black", "cat", "sees", "my", "house")),
        FRENCH_STEPS,
    ),
    asks="A noun with “the”, “a” or “my”, or a sentence: such as “my dog looks for the white house”",
    example="the black cat sees a white house",
)
