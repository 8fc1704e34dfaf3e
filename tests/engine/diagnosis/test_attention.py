"""The verdict with attention: nothing is known while it reads all steps alike; attention that is not used is named."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from engine.diagnosis import diagnose
from engine.diagnosis.attention import AttentionUse
from engine.diagnosis.text import MAX_CHARACTERS
from engine.experiment import Experiment
from engine.frame import Diagnosis
from engine.training import Trainer

EVEN = 1 / 12
TRAINER = Trainer(Experiment(task="reverse", rnn_type="encoder_decoder", attention="dot", hidden_size=5, seq_len=12))
UNTRAINED = TRAINER.frame()
LINE = TRAINER.info.held_out_baseline


def judged(
    step: int = 300,
    loss: float = 0.5 * LINE,
    total: float = 1.0,
    state: float = 1e-4,
    around: float = 0.99,
    weight: float = 0.8,
    largest: float = 0.8,
    **record: Any,
) -> Diagnosis:
    """The verdict on a frame with these numbers; its record was measured at the same step."""
    attention = dataclasses.replace(
        UNTRAINED.attention, state_ratio=np.array([[state]]), around_share=np.array([[around]]),
        deciding_weight=weight, largest_weight=largest, even_weight=EVEN,
    )  # fmt: skip
    use = AttentionUse.of(attention, (0, 0))
    attends = use.counts(loss < 0.8 * LINE)
    measured = {"held_out_step": step, "held_out_loss": loss, "held_out_attends": attends, "held_out_band": -1,
                "held_out_earlier": 1.5 * loss, "held_out_best_step": step, "held_out_best": loss}  # fmt: skip
    frame = dataclasses.replace(
        UNTRAINED, step=step, ratio=np.array([[total]]), attention=attention, probe_loss=loss, **{**measured, **record}
    )
    found = diagnose(TRAINER.info, frame)
    assert len(found.sentence) <= MAX_CHARACTERS
    return found


@pytest.mark.parametrize("state", [1e-9, 1e-4, 0.5])
def test_before_training_nothing_is_known_whatever_arrives(state):
    """1/12 of the gradient comes to every step, which the bands alone would call healthy."""
    found = judged(step=0, loss=LINE, total=EVEN, state=state, around=1 - state, weight=EVEN, largest=0.09)
    assert found.kind == "untrained" and not found.cure
    assert found.sentence.startswith("Attention reads all steps alike, so what it passes says nothing yet. Through the")


def test_a_network_just_made_is_judged_like_that():
    frame = TRAINER.frame()
    assert frame.diagnosis.kind == "untrained" and "all steps alike" in frame.diagnosis.sentence
    assert frame.held_out_attends is False and frame.held_out_ratio == pytest.approx(frame.attention.state_ratio.max())
    assert frame.diagnosis.evidence["state_ratio"] == pytest.approx(frame.attention.state_ratio.max())


@pytest.mark.parametrize(("state", "kind"), [(1e-8, "vanished"), (1e-4, "vanishing"), (0.5, "healthy")])
def test_while_it_reads_all_alike_the_way_through_the_state_is_judged(state, kind):
    found = judged(loss=0.9 * LINE, state=state, weight=EVEN, largest=0.1)
    assert found.kind == kind and "Through the state alone" in found.sentence
    assert found.evidence["ratio"] == state


def test_it_counts_once_the_deciding_step_is_chosen_or_the_loss_has_fallen():
    chosen = judged(loss=0.9 * LINE, weight=0.5, largest=0.5)
    assert chosen.kind == "healthy" and "99.0% of that came through attention." in chosen.sentence
    assert judged(loss=0.5 * LINE, weight=EVEN, largest=0.5).kind == "healthy"
    elsewhere = judged(loss=0.9 * LINE, weight=0.01, largest=0.9)
    assert elsewhere.kind == "vanishing" and "Attention reads other steps than the one asked" in elsewhere.sentence


def test_attention_that_was_never_used_is_named_and_what_carries_it():
    found = judged(total=0.99, state=0.96, around=0.03, weight=0.09, largest=0.1)
    assert found.kind == "healthy"
    assert found.sentence.endswith(
        "97% of that came through the state. Attention is not used: it reads all steps alike."
    )
    used = judged(total=0.99, state=0.96, around=0.03, weight=0.8, largest=0.8)
    assert used.sentence.endswith("97% of that came through the state, though attention has chosen.")
    solved = judged(loss=1e-4, held_out_solved=True, around=0.2, weight=EVEN, largest=EVEN)
    assert solved.kind == "solved" and "Attention is not used" in solved.sentence


def test_the_bar_stays_where_it_was_passed():
    use = AttentionUse(1e-3, 0.9, 1.8 * EVEN, 1.8 * EVEN, EVEN)
    assert not use.counts(False) and use.counts(False, before=True) and use.counts(True)
    assert not dataclasses.replace(use, deciding_weight=1.4 * EVEN).counts(False, before=True)


def test_where_nothing_comes_through_the_state_attention_is_all_there_is():
    assert AttentionUse(0.0, 1.0, EVEN, EVEN, EVEN).counts(False)
    e = Experiment(task="reverse", rnn_type="encoder_decoder", attention="dot", cell="feedforward", hidden_size=5)
    frame = Trainer(e).frame()
    assert (
        frame.held_out_attends
        and frame.attention.shares["state"][np.isfinite(frame.attention.shares["state"])].max() == 0
    )
    assert frame.diagnosis.kind == "untrained"


def test_without_attention_a_record_is_as_it_was():
    frame = Trainer(Experiment(hidden_size=4, seq_len=5)).frame()
    assert frame.attention is None and frame.held_out_attends and "state_ratio" not in frame.diagnosis.evidence
