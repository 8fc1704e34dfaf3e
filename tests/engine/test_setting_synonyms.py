"""What a setting is called elsewhere leads to it; what is like nothing leads nowhere."""

from __future__ import annotations

import dataclasses

import pytest

from engine.experiment import CHOICES, Experiment, ExperimentError
from engine.setting_synonyms import ALSO, VALUES_ALSO, meant

KNOWN = [field.name for field in dataclasses.fields(Experiment)]


@pytest.mark.parametrize(
    ("written", "setting"),
    [("lr", "learning_rate"), ("nhid", "hidden_size"), ("--batch-size", "batch_size"), ("BPTT", "tbptt"),
     ("units", "hidden_size"), ("hiden_size", "hidden_size"), ("weight decay", "weight_decay"),
     ("colour", ""), ("", "")],
)  # fmt: skip
def test_a_name_from_elsewhere(written, setting):
    assert meant(written, KNOWN) == setting


def test_all_synonyms_are_of_settings_and_of_values_that_there_are():
    assert set(ALSO) <= set(KNOWN) and all(value in CHOICES[name] for name, value in VALUES_ALSO)


def test_an_unknown_setting_is_called_by_its_name_here():
    with pytest.raises(ExperimentError, match=r"^lr must be called learning_rate, but got 0\.1\.$"):
        Experiment.from_dict({"lr": 0.1})
