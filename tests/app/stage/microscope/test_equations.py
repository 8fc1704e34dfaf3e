"""The lines beside the picture: what they say, and that their numbers add up to what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from app.stage.microscope.description import FAMILY, configuration, description
from app.stage.microscope.equations import back, lines, remark
from app.stage.microscope.values import values
from engine.cells import CELLS
from tests.app.stage.microscope.conftest import COUPLED, EVERY, MINIMAL_GATED, measured


def written(line) -> str:
    return " ".join(piece if isinstance(piece, str) else piece[1] for piece in line)


def text(cell, **more) -> list[str]:
    return [written(line) for line in lines(cell, "tanh", **more)]


def test_an_lstm_in_the_stages_names():
    assert text(CELLS["lstm"]) == [
        "forget f = σ( W_xf xₜ + W_hf hₜ₋₁ + b_f ) = f",
        "input i = σ( W_xi xₜ + W_hi hₜ₋₁ + b_i ) = i",
        "new g = tanh( W_xg xₜ + W_hg hₜ₋₁ + b_g ) = g",
        "output o = σ( W_xo xₜ + W_ho hₜ₋₁ + b_o ) = o",
        "cₜ = f · cₜ₋₁ + i · g = cₜ",
        "hₜ = o · tanh cₜ = hₜ",
    ]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("rnn", "hₜ = tanh( W_xh xₜ + W_hh hₜ₋₁ + b ) = hₜ"),
        ("feedforward", "hₜ = tanh( W_xh xₜ + b ) = hₜ"),
        ("indrnn", "hₜ = ReLU( W_xh xₜ + u hₜ₋₁ + b ) = hₜ"),
        ("gru", "new n = tanh( W_xn xₜ + r · (W_hn hₜ₋₁ + b_hn) + b_xn ) = n"),
        ("gru_2014", "new n = tanh( W_xn xₜ + W_hn (r ⊙ hₜ₋₁) + b_n ) = n"),
        ("gru_simple", "hₜ = z · hₜ₋₁ + (1 − z) · n = hₜ"),
        ("linear", "new n = W_xn xₜ + b_n = n"),
        ("linear_signed", "hₜ = a · hₜ₋₁ + n = hₜ"),
        ("lstm_peephole", "output o = σ( W_xo xₜ + W_ho hₜ₋₁ + p_o cₜ + b_o ) = o"),
        ("lstm_layer_norm", "forget f = σ( LN(W_xf xₜ) + LN(W_hf hₜ₋₁) ) = f"),
        ("lstm_layer_norm", "hₜ = o · tanh LN(cₜ) = hₜ"),
        ("lstm_no_forget", "cₜ = cₜ₋₁ + i · g = cₜ"),
        ("minimal_gated", "hₜ = (1 − f) · hₜ₋₁ + f · n = hₜ"),
        ("coupled", "cₜ = f · cₜ₋₁ + (1 − f) · g = cₜ"),
    ],
)
def test_a_line_of_every_other_cell(name, line):
    assert line in text(EVERY[name])


FUNCTIONS = {"σ(": lambda a: 1 / (1 + np.exp(-a)), "tanh(": np.tanh, "ReLU(": lambda a: np.maximum(a, 0)}


def computed(line, found) -> np.ndarray:
    """The right-hand side of a line from its pieces' numbers, as a reader would compute it."""
    function, total, product = (lambda a: a), 0.0, 1.0
    for piece in line[:-2]:
        if piece == "+":
            total, product = total + product, 1.0
        elif isinstance(piece, tuple):
            product = product * found[piece[0]].astype(float)
        elif piece in FUNCTIONS:
            function = FUNCTIONS[piece]
    return function(total + product)


@pytest.mark.parametrize("name", CELLS)
def test_the_numbers_of_every_line_add_up(name):
    info, frame = measured(name)
    found = values(info, frame, 0, 0, 1)
    for line in lines(CELLS[name], info.nonlinearity):
        np.testing.assert_allclose(
            computed(line, found), found[line[-1][0]], rtol=1e-4, atol=1e-6, err_msg=written(line)
        )


def test_the_names_of_the_course():
    assert text(CELLS["gru_simple"], ng=True) == [
        "update 1 − Γ_u = σ( W_xz xₜ + W_hz cₜ₋₁ + b_z ) = 1 − Γ_u",
        "new c̃ = tanh( W_xn xₜ + W_hn cₜ₋₁ + b_n ) = c̃",
        "cₜ = (1 − Γ_u) · cₜ₋₁ + Γ_u · c̃ = cₜ",
    ]
    assert text(CELLS["lstm"], ng=True)[4:] == ["cₜ = Γ_f · cₜ₋₁ + Γ_u · c̃ = cₜ", "aₜ = Γ_o · tanh cₜ = aₜ"]


def test_the_update_gate_of_the_course_has_the_number_of_one_minus_z():
    info, frame = measured("gru")
    found = values(info, frame, 0, 0, 1)
    (update,) = (
        piece for piece in lines(CELLS["gru"], "tanh", ng=True)[-1] if isinstance(piece, tuple) and piece[1] == "Γ_u"
    )
    np.testing.assert_allclose(found[update[0]], 1 - frame.gates["update_gate"][0, 0, :, 1], rtol=1e-5)
    assert "1 − z" in remark(CELLS["gru"], ng=True)
    assert remark(CELLS["gru"]) == remark(CELLS["lstm"], ng=True) == ""


@pytest.mark.parametrize(
    ("name", "factors", "matrix"),
    [
        ("rnn", ("slope",), "W_hh"),
        ("indrnn", ("slope", "vector u"), ""),
        ("feedforward", (), ""),
        ("lstm", ("gate f",), ""),
        ("lstm_no_forget", (), ""),
        ("lstm_layer_norm", ("gate f",), ""),
        ("gru", ("gate z",), ""),
        ("linear_signed", ("gate a",), ""),
        ("minimal_gated", ("1 - gate f",), ""),
        ("coupled", ("gate f",), ""),
    ],
)
def test_what_a_step_back_multiplies_by(name, factors, matrix):
    found = back(EVERY[name], "tanh")
    assert (found.factors, found.matrix) == (factors, matrix)
    named = {piece[0] for piece in found.line if isinstance(piece, tuple)}
    assert named == set(factors) or (name, named) == ("lstm_no_forget", {"back"})


def test_the_other_ways_back_are_said():
    said = {name: written(back(cell, "tanh").line) for name, cell in EVERY.items()}
    assert said["lstm"] == "one step back along c: × f , and what comes through h besides"
    assert said["lstm_peephole"].endswith("through h and the peepholes besides")
    assert said["gru"].endswith("through z, r and n besides")
    assert said["linear"].endswith("× z , and by no other way")
    assert said["rnn"].endswith("then through W_hh")
    assert said["feedforward"] == "nothing goes back: this cell reads no earlier state"
    assert written(back(MINIMAL_GATED).line).startswith("one step back along h: × (1 − f)")
    assert "(1 − Γ_u)" in written(back(CELLS["gru"], "tanh", ng=True).line)


@pytest.mark.parametrize("name", ["linear", "linear_signed"])
def test_without_another_way_back_is_the_whole_slope_of_the_new_state(name):
    """By finite differences of the step: h_t for a slightly larger h_{t-1}."""
    info, frame = measured(name)
    found = {each: value.astype(float) for each, value in values(info, frame, 0, 0, 1).items()}
    line = lines(CELLS[name], "tanh")[-1]
    more = computed(line, found | {"h old": found["h old"] + 1e-3})
    np.testing.assert_allclose((more - computed(line, found)) / 1e-3, found["back"], rtol=1e-4)


def test_a_description_is_json_of_both_names():
    made = description(COUPLED, "tanh")
    assert made["title"] == "Scratch" and made["memory"] == "c" and len(made["names"]) == 2
    assert not any(isinstance(value, float) and math.isnan(value) for node in made["nodes"] for value in node.values())


def test_the_family_ends_with_the_runs_own_cell():
    titles = [CELLS[name].title for name in FAMILY]
    assert [each["title"] for each in configuration(CELLS["gru"], "tanh")["family"]] == titles
    assert [each["title"] for each in configuration(CELLS["linear"], "tanh")["family"]] == [*titles, "Linear"]
