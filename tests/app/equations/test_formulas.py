"""The equations of every cell: what is displayed holds, numerically, and so do the numbers put into it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from app.equations import formulas, step_numbers, update_cost
from app.equations.step_numbers import Computed, StepNumbers, StepTerms
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.training import Trainer
from tests.app.equations.conftest import KINDS, STEPS, UNITS, small, trained


def symbols(trainer: Trainer, frame: Frame, t: int) -> dict[str, Any]:
    """Every symbol of the equations, with its numbers: blocks of the weights by PyTorch's names, gates and states."""
    e = trainer.experiment
    state = {name: value.numpy().astype(float) for name, value in trainer.model.recurrent.state_dict().items()}
    values: dict[str, Any] = {
        "sigma": lambda a: 1 / (1 + np.exp(-a)),
        "tanh": np.tanh,
        "ReLU": lambda a: np.maximum(a, 0),
    }
    cell = CELLS[e.cell]
    for k, gate in enumerate(cell.letters):
        block = slice(k * UNITS, (k + 1) * UNITS)
        for name, symbol in (("weight_ih", "W_i"), ("weight_hh", "W_h"), ("bias_ih", "b_i"), ("bias_hh", "b_h")):
            if f"{name}_l0" in state:
                values[symbol + gate] = state[f"{name}_l0"][block]
    for vector in cell.vectors:
        values |= dict(zip(vector.symbols, state[f"{vector.name}_l0"].reshape(-1, UNITS), strict=True))
    values["x"] = np.eye(10)[int(frame.inputs[t])]
    letters = dict(zip(cell.gates, cell.letters, strict=True))
    values |= {letters[name]: gate[0, 0, t].astype(float) for name, gate in frame.gates.items()}
    for symbol, states in (("h", frame.hidden), ("c", frame.cell)):
        if states is not None:
            values[symbol] = states[0, 0, t].astype(float)
            values[f"{symbol}_before"] = states[0, 0, t - 1].astype(float) if t else np.zeros(UNITS)
    return values | (normalised(values, state) if cell.terms else {})


def normalised(values: dict[str, Any], state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The normalised products and cell state, by their LaTeX: as the paper has them, all four gates together."""

    def norm(name: str, joined: np.ndarray) -> np.ndarray:
        gain, shift = state[f"gain_{name}_l0"], state[f"shift_{name}_l0"]
        return (joined - joined.mean()) / np.sqrt(joined.var() + 1e-5) * gain + shift

    made = {r"\mathrm{LN}(c_t)": norm("c", values["c"])}
    for name, x, latex in (("ih", "x", "W_{i%s} x_t"), ("hh", "h_before", "W_{h%s} h_{t-1}")):
        joined = np.concatenate([values[f"W_{name[0]}{gate}"] @ values[x] for gate in "ifgo"])
        blocks = np.split(norm(name, joined), 4)
        made |= {rf"\mathrm{{LN}}({latex % gate})": block for gate, block in zip("ifgo", blocks, strict=True)}
    return {as_name(latex): value for latex, value in made.items()}


def as_name(latex: str) -> str:
    """A Python name for a term that is no symbol."""
    return "term_" + re.sub(r"[\W_]", "", latex)


def to_python(latex: str, cell: str = "rnn") -> str:
    """A right-hand side as Python: products of a matrix and a vector, and products unit by unit."""
    for term in CELLS[cell].terms.values():
        latex = latex.replace(term, as_name(term))
    code = latex.replace("_{t-1}", "_before").replace("_t", "").replace(r"\odot", "*").replace(r"\mathrm{ReLU}", "ReLU")
    code = re.sub(r"([Wb])_\{(\w+)\}", r"\1_\2", code.replace("\\sigma", "sigma").replace("\\tanh", "tanh"))
    return re.sub(r"(W_\w+) (\w+|\((?:[^()]|\([^()]*\))*\))", r"(\1 @ \2)", code)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_every_displayed_equation_holds(cell, nonlinearity):
    trainer, frame = trained(small(cell, nonlinearity))
    for t in range(STEPS):
        values = symbols(trainer, frame, t)
        for _, latex in formulas.equations(trainer.experiment):
            left, right = latex.split(" = ")
            computed = eval(to_python(right, cell), {"__builtins__": {}}, values)
            assert np.allclose(computed, values[left.removesuffix("_t")], atol=2e-6), latex


@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_and_state_has_its_equation_and_every_cell_its_note(cell):
    shown = [latex[0] for _, latex in formulas.equations(small(cell))]
    assert sorted(shown) == sorted({*CELLS[cell].letters, *CELLS[cell].states})
    assert all(each.endswith(".") for each in formulas.remarks(small(cell)))


def test_what_stands_for_the_input_is_said():
    text = " ".join(formulas.remarks(small("feedforward", window=3, num_layers=2)))
    assert "the last 3 inputs" in text and "layer below" in text
    assert "second chain" in " ".join(formulas.remarks(small("gru", bidirectional=True)))


def test_attention_has_its_equations_where_there_is_attention():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", attention="scaled_dot")
    assert [name for name, _ in formulas.attention(e)] == ["score", "attention weight", "context", "answer"]
    assert "sqrt{H}" in formulas.attention(e)[0][1]
    assert "sqrt" not in formulas.attention(e.replace(attention="dot"))[0][1]
    assert formulas.attention(e.replace(attention="none")) == []
    assert "compares 6 steps with 6 states" in update_cost.attention(e.replace(seq_len=6))
    assert update_cost.attention(e.replace(attention="none")) == ""


@pytest.mark.parametrize(
    ("cell", "nonlinearity", "signs"),
    [("rnn", "tanh", ""), ("rnn", "sigmoid", "σ"), ("indrnn", "tanh", "⊙"), ("linear", "tanh", "σ⊙")],
)
def test_the_signs_that_are_shown_are_explained(cell, nonlinearity, signs):
    text = " ".join(formulas.remarks(small(cell, nonlinearity)))
    assert ("σ is the logistic function" in text, "⊙ multiplies" in text) == ("σ" in signs, "⊙" in signs)


# ---- the numbers of now


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_both_sides_of_a_worked_equation_agree(cell, nonlinearity):
    trainer, frame = trained(small(cell, nonlinearity, num_layers=2))
    for t in range(STEPS):
        for unit in range(UNITS):
            values = step_numbers.values(trainer.info, frame, unit, t)
            assert values.recorded["h_t"] == frame.hidden[-1, 0, t, unit]
            assert ("h_{t-1}" in values.recorded) == CELLS[cell].is_recurrent
            rows = [row for row in formulas.checks(trainer.info, values) if row.recorded is not None]
            assert [row.computed for row in rows] == pytest.approx([row.recorded for row in rows], abs=2e-6)
            recorded = [gate[-1, 0, t, unit] for gate in frame.gates.values()] + [frame.hidden[-1, 0, t, unit]]
            recorded += [frame.cell[-1, 0, t, unit]] if frame.cell is not None else []
            assert sorted(row.recorded for row in rows) == sorted(recorded)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_what_is_written_with_numbers_holds(cell, nonlinearity):
    trainer, frame = trained(small(cell, nonlinearity))
    known = symbols(trainer, frame, 2)
    functions = {name: known[name] for name in ("sigma", "tanh", "ReLU")}
    for row in formulas.checks(trainer.info, step_numbers.values(trainer.info, frame, 1, 2)):
        _, *middle = row.latex.split(" = ")
        if row.recorded is not None:
            assert not re.search(r"[Wbpxhcfiogrzn]_", "".join(middle)), row.latex  # every symbol has its number
            assert "LN" not in row.latex and not re.search(r"\bu\b", row.latex)
            for side in middle:
                code = to_python(side).replace(r"\times", "*").replace(r" \cdot 10^{", "e").replace("}", "")
                assert eval(code, {"__builtins__": {}}, functions) == pytest.approx(row.recorded, abs=4e-3), row.latex


def test_the_terms_of_a_plain_cell_are_those_of_its_weights():
    trainer, frame = trained(small("rnn"))
    known, unit, t = symbols(trainer, frame, 3), 2, 3
    numbers = step_numbers.values(trainer.info, frame, unit, t)
    values = numbers.recorded
    assert values["W_{ih} x_t"] == pytest.approx((known["W_ih"] @ known["x"])[unit])
    assert values["W_{hh} h_{t-1}"] == pytest.approx((known["W_hh"] @ known["h_before"])[unit])
    assert (values["b_{ih}"], values["b_{hh}"]) == (known["b_ih"][unit], known["b_hh"][unit])
    row, _ = formulas.checks(trainer.info, numbers)
    terms = [values[each] for each in ("W_{ih} x_t", "b_{ih}", "W_{hh} h_{t-1}", "b_{hh}")]
    written = " + ".join(f"({each:.3f})" if each < 0 else f"{each:.3f}" for each in terms)
    assert row.latex == rf"h_t = \tanh({written}) = \tanh({sum(terms):.3f})"


@pytest.mark.parametrize(
    ("nonlinearity", "h", "slope"),
    [("tanh", -0.5, 0.75), ("relu", 2.0, 1), ("relu", 0.0, 0), ("sigmoid", 0.25, 0.1875), ("identity", 9.0, 1)],
)
def test_a_cell_without_gates_shows_its_slope(nonlinearity, h, slope):
    terms = dict.fromkeys(("W_{ih} x_t", "b_{ih}", "W_{hh} h_{t-1}", "b_{hh}"), 0.1)
    numbers = StepNumbers({**terms, "h_{t-1}": 0.1, "h_t": h}, {"h_t": Computed(h, nonlinearity, 0.4)})
    *_, row = formulas.checks(RunInfo.of(small("rnn", nonlinearity)), numbers)
    assert row.computed == slope and row.recorded is None


@pytest.mark.parametrize("cell", CELLS)
def test_a_slope_is_shown_and_explained_for_cells_without_gates_alone(cell):
    trainer, frame = trained(small(cell))
    *_, row = formulas.checks(trainer.info, step_numbers.values(trainer.info, frame, 0, 1))
    plain = CELLS[cell].is_plain
    assert ((row.name == "slope"), (formulas.SLOPE_IS in formulas.footnote(trainer.info))) == (plain, plain)
    if cell == "indrnn":  # its activation is fixed, whatever the setting says
        assert r"[\," in row.latex and formulas.BRACKET in formulas.footnote(trainer.info)


def test_a_worked_equation_reads_as_a_sentence():
    gate, content = 1 / (1 + np.exp(0.24998)), np.tanh(-0.24998)
    state = gate * 0.12 + gate * content
    terms = StepTerms(
        from_input=np.full((4, 1), 0.25),
        from_state=np.full((4, 1), 2e-5),
        biases=np.array([0.0, -0.5]).reshape(2, 1, 1) * np.ones((2, 4, 1)),
        vectors={},
        before={"h": np.zeros(1), "c": np.array([0.12])},
        after={"h": np.array([0.25]), "c": np.array([state])},
        gates={**{letter: np.array([gate]) for letter in "ifo"}, "g": np.array([content])},
    )
    info = RunInfo.of(small("lstm"))
    enters, *_, keeps, shows = formulas.checks(info, step_numbers.step_numbers(info, terms, 0))
    assert formulas.worked(enters) == (
        "input gate, recorded: $0.438$  \n"
        + r"$i_t = \sigma(0.250 + 0.000 + (2.00 \cdot 10^{-5}) + (-0.500)) = \sigma(-0.250) = 0.438$"
    )
    assert formulas.worked(keeps) == (
        "cell state, recorded: $-0.055$  \n" + r"$c_t = 0.438 \times 0.120 + 0.438 \times (-0.245) = -0.055$"
    )
    assert formulas.worked(shows) == (
        "hidden state, recorded: $0.250$  \n" + r"$h_t = 0.438 \times \tanh(-0.055) = -0.024$"
    )


def test_a_product_with_something_made_of_the_old_state_is_one_number():
    trainer, frame = trained(small("gru_2014"))
    numbers = step_numbers.values(trainer.info, frame, 1, 2)
    known = symbols(trainer, frame, 2)
    assert numbers.recorded[r"W_{hn} (r_t \odot h_{t-1})"] == pytest.approx(
        (known["W_hn"] @ (known["r"] * known["h_before"]))[1], abs=1e-6
    )
    *_, content, _ = formulas.checks(trainer.info, numbers)
    assert content.latex.count("+") == 3 and "times" not in content.latex


def test_a_single_letter_is_replaced_only_where_it_stands_alone():
    trainer, frame = trained(small("indrnn"))
    numbers = step_numbers.values(trainer.info, frame, 1, 2)
    row, _ = formulas.checks(trainer.info, numbers)
    assert row.latex.startswith(r"h_t = \mathrm{ReLU}(")
    assert numbers.recorded["u"] == pytest.approx(trainer.model.recurrent.weight_u_l0[1].item())


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0.000"), (-0.12345, "-0.123"), (2.5e-5, r"2.50 \cdot 10^{-5}"), (-3e7, r"-3.00 \cdot 10^{7}"),
     (float("nan"), r"\text{not finite}")],
)  # fmt: skip
def test_numbers_are_short(value, text):
    assert formulas.number(value) == text


def test_a_decoder_begins_where_the_encoder_ended():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", hidden_size=UNITS, seq_len=6, batch_size=2)
    for seed in range(12):  # until the drawn sequence is shorter than the longest
        trainer, frame = trained(e.replace(seed=seed))
        info, start = trainer.info, trainer.info.encoder_steps
        if not frame.valid[start - 1]:
            break
    ends = int(frame.valid[:start].sum()) - 1
    assert ends < start - 1 and step_numbers.step_before(info, frame, start) == ends
    assert step_numbers.values(info, frame, 1, start).recorded["h_{t-1}"] == frame.hidden[-1, 0, ends, 1]
    for t in np.flatnonzero(frame.valid):
        for row in formulas.checks(info, step_numbers.values(info, frame, 0, int(t))):
            assert row.computed == pytest.approx(row.recorded, abs=2e-6)
    assert formulas.read(info, frame, start) == "nothing yet"
    assert formulas.read(info, frame, start + 1) == f"`{info.output_labels[frame.inputs[start + 1]]}`"


def test_what_was_read_is_said_in_words():
    trainer, frame = trained(small("gru"))
    assert formulas.read(trainer.info, frame, 2) == f"`{int(frame.inputs[2])}`"
    trainer, frame = trained(Experiment(task="adding", seq_len=4, hidden_size=2, batch_size=2))
    assert re.fullmatch(r"number [\d.]+, mark [01]", formulas.read(trainer.info, frame, 1))
    assert formulas.when(trainer.info, frame, 1, 1).startswith(
        "After 1 update, unit 1. Input at t\u00a0=\u00a01: number"
    )
