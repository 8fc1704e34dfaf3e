"""Many sequences of numbers, perhaps with a class each."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.data.content import SequencesContent
from engine.data.kinds.split import NOTHING, Given, check_sides, say_copies
from engine.data.limits import HUGE, LOPSIDED, MAX_CHANNELS, MAX_CLASSES, MAX_SEQUENCES
from engine.data.problems import DataError, Notes, left_out
from engine.data.tasks.sequences import first_answer, held_out_baselines
from engine.number_format import count, verb

MIN_SEQUENCES = 4
MIN_STEPS = 2  # of the longest
MAX_STEPS = 64  # longer sequences are thinned: a network that reads hundreds of steps at once learns nothing in time
TEST_SHARE = 0.2
SMALLEST_SD = 1e-9


@dataclass(frozen=True, eq=False)
class Origin:
    """Where sequences come from.

    Args:
        lines: (n,) int64.
        label, groups: names of the columns of the classes and of what is kept on one side of the split, or None.
        given: what the file says of the split.
    """

    lines: np.ndarray
    label: str | None = None
    groups: str | None = None
    given: Given = NOTHING

    def only(self, kept: list[int]) -> Origin:
        """The same of some of the sequences."""
        return Origin(self.lines[kept], self.label, self.groups, self.given.only(kept))


def of_arrays(
    arrays: Sequence[np.ndarray],
    labels: Sequence[str | None] | None,
    origin: Origin,
    notes: Notes,
    choices: dict[str, Any],
) -> tuple[dict[str, Any], SequencesContent]:
    """Summary and content of sequences.

    Args:
        arrays: (steps, channels) float64 each; NaN where missing.
        labels: the class of each, None where it is missing; None if there are no classes, and the question is the next
            step.

    Raises:
        DataError: for too few sequences, different channels, one class, too many of these, values that never change.
    """
    _check_channels(arrays, origin.lines)
    given, names, origin = _with_class(arrays, labels, origin, notes)
    if len(given) < MIN_SEQUENCES:
        there = f"There {verb(len(given), 'is', 'are')} {count(len(given), 'sequence')}"
        raise DataError(f"{there}; at least {MIN_SEQUENCES} are needed.", _first(origin.lines))
    if len(given) > MAX_SEQUENCES:
        raise DataError(
            f"There are {len(given):,} sequences; at most {MAX_SEQUENCES:,} are read.", _first(origin.lines)
        )
    lengths = [len(array) for array in given]
    thin = _thinning(max(lengths), choices, notes)
    read = tuple(thinned(array, thin).astype(np.float32) for array in _finite(given, origin.lines, notes))
    keys = [hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in given]
    held = origin.given.divided(keys, choices.get("test_share", TEST_SHARE), names)
    check_sides(held, "sequences", _first(origin.lines))
    say_copies(keys, held, origin.lines, notes, "sequence")
    if names is None:
        _check_answers(read, held)
    mean, sd = _scale(read, held, notes)
    classes = tuple(sorted(set(names))) if names is not None else ()
    numbers = None if names is None else np.searchsorted(classes, names).astype(np.int64)
    channels = _channel_names(read[0].shape[1])
    content = SequencesContent(read, numbers, classes, channels, held, origin.lines, mean, sd, thin)
    summary = {
        "rows": len(read),
        "sequences": len(read),
        "channels": len(channels),
        "classes": None if names is None else dict(Counter(names).most_common()),
        "label": origin.label,
        "groups": origin.groups,
        "lengths": [min(lengths), int(np.median(lengths)), max(lengths)],
        "thinned": thin,
        "train": int((~held).sum()),
        "test": int(held.sum()),
        "baselines": held_out_baselines(content),
    }
    return summary, content


def _first(lines: np.ndarray) -> int | None:
    return int(lines[0]) if len(lines) else None


def _channel_names(count: int) -> tuple[str, ...]:
    return ("value",) if count == 1 else tuple(f"channel {at + 1}" for at in range(count))


# ---- checks


def _check_channels(arrays: Sequence[np.ndarray], lines: np.ndarray) -> None:
    widths = Counter(array.shape[1] for array in arrays)
    if len(widths) > 1:
        usual, odd = widths.most_common(1)[0][0], widths.most_common()[-1][0]
        at = next(at for at, array in enumerate(arrays) if array.shape[1] == odd)
        raise DataError(
            f"Sequence {at + 1} has {odd} channels, but {usual} are expected as in the others.", int(lines[at])
        )
    if widths and max(widths) > MAX_CHANNELS:
        raise DataError(f"The sequences have {max(widths):,} channels; at most {MAX_CHANNELS} are read.", _first(lines))


def _with_class(
    arrays: Sequence[np.ndarray], labels: Sequence[str | None] | None, origin: Origin, notes: Notes
) -> tuple[list[np.ndarray], list[str] | None, Origin]:
    """The sequences that have steps, and a class that comes again, if there are classes."""
    empty = [at for at, array in enumerate(arrays) if not np.isfinite(array).any()]
    _say_left_out(empty, "holds no number", origin, notes)
    if labels is None:
        kept = sorted(set(range(len(arrays))) - set(empty))
        return [arrays[at] for at in kept], None, origin.only(kept)
    unlabelled = [at for at, name in enumerate(labels) if name is None]
    _say_left_out(unlabelled, "has no class", origin, notes)
    kept = sorted(set(range(len(arrays))) - set(empty) - set(unlabelled))
    counts = Counter(labels[at] for at in kept)
    once = [at for at in kept if counts[labels[at]] == 1]
    if once and len(counts) - len(once) >= 2:
        why = f"is the only one of class '{labels[once[0]]}', which can be trained on or tested, not both"
        _say_left_out(once, why, origin, notes)
        kept = sorted(set(kept) - set(once))
    names = [str(labels[at]) for at in kept]
    if len(set(names)) == 1:
        raise DataError(
            f"There is only one class, '{names[0]}': at least two are needed.", _first(origin.lines), origin.label
        )
    if len(set(names)) > MAX_CLASSES:
        raise DataError(f"There are {len(set(names)):,} classes; at most {MAX_CLASSES} are read.", None, origin.label)
    largest, count = Counter(names).most_common(1)[0] if names else ("", 0)
    if count > LOPSIDED * len(names):
        share = f"{count / len(names):.0%} of the sequences are '{largest}'"
        notes.say(
            f"{share}: who always says so is right that often. Look at the accuracy beside it.",
            None,
            origin.label,
            harmless=True,
        )
    return [arrays[at] for at in kept], names, origin.only(kept)


def _say_left_out(places: list[int], why: str, origin: Origin, notes: Notes) -> None:
    if places:
        at = places[0]
        line = int(origin.lines[at])
        notes.say(f"Sequence {at + 1} (line {line}) {why}; {left_out(len(places), 'sequence')}.", line, origin.label)


def _finite(arrays: list[np.ndarray], lines: np.ndarray, notes: Notes) -> list[np.ndarray]:
    """The same with NaN in place of infinite values."""
    odd = [at for at, array in enumerate(arrays) if not (np.abs(array) < HUGE).all()]
    if not odd:
        return arrays
    at = odd[0]
    infinite = any((np.abs(arrays[each]) >= HUGE).any() for each in odd)
    what = "missing or infinite" if infinite else "missing"
    notes.say(
        f"Sequence {at + 1} has {what} values; {count(len(odd), 'sequence')} {verb(len(odd), 'has', 'have')} such, "
        "where the last value before is held.",
        int(lines[at]),
    )
    return [np.where(np.abs(array) < HUGE, array, np.nan) for array in arrays]


def _check_answers(arrays: Sequence[np.ndarray], held: np.ndarray) -> None:
    """Both parts need a sequence whose next step is known."""
    asks = np.array([first_answer(~np.isnan(array).any(1)) > 0 for array in arrays])
    for part, side in (("trained", ~held), ("held-out", held)):
        if not (asks & side).any():
            raise DataError(
                f"No sequence of the {part} part has two known steps, which the question of the next step needs."
            )


# ---- thinning


def _thinning(longest: int, choices: dict[str, Any], notes: Notes) -> int:
    """How many neighbouring steps become one."""
    if longest < MIN_STEPS:
        raise DataError(f"The longest sequence has {count(longest, 'step')}; at least {MIN_STEPS} are needed.")
    chosen = choices.get("thin")
    steps = int(chosen or -(-longest // MAX_STEPS))
    left = -(-longest // steps)
    if left < MIN_STEPS:
        raise DataError(
            f"The choice 'thin' is {steps}, which leaves {left} of {longest} steps; at least {MIN_STEPS} are needed."
        )
    if steps > 1:
        why = "" if chosen else f", so that a network has at most {MAX_STEPS} to read"
        found = f"The longest sequence has {longest:,} steps"
        notes.say(f"{found}; {steps} neighbours each are averaged into one, {left} are left{why}.")
    return steps


def thinned(array: np.ndarray, steps: int) -> np.ndarray:
    """Means of so many neighbouring steps each, of those that are not missing. The last group may be smaller.

    Args:
        array: (T, channels) float64, NaN where missing.

    Returns:
        (ceil(T / steps), channels); NaN where all of a group are missing.
    """
    if steps == 1:
        return array
    return means_between(array, np.arange(0, len(array), steps))


def means_between(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The means of the known rows from each start to the next; NaN where none is known.

    Args:
        values: (n, channels) float64. starts: (m,) rising row numbers.

    Returns:
        (m, channels).
    """
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
    counts = np.add.reduceat(known.astype(float), starts, axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


# ---- scale


def _scale(arrays: Sequence[np.ndarray], held: np.ndarray, notes: Notes) -> tuple[np.ndarray, np.ndarray]:
    """(channels,) mean and standard deviation of the trained part."""
    steps = np.concatenate([array for array, out in zip(arrays, held, strict=True) if not out]).astype(np.float64)
    known = ~np.isnan(steps)
    counts = np.maximum(known.sum(0), 1)
    mean = np.where(known, steps, 0).sum(0) / counts
    sd = np.sqrt((np.where(known, steps - mean, 0) ** 2).sum(0) / counts)
    still = np.flatnonzero(sd <= 1e-6 * np.maximum(1e-6, np.abs(mean)))  # as float32 rounds them
    if len(still) == steps.shape[1]:
        raise DataError("The values never change: there is nothing to learn.")
    if len(still):
        name = _channel_names(steps.shape[1])[still[0]]
        notes.say(
            f"'{name}' never changes in the trained part; {count(len(still), 'such channel')} "
            f"{verb(len(still), 'tells', 'tell')} the network nothing.",
            None,
            name,
        )
    sd[still] = 1.0
    return mean, np.maximum(sd, SMALLEST_SD)
