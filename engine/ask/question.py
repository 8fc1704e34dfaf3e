"""What a person asks a network, and what it answers: values, and how a question is read. No torch."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment, Range
from engine.tasks import END, PROBE_SIZE, TASKS, Batch, probe, sample
from engine.tasks.base import first_counted, full_lengths, last_counted, last_step_only

LIMITS: dict[str, tuple[str, Range]] = {  # field: what the screen calls it, what it accepts
    "example": ("the number of the example", Range(0, 999, whole=True)),
    "steps": ("the number of steps", Range(0, 200, whole=True)),
    "temperature": ("the temperature", Range(0, 5)),
    "seed": ("the seed", Range(0, 2**31 - 1, whole=True)),
}

BOTH_WAYS = "This network reads both ways, so it cannot go on by itself: it would need what has not been said yet."
NO_NEXT_INPUT = "What this network says is not what it reads next, so it cannot go on by itself."
NOTHING_TYPED = "Nothing can be typed for these data: choose a held-out example."


class QuestionError(ValueError):
    """A question that cannot be asked or answered, as a sentence for the person who asked."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What a person asks.

    Args:
        text: what was typed; None to ask a held-out example.
        example: which one; the probe's sequences first, where none is longer than in training (see `read`).
        steps: how many steps the network goes on by itself after reading; only for tasks that continue.
        temperature: symbols are drawn from softmax(logits / temperature); 0 is always the most probable one.
        seed: of that drawing.

    Raises:
        QuestionError: naming what is out of range.
    """

    text: str | None = None
    example: int = 0
    steps: int = 0
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (called, limits) in LIMITS.items():
            value = getattr(self, name)
            if not limits.holds(value):
                raise QuestionError(f"{called.capitalize()} must be {limits}, but got {value!r}.")


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """What a network said at one step of its training. Arrays are read-only; asking changed nothing.

    T counts what was read from outside, without padding: a whole sequence, an encoder-decoder's source, the first
    input alone of a one_to_many network. n counts what was said after it, each output being the next input.

    Args:
        step: updates made when it was asked.
        inputs: (T,) tokens or (T, input_size), as the network reads them.
        counted: (T,) bool, where an answer is expected while it reads.
        outputs: (T, output_size) class probabilities or values; NaN where the network says nothing.
        targets: (T,) classes or (T, output_size), which mean something where `counted`; None where nobody knows.
        said: (n,) tokens or (n, output_size) values.
        said_outputs: (n, output_size) the probabilities that each symbol came from, at temperature 1; or the values.
        future: (m,) tokens or (m, output_size), what should have been said, as far as it is known; None where not.
    """

    question: Question
    step: int
    inputs: np.ndarray
    counted: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray | None
    said: np.ndarray
    said_outputs: np.ndarray
    future: np.ndarray | None

    def __post_init__(self) -> None:
        for each in fields(self):
            if isinstance(array := getattr(self, each.name), np.ndarray):
                array.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Unpickling makes writable arrays; freeze them again."""
        self.__dict__.update(state)
        self.__post_init__()


@dataclass(frozen=True, eq=False)
class EncodedQuestion:
    """A question as the network gets it: one sequence without padding; whether its targets are known; the future."""

    batch: Batch
    known: bool
    future: np.ndarray | None


def cannot_go_on(experiment: Experiment) -> str:
    """Why this network cannot go on after reading, in a sentence; "" where it can. FED_BACK types speak in any case."""
    if not TASKS[experiment.task].continues or experiment.rnn_type in AUTOREGRESSIVE_TYPES:
        return NO_NEXT_INPUT
    return BOTH_WAYS if experiment.bidirectional else ""


def read(experiment: Experiment, question: Question) -> EncodedQuestion:
    """The question as a batch of one sequence, prepared as in training.

    A held-out example that goes on is kept from the network in part, so that its future is known. A many_to_many
    network reads less of the probe's sequence, but at least half, and as far as the first step that is asked. A
    many_to_one network has learned to answer after seq_len steps: it reads so many, of a held-out sequence of its own
    that is up to twice as long.

    Raises:
        QuestionError: for a text that cannot be read, or steps where the network cannot go on.
    """
    task, speaks = TASKS[experiment.task], experiment.rnn_type in AUTOREGRESSIVE_TYPES
    why_not = cannot_go_on(experiment)
    if question.steps and why_not:
        raise QuestionError(why_not)
    if question.text is not None:
        if task.encode is None:
            raise QuestionError(NOTHING_TYPED)
        try:
            return EncodedQuestion(task.encode(experiment, question.text), False, None)
        except ValueError as error:
            raise QuestionError(str(error)) from error
    if not why_not:
        return _going_on(experiment, question)
    batch = _held_out(experiment, question.example)
    return EncodedQuestion(batch, True, batch.targets[batch.mask[:, 0], 0] if speaks else None)


def _held_out(experiment: Experiment, number: int) -> Batch:
    """One sequence of the test split, without padding; the probe's come first."""
    block, column = divmod(number, PROBE_SIZE)
    batch, one = sample(experiment, PROBE_SIZE, (experiment.seed, block), "test"), slice(column, column + 1)
    real = int(batch.lengths[column])
    if experiment.rnn_type == "one_to_many":  # what is behind a target's end may still be spoken
        return Batch(batch.inputs[:, one], batch.targets[:, one], batch.mask[:, one], batch.lengths[one])
    if batch.decoder_inputs is None:
        return Batch(batch.inputs[:real, one], batch.targets[:real, one], batch.mask[:real, one], batch.lengths[one])
    return Batch(batch.inputs[:real, one], batch.targets[:, one], batch.mask[:, one], batch.lengths[one],
                 batch.decoder_inputs[:, one])  # fmt: skip


def _going_on(experiment: Experiment, question: Question) -> EncodedQuestion:
    """The beginning of a held-out sequence, and what comes after it; see `read`."""
    steps, at_the_end = question.steps, experiment.rnn_type == "many_to_one"
    if at_the_end:
        longest = min(2 * experiment.seq_len, TASKS[experiment.task].lengths.high)
        # The sizes of the network do not matter to the data; small ones are never refused as too much work.
        drawn = _held_out(experiment.replace(seq_len=longest, batch_size=1, hidden_size=1), question.example)
        length, mask = experiment.seq_len, last_step_only(experiment.seq_len, 1)
    else:
        drawn = _held_out(experiment, question.example)
        whole_length, asked = len(drawn.inputs), int(first_counted(drawn.mask)[0]) + 1
        length = max(whole_length + 1 - max(steps, 1), (whole_length + 1) // 2, asked)
        mask = drawn.mask[:length]
    whole = np.concatenate([drawn.inputs, drawn.targets[-1:]])  # the target at t is the input at t + 1
    batch = Batch(whole[:length], whole[1 : length + 1], mask, full_lengths(length, 1))
    return EncodedQuestion(batch, True, whole[length : length + steps, 0] if steps else None)


def ends_itself(experiment: Experiment) -> bool:
    """True where every sequence closes with END, so that a network that has said it has finished.

    (A full stop is a symbol like others in a text that goes on after it.)
    """
    labels, batch = TASKS[experiment.task].output_labels, probe(experiment)
    if END not in labels:
        return False
    last = batch.targets[last_counted(batch.mask), np.arange(PROBE_SIZE)]
    return bool((last == labels.index(END)).all())
