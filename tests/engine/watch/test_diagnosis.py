"""Every kind of verdict is made to happen by a small model, and every advice moves what it promises to move."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from engine.diagnosis.bands import LIMITS, SHRINKING
from engine.watch import Lens, watch
from engine.watch.diagnosis import KINDS

DOUBLE = torch.float64
STEPS = 20


class Net(nn.Module):
    """A recurrent module of which the last output is read."""

    def __init__(self, rnn: nn.Module) -> None:
        super().__init__()
        self.rnn = rnn.double()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.rnn(x)[0][-1].sum(-1)


def looked_at(model: nn.Module, x: torch.Tensor, loss=None) -> Lens:
    with watch(model, every=1) as lens:
        (model(x).mean() if loss is None else loss(model, x)).backward()
    return lens


def some(steps: int = STEPS, size: float = 1.0) -> torch.Tensor:
    torch.manual_seed(0)
    return size * torch.randn(steps, 4, 3, dtype=DOUBLE)


def multiplying(factor: float) -> Net:
    """h_t = factor h_{t-1} + something positive: what comes back is factor ** steps."""
    net = Net(nn.RNN(3, 4, nonlinearity="relu"))
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()
        net.rnn.weight_hh_l0.copy_(factor * torch.eye(4))
        net.rnn.bias_ih_l0.fill_(0.1)
    return net


def follow(advice: str, model: Net, x: torch.Tensor) -> torch.Tensor:
    """Do what the lines say; a line that makes a module puts it in place of the old one. Returns the inputs."""
    names = {"model": model, "torch": torch, "x": x}
    for line in advice.splitlines():
        code, _, _ = line.partition("  #")
        if code.startswith(("torch.nn.RNN(", "torch.nn.GRU(", "torch.nn.LSTM(")):
            model.rnn = eval(code, names).double()
        else:
            exec(code, names)
    return names["x"]


# ---- the bands


@pytest.mark.parametrize("kind", [kind for _, kind in LIMITS])
def test_bands_and_what_moves_a_ratio_out_of_them(kind):
    ends = dict(zip([kind for _, kind in LIMITS], [1e-8, 1e-4, 4e-3, 0.5, 30.0, 2e3, 1e6], strict=True))
    net = multiplying(ends[kind] ** (1 / (STEPS - 1)))
    lens = looked_at(net, some())
    found = lens.diagnosis()
    assert found.kind == kind and lens.frame().diagnosis == found
    assert found.evidence["ratio"] == pytest.approx(ends[kind])
    assert found.evidence["largest_singular_value"] == pytest.approx(found.evidence["factor_per_step"])
    assert bool(found.advice) is (kind not in ("healthy", "rising"))
    if not found.advice:
        return
    cured = looked_at(net, follow(found.advice, net, some())).diagnosis()
    farther = abs(math.log(cured.evidence["ratio"])) if cured.evidence["ratio"] else math.inf
    assert farther < abs(math.log(found.evidence["ratio"]))
    assert "\n" not in found.advice or "clip_grad_norm_" in found.advice


@pytest.mark.parametrize("layers, directions", [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM])
def test_a_bias_opens_the_gate_that_keeps_the_state(kind, layers, directions):
    class Both(Net):
        def forward(self, x):
            state = self.rnn(x)[1]
            return (state[0] if isinstance(state, tuple) else state)[-directions:].sum((0, -1))

    torch.manual_seed(0)
    net = Both(kind(3, 6, layers, bidirectional=directions == 2))
    found = looked_at(net, some()).diagnosis()
    assert found.kind in SHRINKING and found.evidence["kept_per_step"] == pytest.approx(0.5, abs=0.1)
    assert found.evidence["half_life"] == pytest.approx(math.log(0.5) / math.log(found.evidence["kept_per_step"]))
    assert len(found.advice.splitlines()) == layers * directions
    cured = looked_at(net, follow(found.advice, net, some())).diagnosis()
    assert cured.evidence["ratio"] > 100 * found.evidence["ratio"] and cured.evidence["kept_per_step"] > 0.75
    assert "bias" not in cured.advice or cured.evidence["kept_per_step"] < 0.96


def test_a_saturated_rnn_is_told_to_use_gates():
    """Its weights are large enough; the slopes are what is small."""
    torch.manual_seed(0)
    net = Net(nn.RNN(3, 6))
    with torch.no_grad():
        net.rnn.weight_ih_l0.mul_(8)
        net.rnn.weight_hh_l0.mul_(2)
    found = looked_at(net, some()).diagnosis()
    assert found.evidence["slope_per_step"] < found.evidence["weights_per_step"] and found.evidence["saturated"] > 0.3
    assert found.advice.startswith("torch.nn.LSTM(3, 6)")
    cured = looked_at(net, follow(found.advice, net, some())).diagnosis()
    assert cured.evidence["ratio"] > 100 * found.evidence["ratio"]


def test_clipping_bounds_the_update():
    net = multiplying(2.0)
    x = 100 * some()
    found = looked_at(net, x).diagnosis()
    line = found.advice.splitlines()[0]
    assert found.kind == "exploding" and line.startswith("torch.nn.utils.clip_grad_norm_")
    assert nn.utils.get_total_norm([weight.grad for weight in net.parameters()]) > 1e3
    follow(line, net, x)
    assert nn.utils.get_total_norm([weight.grad for weight in net.parameters()]) < 1.0001


# ---- nothing arrives


def test_not_finite():
    x = some()
    x[3, 0, 0] = math.inf
    found = looked_at(Net(nn.LSTM(3, 4)), x).diagnosis()
    assert found.kind == "not_finite" and "weight's gradient" in found.sentence and "clip_grad_norm_" in found.advice
    net = Net(nn.GRU(3, 4))
    found = looked_at(net, some(), lambda model, x: model(x).mean() * math.inf).diagnosis()
    assert found.kind == "not_finite" and found.sentence.startswith("The gradient is not finite")


def test_no_gradient():
    for factor, word in ((0.0, "No gradient at all"), (1e-20, "Hardly any gradient")):
        found = looked_at(Net(nn.GRU(3, 4)), some(), lambda model, x, f=factor: model(x).mean() * f).diagnosis()
        assert found.kind == "no_gradient" and found.sentence.startswith(word)


def test_no_way_back():
    assert looked_at(Net(nn.GRU(3, 4)), some(1)).diagnosis().kind == "no_way_back"
    found = looked_at(Net(nn.GRU(3, 4)), some(), lambda model, x: model.rnn(x)[0][0].sum()).diagnosis()
    assert found.kind == "no_way_back" and found.sentence.startswith("The loss reads the first step alone")


def test_cut():
    """Two calls in a pass; the second starts from the first one's state, detached."""

    def loss(model, x):
        output, state = model.rnn(x[:8])
        return output.sum() + model.rnn(x[8:], state.detach())[0][-1].sum()

    lens = looked_at(Net(nn.GRU(3, 4)), some(), loss)
    assert lens.diagnosis().kind == "cut" and "t = 8" in lens.diagnosis().sentence
    assert lens.chain().cuts == (8,) and lens.frame().factors.factor[0, 0, 8] == 0
    whole = looked_at(Net(nn.GRU(3, 4)), some(), lambda model, x: loss(model, x) * 0 + model(x).mean())
    assert whole.diagnosis().kind != "cut"


def test_dead_and_no_path():
    dead = multiplying(1.0)
    with torch.no_grad():
        dead.rnn.bias_ih_l0.fill_(-5.0)
    pinned, nothing = Net(nn.RNN(3, 4)), multiplying(0.0)
    for net, x, kind, words in (
        (dead, some(), "dead", "ReLU"),
        (pinned, some(size=1e4), "dead", "pinned at their limits"),
        (nothing, some(), "no_path", "the weights on the way pass nothing on"),
    ):
        found = looked_at(net, x).diagnosis()
        assert found.kind == kind and words in found.sentence and found.evidence["ratio"] == 0
        cured = looked_at(net, follow(found.advice, net, x)).diagnosis()
        assert cured.evidence["ratio"] > 0


# ---- no false comfort


def test_a_mistake_comes_before_any_number():
    """out[:, -1] of two directions: backwards everything arrives, for it has not gone anywhere."""
    torch.manual_seed(0)
    lens = looked_at(Net(nn.GRU(3, 4, bidirectional=True)), some())
    found = lens.diagnosis()
    assert found.kind == "mistake" and "backward direction" in found.sentence and "h_n[-2]" in found.advice
    assert found.evidence["direction"] == 0 and found.evidence["ratio"] < 0.01
    assert lens.frame().ratio[0, 1] == 1


def test_below_the_top_of_two_directions_the_way_is_short():
    """At t = 0 the reverse direction of the top hands the lower layer a gradient that has gone nowhere in time."""

    class Ends(Net):
        def forward(self, x):
            return self.rnn(x)[1][-2:].sum((0, -1))

    torch.manual_seed(0)
    lens = looked_at(Ends(nn.GRU(3, 6, 2, bidirectional=True)), some(40))
    assert lens.frame().ratio[0].max() > 0.1
    assert lens.diagnosis().kind in SHRINKING and lens.diagnosis().evidence["layer"] == 1


def test_unread():
    model = nn.ModuleDict({"one": nn.GRU(3, 4), "two": nn.GRU(3, 4)}).double()

    def loss(model, x):
        model["two"](x)
        return model["one"](x)[0][-1].sum()

    with pytest.warns(UserWarning, match="no gradient ever came back"):
        lens = looked_at(model, some(), loss)
    assert lens.diagnosis("two").kind == "unread" and lens.diagnosis("one").kind != "unread"


def test_every_loss_does_not_comfort():
    """Of a loss at every step the last one alone is followed."""
    torch.manual_seed(0)
    found = looked_at(Net(nn.GRU(3, 4)), some(), lambda model, x: model.rnn(x)[0].pow(2).mean()).diagnosis()
    assert found.kind in SHRINKING and found.sentence.startswith("The gradient that enters last is")


def test_how_a_module_is_written():
    """The whole model, a list, and a name that is no attribute."""
    torch.manual_seed(0)
    for model, rnn, expected in (
        (gru := nn.GRU(3, 4).double(), gru, "model.bias_hh_l0.data[4:8]"),
        (nets := nn.ModuleList([nn.GRU(3, 4)]).double(), nets[0], 'model.get_submodule("0").bias_hh_l0.data[4:8]'),
    ):
        lens = looked_at(model, some(), lambda model, x, rnn=rnn: rnn(x)[0][-1].sum())
        assert lens.diagnosis().advice.startswith(expected)


def test_the_table_names_every_kind_once_and_each_is_tested():
    names = [name for kind in KINDS for name in kind.names]
    assert sorted(set(names)) == sorted([*(kind for _, kind in LIMITS), "not_finite", "mistake", "no_gradient",
                                         "no_way_back", "cut", "dead", "no_path", "unknown"])  # fmt: skip
