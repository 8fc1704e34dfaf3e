"""Questions to a network and its answers, as values, and how a question is encoded. No torch."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.limits import Range
from engine.tasks import END, NO_SYMBOL, PROBE_SIZE, Batch, probe, sample, task_of
from engine.tasks.base import full_lengths, last_step_only
from engine.tasks.batch import first_counted, last_counted
from engine.tasks.bugs import read_with_bug

LIMITS: dict[str, tuple[str, Range]] = {  # field: (name on the screen, accepted range)
    "example": ("the number of the example", Range(0, 999, whole=True)),
    "steps": ("the number of steps", Range(0, 200, whole=True)),
    "temperature": ("the temperature", Range(0, 5)),
    "seed": ("the seed", Range(0, 2**31 - 1, whole=True)),
}

READS_BOTH_WAYS = (
    "This network reads both ways, so it cannot go on by itself: it would need outputs that do not exist yet."
)
NO_NEXT_INPUT = "The output of this network is not its next input, so it cannot go on by itself."
NOTHING_TYPED = "Nothing can be typed for these data: choose a held-out example."


class QuestionError(ValueError):
    """A question that cannot be answered; the message is for the user."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question to a network.

    Args:
        text: the typed text; None for a held-out example.
        example: its number; those of the probe come first (for other lengths see `encode_question`).
        steps: how many steps the network goes on by itself after reading; only for tasks that continue.
        temperature: symbols are drawn from softmax(logits / temperature); 0 is always the most probable one.
        seed: seed of that sampling.

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
    """The answer of a network at one step of its training. Arrays are read-only.

    T is the number of inputs from outside, without padding: a whole sequence, the source of an encoder-decoder, the
    single input of a one_to_many network. n is the number of outputs after them, each being the next input.

    Args:
        step: updates made before the question.
        inputs: (T,) tokens or (T, input_size), as the network reads them.
        counted: (T,) bool, where an answer is expected while it reads.
        outputs: (T, output_size) class probabilities or values; NaN where the network has no output.
        targets: (T,) classes or (T, output_size), valid where `counted`; None if unknown.
        generated: (n,) tokens or (n, output_size) values, the outputs after the inputs.
        generated_outputs: (n, output_size) class probabilities of these outputs, at temperature 1; or the values.
        future: (m,) tokens or (m, output_size), the true continuation as far as it is known; None if unknown.
    """

    question: Question
    step: int
    inputs: np.ndarray
    counted: np.ndarray
    outputs: np.ndarray
    targets: np.ndarray | None
    generated: np.ndarray
    generated_outputs: np.ndarray
    future: np.ndarray | None

    @property
    def read_nothing(self) -> bool:
        """True if the only input was the zero vector, so that the output is the probability of each first symbol."""
        return self.inputs.shape == (1,) and bool(self.inputs[0] == NO_SYMBOL)

    def __post_init__(self) -> None:
        for each in fields(self):
            if isinstance(array := getattr(self, each.name), np.ndarray):
                array.flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Freeze the arrays again, since unpickling makes them writable."""
        self.__dict__.update(state)
        self.__post_init__()


@dataclass(frozen=True, eq=False)
class EncodedQuestion:
    """A question as a batch of one sequence without padding; whether its targets are known; the true continuation."""

    batch: Batch
    known: bool
    future: np.ndarray | None


def reason_not_to_continue(experiment: Experiment) -> str:
    """Why this network cannot continue after its input, in a sentence; "" if it can.

    AUTOREGRESSIVE_TYPES generate outputs in any case, but do not continue an input.
    """
    if not task_of(experiment).continues or experiment.rnn_type in AUTOREGRESSIVE_TYPES:
        return NO_NEXT_INPUT
    return READS_BOTH_WAYS if experiment.bidirectional else ""


def encode_question(experiment: Experiment, question: Question) -> EncodedQuestion:
    """Encode a question as a batch of one sequence, prepared as in training.

    If the network continues a held-out example, it reads only the beginning, so that the true continuation is known. A
    many_to_many network reads at least half of the probe's sequence, and at least up to its first loss. A many_to_one
    network has learned to answer after seq_len steps: it reads that many steps of another held-out sequence, which is
    up to twice as long.

    Raises:
        QuestionError: for a text that cannot be read, or steps > 0 if the network cannot continue.
    """
    task, is_autoregressive = task_of(experiment), experiment.rnn_type in AUTOREGRESSIVE_TYPES
    why_not = reason_not_to_continue(experiment)
    if question.steps and why_not:
        raise QuestionError(why_not)
    if question.text is not None:
        if task.encode is None:
            raise QuestionError(NOTHING_TYPED)
        try:
            read = read_with_bug(experiment.bug, experiment.seq_len, task.encode(experiment, question.text))
            return EncodedQuestion(read, False, None)
        except ValueError as error:
            raise QuestionError(str(error)) from error
    if not why_not:
        return _beginning_and_future(experiment, question)
    batch = _held_out(experiment, question.example)
    return EncodedQuestion(batch, True, batch.targets[batch.mask[:, 0], 0] if is_autoregressive else None)


def _held_out(experiment: Experiment, number: int) -> Batch:
    """One sequence of the test split, without padding; the probe's come first."""
    block, column = divmod(number, PROBE_SIZE)
    one = sample(experiment, PROBE_SIZE, (experiment.seed, block), "test").single_sequence(column)
    real = int(one.lengths[0])
    if experiment.rnn_type == "one_to_many":  # the network may generate more steps than the target has
        return one
    if one.decoder_inputs is None:
        return replace(one, inputs=one.inputs[:real], targets=one.targets[:real], mask=one.mask[:real])
    return replace(one, inputs=one.inputs[:real])


def _beginning_and_future(experiment: Experiment, question: Question) -> EncodedQuestion:
    """The beginning of a held-out sequence, and its continuation; see `encode_question`."""
    steps, at_the_end = question.steps, experiment.rnn_type == "many_to_one"
    if at_the_end:
        longest = min(2 * experiment.seq_len, task_of(experiment).lengths.high)
        # The data do not depend on the network's size; a small one stays below the cost limit.
        drawn = _held_out(experiment.replace(seq_len=longest, batch_size=1, hidden_size=1), question.example)
        length, mask = experiment.seq_len, last_step_only(experiment.seq_len, 1)
    else:
        drawn = _held_out(experiment, question.example)
        whole_length, asked = len(drawn.inputs), int(first_counted(drawn.mask)[0]) + 1
        length = max(whole_length + 1 - max(steps, 1), (whole_length + 1) // 2, asked)
        mask = drawn.mask[:length]
    whole = np.concatenate([drawn.inputs, drawn.targets[-1:]])  # the target at t is the input at t + 1
    batch = Batch(whole[:length], whole[1 : length + 1], mask, full_lengths(length, 1), origin=drawn.origin)
    return EncodedQuestion(batch, True, whole[length : length + steps, 0] if steps else None)


def ends_itself(experiment: Experiment) -> bool:
    """True if every target sequence ends with END, so that the network has finished once it outputs END.

    In running text END, the full stop, is a symbol like any other.
    """
    labels, batch = task_of(experiment).output_labels, probe(experiment)
    if END not in labels:
        return False
    last = batch.targets[last_counted(batch.mask), np.arange(PROBE_SIZE)]
    return bool((last == labels.index(END)).all())
