"""Weights of a file on the page "Open a recording", and the run in the playground that starts from them."""

from __future__ import annotations

import io
from typing import Any

import pytest
import safetensors.torch
import torch
from streamlit.testing.v1 import AppTest
from torch import nn

from app.export import card
from app.start_weights import panel
from engine.data import DataError
from engine.reading.job import Sources
from engine.training import Trainer
from engine.weights.reading import read
from tests.app.conftest import move, opened, press, run, slot, turn

EMPTY = "The file has no weights."


class FakeReading:
    """Reads at once, in this process."""

    def __init__(self, sources: Sources, reader: str) -> None:
        assert reader == panel.READER == "engine.weights.reading:read"
        ((name, content),) = sources
        file = io.BytesIO(content)
        file.name = name
        self.result: Any = None
        self.error: DataError | None = None
        self.done = True
        try:
            self.result = read(file)
        except DataError as error:
            self.error = error

    def stop(self) -> None:
        """Nothing is being read."""


@pytest.fixture(autouse=True)
def read_at_once(pool, monkeypatch):
    monkeypatch.setattr(panel, "Reading", FakeReading)


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.fc = nn.GRU(10, 6), nn.Linear(6, 3)


def dropped(weights: bytes, name: str = "m*y.safetensors") -> AppTest:
    """The page after such a file was dropped on it, with the lesson on remembering in the playground."""
    page = turn(opened(preset="remember"), "recording")
    page.file_uploader[0].set_value([(name, weights, "application/octet-stream")])
    return run(page)


def test_what_fits_is_shown_and_a_run_starts_from_it(pool):
    model = Model()
    page = dropped(safetensors.torch.save(model.state_dict()))
    assert (
        "GRU, 1 layer, 6 units, input size 10" in page.markdown[0].value
        and r"m\*y.safetensors" in page.markdown[0].value
    )
    table = page.dataframe[0].value.set_index(panel.weights_text.NETWORK)[panel.weights_text.SOURCE]
    assert table["recurrent.weight_hh_l0"] == "rnn.weight_hh_l0"
    assert table["head.weight"].startswith("drawn anew: the file has none that is 10 × 6; it has fc.weight 3 × 6")
    press(page, "start_weights")
    page = turn(page, "playground", **page.query_params)
    assert slot().experiment.cell == "gru" and slot().paused and pool.weights[-1]
    trainer = Trainer(slot().experiment, pool.weights[-1])
    assert torch.equal(trainer.model.recurrent.weight_hh_l0, model.rnn.weight_hh_l0)
    assert any(
        r"started from weights of **m\*y.safetensors**, but for head.weight" in each.value for each in page.caption
    )


def started(pool) -> AppTest:
    page = dropped(safetensors.torch.save(Model().state_dict()))
    press(page, "start_weights")
    return turn(page, "playground", **page.query_params)


def test_reset_and_other_settings_of_the_training_keep_them_and_another_network_does_not(pool):
    page, packed = started(pool), pool.weights[-1]
    press(page, "reset")
    assert pool.weights[-1] == packed and len(pool.weights) > 2
    move(page, "optimizer", "sgd")
    assert pool.weights[-1] == packed and slot().weights is not None
    move(page, "cell", "lstm")
    assert pool.weights[-1] == b"" and slot().weights is None
    assert not any("started from weights" in each.value for each in page.caption)


def test_a_script_that_would_not_repeat_the_run_is_not_offered(pool):
    started(pool)
    assert "script.py" not in card.offered(slot()) and "which a script does not have" in str(card.not_offered(slot()))


def test_what_cannot_be_used_is_said(pool):
    assert "is no safetensors file, or is damaged" in dropped(b"no").error[0].value
    large = safetensors.torch.save(nn.RNN(10, 2100).state_dict())
    assert "must be a whole number from 1 to 2,048, but got 2100" in dropped(large).error[0].value
