"""The learned parameters of a network, as a table and in sentences, from its settings alone."""

from __future__ import annotations

import re
from math import prod

from engine.cells import CELLS, Cell
from engine.experiment import Experiment
from engine.parameters import in_library, parameter_shapes

TEXTBOOK = {"weight_ih": "W_x", "weight_hh": "W_h", "bias_ih": "b", "bias_hh": "b",
            "head.weight": "W_y", "head.bias": "b_y",
            "embedding.weight": "E", "decoder_embedding.weight": "E"}  # fmt: skip
"""By the tensor's name; the extra output layers have no usual symbol, and that of a vector is in the cell's file."""
STACKED = {"weight_ih": "W_{{i{}}}", "weight_hh": "W_{{h{}}}", "bias_ih": "b_{{i{}}}", "bias_hh": "b_{{h{}}}"}
"""The symbols of the equations, with a place for the gate."""
TIMES = "\u00a0×\u00a0"  # with no-break spaces, so that a shape stays on one line
IN_PYTORCH, AS_PYTORCH = "Name in PyTorch", "Named as PyTorch would"
TWO_BIASES = "The textbook's $b$ is the sum of both biases: PyTorch stores two vectors and adds them."
TWO_BIASES_HERE = (
    "The textbook's $b$ is the sum of both biases: they are two vectors that are added, as in PyTorch's own cells."
)
NOT_IN_PYTORCH = "PyTorch has no such cell. This one is our own; its weights are named as PyTorch would name them."
ORDER = "`{name}` contains {symbols} in this order, {units} numbers each."
ORDERS = "{names} contain their symbols in the order of the table, {units} numbers each."


def table(experiment: Experiment) -> dict[str, list[str]]:
    """The table by columns, one row per tensor: symbols in the equations, textbook symbol, name, shape, count."""
    cell, shapes = CELLS[experiment.cell], parameter_shapes(experiment)
    rows = [
        (
            " ".join(f"${symbol}$" for symbol in _symbols(cell, name)),
            _textbook(cell, name),
            f"`{name}`",
            TIMES.join(map(str, shape)),
            f"{prod(shape):,}",
        )
        for name, shape in shapes.items()
    ]
    rows.append(("all", "", "", "", f"{sum(map(prod, shapes.values())):,}"))
    named = IN_PYTORCH if in_library(experiment) else AS_PYTORCH
    titles = ("Symbol", "Textbook", named, "Shape", "Numbers")
    return {title: list(column) for title, column in zip(titles, zip(*rows, strict=True), strict=True)}


def _symbols(cell: Cell, name: str) -> tuple[str, ...]:
    """The symbols of the blocks of a tensor, in their order; none outside the recurrent layers."""
    base = _base(name)
    if base in STACKED:
        return tuple(STACKED[base].format(letter) for letter in cell.letters)
    return next((vector.symbols for vector in cell.vectors if vector.name == base), ())


def _textbook(cell: Cell, name: str) -> str:
    """The textbook's symbol; of a vector, its own without the gate: one p, one gain."""
    symbol = TEXTBOOK.get(_base(name))
    if symbol is None and (symbols := _symbols(cell, name)):
        symbol = symbols[0].split("_")[0].rstrip("'")
    return f"${symbol}$" if symbol else ""


def _base(name: str) -> str:
    """The name of a tensor without its module, layer and direction: "weight_ih" of "recurrent.weight_ih_l0_reverse"."""
    within = re.fullmatch(r"\w+\.(\w+)_l\d+(_reverse)?", name)
    return name if within is None else within[1]


def sentences(experiment: Experiment) -> list[str]:
    """Notes on the stacked blocks, the two biases, the names, and the sharing of weights over time."""
    cell, units, lines = CELLS[experiment.cell], experiment.hidden_size, []
    if cell.blocks > 1:
        lines.append(f"Symbols in one row are stacked in this order, {units} rows each.")
    stacked = [vector for vector in cell.vectors if len(vector.symbols) > 1]
    if len(stacked) == 1:
        symbols = _listed([f"${symbol}$" for symbol in stacked[0].symbols])
        lines.append(ORDER.format(name=stacked[0].name, symbols=symbols, units=units))
    elif stacked:
        lines.append(ORDERS.format(names=_listed([f"`{vector.name}`" for vector in stacked]), units=units))
    if "bias_hh" in cell.shapes(1, units):
        lines.append(TWO_BIASES if in_library(experiment) else TWO_BIASES_HERE)
    if not in_library(experiment):
        lines.append(NOT_IN_PYTORCH)
    return [*lines, sharing(experiment)]


def _listed(words: list[str]) -> str:
    return f"{', '.join(words[:-1])} and {words[-1]}"


def sharing(experiment: Experiment) -> str:
    """How many weights the network saves by using the same ones at every time step."""
    steps, here = experiment.time_steps, recurrent(experiment, "")
    if not CELLS[experiment.cell].is_recurrent:
        return f"The same weights are used at all {steps} time steps. None of them links a time step to the one before."
    if not here:
        return f"The same weights are used at all {steps} time steps. None of them is multiplied by the old state."
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
    """The number of elements in all W_hh of a module ("": of all modules), or in the vectors that take their place."""
    names = {"weight_hh", *(vector.name for vector in CELLS[experiment.cell].vectors if vector.is_recurrent)}
    shapes = parameter_shapes(experiment).items()
    return sum(prod(shape) for name, shape in shapes if _base(name) in names and name.startswith(module))


def matrices(experiment: Experiment) -> int:
    """The number of elements in all matrices of the recurrent layers: the multiplications per time step."""
    shapes = parameter_shapes(experiment).items()
    return sum(prod(shape) for name, shape in shapes if _base(name) in ("weight_ih", "weight_hh"))
