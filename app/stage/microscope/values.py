"""The numbers of one unit for everything that the microscope shows, from a frame. No torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from app.stage.microscope.equations import back
from app.stage.microscope.step_graph import FUNCTIONS, StepGraph, step_graph
from engine.cells.numpy_ops import NumpyOps
from engine.cells.structure import Symbol
from engine.frame import Chain, Look
from engine.intervention.intervention import CutLink, Intervention

SLOPES = {
    "tanh": lambda h: 1 - h * h,
    "relu": lambda h: np.where(np.isnan(h), np.nan, h > 0),
    "sigmoid": lambda h: h * (1 - h),
    "identity": lambda h: np.where(np.isnan(h), np.nan, 1.0),
}
"""phi' in terms of h."""
STATES = {"h": "hidden", "c": "cell"}
"""The states' names in a frame."""


class Terms(Protocol):
    """The terms of every gate's sum in one chain, as `engine.frame.readings.Preactivations` has them."""

    @property
    def from_input(self) -> np.ndarray: ...
    @property
    def from_state(self) -> np.ndarray | None: ...
    @property
    def biases(self) -> np.ndarray: ...
    @property
    def vectors(self) -> Mapping[str, np.ndarray]: ...


def values(
    info: Chain, frame: Look, layer: int, direction: int, unit: int, t: int | None = None, terms: Terms | None = None,
    interventions: Sequence[Intervention] = (),
) -> dict[str, np.ndarray]:  # fmt: skip
    """The number of every id that wires, nodes and equations name: {id: (T,) float32}; "x" has none.

    NaN at padded steps. Where the terms of the chain are not known, they are NaN, and all that follows from the frame's
    gates and states has its number.

    Args:
        layer, direction: the chain; at a direction of 1 the step before t is t + 1.
        unit: the one that is followed.
        t: one step alone: then every array has the shape ().
        terms: of this chain; by default the frame's own, if it is the top layer, forwards.
        interventions: that the frame's network has: its gates and states are not those that the terms would make.
    """
    if terms is None and (layer, direction) == (info.num_layers - 1, 0):
        terms = frame
    graph = step_graph(info.cell_kind, info.nonlinearity)
    # Units meet in a normalisation alone: products with W_hh are known.
    seen = slice(None) if graph.ops.normalised else slice(unit, unit + 1)
    cut = [
        each.t
        for each in interventions
        if isinstance(each, CutLink) and (each.layer, each.direction) == (layer, direction)
    ]
    old, new = _states(info, frame, layer, direction, seen, cut)
    known = {symbol: old[state] for symbol, state in graph.old.items()}
    if terms is None or interventions:
        known |= {graph.symbols[state]: values for state, values in new.items()}
        letters = dict(zip(info.cell_kind.gates, info.cell_kind.letters, strict=True))
        known |= {
            graph.symbols[f"gate {letters[name]}"]: gate[layer, direction, :, seen]
            for name, gate in frame.gates.items()
        }
    parts = [slice(0, info.encoder_steps), slice(info.encoder_steps, info.time_steps)]
    passes = [each for each in parts if each.stop > each.start]
    found = [
        _pass(graph, _unknown(graph, new["h"][part]) if terms is None else _taken(terms, part, at, seen),
              {symbol: values[part] for symbol, values in known.items()}, unit if graph.ops.normalised else 0)
        for at, part in enumerate(passes)
    ]  # fmt: skip
    joined = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    shown = np.where(frame.valid & info.has(direction), 1.0, np.nan)
    kept = {name: (values * shown).astype(np.float32) for name, values in joined.items()}
    return kept if t is None else {name: values[t] for name, values in kept.items()}


def _states(
    info: Chain, frame: Look, layer: int, direction: int, seen: slice, cut: Sequence[int]
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """({state: (T, units) before each step}, {state: after it}) of a chain, in float64; before a cut it is 0."""
    recorded = {state: getattr(frame, STATES[state])[layer, direction] for state in info.cell_kind.states}
    new = {state: values[:, seen].astype(float) for state, values in recorded.items()}
    steps, border = np.arange(info.time_steps), info.encoder_steps
    before = steps + 1 if direction else steps - 1
    if border and not direction:
        before[border] = np.flatnonzero(frame.valid[:border])[-1]
    inside = (before >= 0) & (before < info.steps_of(direction))
    inside[inside] &= frame.valid[before[inside]]
    inside[list(cut)] = False
    inside &= not info.reads_across_the_batch  # the drawn sequence is the first of the batch: it begins with zeros
    old = {
        state: np.where(inside[:, None], values[np.clip(before, 0, info.time_steps - 1)], 0.0)
        for state, values in new.items()
    }
    if border and not direction and inside[border]:
        for state, values in old.items():
            values[border] = info.handed_over(getattr(frame, STATES[state])[layer].astype(float), frame.valid)[seen]
    return _with_start(info, frame, (layer, direction), seen, old, cut), new


def _with_start(
    info: Chain, frame: Look, chain: tuple[int, int], seen: slice, old: dict[str, np.ndarray], cut: Sequence[int]
) -> dict[str, np.ndarray]:
    """The states before each step, with those that were learned before the first one."""
    learned = {"h": frame.first_hidden, "c": frame.first_cell}
    layer, direction = chain
    first = int(np.flatnonzero(frame.valid & info.has(direction))[-1]) if direction else 0
    for state, values in old.items():
        if (start := learned[state]) is not None and first not in cut:
            values[first] = start[layer, direction, seen]
    return old


def _taken(terms: Terms, part: slice, at: int, seen: slice) -> dict[str, object]:
    """What one pass gives to the operations, in float64."""
    return {
        "from_input": terms.from_input[part, :, seen].astype(float),
        "from_state": None if terms.from_state is None else terms.from_state[part, :, seen].astype(float),
        "biases": terms.biases[at, ..., seen].astype(float),
        "vectors": {name: vector[at, :, seen].astype(float) for name, vector in terms.vectors.items()},
    }


def _unknown(graph: StepGraph, like: np.ndarray) -> dict[str, object]:
    """The same without any number."""
    steps, units = like.shape
    gates = graph.cell.blocks
    products = np.full((steps, gates, units), np.nan)
    return {
        "from_input": products,
        "from_state": products,
        "biases": np.full((2, gates, units), np.nan),
        "vectors": {vector.name: np.full((len(vector.symbols), units), np.nan) for vector in graph.cell.vectors},
    }


def _pass(graph: StepGraph, taken: dict, known: dict[Symbol, np.ndarray], unit: int) -> dict[str, np.ndarray]:
    """All numbers of the steps of one pass."""
    ops, cell = NumpyOps(graph.cell, graph.nonlinearity, **taken), graph.cell
    steps = len(taken["from_input"])
    found = dict(known)
    with np.errstate(all="ignore"):  # exploding networks are expected
        every = {name: _number(symbol, graph, ops, found) for name, symbol in graph.symbols.items()}
        for at, letter in enumerate(cell.letters):
            bare = graph.bare_biases(letter)
            if bare:
                every[f"b {letter}"] = sum(taken["biases"][each, at] for each in bare)
            arrived = {way.value for way in graph.gates[letter].ways}
            if f"W_x {letter}" in arrived:
                every[f"W_x {letter}"] = taken["from_input"][:, at]
            if f"W_h {letter}" in arrived:
                every[f"W_h {letter}"] = taken["from_state"][:, at]
        for vector in cell.vectors:
            every |= {f"vector {symbol}": taken["vectors"][vector.name][at] for at, symbol in enumerate(vector.symbols)}
        every |= _backward(graph, every)
    return {
        name: np.broadcast_to(value[..., unit] if np.ndim(value) else value, steps) for name, value in every.items()
    }


def _backward(graph: StepGraph, every: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The slope of a plain cell, and "back": the product of all that one step back multiplies by, unit by unit."""
    found: dict[str, np.ndarray] = {}
    if graph.is_plain:
        found["slope"] = SLOPES[graph.gates[graph.cell.letters[0]].after[0].name](every["h"])
    factors = [(every | found)[each] for each in back(graph.cell, graph.nonlinearity).factors]
    return found | {"back": np.prod(np.broadcast_arrays(*factors), axis=0) if factors else np.ones(())}


def _number(symbol: Symbol, graph: StepGraph, ops: NumpyOps, found: dict[Symbol, np.ndarray]) -> np.ndarray:
    """The step again, with numbers: (T, units), or a single number."""
    if symbol not in found:
        made = symbol.made_by
        if made.startswith("W_ih"):
            found[symbol] = ops.W_ih(made.split()[1], None)
        elif symbol in graph.ops.vector_symbols:
            found[symbol] = ops.vector(graph.ops.vector_symbols[symbol])
        elif not symbol.inputs:
            found[symbol] = np.asarray(float(made))
        else:
            inputs = [_number(each, graph, ops, found) for each in symbol.inputs]
            found[symbol] = _computed(symbol, inputs, graph, ops)
    return found[symbol]


def _computed(symbol: Symbol, inputs: list[np.ndarray], graph: StepGraph, ops: NumpyOps) -> np.ndarray:
    made = symbol.made_by
    if made.startswith("W_hh"):
        return ops.W_hh(made.split()[1], inputs[0])
    if symbol in graph.ops.normalised:
        how = graph.ops.normalised[symbol]
        return ops.layer_norm(inputs, how.gain, how.shift)[how.part]
    if made in FUNCTIONS:
        return getattr(ops, made)(inputs[0])
    first, second = inputs
    return first + second if made == "+" else first - second if made == "-" else first * second
