"""What is found in a step by running it on symbols, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from engine.cells import CELLS, Cell, Vector
from engine.cells.structure import CellError, Symbol

LINEAR = {"linear", "linear_signed"}
WITHOUT_PRODUCT = {"feedforward", "indrnn", *LINEAR}
MIXED = {"lstm_layer_norm", "gru_2014"}
ORDINARY = {"rnn", "gru", "lstm", "lstm_peephole", "lstm_no_forget", "gru_simple"}


@pytest.mark.parametrize("name", sorted({*ORDINARY, *WITHOUT_PRODUCT, *MIXED}))
def test_what_is_known_of_a_step(name):
    cell, structure = CELLS[name], CELLS[name].structure
    assert structure.is_unitwise == (name not in MIXED) and structure.is_linear == (name in LINEAR)
    assert (cell.state_blocks == 0) == (name in WITHOUT_PRODUCT)


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_whole(name):
    cell, structure = CELLS[name], CELLS[name].structure
    assert len(cell.summary) <= 105 and cell.summary.endswith(".")
    assert len(cell.letters) == len(cell.gates) and set((cell.retain_gate and [cell.retain_gate]) or []) <= set(
        cell.gates
    )
    written = " ".join(equation.latex for equation in cell.equations)
    assert all(f"W_{{h{letter}}} {argument}" in written for letter, argument in cell.state_arguments.items())
    assert set(structure.states) == set(cell.states) and set(cell.letters) <= set(structure.values)
    if not cell.is_plain:
        assert "kept" in cell.paths and (cell.retain_letter is None) == (cell.retain_gate is None)


def test_the_gru_of_the_paper_multiplies_something_else_than_a_state():
    assert CELLS["gru_2014"].structure.state_reads == {"r": "gates", "z": "gates", "n": None}


def test_the_wiring_leads_from_a_state_to_what_it_is_made_of():
    """h of an LSTM is o times tanh of c, and c reads its own past along the path that is kept."""
    states = CELLS["lstm"].structure.states
    assert states["h"].made_by == "*" and states["h"].inputs[1].made_by == "tanh"
    assert states["h"].inputs[1].inputs == (states["c"],)

    def leaves(symbol: Symbol) -> set[str]:
        return {symbol.made_by} if not symbol.inputs else set().union(*map(leaves, symbol.inputs))

    assert leaves(states["c"]) == {"x", "kept", "gates"} and leaves(CELLS["linear"].structure.values["z"]) == {"x"}


def changed(name: str, **fields: object) -> Cell:
    return dataclasses.replace(CELLS[name], **fields)


def forgetful(ops, x, s):
    """An LSTM without its kept path."""
    i = ops.sigmoid(ops.W_ih("i", x) + ops.W_hh("i", s("gates", "h")))
    f = ops.sigmoid(ops.W_ih("f", x) + ops.W_hh("f", s("gates", "h")))
    g = ops.tanh(ops.W_ih("g", x) + ops.W_hh("g", s("gates", "h")))
    o = ops.sigmoid(ops.W_ih("o", x) + ops.W_hh("o", s("gates", "h")))
    c = f + i * g
    return {"i": i, "f": f, "g": g, "o": o}, {"h": o * ops.tanh(c), "c": c}


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (changed("lstm", step=forgetful), "paths in the step: gates; declared: gates, kept"),
        (changed("gru", paths={"kept": "h", "gates": "h"}), "along the path 'candidate', which `paths` does not have"),
        (changed("lstm", paths={"kept": "h", "gates": "h"}), "reads c along the path 'kept'"),
        (changed("gru", letters=("r", "z", "m")), "the gate 'n', which `letters` does not have"),
        (changed("lstm_peephole", vectors=()), "vectors in the step: p_f, p_i, p_o; declared: none"),
        (changed("indrnn", vectors=(*CELLS["indrnn"].vectors, Vector("weight_v", ("v",)))), "vectors in the step: u;"),
        (changed("gru_2014", state_arguments={}), "reads something made of states in the step: n; declared: none"),
        (changed("gru", states=("h", "c")), "new states in the step: h; declared: c, h"),
    ],
    ids=["a path forgotten", "a path unknown", "a path of another state", "a gate unknown", "a vector unknown",
         "a vector forgotten", "what W_hh reads forgotten", "a state forgotten"],
)  # fmt: skip
def test_a_step_that_does_not_do_what_is_declared(cell, says):
    with pytest.raises(CellError, match=says):
        cell.structure  # noqa: B018 - it is computed here
