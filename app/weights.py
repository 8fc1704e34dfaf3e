"""What a network learns, as a table and in sentences, from its settings alone."""

from __future__ import annotations

from math import prod

from app.equations import LETTERS
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.parameters import parameter_shapes

SYMBOLS = {"weight_ih": "W_x", "weight_hh": "W_h", "bias_ih": "b", "weight_ch": "p", "head.weight": "W_y",
           "head.bias": "b_y", "embedding": "E"}  # fmt: skip
"""By the beginning or the end of PyTorch's names; what is left are the upper layers."""
TIMES = "\u00a0×\u00a0"  # a shape stays on one line
TWO_BIASES = "$b$: PyTorch keeps it as two vectors that are added."


def table(experiment: Experiment) -> dict[str, list[str]]:
    """Columns of one row per matrix; the two bias vectors of a layer share a row."""
    shapes = parameter_shapes(experiment)
    rows = []
    for name, shape in shapes.items():
        if "bias_hh" in name:
            continue
        count, size = prod(shape), TIMES.join(map(str, shape))
        if (second := name.replace("bias_ih", "bias_hh")) in shapes and second != name:
            name, count, size = f"{name}` `{second.split('.')[1]}", 2 * count, f"2{TIMES}{size}"
        rows.append((f"${_symbol(name)}$", f"`{name}`", size, f"{count:,}"))
    rows.append(("all", "", "", f"{sum(map(prod, shapes.values())):,}"))
    titles = ("Symbol", "Name in PyTorch", "Shape", "Numbers")
    return {title: list(column) for title, column in zip(titles, zip(*rows, strict=True), strict=True)}


def _symbol(name: str) -> str:
    return next((symbol for part, symbol in SYMBOLS.items() if part in name), "W" if "weight" in name else "b")


def sentences(experiment: Experiment) -> list[str]:
    """How the blocks are stacked, the two biases, and what sharing the weights over time saves."""
    cell, said = CELLS[experiment.cell], []
    if cell.blocks > 1:
        blocks = ", ".join(f"W_{{i{LETTERS[gate]}}}" for gate in cell.gates)
        said.append(f"$W_x$ stacks ${blocks}$, {experiment.hidden_size} rows each; $W_h$ and $b$ likewise.")
    return [*said, *([TWO_BIASES] if cell.links else []), sharing(experiment)]


def sharing(experiment: Experiment) -> str:
    """The same weights at every step, and how many there would be otherwise."""
    steps, here = experiment.time_steps, recurrent(experiment, "")
    if not CELLS[experiment.cell].links:
        return f"The same weights are used at all {steps} steps. None of them links a step to the one before."
    if steps == 1:
        return "There is one step only: nothing is used twice."
    if experiment.rnn_type == "encoder_decoder":
        reads, speaks = experiment.seq_len, steps - experiment.seq_len
        many = reads * recurrent(experiment, "encoder") + speaks * recurrent(experiment, "decoder")
        return (
            f"The encoder uses the same weights at all its {reads} steps, the decoder at all its {speaks}. A network "
            f"with weights of its own at every step would need {many:,} recurrent weights instead of {here:,}."
        )
    return (
        f"The same weights are used at all {steps} steps. A network with weights of its own at every step would need "
        f"{steps} times as many recurrent weights: {steps * here:,} instead of {here:,}."
    )


def recurrent(experiment: Experiment, module: str) -> int:
    """How many numbers all W_hh of a module hold ("": of all modules)."""
    found = parameter_shapes(experiment).items()
    return sum(prod(shape) for name, shape in found if "weight_hh" in name and name.startswith(module))


def matrices(experiment: Experiment) -> int:
    """How many numbers all matrices of the recurrent layers hold: as many multiplications a step needs."""
    found = parameter_shapes(experiment).items()
    return sum(prod(shape) for name, shape in found if "weight_ih" in name or "weight_hh" in name)
