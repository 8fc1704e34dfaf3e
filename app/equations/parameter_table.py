"""The learned parameters of a network, as a table and in sentences, from its settings alone."""

from __future__ import annotations

from math import prod

from app.equations.formulas import LETTERS, PEEPHOLES
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.parameters import in_library, parameter_shapes

TEXTBOOK = {"weight_ih": "W_x", "weight_hh": "W_h", "bias_ih": "b", "bias_hh": "b", "weight_ch": "p",
            "head.weight": "W_y", "head.bias": "b_y", "embedding": "E"}  # fmt: skip
"""By a part of PyTorch's names; the extra output layers have no usual symbol."""
STACKED = {"weight_ih": "W_{{i{}}}", "weight_hh": "W_{{h{}}}", "bias_ih": "b_{{i{}}}", "bias_hh": "b_{{h{}}}"}
"""The symbols of the equations, with a place for the gate."""
TIMES = "\u00a0×\u00a0"  # with no-break spaces, so that a shape stays on one line
IN_PYTORCH, AS_PYTORCH = "Name in PyTorch", "Named as PyTorch would"
TWO_BIASES = "The textbook's $b$ is the sum of both biases: PyTorch stores two vectors and adds them."
TWO_BIASES_HERE = (
    "The textbook's $b$ is the sum of both biases: they are two vectors that are added, as in PyTorch's own cells."
)
NOT_IN_PYTORCH = "PyTorch has no such cell. This one is our own; its weights are named as PyTorch would name them."
PEEPHOLE_ORDER = "`weight_ch` contains $p_i$, $p_f$ and $p_o$ in this order, {units} numbers each."


def table(experiment: Experiment) -> dict[str, list[str]]:
    """The table by columns, one row per tensor: symbols in the equations, textbook symbol, name, shape, count."""
    shapes = parameter_shapes(experiment)
    rows = [
        (_stacked(experiment, name), _textbook(name), f"`{name}`", TIMES.join(map(str, shape)), f"{prod(shape):,}")
        for name, shape in shapes.items()
    ]
    rows.append(("all", "", "", "", f"{sum(map(prod, shapes.values())):,}"))
    named = IN_PYTORCH if in_library(experiment) else AS_PYTORCH
    titles = ("Symbol", "Textbook", named, "Shape", "Numbers")
    return {title: list(column) for title, column in zip(titles, zip(*rows, strict=True), strict=True)}


def _stacked(experiment: Experiment, name: str) -> str:
    """The symbols of the blocks of a tensor, in their order; empty outside the recurrent layers."""
    if "weight_ch" in name:
        return " ".join(f"$p_{gate}$" for gate in PEEPHOLES)
    symbol = next((symbol for part, symbol in STACKED.items() if part in name), "")
    gates = [LETTERS.get(gate, "h") for gate in CELLS[experiment.cell].gates]
    return " ".join(f"${symbol.format(gate)}$" for gate in gates) if symbol else ""


def _textbook(name: str) -> str:
    symbol = next((symbol for part, symbol in TEXTBOOK.items() if part in name), "")
    return f"${symbol}$" if symbol else ""


def sentences(experiment: Experiment) -> list[str]:
    """Notes on the stacked blocks, the two biases, the names, and the sharing of weights over time."""
    cell, units, lines = CELLS[experiment.cell], experiment.hidden_size, []
    if cell.blocks > 1:
        lines.append(f"Symbols in one row are stacked in this order, {units} rows each.")
    if cell.peepholes:
        lines.append(PEEPHOLE_ORDER.format(units=units))
    if cell.is_recurrent:
        lines.append(TWO_BIASES if in_library(experiment) else TWO_BIASES_HERE)
    if not in_library(experiment):
        lines.append(NOT_IN_PYTORCH)
    return [*lines, sharing(experiment)]


def sharing(experiment: Experiment) -> str:
    """How many weights the network saves by using the same ones at every time step."""
    steps, here = experiment.time_steps, recurrent(experiment, "")
    if not CELLS[experiment.cell].is_recurrent:
        return f"The same weights are used at all {steps} time steps. None of them links a time step to the one before."
    if steps == 1:
        return "There is only one time step, so no weight is used twice."
    if experiment.rnn_type == "encoder_decoder":
        encoder_steps, decoder_steps = experiment.seq_len, steps - experiment.seq_len
        many = encoder_steps * recurrent(experiment, "encoder") + decoder_steps * recurrent(experiment, "decoder")
        return (
            f"The encoder uses the same weights at all its {encoder_steps} time steps, the decoder at all its "
            f"{decoder_steps}. A network with different weights at every time step "
            f"would need {many:,} recurrent weights instead of {here:,}."
        )
    return (
        f"The same weights are used at all {steps} time steps. A network with different weights at every time step "
        f"would need {steps} times as many recurrent weights: {steps * here:,} instead of {here:,}."
    )


def recurrent(experiment: Experiment, module: str) -> int:
    """The number of elements in all W_hh of a module ("": of all modules)."""
    shapes = parameter_shapes(experiment).items()
    return sum(prod(shape) for name, shape in shapes if "weight_hh" in name and name.startswith(module))


def matrices(experiment: Experiment) -> int:
    """The number of elements in all matrices of the recurrent layers: the multiplications per time step."""
    shapes = parameter_shapes(experiment).items()
    return sum(prod(shape) for name, shape in shapes if "weight_ih" in name or "weight_hh" in name)
