"""The type of a batch of sequences. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch of sequences, time first.

    one_to_many: only `inputs[0]` comes from outside; from step 1 on the inputs hold the previous target. A free-running
    network replaces it by its own previous output (the token, or its one-hot code in the last output_size channels).

    encoder_decoder: `inputs` is the source; `targets` and `mask` belong to the target side.

    Args:
        inputs: (T, batch, input_size) float32, or (T, batch) int64 tokens, where NO_SYMBOL is the zero vector.
        targets: (T, batch, output_size) float32, or (T, batch) int64 classes; read only where `mask` is True.
        mask: (T, batch) bool, True where a step has a loss.
        lengths: (batch,) int64, the steps of `inputs` that are real; padding begins there.
        decoder_inputs: encoder_decoder only, (target steps, batch) int64: the previous target, NO_SYMBOL before the
            first.
        origin: (batch, 2) int64, where real data were taken from: the number of the series, text or row, and the place
            in it of input step 0. None where the task does not say.
        data_lengths: (batch,) int64, the steps that hold data, where padding is read as if it were data; else None.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    lengths: np.ndarray
    decoder_inputs: np.ndarray | None = None
    origin: np.ndarray | None = None
    data_lengths: np.ndarray | None = None

    @property
    def padding_read(self) -> np.ndarray:
        """(T, batch) bool: steps that are read as if they were real, and are padding."""
        if self.data_lengths is None:
            return np.zeros((len(self.inputs), len(self.lengths)), bool)
        at = np.arange(len(self.inputs))[:, None]
        return (at >= self.data_lengths) & (at < self.lengths)

    @property
    def source_steps(self) -> int:
        """Steps of the time axis that belong to the source; 0 if there is no decoder."""
        return 0 if self.decoder_inputs is None else len(self.inputs)

    @property
    def counted(self) -> np.ndarray:
        """(all steps, batch) bool, True where a step has a loss; the source's steps first, which have none."""
        return self.after_source(self.mask, False)

    @property
    def valid(self) -> np.ndarray:
        """(all steps, batch) bool: real steps, not padding; the source's steps first, then the target's."""
        read = np.arange(len(self.inputs))[:, None] < self.lengths
        if self.decoder_inputs is None:
            return read
        answered = np.arange(len(self.mask))[:, None] <= last_counted(self.mask)
        return np.concatenate([read, answered])

    def after_source(self, values: np.ndarray, fill: float) -> np.ndarray:
        """Values of the target side, (target steps, ...), on the whole time axis: `fill` in the source's steps."""
        return np.concatenate([np.full((self.source_steps, *values.shape[1:]), fill, values.dtype), values])

    def single_sequence(self, sequence: int) -> Batch:
        """A batch of one of these sequences, with its padding."""
        return self.some(slice(sequence, sequence + 1))

    def between(self, start: int, stop: int) -> Batch:
        """These steps of sequences without padding and without a target side."""
        steps, size = slice(start, stop), len(self.lengths)
        lengths = np.full(size, stop - start, np.int64)
        return Batch(self.inputs[steps], self.targets[steps], self.mask[steps], lengths)

    def some(self, chosen: slice | np.ndarray) -> Batch:
        """A batch of some of these sequences, with their padding."""
        decoder_inputs = None if self.decoder_inputs is None else self.decoder_inputs[:, chosen]
        origin = None if self.origin is None else self.origin[chosen]
        return Batch(
            self.inputs[:, chosen], self.targets[:, chosen], self.mask[:, chosen], self.lengths[chosen], decoder_inputs,
            origin, None if self.data_lengths is None else self.data_lengths[chosen],
        )  # fmt: skip

    def at_ends(self, values: np.ndarray) -> np.ndarray:
        """Values of each sequence, (batch, ...), at its last real step: (T, batch, ...), NaN at all other steps."""
        on_axis = np.full((len(self.mask), *values.shape), np.nan, values.dtype)
        on_axis[self.lengths - 1, np.arange(len(self.lengths))] = values
        return on_axis


def last_counted(mask: np.ndarray) -> np.ndarray:
    """(batch,) the last step that has a loss."""
    return len(mask) - 1 - mask[::-1].argmax(0)


def first_counted(mask: np.ndarray) -> np.ndarray:
    """(batch,) the first step that has a loss."""
    return mask.argmax(0)
