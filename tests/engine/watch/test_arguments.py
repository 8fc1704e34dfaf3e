"""A wrong argument is said at once, where it was given, in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engine.watch import Lens, watch


def looked() -> Lens:
    """A lens that has seen one backward pass of a GRU."""
    rnn = nn.GRU(3, 4)
    lens = watch(rnn, every=1)
    rnn(torch.randn(6, 2, 3))[0].sum().backward()
    return lens


@pytest.mark.parametrize(
    ("model", "choices", "error", "sentence"),
    [
        ("model", {}, TypeError, "model is 'model': a torch.nn.Module is expected"),
        (None, {}, TypeError, "model is None"),
        (nn.GRU, {}, TypeError, "model is of the type type"),
        (nn.GRU(1, 1), {"rows": "all"}, TypeError, "rows is 'all': a whole number of sequences"),
        (nn.GRU(1, 1), {"rows": 0}, ValueError, "rows is 0"),
        (nn.GRU(1, 1), {"every": 2.5}, TypeError, "every is 2.5: a whole number of backward passes"),
        (nn.GRU(1, 1), {"every": -1}, ValueError, "every is -1"),
        (nn.GRU(1, 1), {"share": "5%"}, TypeError, "share is '5%': a share of the time, as 0.05"),
        (nn.GRU(1, 1), {"share": float("nan")}, ValueError, "share is nan"),
        (nn.GRU(1, 1), {"scaler": 2.0}, TypeError, "scaler is 2.0: a torch.amp.GradScaler"),
    ],
)
def test_what_watch_is_given(model, choices, error, sentence):
    with pytest.raises(error, match=sentence):
        watch(model, **choices)


def test_numbers_of_numpy_are_numbers():
    watch(nn.GRU(1, 1), share=np.float32(0.1), every=np.int64(2), rows=np.int64(3)).close(warn=False)


STATE = torch.zeros(2, 3, requires_grad=True)


@pytest.mark.parametrize(
    ("name", "state", "error", "sentence"),
    [
        ("h", (STATE, STATE), TypeError, r'Show each under a name of its own, as lens.state\("h", h\)'),
        ("h", None, TypeError, "the state h is None: a tensor is expected"),
        ("h", np.zeros(3), TypeError, "the state h is of the type ndarray"),
        ("h", STATE.sum(), ValueError, "the state h is a single number"),
        (STATE, "h", TypeError, "name is of the type Tensor: a string is expected"),
    ],
)
def test_a_state_that_is_none(name, state, error, sentence):
    lens = watch(nn.Linear(3, 3))
    with pytest.raises(error, match=sentence):
        lens.state(name, state)
    assert "failed" not in "".join(lens.refusals.values())


@pytest.mark.parametrize(
    ("ask", "error", "sentence"),
    [
        (lambda lens: lens.on("any", 3), TypeError, "callback is 3: a function"),
        (lambda lens: lens.frame(requested=["nonsense"]), ValueError, "requested has 'nonsense': .*terms:LAYER:DIRECT"),
        (lambda lens: lens.frame(requested=["terms"]), ValueError, "requested has 'terms'"),
        (lambda lens: lens.frame(requested="spectrum"), TypeError, "requested is 'spectrum': a list"),
        (lambda lens: lens.flow(nn.GRU(1, 1)), TypeError, "name is of the type GRU: a string is expected"),
        (lambda lens: lens.chain(3), TypeError, "name is 3"),
        (lambda lens: lens.frame([]), TypeError, "name is of the type list"),
        (lambda lens: lens.diagnosis([]), TypeError, "name is of the type list"),
    ],
)
def test_what_a_lens_is_asked(ask: Callable[[Lens], object], error, sentence):
    with pytest.raises(error, match=sentence):
        ask(looked())


def test_what_comes_too_late(tmp_path: Path):
    """Nothing more is seen: to record then would make a file without an end, and to show, a page that waits."""
    lens = looked()
    lens.close()
    late: list[tuple[str, Callable[[], object]]] = [
        ("record", lambda: lens.record(tmp_path / "a.looks")),
        ("show", lens.show),
        ("on", lambda: lens.on("any", print)),
    ]
    for name, call in late:
        with pytest.raises(ValueError, match=f"this lens is closed, and sees no more: call {name} before"):
            call()
    assert not list(tmp_path.iterdir())
