"""The card of the equations: what is displayed holds, numerically, for every cell."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from app import cost, equations, weights
from app.views import equations as view
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.frame import Frame, RunInfo
from engine.parameters import parameter_count
from engine.training import Trainer
from engine.workers import Measurement
from tests.app.conftest import move, opened, press, run

PLAIN = [("rnn", each) for each in equations.SQUASH] + [("feedforward", each) for each in equations.SQUASH]
KINDS = [*PLAIN, *((cell, "tanh") for cell in CELLS if not CELLS[cell].uses_nonlinearity)]
UNITS, STEPS = 3, 5


def small(cell: str, nonlinearity: str = "tanh", **changes: Any) -> Experiment:
    return Experiment(cell=cell, nonlinearity=nonlinearity, hidden_size=UNITS, seq_len=STEPS, batch_size=2, **changes)


@cache
def trained(experiment: Experiment) -> tuple[Trainer, Frame]:
    trainer = Trainer(experiment)
    trainer.advance()
    return trainer, trainer.frame()


# ---- the LaTeX, read and computed


def symbols(trainer: Trainer, frame: Frame, t: int) -> dict[str, Any]:
    """Every symbol of the equations, with its numbers: blocks of the weights by PyTorch's names, gates and states."""
    e = trainer.experiment
    state = {name: value.numpy().astype(float) for name, value in trainer.model.recurrent.state_dict().items()}
    found: dict[str, Any] = {
        "sigma": lambda a: 1 / (1 + np.exp(-a)),
        "tanh": np.tanh,
        "ReLU": lambda a: np.maximum(a, 0),
    }
    gates = [equations.LETTERS.get(gate, "h") for gate in CELLS[e.cell].gates]
    for k, gate in enumerate(gates):
        block = slice(k * UNITS, (k + 1) * UNITS)
        for name, symbol in (("weight_ih", "W_i"), ("weight_hh", "W_h"), ("bias_ih", "b_i"), ("bias_hh", "b_h")):
            if f"{name}_l0" in state:
                found[symbol + gate] = state[f"{name}_l0"][block]
    for k, gate in enumerate("ifo"[: CELLS[e.cell].peepholes]):
        found[f"p_{gate}"] = state["weight_ch_l0"][k * UNITS : (k + 1) * UNITS]
    found["x"] = np.eye(10)[int(frame.inputs[t])]
    found |= {equations.LETTERS[name]: gate[0, 0, t].astype(float) for name, gate in frame.gates.items()}
    for symbol, states in (("h", frame.hidden), ("c", frame.cell)):
        if states is not None:
            found[symbol] = states[0, 0, t].astype(float)
            found[f"{symbol}_before"] = states[0, 0, t - 1].astype(float) if t else np.zeros(UNITS)
    return found


def to_python(latex: str) -> str:
    """A right-hand side as Python: products of a matrix and a vector, and products unit by unit."""
    code = latex.replace("_{t-1}", "_before").replace("_t", "").replace(r"\odot", "*").replace(r"\mathrm{ReLU}", "ReLU")
    code = re.sub(r"([Wb])_\{(\w+)\}", r"\1_\2", code.replace("\\sigma", "sigma").replace("\\tanh", "tanh"))
    return re.sub(r"(W_\w+) (\w+)", r"(\1 @ \2)", code)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_every_displayed_equation_holds(cell, nonlinearity):
    trainer, frame = trained(small(cell, nonlinearity))
    for t in range(STEPS):
        found = symbols(trainer, frame, t)
        for _, latex in equations.equations(trainer.experiment):
            left, right = latex.split(" = ")
            computed = eval(to_python(right), {"__builtins__": {}}, found)
            assert np.allclose(computed, found[left.removesuffix("_t")], atol=2e-6), latex


@pytest.mark.parametrize("cell", CELLS)
def test_every_gate_and_state_has_its_equation_and_every_cell_its_note(cell):
    shown = [latex[0] for _, latex in equations.equations(small(cell))]
    gates = [equations.LETTERS[gate] for gate in CELLS[cell].gates if gate != "hidden"]
    assert sorted(shown) == sorted([*gates, *("hc" if CELLS[cell].has_cell_state else "h")])
    assert all(each.endswith(".") for each in equations.remarks(small(cell)))


def test_what_stands_for_the_input_is_said():
    said = " ".join(equations.remarks(small("feedforward", window=3, num_layers=2)))
    assert "the last 3 inputs" in said and "layer below" in said
    assert "second chain" in " ".join(equations.remarks(small("gru", bidirectional=True)))


# ---- the numbers of now


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_both_sides_of_a_worked_equation_agree(cell, nonlinearity):
    trainer, frame = trained(small(cell, nonlinearity, num_layers=2))
    for t in range(STEPS):
        for unit in range(UNITS):
            found = equations.values(trainer.info, frame, unit, t)
            assert found["h_t"] == frame.hidden[-1, 0, t, unit] and ("h_{t-1}" in found) == (cell != "feedforward")
            rows = [row for row in equations.checks(trainer.info, found) if row.recorded is not None]
            assert [row.computed for row in rows] == pytest.approx([row.recorded for row in rows], abs=2e-6)
            recorded = [gate[-1, 0, t, unit] for gate in frame.gates.values()] + [frame.hidden[-1, 0, t, unit]]
            recorded += [frame.cell[-1, 0, t, unit]] if frame.cell is not None else []
            assert sorted(row.recorded for row in rows) == sorted(recorded)


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_what_is_written_with_numbers_holds(cell, nonlinearity):
    trainer, frame = trained(small(cell, nonlinearity))
    known = symbols(trainer, frame, 2)
    functions = {name: known[name] for name in ("sigma", "tanh", "ReLU")}
    for row in equations.checks(trainer.info, equations.values(trainer.info, frame, 1, 2)):
        _, *middle = row.latex.split(" = ")
        if row.recorded is not None:
            assert not re.search(r"[Wbpxhcfiogrzn]_", "".join(middle)), row.latex  # every symbol has its number
            for side in middle:
                code = to_python(side).replace(r"\times", "*").replace(r" \cdot 10^{", "e").replace("}", "")
                assert eval(code, {"__builtins__": {}}, functions) == pytest.approx(row.recorded, abs=4e-3), row.latex


def test_the_terms_of_a_plain_cell_are_those_of_its_weights():
    trainer, frame = trained(small("rnn"))
    known, unit, t = symbols(trainer, frame, 3), 2, 3
    found = equations.values(trainer.info, frame, unit, t)
    assert found["W_{ih} x_t"] == pytest.approx((known["W_ih"] @ known["x"])[unit])
    assert found["W_{hh} h_{t-1}"] == pytest.approx((known["W_hh"] @ known["h_before"])[unit])
    assert (found["b_{ih}"], found["b_{hh}"]) == (known["b_ih"][unit], known["b_hh"][unit])
    row, _ = equations.checks(trainer.info, found)
    terms = [found[each] for each in ("W_{ih} x_t", "b_{ih}", "W_{hh} h_{t-1}", "b_{hh}")]
    written = " + ".join(f"({each:.3f})" if each < 0 else f"{each:.3f}" for each in terms)
    assert row.latex == rf"h_t = \tanh({written}) = \tanh({sum(terms):.3f})"


@pytest.mark.parametrize(
    ("nonlinearity", "h", "slope"),
    [("tanh", -0.5, 0.75), ("relu", 2.0, 1), ("relu", 0.0, 0), ("sigmoid", 0.25, 0.1875), ("identity", 9.0, 1)],
)
def test_a_cell_without_gates_shows_its_slope(nonlinearity, h, slope):
    terms = dict.fromkeys(("W_{ih} x_t", "b_{ih}", "W_{hh} h_{t-1}", "b_{hh}"), 0.1)
    *_, row = equations.checks(RunInfo.of(small("rnn", nonlinearity)), {**terms, "h_{t-1}": 0.1, "h_t": h})
    assert row.computed == slope and row.recorded is None


def test_a_worked_equation_reads_as_a_sentence():
    found = {"i_t": 0.412, "f_t": 0.953, "g_t": -0.31, "o_t": 0.5, "c_{t-1}": 0.12, "c_t": -0.01336, "h_{t-1}": 0.0,
             "h_t": -0.00668}  # fmt: skip
    for gate in "ifgo":
        found |= {f"W_{{i{gate}}} x_t": 0.25, f"b_{{i{gate}}}": 0.0, f"b_{{h{gate}}}": -0.5}
        found[f"W_{{h{gate}}} h_{{t-1}}"] = 2e-5
    enters, *_, keeps, shows = equations.checks(RunInfo.of(small("lstm")), found)
    assert equations.worked(enters) == (
        "input gate, recorded: $0.412$  \n"
        + r"$i_t = \sigma(0.250 + 0.000 + (2.00 \cdot 10^{-5}) + (-0.500)) = \sigma(-0.250) = 0.438$"
    )
    assert equations.worked(keeps) == (
        "cell state, recorded: $-0.013$  \n" + r"$c_t = 0.953 \times 0.120 + 0.412 \times (-0.310) = -0.013$"
    )
    assert r"h_t = 0.500 \times \tanh(-0.013) = -0.007$" in equations.worked(shows)


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0.000"), (-0.12345, "-0.123"), (2.5e-5, r"2.50 \cdot 10^{-5}"), (-3e7, r"-3.00 \cdot 10^{7}"),
     (float("nan"), r"\text{not finite}")],
)  # fmt: skip
def test_numbers_are_short(value, said):
    assert equations.number(value) == said


def test_a_decoder_begins_where_the_encoder_ended():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="gru", hidden_size=UNITS, seq_len=6, batch_size=2)
    for seed in range(12):  # until the drawn sequence is shorter than the longest
        trainer, frame = trained(e.replace(seed=seed))
        info, start = trainer.info, trainer.info.encoder_steps
        if not frame.valid[start - 1]:
            break
    ends = int(frame.valid[:start].sum()) - 1
    assert ends < start - 1 and equations.step_before(info, frame, start) == ends
    assert equations.values(info, frame, 1, start)["h_{t-1}"] == frame.hidden[-1, 0, ends, 1]
    for t in np.flatnonzero(frame.valid):
        for row in equations.checks(info, equations.values(info, frame, 0, int(t))):
            assert row.computed == pytest.approx(row.recorded, abs=2e-6)
    assert equations.read(info, frame, start) == "nothing yet"
    assert equations.read(info, frame, start + 1) == f"`{info.output_labels[frame.inputs[start + 1]]}`"


def test_what_was_read_is_said_in_words():
    trainer, frame = trained(small("gru"))
    assert equations.read(trainer.info, frame, 2) == f"`{int(frame.inputs[2])}`"
    trainer, frame = trained(Experiment(task="adding", seq_len=4, hidden_size=2, batch_size=2))
    assert re.fullmatch(r"number [\d.]+, mark [01]", equations.read(trainer.info, frame, 1))
    assert equations.when(trainer.info, frame, 1, 1).startswith(
        "After 1 update, unit 1. Read at t\u00a0=\u00a01: number"
    )


# ---- what is learned


@pytest.mark.parametrize("changes", [{}, {"num_layers": 2, "bidirectional": True}, {"embedding_size": 4}], ids=str)
@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "feedforward"])
def test_the_table_counts_every_number_once(cell, changes):
    e = small(cell, **changes)
    columns = weights.table(e)
    *counts, total = [int(each.replace(",", "")) for each in columns["Numbers"]]
    assert sum(counts) == total == parameter_count(e)
    assert len({len(column) for column in columns.values()}) == 1


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_every_symbol_of_the_equations_has_a_row_and_every_row_its_tensor(cell, nonlinearity):
    trainer, _ = trained(small(cell, nonlinearity))
    columns = weights.table(trainer.experiment)
    listed = " ".join(columns["Symbol"])
    shown_in = "".join(latex for _, latex in equations.equations(trainer.experiment))
    used = set(re.findall(r"[Wb]_\{\w+\}|p_\w", shown_in))
    assert used == set(re.findall(r"[Wb]_\{\w+\}|p_\w", listed))
    names = next(column for title, column in columns.items() if title in (weights.IN_PYTORCH, weights.AS_PYTORCH))
    shapes = {name: list(tensor.shape) for name, tensor in trainer.model.named_parameters()}
    rows = list(zip(names[:-1], columns["Shape"][:-1], strict=True))
    assert [(f"`{name}`", [str(each) for each in shape]) for name, shape in shapes.items()] == [
        (name, shape.split("\u00a0×\u00a0")) for name, shape in rows
    ]
    ours = type(trainer.model.recurrent).__module__.startswith("engine")
    assert (weights.AS_PYTORCH in columns) == ours
    said = " ".join(weights.sentences(trainer.experiment))
    assert ("PyTorch has no such cell" in said) == ours and ("PyTorch keeps two vectors" in said) == (not ours)
    assert ("$p_i$, $p_f$ and $p_o$ stand in" in said) == (cell == "lstm_peephole")


def test_the_symbols_of_a_row_stand_in_the_order_of_its_blocks():
    columns = weights.table(small("gru"))
    assert columns["Symbol"][:4] == [
        "$W_{ir}$ $W_{iz}$ $W_{in}$", "$W_{hr}$ $W_{hz}$ $W_{hn}$", "$b_{ir}$ $b_{iz}$ $b_{in}$",
        "$b_{hr}$ $b_{hz}$ $b_{hn}$",
    ]  # fmt: skip
    assert columns["Textbook"] == ["$W_x$", "$W_h$", "$b$", "$b$", "$W_y$", "$b_y$", ""]


@pytest.mark.parametrize(
    ("experiment", "said"),
    [
        (small("lstm"), "all 5 time steps. A network with weights of its own at every time step would need 5 times as "
         "many recurrent weights: 180 instead of 36."),
        (small("feedforward"), "None of them links a time step to the one before."),
        (Experiment(task="digits", rnn_type="one_to_one"), "one time step only"),
        (Experiment(task="reverse", rnn_type="encoder_decoder", cell="rnn", hidden_size=2, seq_len=6), "instead of 8."),
    ],
    ids=["shared", "no links", "one step", "two networks"],
)  # fmt: skip
def test_what_sharing_saves_is_said(experiment, said):
    assert said in weights.sharing(experiment)


def test_the_two_halves_of_an_encoder_decoder_are_counted_by_their_own_steps():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="rnn", hidden_size=2, seq_len=6)
    assert f"need {4 * e.time_steps:,} recurrent weights" in weights.sharing(e)


# ---- what a time step costs


def test_a_cell_is_measured_beside_a_plain_one_at_every_length():
    planned = cost.plan(Experiment(cell="gru", hidden_size=8, num_layers=2))
    assert sorted(planned.experiments) == [(kind, n) for kind in ("plain", "this") for n in (25, 100, 400)]
    assert planned.left_out == ()
    assert {each.cell for (kind, _), each in planned.experiments.items() if kind == "plain"} == {"rnn"}
    assert {(each.hidden_size, each.num_layers, each.task) for each in planned.experiments.values()} == {
        (8, 2, "adding")
    }


def test_what_is_too_large_is_left_out_for_both():
    planned = cost.plan(Experiment(cell="lstm", hidden_size=512, batch_size=1))
    assert 400 in planned.left_out and {n for _, n in planned.experiments} == {25, 100, 400} - set(planned.left_out)


def test_a_plain_network_is_measured_alone_and_compared_with_nothing():
    e = Experiment(cell="rnn", hidden_size=8)
    assert len(cost.plan(e).experiments) == 3
    medians = {("this", 25): 0.0021, ("this", 100): 0.008, ("this", 400): 0.031}
    assert cost.sentences(e, medians) == [
        "25 → 2.1 ms, 100 → 8.0 ms, 400 → 31 ms: each time step waits for the one before."
    ]
    assert cost.table(e, medians) == {"Time steps": ["25", "100", "400"], "RNN, ms per update": ["2.1", "8.0", "31"]}


def test_it_is_said_where_pytorch_itself_favours_a_cell():
    said = cost.sentences(Experiment(cell="lstm"), {("this", 25): 0.01, ("plain", 25): 0.01})
    assert said[-1] == cost.ONE_DNN and "oneDNN" in said[-1]


def test_the_ratio_is_that_of_a_step_at_the_greatest_length():
    e = Experiment(cell="gru_simple", hidden_size=8)
    _, ratio, python = cost.sentences(e, {("this", 100): 0.03, ("plain", 100): 0.01})
    assert (
        ratio == "At 100 time steps, each costs 3.0 times a plain RNN's; the matrices hold 2.0 times as many numbers."
    )
    assert python.startswith("PyTorch has no such cell")
    assert (
        "no time step waits" in cost.sentences(Experiment(cell="feedforward"), {("this", 25): 1, ("plain", 25): 2})[0]
    )


# ---- the card


def unfolded(**link: str) -> Any:
    page = opened(**link)
    page.session_state["equations"] = True
    return run(page)


def shown(page: Any) -> str:
    return "\n".join(each.value for kind in (page.markdown, page.caption, page.info, page.warning) for each in kind)


@pytest.mark.parametrize("cell", CELLS)
def test_the_card_shows_the_equations_of_the_cell(pool, cell):
    page = unfolded(cell=cell)
    ending = " cell" if cell == "feedforward" else ""
    assert f"**Equations of the {CELLS[cell].title}{ending}**" in shown(page)
    assert all(f"${latex}$" in shown(page) for _, latex in equations.equations(pool.runs[0].experiment))


def test_the_card_stays_the_same_when_the_cell_is_changed(pool):
    """Streamlit knows by its id that a card is open: with another id it would fold."""
    page = opened()
    before = [each.proto.id for each in page.expander if each.label == equations.CARD]
    page = move(page, "cell", "gru")
    assert [run.experiment.cell for run in pool.runs] == ["rnn", "gru"]
    assert [each.proto.id for each in page.expander if each.label == equations.CARD] == before != []


def test_folded_it_makes_nothing(pool):
    assert "W_{ih}" not in shown(opened())


def test_the_numbers_come_when_asked_and_stay_those_of_that_moment(pool):
    page = unfolded()
    assert equations.HOW_TO in shown(page)
    page = press(page, "equations_now")
    assert equations.NO_FRAME in shown(page)
    e = pool.runs[0].experiment
    pool.runs[0].frame = Trainer(e).frame()
    page = press(page, "equations_now")
    assert f"After 0 updates, unit 0. Read at t\u00a0=\u00a01: `{pool.runs[0].frame.inputs[1]}`." in shown(page)
    page.number_input(key=f"equations_t_{e.seq_len}").set_value(7)
    assert "Read at t\u00a0=\u00a07" in shown(run(page))


def test_a_padded_step_has_no_numbers(pool):
    page = unfolded()
    frame = Trainer(pool.runs[0].experiment).frame()
    pool.runs[0].frame = dataclasses.replace(frame, valid=np.arange(len(frame.valid)) < 1)
    assert "t = 1 is padding" in shown(press(page, "equations_now"))


def test_a_measurement_is_watched_and_then_said(pool, monkeypatch):
    page = unfolded(cell="gru", hidden_size="8")
    planned = cost.plan(pool.runs[0].experiment)
    measurement = Measurement(0, tuple(planned.experiments.values()), 15)
    monkeypatch.setattr(type(pool), "measure", lambda self, experiments: measurement, raising=False)
    page = press(page, "measure")
    assert page.button(key="measure").disabled and page.button(key="measure_stop")
    measurement.result = (0.002, 0.001) * 3
    page = run(page)
    assert "At 400 time steps, each costs 2.0 times" in shown(page) and "Median of 15 updates" in shown(page)
    assert not page.button(key="measure").disabled


def test_a_measurement_that_failed_says_why(pool, monkeypatch):
    page = unfolded(cell="lstm", hidden_size="8")
    measurement = Measurement(0, (), 15)
    measurement.error = "The worker process that measured has died, so there is no result."
    monkeypatch.setattr(type(pool), "measure", lambda self, experiments: measurement, raising=False)
    assert measurement.error in shown(press(page, "measure"))


def test_a_tab_that_has_gone_waits_for_no_measurement(monkeypatch):
    stopped = []
    monkeypatch.setattr(Measurement, "stop", lambda self: stopped.append(self))
    card_state = view.EquationsState(measurement=Measurement(0, (), 1))
    card_state.clear()
    view.EquationsState().clear()
    assert stopped == [card_state.measurement]
