"""The two networks of the first minute, at a number of words in between."""

from __future__ import annotations

from dataclasses import dataclass

from engine.experiment import Experiment
from engine.tasks import TASKS, probe
from engine.tasks.unknown_words import UNKNOWN

TASK = "themselves"
SHORTEST = 4
"""Words of the sentence with nothing in between: "they wanted more for"."""
MAX_WORDS = 30
UPDATES = 800
"""After so many updates a network that has not learned it has its result, too."""
UPDATES_PER_SECOND = 40.0
"""Of each network: slow enough to watch, and 800 updates in 20 seconds. A busy machine makes fewer."""
BEGINS = ("they", "wanted", "more")

SHARED = Experiment(
    task=TASK, rnn_type="many_to_one", cell="rnn", seq_len=SHORTEST, hidden_size=16, batch_size=32,
    learning_rate=0.003, steps=UPDATES,
)  # fmt: skip
"""What both networks have in common, with nothing in between."""
FORGET_BIAS = 3.0
"""Of the LSTM, as in the course: its forget gates start open. PyTorch's own, 0, learns 30 words only by luck."""


SEEDS = (
    7, 7, 7, 557, 7, 7, 7, 7, 7, 120, 120, 7, 145, 7, 165, 165, 120, 120, 120, 165, 165, 159, 165, 120, 165, 241, 165,
    165, 159, 165, 159,
)  # fmt: skip
"""By words in between, the first seed whose drawn sentence begins as the page says it: "they wanted more".

They were found by the sentence alone, without a look at how the training of that seed goes.
"""


def sentence(experiment: Experiment) -> list[str]:
    """The drawn sequence of a run, in words."""
    return [TASKS[TASK].input_labels[token] for token in probe(experiment).inputs[:, 0]]


def begins(words: list[str]) -> bool:
    """True if the sentence begins with BEGINS, "often" apart, which some lengths need, and has no unknown word."""
    return UNKNOWN not in words and tuple(word for word in words if word != "often")[: len(BEGINS)] == BEGINS


@dataclass(frozen=True)
class FirstMinute:
    """The race of an RNN and an LSTM on the same sentences.

    Args:
        words: in between, from 0 to MAX_WORDS.
    """

    words: int = 0

    @property
    def lanes(self) -> tuple[Experiment, ...]:
        """The RNN, then the LSTM."""
        rnn = SHARED.replace(seq_len=SHORTEST + self.words, seed=SEEDS[self.words])
        return rnn, rnn.replace(cell="lstm", forget_bias=FORGET_BIAS)

    @property
    def names(self) -> tuple[str, ...]:
        """As the field calls them."""
        return "RNN", "LSTM"

    @property
    def seeds(self) -> int:
        """One network a lane."""
        return 1

    @property
    def limit(self) -> float | None:
        """Updates per second of each."""
        return UPDATES_PER_SECOND


def read_words(raw: object) -> int | None:
    """A number of words in between, from a link or from the browser; None if it is not one."""
    if isinstance(raw, str) and raw.isdecimal() and len(raw) <= 3:
        raw = int(raw)
    return raw if type(raw) is int and 0 <= raw <= MAX_WORDS else None
