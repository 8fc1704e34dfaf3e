"""Every failure card gets the verdict that it is about, when its lesson says, and the cure changes it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.experiment import Experiment
from engine.frame import Diagnosis
from engine.preset import list_presets, load_preset
from engine.training import NotFiniteError, Trainer


@dataclass(frozen=True)
class Shown:
    """After so many updates: the kind, words of the sentence; and after how many the cured network has another kind."""

    updates: int
    kind: str
    words: str
    cured_updates: int = 0
    cured: str | None = "untrained"


CARDS = {
    "failure-vanishing": Shown(0, "vanished", "Sigmoid slopes pass 24% per step"),
    "failure-exploding": Shown(0, "exploding", "the weights stretch it 1.67-fold per step"),
    "failure-saturated": Shown(10, "dead", "the units are pinned at their limits", 10, "healthy"),
    "failure-dead-relu": Shown(40, "dead", "every ReLU is at 0", 10, "healthy"),
    "failure-clipped": Shown(20, "clipped", "the threshold of 0.001", 20, "healthy"),
    "failure-truncated": Shown(0, "cut", "truncation cuts the gradient after 8 steps"),
    "failure-underflow": Shown(0, "vanished", "too small for 32 bits"),
    "failure-plateau": Shown(120, "plateau", "The loss has stood at 0.693 (guessing)", cured=None),
    "failure-nan": Shown(1, "diverged", "The updates are too large", 20, "healthy"),
}


def verdict_of(experiment: Experiment, updates: int) -> Diagnosis:
    trainer = Trainer(experiment)
    for _ in range(updates):
        trainer.advance()
    diagnosis = trainer.frame().diagnosis
    assert diagnosis is not None
    return diagnosis


def test_every_card_is_here():
    assert {preset.slug for preset in list_presets() if preset.kind == "failure"} == CARDS.keys()


@pytest.mark.parametrize(("slug", "shown"), CARDS.items(), ids=CARDS)
def test_a_card_gets_its_verdict_and_its_cure_another(slug, shown):
    e = load_preset(slug).experiment
    verdict = verdict_of(e, shown.updates)
    assert verdict.kind == shown.kind and shown.words in verdict.sentence
    assert bool(verdict.cure) == (shown.cured is not None)
    if verdict.cure:
        assert verdict_of(e.replace(**verdict.cure), shown.cured_updates).kind == shown.cured


def test_the_dead_network_was_healthy_before():
    for seed in range(3):
        trainer = Trainer(load_preset("failure-dead-relu").experiment.replace(seed=seed))
        kinds = []
        while trainer.step < 12:
            kinds.append(trainer.frame().diagnosis.kind)
            trainer.advance()
        assert kinds[:2] == ["untrained", "healthy"] and kinds[-1] == "dead" and "vanished" not in kinds
        while trainer.step < 20:
            trainer.advance()
        assert (trainer.frame().hidden == 0).all()


def test_the_network_that_breaks_breaks_at_its_next_update():
    trainer = Trainer(load_preset("failure-nan").experiment)
    trainer.advance()
    with pytest.raises(NotFiniteError, match="Update 2 was not made"):
        trainer.advance()
