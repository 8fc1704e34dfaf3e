"""What a network did not know in its input, and how sure it is all the same. No torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.ask.question import Answer
from engine.experiment import Experiment
from engine.tasks import held_out, sample, task_of
from engine.tasks.unknown_words import UNKNOWN_TOKEN, has_unknown, not_in_vocabulary

COUNTED_SEQUENCES = 2048
"""Training sequences in which unknown words are counted; their share is then right to about half a percentage point."""
NEAR = 0.2
"""Up to this far from the share of its class, a probability counts as a guess. Networks that had solved their task gave
inputs of unknown words alone 0.51 to 0.74 where both classes are equally common."""


@dataclass(frozen=True)
class UnknownInput:
    """The unknown part of an input.

    Args:
        words: typed words, or characters, outside the vocabulary, each once; empty for a held-out example.
        count, of: number of input symbols that were read as the unknown one, and of all.
        trained_share: share of the unknown symbol among the input symbols of training, counted.
        probability: of the class that the network chose; None if it was not asked exactly once.
        class_share: how common that class is among the held-out answers; None as well.
    """

    words: tuple[str, ...]
    count: int
    of: int
    trained_share: float
    probability: float | None
    class_share: float | None

    @property
    def is_guess(self) -> bool:
        """True if the network is hardly surer than somebody who knows only how common the class is."""
        if self.probability is None or self.class_share is None:
            return False
        return self.probability - self.class_share < NEAR


def unknown_input(experiment: Experiment, answer: Answer) -> UnknownInput | None:
    """The unknown part of an answer's input; None if all of it is known."""
    task = task_of(experiment)
    if task.inputs != "symbols" or not has_unknown(task.input_labels):
        return None
    count = int((answer.inputs == UNKNOWN_TOKEN).sum())
    if not count:
        return None
    text = answer.question.text
    probability, class_share = _sureness(experiment, answer)
    return UnknownInput(
        words=() if text is None else tuple(not_in_vocabulary(text, task.input_labels)),
        count=count,
        of=int((answer.inputs >= 0).sum()),
        trained_share=trained_share(experiment),
        probability=probability,
        class_share=class_share,
    )


def trained_share(experiment: Experiment) -> float:
    """The share of the unknown symbol among the input symbols of training, counted in COUNTED_SEQUENCES of them."""
    inputs = sample(experiment, COUNTED_SEQUENCES, (experiment.seed, 1)).inputs
    return float((inputs == UNKNOWN_TOKEN).sum() / (inputs >= 0).sum())


def _sureness(experiment: Experiment, answer: Answer) -> tuple[float | None, float | None]:
    """Probability of the chosen class, and its share of the held-out answers; None without exactly one answer."""
    if answer.counted.sum() != 1 or len(answer.generated):
        return None, None
    row, batch = answer.outputs[answer.counted][0], held_out(experiment)
    chosen = int(row.argmax())
    return float(row[chosen]), float(np.mean(batch.targets[batch.mask] == chosen))
