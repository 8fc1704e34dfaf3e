"""On a CUDA device: the numbers are the CPU's, a run can be repeated, and the sizes that only a GPU can train train.

They are skipped where there is none. `python -m tests.engine.gpu.everything` runs them there, and prints all failures.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.cells import CELLS
from engine.device import gpu_pays
from engine.experiment import Experiment
from engine.lens.gain_lines import largest_exponents
from engine.recording import Recording
from engine.training import Trainer
from engine.training.trainer import train
from tests.engine.gpu.networks import FLOAT, TYPES, differences, network

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")


def both(experiment: Experiment) -> tuple[Trainer, Trainer]:
    """The same untrained network on the CPU and on the GPU."""
    return tuple(Trainer(experiment.replace(device=device)) for device in ("cpu", "cuda"))  # type: ignore[return-value]


def far_apart(
    here: Trainer, there: Trainer, requested: tuple[str, ...] = (), within: float = FLOAT
) -> dict[str, float]:
    """Which arrays of their frames differ by more."""
    found = differences(here.frame(requested), there.frame(requested))
    return {path: apart for path, apart in found.items() if not apart <= within}


@pytest.mark.parametrize("rnn_type", TYPES)
@pytest.mark.parametrize("cell", CELLS)
def test_a_frame_has_the_numbers_of_the_cpu(cell, rnn_type):
    here, there = both(network(cell, rnn_type))
    assert far_apart(here, there) == {}
    assert there.frame().on_gpu and not here.frame().on_gpu


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
def test_a_long_wide_network_that_is_not_chaotic_has_them_too(cell):
    experiment = network(cell, "many_to_many", hidden_size=64, seq_len=100)
    assert largest_exponents(experiment, [1.0]).max() <= 0
    here, there = both(experiment)
    assert far_apart(here, there) == {}


@pytest.mark.parametrize("cell", CELLS)
def test_twenty_losses_are_those_of_the_cpu(cell):
    here, there = both(network(cell, "many_to_one", seq_len=20))
    losses = np.array([[trainer.advance() for _ in range(20)] for trainer in (here, there)])
    assert np.abs(losses[0] - losses[1]).max() <= 1e-4 * np.abs(losses[0]).max()


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.3}, {"noise": 0.1, "head_dropout": 0.2}])
def test_a_run_can_be_repeated_from_a_checkpoint(settings):
    experiment = network("lstm", "many_to_one", **settings).replace(device="cuda")
    first, second = Trainer(experiment), Trainer(experiment)
    for _ in range(5):
        first.advance()
    checkpoint = first.checkpoint()
    went_on = [first.advance() for _ in range(5)]
    second.restore(checkpoint)
    assert [second.advance() for _ in range(5)] == pytest.approx(went_on, rel=1e-6)


@pytest.mark.parametrize("cell", ["lstm", "gru", "gru_2014"])
def test_a_state_is_carried_on_as_on_the_cpu_and_stands_in_the_checkpoint(cell):
    here, there = both(network(cell, "many_to_many", task="characters", seq_len=20, carry_state=True))
    losses = np.array([[trainer.advance() for _ in range(8)] for trainer in (here, there)])
    assert np.abs(losses[0] - losses[1]).max() <= 1e-4 * np.abs(losses[0]).max()
    other = Trainer(there.experiment)
    other.restore(there.checkpoint())
    assert other.advance() == pytest.approx(there.advance(), rel=1e-6)
    here.restore(there.checkpoint())
    assert far_apart(here, there) == {} and here.advance() == pytest.approx(there.advance(), rel=1e-5)


def test_a_checkpoint_of_a_gpu_goes_on_on_a_cpu():
    here, there = both(network("gru", "many_to_many"))
    there.advance()
    here.restore(there.checkpoint())
    assert far_apart(here, there) == {} and here.advance() == pytest.approx(there.advance(), rel=1e-5)


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru_2014"])
def test_what_is_requested_has_the_numbers_of_the_cpu(cell):
    requested = ("decomposition", "spectrum", "saliency", "terms:0:0", "followed:5")
    here, there = both(network(cell, "many_to_many", seq_len=12))
    assert far_apart(here, there, requested, within=1e-3) == {}


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_a_size_that_no_cpu_is_asked_for_trains(cell):
    large = Experiment(task="adding", cell=cell, hidden_size=512, batch_size=64, seq_len=200, device="auto")
    trainer = Trainer(large)
    assert gpu_pays(large) and trainer.experiment.device == "cuda"
    assert all(np.isfinite(trainer.advance()) for _ in range(2)) and np.isfinite(trainer.frame().ratio).all()


def test_products_have_all_their_digits():
    Trainer(network("lstm", "many_to_one").replace(device="cuda"))
    assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32


def test_a_recording_says_that_it_ran_on_a_gpu(tmp_path):
    experiment = network("rnn", "many_to_one", steps=2).replace(device="cuda")
    Recording.of(experiment, train(experiment, 1)).save(tmp_path / "run.zip")
    assert all(frame.on_gpu for frame in Recording.load(tmp_path / "run.zip").frames)


def test_the_next_update_in_slow_motion_is_the_one_that_is_made():
    from engine.slow_motion.dry_run import dry_run_update

    trainer = Trainer(network("lstm", "many_to_one").replace(device="cuda"))
    trainer.advance()
    told = dry_run_update(trainer)
    assert told.loss == pytest.approx(trainer.advance(), rel=1e-6)
