"""Cells of the catalogue and cells that nobody has seen."""

from __future__ import annotations

from functools import cache

from engine.cells import CELLS, Cell, Equation
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.training import Trainer

UNITS = 3


def minimal_gated(ops, x, s):
    """The minimal gated unit (Zhou et al., 2016): one gate that forgets, resets and lets in."""
    f = ops.sigmoid(ops.W_ih("f", x) + ops.W_hh("f", s("gates", "h")))
    n = ops.tanh(ops.W_ih("n", x) + ops.W_hh("n", f * s("candidate", "h")))
    return {"f": f, "n": n}, {"h": (1 - f) * s("kept", "h") + f * n}


def coupled(ops, x, s):
    """The LSTM that lets in what it forgets, with a peephole of the new state alone."""
    f = ops.sigmoid(ops.W_ih("f", x) + ops.W_hh("f", s("gates", "h")))
    g = ops.tanh(ops.W_ih("g", x) + ops.W_hh("g", s("gates", "h")))
    c = ops.state("c", f * s("kept", "c") + (1 - f) * g)
    o = ops.sigmoid(ops.W_ih("o", x) + ops.W_hh("o", s("gates", "h")))
    return {"f": f, "g": g, "o": o}, {"h": o * ops.tanh(c), "c": c}


def odd(ops, x, s):
    """A step with a sum where the picture has no place for one."""
    f = ops.sigmoid(ops.W_ih("f", x) + ops.W_hh("f", s("gates", "h")))
    return {"f": f}, {"h": f * s("kept", "h") + f * ops.tanh(s("kept", "h") + s("gates", "h"))}


def scratch(step, letters: str, gates: tuple[str, ...], paths: dict[str, str], **more) -> Cell:
    return Cell(title="Scratch", summary="", note="", letters=tuple(letters), gates=gates, paths=paths, step=step,
                equations=(Equation("none", ""),), **more)  # fmt: skip


MINIMAL_GATED = scratch(
    minimal_gated, "fn", ("forget_gate", "candidate"), {"kept": "h", "gates": "h", "candidate": "h"},
    state_arguments={"n": r"(f_t \odot h_{t-1})"},
)  # fmt: skip
COUPLED = scratch(
    coupled, "fgo", ("forget_gate", "cell_candidate", "output_gate"), {"kept": "c", "gates": "h"}, states=("h", "c"),
    retain_gate="forget_gate",
)  # fmt: skip
ODD = scratch(odd, "f", ("forget_gate",), {"kept": "h", "gates": "h"})
EVERY: dict[str, Cell] = {**CELLS, "minimal_gated": MINIMAL_GATED, "coupled": COUPLED}


@cache
def measured(cell: str, **changes) -> tuple[RunInfo, Frame]:
    """A small network after a few updates."""
    e = Experiment(cell=cell, hidden_size=UNITS, seq_len=5, batch_size=2, learning_rate=0.1, **changes)
    trainer = Trainer(e)
    for _ in range(3):
        trainer.advance()
    return RunInfo.of(e), trainer.frame()
