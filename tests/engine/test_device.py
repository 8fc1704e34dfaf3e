"""Where a run is computed."""

from __future__ import annotations

import pytest

from engine.cells import CELLS
from engine.device import gpu_pays, settled
from engine.experiment import Experiment, ExperimentError
from tests.cases import for_each

ADDING = Experiment(task="adding", batch_size=64)
LARGE = {"task": "adding", "hidden_size": 512, "batch_size": 64, "seq_len": 200}


@for_each({"cell": ("rnn", "gru", "lstm")})
def test_a_gpu_pays_from_about_64_units_and_100_steps_on(cell):
    """The shapes that were measured."""
    small, middle = {"hidden_size": 32, "seq_len": 40}, {"hidden_size": 64, "seq_len": 100}
    assert not gpu_pays(ADDING.replace(cell=cell, **small))
    assert gpu_pays(ADDING.replace(cell=cell, **middle))


@for_each({"cell": sorted(CELLS)})
def test_a_loop_in_python_needs_wider_steps_for_it(cell):
    kind, long = CELLS[cell], ADDING.replace(cell=cell, hidden_size=64, seq_len=400)
    loops = kind.torch_layer is None and kind.is_recurrent and not kind.structure.is_linear
    if kind.state_blocks:
        assert gpu_pays(long) is not loops
        assert gpu_pays(long.replace(hidden_size=512, seq_len=10))


def test_what_is_fed_back_or_dropped_between_layers_is_a_loop_too():
    text = Experiment(task="reverse", rnn_type="encoder_decoder", hidden_size=64, batch_size=128)
    assert gpu_pays(text) and not gpu_pays(text.replace(teacher_forcing=0.5))
    deep = ADDING.replace(num_layers=2, hidden_size=64, seq_len=100)
    assert gpu_pays(deep) and not gpu_pays(deep.replace(dropout=0.1))


def test_auto_becomes_the_device_of_this_machine():
    middle = ADDING.replace(device="auto", hidden_size=64, seq_len=100)
    assert [settled(middle, has_gpu).device for has_gpu in (False, True)] == ["cpu", "cuda"]
    assert settled(middle.replace(hidden_size=8), has_gpu=True).device == "cpu"
    assert settled(ADDING, has_gpu=True) is ADDING


@for_each({"cell": ("gru", "lstm")})
def test_the_limit_of_an_update_belongs_to_the_device(cell):
    with pytest.raises(ExperimentError, match=r"at most 2e\+10 multiply-adds and 1,024 MiB on one CPU core"):
        Experiment(**LARGE, cell=cell)
    assert Experiment(**LARGE, cell=cell, device="cuda").device == "cuda"
    auto = Experiment(**LARGE, cell=cell, device="auto")
    assert settled(auto, has_gpu=True).device == "cuda"
    with pytest.raises(ExperimentError, match=r"on one CPU core"):
        settled(auto, has_gpu=False)
    with pytest.raises(ExperimentError, match=r"at most 1e\+12 multiply-adds and 4,096 MiB on a GPU"):
        Experiment(**LARGE | {"seq_len": 1000, "batch_size": 512}, cell=cell, device="cuda")


def test_a_missing_gpu_is_a_sentence():
    with pytest.raises(ExperimentError, match=r"^device must be cpu or auto on this machine, which has no CUDA device"):
        settled(ADDING.replace(device="cuda"), has_gpu=False)
