"""Interventions as values: what they say of themselves, how JSON has them, and what is refused."""

from __future__ import annotations

import json
from functools import cache

import pytest

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.intervention.as_json import MAX_INTERVENTIONS, read_interventions, write_interventions
from engine.intervention.intervention import (
    CutLink,
    HoldGate,
    InterventionError,
    SetInput,
    SetState,
    ZeroUnit,
    gate_limits,
)

SAID = {
    HoldGate(layer=0, gate="forget_gate", value=1): "forget gate held open, layer 1, all steps",
    HoldGate(layer=0, gate="output_gate", value=0.0, t=3): "output gate held shut, layer 1, t = 3",
    HoldGate(layer=0, gate="input_gate", value=0.5): "input gate held at 0.50, layer 1, all steps",
    HoldGate(layer=0, gate="cell_candidate", value=0): "cell candidate held at 0, layer 1, all steps",
    ZeroUnit(layer=0, unit=3): "unit 3 set to zero, layer 1, all steps",
    SetState(layer=0, direction=1, t=2, unit=0, value=-1.5): "h of unit 0 set to -1.50, layer 1, backwards, t = 2",
    SetState(layer=0, t=2, unit=0, value=2, state="c"): "c of unit 0 set to 2.00, layer 1, t = 2",
    CutLink(layer=0, t=4): "link cut before t = 4, layer 1",
    SetInput(t=0, channel=0, value=0.25): "input 0 set to 0.25, t = 0",
}


@cache
def info(**settings: object) -> RunInfo:
    return RunInfo.of(Experiment(**{"task": "stocks", "rnn_type": "many_to_many", "hidden_size": 5, "seq_len": 6,
                                    "bidirectional": True, **settings}))  # fmt: skip


@pytest.mark.parametrize("intervention", SAID, ids=str)
def test_it_says_itself_and_comes_back_from_json(intervention):
    assert str(intervention) == SAID[intervention]
    written = json.loads(json.dumps(write_interventions([intervention])))
    assert read_interventions(written, info()) == (intervention,)


def test_what_is_left_out_has_its_default():
    read = read_interventions([{"kind": "hold_gate", "layer": 0, "gate": "forget_gate", "value": 1}], info())
    assert read == (HoldGate(layer=0, direction=0, gate="forget_gate", value=1, t=None),)
    assert read_interventions([], info()) == ()


def test_limits_of_a_gate_are_those_of_the_function_that_makes_it():
    assert str(gate_limits(CELLS["lstm"], "forget_gate")) == "a number from 0 to 1"
    assert str(gate_limits(CELLS["lstm"], "cell_candidate")) == "a number from -1 to 1"
    assert str(gate_limits(CELLS["linear"], "candidate")) == "a number from -1,000,000 to 1,000,000"
    assert gate_limits(CELLS["linear_signed"], "retain_factor").low == -1


GATES = "input_gate or forget_gate or cell_candidate or output_gate"
HOLD = {"kind": "hold_gate", "layer": 0, "gate": "forget_gate", "value": 1}
SET = {"kind": "set_state", "layer": 0, "t": 1, "unit": 0, "value": 1}
REFUSED = [
    ({}, {"kind": "hold_gate"}, "Interventions must be a list, but got dict."),
    ({}, ["cut"], "An intervention must be an object, but got 'cut'."),
    ({}, [{"layer": 0}], 
     "kind of an intervention must be hold_gate or zero_unit or set_state or cut_link or set_input, but got None."),
    ({}, [{**HOLD, "kind": ["a"]}], "kind of an intervention must be hold_gate"),
    ({}, [{"kind": "hold_gate", "layer": 0, "gate": "forget_gate"}],
     "hold_gate must have the fields layer, direction, gate, value, t, but got one without 'value'."),
    ({}, [{**HOLD, "unit": 1}],
     "hold_gate must have the fields layer, direction, gate, value, t, but got one with 'unit'."),
    ({}, [{**HOLD, "layer": 1}], "layer of hold_gate must be 0, the only one, but got 1."),
    ({"num_layers": 2}, [{**HOLD, "layer": 2}], "layer of hold_gate must be a whole number from 0 to 1, but got 2."),
    ({}, [{**HOLD, "layer": "0"}], "layer of hold_gate must be 0, the only one, but got '0'."),
    ({}, [{**HOLD, "direction": 2}], "direction of hold_gate must be a whole number from 0 to 1, but got 2."),
    ({}, [{**HOLD, "gate": "z"}], f"gate of hold_gate must be {GATES}, but got 'z'."),
    ({}, [{**HOLD, "gate": None}], f"gate of hold_gate must be {GATES}, but got None."),
    ({}, [{**HOLD, "value": 1.5}], "value of hold_gate must be a number from 0 to 1, but got 1.5."),
    ({}, [{**HOLD, "value": True}], "value of hold_gate must be a number from 0 to 1, but got True."),
    ({}, [{**HOLD, "value": float("nan")}], "value of hold_gate must be a number from 0 to 1, but got nan."),
    ({}, [{**HOLD, "t": 6}], "t of hold_gate must be null for all steps, or one of the steps 0 to 5, but got 6."),
    ({"cell": "rnn"}, [HOLD], "hold_gate needs a cell that has gates, but RNN has none."),
    ({}, [{"kind": "zero_unit", "layer": 0, "unit": 5}],
     "unit of zero_unit must be a whole number from 0 to 4, but got 5."),
    ({}, [{**SET, "t": None}], "t of set_state must be one of the steps 0 to 5, but got None."),
    ({}, [{**SET, "t": 1.0}], "t of set_state must be one of the steps 0 to 5, but got 1.0."),
    ({}, [{**SET, "value": float("inf")}],
     "value of set_state must be a number from -1,000,000 to 1,000,000, but got inf."),
    ({"cell": "gru"}, [{**SET, "state": "c"}], "state of set_state must be h, but got 'c'."),
    ({}, [{"kind": "cut_link", "layer": 0, "t": 0}], "t of cut_link must be one of the steps 1 to 5, but got 0."),
    ({}, [{"kind": "cut_link", "layer": 0, "direction": 1, "t": 5}],
     "t of cut_link must be one of the steps 0 to 4, but got 5."),
    ({"cell": "feedforward", "bidirectional": False}, [{"kind": "cut_link", "layer": 0, "t": 1}],
     "cut_link needs a cell with a link in time, but Feed-forward has none."),
    ({}, [{"kind": "set_input", "t": 1, "channel": 1, "value": 0}],
     "channel of set_input must be 0, the only one, but got 1."),
    ({"task": "themselves", "rnn_type": "many_to_one"}, [{"kind": "set_input", "t": 1, "value": 0}],
     "set_input needs a network that reads numbers; this one reads symbols."),
    ({"task": "digit_name", "rnn_type": "one_to_many", "bidirectional": False, "seq_len": None},
     [{"kind": "set_input", "t": 1, "value": 0}], "t of set_input must be 0, the only one, but got 1."),
    ({"task": "digits", "rnn_type": "one_to_one", "bidirectional": False, "seq_len": 1},
     [{"kind": "cut_link", "layer": 0, "t": 0}],
     "cut_link needs a sequence of at least two steps, but this one has one."),
    ({}, [{**HOLD, "gate": "x" * 10**6}],
     f"gate of hold_gate must be {GATES}, but got 'xxxxxxxxxxxx...xxxxxxxxxxxxx'."),
    ({}, [HOLD] * (MAX_INTERVENTIONS + 1), "At most 100 interventions at once, but got 101."),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "values", "says"), REFUSED, ids=[says[:60] for *_, says in REFUSED])
def test_what_cannot_be_made_is_said(settings, values, says):
    with pytest.raises(InterventionError) as error:
        read_interventions(values, info(**settings))
    assert str(error.value).startswith(says)


def test_a_decoder_has_no_step_backwards():
    whole = info(task="reverse", rnn_type="encoder_decoder", seq_len=8)
    length = whole.valid.index(False)
    backwards = {**SET, "direction": 1}
    with pytest.raises(InterventionError, match=f"one of the steps 0 to {length - 1}, but got 8"):
        read_interventions([{**backwards, "t": 8}], whole)
    with pytest.raises(InterventionError, match=f"one of the steps 0 to {length - 2}, but got {length - 1}"):
        read_interventions([{"kind": "cut_link", "layer": 0, "direction": 1, "t": length - 1}], whole)
    assert read_interventions([{**backwards, "t": length - 1}], whole)[0].t == length - 1


def test_padding_is_no_step():
    whole = info(task="reverse", rnn_type="encoder_decoder", seq_len=8, bidirectional=False)
    assert not all(whole.valid), "the drawn sequence should have padding: choose another seed"
    outside = whole.valid.index(False)
    with pytest.raises(InterventionError, match=f"one of the steps 0 to {outside - 1}, 8 to [0-9]+, but got {outside}"):
        read_interventions([{**SET, "t": outside}], whole)
    assert read_interventions([{"kind": "cut_link", "layer": 0, "t": 8}], whole) == (CutLink(layer=0, t=8),)
