"""A frame crosses from the network's device to the CPU in one copy, with the numbers of one that was computed here."""

from __future__ import annotations

import pytest
import torch

from engine.cells import CELLS
from engine.layers.crossing import to_cpu
from engine.training import Trainer
from tests.cases import grid
from tests.engine.gpu.networks import FLOAT, TYPES, differences, network
from tests.engine.gpu.pretended import Elsewhere, PretendedDevice, move


def frame_elsewhere(trainer, requested=()):
    """A frame of the same network on another device, and that device."""
    device = PretendedDevice()
    with device:
        move(trainer.model)
        return trainer.frame(requested), device


@pytest.mark.parametrize("cell, rnn_type", grid(list(CELLS), list(TYPES), kept=lambda cell, kind: cell % 5 == kind))
def test_one_copy_brings_all_of_a_frame(cell, rnn_type):
    trainer = Trainer(network(cell, rnn_type))
    trainer.measure_held_out()
    here = trainer.frame()
    there, device = frame_elsewhere(trainer)
    far = {path: apart for path, apart in differences(here, there).items() if not apart <= FLOAT}
    assert far == {}
    fed_back = trainer.info.time_steps if trainer.info.is_autoregressive else 0  # what is fed back crosses step by step
    assert len(device.copies) - fed_back <= 1


@pytest.mark.parametrize("requested", [(), ("decomposition", "saliency", "followed:9")], ids=["plain", "requested"])
def test_attention_crosses_with_all_else(requested):
    trainer = Trainer(network("lstm", "encoder_decoder", attention="dot"))
    trainer.measure_held_out()
    here, (there, device) = trainer.frame(requested), frame_elsewhere(trainer, requested)
    far = {path: apart for path, apart in differences(here, there).items() if not apart <= 1e-4}
    assert far == {} and there.attention is not None
    assert requested or len(device.copies) - trainer.info.time_steps <= 1


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru_2014"])
def test_what_is_requested_can_be_read_there_too(cell):
    requested = ("decomposition", "spectrum", "saliency", "terms:0:0", "followed:5")
    trainer = Trainer(network(cell, "many_to_many", seq_len=12))
    trainer.measure_held_out()
    here = trainer.frame(requested)
    there, _ = frame_elsewhere(trainer, requested)
    far = {path: apart for path, apart in differences(here, there).items() if not apart <= 1e-4}
    assert far == {}


@pytest.mark.parametrize("cell", ["gru", "lstm", "gru_2014"])
def test_what_a_cut_throws_away_is_measured_there_too(cell):
    trainer = Trainer(network(cell, "many_to_many", task="characters", seq_len=20, carry_state=True))
    trainer.measure_held_out()
    trainer.advance()
    here = trainer.frame()
    there, device = frame_elsewhere(trainer)
    far = {path: apart for path, apart in differences(here, there).items() if not apart <= FLOAT}
    assert far == {} and there.cut_grad_norm > 0
    assert len(device.copies) <= 2  # of the frame, and of this one number


def test_tensors_of_all_kinds_cross_at_once():
    kinds = (torch.bool, torch.float64, torch.int32, torch.float32, torch.uint8, torch.int64)
    draw = torch.Generator().manual_seed(0)
    given = [torch.randint(0, 2, (3, k + 1), generator=draw).to(kind) for k, kind in enumerate(kinds)]
    given += [torch.tensor(2.5), torch.zeros(0, 4), given[1].T]
    with PretendedDevice() as device:
        there = {"all": [Elsewhere(each) for each in given], "here": given[0], "name": "x"}
        back = to_cpu(there)
    assert len(device.copies) == 1 and back["here"] is given[0] and back["name"] == "x"
    for sent, got in zip(given, back["all"], strict=True):
        assert type(got) is torch.Tensor and got.dtype == sent.dtype and torch.equal(got, sent)


def test_what_is_on_the_cpu_stays_the_same_object():
    value = {"a": [torch.zeros(2)]}
    assert to_cpu(value) is value
