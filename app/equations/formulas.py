"""The equations of every cell, in symbols and with the numbers of one unit at one step.

The equations themselves stand in the cells' own files. Symbols and names of weights are those of PyTorch's
documentation: W_{if} is the block of weight_ih that feeds the forget gate, W_{hf} that of weight_hh.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from app.equations.step_numbers import StepNumbers
from app.text import plain
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.number_format import count

CARD = "Equations, weights and cost of the cell"
"""The card's label, the same for all cells: Streamlit would treat another label as another card, and fold it."""
MAX_CHANNELS = 3
ACTIVATIONS = {"tanh": r"\tanh", "relu": r"\mathrm{ReLU}", "sigmoid": r"\sigma", "identity": ""}
"""LaTeX of the activation functions; for phi of a plain cell by the setting `nonlinearity`."""
SLOPES: dict[str, tuple[str, str, Callable[[float], float]]] = {
    "tanh": (r"1 - h_t^2", "1 - {h}^2", lambda h: 1 - h * h),
    "relu": (r"[\,h_t > 0\,]", r"[\,{h} > 0\,]", lambda h: float(h > 0)),
    "sigmoid": (r"h_t\,(1 - h_t)", r"{h} \times (1 - {h})", lambda h: h * (1 - h)),
    "identity": ("1", "1", lambda h: 1.0),
}
"""phi' in terms of h_t: in symbols, with a place for the number, and as a function."""
SIGMA_IS = "σ is the logistic function, between 0 and 1"
ODOT_IS = "⊙ multiplies unit by unit"
PUT_IN = "Put in the current numbers"
HOW_TO = "Pick a unit and a time step t, then press the button: the equations with the network's own numbers."
PADDING = "t = {t} is padding: the sequence shown has ended, and nothing is computed there."
SLOPE_IS = "φ′ is the slope of the activation at this unit: on its way back a gradient is multiplied by it."
BRACKET = "The bracket [ ] is 1 if the condition in it is true, else 0."
ATTENTION = "Attention, at step i of the decoder"
ATTENTION_IS = (
    "$d_i$ is the state of the decoder's top layer, $h_j$ that of the encoder's, at all its real steps. Attention has "
    "no weights of its own; what answers reads both vectors side by side, twice as many numbers."
)
"""Heading and note of the equations of attention."""
NO_FRAME = "There are no numbers yet: the first frame has not arrived. Press the button again."
ORDER = "Each number has the same place as its term in the equations."
ROUNDED = "Computed from unrounded numbers; “recorded” is the network's own value."


def title(info: RunInfo) -> str:
    """The heading above the equations."""
    return f"Equations of the {info.cell_title} cell"


def equations(experiment: Experiment) -> list[tuple[str, str]]:
    """(name, LaTeX) of every equation of its cell, with the chosen activation in place of phi."""
    squash = ACTIVATIONS[experiment.nonlinearity]
    put_in = (lambda match: f"{squash}({match[1]})") if squash else (lambda match: match[1])
    return [
        (equation.name, re.sub(r"\\phi\((.*)\)", put_in, equation.latex))
        for equation in CELLS[experiment.cell].equations
    ]


def attention(experiment: Experiment) -> list[tuple[str, str]]:
    """(name, LaTeX) of what step i of a decoder reads of the encoder's states h_j; none without attention."""
    if experiment.attention == "none":
        return []
    scale = r" \,/\, \sqrt{H}" if experiment.attention == "scaled_dot" else ""
    return [
        ("score", rf"e_{{ij}} = d_i \cdot h_j{scale}"),
        ("attention weight", r"\alpha_{ij} = \exp(e_{ij}) \,/\, \textstyle\sum_k \exp(e_{ik})"),
        ("context", r"m_i = \textstyle\sum_j \alpha_{ij}\, h_j"),
        ("answer", r"\hat{y}_i \text{ from } [\, d_i;\, m_i \,]"),
    ]


def remarks(experiment: Experiment) -> list[str]:
    """Notes below the equations: the cell's own, and the meaning of x_t and of the signs."""
    cell = CELLS[experiment.cell]
    parts = [cell.note]
    if not cell.is_recurrent and experiment.window > 1:
        parts.append(f"$x_t$ is a window: the last {experiment.window} inputs side by side.")
    if experiment.num_layers > 1:
        parts.append("From layer 2 on, $x_t$ is the $h_t$ of the layer below.")
    if experiment.bidirectional:
        parts.append("A second chain with weights of its own reads from the end: there t − 1 is t + 1.")
        if experiment.rnn_type == "encoder_decoder":
            parts.append("Only the encoder has it: the decoder starts from the sum of both ends"
                         f"{', and reads the sum of both states' * (experiment.attention != 'none')}.")  # fmt: skip
    shown = " ".join(latex for _, latex in equations(experiment))
    signs = [meaning for sign, meaning in ((r"\sigma", SIGMA_IS), (r"\odot", ODOT_IS)) if sign in shown]
    return [*parts, f"{'; '.join(signs)}."] if signs else parts


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


def checks(info: RunInfo, numbers: StepNumbers) -> list[Check]:
    """Every equation with these numbers; for a cell without gates also its slope."""
    e, rows = info.experiment, []
    for name, latex in equations(e):
        symbol, right = latex.split(" = ")
        computed = numbers.computed[symbol]
        filled = [symbol, _substitute(right, numbers.recorded)]
        if computed.activation is not None and (squash := ACTIVATIONS[computed.activation]):
            filled.append(f"{squash}({number(computed.preactivation)})")
        rows.append(Check(name, " = ".join(filled), computed.value, numbers.recorded.get(symbol)))
    if (activation := _activation(e)) is not None:
        symbols, places, slope = SLOPES[activation]
        h = numbers.recorded["h_t"]
        middle = f" = {symbols} = {places.format(h=_factor(h))}" if symbols != places else ""
        rows.append(Check("slope", rf"\phi'{middle}", slope(h), None))
    return rows


def _activation(experiment: Experiment) -> str | None:
    """The activation whose slope is shown: that of a plain cell; None for a gated one."""
    cell = CELLS[experiment.cell]
    return cell.activation(experiment.nonlinearity) if cell.is_plain else None


def _substitute(latex: str, recorded: Mapping[str, float]) -> str:
    """Replace every symbol of a right-hand side by its number, longer symbols first, and no letter inside a word."""
    symbols = "|".join(re.escape(symbol) for symbol in sorted(recorded, key=len, reverse=True))
    alone = rf"(?<![A-Za-z\\])(?:{symbols})(?![A-Za-z_])"
    filled = re.sub(alone, lambda symbol: _factor(recorded[symbol[0]]), latex).replace(r"\odot", r"\times")
    return re.sub(r"\(\(([^()]*)\)\)", r"(\1)", filled)


def when(info: RunInfo, frame: Frame, unit: int, t: int) -> str:
    """The training step, the unit, the time step and its input, in words."""
    layers = info.num_layers
    where = f"unit {unit} of the top layer" if layers > 1 else f"unit {unit}"
    ways = ", reading forwards" if info.directions == 2 else ""
    updates = count(frame.step, "update")
    return f"After {updates}, {where}{ways}. Input at t\u00a0=\u00a0{t}: {read(info, frame, t)}."


def read(info: RunInfo, frame: Frame, t: int) -> str:
    """The input of a step as Markdown: a symbol, or values with the names of their channels."""
    given = frame.inputs[t]
    labels = info.output_labels if 0 < info.encoder_steps <= t else info.input_labels
    if given.ndim == 0:
        return _code(labels[int(given)]) if given >= 0 else "nothing yet"
    if len(given) > MAX_CHANNELS:
        return f"{len(given)} numbers"
    return ", ".join(f"{plain(label)} {value:.3g}" for label, value in zip(labels, given, strict=True))


def _code(symbol: str) -> str:
    """A symbol as Markdown's code, also one that is its quote."""
    return f"`` {symbol} ``" if "`" in symbol else f"`{symbol}`"


def worked(check: Check) -> str:
    """An equation with its numbers, its name and the network's own value, as Markdown."""
    had = "" if check.recorded is None else f", recorded: ${number(check.recorded)}$"
    return f"{check.name}{had}  \n${check.latex} = {number(check.computed)}$"


def footnote(info: RunInfo) -> str:
    """The note below the equations with numbers."""
    parts, activation = [ORDER, ROUNDED], _activation(info.experiment)
    if activation is not None:
        parts.append(SLOPE_IS)
    if activation == "relu":
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
