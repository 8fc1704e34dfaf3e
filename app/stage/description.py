"""What the stage is told once per run: the chain of states, and the words that the network reads and says."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from app.figures import theme
from app.figures.unrolled import layout as drawn
from app.stage.microscope import equations
from engine.cells import Cell
from engine.frame import RunInfo
from engine.frame.chain import Chain
from engine.intervention.intervention import gate_limits
from engine.limits import Range
from engine.tasks import task_of

UNITS = 32
"""At most so many units are drawn in a cell: each is a row of pixels."""


MOST_NUMBERS = 12
"""At most so many inputs that are numbers can be chosen by name."""


def units(chain: Chain) -> np.ndarray:
    """The units that are drawn of each layer: all, or evenly spaced ones."""
    return _evenly_spaced(chain.hidden_size)


def rows(chain: Chain, size: int) -> np.ndarray:
    """The rows of a state of `size` units: as many as of every other, so that some are drawn twice of a projected h."""
    return np.linspace(0, size - 1, len(units(chain))).round().astype(int)


def can_be_opened(chain: Chain) -> bool:
    """True for a cell whose one step is the textbook's: neither unknown nor with a projection behind it."""
    return chain.is_cell_known and not chain.proj_size


def real_steps(chain: Chain) -> np.ndarray:
    """Positions on the time axis of the drawn sequence's real steps: padding is not drawn."""
    return _places(chain.valid)


@lru_cache(maxsize=64)
def _evenly_spaced(size: int) -> np.ndarray:
    return _constant(np.unique(np.linspace(0, size - 1, min(UNITS, size)).round().astype(int)))


@lru_cache(maxsize=64)
def _places(where: tuple[bool, ...]) -> np.ndarray:
    return _constant(np.flatnonzero(np.array(where)))


def _constant(array: np.ndarray) -> np.ndarray:
    """Every frame gets this same array, so nobody may write into it."""
    array.flags.writeable = False
    return array


def describe(info: RunInfo) -> dict[str, Any]:
    """Everything about a run that stays while it trains, as JSON values. Steps count the real ones, from 0."""
    return {**of_chain(info), **of_task(info), "walls": _walls(info), "lines": state_lines(info)}


WITHOUT_TASK: dict[str, Any] = {
    "task": False, "inputs": "", "channels": 0, "isRow": False, "image": None, "imageSteps": 0, "outputs": "",
    "labels": [], "attention": False, "vocabulary": [], "editable": 0, "asks": "", "example": "", "numbers": [],
    "audible": False, "reduction": "", "softmaxTwice": False,
}  # fmt: skip
"""What `of_task` says, of a network of which no task is known: neither words nor answers."""


def describe_chain(chain: Chain, module: str) -> dict[str, Any]:
    """The same of a network of which no task is known. module: its name in the model, as in `named_modules()`."""
    every = matrices(chain) if chain.is_cell_known else []
    recurrent = [each for each in every if each["key"].endswith(("xh", "hh"))]
    for each in recurrent:
        each["name"] = ".".join(filter(None, [module, each["name"].rpartition(".")[2]]))
    names = [chain.step_names[t] for t in real_steps(chain)] if chain.step_names else []
    drawn = {"matrices": recurrent, "walls": _walls(chain), "lines": state_lines(chain), "names": names}
    return {**of_chain(chain), **WITHOUT_TASK, **drawn}


def state_lines(chain: Chain) -> list[Any]:
    """The equations of what goes on to the next step, for the line of sums; the microscope has those of the gates."""
    if not can_be_opened(chain):
        return []
    every = equations.lines(chain.cell_kind, chain.nonlinearity)
    return [line for line in every if line[-1][0] in chain.cell_kind.states]


def of_chain(chain: Chain) -> dict[str, Any]:
    """The network: what is drawn of any model's chain of states."""
    real = real_steps(chain)
    index = {int(t): n for n, t in enumerate(real)}
    counted = np.array(chain.counted)[real]
    retain = chain.cell_kind.retain_letter
    need = chain.enters(0) - (chain.lag or 0)
    return {
        "title": chain.cell_title,
        "memory": chain.memory_symbol,
        "steps": len(real),
        "at": real.tolist(),
        "layers": chain.num_layers,
        "directions": chain.directions,
        "units": len(units(chain)),
        "hidden": chain.hidden_size,
        "upper": chain.output_layers,
        "links": chain.has_links and len(real) > 1,
        "keep": retain or "",
        "gates": _gates(chain.cell_kind),
        "encoder": int((real < chain.encoder_steps).sum()),
        "counted": counted.tolist(),
        # Into an encoder's reverse chain a loss comes from the decoder, which starts where that chain ends.
        "enters": [index[chain.enters(d)] if chain.entered(d) == d else 0 for d in range(chain.directions)],
        "answersOnce": chain.answers_once and not chain.reads_reverse_at_its_start,
        "feeds": chain.is_autoregressive,
        "ofProbe": chain.same_lengths,
        "measuredOn": chain.measured_on,
        "opens": can_be_opened(chain),
        "need": index.get(need, -1) if chain.lag and not chain.looks_ahead else -1,
        "matrices": matrices(chain),
    }


def _gates(cell: Cell) -> list[dict[str, str]]:
    """What is between shut and open in this cell: name and letter."""
    return [
        {"name": name, "letter": letter}
        for name, letter in zip(cell.gates, cell.letters, strict=True)
        if gate_limits(cell, name) == Range(0, 1)
    ]


def of_task(info: RunInfo) -> dict[str, Any]:
    """What it reads and says: the kind of the inputs, how many channels a strip of them has, and the answers."""
    kind, channels = _inputs(info)
    return {
        "task": True,
        "inputs": kind,
        "channels": channels,
        "isRow": kind == "channels" and info.image is not None,  # a row of an image, drawn as one
        "image": list(info.image) if kind == "image" and info.image else None,
        "imageSteps": 1 if info.is_autoregressive else len(real_steps(info)),
        "outputs": info.outputs,
        "labels": [theme.symbol(label) for label in info.output_labels] if info.outputs == "symbols" else [],
        "attention": info.experiment.attention != "none",
        "vocabulary": list(info.input_labels) if info.inputs == "symbols" else [],
        "editable": _editable(info),
        **_asks(info),
        "numbers": list(info.input_labels[:MOST_NUMBERS]) if info.inputs == "values" and info.image is None else [],
        "audible": info.pitches is not None,
        "names": [info.step_names[t] for t in real_steps(info)] if info.step_names else [],
        "reduction": info.experiment.reduction,
        "softmaxTwice": info.experiment.bug == "softmax_twice",
    }


def _asks(info: RunInfo) -> dict[str, str]:
    """What a visitor may type in the place of the whole drawn sequence, with an example; "" if nothing."""
    task = task_of(info.experiment)
    is_text = task.encode is not None and info.inputs == info.outputs == "symbols"
    reads = is_text and info.experiment.rnn_type != "one_to_many"
    return {"asks": task.asks, "example": task.example} if reads else {"asks": "", "example": ""}


def matrices(chain: Chain) -> list[dict[str, str]]:
    """The kinds of matrices in the order of the legend: wires, symbol, what it does, PyTorch's name in layer 0."""
    halves = [("", "encoder" if chain.encoder_steps else "recurrent")]
    if chain.encoder_steps:
        halves = [("e_", "encoder"), ("", "decoder")]
    found = []
    for key, stack in halves:
        mark, reads = ("′", "hears itself") if chain.encoder_steps and not key else ("", "reads")
        found.append({"key": f"{key}xh", "symbol": f"W{mark}_xh", "does": reads, "name": f"{stack}.weight_ih_l0"})
        if chain.cell_kind.state_blocks:
            found.append(
                {"key": f"{key}hh", "symbol": f"W{mark}_hh", "does": "carries on", "name": f"{stack}.weight_hh_l0"}
            )
        elif chain.has_links:
            name = next((f"{stack}.{v.name}_l0" for v in chain.cell_kind.vectors if v.is_recurrent), "")
            found.append({"key": f"{key}hh", "symbol": "u" if name else "", "does": "carries on", "name": name})
    if chain.output_layers:
        found.append({"key": "dense", "symbol": "W_hu", "does": "above", "name": "upper.0.weight"})
    return [*found, {"key": "hy", "symbol": "W_hy", "does": "answers", "name": "head.weight"}]


def _inputs(info: RunInfo) -> tuple[str, int]:
    """How inputs are drawn ("symbols", "numbers", "channels" as a strip, "image" as a picture), and the channels."""
    if info.inputs == "symbols":
        return "symbols", 0
    if info.image is not None and len(info.input_labels) >= info.image[0] * info.image[1]:
        return "image", info.image[0] * info.image[1]
    channels = drawn.strip_channels(info)
    return ("channels", channels) if channels else ("numbers", 0)


def _editable(info: RunInfo) -> int:
    """How many of the first real steps read a symbol that a visitor may change; 0 if none does."""
    if info.inputs != "symbols":
        return 0
    if info.encoder_steps:
        return int((real_steps(info) < info.encoder_steps).sum())
    return 1 if info.is_autoregressive else len(real_steps(info))


def _walls(info: Chain) -> list[int]:
    """The real steps whose link to the step before is cut by truncation."""
    index = {int(t): n for n, t in enumerate(real_steps(info))}
    return sorted(index[t] for t in info.walls if index.get(t, 0) > 0)
