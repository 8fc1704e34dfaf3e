"""Many sequences of numbers in a script, with a class each or the next step as the question."""

from __future__ import annotations

import numpy as np

from engine.codegen.own.words import DRAW, add_parts
from engine.codegen.own.writer import Own, commented
from engine.data.content import SequencesContent
from engine.data.dataset import Dataset
from engine.data.tasks import sequences as task_of_sequences
from engine.data.tasks.sequences import first_answer


def sequences(own: Own, dataset: Dataset, content: SequencesContent) -> None:
    """Add the sequences, scaled as a network reads them, and `draw`."""
    own.need(task_of_sequences.__name__, "scaled")
    whole = np.concatenate(content.arrays).astype(np.float32)
    own.numbers("STEPS_JOINED", whole, f"the sequences of {commented(dataset.name)}, as they are after reading, joined")
    own.whole_numbers("LENGTHS", [len(each) for each in content.arrays], "steps of each")
    own.constant(f"MEAN = np.array({content.mean.tolist()}, np.{content.mean.dtype.name})", "of the trained part")
    own.add(f"SD = np.array({content.sd.tolist()}, np.{content.sd.dtype.name})")
    own.add("RAW = np.split(STEPS_JOINED, np.cumsum(LENGTHS)[:-1])")
    own.add("SEQUENCES = [scaled(each, MEAN, SD) for each in RAW]")
    if content.labels is None:
        _next_step(own, content)
    else:
        _classes(own, content, content.labels)


def _classes(own: Own, content: SequencesContent, labels: np.ndarray) -> None:
    classes = ", ".join(map(commented, content.classes[:6]))
    own.whole_numbers("LABELS", labels, f"the class of each, a number of: {classes}")
    add_parts(own, content.held)
    own.add(
        DRAW,
        '    """Sequences, cut after SEQ_LEN steps; the class is asked at the end of each."""',
        "    rows = rng.choice(ROWS[split], batch_size)",
        "    lengths = np.minimum(LENGTHS[rows], SEQ_LEN)",
        "    inputs = np.zeros((SEQ_LEN, batch_size, INPUT_SIZE), np.float32)",
        "    for column, row in enumerate(rows):",
        "        inputs[: lengths[column], column] = SEQUENCES[row][:SEQ_LEN]",
        "    targets, mask = np.zeros((SEQ_LEN, batch_size), np.int64), np.zeros((SEQ_LEN, batch_size), bool)",
        "    ends = lengths - 1, np.arange(batch_size)",
        "    targets[ends], mask[ends] = LABELS[rows], True",
        "    return Batch(inputs, targets, mask, lengths)",
    )


def _next_step(own: Own, content: SequencesContent) -> None:
    first = np.array([first_answer(~np.isnan(each).any(1)) for each in content.arrays])
    own.whole_numbers("FIRST", first, "the first step after step 0 that is known; 0 if there is none")
    add_parts(own, content.held)
    own.add("ROWS = {split: rows[FIRST[rows] > 0] for split, rows in ROWS.items()}")
    own.add(
        DRAW,
        '    """Sequences, cut after SEQ_LEN steps; after each step the next is asked, where it is known."""',
        "    asked = ROWS[split][FIRST[ROWS[split]] <= SEQ_LEN]",
        "    rows = rng.choice(asked if len(asked) else ROWS[split], batch_size)",
        "    inputs, targets = np.zeros((2, SEQ_LEN, batch_size, INPUT_SIZE), np.float32)",
        "    mask = np.zeros((SEQ_LEN, batch_size), bool)",
        "    for column, row in enumerate(rows):",
        "        read, following = SEQUENCES[row][:SEQ_LEN], SEQUENCES[row][1 : SEQ_LEN + 1]",
        "        inputs[: len(read), column], targets[: len(following), column] = read, following",
        "        mask[: len(following), column] = ~np.isnan(RAW[row][1 : SEQ_LEN + 1]).any(1)",
        "    return Batch(inputs, targets, mask, np.minimum(LENGTHS[rows], SEQ_LEN))",
    )
