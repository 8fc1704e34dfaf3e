"""What a time step of a cell costs, in words."""

from __future__ import annotations

from app.equations import update_cost
from engine.cells import CELLS
from engine.experiment import Experiment


def test_a_cell_is_measured_beside_a_plain_one_at_every_length():
    planned = update_cost.plan(Experiment(cell="gru", hidden_size=8, num_layers=2))
    assert sorted(planned.experiments) == [(kind, n) for kind in ("plain", "this") for n in (25, 100, 400)]
    assert planned.left_out == ()
    assert {each.cell for (kind, _), each in planned.experiments.items() if kind == "plain"} == {"rnn"}
    assert {(each.hidden_size, each.num_layers, each.task) for each in planned.experiments.values()} == {
        (8, 2, "adding")
    }


def test_what_is_too_large_is_left_out_for_both():
    planned = update_cost.plan(Experiment(cell="lstm", hidden_size=512, batch_size=1))
    assert 400 in planned.left_out and {n for _, n in planned.experiments} == {25, 100, 400} - set(planned.left_out)


def test_a_plain_network_is_measured_alone_and_compared_with_nothing():
    e = Experiment(cell="rnn", hidden_size=8)
    assert len(update_cost.plan(e).experiments) == 3
    medians = {("this", 25): 0.0021, ("this", 100): 0.008, ("this", 400): 0.031}
    assert update_cost.sentences(e, medians) == [
        "25 → 2.1 ms, 100 → 8.0 ms, 400 → 31 ms: each time step needs the result of the one before."
    ]
    assert update_cost.table(e, medians) == {
        "Time steps": ["25", "100", "400"],
        "RNN, ms per update": ["2.1", "8.0", "31"],
    }


def test_it_is_said_where_pytorch_itself_favours_a_cell():
    text = update_cost.sentences(Experiment(cell="lstm"), {("this", 25): 0.01, ("plain", 25): 0.01})
    assert text[-1] == CELLS["lstm"].cost_note and "oneDNN" in text[-1]
    assert [name for name, cell in CELLS.items() if cell.cost_note] == ["lstm"]


def test_the_ratio_is_that_of_a_step_at_the_greatest_length():
    e = Experiment(cell="gru_simple", hidden_size=8)
    _, ratio, python = update_cost.sentences(e, {("this", 100): 0.03, ("plain", 100): 0.01})
    assert (
        ratio == "At 100 time steps, each costs 3.0 times a plain RNN's; the matrices hold 2.0 times as many numbers."
    )
    assert python.startswith("PyTorch has no such cell")


def test_it_is_said_whether_a_step_must_wait_for_the_one_before():
    waits = {
        cell: update_cost.sentences(Experiment(cell=cell), {("this", 25): 1, ("plain", 25): 2})[0] for cell in CELLS
    }
    assert "no time step needs the result of another" in waits.pop("feedforward")
    parallel = {cell for cell, sentence in waits.items() if "all time steps can be computed in parallel" in sentence}
    assert parallel == {"linear", "linear_signed"}
    assert all("each time step needs the result" in waits[cell] for cell in set(waits) - parallel)


def test_another_activation_is_named():
    titles = [list(update_cost.table(Experiment(cell=cell, nonlinearity="relu"), {("this", 25): 1}))[1]
              for cell in ("rnn", "feedforward", "gru")]  # fmt: skip
    assert titles == ["RNN with relu, ms per update", "Feed-forward with relu, ms per update", "GRU, ms per update"]
