"""Whether settings fit their task. NumPy only."""

from __future__ import annotations

from typing import Protocol

from engine.tasks.base import DataSettings
from engine.tasks.chunks import Chunks
from engine.tasks.own import RecordedTask


class TaskSettings(DataSettings, Protocol):
    """All settings that go together with a task, or do not."""

    @property
    def batch_size(self) -> int:
        """Sequences side by side."""

    @property
    def bidirectional(self) -> bool:
        """The network reads both ways."""

    @property
    def train_set(self) -> int:
        """Sequences of a fixed training set; 0 for none."""

    @property
    def tbptt(self) -> int:
        """Steps after which the gradient is cut within an update; 0 for none."""

    @property
    def embedding_size(self) -> int:
        """Numbers for each symbol; 0 for none."""

    @property
    def loss(self) -> str:
        """That of numbers."""

    @property
    def tied_weights(self) -> bool:
        """The head has the weights of the embedding."""

    @property
    def hidden_size(self) -> int:
        """Units of a layer."""

    @property
    def output_layers(self) -> int:
        """Feed-forward layers above the recurrent ones."""

    @property
    def readout_size(self) -> int:
        """Values that the first layer above the recurrent ones reads."""

    @property
    def carry_state(self) -> bool:
        """The state is carried on from one update to the next."""


def misfit(settings: TaskSettings, has_state: bool) -> tuple[str, str] | None:
    """The first setting that does not fit the task, and what it accepts; None if all do.

    Args:
        has_state: the cell is recurrent.
    """
    task = settings.definition
    low, high = task.lengths.low, task.lengths.high
    if settings.horizon > task.farthest:
        return "horizon", f"{f'a whole number from 1 to {task.farthest}' if task.farthest > 1 else 1} for {task.title}"
    if not low <= settings.seq_len <= high:
        return "seq_len", f"a whole number from {low} to {high} for {task.title}"
    if settings.shortest and task.shorten is None:
        return "shortest", f"0 for {task.title}"
    if settings.shortest and not low <= settings.shortest <= settings.seq_len:
        return "shortest", f"0, or from {low} to seq_len"
    if settings.embedding_size and task.inputs != "symbols":
        return "embedding_size", "0 where the inputs are numbers"
    if settings.loss != "mse" and task.outputs != "values":
        return "loss", "mse where the outputs are classes: their loss is the cross-entropy"
    if settings.tied_weights and (why := _why_not_tied(settings)):
        return "tied_weights", f"false {why}"
    return _why_not_carried(settings, has_state) if settings.carry_state else None


def _why_not_tied(settings: TaskSettings) -> str:
    """Why the head cannot have the weights of the embedding; "" if it can."""
    task, width = settings.definition, settings.hidden_size if settings.output_layers else settings.readout_size
    is_other = settings.rnn_type != "encoder_decoder" and task.input_labels != task.output_labels
    if task.inputs != "symbols" or task.outputs != "symbols" or is_other:
        return f"where what is read and what is said are not the same symbols, as for {task.title}"
    if settings.embedding_size != width:
        return f"unless embedding_size is {width}, the number of values that the head reads"
    return ""


def _why_not_carried(settings: TaskSettings, has_state: bool) -> tuple[str, str] | None:
    """The first setting that a carried state does not go together with, and what it accepts; None if there is none."""
    task, seq_len = settings.definition, settings.seq_len
    recorded = isinstance(task, RecordedTask)  # it was checked where its data were
    refused = {
        f"for {task.title}, whose sequences do not go on from one to the next": not (recorded or task.passages),
        "unless there is an output at every step (many to many)": settings.rnn_type != "many_to_many",
        "for a feed-forward cell, which has no state": not has_state,
        "for a network that reads both ways: it would have to begin at the end of the text": settings.bidirectional,
    }
    for why, holds in refused.items():
        if holds:
            return "carry_state", f"false {why}"
    if settings.train_set:
        return "train_set", "0 where the state is carried on, which reads the whole text or series"
    if settings.tbptt:
        return "tbptt", "0 where the state is carried on, which cuts after each update"
    longest = task.lengths.high // 2
    if seq_len > longest:
        return "seq_len", f"at most {longest} where the state is carried on, for a warm-up that is as long"
    chunks = len(Chunks(task.passages(settings), seq_len, 1).starts) if task.passages else 0
    if recorded or 2 * settings.batch_size <= chunks:
        return None
    found = f"{task.title} has {chunks} chunks of seq_len {seq_len}, and each sequence of a batch needs two, to go on"
    return "batch_size", f"at most {chunks // 2} where the state is carried on: {found} from one to the next"
