"""The equations of every cell, in symbols and with the numbers of one unit at one step.

Symbols and names of weights are those of PyTorch's documentation: W_{if} is the block of weight_ih that feeds the
forget gate, W_{hf} that of weight_hh.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.step_through.sequence_trace import SequenceTrace

CARD = "Equations, weights and cost of the cell"
"""The card's label, the same for all cells: Streamlit would treat another label as another card, and fold it."""
MAX_CHANNELS = 3
PEEPHOLES = "ifo"
"""The gates that read the cell state, in the order of weight_ch."""
Values = dict[str, float]
"""One unit at one step, by the symbols of the equations: products, biases, gates, states, and previous states."""

LETTERS = {"input_gate": "i", "forget_gate": "f", "cell_candidate": "g", "output_gate": "o", "reset_gate": "r",
           "update_gate": "z", "candidate": "n"}  # fmt: skip
ACTIVATIONS: dict[str, tuple[str, Callable[[float], float]]] = {
    "tanh": (r"\tanh", math.tanh),
    "relu": (r"\mathrm{ReLU}", lambda a: max(a, 0.0)),
    "sigmoid": (r"\sigma", lambda a: (1 + math.tanh(a / 2)) / 2),
    "identity": ("", lambda a: a),
}
"""LaTeX and function; for phi of the plain cell by the setting `nonlinearity`."""
GATE_ACTIVATIONS = {"g": "tanh", "n": "tanh"}
"""The activation of new content; all gates have the sigmoid."""
SLOPES: dict[str, tuple[str, str, Callable[[float], float]]] = {
    "tanh": (r"1 - h_t^2", "1 - {h}^2", lambda h: 1 - h * h),
    "relu": (r"[\,h_t > 0\,]", r"[\,{h} > 0\,]", lambda h: float(h > 0)),
    "sigmoid": (r"h_t\,(1 - h_t)", r"{h} \times (1 - {h})", lambda h: h * (1 - h)),
    "identity": ("1", "1", lambda h: 1.0),
}
"""phi' in terms of h_t: in symbols, with a place for the number, and as a function."""


def _sum(gate: str) -> str:
    return rf"W_{{i{gate}}} x_t + b_{{i{gate}}} + W_{{h{gate}}} h_{{t-1}} + b_{{h{gate}}}"


INPUT = ("input gate", rf"i_t = \sigma({_sum('i')})")
FORGET = ("forget gate", rf"f_t = \sigma({_sum('f')})")
NEW_CONTENT = ("new content", rf"g_t = \tanh({_sum('g')})")
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
    "lstm": (INPUT, FORGET, NEW_CONTENT, OUTPUT, CELL_STATE, HIDDEN),
    "lstm_peephole": (
        ("input gate", rf"i_t = \sigma({_sum('i')} + p_i \odot c_{{t-1}})"),
        ("forget gate", rf"f_t = \sigma({_sum('f')} + p_f \odot c_{{t-1}})"),
        NEW_CONTENT,
        CELL_STATE,
        ("output gate", rf"o_t = \sigma({_sum('o')} + p_o \odot c_t)"),
        HIDDEN,
    ),
    "lstm_no_forget": (INPUT, NEW_CONTENT, OUTPUT, ("cell state", r"c_t = c_{t-1} + i_t \odot g_t"), HIDDEN),
    "gru_simple": (UPDATE, ("new content", rf"n_t = \tanh({_sum('n')})"), MIXED),
    "feedforward": (("hidden state", r"h_t = \phi(W_{ih} x_t + b_{ih})"),),
}
"""By cell: (name, LaTeX) in the order in which a step computes them; phi stands for the chosen activation."""

KEEPS = "z near 1 keeps the old state; Ng's update gate is 1 − z."
NOTES = {
    "rnn": "One step back in time multiplies a gradient by the slope φ′ and by $W_{hh}$, and by nothing else.",
    "gru": f"The reset gate acts after the product, as in PyTorch and cuDNN. {KEEPS}",
    "lstm": "PyTorch stacks the four recurrent matrices in one, $W_{hh}$, so that a step needs one product "
    "$W_{hh} h_{t-1}$. Going back along the cell state, a gradient is multiplied by the forget gate alone.",
    "lstm_peephole": "The gates also read the cell state: i and f the previous one, $c_{t-1}$; o the new one, $c_t$, "
    "so $c_t$ is computed before o. p is one number per unit: each unit reads only its own cell state.",
    "lstm_no_forget": "Nothing is ever forgotten: the old cell state is kept unchanged. Here tanh is used where the "
    "paper of 1997 has scaled logistic functions.",
    "gru_simple": f"It has no reset gate. {KEEPS} Ng writes c for h.",
    "feedforward": "There is no $h_{t-1}$: no state is passed from step to step.",
}
LEGEND = "σ is the logistic function, between 0 and 1; ⊙ multiplies unit by unit."
PUT_IN = "Put in the current numbers"
HOW_TO = "Pick a unit and a time step t, then press the button: the equations with the network's own numbers."
PADDING = "t = {t} is padding: the sequence shown has ended, and nothing is computed there."
SLOPE_IS = "φ′ is the slope of the activation at this unit: on its way back a gradient is multiplied by it."
BRACKET = "The bracket [ ] is 1 if the condition in it is true, else 0."
NO_FRAME = "There are no numbers yet: the first frame has not arrived. Press the button again."
ORDER = "Each number has the same place as its term in the equations."
ROUNDED = "Computed from unrounded numbers; “recorded” is the network's own value."


def title(info: RunInfo) -> str:
    """The heading above the equations."""
    return f"Equations of the {info.cell_title}{'' if info.has_links else ' cell'}"


def equations(experiment: Experiment) -> list[tuple[str, str]]:
    """(name, LaTeX) of every equation of its cell, with the chosen activation in place of phi."""
    squash, _ = ACTIVATIONS[experiment.nonlinearity]
    put_in = (lambda match: f"{squash}({match[1]})") if squash else (lambda match: match[1])
    return [(name, re.sub(r"\\phi\((.*)\)", put_in, latex)) for name, latex in EQUATIONS[experiment.cell]]


def remarks(experiment: Experiment) -> list[str]:
    """Notes below the equations: the cell's own, and the meaning of x_t."""
    parts = [NOTES[experiment.cell]]
    if experiment.cell == "feedforward" and experiment.window > 1:
        parts.append(f"$x_t$ is a window: the last {experiment.window} inputs side by side.")
    if experiment.num_layers > 1:
        parts.append("From layer 2 on, $x_t$ is the $h_t$ of the layer below.")
    if experiment.bidirectional:
        parts.append("A second chain with weights of its own reads from the end: there t − 1 is t + 1.")
    return [*parts, LEGEND] if any("sigma" in latex for _, latex in equations(experiment)) else parts


@dataclass(frozen=True)
class Check:
    """An equation with numbers.

    Args:
        name: of the equation.
        latex: everything up to the result.
        computed: the result.
        recorded: the network's own value; None if it is not recorded.
    """

    name: str
    latex: str
    computed: float
    recorded: float | None


def _lstm_cell_state(v: Values) -> float:
    return v["f_t"] * v["c_{t-1}"] + v["i_t"] * v["g_t"]


def _lstm_hidden_state(v: Values) -> float:
    return v["o_t"] * math.tanh(v["c_t"])


def _gru_hidden_state(v: Values) -> float:
    return (1 - v["z_t"]) * v["n_t"] + v["z_t"] * v["h_{t-1}"]


STATES: dict[str, dict[str, Callable[[Values], float]]] = {
    "lstm": {"c_t": _lstm_cell_state, "h_t": _lstm_hidden_state},
    "lstm_peephole": {"c_t": _lstm_cell_state, "h_t": _lstm_hidden_state},
    "lstm_no_forget": {"c_t": lambda v: v["c_{t-1}"] + v["i_t"] * v["g_t"], "h_t": _lstm_hidden_state},
    "gru": {"h_t": _gru_hidden_state},
    "gru_simple": {"h_t": _gru_hidden_state},
}
"""The states that are computed from the gates, by cell."""


def values(info: RunInfo, frame: Frame, unit: int, t: int) -> Values:
    """The numbers of one unit of the top layer, forward direction, at step t of the displayed sequence."""
    numbers = {f"{LETTERS[name]}_t": float(gate[-1, 0, t, unit]) for name, gate in frame.gates.items()}
    before = step_before(info, frame, t)
    for symbol, states in (("c", frame.cell), ("h", frame.hidden)):
        if states is not None:
            numbers[f"{symbol}_{{t-1}}"] = 0.0 if before is None else float(states[-1, 0, before, unit])
            numbers[f"{symbol}_t"] = float(states[-1, 0, t, unit])
    if not info.has_links:
        del numbers["h_{t-1}"]
    return numbers | _terms(info, frame, unit, t, 0 if t < info.encoder_steps else -1)


def values_from_trace(info: RunInfo, trace: SequenceTrace, unit: int, at: int) -> Values:
    """The same for one unit of a trace's chain at its step `at`."""
    numbers = {f"{LETTERS[name]}_t": float(gate[at, unit]) for name, gate in trace.gates.items()}
    for symbol, states, before in (("c", trace.cell, trace.cell_before), ("h", trace.hidden, trace.hidden_before)):
        if states is not None and before is not None:
            numbers |= {f"{symbol}_{{t-1}}": float(before[at, unit]), f"{symbol}_t": float(states[at, unit])}
    if not info.has_links:
        del numbers["h_{t-1}"]
    return numbers | _terms(info, trace, unit, at, int(trace.part[at]))


def _terms(info: RunInfo, terms: Frame | SequenceTrace, unit: int, at: int, one: int) -> Values:
    """The terms that every gate adds up: products, biases and peepholes. `one` is the index of the pass."""
    numbers = {}
    for block, gate in enumerate(CELLS[info.experiment.cell].gates):
        letter = LETTERS.get(gate, "h")
        numbers[f"W_{{i{letter}}} x_t"] = float(terms.from_input[at, block, unit])
        numbers[f"b_{{i{letter}}}"] = float(terms.biases[one, 0, block, unit])
        if terms.from_state is not None:
            numbers[f"W_{{h{letter}}} h_{{t-1}}"] = float(terms.from_state[at, block, unit])
            numbers[f"b_{{h{letter}}}"] = float(terms.biases[one, 1, block, unit])
    if terms.peepholes is not None:
        numbers |= {f"p_{gate}": float(terms.peepholes[one, index, unit]) for index, gate in enumerate(PEEPHOLES)}
    return numbers


def step_before(info: RunInfo, frame: Frame, t: int) -> int | None:
    """The position of the previous state; a decoder starts from the encoder's last state. None at the first step."""
    if info.encoder_steps and t == info.encoder_steps:
        return int(np.flatnonzero(frame.valid[:t])[-1])
    return t - 1 if t else None


def checks(info: RunInfo, numbers: Values) -> list[Check]:
    """Every equation with these numbers; for a cell without gates also its slope."""
    e, rows = info.experiment, []
    states = STATES.get(e.cell, {})
    for name, latex in equations(e):
        symbol, right = latex.split(" = ")
        filled = [symbol, _substitute(right, numbers)]
        if symbol in states:
            computed = states[symbol](numbers)
        else:
            shown, squash = ACTIVATIONS[
                e.nonlinearity if symbol == "h_t" else GATE_ACTIVATIONS.get(symbol[0], "sigmoid")
            ]
            preactivation = _preactivation(e.cell, symbol[0], numbers)
            filled += [f"{shown}({number(preactivation)})"] if shown else []
            computed = squash(preactivation)
        rows.append(Check(name, " = ".join(filled), computed, numbers[symbol]))
    if CELLS[e.cell].uses_nonlinearity:
        symbols, places, slope = SLOPES[e.nonlinearity]
        middle = f" = {symbols} = {places.format(h=_factor(numbers['h_t']))}" if symbols != places else ""
        rows.append(Check("slope", rf"\phi'{middle}", slope(numbers["h_t"]), None))
    return rows


def _preactivation(cell: str, gate: str, numbers: Values) -> float:
    """The argument of a gate's activation, or of that of a plain cell's state."""
    added = numbers[f"W_{{i{gate}}} x_t"] + numbers[f"b_{{i{gate}}}"]
    if f"W_{{h{gate}}} h_{{t-1}}" in numbers:
        from_state = numbers[f"W_{{h{gate}}} h_{{t-1}}"] + numbers[f"b_{{h{gate}}}"]
        added += numbers["r_t"] * from_state if (cell, gate) == ("gru", "n") else from_state
    if f"p_{gate}" in numbers:
        added += numbers[f"p_{gate}"] * numbers["c_t" if gate == "o" else "c_{t-1}"]
    return added


def _substitute(latex: str, numbers: Values) -> str:
    """Replace every symbol of a right-hand side by its number, longer symbols first."""
    symbols = "|".join(re.escape(symbol) for symbol in sorted(numbers, key=len, reverse=True))
    filled = re.sub(symbols, lambda symbol: _factor(numbers[symbol[0]]), latex).replace(r"\odot", r"\times")
    return re.sub(r"\(\(([^()]*)\)\)", r"(\1)", filled)


def when(info: RunInfo, frame: Frame, unit: int, t: int) -> str:
    """The training step, the unit, the time step and its input, in words."""
    layers = info.experiment.num_layers
    where = f"unit {unit} of the top layer" if layers > 1 else f"unit {unit}"
    ways = ", reading forwards" if info.experiment.bidirectional else ""
    updates = f"{frame.step:,} update{'' if frame.step == 1 else 's'}"
    return f"After {updates}, {where}{ways}. Input at t\u00a0=\u00a0{t}: {read(info, frame, t)}."


def read(info: RunInfo, frame: Frame, t: int) -> str:
    """The input of a step: a symbol, or values with the names of their channels."""
    return input_label(info, frame.inputs[t], t)


def input_label(info: RunInfo, given: np.ndarray, t: int) -> str:
    """The same for an input at position t: a token, or a row of values."""
    labels = info.output_labels if 0 < info.encoder_steps <= t else info.input_labels
    if given.ndim == 0:
        return f"`{labels[int(given)]}`" if given >= 0 else "nothing yet"
    if len(given) > MAX_CHANNELS:
        return f"{len(given)} numbers"
    return ", ".join(f"{label} {value:.3g}" for label, value in zip(labels, given, strict=True))


def worked(check: Check) -> str:
    """An equation with its numbers, its name and the network's own value, as Markdown."""
    had = "" if check.recorded is None else f", recorded: ${number(check.recorded)}$"
    return f"{check.name}{had}  \n${check.latex} = {number(check.computed)}$"


def footnote(info: RunInfo) -> str:
    """The note below the equations with numbers."""
    parts = [ORDER, ROUNDED]
    if CELLS[info.experiment.cell].uses_nonlinearity:
        parts.append(SLOPE_IS)
    if info.experiment.nonlinearity == "relu" and CELLS[info.experiment.cell].uses_nonlinearity:
        parts.append(BRACKET)
    return " ".join(parts)


def number(value: float) -> str:
    """Three decimal places, or scientific notation for very small or large numbers."""
    if not np.isfinite(value):
        return r"\text{not finite}"
    if value == 0 or 5e-4 <= abs(value) < 1e4:
        return f"{value:.3f}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}"


def _factor(value: float) -> str:
    return f"({number(value)})" if value < 0 or "10^" in number(value) else number(value)
