"""Our optimisers are PyTorch's: the same weights to the bit, the same state in a file, and no compiler loaded."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
from typing import Any

import pytest
import torch

from engine.cells import CELLS
from engine.experiment import CHOICES, Experiment
from engine.frame.readings import ON_DEMAND_READINGS
from engine.tasks import sample
from engine.training import Trainer
from engine.training.optimizers import OPTIMIZERS, Optimizer
from tests.engine.conftest import assert_same

SMALL: dict[str, Any] = {"hidden_size": 6, "seq_len": 8, "batch_size": 8, "clip": "none"}
TORCHS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
}
SHAPES = ((7, 3), (21,), (5, 1, 2), (64,))
UNUSED = 2  # the place of a weight that never has a gradient


def torchs(name: str, weights: list[torch.nn.Parameter], rate: float, decay: float) -> torch.optim.Optimizer:
    """PyTorch's optimiser, fused where it can be."""
    kind, options = TORCHS[name]
    fused = {} if name == "rmsprop" else {"fused": True}
    return kind(weights, lr=rate, weight_decay=decay, **options, **fused)


def some_weights() -> list[torch.nn.Parameter]:
    draw = torch.Generator().manual_seed(1)
    return [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in SHAPES]


def move(optimizer: Any, weights: list[torch.nn.Parameter], updates: range) -> None:
    """Updates with drawn gradients, which get smaller; those of an update are always the same."""
    for update in updates:
        draw = torch.Generator().manual_seed(update)
        optimizer.zero_grad()
        assert all(weight.grad is None for weight in weights)
        for place, weight in enumerate(weights):
            gradient = torch.randn(weight.shape, generator=draw) / (update + 1)
            weight.grad = None if place == UNUSED else gradient.to(weight)
        optimizer.step()


def same(ours: list[torch.nn.Parameter], theirs: list[torch.nn.Parameter]) -> bool:
    return all(torch.equal(*pair) for pair in zip(ours, theirs, strict=True))


def saved(optimizer: Any) -> dict[str, Any]:
    """Its state, through a file as in a checkpoint."""
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def test_every_optimiser_is_compared():
    assert set(TORCHS) == set(OPTIMIZERS) == set(CHOICES["optimizer"])


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("name", TORCHS)
def test_hundreds_of_updates_are_those_of_torchs_class_to_the_bit(name, decay):
    experiment, ours, theirs = Experiment(optimizer=name, weight_decay=decay), some_weights(), some_weights()
    own, other = Optimizer(experiment, ours), torchs(name, theirs, experiment.learning_rate, decay)
    for updates, rate in ((range(200), 0.02), (range(200, 300), 0.5)):
        own.apply_settings(experiment.replace(learning_rate=rate))
        other.param_groups[0]["lr"] = rate
        move(own, ours, updates)
        move(other, theirs, updates)
        assert same(ours, theirs)
    assert not any(torch.equal(*pair) for pair in zip(ours[:UNUSED], some_weights(), strict=False))
    assert torch.equal(ours[UNUSED], some_weights()[UNUSED])


def test_momentum_is_changed_as_in_torchs_class():
    """At 0 its class remembers no move, and keeps the one that it remembered before."""
    experiment, ours, theirs = Experiment(optimizer="momentum", momentum=0.0), some_weights(), some_weights()
    own, other = Optimizer(experiment, ours), torchs("momentum", theirs, experiment.learning_rate, 0.0)
    moved = []
    for number, momentum in enumerate((0.0, 0.99, 0.0, 0.5)):
        own.apply_settings(experiment.replace(momentum=momentum))
        other.param_groups[0]["momentum"] = momentum
        move(own, ours, range(20 * number, 20 * number + 20))
        move(other, theirs, range(20 * number, 20 * number + 20))
        assert same(ours, theirs)
        moved.append([weight.detach().clone() for weight in ours])
    assert not torch.equal(moved[0][0], moved[1][0])


@pytest.mark.parametrize("name", TORCHS)
def test_state_goes_from_torchs_class_to_ours_and_back(name):
    """Checkpoints of before hold the state of PyTorch's classes; programs of before read ours."""
    experiment = Experiment(optimizer=name, learning_rate=0.02, weight_decay=0.1)
    straight, handed_on = some_weights(), some_weights()
    move(Optimizer(experiment, straight), straight, range(40))
    first = torchs(name, handed_on, 0.02, 0.1)
    move(first, handed_on, range(20))
    second = Optimizer(experiment, handed_on)
    second.load_state_dict(saved(first))
    move(second, handed_on, range(20, 30))
    third = torchs(name, handed_on, 5.0, 0.0)
    third.load_state_dict(saved(second))
    move(third, handed_on, range(30, 40))
    assert same(straight, handed_on)


def test_loaded_state_has_the_precision_of_its_weight():
    weights = some_weights()
    first = Optimizer(Experiment(), weights)
    move(first, weights, range(3))
    doubled = [torch.nn.Parameter(weight.detach().double()) for weight in weights]
    second = Optimizer(Experiment(), doubled)
    second.load_state_dict(saved(first))
    move(second, doubled, range(3, 4))
    assert all(torch.isfinite(weight).all() for weight in doubled)
    kept = second.state_dict()["state"][0]
    assert {name: each.dtype for name, each in kept.items()} == {
        "exp_avg": torch.float64, "exp_avg_sq": torch.float64, "step": torch.float32,
    }  # fmt: skip


@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("name", TORCHS)
def test_a_network_moves_as_with_torchs_own_options(name, decay):
    """Not fused: another computation of the same, up to rounding."""
    trainer = Trainer(Experiment(**SMALL, optimizer=name, weight_decay=decay, learning_rate=0.01))
    model, (kind, options) = copy.deepcopy(trainer.model), TORCHS[name]
    theirs = kind(model.parameters(), lr=0.01, weight_decay=decay, **options)
    for step in range(4):
        theirs.zero_grad()
        model.loss(sample(trainer.experiment, 8, (0, step + 1))).backward()
        theirs.step()
        trainer.advance()
    for ours, other in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", TORCHS)
def test_a_trainer_with_torchs_class_has_the_same_frames(name):
    ours, theirs = (Trainer(Experiment(**SMALL, optimizer=name)) for _ in range(2))
    weights = list(theirs.model.parameters())
    theirs._optimizer = torchs(name, weights, theirs.experiment.learning_rate, 0.0)
    for _ in range(4):
        ours.advance()
        theirs.advance()
    assert_same(ours.frame(), theirs.frame())


def test_no_compiler_is_loaded_for_training_looking_and_going_on():
    """In a process of its own: loading it would delay a worker's first frame, and take memory."""
    shared = {"task": "parity", "rnn_type": "many_to_many", "seq_len": 4, "hidden_size": 4}
    networks = [shared | {"cell": cell} for cell in CELLS] + [shared | {"optimizer": name} for name in OPTIMIZERS]
    script = (
        "import sys\n"
        "from engine.experiment import Experiment\n"
        "from engine.slow_motion.dry_run import dry_run_update\n"
        "from engine.training import Trainer\n"
        f"for settings in {networks}:\n"
        "    trainer = Trainer(Experiment(**settings))\n"
        f"    trainer.advance(), trainer.frame({ON_DEMAND_READINGS}), dry_run_update(trainer)\n"
        "    trainer.restore(trainer.checkpoint())\n"
        "print('torch' in sys.modules, 'torch._dynamo' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert output == "True False\n"
