"""Many sequences of numbers in a script, with a class each or the next step as the question."""

from __future__ import annotations

import numpy as np

from engine.codegen.own.file import cells_by_line, number_cells, open_file
from engine.codegen.own.words import DRAW, add_parts
from engine.codegen.own.writer import Own, checked, commented, listed
from engine.data import limits
from engine.data.content import SequencesContent
from engine.data.dataset import Dataset
from engine.data.kinds import sequence_arrays
from engine.data.layout import Layout
from engine.data.tasks import sequences as task_of_sequences
from engine.data.tasks.sequences import first_answer


def sequences(own: Own, dataset: Dataset, content: SequencesContent) -> None:
    """Add the sequences, scaled as a network reads them, and `draw`."""
    own.need(task_of_sequences.__name__, "scaled")
    if dataset.layout is None:
        whole = np.concatenate(content.arrays).astype(np.float32)
        says = f"the sequences of {commented(dataset.name)}, as they are after reading, joined"
        own.numbers("STEPS_JOINED", whole, says)
        own.whole_numbers("LENGTHS", [len(each) for each in content.arrays], "steps of each")
        own.add("RAW = np.split(STEPS_JOINED, np.cumsum(LENGTHS)[:-1])")
    else:
        _read(own, dataset, dataset.layout, content)
    own.constant(f"MEAN = np.array({content.mean.tolist()}, np.{content.mean.dtype.name})", "of the trained part")
    own.add(f"SD = np.array({content.sd.tolist()}, np.{content.sd.dtype.name})")
    own.add("SEQUENCES = [scaled(each, MEAN, SD) for each in RAW]")
    if content.labels is None:
        _next_step(own, content)
    else:
        _classes(own, content, content.labels)


def _read(own: Own, dataset: Dataset, layout: Layout, content: SequencesContent) -> None:
    """Add RAW and LENGTHS, and LABELS where the file names the classes, read from the file."""
    open_file(own, dataset)
    cells_by_line(own, layout)
    own.whole_numbers("LINES", content.lines, "of the file, counted from 1, that are used")
    own.whole_numbers("COLUMNS", layout.places[: len(layout.decimals)], "of the file, counted from 0, with the steps")
    read = number_cells(own, layout, some_missing=True)
    own.need(limits.__name__, "HUGE")
    own.need(sequence_arrays.__name__, "means_between", "thinned")
    own.add(
        "def sequences_of_file() -> list[np.ndarray]:",
        '    """A sequence a line, (steps, 1), up to the last number in it; NaN where one is missing."""',
        "    cells, found = cells_by_line(), []",
        "    for line in LINES.tolist():",
        f"        steps = np.array([{read}])",
        "        steps = steps[: np.flatnonzero(~np.isnan(steps))[-1] + 1, None]",
        "        steps = np.where(np.abs(steps) < HUGE, steps, np.nan)",
        f"        found.append(thinned(steps, {content.thinned}).astype(np.float32))",
        *checked("np.nan_to_num(np.concatenate(found))", np.nan_to_num(np.concatenate(content.arrays)), "numbers"),
        "    return found",
    )
    own.add("RAW = sequences_of_file()")
    own.add("LENGTHS = np.array([len(each) for each in RAW])")
    if len(layout.places) > len(layout.decimals):
        own.add(f"CLASSES = {listed(content.classes)}")
        own.add("CELLS = cells_by_line()")
        own.add(
            f"LABELS = np.array([CLASSES.index(CELLS[line][{layout.places[-1]}].strip()) for line in LINES.tolist()])"
        )


def _classes(own: Own, content: SequencesContent, labels: np.ndarray) -> None:
    if not any(part.startswith("LABELS = ") for part in own.parts):
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
