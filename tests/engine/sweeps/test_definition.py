"""The file that defines a sweep: what it becomes, and what is said of a wrong one."""

from __future__ import annotations

import pytest

from engine.experiment import ExperimentError
from engine.sweeps.definition import MOST, parse

FILE = """
updates = 100
measure_every = 20
seeds = [3, 4]

[experiment]
task = "adding"
hidden_size = 8

[axes]
cell = ["rnn", "lstm"]
init_gain = { from = 0.5, to = 2.0, count = 3, log = true }
seq_len = { from = 5, to = 10, count = 3 }
forget_bias = [1.0]
"""


def test_a_file_becomes_every_combination():
    definition = parse(FILE)
    assert len(definition.experiments) == 2 * 3 * 3 * 2
    assert (definition.updates, definition.measure_every, definition.seeds) == (100, 20, (3, 4))
    assert definition.axes["init_gain"] == (0.5, 1.0, 2.0)
    assert definition.axes["seq_len"] == (5, 8, 10)
    first, second, *_, last = definition.experiments
    assert (first.cell, first.init_gain, first.seq_len, first.seed, first.hidden_size) == ("rnn", 0.5, 5, 3, 8)
    assert second == first.replace(seed=4)
    assert last == first.replace(cell="lstm", init_gain=2.0, seq_len=10, seed=4)


def test_only_the_number_of_updates_must_be_said():
    definition = parse("updates = 50")
    assert len(definition.experiments) == 1 and definition.seeds == (0,) and definition.measure_every == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("updates = 100", ""), "updates must be a whole number from 1"),
        (("updates = 100", "updates = 1.5"), "updates must be a whole number"),
        (("updates = 100", "updates ="), "The file must be a text in TOML"),
        (("measure_every", "measured"), "measured must be left out, for the keys are updates, measure_every"),
        (("seeds = [3, 4]", "seeds = 3"), "seeds must be a list with at least one value"),
        (("seeds = [3, 4]", "seeds = [-1]"), "seeds must be a whole number from 0"),
        (("hidden_size = 8", "hidden = 8"), "hidden must be called hidden_size"),
        (("hidden_size = 8", "hidden_size = 0"), "hidden_size must be a whole number from 1 to 2,048"),
        (("hidden_size = 8", 'cell = "gru"'), r"axes\.cell must be left out: cell stands either in"),
        (("cell = [", "sell = ["), r"axes\.sell must be one of the settings task, rnn_type, cell"),
        (("forget_bias", "seed"), r"axes\.seed must be left out: seed stands in seeds"),
        (("[1.0]", "[]"), r"axes\.forget_bias must be a list with at least one value"),
        (("[1.0]", '["a"]'), "forget_bias must be a number from -10 to 10"),
        (("count = 3, log", "log"), r"axes\.init_gain must be a list, or \{ from = 0.5"),
        (("count = 3, log", "count = 1, log"), r"axes\.init_gain\.count must be a whole number from 2"),
        (("from = 0.5", "from = 0"), r"axes\.init_gain must be between numbers above 0 if log"),
        (("log = true", "log = 1"), r"axes\.init_gain\.log must be true or false"),
        (("[experiment]", "experiment = 3\n[other]"), "other must be left out|experiment must be a table"),
        (("count = 3, log = true", "count = 10000"), f"axes must be such that there are at most {MOST:,}"),
    ],
)
def test_a_wrong_file_is_refused_with_the_field_and_what_it_accepts(change, says):
    with pytest.raises(ExperimentError, match=says):
        parse(FILE.replace(*change))
