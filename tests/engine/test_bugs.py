"""Bugs to switch on: the network has them, the lens sees the real passes, the verdict names what can be known."""

from __future__ import annotations

import contextlib
import copy
import math

import numpy as np
import pytest
import torch

from engine.bugs import BUGS, KNOWN_BUGS
from engine.diagnosis import GOOD_KINDS
from engine.experiment import Experiment, ExperimentError
from engine.lens import gradient_flow
from engine.lens.wiring import leak
from engine.many.alike import can_be_beside
from engine.model import build
from engine.preset import list_presets
from engine.slow_motion.dry_run import dry_run_update
from engine.tasks import draw, held_out, probe, sample
from engine.tasks.bugs import LONGEST
from engine.training import NotFiniteError, Trainer
from tests import reference_unroll as reference
from tests.cases import for_each
from tests.engine.conftest import assert_same
from tests.engine.lens.conftest import assert_equal, assert_lens_is_right
from tests.engine.networks import lively

SMALL = {"hidden_size": 6, "batch_size": 5}
CAN_HAVE = {
    "reverse_read_at_its_start": {"cell": "gru", "bidirectional": True, "seq_len": 7},
    "padding_read_as_data": {"task": "sentiment", "cell": "lstm", "seq_len": 5},
    "loss_on_padding": {"task": "next_word", "rnn_type": "many_to_many", "cell": "gru", "seq_len": 6},
    "batch_and_time_swapped": {"task": "xor", "rnn_type": "many_to_many", "cell": "gru", "seq_len": 6},
    "softmax_twice": {"cell": "gru", "seq_len": 5, "forget_bias": 2.0},
    "gradients_not_cleared": {"cell": "gru", "seq_len": 5, "optimizer": "sgd", "clip": "none"},
    "loss_on_the_last_step": {"task": "parity", "rnn_type": "many_to_many", "cell": "lstm", "seq_len": 6},
    "state_kept_between_batches": {"task": "parity", "rnn_type": "many_to_many", "cell": "gru", "seq_len": 6},
}
every_bug = pytest.mark.parametrize("bug", BUGS)


def with_bug(bug: str, **settings: object) -> Experiment:
    return Experiment(**{**SMALL, **CAN_HAVE[bug], "bug": bug, **settings})


def trained(e: Experiment, updates: int) -> Trainer:
    trainer = Trainer(e)
    for _ in range(updates):
        trainer.advance()
    return trainer


# ---- who can have it


@for_each({"bug, settings": [
        ("reverse_read_at_its_start", {"bidirectional": False}),
        ("reverse_read_at_its_start", {"task": "parity", "rnn_type": "many_to_many"}),
        ("padding_read_as_data", {"task": "first_symbol_recall"}),
        ("loss_on_padding", {"bidirectional": True}),
        ("loss_on_padding", {"task": "parity"}),
        ("batch_and_time_swapped", {"tbptt": 2}),
        ("batch_and_time_swapped", {"cell": "feedforward"}),
        ("batch_and_time_swapped", {"bidirectional": True}),
        ("batch_and_time_swapped", {"task": "next_word"}),
        ("softmax_twice", {"task": "adding"}),
        ("loss_on_the_last_step", {"task": "first_symbol_recall", "rnn_type": "many_to_one"}),
        ("loss_on_the_last_step", {"task": "next_word"}),
        ("state_kept_between_batches", {"task": "reverse", "rnn_type": "encoder_decoder"}),
    ]})  # fmt: skip
def test_a_network_that_cannot_have_a_bug_is_told_what_it_needs(bug, settings):
    with pytest.raises(ExperimentError, match=rf"^bug must be none here: this one needs .*, but got '{bug}'\.$"):
        with_bug(bug, **settings)


def test_a_bug_that_there_is_not_is_told_those_there_are():
    with pytest.raises(ExperimentError, match=r"^bug must be none, reverse_read_at_its_start, .*, but got 'typo'\.$"):
        Experiment(bug="typo")


@every_bug
def test_a_network_with_a_bug_is_trained_alone(bug):
    assert "bug must be none side by side" in can_be_beside(
        Experiment(bug="gradients_not_cleared") if "bidirectional" in CAN_HAVE[bug] else with_bug(bug, cell="gru")
    )


# ---- what it does


def test_padding_that_is_read_is_long_and_has_the_answer_at_its_end():
    e = with_bug("padding_read_as_data")
    right, wrong = (make(e, 9, (0, 3)) for make in (draw, sample))
    assert e.time_steps == LONGEST * e.seq_len == len(wrong.inputs) and (wrong.lengths == e.time_steps).all()
    assert (wrong.data_lengths == right.lengths).all() and (right.lengths < e.seq_len).any()
    for b, length in enumerate(right.lengths):
        assert (wrong.inputs[:length, b] == right.inputs[:length, b]).all() and (wrong.inputs[length:, b] == -1).all()
        assert wrong.padding_read[:, b].tolist() == [t >= length for t in range(e.time_steps)]
        assert wrong.targets[-1, b] == right.targets[length - 1, b] and wrong.mask[:, b].nonzero()[0].tolist() == [
            e.time_steps - 1
        ]
    assert probe(e).data_lengths is not None and held_out(e).data_lengths is not None


def test_a_loss_on_padding_is_the_mean_over_all_steps():
    e = with_bug("loss_on_padding")
    trainer, batch = Trainer(e), sample(e, e.batch_size, (e.seed, 1))
    right = draw(e, e.batch_size, (e.seed, 1))
    assert batch.mask.all() and not right.mask.all() and (batch.targets[~right.mask] == 0).all()
    with torch.no_grad():
        logits = trainer.model(batch)
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(batch.targets).flatten())
    assert trainer.advance() == pytest.approx(float(losses), rel=1e-6)


def test_gradients_that_are_not_cleared_add_up():
    e = with_bug("gradients_not_cleared", learning_rate=0.1)
    trainer, model = Trainer(e), build(e)
    for step in range(1, 4):
        model.loss(sample(e, e.batch_size, (e.seed, step))).backward()
        with torch.no_grad():
            for weight in model.parameters():
                weight -= 0.1 * weight.grad
        trainer.advance()
        for ours, theirs in zip(trainer.model.parameters(), model.parameters(), strict=True):
            torch.testing.assert_close(ours, theirs)
    assert trainer.progress.stored_gradient > 1.2
    assert trained(e.replace(bug="none"), 3).progress.stored_gradient == 1


def test_a_kept_state_is_where_the_next_batch_begins():
    e = with_bug("state_kept_between_batches", optimizer="sgd", learning_rate=1e-8)
    trainer = Trainer(e)
    trainer.advance()
    model, batch = copy.deepcopy(trainer.model), sample(e, e.batch_size, (e.seed, 2))
    with torch.no_grad():
        _, kept = model.recurrent(model.embed(sample(e, e.batch_size, (e.seed, 1))))
        output, _ = model.recurrent(model.embed(batch), kept)
        expected = model.step_losses(model.head(output), batch) * model.loss_weights(batch)
    torch.testing.assert_close(trainer.model.kept_state, kept, rtol=1e-4, atol=1e-5)
    assert trainer.advance() == pytest.approx(float(expected.sum(0).mean()), rel=1e-5)
    trainer.update(batch_size=3)
    assert math.isfinite(trainer.advance()) and trainer.model.kept_state.shape[1] == 3


@every_bug
def test_a_checkpoint_goes_on_exactly_and_the_rehearsal_is_the_update(bug):
    straight = trained(with_bug(bug), 3)
    again = Trainer(with_bug(bug))
    again.restore(straight.checkpoint())
    rehearsed = dry_run_update(again)
    losses = [straight.advance() for _ in range(2)]
    assert losses == [again.advance() for _ in range(2)] and losses[0] == rehearsed.loss
    assert_same(straight.frame(), again.frame())


# ---- what the lens sees


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug != "batch_and_time_swapped"])
def test_the_lens_equals_autograd_on_the_unrolled_network(bug, monkeypatch):
    e = with_bug(bug, num_layers=2)
    model, batch = lively(e), sample(e, 4, 1)
    if bug == "softmax_twice":
        say = reference._say
        monkeypatch.setattr(reference, "_say", lambda *args: torch.softmax(say(*args), 0))
    if bug == "reverse_read_at_its_start":
        monkeypatch.setattr(reference, "_say", lambda model, rows, t: model.head(rows[t]))
    assert_lens_is_right(model, batch, at=3)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstm_peephole", "linear"])
def test_across_the_batch_the_lens_has_the_real_states_and_each_sequences_own_gradient(cell):
    e = with_bug("batch_and_time_swapped", cell=cell, num_layers=2)
    model, batch = lively(e), sample(e, 4, 1)
    steps, sequences = batch.inputs.shape
    hidden, zeros = {}, torch.zeros(e.hidden_size, dtype=torch.float64)
    for t in range(steps):
        before = [(zeros, zeros)] * e.num_layers
        for b in range(sequences):
            x = torch.eye(2, dtype=torch.float64)[batch.inputs[t, b]]
            for layer in range(e.num_layers):
                h, c = reference.step(model, model.recurrent, layer, 0, x, *before[layer])
                before[layer] = h, c
                hidden[layer, t, b] = x = h
    flow = gradient_flow(model, batch)
    for b in range(sequences):
        losses = [torch.nn.functional.cross_entropy(model.head(hidden[1, t, b]), torch.tensor(batch.targets[t, b]))
                  for t in range(steps) if batch.mask[t, b]]  # fmt: skip
        own = torch.stack(losses).mean() / sequences
        keys = [(layer, t, b) for layer in range(2) for t in range(steps)]
        slopes = torch.autograd.grad(own, [hidden[key] for key in keys], retain_graph=True, materialize_grads=True)
        for key, slope in zip(keys, slopes, strict=True):
            layer, t, _ = key
            assert_equal(flow.hidden[layer, 0, t, b], hidden[key].detach().numpy())
            assert_equal(flow.grad_hidden[layer, 0, t, b], slope.numpy())


def test_nothing_goes_back_in_time_across_the_batch_and_no_step_is_linked():
    trainer = trained(with_bug("batch_and_time_swapped"), 2)
    frame = trainer.frame(["saliency", "decomposition", "terms:0:0", "followed:2"])
    assert frame.grad_norm_last[..., -1] > 0 and (frame.grad_norm_last[..., :-1] == 0).all()
    assert not trainer.info.has_links and frame.held_out_leak > 0.01
    assert frame.decomposition is not None and frame.terms is not None and frame.followed is not None


@for_each({"settings": [
        {"cell": "lstm", "seq_len": 6},
        {"task": "sentiment", "bidirectional": True, "cell": "gru"},
        {"task": "reverse", "rnn_type": "encoder_decoder", "cell": "lstm_peephole"},
        {"task": "melody", "rnn_type": "one_to_many", "seq_len": 9},
        {"task": "sine", "rnn_type": "many_to_many", "cell": "linear", "tbptt": 5},
        {"task": "digits", "rnn_type": "one_to_one", "cell": "feedforward"},
    ]})  # fmt: skip
def test_sequences_of_a_sound_network_never_meet(settings):
    e = Experiment(**SMALL, **settings)
    assert leak(lively(e), sample(e, 4, 1)) == 0


# ---- what the verdict says


SAYS = {
    "reverse_read_at_its_start": "its gradient is exactly 0 at 6 of 7 steps",
    "padding_read_as_data": "The answer is read behind the padding",
    "loss_on_padding": "of the steps that count in the loss are padding",
    "batch_and_time_swapped": "of a sequence's loss goes to other sequences",
    "softmax_twice": "The loss cannot fall below 1.461",
    "gradients_not_cleared": "the gradients of earlier updates are still in it",
}


@pytest.mark.parametrize("bug", KNOWN_BUGS)
def test_the_verdict_names_what_a_run_shows_and_its_cure_is_the_right_line(bug):
    e = with_bug(bug)
    for updates in (0, 3):
        found = trained(e, updates).frame().diagnosis
        if updates or bug != "gradients_not_cleared":  # of which the first update has nothing
            assert found.kind == bug and SAYS[bug] in found.sentence and found.cure == {"bug": "none"}
            assert len(found.sentence) <= 200
    assert trained(e.replace(**found.cure), 3).frame().diagnosis.kind not in BUGS


@pytest.mark.parametrize("bug", sorted(BUGS.keys() - set(KNOWN_BUGS)))
def test_what_may_be_meant_is_not_named(bug):
    assert trained(with_bug(bug), 2).frame().diagnosis.kind not in BUGS


def assert_sound(e: Experiment) -> None:
    trainer = Trainer(e)
    for updates in (0, 2):
        with contextlib.suppress(NotFiniteError):  # a card is about that
            while trainer.step < updates:
                trainer.advance()
        frame = trainer.frame()
        assert frame.diagnosis.kind not in BUGS and frame.held_out_leak == 0
        assert not frame.padding_gradient > 0 and not frame.padding_counted > 0 and not frame.off_one < 0.1
        assert frame.stored_gradient == 1 or frame.step == 0


SOUND = [preset.experiment for preset in list_presets() if not preset.file and preset.experiment.bug == "none"]


@for_each({"e": SOUND[::6]})
def test_a_lesson_without_a_bug_never_gets_such_a_verdict(e):
    assert_sound(e)


@pytest.mark.full
@pytest.mark.parametrize("e", SOUND, ids=lambda e: f"{e.task}-{e.cell}")
def test_no_lesson_without_a_bug_gets_such_a_verdict(e):
    assert_sound(e)


def test_bugs_that_are_known_are_bad_verdicts():
    assert not set(KNOWN_BUGS) & set(GOOD_KINDS) and np.isnan(Trainer(Experiment(**SMALL)).frame().stored_gradient)
