"""What people put around their models: mixed precision, compilation, data parallelism, scripting."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from engine.recording.growing.follower import read_looks
from engine.watch import watch
from engine.watch.call import Call, tf32_is_allowed
from tests.engine.watch.conftest import assert_same_bits, run, watched

DOUBLE = torch.float64


class Net(nn.Module):
    """A recurrent layer and an output layer, or a loop over a cell."""

    def __init__(self, rnn: nn.Module) -> None:
        super().__init__()
        self.rnn, self.head = rnn, nn.Linear(rnn.hidden_size, 2)

    def forward(self, x):
        if isinstance(self.rnn, nn.RNNBase):
            return self.head(self.rnn(x)[0])
        state, outputs = None, []
        for given in x:
            state = self.rnn(given, state)
            outputs.append(self.head(state[0] if isinstance(state, tuple) else state))
        return torch.stack(outputs)


def data(dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.randn(7, 4, 3, dtype=dtype), torch.randn(7, 4, 2, dtype=dtype)


def test_a_grad_scaler_is_taken_out():
    """The scale goes down when something overflows, and up again; given to `watch`, it does not show."""
    flows = []
    for scaled in (False, True):
        torch.manual_seed(0)
        model = Net(nn.LSTM(3, 6)).double()
        x, y = data(DOUBLE)
        scaler = torch.amp.GradScaler("cpu", enabled=scaled, init_scale=2.0**12, growth_interval=1)
        optimizer = torch.optim.SGD(model.parameters(), 0.1)
        with watch(model, every=1, scaler=scaler) as lens:
            for _ in range(3):
                optimizer.zero_grad()
                scaler.scale(mse_loss(model(x), y)).backward()
                scaler.step(optimizer)
                scaler.update()
        assert lens.refusals == {} and lens.flow().proof < 1e-9
        flows.append(lens.flow())
    for which in ("grad_hidden", "grad_hidden_direct", "grad_cell"):
        np.testing.assert_allclose(getattr(flows[1], which), getattr(flows[0], which), rtol=1e-9)


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN, nn.LSTMCell, nn.GRUCell])
def test_autocast(kind):
    """In bfloat16 the kernels round after every operation: no calculation agrees to more than a few per cent."""

    def make(dtype=torch.bfloat16):
        model, (x, y) = Net(kind(3, 6)), data()

        def step():
            with torch.autocast("cpu", dtype=dtype, enabled=dtype is not None):
                loss = mse_loss(model(x).float(), y)
            loss.backward()

        return model, step

    plain, (model, lens) = run(make), watched(make)
    assert_same_bits(plain, model)
    exact = watched(lambda: make(None))[1].flow().grad_hidden
    assert lens.refusals == {} and lens.flow().proof < 0.03
    assert np.abs(lens.flow().grad_hidden - exact).max() < 0.05 * np.abs(exact).max()


def test_a_model_of_half_precision():
    def make():
        model, (x, y) = Net(nn.GRU(3, 6)).bfloat16(), data(torch.bfloat16)
        return model, lambda: mse_loss(model(x), y).backward()

    plain, (model, lens) = run(make), watched(make)
    assert_same_bits(plain, model)
    assert lens.refusals == {} and lens.flow().proof < 0.03


def compiled(model: nn.Module) -> nn.Module:
    """Compiled as far as Python goes: no compiler of another language is needed."""
    try:
        whole = torch.compile(model, backend="eager")
        whole(data(DOUBLE)[0])
    except Exception as error:
        pytest.skip(f"compiling is impossible here: {error}")
    model.zero_grad()
    return whole


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_model_with_a_fused_module():
    torch.manual_seed(0)
    model = Net(nn.GRU(3, 6)).double()
    x, y = data(DOUBLE)
    with watch(model, every=1) as lens:
        mse_loss(model(x), y).backward()
    expected, plain = lens.flow(), [weight.grad.clone() for weight in model.parameters()]
    whole = compiled(model)
    with watch(whole, every=1) as lens:
        mse_loss(whole(x), y).backward()
    assert lens.refusals == {} and lens.flow("rnn").proof < 1e-9
    assert all(torch.equal(one.grad, other) for one, other in zip(model.parameters(), plain, strict=True))
    np.testing.assert_allclose(lens.flow("rnn").grad_hidden, expected.grad_hidden, rtol=1e-12)


@pytest.mark.filterwarnings("ignore")
def test_the_lens_is_not_compiled_with_the_model():
    """Seconds, for 72 functions of its own, while the lens promises a share of the time."""
    counters = pytest.importorskip("torch._dynamo.utils").counters
    compiled(Net(nn.GRU(3, 6)).double())
    frames = []
    for around in (contextlib.nullcontext, lambda model: watch(model, every=1)):
        torch.compiler.reset()
        counters.clear()
        model = Net(nn.GRU(3, 6)).double()
        whole = torch.compile(model, backend="eager")
        with around(model):
            whole(data(DOUBLE)[0]).sum().backward()
        frames.append(dict(counters["frames"]))
    assert frames[0]["total"] > 0 and frames[0] == frames[1]


@pytest.mark.filterwarnings("ignore")
def test_a_compiled_loop_is_refused():
    torch.manual_seed(0)
    model = Net(nn.GRUCell(3, 6)).double()
    whole, (x, y) = compiled(model), data(DOUBLE)
    with watch(whole, every=1) as lens:
        mse_loss(whole(x), y).backward()
    assert "step by step in compiled code" in lens.refusals["rnn"] and lens.flows == {}
    model.compile(backend="eager")
    with watch(model) as lens:
        pass
    assert "step by step in compiled code" in lens.refusals["rnn"]


@pytest.mark.filterwarnings("ignore")
def test_a_scripted_module_is_not_found_and_that_is_said():
    scripted = torch.jit.script(Net2().eval())
    with watch(scripted, every=1) as lens:
        scripted(torch.randn(5, 2, 3))
    assert "scripted or traced LSTM" in lens.refusals["rnn"]


class Net2(nn.Module):
    """What TorchScript understands."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.LSTM(3, 4)

    def forward(self, x):
        return self.rnn(x)[0]


def test_copies_on_several_gpus_and_cuda_graphs_are_refused(monkeypatch):
    """Neither is here: what they look like to the lens is set by hand."""
    parallel = nn.DataParallel(Net(nn.GRU(3, 6)))
    parallel.device_ids = [0, 1]
    with watch(parallel) as lens:
        assert "DataParallel of several GPUs" in lens.refusals["module.rnn"]
    model, (x, y) = Net(nn.GRU(3, 6)), data()
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
    with watch(model, every=1) as lens:
        mse_loss(model(x), y).backward()
        assert "CUDA graph" in lens.refusals["rnn"] and lens.flows == {}


def test_dropout_that_cannot_be_drawn_again_is_refused(monkeypatch):
    """As with cuDNN, whose masks nobody sees, and where something else draws between the hook and the kernel."""
    torch.manual_seed(0)
    model, (x, y) = Net(nn.GRU(3, 6, 2, dropout=0.5)), data()
    with watch(model, every=1) as lens:
        handle = model.rnn.register_forward_pre_hook(lambda *_: torch.rand(1) and None)
        mse_loss(model(x), y).backward()
        assert "not what the module computed" in lens.refusals["rnn"] and lens.flows == {}
        handle.remove()
        mse_loss(model(x), y).backward()
        assert lens.refusals == {} and lens.flow().backward_pass == 1


def test_a_default_device_does_not_reach_the_lens():
    """The lens makes tensors of its own on the CPU, also where the training makes its own elsewhere."""
    torch.manual_seed(0)
    model, (x, y) = Net(nn.GRU(3, 6, 2)), data()
    with watch(model, every=1) as lens:
        torch.set_default_device("meta")
        try:
            mse_loss(model(x), y).backward()
            assert lens.refusals == {} and lens.flow().proof < 1e-6
            assert lens.frame(requested=["spectrum"]).spectrum is not None and "gradient" in str(lens)
            assert torch.zeros(1).device.type == "meta"
        finally:
            torch.set_default_device(None)


def test_a_backward_pass_under_autocast_is_no_fault_of_the_lens():
    model, (x, y) = Net(nn.GRU(3, 6)), data()
    with watch(model, every=1) as lens:
        loss = mse_loss(model(x), y)
        with torch.autocast("cpu"):
            loss.backward()
        assert not any("itself failed" in why for why in lens.refusals.values())


def test_three_digits_are_said(monkeypatch, tmp_path):
    """As on a GPU, where cuDNN uses TF32 unless it is told not to."""
    model, (x, y) = Net(nn.GRU(3, 6)), data()
    monkeypatch.setattr(Call, "is_coarse", True)
    with watch(model, every=1) as lens:
        lens.record(tmp_path / "coarse.looks")
        mse_loss(model(x), y).backward()
    assert (
        "precision: its float32 products may be made in TF32" in " ".join(str(lens).split())
        and "TF32" in lens._repr_html_()
    )
    first = read_looks((tmp_path / "coarse.looks").read_bytes())[0]
    assert "allow_tf32 = False" in first.modules[0].precision


def test_tf32_is_known_by_pytorchs_settings():
    settings = (torch.backends.cuda.matmul, torch.backends.cudnn.rnn)
    before = [each.fp32_precision for each in settings]
    try:
        for chosen in (("ieee", "tf32"), ("ieee", "ieee"), ("tf32", "ieee")):
            for each, precision in zip(settings, chosen, strict=True):
                each.fp32_precision = precision
            expected = ["tf32" in chosen, chosen[0] == "tf32"]
            assert [tf32_is_allowed(by_cudnn) for by_cudnn in (True, False)] == expected
    finally:
        for each, precision in zip(settings, before, strict=True):
            each.fp32_precision = precision
