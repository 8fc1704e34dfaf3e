"""A state that is carried on: chunks of a text in order, one update each, and frames that depend on weights alone."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from app.figures.over_time.gradient import readout
from app.live.how_measured import paragraphs
from engine.experiment import Experiment, ExperimentError
from engine.lens.cut_gradient import cut_gradient_norm
from engine.live_settings import live_settings
from engine.model.carried_state import CarriedState
from engine.recording import Recording
from engine.slow_motion.dry_run import dry_run_update
from engine.tasks import NO_SYMBOL, held_out, probe, task_of
from engine.tasks.chunks import Chunks
from engine.training import NotFiniteError, Trainer
from engine.training.training_data import chunks, train_chunk
from tests import reference_unroll as reference
from tests.engine.conftest import assert_same
from tests.engine.lens.conftest import assert_lens_is_right
from tests.engine.networks import lively

TEXT = {"task": "characters", "rnn_type": "many_to_many", "cell": "lstm", "hidden_size": 6, "seq_len": 5,
        "batch_size": 3, "carry_state": True}  # fmt: skip
SPOTS = TEXT | {"task": "sunspots", "cell": "gru", "num_layers": 2, "seq_len": 13}


def trained(settings, updates: int) -> Trainer:
    trainer = Trainer(Experiment(**settings))
    for _ in range(updates):
        trainer.advance()
    return trainer


# ---- what is read


def passage(first: int, count: int, counted=None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = np.arange(first, first + count)
    return values, values + 1, np.ones(count, bool) if counted is None else counted


def test_each_sequence_goes_on_where_it_was_and_then_begins_again():
    read = Chunks([passage(0, 26)], 4, 2)  # six chunks, two steps left over: three for each sequence
    batches = [read.at(number) for number in range(4)]
    assert [batch.inputs[:, 0].tolist() for batch, _ in batches[:3]] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert [batch.inputs[0, 1] for batch, _ in batches] == [12, 16, 20, 12]
    assert [begins.tolist() for _, begins in batches] == [[True] * 2, [False] * 2, [False] * 2, [True] * 2]
    assert all((batch.targets == batch.inputs + 1).all() and batch.mask.all() for batch, _ in batches)


def test_a_state_ends_with_its_series_and_where_a_chunk_has_no_loss():
    counted = np.repeat([True, False, True], 4)
    read = Chunks([passage(0, 9), passage(100, 5), passage(200, 12, counted)], 4, 1)
    found = [(read.at(number)[0].inputs[0, 0], bool(read.at(number)[1][0])) for number in range(5)]
    assert found == [(0, True), (4, False), (100, True), (200, True), (208, True)]


def test_a_text_is_read_whole_with_each_symbol_after_the_one_before():
    e = Experiment(**TEXT)
    inputs, targets, counted = task_of(e).passages(e)[0]
    assert inputs[0] == NO_SYMBOL and np.array_equal(inputs[1:], targets[:-1]) and counted.all()
    assert "alice was beginning" in "".join(task_of(e).output_labels[token] for token in targets[:200])
    read = chunks(e)
    first, second = (train_chunk(e, step, read)[0] for step in (1, 2))
    assert np.array_equal(first.targets[-1], second.inputs[0])


# ---- training


def test_it_trains_like_a_plain_loop_that_hands_its_state_on():
    e = Experiment(**TEXT)
    torch.manual_seed(e.seed)
    trainer, lstm, head = Trainer(e), nn.LSTM(e.input_size, 6), nn.Linear(6, task_of(e).output_size)
    lstm.load_state_dict(trainer.model.recurrent.state_dict())
    head.load_state_dict(trainer.model.head.state_dict())
    both = [*lstm.parameters(), *head.parameters()]
    optimizer, state, read = torch.optim.Adam(both, lr=e.learning_rate), None, chunks(e)
    for step in range(1, 8):
        batch, _ = train_chunk(e, step, read)
        seen = nn.functional.one_hot(torch.tensor(batch.inputs).clamp(min=0), e.input_size)
        seen = seen * torch.tensor(batch.inputs >= 0)[..., None]
        output, state = lstm(seen.float(), state)
        state = tuple(each.detach() for each in state)
        loss = cross_entropy(head(output).flatten(0, 1), torch.tensor(batch.targets).flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(both, e.clip_threshold)
        optimizer.step()
        assert trainer.advance() == pytest.approx(loss.item(), rel=1e-6)


def test_a_pass_over_the_data_begins_with_zero():
    trainer = Trainer(Experiment(**SPOTS))
    turns = chunks(trainer.experiment).per_sequence
    for _ in range(turns):
        trainer.advance()
    assert not trainer.carried.state.any()
    trainer.advance()
    assert trainer.carried.state.any()


@pytest.mark.parametrize(
    "settings", [TEXT | {"num_layers": 2, "dropout": 0.3}, SPOTS, TEXT | {"cell": "lstm_peephole"}]
)
def test_a_checkpoint_goes_on_exactly_because_it_holds_the_state(settings):
    straight, other, without = trained(settings, 4), Trainer(Experiment(**settings)), Trainer(Experiment(**settings))
    other.restore(straight.checkpoint())
    without.restore(straight.checkpoint())
    without._data._carried = CarriedState()
    assert_same(straight.frame(), other.frame())
    losses = [straight.advance() for _ in range(3)]
    assert [other.advance() for _ in range(3)] == losses and without.advance() != losses[0]
    assert_same(straight.frame(), other.frame())


@pytest.mark.parametrize("settings", [TEXT, SPOTS, TEXT | {"cell": "indrnn", "noise": 0.1}])
def test_the_next_update_is_rehearsed_with_the_state_and_the_state_is_put_back(settings):
    trainer, undisturbed = trained(settings, 3), trained(settings, 3)
    update = dry_run_update(trainer)
    assert update.as_trained == ("noise" not in settings) and update.frame.hidden.shape[2] == settings["seq_len"]
    assert trainer.advance() == update.loss == undisturbed.advance()
    trainer.step_back()
    undisturbed.step_back()
    assert trainer.advance() == pytest.approx(update.loss_after, rel=1e-6)
    assert_same(trainer.frame(), Trainer.frame(trainer))


def test_an_update_that_is_not_made_leaves_the_state():
    trainer = trained(TEXT | {"clip": "none", "optimizer": "sgd"}, 2)
    before = [each.clone() for each in trainer._data._carried.tensors()]
    with torch.no_grad():
        trainer.model.head.weight.fill_(torch.inf)
    with pytest.raises(NotFiniteError):
        trainer.advance()
    assert trainer.step == 2 and all(map(torch.equal, before, trainer._data._carried.tensors()))


def test_the_batch_size_does_not_change_on_the_way():
    trainer = trained(TEXT, 1)
    assert "batch_size" not in live_settings(trainer.experiment)
    with pytest.raises(ExperimentError, match=r"^batch_size must be unchanged: while it runs only learning_rate, "):
        trainer.update(batch_size=4)
    trainer.update(batch_size=3, learning_rate=0.1)
    assert trainer.experiment.learning_rate == 0.1
    assert "batch_size" in live_settings(trainer.experiment.replace(carry_state=False))


# ---- what is seen of it


def test_held_out_sequences_are_read_after_whole_chunks_of_warm_up():
    for settings, warm_up in ((TEXT, 40), (TEXT | {"seq_len": 40}, 40), (TEXT | {"seq_len": 30}, 60), (SPOTS, 52)):
        e = Experiment(**settings)
        assert (e.warm_up, e.time_steps) == (warm_up, warm_up + e.seq_len)
        for batch in (probe(e), held_out(e)):
            assert batch.mask.shape[0] == e.time_steps
            assert not batch.mask[:warm_up].any() and batch.mask[warm_up:].all()
    assert Experiment(**SPOTS | {"seq_len": 49, "batch_size": 2}).warm_up == 49
    assert Experiment(**SPOTS | {"seq_len": 30}).warm_up == 60
    assert Experiment(**SPOTS | {"seq_len": 39, "batch_size": 2}).warm_up == 39  # no more years are held out


@pytest.mark.parametrize("settings", [TEXT | {"cell": cell} for cell in ("rnn", "gru", "lstm", "gru_2014")] + [SPOTS])
def test_the_lens_is_right_and_says_what_the_cut_throws_away(settings):
    e = Experiment(**settings | {"seq_len": 20 if settings["task"] == "characters" else 13})
    model, batch = lively(e), probe(e).some(slice(0, 2))
    assert_lens_is_right(model, batch, at=e.time_steps - 3)
    one = batch.single_sequence(0)
    with torch.no_grad():
        before = model.recurrent(model.embed(one.between(0, e.warm_up)))[1]
    state = tuple(each.clone().requires_grad_() for each in (before if isinstance(before, tuple) else (before,)))
    chunk = one.between(e.warm_up, e.time_steps)
    output, _ = model.recurrent(model.embed(chunk), state if len(state) > 1 else state[0])
    last = (model.step_losses(model.head(output), chunk) * model.loss_weights(chunk))[-1, 0]
    slopes = torch.autograd.grad(last, state)
    wanted = float(torch.stack([slope.norm() ** 2 for slope in slopes]).sum().sqrt())
    assert wanted > 0 and cut_gradient_norm(model, one) == pytest.approx(wanted, rel=1e-9)
    whole = reference.unroll(model, batch).gradients("last")["grad_hidden"]
    assert not whole[:, :, : e.warm_up].any() and whole[:, :, e.warm_up].any()


def test_a_frame_says_it_in_words_and_other_runs_have_none():
    trainer = trained(TEXT, 2)
    frame = trainer.frame()
    assert 0 < frame.cut_grad_norm < 1
    file = io.BytesIO()
    Recording.of(trainer.info.experiment, [frame]).save(file)
    file.seek(0)
    again = Recording.load(file)
    assert again.experiment == trainer.info.experiment and again.frames[0].cut_grad_norm == frame.cut_grad_norm
    assert "their first 40 steps, without a loss, are a warm-up" in " ".join(paragraphs(trainer.info))
    assert "thrown away at the cut: ‖dL/d(carried state)‖ " in readout(trainer.info, frame)
    assert trainer.info.walls == (40,) and trainer.info.lag == 4
    usual = trained(TEXT | {"carry_state": False}, 1)
    assert usual.frame().cut_grad_norm is None and "thrown away" not in readout(usual.info, usual.frame())


def test_a_frame_is_a_function_of_the_weights_and_not_of_the_state_carried():
    trainer, other = trained(TEXT, 3), trained(TEXT, 3)
    other._data._carried = CarriedState()
    assert_same(trainer.frame(), other.frame())
