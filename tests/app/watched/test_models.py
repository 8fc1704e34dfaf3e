"""Models as people write them, from their backward pass through the file to what the browser is sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from app.stage.feed import STAGE
from engine.recording.growing import read_looks
from engine.watch import Lens, watch
from tests.app.watched.test_feed import STAGE_REQUEST, ask, feed_of

Loss = Callable[[Lens], torch.Tensor]
X = torch.randn(7, 4, 3, generator=torch.Generator().manual_seed(0))


class OneStep(nn.Module):
    """A loop over a cell of PyTorch's."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(3, 5)

    def forward(self, x):
        state = None
        for x_t in x:
            state = self.cell(x_t, state)
        return state[0]


class ByHand(nn.Module):
    """A loop whose cell nobody knows."""

    def __init__(self) -> None:
        super().__init__()
        self.W, self.U = nn.Linear(3, 5), nn.Linear(5, 5)

    def forward(self, x, lens):
        h = torch.zeros(x.shape[1], 5)
        for x_t in x:
            h = lens.state("h", torch.tanh(self.W(x_t) + self.U(h)))
        return h


MODELS: dict[str, tuple[Callable[[], nn.Module], Callable[[nn.Module, Lens], torch.Tensor]]] = {
    "RNN of ReLU": (lambda: nn.RNN(3, 5, nonlinearity="relu"), lambda m, lens: m(X)[0][-1]),
    "GRU, a loss at every step": (lambda: nn.GRU(3, 5, 2), lambda m, lens: m(X)[0]),
    "LSTM both ways": (lambda: nn.LSTM(3, 5, 2, bidirectional=True), lambda m, lens: m(X)[1][0]),
    "projected LSTM": (lambda: nn.LSTM(3, 5, proj_size=2), lambda m, lens: m(X)[0][-1]),
    "packed": (lambda: nn.GRU(3, 5), lambda m, lens: m(pack_padded_sequence(X, torch.tensor([7, 5, 4, 2])))[1]),
    "two calls": (lambda: nn.LSTM(3, 5), lambda m, lens: m(X, m(X)[1])[0][-1]),
    "one step a call": (OneStep, lambda m, lens: m(X)),
    "by hand": (ByHand, lambda m, lens: m(X, lens)),
    "one step": (lambda: nn.GRU(3, 5), lambda m, lens: m(X[:1])[0]),
    "nothing enters": (lambda: nn.GRU(3, 5), lambda m, lens: m(X)[0] * 0),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN:UserWarning")
@pytest.mark.filterwarnings("ignore:.*none of PyTorch's recurrent modules:UserWarning")
@pytest.mark.parametrize("name", MODELS)
def test_what_was_seen_of_a_model_reaches_the_browser(name: str, tmp_path: Path) -> None:
    build, forward = MODELS[name]
    torch.manual_seed(0)
    model = build()
    with watch(model, every=1) as lens:
        lens.record(tmp_path / "run.looks")
        for _ in range(2):
            forward(model, lens).pow(2).sum().backward()
        assert lens.flows and not {name for name in lens.refusals if name != "*"}
    feed = feed_of(*read_looks((tmp_path / "run.looks").read_bytes()))
    setup = (ask(feed, []) or {})["setup"]
    names = [figure["name"] for figure in setup["figures"]]
    assert {"gradient", "hidden"} <= set(names)
    message = ask(feed, [*names, STAGE], stage={**STAGE_REQUEST, "t": 0})
    assert not feed.training.is_inconsistent
    assert message is not None and set(message["readouts"]) == set(names) and "stage.h" in message["paths"]
    assert message["verdict"]["sentence"]
