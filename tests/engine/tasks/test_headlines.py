"""Headlines: every sentence is read by a regular expression, which says what the headline must be."""

from __future__ import annotations

import re

import numpy as np
import pytest

from engine.experiment import Experiment
from engine.tasks import END, TASKS, sample
from engine.tasks.headlines import sentences

E = Experiment(task="headline", rnn_type="encoder_decoder")
PRESENT = {"opened": "opens", "sold": "sells", "bought": "buys", "painted": "paints", "visited": "visits",
           "closed": "closes"}  # fmt: skip
WHEN = "yesterday evening|this morning|on monday|last week|after the storm"
MANNER = "(?: with a smile| at last)?"
PERSON, THING = (
    r"the (?:old |young |famous |tall )?(?P<who>\w+)",
    r"a (?:new |small |beautiful |strange )?(?P<what>\w+)",
)
VERB, WHERE = rf"(?P<verb>{'|'.join(PRESENT)})", r"(?: in (?P<place>lyon|rome|oslo|dublin|berlin|cairo|lima|delhi))?"
SHAPES = [
    re.compile(f"(?:(?:{WHEN}) )?{template}{MANNER}(?: (?:{WHEN}))?")
    for template in (f"{PERSON} {VERB} {THING}{WHERE}", f"{THING} was {VERB}{WHERE} by {PERSON}")
]


def dealt(split: str, count: int) -> list[tuple[str, str]]:
    """(sentence, headline) of every sequence."""
    task, batch = TASKS["headline"], sample(E, count, 1, split)
    columns = zip(batch.inputs.T, batch.lengths, batch.targets.T, batch.mask.T, strict=True)
    return [
        (" ".join(task.input_labels[each] for each in source[:length]),
         " ".join(task.output_labels[each] for each in answer[counted]))
        for source, length, answer, counted in columns
    ]  # fmt: skip


@pytest.mark.parametrize("split", ["train", "test"])
def test_who_what_and_where_are_kept(split):
    shapes = [0, 0]
    for sentence, headline in dealt(split, 3000):
        (matched,) = ((n, match) for n, shape in enumerate(SHAPES) if (match := shape.fullmatch(sentence)))
        shapes[matched[0]] += 1
        parts = matched[1].groupdict()
        where = f" in {parts['place']}" if parts["place"] else ""
        assert headline == f"{parts['who']} {PRESENT[parts['verb']]} {parts['what']}{where} {END}"
    assert abs(shapes[0] - 1500) < 5 * 750**0.5  # half of them are passive


def test_a_fifth_of_what_can_happen_is_held_out_however_it_is_said():
    train, test = ({headline for _, headline in dealt(split, 60_000)} for split in ("train", "test"))
    assert not train & test
    assert len(train | test) == 8 * 6 * 8 * 9 and len(test) == 8 * 6 * 8 * 9 // 5
    assert {word for each in test for word in each.split()} == {word for each in train for word in each.split()}


def test_the_split_is_fixed_for_ever():
    """These are held out; another NumPy must not shuffle them back in."""
    assert {headline for _, headline in dealt("test", 20_000)} >= {
        "painter opens house in dublin .",
        "judge closes theatre in dublin .",
        "queen paints museum in berlin .",
        "painter visits theatre in delhi .",
    }


def test_every_way_to_say_it_is_one_of_its_own():
    ways = sentences("in PLACE")
    assert len(ways) == len(set(ways)) == 11 * 5 * 5 * 3 * 2  # time first, last or never; adjectives; manner; passive
    assert "yesterday evening the old WHO VERB a new WHAT in PLACE" in ways
    assert "a WHAT was VERB by the WHO at last" in sentences("")
    assert max(len(each.split()) for each in ways) == E.seq_len


def test_the_bar_is_that_of_every_headline():
    """Each of the first three words is one of as many, all alike; then a place comes or the end, one time in nine."""
    share_with, share_without = 8 / 9, 1 / 9
    bar = share_with / 6 * (2 * np.log(8) + np.log(6) + np.log(8)) + share_without / 4 * (2 * np.log(8) + np.log(6))
    either = np.array([share_with / 6, share_without / 4])  # "in" or the end, as they weigh in the loss
    bar -= (either * np.log(either / either.sum())).sum()
    assert list(TASKS["headline"].baselines(E).values()) == pytest.approx([bar], rel=1e-9)


def test_one_wrong_word_makes_a_wrong_headline():
    batch = sample(E, 8, 1)
    answers = np.eye(len(TASKS["headline"].output_labels))[batch.targets]
    answers[2, :2] = np.roll(answers[2, :2], 1, axis=-1)
    assert TASKS["headline"].metric.measure(batch, answers) == 0.75
