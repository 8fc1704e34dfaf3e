"""What is found in a step by running it on symbols, and what is refused."""

from __future__ import annotations

import dataclasses

import pytest

from engine.cells import CELLS, Cell, Vector
from engine.cells.structure import CellError, Symbol

UNITWISE = {name for name in CELLS if name not in ("lstm_layer_norm", "gru_2014")}
LINEAR = {"linear", "linear_signed"}
WITHOUT_PRODUCT = {"feedforward", "indrnn", *LINEAR}


@pytest.mark.parametrize("name", CELLS)
def test_what_a_step_is_like(name):
    cell, structure = CELLS[name], CELLS[name].structure
    assert structure.is_unitwise == (name in UNITWISE) and structure.is_linear == (name in LINEAR)
    assert (cell.state_blocks == 0) == (name in WITHOUT_PRODUCT)
    assert set(structure.states) == set(cell.states) and set(cell.letters) <= set(structure.values)
    if not cell.is_plain:
        assert "kept" in cell.paths and (cell.retain_letter is None) == (cell.retain_gate is None)


def test_only_the_gru_of_the_paper_multiplies_something_else_than_a_state():
    found = {name: [gate for gate, path in cell.structure.state_reads.items() if path is None]
             for name, cell in CELLS.items()}  # fmt: skip
    assert {name: gates for name, gates in found.items() if gates} == {"gru_2014": ["n"]}
    assert {name: list(cell.state_arguments) for name, cell in CELLS.items() if cell.state_arguments} == {
        "gru_2014": ["n"]
    }


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
        (changed("gru", states=("h", "c")), "new states in the step: h; declared: c, h"),
    ],
    ids=["a path forgotten", "a path unknown", "a path of another state", "a gate unknown", "a vector unknown",
         "a vector forgotten", "a state forgotten"],
)  # fmt: skip
def test_a_step_that_does_not_do_what_is_declared(cell, says):
    with pytest.raises(CellError, match=says):
        cell.structure  # noqa: B018 - it is computed here
