"""The drawn sequence with symbols that somebody typed, or a whole typed sentence, as a batch with targets."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from engine.experiment import AUTOREGRESSIVE_TYPES
from engine.frame.typed_frame import TypedSentenceError
from engine.lens.forward_trace import DRAWN
from engine.model import RecurrentNetwork
from engine.tasks import END, NO_SYMBOL, Batch, task_of
from engine.tasks.base import NO_ANSWER
from engine.tasks.bugs import read_with_bug
from engine.tasks.text_input import encode_symbol


def typed_sequence(
    model: RecurrentNetwork, probe: Batch, changes: Mapping[int, str], sentence: str = ""
) -> tuple[Batch, np.ndarray]:
    """The drawn sequence alone with some symbols changed, and where its targets are the right answer.

    Losses stay at the steps where they are in the drawn sequence, or are where the task asks in a typed sentence; the
    answer of an encoder-decoder has its own length. Draws no random number.

    Args:
        changes: {position: the symbol's label}.
        sentence: a text that takes the place of the drawn sequence, of any length that the task reads; "": none.

    Returns:
        The batch, and (T,) bool on the whole time axis, False where a target is the network's own answer.

    Raises:
        TypedSentenceError: for a change that cannot be made, and for a sentence that cannot be read.
    """
    e, drawn = model.experiment, probe.single_sequence(DRAWN)
    task = task_of(e)
    if sentence:
        drawn = _read(model, drawn, sentence)
    inputs = _changed(model, drawn, changes)
    if not sentence and np.array_equal(inputs, drawn.inputs):
        return drawn, drawn.counted[:, 0].copy()
    batch = dataclasses.replace(drawn, inputs=inputs)
    targets = np.full_like(drawn.targets, NO_ANSWER) if task.answers is None else task.answers(e, inputs)
    if e.rnn_type in AUTOREGRESSIVE_TYPES:
        return _answered(model, batch, targets)
    known = drawn.mask & (targets != NO_ANSWER)
    if not known[drawn.mask].all():
        targets = np.where(known, targets, _own_answers(model, batch))
    return dataclasses.replace(batch, targets=np.where(drawn.mask, targets, drawn.targets)), known[:, 0]


def _read(model: RecurrentNetwork, drawn: Batch, sentence: str) -> Batch:
    """The sentence in the place of the drawn sequence, or of its source; its targets are not known yet."""
    e = model.experiment
    task = task_of(e)
    if task.encode is None or not (model.symbols_in and model.symbols_out) or e.rnn_type == "one_to_many":
        raise TypedSentenceError("This network reads no sentences.")
    try:
        read = read_with_bug(e.bug, e.seq_len, task.encode(e, sentence))
    except ValueError as error:
        raise TypedSentenceError(str(error)) from error
    if drawn.decoder_inputs is not None:
        return dataclasses.replace(drawn, inputs=read.inputs, lengths=read.lengths)
    if not read.mask.any():
        raise TypedSentenceError("Nothing in this text asks for an answer.")
    return read


def _changed(model: RecurrentNetwork, drawn: Batch, changes: Mapping[int, str]) -> np.ndarray:
    """The inputs (T, 1) with the changes made."""
    task, rnn_type = task_of(model.experiment), model.experiment.rnn_type
    if not (model.symbols_in and model.symbols_out):
        raise TypedSentenceError("The inputs of this network are not symbols, so nothing can be typed for it.")
    steps = 1 if rnn_type == "one_to_many" else int(drawn.lengths[0])
    first = 0 if drawn.inputs[0, 0] != NO_SYMBOL else 1  # before the first symbol there may be a step with none
    inputs = drawn.inputs.copy()
    for position, label in changes.items():
        if type(position) is not int or not first <= position < steps:
            kind = "source" if drawn.source_steps else "first input" if rnn_type == "one_to_many" else "sequence"
            places = f"positions {first} to {steps - 1}" if steps - 1 > first else f"position {first}"
            raise TypedSentenceError(f"Only the {kind} can be changed, which has {places}, but got {position}.")
        try:
            inputs[position] = encode_symbol(label, task.input_labels)
        except ValueError as error:
            raise TypedSentenceError(f"At position {position}: {error}") from error
    return inputs


def _answered(model: RecurrentNetwork, batch: Batch, targets: np.ndarray) -> tuple[Batch, np.ndarray]:
    """A whole answer to a changed source or first input, which is fed back as training would: each target is the next
    input. The right answer if the rule gives one, otherwise what the network says by itself."""
    mask = batch.mask
    known = bool((targets != NO_ANSWER).any())
    if not known:
        targets = _own_answers(model, batch)
    if batch.decoder_inputs is None:
        inputs = np.concatenate([batch.inputs[:1], targets[:-1]])
        return dataclasses.replace(batch, inputs=inputs, targets=targets), mask[:, 0] & known
    labels = task_of(model.experiment).output_labels
    if known:
        mask = targets != NO_ANSWER
    elif END in labels:
        ended = (targets == labels.index(END)).cumsum(0)
        mask = np.concatenate([np.ones_like(mask[:1]), ended[:-1] == 0])
    targets = np.where(mask, targets, 0)
    before = np.concatenate([np.full((1, 1), NO_SYMBOL), targets[:-1]])
    batch = dataclasses.replace(batch, targets=targets, mask=mask, decoder_inputs=np.where(mask, before, NO_SYMBOL))
    return batch, batch.counted[:, 0] & known


@torch.no_grad()
def _own_answers(model: RecurrentNetwork, batch: Batch) -> np.ndarray:
    """The most probable class at every step, (T, 1); where outputs are fed back, of the free-running network."""
    training = model.training
    model.eval()
    try:
        is_fed_back = model.experiment.rnn_type in AUTOREGRESSIVE_TYPES
        logits = model.generate(batch) if is_fed_back else model(batch)
    finally:
        model.train(training)
    answers = logits.argmax(-1).cpu().numpy()
    return np.broadcast_to(answers, batch.mask.shape).copy()
