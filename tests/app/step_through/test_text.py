"""Stepping through: where one stands, and that every number said is one of the walk's."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app.equations import formulas, step_numbers
from app.figures import step_through
from app.figures.step_through import Place
from app.step_through import text as step_through_text
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.step_through.verification_result import AUTOGRAD, REASONS
from engine.training import Trainer
from engine.workers.requests import trace_sequence
from tests.app.step_through.conftest import CASES, verification, walked

ALL = pytest.mark.parametrize("case", CASES)


def numbers(html: str) -> list[list[str]]:
    """The cells of a table's rows."""
    return [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r"<tr.*?</tr>", html)[1:]]


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
    assert step_through_text.where(info, trace, Place(2)) == "**Forward** · t = 2 · step 3 of 8"
    assert step_through_text.where(info, trace, Place(8)) == "**Back** · t = 7 · 0 steps back from the last"
    assert step_through_text.where(info, trace, Place(9)) == "**Back** · t = 6 · 1 step back from the last"
    info, trace = walked("translation")
    ways = [step_through_text.where(info, trace, Place(at)) for at in range(len(trace.positions))]
    assert "of the encoder" in ways[0] and "of the decoder" in ways[-1]


@ALL
def test_what_goes_in_and_comes_out_is_said_at_every_step(case):
    info, trace = walked(case)
    for k in range(len(trace.positions)):
        text = step_through_text.reads(info, trace, k)
        assert text.startswith("Input: ") and ("Loss of this step" in text) == bool(trace.counted[k])
        assert ("Output: " in text) == bool(np.isfinite(trace.outputs[k]).all())


# ---- the account of the gradient


@ALL
def test_what_is_handed_on_is_what_arrives_at_the_step_before(case):
    info, trace = walked(case)
    n = len(trace.positions)
    tables = [numbers(step_through_text.flow(info, trace, Place(2 * n - 1 - k, unit=1))) for k in range(n)]
    assert all(len(table) == (4 if info.memory_symbol == "c" else 2) for table in tables)
    for k in range(1, n):
        for here, before in zip(tables[k], tables[k - 1], strict=True):
            assert here[3] == before[0] or (trace.cut[k] and here[3] == "cut: exactly 0" and before[0] == "0")
    assert {row[3] for row in tables[0]} == {"–"}


@ALL
def test_what_arrives_and_what_enters_add_up(case):
    info, trace = walked(case)
    n = len(trace.positions)
    for k in range(n):
        for row in numbers(step_through_text.flow(info, trace, Place(2 * n - 1 - k, unit=2)))[1::2]:
            later, enters, together = map(parsed, row[:3])
            assert together == pytest.approx(later + enters, rel=2e-2, abs=2e-3 * max(abs(later), abs(enters)))


def test_the_factor_is_said_as_weights_times_slope():
    info, trace = walked("letters")
    k = 5
    text = step_through_text.flow(info, trace, Place(16 - 1 - k))
    match = re.search(r"norm by ([\d.]+) = ([\d.]+) \(weights W_hh\) × ([\d.]+) \(slope", text)
    assert match
    factor, weights, slope = map(float, match.groups())
    assert factor == pytest.approx(weights * slope, rel=0.02)
    later, here = np.linalg.norm(trace.later[k - 1]), np.linalg.norm(trace.grad[k])
    assert factor == pytest.approx(later / here, rel=0.02)


@pytest.mark.parametrize("case", ["gru", "lstm", "gru_simple"])
def test_a_gated_cell_says_by_which_road(case):
    info, trace = walked(case)
    text = step_through_text.flow(info, trace, Place(16 - 1 - 4))
    shares = [int(each) for each in re.findall(r"(-?\d+)% ", text)]
    assert "kept" in text and "road" not in text and sum(shares) == pytest.approx(100, abs=len(shares))


def test_a_cell_says_which_weights_or_which_only_path():
    info, trace = walked("indrnn")
    assert "(weights u) ×" in step_through_text.flow(info, trace, Place(16 - 1 - 7))  # further back every unit is 0
    info, trace = walked("linear")
    assert "by the only path: what is kept" in step_through_text.flow(info, trace, Place(16 - 1 - 4))


def test_the_wall_of_truncation_is_said():
    info, trace = walked("cut")
    at = int(np.flatnonzero(trace.cut)[0])
    assert "Truncation cuts" in step_through_text.flow(info, trace, Place(16 - 1 - at))


def test_the_first_step_has_none_before_it():
    info, trace = walked("rnn")
    assert step_through_text.BEFORE_ALL in step_through_text.flow(info, trace, Place(15))


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
        part = int(trace.part[0])
        whole = trace.weight_gradient(part=part)[step_through_text.row(info, place), 1]
        text = step_through_text.weight(info, trace, place)
        match = re.search(r"from the last one back: (\S+) of (\S+) for all steps", text)
        assert match and match[1] == match[2] == step_through_text.signed(float(whole))


def test_going_forward_the_weight_carries():
    info, trace = walked("letters")
    text = step_through_text.weight(info, trace, Place(4, unit=1, source=2))
    h, w = float(trace.hidden[3, 2]), float(trace.weight_hh[0, 1, 2])
    assert (
        f"{step_through_text.signed(h)} × {step_through_text.signed(w)} = **{step_through_text.signed(h * w)}**" in text
    )


# ---- the equations of the walk


@ALL
def test_the_equations_of_the_walk_give_the_recorded_numbers(case):
    info, trace = walked(case)
    for k in range(len(trace.positions)):
        for check in formulas.checks(info, step_numbers.values_from_trace(info, trace, 2, k)):
            if check.recorded is not None:
                assert check.computed == pytest.approx(check.recorded, abs=2e-6)


def test_every_chain_has_its_own_equations():
    info = walked("both")[0]
    for layer in (0, 1):
        for direction in (0, 1):
            _, trace = walked("both", layer, direction)
            for check in formulas.checks(info, step_numbers.values_from_trace(info, trace, 1, 3)):
                assert check.recorded is None or check.computed == pytest.approx(check.recorded, abs=2e-6)
            assert step_through_text.chain(info, layer, direction).startswith(f"layer {layer + 1}")


# ---- verify


@ALL
def test_every_number_that_is_offered_is_one_of_the_walk(case):
    info, trace = walked(case)
    n = len(trace.positions)
    for at in (0, n - 1, n, 2 * n - 1):
        offered = step_through_text.entries(info, trace, Place(at, unit=1, source=2))
        assert set(offered) <= set(step_through_text.ENTRIES) and step_through_text.ENTRIES[0] in offered
        assert (step_through_text.ENTRIES[1] in offered) == bool(CELLS[info.experiment.cell].state_blocks)
        for what in offered.values():
            assert np.isfinite(trace.number(what)) and step_through_text.entry_symbol(what)


def test_what_was_verified_is_said_with_its_error_and_how():
    rows = dict(step_through_text.verification_rows(verification()))
    assert rows["Relative error of the calculation"] == "0, both are exactly the same"
    assert rows["Relative error of the number on this page"] == "1.0e-07"
    assert "in 13 runs" in step_through_text.how(verification())
    assert "0.001" not in str(rows) and "1e-03" in step_through_text.how(verification())
    assert step_through_text.agrees(verification(relative_error=3e-11, relative_error32=2e-4)).startswith(
        "Both calculations agree to 10 digits. The network trains in float32"
    )
    for wrong in (np.inf, np.nan, 1e-3):
        assert step_through_text.agrees(verification(relative_error=wrong)).startswith("They do not agree")
    broken = dict(step_through_text.verification_rows(verification(relative_error=np.inf)))
    assert broken["Relative error of the calculation"].startswith("not comparable")


@pytest.mark.parametrize("reason", REASONS)
def test_why_autograd_was_taken_is_said_in_words(reason):
    text = step_through_text.how(verification(method=AUTOGRAD, reason=reason))
    assert "autograd" in text and text.endswith(f"{step_through_text.REASONS[reason]}.")


# ---- pictures


@ALL
def test_forward_shows_what_was_reached_and_back_what_came(case):
    info, trace = walked(case)
    n = len(trace.positions)
    for at in {0, n // 2, n - 1, n, n + n // 2, 2 * n - 1}:
        drawn = step_through.over_time(info, trace, Place(at, unit=1))
        states, slopes = (np.isfinite(np.array(trace.z)).any(0) for trace in drawn.data)
        reached = np.zeros(info.time_steps, bool)
        reached[trace.positions[: n if at >= n else at + 1]] = True
        assert np.array_equal(states, reached)
        come = np.zeros(info.time_steps, bool)
        if at >= n:
            come[trace.positions[2 * n - 1 - at :]] = trace.grad[2 * n - 1 - at :].any(-1)
        assert np.array_equal(slopes, come)


def test_the_jacobian_of_the_step_is_drawn_and_its_entry_marked():
    info, trace = walked("lstm")
    drawn = step_through.jacobian(info, trace, Place(3, unit=1, source=2))
    assert np.array_equal(np.array(drawn.data[0].z, np.float32), trace.jacobians[3])
    marked = [shape for shape in drawn.layout.shapes if shape.type == "rect"]
    assert [(shape.x0, shape.y0) for shape in marked] == [(1.5, 0.5)]
    assert list(drawn.data[0].x) == ["h0", "h1", "h2", "h3", "c0", "c1", "c2", "c3"]


def test_of_many_units_the_followed_one_is_always_drawn():
    e = Experiment(task="adding", hidden_size=200, seq_len=4, batch_size=2)
    trace = trace_sequence(Trainer(e))
    for unit in (0, 7, 199):
        units = step_through.units_of(trace, unit)
        assert len(units) <= step_through.MAX_UNITS + 1 and unit in units
    assert step_through.jacobian(RunInfo.of(e), trace, Place(1, unit=199, source=3))
