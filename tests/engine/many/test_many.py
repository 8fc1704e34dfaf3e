"""Networks side by side: the updates of their own trainers, and the same bits whoever is beside them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.cells import CELLS as CELLS_OF_ENGINE
from engine.experiment import Experiment, ExperimentError
from engine.many.alike import FREE, ZERO, can_be_beside, group, shape_of
from engine.many.many import Many
from engine.many.recurrences import RECURRENCES
from engine.many.to_trainer import trainer_checkpoint
from engine.training import NotFiniteError, Trainer

SMALL: dict[str, Any] = {"hidden_size": 6, "batch_size": 8}
KINDS: dict[str, dict[str, Any]] = {
    "classes": {"task": "first_symbol_recall", "seq_len": 7},
    "values": {"task": "adding", "seq_len": 7},
    "every step": {"task": "sine", "rnn_type": "many_to_many", "seq_len": 9},
    "padded, last step": {"task": "sentiment", "seq_len": 12},
    "padded, every step": {"task": "reber", "rnn_type": "many_to_many", "seq_len": 12},
    "sum of the losses": {"task": "characters", "rnn_type": "many_to_many", "seq_len": 6, "reduction": "sum"},
    "one step": {"task": "digits", "rnn_type": "one_to_one", "seq_len": 1},
    "output layers": {"task": "adding", "seq_len": 5, "output_layers": 2, "num_layers": 2},
    "clipped by value": {"task": "adding", "seq_len": 5, "clip": "value", "clip_threshold": 0.01},
    "not clipped": {"task": "first_symbol_recall", "seq_len": 5, "clip": "none"},
}
LIGHT = ("values", "padded, last step", "output layers")
CELLS = [{"cell": cell} for cell in RECURRENCES] + [{"cell": "rnn", "nonlinearity": "relu"}]
EVERY_CELL = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell.values()))
EVERY_KIND = pytest.mark.parametrize(
    ("kind", "cell"),
    [
        pytest.param(kind, cell, marks=() if kind in LIGHT or cell == CELLS[place % 4] else pytest.mark.full)
        for place, kind in enumerate(KINDS)
        for cell in CELLS
    ],
)
"""Without the full grid each kind once, and three with every cell."""
DIFFERENT = (
    {"seed": 0, "learning_rate": 0.003},
    {"seed": 0, "learning_rate": 0.01, "init": "orthogonal", "init_gain": 0.8},
    {"seed": 5, "learning_rate": 0.001, "clip_threshold": 0.05, "forget_bias": 1.0},
)
"""What differs among networks side by side."""


def different(**settings: Any) -> list[Experiment]:
    return [Experiment(**{**SMALL, **settings, **each}) for each in DIFFERENT]


def numbers(weights: dict[str, torch.Tensor]) -> np.ndarray:
    return torch.cat([each.flatten() for each in weights.values()]).numpy()


def distance(many: Many, trainers: list[Trainer]) -> float:
    """The largest difference of any weight."""
    pairs = [(many.state_dict(k), trainer.model.state_dict()) for k, trainer in enumerate(trainers)]
    assert all(list(ours) == list(theirs) for ours, theirs in pairs)
    return max(float(np.abs(numbers(ours) - numbers(theirs)).max()) for ours, theirs in pairs)


@EVERY_KIND
def test_every_network_makes_the_updates_of_its_own_trainer(kind, cell):
    experiments = different(**KINDS[kind], **cell)
    many, trainers = Many(experiments, torch.float64), [Trainer(e) for e in experiments]
    for trainer in trainers:
        trainer.model.double()
    assert distance(many, trainers) == 0
    for _ in range(4):
        np.testing.assert_allclose(many.advance(), [trainer.advance() for trainer in trainers], rtol=1e-10)
    assert many.steps.tolist() == [4, 4, 4]
    assert distance(many, trainers) < 1e-9


@pytest.mark.full
@EVERY_CELL
@pytest.mark.parametrize("kind", KINDS)
def test_float64_networks_are_those_of_their_trainers_after_20_updates(kind, cell):
    experiments = different(**KINDS[kind], **cell, init="orthogonal", init_gain=1.5)
    many, trainers = Many(experiments, torch.float64), [Trainer(e) for e in experiments]
    for trainer in trainers:
        trainer.model.double()
    for _ in range(20):
        many.advance()
        for trainer in trainers:
            trainer.advance()
    assert distance(many, trainers) < 1e-9


@pytest.mark.full
@EVERY_CELL
@pytest.mark.parametrize("kind", ["classes", "values", "every step"])
def test_networks_without_chaos_are_those_of_their_trainers_after_300_updates(kind, cell):
    """Where the largest Lyapunov exponent is positive, any rounding grows; those networks are left out here.

    Training may let it grow, too. Then the difference is no larger than what rounding alone does to the trainer.
    """
    settings = {**KINDS[kind], **cell, "hidden_size": 16, "batch_size": 32, "init_gain": 0.7, "learning_rate": 0.001}
    experiments = [Experiment(**settings, seed=seed) for seed in range(3)]
    many, trainers = Many(experiments), [Trainer(e) for e in experiments]
    for _ in range(300):
        many.advance()
        for trainer in trainers:
            trainer.advance()
    calm = [k for k, trainer in enumerate(trainers) if largest_exponent(trainer) <= 0]
    assert calm
    for k in calm:
        theirs = numbers(trainers[k].model.state_dict())
        difference = np.abs(numbers(many.state_dict(k)) - theirs).max()
        assert difference < 1e-5 or difference < np.abs(in_double(experiments[k], 300) - theirs).max()


def in_double(experiment: Experiment, updates: int) -> np.ndarray:
    """The parameters after so many updates in float64."""
    trainer = Trainer(experiment)
    trainer.model.double()
    for _ in range(updates):
        trainer.advance()
    return numbers(trainer.model.state_dict())


def largest_exponent(trainer: Trainer) -> float:
    spectrum = trainer.frame(["spectrum"]).spectrum
    assert spectrum is not None
    return float(spectrum.products.lyapunov.max())


@EVERY_CELL
@pytest.mark.parametrize(
    ("kind", "hidden_size", "batch_size"),
    [
        ("classes", 16, 32),
        ("every step", 16, 32),
        ("one step", 16, 32),
        ("values", 7, 5),
        ("padded, last step", 12, 20),
        ("output layers", 5, 3),
    ],
)
def test_a_network_has_the_same_bits_whoever_is_beside_it(kind, cell, hidden_size, batch_size):
    settings = {**KINDS[kind], **cell, "hidden_size": hidden_size, "batch_size": batch_size}
    experiments = [
        Experiment(**settings, seed=k // 2, init="orthogonal", init_gain=0.7 + 0.2 * k, learning_rate=0.002 * (k + 1))
        for k in range(8)
    ]
    chosen = (5, 0, 3, 6, 1)
    crowds = [Many([experiments[k] for k in some]) for some in (range(8), chosen, (2, 3), (3,))]
    for many in crowds:
        for _ in range(4):
            many.advance()
    everybody, five, of_one_seed, alone = (
        [numbers(many.state_dict(k)) for k in range(len(many.steps))] for many in crowds
    )
    assert all(np.array_equal(ours, everybody[k]) for ours, k in zip(five, chosen, strict=True))
    assert np.array_equal(of_one_seed[1], everybody[3]) and np.array_equal(alone[0], everybody[3])


EXPLODES = {"nonlinearity": "relu", "init": "orthogonal", "init_gain": 10.0, "seed": 2}


def test_a_diverged_network_stays_as_it_was_and_does_not_touch_the_others():
    calm = [Experiment(**SMALL, task="adding", cell="rnn", nonlinearity="relu", seq_len=60, seed=s) for s in (0, 1)]
    wild = calm[0].replace(**EXPLODES)
    many, beside = Many([calm[0], wild, calm[1]]), Many(calm)
    trainer = Trainer(wild)
    with pytest.raises(NotFiniteError):
        trainer.advance()
    for _ in range(5):
        many.advance()
        beside.advance()
    assert many.diverged.tolist() == [False, True, False] and many.steps.tolist() == [5, trainer.step, 5]
    assert np.array_equal(numbers(many.state_dict(1)), numbers(trainer.model.state_dict()))
    for ours, theirs in ((0, 0), (2, 1)):
        assert np.array_equal(numbers(many.state_dict(ours)), numbers(beside.state_dict(theirs)))


@EVERY_CELL
def test_a_checkpoint_continues_with_the_same_bits(cell):
    experiments = different(**KINDS["every step"], **cell)
    straight, begun, resumed = Many(experiments), Many(experiments), Many(experiments)
    for _ in range(6):
        straight.advance()
    for _ in range(3):
        begun.advance()
    kept = begun.checkpoint()
    begun.advance()  # a checkpoint is a copy
    resumed.restore(kept)
    for _ in range(3):
        resumed.advance()
    assert resumed.steps.tolist() == straight.steps.tolist() == [6, 6, 6]
    for name, values in straight.checkpoint().items():
        assert np.array_equal(values, resumed.checkpoint()[name]), name


@EVERY_CELL
@pytest.mark.parametrize("before", [0, 4])
def test_a_trainer_goes_on_from_where_a_network_is(cell, before):
    experiments = different(**KINDS["every step"], **cell)
    many, trainer = Many(experiments), Trainer(experiments[1])
    for _ in range(before):
        many.advance()
    trainer.restore(trainer_checkpoint(experiments[1], many.checkpoint(), 1))
    assert trainer.step == before
    assert np.array_equal(numbers(trainer.model.state_dict()), numbers(many.state_dict(1)))
    for _ in range(3):
        many.advance()
        trainer.advance()
    assert np.abs(numbers(trainer.model.state_dict()) - numbers(many.state_dict(1))).max() < 1e-6


def test_what_cannot_stand_beside_others_is_refused_with_a_sentence():
    e = Experiment(**SMALL, task="adding", cell="rnn", seq_len=5)
    refused = [
        e.replace(cell="lstm_peephole"),
        e.replace(nonlinearity="sigmoid"),
        e.replace(bidirectional=True),
        e.replace(schedule="cosine"),
        e.replace(loss="mae"),
        e.replace(task="characters", rnn_type="many_to_many", seq_len=20, batch_size=4, carry_state=True),
        e.replace(task="melody", rnn_type="one_to_many", seq_len=None),
        e.replace(task="reverse", rnn_type="encoder_decoder", seq_len=None),
        e.replace(task="first_symbol_recall", embedding_size=3),
        *(e.replace(num_layers=2, **{name: 1}) for name in ("noise", "weight_decay", "warmup", "tbptt", "train_set")),
        *(
            e.replace(num_layers=2, **{name: 0.5})
            for name in ("dropout", "head_dropout", "input_dropout", "recurrent_dropout")
        ),
    ]
    assert can_be_beside(e) is None
    for each in refused:
        reason = can_be_beside(each)
        assert reason and reason.endswith(".")
        with pytest.raises(ExperimentError, match=r"side by side\. "):
            Many([each])
    assert {name for name in ZERO if any(getattr(each, name) for each in refused)} == set(ZERO)


def test_networks_of_another_shape_are_refused():
    e = Experiment(**SMALL, task="adding", cell="rnn", seq_len=5)
    with pytest.raises(ExperimentError, match="alike in all but seed"):
        Many([e, e.replace(hidden_size=7)])


def test_groups_are_of_one_shape_and_have_those_of_one_seed_together():
    e = Experiment(**SMALL, task="adding", cell="rnn", seq_len=5)
    changes = (
        {},
        {"seed": 1},
        {"cell": "gru"},
        {"init_gain": 2.0},
        {"nonlinearity": "sigmoid"},
        {"learning_rate": 0.1},
    )
    experiments = [e.replace(**change) for change in changes]
    assert group(experiments, 3) == [[4], [0, 3, 5], [1], [2]]
    assert {shape_of(experiments[k]) for k in (0, 1, 3, 5)} == {shape_of(e)}
    assert set(FREE) < set(e.to_dict())


def test_every_cell_that_pytorch_has_can_stand_side_by_side():
    assert set(RECURRENCES) == {name for name, cell in CELLS_OF_ENGINE.items() if cell.torch_layer}
