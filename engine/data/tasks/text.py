"""Running text: the next symbol."""

from __future__ import annotations

import math
import re
from functools import cached_property
from typing import Any

import numpy as np

from engine.data.content import TextContent
from engine.data.tasks.bigram import Bigram
from engine.data.tasks.words import numbers_of_typed, of_characters, title_of, written
from engine.tasks import NO_SYMBOL, OWN_DATA, Batch, Lengths, Metric, Task
from engine.tasks.base import OWN_FAMILY, DataSettings, Passages, answer_mask, full_lengths, next_inputs
from engine.tasks.next_word import perplexity
from engine.tasks.text_input import beginning, single_sequence
from engine.tasks.unknown_words import UNKNOWN_TOKEN

LINE_END, TAB = "\n", "\t"
SHOWN = {LINE_END: "↵", TAB: "⇥"}
"""How symbols that nobody sees are written."""
MAX_STEPS, USUAL_STEPS = 400, 50
EXAMPLE = 30  # characters, or a fifth of that in words
LAG = {"characters": 8, "words": 4}
"""About a word and the start of the one before it; a few words. Chosen by hand, since text has no single lag."""
BIGRAM = "the one before alone (bigram)"


def _bigram(content: TextContent) -> Bigram:
    return Bigram(content.tokens[: content.cut], len(content.vocabulary))


def _losses(content: TextContent, bigram: Bigram, before: np.ndarray, following: np.ndarray) -> dict[str, np.ndarray]:
    """{simple answer: the loss of each of these symbols, in nats}."""
    return {
        f"how common each {content.unit.removesuffix('s')} is": bigram.losses[following],
        BIGRAM: bigram.losses_of(before, following),
        "guessing": np.full(following.shape, math.log(len(content.vocabulary))),
    }


def _of_held_out(content: TextContent, bigram: Bigram) -> dict[str, float]:
    """Losses over the held-out part, in nats; the last trained symbol stands before its first."""
    held = _losses(content, bigram, content.tokens[content.cut - 1 : -1], content.tokens[content.cut :])
    return {name: float(losses.mean()) for name, losses in held.items()}


def held_out_baselines(content: TextContent) -> dict[str, float]:
    """{simple answer: perplexity of the held-out part}; what it knows comes from the trained part."""
    return {name: math.exp(loss) for name, loss in _of_held_out(content, _bigram(content)).items()}


class _Text:
    """A text from which pieces are drawn.

    Args:
        lines: each line is a text of its own, so that pieces begin where lines do.
    """

    def __init__(self, content: TextContent, lines: bool) -> None:
        self.content, self.labels = content, _shown(content.vocabulary)
        self.begins = beginnings(content) if lines else None
        self._tokens = content.tokens.astype(np.int64)

    @cached_property
    def _bigram(self) -> Bigram:
        return _bigram(self.content)

    @cached_property
    def losses(self) -> dict[str, float]:
        """Of simple answers over the held-out part, the best first: it is the one to beat, in every batch."""
        return dict(sorted(_of_held_out(self.content, self._bigram).items(), key=lambda each: each[1]))

    def losses_on(self, experiment: DataSettings, batch: Batch) -> dict[str, float]:
        """Of simple answers on a batch; where nothing has been read, nothing stands before."""
        on = _losses(self.content, self._bigram, batch.inputs, batch.targets)
        return {name: float(on[name][batch.mask].mean()) for name in self.losses}

    def draw(self, rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
        """Pieces of one part. The origin is the place of the first target, since nothing is read at step 0."""
        steps, cut = experiment.seq_len, self.content.cut
        low, high = (0, cut - steps) if split == "train" else (cut, len(self._tokens) - steps)
        if self.begins is None:
            starts = rng.integers(low, high + 1, batch_size)
        else:
            first, end = np.searchsorted(self.begins, (low, high + 1))
            starts = self.begins[rng.integers(first, end, batch_size)]
        targets = self._tokens[starts + np.arange(steps)[:, None]]
        inputs = np.concatenate([np.full((1, batch_size), NO_SYMBOL), targets[:-1]])
        mask, lengths = answer_mask(experiment, steps, batch_size), full_lengths(steps, batch_size)
        return Batch(inputs, targets, mask, lengths, origin=np.column_stack([np.zeros_like(starts), starts]))

    def passages(self, experiment: DataSettings) -> Passages:
        """The whole trained part; before its first symbol nothing is read."""
        tokens = self._tokens[: self.content.cut]
        return [(np.concatenate([[NO_SYMBOL], tokens[:-1]]), tokens, np.ones(len(tokens), bool))]

    def encode(self, experiment: DataSettings, text: str) -> Batch:
        """A text to continue, or nothing; the answer at the last step is the prediction of the next symbol."""
        inputs = beginning(text, lambda typed: _typed(typed, self.labels), self.content.unit)
        return single_sequence(inputs, answer_mask(experiment, len(inputs), 1)[:, 0])


def text_task(name: str, summary: dict[str, Any], content: TextContent) -> Task:
    """The next symbol at every step of a piece of the text; at step 0 nothing has been read.

    Where each line is a text of its own (`lines` of the summary), pieces begin where lines do.

    Args:
        name: of the file. summary: as in a Dataset.
    """
    text, unit = _Text(content, summary["lines"]), content.unit.removesuffix("s")
    tested = len(content.tokens) - content.cut
    longest = min(MAX_STEPS, tested, content.cut)
    return Task(
        slug=OWN_DATA,
        family=OWN_FAMILY,
        title=title_of(name),
        teaches=f"A sequence in, a sequence out: at every {unit} the network predicts the next one.",
        source=f"Your own file, {name}: {len(content.tokens):,} {content.unit}, {tested:,} of them held out.",
        rnn_types=("many_to_many", "many_to_one"),
        lengths=Lengths(2, longest, min(USUAL_STEPS, longest)),
        inputs="symbols",
        outputs="symbols",
        input_labels=text.labels,
        output_labels=text.labels,
        metric=Metric("perplexity", perplexity, percent=False, higher_is_better=False, solved=math.inf),
        draw=text.draw,
        baselines=lambda experiment: text.losses,
        baselines_on=text.losses_on,
        metric_baselines=lambda experiment, batch: {
            name: math.exp(loss) for name, loss in text.losses_on(experiment, batch).items()
        },
        lag=lambda experiment: min(LAG[content.unit], experiment.seq_len - 1),
        causal=True,
        continues=True,
        passages=None if summary["lines"] else text.passages,
        answers=next_inputs,
        encode=text.encode,
        asks=f"The beginning of a text; empty: which {unit} comes first",
        example=_example(content, text.labels, text.begins),
    )


def _shown(vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """The vocabulary with signs for what nobody sees, unless it has these signs already."""
    return tuple(SHOWN[each] if each in SHOWN and SHOWN[each] not in vocabulary else each for each in vocabulary)


def beginnings(content: TextContent) -> np.ndarray:
    """Where a line begins, in order: at the start of either part, and after every end of a line."""
    ends = content.tokens == content.vocabulary.index(LINE_END)
    begins = np.concatenate([[True], ends[:-1]])
    begins[content.cut] = True
    return np.flatnonzero(begins)


def _typed(text: str, labels: tuple[str, ...]) -> np.ndarray:
    """A typed beginning as tokens; of characters a space at its end counts, since it ends a word."""
    if not of_characters(labels):
        return numbers_of_typed(text, labels)
    body, after = text.strip(), " " if re.search(r"\s$", text) else ""
    tokens = numbers_of_typed(body, labels)
    return np.append(tokens, labels.index(" ")) if after and " " in labels else tokens


def _example(content: TextContent, labels: tuple[str, ...], begins: np.ndarray | None) -> str:
    """The beginning of the held-out part, or of its first line."""
    steps = EXAMPLE if content.unit == "characters" else EXAMPLE // 5
    tokens = content.tokens[content.cut : content.cut + steps]
    if begins is not None and LINE_END in content.vocabulary:
        ended = np.flatnonzero(tokens == content.vocabulary.index(LINE_END))
        tokens = tokens[: max(1, (ended[0] if len(ended) else len(tokens)) // 2)]
    signs = [number for number, label in enumerate(content.vocabulary) if label in SHOWN]
    return written(tokens[(tokens != UNKNOWN_TOKEN) & ~np.isin(tokens, signs)], labels)
