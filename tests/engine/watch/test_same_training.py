"""Word for word the same weights at the end of a training, with and without watching."""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import shutil
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils.rnn import pack_padded_sequence
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, TensorDataset

from engine.watch import watch
from engine.watch.schedule import Schedule
from tests.engine.watch.conftest import Made, assert_same_bits, run, watched

STEPS, BATCH, INPUTS, UNITS, UPDATES = 7, 4, 3, 6, 12

KINDS = {
    "RNN": lambda: nn.RNN(INPUTS, UNITS),
    "RNN of ReLU": lambda: nn.RNN(INPUTS, UNITS, nonlinearity="relu"),
    "GRU": lambda: nn.GRU(INPUTS, UNITS),
    "GRU, both ways, without biases": lambda: nn.GRU(INPUTS, UNITS, bidirectional=True, bias=False),
    "LSTM": lambda: nn.LSTM(INPUTS, UNITS),
    "LSTM, two layers, dropout": lambda: nn.LSTM(INPUTS, UNITS, 2, dropout=0.5),
    "LSTM with proj_size": lambda: nn.LSTM(INPUTS, UNITS, proj_size=4),
    "LSTM, packed": lambda: nn.LSTM(INPUTS, UNITS, 2, dropout=0.5, bidirectional=True),
    "RNNCell": lambda: nn.RNNCell(INPUTS, UNITS),
    "GRUCell": lambda: nn.GRUCell(INPUTS, UNITS),
    "LSTMCell": lambda: nn.LSTMCell(INPUTS, UNITS),
}


def loss_of(rnn: nn.Module, x: torch.Tensor, packed: bool = False) -> torch.Tensor:
    if packed:
        return rnn(pack_padded_sequence(x, torch.tensor([7, 3, 5, 7]), enforce_sorted=False))[0].data.pow(2).mean()
    if isinstance(rnn, nn.RNNBase):
        return rnn(x)[0].pow(2).mean()
    state, total = None, torch.zeros(())
    for given in x:
        state = rnn(given, state)
        total = total + (state[0] if isinstance(state, tuple) else state).pow(2).mean()
    return total


def net() -> nn.Module:
    """A recurrent layer with dropout in front of it, so that a number that the lens drew would show."""
    return nn.ModuleDict({"drop": nn.Dropout(0.3), "rnn": nn.LSTM(INPUTS, UNITS, 2, dropout=0.3)})


def loss_of_net(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
    return model["rnn"](model["drop"](x))[0].pow(2).mean()


@pytest.fixture
def assert_same_training(monkeypatch) -> Callable[..., None]:
    """Compare a training as it is, watched at every pass, and now and then: between two looks the hooks are gone."""
    now_and_then = itertools.cycle([True, True, False, False, False])
    monkeypatch.setattr(Schedule, "would_be_due", lambda self: not self.by_time or next(now_and_then))

    def same(make: Callable[[], Made], passes: int = UPDATES, proof: float = 1e-4) -> None:
        plain = run(make, UPDATES)
        for every in (1, None):
            model, lens = watched(make, UPDATES, rows=2, every=every)
            assert_same_bits(plain, model)
            assert lens.refusals == {} and lens.mistakes == []
            assert lens.flows and all(flow.proof < proof for flow in lens.flows.values())
            assert lens.cost.looks >= passes if every else 2 <= lens.cost.looks < passes

    return same


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_module(kind, assert_same_training):
    def make() -> Made:
        rnn, x = KINDS[kind](), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.Adam(rnn.parameters(), 0.01)

        def step() -> None:
            optimizer.zero_grad()
            loss_of(rnn, x + torch.randn(()), packed="packed" in kind).backward()
            optimizer.step()

        return rnn, step

    assert_same_training(make)


# ---- what moves the weights


def test_a_closure_as_lightning_gives_it_to_any_optimizer(assert_same_training):
    """Forward, `zero_grad` and backward within `optimizer.step(closure)`, then clipping there, too."""

    def make() -> Made:
        model, x = net(), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.AdamW(model.parameters(), 0.01)

        def closure() -> torch.Tensor:
            loss = loss_of_net(model, x)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            return loss

        return model, lambda: optimizer.step(closure)

    assert_same_training(make)


def test_lbfgs(assert_same_training):
    """Many passes an update, in a number that depends on the gradients."""

    def make() -> Made:
        rnn, x = nn.GRU(INPUTS, UNITS), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.LBFGS(rnn.parameters(), max_iter=4, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = mse_loss(rnn(x)[0], torch.full((STEPS, BATCH, UNITS), 0.3))
            loss.backward()
            return loss

        return rnn, lambda: optimizer.step(closure)

    assert_same_training(make, passes=UPDATES + 1)


def test_mixed_precision_with_a_grad_scaler(assert_same_training):
    def make() -> Made:
        model, x = net(), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=2)

        def step() -> None:
            optimizer.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16):
                loss = loss_of_net(model, x).float()
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 0.1)
            scaler.step(optimizer)
            scaler.update()

        return model, step

    assert_same_training(make, proof=0.03)  # in bfloat16 the kernels round after every operation


def test_gradients_accumulated_over_several_passes(assert_same_training):
    def make() -> Made:
        model, x = net(), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        counter = itertools.count(1)

        def step() -> None:
            loss_of_net(model, x).backward()
            if next(counter) % 3 == 0:
                optimizer.step()
                optimizer.zero_grad(set_to_none=False)

        return model, step

    assert_same_training(make)


# ---- what stands around the model


@pytest.mark.parametrize("bucket_view", [False, True])
def test_distributed_in_one_process(bucket_view, assert_same_training):
    """Gradients are summed by hooks within the pass; `.grad` may be a part of their buffer."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:

        class Net(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.net = net()

            def forward(self, x):
                return loss_of_net(self.net, x)

        def make() -> Made:
            model = DistributedDataParallel(Net(), gradient_as_bucket_view=bucket_view)
            x, counter = torch.randn(STEPS, BATCH, INPUTS), itertools.count(1)
            optimizer = torch.optim.Adam(model.parameters(), 0.01)

            def step() -> None:
                if next(counter) % 2:
                    with model.no_sync():
                        model(x).backward()
                    return
                model(x).backward()
                optimizer.step()
                optimizer.zero_grad()

            return model, step

        assert_same_training(make)
    finally:
        torch.distributed.destroy_process_group()


def test_data_parallel_without_gpus(assert_same_training):
    def make() -> Made:
        model, x = nn.DataParallel(nn.GRU(INPUTS, UNITS)), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)

        def step() -> None:
            optimizer.zero_grad()
            model(x)[0].pow(2).mean().backward()
            optimizer.step()

        return model, step

    assert_same_training(make)


@pytest.mark.parametrize("average", ["swa", "ema"])
def test_averages_of_a_watched_model(average, assert_same_training):
    """A copy of the model is made while it is watched, moved after every update and asked now and then."""
    averages = []

    def make() -> Made:
        model, x = net(), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        averaging: list[AveragedModel] = []

        def step() -> None:
            if not averaging:
                averaging.append(
                    AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn() if average == "ema" else None)
                )
            optimizer.zero_grad()
            loss_of_net(model, x).backward()
            optimizer.step()
            averaging[0].update_parameters(model)
            with torch.no_grad():
                loss_of_net(averaging[0].module, x)

        averages.append(averaging)
        return model, step

    assert_same_training(make)
    plain, *others = (averaging[0] for averaging in averages)
    for other in others:
        assert_same_bits(plain, other)


def test_batches_from_other_processes(assert_same_training):
    """They are forked while the hooks are in place."""

    def make() -> Made:
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        data = TensorDataset(torch.randn(4 * BATCH, STEPS, INPUTS))
        loader = DataLoader(data, BATCH, shuffle=True, num_workers=1, multiprocessing_context="fork")
        batches = (x for _ in itertools.count() for (x,) in loader)

        def step() -> None:
            optimizer.zero_grad()
            loss_of_net(model, next(batches).transpose(0, 1)).backward()
            optimizer.step()

        return model, step

    assert_same_training(make)


@pytest.mark.parametrize("way", ["torch.save", "pickle", "deepcopy"])
def test_a_model_saved_while_it_is_watched(way):
    """Between a forward call and its backward pass, too. What comes out is the same model, unwatched."""

    def copied(model: nn.Module) -> nn.Module:
        if way == "deepcopy":
            return copy.deepcopy(model)
        if way == "pickle":
            return pickle.loads(pickle.dumps(model))
        file = io.BytesIO()
        torch.save(model, file)
        file.seek(0)
        return torch.load(file, weights_only=False)

    model, x = net(), torch.randn(STEPS, BATCH, INPUTS)
    with watch(model, every=1) as lens:
        loss = loss_of_net(model, x)
        between = copied(model)
        loss.backward()
        model.zero_grad()
        after = copied(model)
        for other in (between, after):
            assert_same_bits(model, other)
            loss_of_net(other, x).backward()
        assert lens.cost.looks == 1
    assert lens.flow("rnn").proof < 1e-5


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no compiler")
def test_a_compiled_model():
    """With the usual backend, which writes and compiles C++ around the fused module."""

    def make() -> Made:
        torch.compiler.reset()
        model = nn.ModuleDict({"rnn": nn.GRU(INPUTS, UNITS), "head": nn.Linear(UNITS, 2)})
        compiled, x = torch.compile(Through(model)), torch.randn(STEPS, BATCH, INPUTS)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)

        def step() -> None:
            optimizer.zero_grad()
            compiled(x).backward()
            optimizer.step()

        return compiled, step

    plain, (model, lens) = run(make, 3), watched(make, 3)
    assert_same_bits(plain, model)
    assert lens.refusals == {} and lens.flow("rnn").proof < 1e-5


class Through(nn.Module):
    """A recurrent layer between products that a compiler joins."""

    def __init__(self, parts: nn.ModuleDict) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x):
        return torch.tanh(self.parts["head"](self.parts["rnn"](x * 2 + 1)[0])).pow(2).mean()
