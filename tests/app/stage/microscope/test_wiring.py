"""The picture of every cell says what its step does, and nothing in it lies over something else."""

from __future__ import annotations

import itertools

import pytest

from app.stage.microscope.drawing import TEXTS, VIEW, Wiring
from app.stage.microscope.wiring import wiring
from engine.cells.structure import CellError
from tests.app.stage.microscope.conftest import EVERY, ODD

PICTURES = {name: wiring(cell, "tanh") for name, cell in EVERY.items()}
every = pytest.mark.parametrize("name", EVERY)


def values_of(picture: Wiring, *kinds: str) -> set[str]:
    return {each.value for each in (*picture.nodes, *picture.wires) if each.kind in kinds}


def overlap(a, b, air: float = 0) -> bool:
    return a[0] < b[2] + air and b[0] < a[2] + air and a[1] < b[3] + air and b[1] < a[3] + air


@every
def test_every_gate_has_a_box_and_reads_what_its_step_reads(name):
    cell, picture = EVERY[name], PICTURES[name]
    symbols = {"h"} if cell.is_plain else {f"gate {letter}" for letter in cell.letters}
    assert symbols <= values_of(picture, "box")
    for letter in cell.letters:
        assert f"W_x {letter}" in values_of(picture, "xh")
        assert (f"W_h {letter}" in values_of(picture, "hh")) == bool(cell.state_blocks)


@every
def test_every_state_comes_from_the_left_and_goes_to_the_right(name):
    cell, picture = EVERY[name], PICTURES[name]
    ends = {node.value: node for node in picture.nodes if node.kind == "end"}
    assert {f"{state} old" for state in set(cell.paths.values())} | set(cell.states) | {"x"} <= set(ends)
    for state in set(cell.paths.values()):
        assert any(wire.value == f"{state} old" and wire.points[0][0] == 0 for wire in picture.wires)
    for state in cell.states:
        (out,) = (wire for wire in picture.wires if wire.value == state and wire.points[-1][0] == 740)
        assert 10 < out.points[-1][1] - ends[state].y < 25  # its name stands above its wire
    assert "h" in values_of(picture, "up")


@every
def test_the_kept_path_runs_straight_along_the_top(name):
    belt = [wire for wire in PICTURES[name].wires if wire.kind == "belt"]
    assert bool(belt) == ("kept" in EVERY[name].paths)
    assert {y for wire in belt for _, y in wire.points} <= {84}
    if belt:
        assert (belt[0].points[0][0], belt[-1].points[-1][0]) == (0, 740)


def test_vectors_and_normalisations_are_drawn():
    assert values_of(PICTURES["lstm_peephole"], "peephole") == {
        "c old", "vector p_i * c old", "vector p_f * c old", "vector p_o * c",
    }  # fmt: skip
    assert values_of(PICTURES["indrnn"], "vector") == {"vector u * h old"}
    gates = {f"LN(W_{side} {letter})" for side in "xh" for letter in "ifgo"}
    assert values_of(PICTURES["lstm_layer_norm"], "norm") == {*gates, "LN(c)"}


@pytest.mark.parametrize(
    ("name", "valves"),
    {
        "rnn": set(),
        "lstm": {"gate f", "gate i", "gate o"},
        "lstm_no_forget": {"gate i", "gate o"},
        "gru": {"gate r", "gate z", "1 - gate z"},
        "gru_simple": {"gate z", "1 - gate z"},
        "linear_signed": {"gate a"},
        "minimal_gated": {"gate f", "1 - gate f"},
        "coupled": {"gate f", "1 - gate f", "gate o"},
    }.items(),
)
def test_a_valve_stands_where_a_gate_multiplies_something_and_its_control_ends_there(name, valves):
    picture = PICTURES[name]
    assert values_of(picture, "valve") == values_of(picture, "control") == valves
    for wire in (each for each in picture.wires if each.kind == "control"):
        x, y = wire.points[-1]
        (valve,) = (each for each in picture.nodes if each.kind == "valve" and overlap(each.extent, (x, y, x, y), 0.1))
        assert valve.value == wire.value


def heights(name: str, *kinds: str) -> dict[str, float]:
    return {node.kind: node.y for node in PICTURES[name].nodes if node.kind in kinds and "thread" in node.id}


def test_the_reset_gate_stands_behind_the_product_in_pytorch_and_before_it_in_the_paper():
    """Threads run upwards."""
    pytorch, paper = (heights(name, "product", "valve") for name in ("gru", "gru_2014"))
    assert pytorch["valve"] < pytorch["product"] and paper["valve"] > paper["product"]


def test_ids_are_unique_and_the_same_for_the_same_role():
    for picture in PICTURES.values():
        for ids in ([each.id for each in picture.nodes], [each.id for each in picture.wires]):
            assert len(set(ids)) == len(ids)
    boxes = {name: {node.id: node.label for node in PICTURES[name].nodes if node.kind == "box"} for name in EVERY}
    assert (boxes["gru"]["keep"], boxes["lstm"]["keep"]) == ("z", "f")
    assert (boxes["rnn"]["new"], boxes["gru"]["new"], boxes["lstm"]["new"]) == ("tanh", "n", "g")
    ids = {name: {each.id for each in PICTURES[name].nodes} for name in ("rnn", "gru", "lstm")}
    assert {"x", "h old", "h", "up", "new"} <= ids["rnn"] & ids["gru"] & ids["lstm"]
    assert {"sum", "keep", "valve keep", "valve new"} <= ids["gru"] & ids["lstm"]


# ---- geometry


@every
def test_nothing_lies_over_something_else_or_outside(name):
    left, top, width, height = VIEW
    nodes = PICTURES[name].nodes
    for a, b in itertools.combinations(nodes, 2):
        assert not overlap(a.extent, b.extent), (a.id, b.id)
    for node in nodes:
        a, b, c, d = node.extent
        assert a >= left and b >= top and c <= left + width and d <= top + height, node.id


@every
def test_no_wire_runs_through_a_box_or_a_label(name):
    """It may end at the edge of what it enters."""
    picture = PICTURES[name]
    for wire in picture.wires:
        for (x0, y0), (x1, y1) in itertools.pairwise(wire.points):
            assert x0 == x1 or y0 == y1, f"{wire.id} is not straight"
            line = (min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))
            for node in picture.nodes:
                if (node.kind, wire.kind) == ("sum", "belt"):
                    continue  # a belt is broader than the circle's edge, and ends inside
                air = 1 if node.kind in TEXTS else -1
                assert not overlap(line, node.extent, air), (wire.id, node.id)


@every
def test_wires_join_what_they_should(name):
    """Every wire begins and ends at the picture's edge, at a node, or on another wire."""
    picture = PICTURES[name]

    def is_at(point, wire) -> bool:
        x, y = point
        spot = (x, y, x, y)
        on_node = any(overlap(spot, node.extent, 0.5) for node in picture.nodes if node.kind not in TEXTS)
        lines = (
            (min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
            for other in picture.wires
            if other is not wire
            for a, b in itertools.pairwise(other.points)
        )
        is_free = x in (0, 740) or y in (22, 380, 104)
        return is_free or on_node or any(overlap(spot, line, 0.5) for line in lines)

    for wire in picture.wires:
        assert is_at(wire.points[0], wire) and is_at(wire.points[-1], wire), wire.id


def test_names_of_the_course_stand_beside_pytorchs():
    named = {node.value: node.ng for node in PICTURES["gru"].nodes if node.kind in ("box", "note", "end")}
    assert (named["gate z"], named["1 - gate z"], named["gate n"], named["h"]) == ("1 − Γ_u", "Γ_u", "c̃", "cₜ")
    named = {node.value: node.ng for node in PICTURES["lstm"].nodes if node.kind in ("box", "end")}
    assert (named["gate f"], named["gate i"], named["gate o"], named["h"], named["c"]) == (
        "Γ_f",
        "Γ_u",
        "Γ_o",
        "aₜ",
        "cₜ",
    )


def test_a_cell_that_cannot_be_drawn_says_so():
    with pytest.raises(CellError, match=r"Scratch: the picture .* has no place for"):
        wiring(ODD, "tanh")
