"""The stage of a network of which no task is known: the same chain and numbers, without words and answers."""

from __future__ import annotations

import json

import numpy as np

from app.figures import Quantised
from app.stage.description import describe, describe_chain
from app.stage.values import of_look, values
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.training import Trainer
from tests.bare import bare_chain, bare_look
from tests.cases import for_each

SMALL = {"hidden_size": 5, "batch_size": 4, "seq_len": 9}
EXPERIMENTS = {
    "cut": Experiment(cell="rnn", tbptt=4, **SMALL),
    "both ways": Experiment(cell="lstm", bidirectional=True, num_layers=2, **SMALL),
    "encoder and decoder": Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", **SMALL),
}


@for_each({"name": EXPERIMENTS})
def test_the_chain_is_told_as_that_of_the_run(name: str) -> None:
    info = RunInfo.of(EXPERIMENTS[name])
    chain = bare_chain(info)
    told, of_run = describe_chain(chain, "decoder.rnn"), describe(info)
    json.dumps(told, allow_nan=False)
    assert set(told) == set(of_run)  # whatever the drawing reads is there
    assert (told["task"], of_run["task"]) == (False, True)
    same = ("steps", "at", "layers", "directions", "units", "walls", "enters", "counted", "lines", "links", "encoder")
    assert {key: told[key] for key in same} == {key: of_run[key] for key in same}
    assert not any(told[key] for key in ("vocabulary", "labels", "editable", "asks", "numbers", "audible", "outputs"))
    assert {each["name"].rpartition(".")[0] for each in told["matrices"]} == {"decoder.rnn"}
    assert "hy" not in {each["key"] for each in told["matrices"]}


@for_each({"name": EXPERIMENTS})
def test_the_numbers_are_those_of_the_run(name: str) -> None:
    info, frame = RunInfo.of(EXPERIMENTS[name]), Trainer(EXPERIMENTS[name]).frame()
    told, of_run = of_look(bare_chain(info), bare_look(frame)), values(info, frame)
    assert told and set(told) < set(of_run)
    for key, value in told.items():
        other = of_run[key]
        if isinstance(value, Quantised):
            value, other = value.values, other.values
        np.testing.assert_array_equal(value, other, key)
