"""The microscope's numbers: the step run again gives the network's own states, and every id has the number it names."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from app.stage.microscope.equations import back, lines
from app.stage.microscope.values import values
from app.stage.microscope.wiring import wiring
from engine.cells import CELLS
from engine.frame import Chain
from tests.app.stage.microscope.conftest import UNITS, measured

KINDS = [
    (name, each) for name in CELLS for each in (("tanh", "relu", "sigmoid", "identity") if name == "rnn" else ("tanh",))
]
every = pytest.mark.parametrize(("name", "nonlinearity"), KINDS)


def sigma(a):
    return 1 / (1 + np.exp(-a))


@every
def test_the_step_run_again_gives_the_frames_states_and_gates(name, nonlinearity):
    info, frame = measured(name, nonlinearity=nonlinearity)
    cell = CELLS[name]
    for unit in range(UNITS):
        found = values(info, frame, 0, 0, unit)
        assert found["h"].dtype == np.float32 and found["h"].shape == (5,)
        np.testing.assert_allclose(found["h"], frame.hidden[0, 0, :, unit], rtol=1e-5, atol=1e-6)
        if frame.cell is not None:
            np.testing.assert_allclose(found["c"], frame.cell[0, 0, :, unit], rtol=1e-5, atol=1e-6)
        for gate, letter in zip(cell.gates, cell.letters, strict=True):
            if gate in frame.gates:
                np.testing.assert_allclose(
                    found[f"gate {letter}"], frame.gates[gate][0, 0, :, unit], rtol=1e-5, atol=1e-6
                )


@every
def test_everything_that_is_named_has_a_number(name, nonlinearity):
    info, frame = measured(name, nonlinearity=nonlinearity)
    cell, found = CELLS[name], values(info, frame, 0, 0, 1)
    picture = wiring(cell, nonlinearity)
    named = {each.value for each in (*picture.nodes, *picture.wires)} - {"", "x"}
    for line in [*lines(cell, nonlinearity), back(cell, nonlinearity).line]:
        named |= {piece[0] for piece in line if not isinstance(piece, str)}
    assert named <= set(found)
    assert all(np.isfinite(found[each]).all() for each in named)


@pytest.mark.parametrize("t", [0, 3])
def test_one_step_alone_is_that_step(t):
    info, frame = measured("gru")
    whole = values(info, frame, 0, 0, 2)
    assert {name: float(value) for name, value in values(info, frame, 0, 0, 2, t).items()} == {
        name: float(value[t]) for name, value in whole.items()
    }


def told(frame, cell, letter, unit):
    """W_x x, W_h h and the two biases of a gate, as the frame has them."""
    at = cell.letters.index(letter)
    b_x, b_h = frame.biases[0, :, at, unit]
    return frame.from_input[:, at, unit], frame.from_state[:, at, unit], b_x, b_h


def before(states):
    return np.concatenate([[0.0], states[:-1]])


def close(found, name, expected):
    np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-6, err_msg=name)


def test_every_value_of_an_rnn_by_the_plain_formula():
    info, frame = measured("rnn")
    found, h = values(info, frame, 0, 0, 1), frame.hidden[0, 0, :, 1]
    wx, wh, b_x, b_h = told(frame, CELLS["rnn"], "h", 1)
    expected = {"W_x h": wx, "W_h h": wh, "b h": np.full(5, b_x + b_h), "sum h": wx + wh + b_x + b_h, "h": h,
                "h old": before(h), "slope": 1 - h**2, "back": 1 - h**2}  # fmt: skip
    assert set(expected) == set(found)
    for name, value in expected.items():
        close(found, name, value)


def test_every_value_of_an_lstm_by_the_plain_formula():
    info, frame = measured("lstm")
    found = values(info, frame, 0, 0, 2)
    h, c = frame.hidden[0, 0, :, 2], frame.cell[0, 0, :, 2]
    expected = {"h": h, "c": c, "h old": before(h), "c old": before(c), "tanh(c)": np.tanh(c)}
    for letter in "ifgo":
        wx, wh, b_x, b_h = told(frame, CELLS["lstm"], letter, 2)
        total = wx + wh + b_x + b_h
        expected |= {f"W_x {letter}": wx, f"W_h {letter}": wh, f"b {letter}": np.full(5, b_x + b_h)}
        expected |= {f"sum {letter}": total, f"gate {letter}": np.tanh(total) if letter == "g" else sigma(total)}
    expected["gate f * c old"] = expected["gate f"] * before(c)
    expected["gate i * gate g"] = expected["gate i"] * expected["gate g"]
    expected["gate o * tanh(c)"] = h
    expected["back"] = expected["gate f"]
    assert set(expected) == set(found)
    for name, value in expected.items():
        close(found, name, value)


def test_every_value_of_a_gru_by_the_plain_formula():
    info, frame = measured("gru")
    found, h = values(info, frame, 0, 0, 0), frame.hidden[0, 0, :, 0]
    expected = {"h": h, "h old": before(h)}
    for letter in "rz":
        wx, wh, b_x, b_h = told(frame, CELLS["gru"], letter, 0)
        expected |= {f"W_x {letter}": wx, f"W_h {letter}": wh, f"b {letter}": np.full(5, b_x + b_h),
                     f"sum {letter}": wx + wh + b_x + b_h, f"gate {letter}": sigma(wx + wh + b_x + b_h)}  # fmt: skip
    r, z = expected["gate r"], expected["gate z"]
    wx, wh, b_x, b_h = told(frame, CELLS["gru"], "n", 0)
    total = wx + b_x + r * (wh + b_h)
    expected |= {"W_x n": wx, "b n": np.full(5, b_x), "W_h n": wh + b_h, "gate r * W_h n": r * (wh + b_h),
                 "sum n": total, "gate n": np.tanh(total), "1 - gate z": 1 - z, "gate z * h old": z * before(h),
                 "1 - gate z * gate n": (1 - z) * np.tanh(total), "back": z}  # fmt: skip
    assert set(expected) == set(found)
    for name, value in expected.items():
        close(found, name, value)


def test_what_comes_back_through_a_vector_is_the_slope_times_it():
    info, frame = measured("indrnn")
    u = frame.vectors["weight_u"][0, 0]
    for unit in range(UNITS):
        close(values(info, frame, 0, 0, unit), "back", (frame.hidden[0, 0, :, unit] > 0) * u[unit])


def test_without_the_terms_of_a_chain_states_and_gates_have_their_numbers():
    info, frame = measured("lstm", num_layers=2)
    found = values(info, frame, 0, 0, 1)
    c, h = frame.cell[0, 0, :, 1], frame.hidden[0, 0, :, 1]
    assert all(np.isnan(found[name]).all() for name in ("W_x f", "W_h i", "b o", "sum g"))
    f, i, g = (frame.gates[name][0, 0, :, 1] for name in ("forget_gate", "input_gate", "cell_candidate"))
    for name, value in {"c": c, "h": h, "gate f": f, "gate f * c old": f * before(c), "gate i * gate g": i * g,
                        "tanh(c)": np.tanh(c), "back": f}.items():  # fmt: skip
        close(found, name, value)
    assert np.isfinite(values(info, frame, 1, 0, 1)["W_x f"]).all()


def test_a_plain_cell_without_terms_has_its_slope():
    info, frame = measured("rnn", num_layers=2, nonlinearity="relu")
    close(values(info, frame, 0, 0, 1), "slope", frame.hidden[0, 0, :, 1] > 0)


def test_the_two_passes_of_an_encoder_decoder_have_their_own_biases():
    info, frame = measured("gru", task="reverse", rnn_type="encoder_decoder")
    found = values(info, frame, 0, 0, 1)
    real = frame.valid
    np.testing.assert_allclose(found["h"][real], frame.hidden[0, 0, real, 1], rtol=1e-5, atol=1e-6)
    assert np.isnan(found["h"][~real]).all()
    n = info.encoder_steps
    sums = frame.biases[:, :, 1, 1].sum(axis=1)
    assert sums[0] != sums[1]
    np.testing.assert_allclose([found["b z"][0], found["b z"][n]], sums, rtol=1e-5)
    last = np.flatnonzero(real[:n])[-1]
    assert found["h old"][n] == pytest.approx(frame.hidden[0, 0, last, 1])


def reverse_lstm(steps: int, units: int) -> tuple[Chain, SimpleNamespace, SimpleNamespace]:
    """An LSTM that reads from right to left, by a plain loop; its last step is padding."""
    rng = np.random.default_rng(3)
    from_input, from_state = rng.normal(size=(2, steps, 4, units))
    weights, biases = rng.normal(size=(4, units, units)), rng.normal(size=(1, 2, 4, units))
    h, c, gates = np.zeros((steps + 1, units)), np.zeros((steps + 1, units)), np.zeros((4, steps, units))
    for t in range(steps - 2, -1, -1):
        from_state[t] = weights @ h[t + 1]
        i, f, g, o = from_input[t] + from_state[t] + biases[0].sum(axis=0)
        gates[:, t] = sigma(i), sigma(f), np.tanh(g), sigma(o)
        c[t] = sigma(f) * c[t + 1] + sigma(i) * np.tanh(g)
        h[t] = sigma(o) * np.tanh(c[t])
    both = lambda values: np.stack([np.full_like(values, np.nan), values])[None]  # noqa: E731
    valid = np.arange(steps) < steps - 1
    h[steps - 1] = c[steps - 1] = 7.0  # what stands at padding must not be read
    named = {name: both(gate) for name, gate in zip(CELLS["lstm"].gates, gates, strict=True)}
    frame = SimpleNamespace(
        hidden=both(h[:-1]), cell=both(c[:-1]), valid=valid, gates=named, first_hidden=None, first_cell=None
    )
    chain = Chain(cell="lstm", nonlinearity="tanh", num_layers=1, directions=2, hidden_size=units, input_size=1,
                  time_steps=steps, valid=tuple(valid), counted=tuple(valid))  # fmt: skip
    return chain, frame, SimpleNamespace(from_input=from_input, from_state=from_state, biases=biases, vectors={})


def test_from_right_to_left_the_step_before_is_the_next_one():
    chain, frame, terms = reverse_lstm(5, 4)
    real = frame.valid
    for given in (terms, None):
        found = values(chain, frame, 0, 1, 2, terms=given)
        np.testing.assert_allclose(found["c"][real], frame.cell[0, 1, real, 2], rtol=1e-5)
        np.testing.assert_allclose(found["h"][real], frame.hidden[0, 1, real, 2], rtol=1e-5)
        np.testing.assert_allclose(found["c old"][:3], frame.cell[0, 1, 1:4, 2], rtol=1e-5)
        assert found["c old"][3] == 0 and np.isnan(found["c old"][4])
        assert np.isfinite(found["W_x f"][real]).all() == (given is not None)
