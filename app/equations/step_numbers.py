"""The numbers of one unit at one step, by the symbols of the equations; the step itself is run again with NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.cells.numpy_ops import NumpyOps
from engine.frame import Frame, RunInfo

LETTERS = {"hidden": "h", "cell": "c"}
"""The states' letters, by their names in frames and traces."""


@dataclass(frozen=True)
class Computed:
    """What the step gave for one symbol.

    Args:
        value: the result.
        activation: the name of the activation function that gave it; None if the equation ends with another operation.
        preactivation: the argument of that function; NaN without one.
    """

    value: float
    activation: str | None = None
    preactivation: float = math.nan


@dataclass(frozen=True)
class StepNumbers:
    """One unit at one step.

    Args:
        recorded: {symbol in LaTeX: number} of all that stands in the equations: products, biases, vectors, previous
            states, and the network's own gates and new states; terms between them are computed.
        computed: {symbol in LaTeX: what the step gave} of every left-hand side.
    """

    recorded: dict[str, float]
    computed: dict[str, Computed]


@dataclass(frozen=True, eq=False)
class StepTerms:
    """What one step of a chain reads, and what the network made of it: all units of the chain.

    Args:
        from_input, from_state: (G, units). biases: (2, 1 or 0, G, units). vectors: {parameter name: (symbols, units)}.
        before, after: {state: (units,)}, old and new states. gates: {letter: (units,)}.
    """

    from_input: np.ndarray
    from_state: np.ndarray | None
    biases: np.ndarray
    vectors: Mapping[str, np.ndarray]
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]
    gates: dict[str, np.ndarray]


def values(info: RunInfo, frame: Frame, unit: int, t: int) -> StepNumbers:
    """The numbers of one unit of the top layer, forward direction, at step t of the displayed sequence."""
    position = step_before(info, frame, t)
    before, after = {}, {}
    for name, letter in LETTERS.items():
        if (states := getattr(frame, name)) is not None:
            after[letter] = states[-1, 0, t]
            before[letter] = np.zeros_like(after[letter]) if position is None else states[-1, 0, position]
            if t and t == info.encoder_steps:
                before[letter] = info.handed_over(states[-1], frame.valid)
    gates = {name: gate[-1, 0, t] for name, gate in frame.gates.items()}
    one = int(0 < info.encoder_steps <= t)
    return step_numbers(info, _terms(info, frame, t, one, before, after, gates), unit)


def step_before(info: RunInfo, frame: Frame, t: int) -> int | None:
    """The position of the previous state; a decoder starts from the encoder's last state. None where there is none."""
    if info.reads_across_the_batch:
        return None
    if info.encoder_steps and t == info.encoder_steps:
        return int(np.flatnonzero(frame.valid[:t])[-1])
    return t - 1 if t else None


def _terms(
    info: RunInfo, terms: Frame, at: int, one: int,
    before: dict[str, np.ndarray], after: dict[str, np.ndarray], gates: dict[str, np.ndarray],
) -> StepTerms:  # fmt: skip
    """Take one step; `one` is the index of its pass, and `gates` are by name."""
    letters = dict(zip(info.cell_kind.gates, info.cell_kind.letters, strict=True))
    return StepTerms(
        from_input=terms.from_input[at],
        from_state=None if terms.from_state is None else terms.from_state[at],
        biases=terms.biases[one],
        vectors={name: vector[one] for name, vector in terms.vectors.items()},
        before=before,
        after=after,
        gates={letters[name]: gate for name, gate in gates.items()},
    )


def step_numbers(info: RunInfo, terms: StepTerms, unit: int) -> StepNumbers:
    """Run the step in float64, all units at once because some operations join them, and take one unit."""
    cell = info.cell_kind
    ops = NumpyOps(
        cell, info.nonlinearity, terms.from_input.astype(float),
        None if terms.from_state is None else terms.from_state.astype(float), terms.biases.astype(float),
        {name: vector.astype(float) for name, vector in terms.vectors.items()},
    )  # fmt: skip
    before = {state: values.astype(float) for state, values in terms.before.items()}
    with np.errstate(all="ignore"):  # exploding networks are expected
        made, states = cell.step(ops, None, lambda path, state: before[state])
    made |= states
    computed = {}
    for letter, result in made.items():
        applied = ops.activation_of(result)
        how = () if applied is None else (applied.name, float(applied.argument[unit]))
        computed[f"{letter}_t"] = Computed(float(result[unit]), *how)
    between = {latex: float(made[name][unit]) for name, latex in cell.terms.items()}
    return StepNumbers(_recorded(info, terms, unit) | between, computed)


def _recorded(info: RunInfo, terms: StepTerms, unit: int) -> dict[str, float]:
    """Products, biases, vectors, gates and states of one unit, by symbol."""
    cell = info.cell_kind
    found = {f"{letter}_t": values for letter, values in (terms.gates | terms.after).items()}
    found |= {f"{state}_{{t-1}}": terms.before[state] for state in set(cell.paths.values())}
    for at, letter in enumerate(cell.letters):
        found[f"W_{{i{letter}}} x_t"] = terms.from_input[at]
        if terms.from_state is not None:
            read = cell.state_arguments.get(letter, "h_{t-1}")
            found[f"W_{{h{letter}}} {read}"] = terms.from_state[at]
        for symbol, bias in zip("ih", terms.biases, strict=False):
            found[f"b_{{{symbol}{letter}}}"] = bias[at]
    for vector in cell.vectors:
        found |= dict(zip(vector.symbols, terms.vectors[vector.name], strict=True))
    return {symbol: float(values[unit]) for symbol, values in found.items()}
