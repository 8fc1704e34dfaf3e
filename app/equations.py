"""The equations of every cell, and the same with the numbers of one unit at one step put in.

Symbols and names of weights as in PyTorch's documentation: W_{if} is the block of weight_ih that feeds the forget gate,
W_{hf} that of weight_hh.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo

MOST_CHANNELS = 3
Values = dict[str, float]
"""One unit at one step, by symbol: the gates, h and c, and both as they were before (h_before, c_before)."""

LETTERS = {"input_gate": "i", "forget_gate": "f", "cell_candidate": "g", "output_gate": "o", "reset_gate": "r",
           "update_gate": "z", "candidate": "n"}  # fmt: skip
SQUASH = {"tanh": r"\tanh", "relu": r"\mathrm{ReLU}", "sigmoid": r"\sigma", "identity": ""}
"""phi of the plain cell, by the setting `nonlinearity`."""
SLOPES: dict[str, tuple[str, str, Callable[[float], float]]] = {
    "tanh": (r"1 - h_t^2", "1 - {h}^2", lambda h: 1 - h * h),
    "relu": (r"[\,h_t > 0\,]", r"[\,{h} > 0\,]", lambda h: float(h > 0)),
    "sigmoid": (r"h_t\,(1 - h_t)", r"{h} \times (1 - {h})", lambda h: h * (1 - h)),
    "identity": ("1", "1", lambda h: 1.0),
}
"""phi' in terms of h_t: in symbols, with a place for the number, and the number."""


def _sum(gate: str) -> str:
    return rf"W_{{i{gate}}} x_t + b_{{i{gate}}} + W_{{h{gate}}} h_{{t-1}} + b_{{h{gate}}}"


INPUT = ("input gate", rf"i_t = \sigma({_sum('i')})")
FORGET = ("forget gate", rf"f_t = \sigma({_sum('f')})")
WRITTEN = ("what is written", rf"g_t = \tanh({_sum('g')})")
OUTPUT = ("output gate", rf"o_t = \sigma({_sum('o')})")
CELL_STATE = ("cell state", r"c_t = f_t \odot c_{t-1} + i_t \odot g_t")
HIDDEN = ("hidden state", r"h_t = o_t \odot \tanh(c_t)")
UPDATE = ("update gate", rf"z_t = \sigma({_sum('z')})")
MIXED = ("hidden state", r"h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}")

EQUATIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "rnn": (("hidden state", r"h_t = \phi(W_{ih} x_t + b_{ih} + W_{hh} h_{t-1} + b_{hh})"),),
    "gru": (
        ("reset gate", rf"r_t = \sigma({_sum('r')})"),
        UPDATE,
        ("new content", r"n_t = \tanh(W_{in} x_t + b_{in} + r_t \odot (W_{hn} h_{t-1} + b_{hn}))"),
        MIXED,
    ),
    "lstm": (INPUT, FORGET, WRITTEN, OUTPUT, CELL_STATE, HIDDEN),
    "lstm_peephole": (
        ("input gate", rf"i_t = \sigma({_sum('i')} + p_i \odot c_{{t-1}})"),
        ("forget gate", rf"f_t = \sigma({_sum('f')} + p_f \odot c_{{t-1}})"),
        WRITTEN,
        CELL_STATE,
        ("output gate", rf"o_t = \sigma({_sum('o')} + p_o \odot c_t)"),
        HIDDEN,
    ),
    "lstm_no_forget": (INPUT, WRITTEN, OUTPUT, ("cell state", r"c_t = c_{t-1} + i_t \odot g_t"), HIDDEN),
    "gru_simple": (UPDATE, ("new content", rf"n_t = \tanh({_sum('n')})"), MIXED),
    "feedforward": (("hidden state", r"h_t = \phi(W_{ih} x_t + b_{ih})"),),
}
"""Per cell: (name, LaTeX) in the order in which a step computes them; phi stands for the present activation."""

KEEPS = "z near 1 keeps the old state; Ng's update gate is 1 − z."
NOTES = {
    "rnn": "One step back in time multiplies a gradient by the slope φ′ and by $W_{hh}$: that is all there is.",
    "gru": f"The reset gate acts after the product, as in PyTorch and cuDNN. {KEEPS}",
    "lstm": "PyTorch stacks the four recurrent matrices in one, $W_{hh}$, so that a step needs one product "
    "$W_{hh} h_{t-1}$. Going back along the cell state, a gradient is multiplied by the forget gate alone.",
    "lstm_peephole": "The gates also see the cell state: i and f the old one, o the new one. p is one number per unit, "
    "so a unit sees its own cell only.",
    "lstm_no_forget": "Nothing is ever forgotten: the old cell state goes on as it is. tanh stands where the paper of "
    "1997 has scaled logistic functions.",
    "gru_simple": f"It has no reset gate. {KEEPS} Ng writes c for h.",
    "feedforward": "There is no $h_{t-1}$: nothing is handed on from step to step.",
}
LEGEND = "σ is the logistic function, between 0 and 1; ⊙ multiplies unit by unit."
PUT_IN = "Put in the numbers of now"
HOW_TO = "Pick a unit and a step t, and press: the equations of the state with the network's own numbers in them."
PADDING = "t = {t} is padding: the sequence shown has ended, and nothing is computed there."
SLOPE_IS = "φ′ is the slope of the activation at this unit: on its way back a gradient is multiplied by it."
BRACKET = "The bracket is 1 where what it says is true, else 0."
NO_FRAME = "There are no numbers yet: the first look at the network is on its way. Press again."
ROUNDED = "Computed from unrounded numbers; “recorded” is what the network itself had."


def title(info: RunInfo) -> str:
    """Of the card."""
    return f"Equations of the {info.cell_title}{'' if info.has_links else ' cell'}"


def equations(experiment: Experiment) -> list[tuple[str, str]]:
    """(name, LaTeX) of every equation of its cell, with its own activation in place of phi."""
    squash = SQUASH[experiment.nonlinearity]
    put_in = (lambda found: f"{squash}({found[1]})") if squash else (lambda found: found[1])
    return [(name, re.sub(r"\\phi\((.*)\)", put_in, latex)) for name, latex in EQUATIONS[experiment.cell]]


def remarks(experiment: Experiment) -> list[str]:
    """What should be known besides: the cell's own note, and what stands for x_t."""
    said = [NOTES[experiment.cell]]
    if experiment.cell == "feedforward" and experiment.window > 1:
        said.append(f"$x_t$ is a window: the last {experiment.window} inputs side by side.")
    if experiment.num_layers > 1:
        said.append("From layer 2 on, $x_t$ is the $h_t$ of the layer below.")
    if experiment.bidirectional:
        said.append("A second chain with weights of its own reads from the end: there t − 1 is t + 1.")
    return [*said, LEGEND] if any("sigma" in latex for _, latex in equations(experiment)) else said


@dataclass(frozen=True)
class Check:
    """An equation with numbers put in: LaTeX up to the result, the result, and what the network had, if it is kept."""

    latex: str
    computed: float
    recorded: float | None


STATES: dict[str, tuple[str, str, str, Callable[[Values], float]]] = {
    "keeps": ("c", "f_t\\,c_{t-1} + i_t\\,g_t", "{f} \\times {c_before} + {i} \\times {g}",
              lambda v: v["f"] * v["c_before"] + v["i"] * v["g"]),
    "adds": ("c", "c_{t-1} + i_t\\,g_t", "{c_before} + {i} \\times {g}", lambda v: v["c_before"] + v["i"] * v["g"]),
    "shows": ("h", "o_t \\tanh(c_t)", "{o} \\times \\tanh({c_bare})", lambda v: v["o"] * np.tanh(v["c"])),
    "mixes": ("h", "(1 - z_t)\\,n_t + z_t\\,h_{t-1}", "(1 - {z}) \\times {n} + {z} \\times {h_before}",
              lambda v: (1 - v["z"]) * v["n"] + v["z"] * v["h_before"]),
}  # fmt: skip
"""What follows from a frame alone: the state, its equation in symbols and with places for numbers, and its value."""
CHECKED = {"lstm": ("keeps", "shows"), "lstm_peephole": ("keeps", "shows"), "lstm_no_forget": ("adds", "shows"),
           "gru": ("mixes",), "gru_simple": ("mixes",), "rnn": (), "feedforward": ()}  # fmt: skip


def values(info: RunInfo, frame: Frame, unit: int, t: int) -> Values:
    """One unit of the top layer, reading forwards, at step t of the drawn sequence."""
    found = {LETTERS[name]: float(gate[-1, 0, t, unit]) for name, gate in frame.gates.items()}
    before = step_before(info, frame, t)
    for symbol, states in (("c", frame.cell), ("h", frame.hidden)):
        if states is not None:
            found[f"{symbol}_before"] = 0.0 if before is None else float(states[-1, 0, before, unit])
            found[symbol] = float(states[-1, 0, t, unit])
    if not info.has_links:
        del found["h_before"]
    return found


def step_before(info: RunInfo, frame: Frame, t: int) -> int | None:
    """Where the state before step t was: a decoder begins where the encoder ended. None: before all, it was 0."""
    if info.encoder_steps and t == info.encoder_steps:
        return int(np.flatnonzero(frame.valid[:t])[-1])
    return t - 1 if t else None


def checks(info: RunInfo, found: Values) -> list[Check]:
    """The equations of the states with these numbers in them; of a cell without gates, its slope."""
    shown = {symbol: _factor(value) for symbol, value in found.items()}
    shown |= {f"{symbol}_bare": number(value) for symbol, value in found.items()}
    rows = []
    for state, symbols, places, compute in (STATES[name] for name in CHECKED[info.experiment.cell]):
        latex = f"{state}_t = {symbols} = {places.format(**shown)}"
        rows.append(Check(latex, compute(found), found[state]))
    if CELLS[info.experiment.cell].squashes:
        symbols, places, slope = SLOPES[info.experiment.nonlinearity]
        middle = f" = {symbols} = {places.format(**shown)}" if symbols != places else ""
        rows.append(Check(rf"\phi'{middle}", slope(found["h"]), None))
    return rows


def listed(found: Values) -> str:
    """All of them as Markdown: f_t = 0.953, i_t = 0.412 and so on. The braces keep a line from ending within one."""
    names = {"h_before": "h_{t-1}", "c_before": "c_{t-1}"}
    pairs = [(names.get(symbol, f"{symbol}_t"), number(value)) for symbol, value in found.items()]
    return " ".join(f"${{{symbol} = {value}{',' if at < len(pairs) else ''}}}$" for at, (symbol, value) in (
        enumerate(pairs, start=1)))  # fmt: skip


def when(info: RunInfo, frame: Frame, unit: int, t: int) -> str:
    """At which moment of training, where in the network and in time, and what was read there."""
    layers = info.experiment.num_layers
    where = f"unit {unit} of the top layer" if layers > 1 else f"unit {unit}"
    ways = ", reading forwards" if info.experiment.bidirectional else ""
    return f"Step {frame.step:,} of training, {where}{ways}. Read at t\u00a0=\u00a0{t}: {read(info, frame, t)}."


def read(info: RunInfo, frame: Frame, t: int) -> str:
    """The input of a step in words: a symbol, or values with the names of their channels."""
    decodes = info.encoder_steps and t >= info.encoder_steps
    labels = info.output_labels if decodes else info.input_labels
    if frame.inputs.ndim == 1:
        token = int(frame.inputs[t])
        return f"`{labels[token]}`" if token >= 0 else "nothing yet"
    row = frame.inputs[t]
    if len(row) > MOST_CHANNELS:
        return f"{len(row)} numbers"
    return ", ".join(f"{label} {value:.3g}" for label, value in zip(labels, row, strict=True))


def worked(check: Check) -> str:
    """An equation with its numbers, and what the network had, as Markdown."""
    had = "" if check.recorded is None else f"  \nrecorded: ${number(check.recorded)}$"
    return f"${check.latex} = {number(check.computed)}${had}"


def footnote(info: RunInfo) -> str:
    """Under the worked equations."""
    if info.gates:
        return ROUNDED
    return f"{SLOPE_IS} {BRACKET}" if info.experiment.nonlinearity == "relu" else SLOPE_IS


def number(value: float) -> str:
    """Three places, or a power of ten where that would say nothing."""
    if not np.isfinite(value):
        return r"\text{not finite}"
    if value == 0 or 5e-4 <= abs(value) < 1e4:
        return f"{value:.3f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 or "10^" in number(value) else number(value)
