"""Stepping through: where one is, and that every number said is one of the trace's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.step_through import text as step_through_text
from app.step_through.place import Place
from engine.cells import CELLS
from tests.app.step_through.conftest import CASES, walked

ALL = pytest.mark.parametrize("case", CASES)


def numbers(case: str, at: int, unit: int = 1) -> list[tuple[str, ...]]:
    """The cells of the table of a place on the way back, without the names of the rows."""
    return [row[1:] for row in step_through_text.flow(walked(case)[1], Place(at, unit=unit))]


def said(case: str, k: int) -> str:
    """What is said of the factor at a step."""
    return step_through_text.factor(*walked(case), k)


def parsed(number: str) -> float:
    """What `stepping.signed` wrote."""
    plain = number.replace("−", "-").translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(plain.replace("·10", "e"))


# ---- where one stands


@ALL
def test_forward_to_the_end_and_back_to_the_beginning(case):
    _, trace = walked(case)
    n = len(trace.positions)
    forward = [Place(at).step(n) for at in range(n)]
    back = [Place(at).step(n) for at in range(n, 2 * n)]
    assert forward == list(range(n)) and back == forward[::-1]
    assert [Place(at).back(n) for at in (0, n - 1, n, 2 * n - 1)] == [False, False, True, True]


def test_the_way_and_the_step_are_said():
    info, trace = walked("letters")
    assert step_through_text.where(info, trace, Place(2)) == "Forward · t = 2 · step 3 of 8"
    assert step_through_text.where(info, trace, Place(8)) == "Back · t = 7 · 0 steps back from the last"
    assert step_through_text.where(info, trace, Place(9)) == "Back · t = 6 · 1 step back from the last"
    info, trace = walked("translation")
    ways = [step_through_text.where(info, trace, Place(at)) for at in range(len(trace.positions))]
    assert "of the encoder" in ways[0] and "of the decoder" in ways[-1]


@ALL
def test_what_happens_at_every_place_is_said(case):
    info, trace = walked(case)
    n = len(trace.positions)
    for k in range(n):
        forward = step_through_text.happens(info, trace, Place(k))
        come = info.directions == 1 or n - 1 - k <= k  # so far that the other direction has read this step, too
        assert forward.startswith("It reads ") and ("loss" in forward) == bool(trace.counted[k] and come)
        assert ("answers" in forward) == bool(np.isfinite(trace.outputs[k]).all() and come)
        back = step_through_text.happens(info, trace, Place(2 * n - 1 - k))
        assert ("comes from" in back) == (k < n - 1 and bool(arriving(trace)[k].any()))
        assert ("enters here" in back) == bool(trace.direct[k].any())
        goes_on = k > 0 and trace.jacobians is not None and not trace.cut[k] and "No gradient" not in back
        assert ("passed on to" in back) == goes_on


def arriving(trace) -> np.ndarray:
    return trace.later if trace.cell_later is None else trace.cell_later


# ---- the account of the gradient


@ALL
def test_what_is_handed_on_is_what_arrives_at_the_step_before(case):
    info, trace = walked(case)
    n = len(trace.positions)
    tables = [numbers(case, 2 * n - 1 - k) for k in range(n)]
    assert all(len(table) == (4 if info.memory_symbol == "c" else 2) for table in tables)
    for k in range(1, n):
        for here, before in zip(tables[k], tables[k - 1], strict=True):
            assert here[3] == before[0] or (trace.cut[k] and here[3] == "cut: exactly 0" and before[0] == "0")
    assert {row[3] for row in tables[0]} == {"–"}


@ALL
def test_what_arrives_and_what_enters_add_up(case):
    n = len(walked(case)[1].positions)
    for k in range(n):
        for row in numbers(case, 2 * n - 1 - k, unit=2)[1::2]:
            later, enters, together = map(parsed, row[:3])
            assert together == pytest.approx(later + enters, rel=2e-2, abs=2e-3 * max(abs(later), abs(enters)))


def test_the_factor_is_said_as_weights_times_slope():
    _, trace = walked("letters")
    k = 5
    match = re.search(r"norm by ([\d.]+) = ([\d.]+) \(weights W_hh\) × ([\d.]+) \(slope", said("letters", k))
    assert match
    factor, weights, slope = map(float, match.groups())
    assert factor == pytest.approx(weights * slope, rel=0.02)
    later, here = np.linalg.norm(trace.later[k - 1]), np.linalg.norm(trace.grad[k])
    assert factor == pytest.approx(later / here, rel=0.02)


@pytest.mark.parametrize("case", ["gru", "lstm", "gru_simple"])
def test_a_gated_cell_says_by_which_path(case):
    text = said(case, 4)
    shares = [int(each) for each in re.findall(r"(-?\d+)% ", text)]
    assert "kept" in text and sum(shares) == pytest.approx(100, abs=len(shares)) and "-0%" not in text


def test_a_cell_says_which_weights_or_which_only_path():
    assert "(weights u) ×" in said("indrnn", 7)  # further back every unit is 0
    assert "by the only path: what is kept" in said("linear", 4)


def test_truncation_is_said_and_nothing_is_passed_on():
    at = int(np.flatnonzero(walked("cut")[1].cut)[-1])  # beyond it no gradient arrives
    assert "Truncation cuts" in step_through_text.happens(*walked("cut"), Place(16 - 1 - at))
    assert said("cut", at) == ""


def test_the_first_step_has_none_before_it():
    assert step_through_text.BEFORE_ALL in step_through_text.happens(*walked("rnn"), Place(15))
    assert said("rnn", 0) == ""


def test_a_cell_without_a_link_passes_nothing_on():
    text = step_through_text.happens(*walked("feedforward"), Place(8))
    assert text == "The gradient enters here from the loss." and said("feedforward", 5) == ""


def test_what_attention_brings_is_said_of_both_halves():
    info, trace = walked("attends")
    first, last = 0, len(trace.positions) - 1
    assert "enters here by attention" in step_through_text.happens(info, trace, Place(last + last - first + 1))
    assert "enters here from the loss" in step_through_text.happens(info, trace, Place(last + 1))
    assert "it reads the encoder's states" in step_through_text.happens(info, trace, Place(last))
    assert "attention" not in step_through_text.happens(*walked("translation"), Place(2 * last + 1))


def test_a_lower_layer_hears_from_the_layer_above():
    info, trace = walked("both", 0, 1)
    text = step_through_text.happens(info, trace, Place(10))
    assert "answers" not in step_through_text.happens(info, trace, Place(7))
    assert "from the layer above" in text and f"to t = {trace.positions[4]}" in text  # it reads from the end


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.12, "0.120"), (-0.5, "−0.500"), (3.194e-4, "3.19·10⁻⁴"), (-1.4e-5, "−1.40·10⁻⁵"),
     (2.5e12, "2.50·10¹²"), (np.nan, "not finite"), (np.inf, "not finite")],
)  # fmt: skip
def test_numbers_are_short_and_keep_their_sign(value, text):
    assert step_through_text.signed(value) == text


# ---- the weight


@ALL
def test_the_terms_of_a_weight_add_up_to_its_gradient(case):
    info, trace = walked(case)
    if trace.weight_hh is None:
        assert not CELLS[info.experiment.cell].state_blocks
        return
    n, gates = len(trace.positions), len(step_through_text.gates(info))
    for gate in range(gates):
        place = Place(2 * n - 1, unit=3, source=1, gate=gate)
        whole = trace.weight_gradient(part=int(trace.part[0]))[step_through_text.row(info, place), 1]
        rows = dict(step_through_text.weight(info, trace, place))
        assert rows["from the last step to here"] == rows["all steps: dL/dW"] == step_through_text.signed(float(whole))


def test_going_forward_the_weight_carries():
    info, trace = walked("letters")
    h, w = float(trace.hidden[3, 2]), float(trace.weight_hh[0, 1, 2])
    numbers = [step_through_text.signed(each) for each in (h, w, h * w)]
    assert step_through_text.weight(info, trace, Place(4, unit=1, source=2)) == [
        ("W_hh[1, 2]", numbers[1]), ("here it adds h × w to the sum", "{} × {} = {}".format(*numbers)),
    ]  # fmt: skip
