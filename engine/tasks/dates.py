"""Dates in several notations to one form (sequence to sequence): year-month-day."""

from __future__ import annotations

import datetime
from functools import cache

import numpy as np

from engine.tasks.base import END, NO_SYMBOL, DataSettings, Lengths, Metric, Task, exact_match
from engine.tasks.batch import Batch
from engine.tasks.entropy import answer_baselines
from engine.tasks.text_input import encode_symbols, source_batch
from engine.tasks.transduction import end_to_end, previous

MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
          "november", "december")  # fmt: skip
FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)  # 100 years, so two digits identify the year
INPUT_SYMBOLS = tuple(sorted(set(" ,." + "".join(map(str, range(10))) + "".join(MONTHS))))
OUTPUT_SYMBOLS = (*"0123456789-", END)
MAX_CHARACTERS = len("september 30, 1999")
ANSWER_STEPS = len("1999-09-30") + 1  # and END


def _written(day: datetime.date) -> tuple[str, ...]:
    """A date in each of the four notations."""
    month = MONTHS[day.month - 1]
    return (
        f"{day.day} {month} {day.year}",
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month[:3]} {day.year % 100:02}",
        f"{day.day:02}.{day.month:02}.{day.year % 100:02}",
    )


def _spelled(texts: list[str], labels: tuple[str, ...], padding: int) -> np.ndarray:
    """Texts of ASCII characters as tokens, (longest, texts) int8, `padding` after the end of each."""
    tokens = np.full(128, padding, np.int8)
    tokens[[ord(label) for label in labels]] = np.arange(len(labels))
    letters = np.array(texts, dtype="S")
    return tokens[letters.view(np.uint8).reshape(len(texts), -1).T]


@cache
def _calendar() -> tuple[np.ndarray, np.ndarray, int]:
    """Every day in every notation, (MAX_CHARACTERS, days, ways); the answers, (ANSWER_STEPS, days); number of days."""
    days = [datetime.date.fromordinal(day) for day in range(FIRST.toordinal(), LAST.toordinal() + 1)]
    ways = [_written(day) for day in days]
    questions = _spelled([text for way in ways for text in way], INPUT_SYMBOLS, NO_SYMBOL)
    answers = _spelled([f"{day}{END}" for day in days], OUTPUT_SYMBOLS, 0)
    return questions.reshape(MAX_CHARACTERS, len(days), -1), answers, len(days)


@cache
def _days(split: str) -> np.ndarray:
    """The days that belong to a split: a random fifth is held out, in all notations."""
    count = _calendar()[2]
    shuffled = np.random.RandomState(0).permutation(count)  # legacy generator: NumPy guarantees its numbers
    return shuffled[count // 5 :] if split == "train" else shuffled[: count // 5]


def _draw(rng: np.random.Generator, experiment: DataSettings, batch_size: int, split: str) -> Batch:
    (questions, answers, _), days = _calendar(), _days(split)
    day, way = days[rng.integers(0, len(days), batch_size)], rng.integers(0, questions.shape[2], batch_size)
    inputs, targets = questions[:, day, way].astype(np.int64), answers[:, day].astype(np.int64)
    mask = np.ones(targets.shape, bool)
    return Batch(inputs, targets, mask, (inputs != NO_SYMBOL).sum(0), previous(targets, mask))


@cache
def _baselines() -> dict[str, float]:
    """Over all days."""
    _, answers, count = _calendar()
    by_place, by_digits = answer_baselines(
        answers.astype(np.int64), np.ones(answers.shape, bool), np.full(count, 1 / count)
    )
    return {"how common each digit is, by place": by_place, "without reading the date": by_digits}


DATES = Task(
    slug="dates",
    family="Sequence to sequence",
    title="Dates in one form",
    teaches="Many forms, one meaning: day, month and year stand in any order, and two digits must become a century.",
    source="Generated: all days from 1950 to 2049, each written in four ways. A random fifth of the days is held out.",
    rnn_types=("encoder_decoder",),
    lengths=Lengths(MAX_CHARACTERS, MAX_CHARACTERS, MAX_CHARACTERS),
    inputs="symbols",
    outputs="symbols",
    input_labels=INPUT_SYMBOLS,
    output_labels=OUTPUT_SYMBOLS,
    metric=Metric("whole dates right", exact_match),
    draw=_draw,
    baselines=lambda experiment: _baselines(),
    lag=end_to_end,
    target_steps=lambda experiment: ANSWER_STEPS,
    encode=lambda experiment, text: source_batch(
        encode_symbols(text, INPUT_SYMBOLS, maximum=MAX_CHARACTERS), ANSWER_STEPS
    ),
    asks="A date from 1950 to 2049, as 3 march 1999, march 3, 1999, 3 mar 99 or 03.03.99",
    example="march 3, 1999",
)
