"""The trainer: deterministic, undisturbed by looking, honest about clipping and about numbers that are not finite."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch

from engine.experiment import Experiment, ExperimentError
from engine.lens import gradient_flow
from engine.model import build
from engine.tasks import PROBE_SIZE, probe
from engine.training import NotFiniteError, Trainer, train
from engine.training.gpu import reproducible_dropout
from tests import reference_unroll as reference
from tests.cases import grid, in_turn
from tests.engine.conftest import assert_same

SMALL = {"hidden_size": 6, "seq_len": 8, "batch_size": 8}


@pytest.mark.parametrize(
    "settings",
    [
        {"cell": "lstm"},
        {"cell": "gru", "num_layers": 2, "dropout": 0.4},
        {"task": "characters", "rnn_type": "many_to_many", "cell": "rnn", "embedding_size": 3},
        {"task": "stocks", "rnn_type": "many_to_many", "bidirectional": True, "optimizer": "momentum"},
    ],
    ids=lambda settings: settings.get("task", settings.get("cell")),
)
def test_a_frame_depends_on_the_experiment_and_the_step_alone(settings):
    e = Experiment(**{**SMALL, **settings})
    quiet, watched, other = Trainer(e), Trainer(e), Trainer(e.replace(seed=9))
    for _ in range(12):
        quiet.advance()
        watched.advance()
        watched.frame()
        other.advance()
        torch.rand(3)
    assert_same(quiet.frame(), watched.frame())
    assert_same(quiet.frame(), quiet.frame())


def test_a_restored_checkpoint_goes_on_as_if_nothing_had_happened():
    e = Experiment(**SMALL, num_layers=2, dropout=0.3, cell="gru")
    straight, first, second = Trainer(e), Trainer(e), Trainer(e)
    for trainer in (straight, first):
        for _ in range(5):
            trainer.advance()
        trainer.update(learning_rate=0.02)
        trainer.advance()
    second.restore(first.checkpoint())
    for trainer in (straight, second):
        for _ in range(5):
            trainer.advance()
    assert second.experiment.learning_rate == 0.02
    assert_same(straight.frame(), second.frame())


def test_the_first_frame_is_the_untrained_network():
    frame = next(iter(train(Experiment(**SMALL))))
    assert frame.step == 0 and frame.loss == frame.probe_loss
    assert math.isnan(frame.param_grad_norm) and not frame.clipped


def test_train_yields_every_so_often_and_the_last():
    frames = train(Experiment(**SMALL, steps=25), record_every=10)
    assert [frame.step for frame in frames] == [0, 10, 20, 25]


@pytest.mark.parametrize(
    ("cell", "rnn_type"), grid(["rnn", "gru", "lstm"], ["many_to_one", "many_to_many"], kept=in_turn)
)
def test_frame_norms_are_batch_times_those_of_the_unrolled_network(cell, rnn_type):
    e = Experiment(task="stocks", rnn_type=rnn_type, cell=cell, hidden_size=5, seq_len=9, num_layers=2)
    trainer = Trainer(e)
    trainer.advance()
    frame, held_out = trainer.frame(), probe(e)
    trainer.model.double()
    for loss, name in (("all", "grad_norm"), ("last", "grad_norm_last")):
        expected = reference.gradients(trainer.model, held_out, loss)["grad_hidden"]
        norms = np.linalg.norm(expected, axis=-1) * PROBE_SIZE
        assert getattr(frame, name) == pytest.approx(np.median(norms, axis=-1), rel=1e-4)
        assert getattr(frame, f"sequence_{name}") == pytest.approx(norms[..., 0], rel=1e-4)
    flow = gradient_flow(trainer.model, held_out, "last")
    memory = flow.grad_hidden if flow.grad_cell is None else flow.grad_cell
    norms = np.linalg.norm(memory, axis=-1)
    assert frame.grad_norm_memory == pytest.approx(np.median(norms, axis=-1) * PROBE_SIZE, rel=1e-4)
    assert frame.sequence_grad_norm_memory == pytest.approx(norms[..., 0] * PROBE_SIZE, rel=1e-4)
    # From t = 1: every window begins with the same value, which tells nothing.
    assert frame.ratio == pytest.approx(np.median(norms[:, :, 1] / norms[:, :, -1], axis=-1), rel=1e-4)


@pytest.mark.parametrize(("task", "cell"), grid(["reverse", "addition"], ["gru", "lstm_peephole"], kept=in_turn))
def test_frame_norms_of_an_encoder_decoder(task, cell):
    """The ratio reads from the last letter said to the first one read; the bottleneck is where reading ended."""
    e = Experiment(task=task, rnn_type="encoder_decoder", cell=cell, hidden_size=5, num_layers=2)
    frame, held_out, model = Trainer(e).frame(), probe(e), build(e).double()
    run = reference.unroll(model, held_out)
    every, last = (run.gradients(which) for which in ("all", "last"))
    valid, columns = held_out.valid, np.arange(PROBE_SIZE)

    def medians(gradients):
        norms = np.linalg.norm(gradients, axis=-1) * PROBE_SIZE
        return np.stack([np.median(norms[:, :, t, valid[t]], axis=-1) if valid[t].any() else np.zeros((2, 1))
                         for t in range(len(valid))], axis=-1)  # fmt: skip

    assert frame.grad_norm == pytest.approx(medians(every["grad_hidden"]), rel=1e-4)
    assert frame.grad_norm_direct == pytest.approx(medians(every["grad_hidden_direct"]), rel=1e-4)
    assert frame.grad_norm_last == pytest.approx(medians(last["grad_hidden"]), rel=1e-4)
    memory = "grad_cell" if cell == "lstm_peephole" else "grad_hidden"
    assert frame.grad_norm_memory == pytest.approx(medians(last[memory]), rel=1e-4)
    norms = np.linalg.norm(last[memory][:, 0], axis=-1)
    ends = len(held_out.inputs) + held_out.mask.sum(0) - 1
    assert frame.ratio[:, 0] == pytest.approx(np.median(norms[:, 0] / norms[:, ends, columns], axis=-1), rel=1e-4)
    border = every["grad_hidden"][:, 0, held_out.lengths - 1, columns]  # (layers, sequences, units)
    sizes = np.sqrt((border**2).sum((0, 2))) * PROBE_SIZE
    assert frame.bottleneck_grad_norm == pytest.approx(np.median(sizes), rel=1e-4)


@pytest.mark.parametrize(
    ("settings", "read"),
    [
        ({"task": "stocks", "rnn_type": "many_to_many"}, slice(0, 12)),
        ({"task": "stocks", "rnn_type": "many_to_one", "bidirectional": True}, slice(11, 12)),
        ({"task": "sentiment", "rnn_type": "many_to_one", "bidirectional": True}, None),
        ({"task": "addition", "rnn_type": "encoder_decoder"}, None),
    ],
    ids=["every step", "the end", "its own end", "the decoder"],
)
def test_the_head_reads_the_uppermost_layer_of_the_frame(settings, read):
    """What is drawn is what was computed: weights times the drawn states are the drawn outputs."""
    e = Experiment(**settings, hidden_size=6, output_layers=2)
    trainer = Trainer(e)
    frame, head = trainer.frame(), trainer.model.head
    asked = np.flatnonzero(frame.counted) if read is None else np.arange(12)[read]
    with torch.no_grad():
        lifted = torch.tanh(trainer.model.upper[1](torch.tensor(frame.upper[0, asked])))
        outputs = head(torch.tensor(frame.upper[1, asked]))
    torch.testing.assert_close(lifted.numpy(), frame.upper[1, asked])
    outputs = torch.softmax(outputs, -1) if e.task != "stocks" else outputs
    torch.testing.assert_close(outputs.numpy(), frame.outputs[asked])
    silent = np.setdiff1d(np.arange(e.time_steps), asked)
    assert np.isnan(frame.upper[:, silent]).all()


def test_ratio_of_a_two_way_network_reads_each_chain_from_its_own_end():
    e = Experiment(cell="gru", bidirectional=True, hidden_size=6, seq_len=12)
    frame = Trainer(e).frame()
    assert frame.ratio.shape == (1, 2)
    assert frame.ratio[0, 1] == 1  # the reverse chain ends on the first digit, which is the one asked for
    e = e.replace(task="stocks", rnn_type="many_to_many", seq_len=9)
    many, model = Trainer(e).frame(), Trainer(e).model.double()
    norms = np.linalg.norm(reference.gradients(model, probe(e), "first")["grad_hidden"], axis=-1)[0, 1]
    assert many.ratio[0, 1] == pytest.approx(np.median(norms[-1] / norms[0]), rel=1e-4)


def test_what_a_many_to_one_network_says_stands_at_the_last_step():
    frame = Trainer(Experiment(**SMALL)).frame()
    assert np.isnan(frame.outputs[:-1]).all() and frame.outputs[-1].sum() == pytest.approx(1)
    assert frame.counted.tolist() == [False] * 7 + [True] and frame.valid.all()
    assert np.flatnonzero(frame.loss_per_step).tolist() == [7]


def test_probe_loss_and_metric_are_those_of_the_model():
    e = Experiment(task="characters", rnn_type="many_to_many", seq_len=12, hidden_size=8)
    trainer = Trainer(e)
    frame, held_out = trainer.frame(), probe(e)
    with torch.no_grad():
        assert frame.probe_loss == pytest.approx(trainer.model.loss(held_out).item(), rel=1e-6)
        right = trainer.model(held_out).argmax(-1).numpy() == held_out.targets
    assert frame.metric == pytest.approx(right.mean())
    assert frame.probe_loss == pytest.approx(np.log(42), rel=0.05)  # untrained: guessing among 42 characters


@pytest.mark.parametrize(("clip", "threshold"), [("none", 1.0), ("norm", 0.01), ("norm", 1e6), ("value", 0.003)])
def test_clipping_bounds_the_update(clip, threshold):
    e = Experiment(**SMALL, optimizer="sgd", learning_rate=1.0, clip=clip, clip_threshold=threshold)
    trainer = Trainer(e)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    trainer.advance()
    moved = {name: before[name] - value for name, value in trainer.model.state_dict().items()}  # = clipped gradient
    norm = torch.cat([each.flatten() for each in moved.values()]).norm().item()
    assert trainer.param_grad_norm_clipped == pytest.approx(norm, rel=1e-4)
    if clip == "norm":
        assert norm == pytest.approx(min(trainer.param_grad_norm, threshold), rel=1e-4)
    if clip == "value":
        assert max(each.abs().max().item() for each in moved.values()) <= threshold * 1.001
    assert trainer.clipped == (clip != "none" and threshold < 1)


def test_update_changes_the_next_step_and_refuses_the_rest():
    trainer = Trainer(Experiment(**SMALL, optimizer="sgd", clip="none"))
    trainer.update(learning_rate=0.5, clip="norm", clip_threshold=1e-6)
    before = trainer.model.head.bias.clone()
    trainer.advance()
    assert 0 < (trainer.model.head.bias - before).norm().item() <= 0.5e-6 * 1.01
    with pytest.raises(ExperimentError, match="hidden_size must be unchanged"):
        trainer.update(hidden_size=3)
    with pytest.raises(ExperimentError, match="learning_rate must be a number from"):
        trainer.update(learning_rate=-1.0)
    assert trainer.experiment.learning_rate == 0.5


def test_numbers_that_are_not_finite_stop_the_run_before_the_update():
    e = Experiment(task="adding", seq_len=400, cell="rnn", nonlinearity="relu", hidden_size=16, init="identity",
                   init_gain=2.0, clip="none", optimizer="sgd", learning_rate=0.1)  # fmt: skip
    trainer = Trainer(e)
    before = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    with pytest.raises(NotFiniteError, match=r"Update 1 was not made: going forwards, .* from t = \d+ on"):
        trainer.advance()
    assert trainer.step == 0
    assert all(torch.equal(before[name], value) for name, value in trainer.model.state_dict().items())


def test_the_target_loss_reads_the_recent_training_loss_and_solved_the_held_out_sequences():
    e = Experiment(seq_len=2, hidden_size=32, learning_rate=0.02, steps=3000, target_loss=0.001)
    trainer = Trainer(e)
    while not trainer.finished:
        trainer.advance()
    assert trainer.recent_loss <= 0.001 and trainer.step < 3000
    frame = trainer.frame()
    assert trainer.solved_at == frame.held_out_step or trainer.solved_at < frame.held_out_step
    assert frame.held_out_loss < frame.diagnosis.evidence["held_out_line"] / 10 and frame.held_out_metric >= 0.9
    assert frame.diagnosis.kind == "solved"


def test_target_metric_stops_the_run():
    e = Experiment(seq_len=2, hidden_size=32, learning_rate=0.02, steps=3000, target_metric=1.0)
    trainer = Trainer(e)
    while not trainer.finished:
        trainer.advance()
    assert trainer.step % 50 == 0 and trainer.step < 3000 and trainer.frame().metric == 1.0
    lower = Trainer(Experiment(task="stocks", hidden_size=8, target_metric=2.0))
    while not lower.finished:
        lower.advance()
    assert lower.step < 3000 and lower.frame().metric <= 2.0


def test_a_frame_is_read_only_and_stays_so_after_a_pipe():
    frame = pickle.loads(pickle.dumps(Trainer(Experiment(**SMALL)).frame()))
    for array in (frame.hidden, frame.cell, frame.inputs, frame.grad_norm, frame.gates["forget_gate"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_a_missing_gpu_is_a_sentence():
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA device")
    with pytest.raises(ExperimentError, match="device must be cpu or auto on this machine"):
        Trainer(Experiment(**SMALL, device="cuda"))


def test_a_run_says_on_which_device_it_is():
    trainer = Trainer(Experiment(**SMALL, device="auto"))
    assert trainer.experiment.device == trainer.info.experiment.device == "cpu"  # so small a network pays nowhere else
    assert trainer.frame().on_gpu is False


def test_dropout_on_a_gpu_does_without_cudnn():
    deep = Experiment(**SMALL | {"num_layers": 2, "dropout": 0.5, "device": "cuda"})
    was = torch.backends.cudnn.enabled
    for experiment, without in ((deep, True), (deep.replace(device="cpu"), False), (deep.replace(dropout=0.0), False)):
        with reproducible_dropout(experiment):
            assert torch.backends.cudnn.enabled is (was and not without)
    assert torch.backends.cudnn.enabled is was
