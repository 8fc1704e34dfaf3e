"""Nothing is learned although the gradient arrives: braked by clipping, or standing at a known level."""

from __future__ import annotations

import math

import pytest

from engine.diagnosis import plateau
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import TASKS
from engine.training import Trainer, recent
from tests.cases import for_each
from tests.engine.diagnosis.conftest import BAR, above, below, judged

BRAKED = {"clips": 1.0, "optimizer": "sgd", "learning_rate": 0.1, "clip_threshold": 0.001, "norms": (0.05, 0.001)}
STANDS = {"recent": BAR, "earlier": BAR}


def trained(updates: int, **settings) -> Trainer:
    trainer = Trainer(Experiment(**settings))
    for _ in range(updates):
        trainer.advance()
    return trainer


# ---- clipped


@for_each(
    {
        "changes, kind": [
            ({}, "clipped"),
            ({"ratio": 0.01}, "clipped"),
            ({"ratio": 100.0}, "clipped"),
            ({"ratio": below(0.01)}, "fading"),
            ({"ratio": above(100.0)}, "growing"),
            ({"ratio": 0.0, "tbptt": 5}, "cut"),
            ({"gradient": 0.0}, "no_gradient"),
            ({"loss": 0.01}, "solved"),
            ({"loss": 0.8 * BAR}, "clipped"),
            ({"loss": below(0.8 * BAR)}, "healthy"),  # it learns all the same
            ({"clips": 0.95}, "healthy"),
            ({"clips": math.nan}, "healthy"),  # fewer than 20 updates
            ({"optimizer": "momentum"}, "clipped"),
            ({"optimizer": "adam"}, "healthy"),
            ({"optimizer": "rmsprop"}, "healthy"),
            ({"optimizer": "adagrad"}, "healthy"),
            ({"norms": (0.0021, 0.001)}, "clipped"),
            ({"norms": (0.002, 0.001)}, "healthy"),  # half of it is left
            ({"clip_threshold": 0.999}, "clipped"),
            ({"clip_threshold": 1.0}, "healthy"),  # a usual threshold: a safety net, not a brake
            ({"learning_rate": 10.0, "norms": (5.0, 0.6)}, "healthy"),  # its weights move all the same
            ({"recent": BAR, "earlier": BAR}, "clipped"),  # the nearer reason
        ]
    }
)
def test_a_brake_is_said_only_where_clipping_is_why_nothing_is_learned(changes, kind):
    assert judged(**{"ratio": 0.5, **BRAKED, **changes}).kind == kind


def test_a_brake_says_its_numbers():
    assert judged(0.5, **BRAKED).sentence == (
        "Every update is clipped: the threshold of 0.001, not the gradient's 0.05, sets its length. "
        "50% of the gradient reaches t = 0."
    )


@pytest.mark.parametrize(("optimizer", "update_size"), [("sgd", 1), ("momentum", 10)])
def test_a_network_clipped_on_every_update(optimizer, update_size):
    settings = {"task": "xor", "rnn_type": "many_to_many", "cell": "rnn", "hidden_size": 4, "seq_len": 6,
                "clip_threshold": 1e-4, "optimizer": optimizer, "learning_rate": 0.01}  # fmt: skip
    assert trained(19, **settings).frame().diagnosis.kind == "healthy"
    trainer = trained(20, **settings)
    verdict = trainer.frame().diagnosis
    # SGD would not move even without the threshold; momentum would.
    cure = {"sgd": {"optimizer": "adam", "learning_rate": 0.003}, "momentum": {"clip_threshold": 1.0}}[optimizer]
    assert (verdict.kind, verdict.cure) == ("clipped", cure)
    assert verdict.evidence["gradient_clipped"] == verdict.evidence["threshold"] == 1e-4
    assert verdict.evidence["gradient"] == trainer.param_grad_norm > 1e-3
    count = sum(each.numel() for each in trainer.model.parameters())
    assert verdict.evidence["moved"] == pytest.approx(update_size * 0.01 * 1e-4 / math.sqrt(count))
    trainer.update(clip_threshold=1.0)
    trainer.advance()
    assert trainer.frame().diagnosis.kind == "healthy"


# ---- on a plateau


@for_each(
    {
        "changes, kind": [
            ({}, "plateau"),
            ({"recent": 1.049 * BAR}, "plateau"),
            ({"recent": 1.051 * BAR}, "healthy"),
            ({"recent": 0.951 * BAR}, "plateau"),
            ({"recent": 0.949 * BAR}, "healthy"),
            ({"earlier": 1.051 * BAR}, "healthy"),
            ({"earlier": 0.949 * BAR}, "healthy"),
            ({"earlier": math.nan}, "healthy"),  # fewer than 120 updates
            ({"recent": math.nan, "earlier": math.nan}, "healthy"),
            ({"ratio": 0.01}, "plateau"),
            ({"ratio": 100.0}, "plateau"),
            ({"ratio": below(0.01)}, "fading"),
            ({"ratio": above(100.0)}, "growing"),
            ({"ratio": 0.0, "tbptt": 5}, "cut"),
            ({"gradient": 0.0}, "no_gradient"),
            ({"loss": 0.01}, "solved"),
        ]
    }
)
def test_a_plateau_is_where_two_mean_losses_stand_at_one_level(changes, kind):
    assert judged(**{"ratio": 0.5, **STANDS, **changes}).kind == kind


@pytest.mark.parametrize(
    ("settings", "level", "sentence"),
    [
        ({}, BAR, "The loss has stood at 2.3 (guessing) for 100 updates, though 50% of the gradient reaches t = 0."),
        ({"task": "adding"}, 1 / 6, "The loss has stood at 0.167 (always saying 1) for 100 updates, though 50%"),
        ({"task": "adding"}, 1 / 12, "The loss has stood at 0.0833 (knowing one of the two) for 100 updates, though"),
        ({"task": "temporal_order"}, math.log(2), "The loss has stood at 0.693 (knowing one of the two) for 100"),
        (
            {"task": "digits", "rnn_type": "one_to_one"},
            2.3024,
            "The loss has stood at 2.3 (knowing how common each digit is) for 100 updates, though the answer lies",
        ),
    ],
    ids=str,
)
def test_a_plateau_names_its_level(settings, level, sentence):
    verdict = judged(0.5, loss=level, recent=level, earlier=level, **settings)
    assert verdict.kind == "plateau" and verdict.sentence.startswith(sentence)
    assert verdict.evidence["level"] == pytest.approx(level, rel=1e-3)
    assert (verdict.evidence["recent_loss"], verdict.evidence["earlier_loss"]) == (level, level)


def test_what_is_seen_at_once_can_be_a_plateau_too():
    """Nothing goes back in a feed-forward network; where its window holds the answer, nothing has to."""
    settings = {"task": "xor", "rnn_type": "many_to_many", "cell": "feedforward", "window": 2}
    verdict = judged(0.0, loss=0.69, recent=0.69, earlier=0.69, **settings)
    assert verdict.kind == "plateau"
    sentence = "The loss has stood at 0.693 (guessing, or seeing one bit) for 100 updates, though the answer lies among"
    assert verdict.sentence.startswith(sentence)
    assert judged(0.0, loss=0.69, recent=0.69, earlier=0.69, **{**settings, "window": 1}).kind == "no_path"


def test_tiny_updates_are_said():
    sentence = judged(0.5, **STANDS, learning_rate=0.0002).sentence
    assert sentence.endswith("though 50% of the gradient reaches t = 0. Updates are tiny: 0.0002 a weight.")
    assert "tiny" not in judged(0.5, **STANDS, learning_rate=0.001).sentence


def test_between_two_levels_is_no_plateau():
    assert judged(0.5, task="adding", loss=0.12, recent=1 / 12, earlier=1 / 6).kind == "healthy"
    assert judged(0.5, task="adding", loss=0.12, recent=0.12, earlier=0.12).kind == "healthy"


def test_what_cannot_be_beaten_is_no_plateau():
    names = {name for task in TASKS.values() for name in task.baselines(
        Experiment(task=task.slug, rnn_type=task.rnn_types[0]))}  # fmt: skip
    assert set(plateau.UNBEATABLE_LEVELS) <= names
    best = RunInfo.of(Experiment(task="reber", rnn_type="many_to_many")).baselines["the best possible"]
    settings = {"task": "reber", "rnn_type": "many_to_many", "loss": best}
    assert judged(0.5, recent=best, earlier=best, **settings).kind == "healthy"


def test_the_hundred_updates_are_those_of_the_trainer():
    assert plateau.PLATEAU_UPDATES == recent.EARLIER


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_network_that_hardly_moves_stands_at_the_level_of_guessing(reduction):
    """Of its own unit: the sum of 7 losses, of the 8 steps but the first, is 7 times their mean."""
    settings = {"task": "xor", "rnn_type": "many_to_many", "cell": "rnn", "hidden_size": 4, "seq_len": 8,
                "optimizer": "sgd", "learning_rate": 1e-6, "reduction": reduction}  # fmt: skip
    trainer = trained(99, **settings)  # the record of step 100 comes with the next update
    assert trainer.frame().diagnosis.kind == "healthy"
    trainer.advance()
    frame = trainer.frame()
    times = {"mean": 1, "sum": 7}[reduction]
    assert frame.diagnosis.kind == "plateau"
    assert frame.diagnosis.evidence["level"] == pytest.approx(times * math.log(2))
    assert frame.diagnosis.cure == {"optimizer": "adam", "learning_rate": 0.003}
    moved = frame.diagnosis.evidence["moved"]
    assert moved < 1e-5
