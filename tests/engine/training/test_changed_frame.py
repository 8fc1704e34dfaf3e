"""A frame of the drawn sequence with interventions, beside the untouched one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.frame.typed_frame import TypedSentenceError
from engine.intervention.intervention import CutLink, HoldGate, InterventionError, SetInput, SetState, ZeroUnit
from engine.training import Trainer
from tests import reference_unroll as reference
from tests.engine.conftest import assert_same

ALL = ["decomposition", "spectrum", "saliency", "terms:0:0", "followed:5"]
PLACES = [ZeroUnit(layer=0, unit=2), SetState(layer=0, t=2, unit=1, value=0.5), CutLink(layer=0, t=3)]
NETWORKS = {
    "one answer": ({"task": "themselves", "seq_len": 8, "embedding_size": 3}, PLACES),
    "padded, both ways": (
        {"task": "teddy", "rnn_type": "many_to_many", "bidirectional": True, "cell": "gru"},
        [*PLACES, HoldGate(layer=0, direction=1, gate="update_gate", value=0.9)],
    ),
    "encoder-decoder": (
        {"task": "addition", "rnn_type": "encoder_decoder", "cell": "gru_2014", "num_layers": 2}, PLACES
    ),
    "attention": (
        {"task": "reverse", "rnn_type": "encoder_decoder", "attention": "dot"}, [*PLACES, CutLink(layer=0, t=6)]
    ),
    "one to many": ({"task": "melody", "rnn_type": "one_to_many", "seq_len": 6, "cell": "lstm_layer_norm"}, PLACES),
    "an image": ({"task": "digit_name", "rnn_type": "one_to_many"}, [SetInput(t=0, channel=9, value=3), *PLACES]),
    "numbers, truncated": (
        {"task": "stocks", "rnn_type": "many_to_many", "seq_len": 9, "tbptt": 4, "cell": "linear"},
        [SetInput(t=4, value=2), *PLACES],
    ),
    "a window": (
        {"task": "stocks", "rnn_type": "many_to_many", "seq_len": 9, "cell": "feedforward", "window": 3},
        [SetInput(t=4, value=2), *PLACES[:2]],
    ),
}  # fmt: skip


def trained(settings: dict) -> Trainer:
    trainer = Trainer(Experiment(hidden_size=5, **settings))
    trainer.advance()
    return trainer


@pytest.mark.parametrize(("settings", "interventions"), NETWORKS.values(), ids=NETWORKS)
def test_a_changed_frame_has_all_readings_and_changes_nothing(settings, interventions):
    trainer = trained(settings)
    before, chance, frame = trainer.checkpoint(), torch.get_rng_state(), trainer.frame()
    result = trainer.changed_frame(interventions, requested=ALL)
    assert trainer.checkpoint() == before and torch.equal(torch.get_rng_state(), chance) and trainer.model.training
    assert_same(trainer.frame(), frame)
    assert result.interventions == tuple(interventions) and result.frame.on_demand == result.untouched.on_demand
    assert not np.array_equal(result.frame.hidden, result.untouched.hidden)
    for name in ("targets", "valid", "counted"):
        assert np.array_equal(getattr(result.frame, name), getattr(result.untouched, name)), name
    unit, t = result.frame.hidden[0, 0, :, 2], result.frame.hidden[0, 0, 2, 1]
    assert not unit.any() and t == 0.5 and not result.frame.hidden.flags.writeable
    assert result.info(trainer.info).valid == trainer.info.valid
    if CutLink(layer=0, t=3) in interventions and "tbptt" not in settings:  # there it is cut off from the last loss
        assert result.frame.factors.factor[0, 0, 3] == 0


@pytest.mark.parametrize("settings", [each for each, _ in NETWORKS.values()][:4], ids=list(NETWORKS)[:4])
def test_without_an_intervention_it_is_the_ordinary_frame(settings):
    trainer = trained(settings)
    result, typed = trainer.changed_frame([], requested=ALL), trainer.typed_frame({}, ALL)
    assert_same(result.frame, typed.frame)
    assert_same(result.untouched, typed.frame)
    assert np.array_equal(result.targets_known, typed.targets_known)


def test_the_relative_and_the_followed_gradient_are_those_of_a_changed_loop():
    trainer = trained({"task": "stocks", "rnn_type": "many_to_many", "seq_len": 9, "cell": "gru"})
    result = trainer.changed_frame([HoldGate(layer=0, gate="update_gate", value=0.8)], requested=["followed:6"])
    batch = trainer.probe.single_sequence(0)

    def held(key, name, value):
        return torch.full_like(value, 0.8) if name == "update_gate" else value

    run = reference.unroll(trainer.model.double(), batch, change=held)
    for which, relative, at in (("last", result.frame.relative, 8), (6, result.frame.followed.relative, 6)):
        norms = np.linalg.norm(run.gradients(which)["grad_hidden"], axis=-1)[..., 0]
        np.testing.assert_allclose(relative, norms / norms[:, :, [at]], rtol=1e-3, atol=1e-12)
    np.testing.assert_allclose(result.frame.loss_per_step, run.losses[:, 0].detach().numpy() * 9, rtol=1e-4)


def test_a_typed_sentence_is_read_by_both_networks():
    trainer = trained(NETWORKS["one answer"][0])
    result = trainer.changed_frame([ZeroUnit(layer=0, unit=0)], {0: "they"})
    assert_same(result.untouched, trainer.typed_frame({0: "they"}).frame)
    assert np.array_equal(result.frame.inputs, result.untouched.inputs)
    with pytest.raises(TypedSentenceError):
        trainer.changed_frame([], {99: "they"})


def test_an_input_that_is_set_leaves_the_question_as_it_is():
    trainer = trained({"task": "adding", "seq_len": 6})
    result = trainer.changed_frame([SetInput(t=2, channel=0, value=0.125)])
    assert result.frame.inputs[2, 0] == 0.125 and result.frame.loss_per_step[5] != result.untouched.loss_per_step[5]
    assert np.array_equal(result.frame.targets, result.untouched.targets) and result.targets_known[5]


def test_what_this_network_does_not_have_is_said():
    with pytest.raises(InterventionError, match="unit of zero_unit must be a whole number from 0 to 4, but got 5"):
        trained(NETWORKS["one answer"][0]).changed_frame([ZeroUnit(layer=0, unit=5)])
