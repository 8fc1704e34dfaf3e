"""Dates: what is read and what is said mean the same day, as the standard library reads them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import END, TASKS, sample
from tests.engine.tasks.conftest import dealt

FORMS = ("%d %B %Y", "%B %d, %Y", "%d %b %y", "%d.%m.%y")
E = Experiment(task="dates", rnn_type="encoder_decoder")


def meant(text: str) -> tuple[date, str]:
    """The day, and the form in which it is written."""
    for form in FORMS:
        try:
            day = datetime.strptime(text, form).date()
        except ValueError:
            continue
        if "%y" in form:  # the library begins the century at 1969, the task at 1950
            day = day.replace(year=1950 + (day.year - 1950) % 100)
        return day, form
    raise AssertionError(text)


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_is_said_is_the_day_that_was_read(split):
    forms = []
    for read, written in dealt("dates", sample(E, 3000, 1, split)):
        day, form = meant(read)
        assert written == f"{day.isoformat()}{END}"
        assert date(1950, 1, 1) <= day <= date(2049, 12, 31)
        forms.append(form)
    for form in FORMS:
        assert abs(forms.count(form) - 750) < 5 * (750 * 0.75) ** 0.5, form


def test_a_fifth_of_all_days_is_held_out():
    weights = 10 ** np.arange(7, -1, -1)
    seen_days = []
    for split in ("train", "test"):
        digits = sample(E, 250_000, 1, split).targets[[0, 1, 2, 3, 5, 6, 8, 9]]
        seen_days.append(set(np.unique(weights @ digits).tolist()))
    every = {int(f"{date(1950, 1, 1) + timedelta(days):%Y%m%d}") for days in range(36_525)}
    train, test = seen_days
    assert not train & test and train | test <= every
    assert len(test) == 36_525 // 5 and len(every - train - test) < 100  # some days are not met by chance
    # The split is fixed for ever: another NumPy must not shuffle these back in.
    assert {20260510, 19940904, 20201122, 20000421, 19500119} <= test


@pytest.mark.parametrize(
    ("typed", "steps"), [("3 march 1999", 12), ("March 3, 1999", 13), (" 3 mar  99 ", 8), ("03.03.99", 8)]
)
def test_dates_can_be_typed(typed, steps):
    batch = TASKS["dates"].encode(E, typed)
    read = "".join(TASKS["dates"].input_labels[each] for each in batch.inputs[:, 0])
    assert read == " ".join(typed.lower().split()) and len(read) == steps
    assert meant(read)[0] == date(1999, 3, 3)
    assert batch.mask.shape == (11, 1) and batch.mask.all()


def test_one_wrong_digit_makes_a_wrong_date():
    batch = sample(E, 8, 1)
    answers = np.eye(12)[batch.targets]
    answers[9, :2] = np.roll(answers[9, :2], 1, axis=-1)
    assert TASKS["dates"].metric.measure(batch, answers) == 0.75
