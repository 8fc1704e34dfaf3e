"""What a cell learns, as a table."""

from __future__ import annotations

import re

import pytest

from app.equations import formulas, parameter_table
from engine.cells import CELLS
from engine.experiment import Experiment
from engine.parameters import parameter_count
from tests.app.equations.conftest import KINDS, small, trained


@pytest.mark.parametrize("changes", [{}, {"num_layers": 2, "bidirectional": True}, {"embedding_size": 4}], ids=str)
@pytest.mark.parametrize("cell", [cell for cell in CELLS if CELLS[cell].is_recurrent])
def test_the_table_counts_every_number_once(cell, changes):
    e = small(cell, **changes)
    columns = parameter_table.table(e)
    *counts, total = [int(each.replace(",", "")) for each in columns["Numbers"]]
    assert sum(counts) == total == parameter_count(e)
    assert len({len(column) for column in columns.values()}) == 1


@pytest.mark.parametrize(("cell", "nonlinearity"), KINDS)
def test_every_symbol_of_the_equations_has_a_row_and_every_row_its_tensor(cell, nonlinearity):
    trainer, _ = trained(small(cell, nonlinearity))
    columns = parameter_table.table(trainer.experiment)
    listed = " ".join(columns["Symbol"])
    shown_in = "".join(latex for _, latex in formulas.equations(trainer.experiment))
    symbol = r"[Wb]_\{\w+\}|p_\w|\bu\b"
    assert set(re.findall(symbol, shown_in)) == set(re.findall(symbol, listed))
    for vector in CELLS[cell].vectors:
        assert " ".join(f"${each}$" for each in vector.symbols) in columns["Symbol"]
    names = next(
        column for title, column in columns.items() if title in (parameter_table.IN_PYTORCH, parameter_table.AS_PYTORCH)
    )
    shapes = {name: list(tensor.shape) for name, tensor in trainer.model.named_parameters()}
    rows = list(zip(names[:-1], columns["Shape"][:-1], strict=True))
    assert [(f"`{name}`", [str(each) for each in shape]) for name, shape in shapes.items()] == [
        (name, shape.split("\u00a0×\u00a0")) for name, shape in rows
    ]
    ours = type(trainer.model.recurrent).__module__.startswith("engine")
    assert (parameter_table.AS_PYTORCH in columns) == ours
    text = " ".join(parameter_table.sentences(trainer.experiment))
    assert ("PyTorch has no such cell" in text) == ours and ("PyTorch stores two vectors" in text) == (not ours)
    two_biases = any("bias_hh" in name for name in shapes)
    assert (parameter_table.TWO_BIASES_HERE in text) == (ours and two_biases)
    assert ("contains $p_i$, $p_f$ and $p_o$ in this order" in text) == (cell == "lstm_peephole")


def test_vectors_of_the_same_form_share_a_sentence():
    text = " ".join(parameter_table.sentences(small("lstm_layer_norm")))
    assert "`gain_ih`, `shift_ih`, `gain_hh` and `shift_hh` contain their symbols in the order of the table" in text
    columns = parameter_table.table(small("lstm_layer_norm"))
    assert columns["Textbook"][:4] == ["$W_x$", "$W_h$", r"$\gamma$", r"$\beta$"]
    assert parameter_table.table(small("indrnn"))["Textbook"][:3] == ["$W_x$", "$b$", "$u$"]


def test_the_symbols_of_a_row_stand_in_the_order_of_its_blocks():
    columns = parameter_table.table(small("gru"))
    assert columns["Symbol"][:4] == [
        "$W_{ir}$ $W_{iz}$ $W_{in}$", "$W_{hr}$ $W_{hz}$ $W_{hn}$", "$b_{ir}$ $b_{iz}$ $b_{in}$",
        "$b_{hr}$ $b_{hz}$ $b_{hn}$",
    ]  # fmt: skip
    assert columns["Textbook"] == ["$W_x$", "$W_h$", "$b$", "$b$", "$W_y$", "$b_y$", ""]


@pytest.mark.parametrize(
    ("experiment", "text"),
    [
        (small("lstm"), "all 5 time steps. A network with different weights at every time step would need 5 times as "
         "many recurrent weights: 180 instead of 36."),
        (small("feedforward"), "None of them links a time step to the one before."),
        (small("indrnn"), "5 times as many recurrent weights: 15 instead of 3."),
        (small("linear"), "None of them is multiplied by the old state."),
        (Experiment(task="digits", rnn_type="one_to_one"), "only one time step"),
        (Experiment(task="reverse", rnn_type="encoder_decoder", cell="rnn", hidden_size=2, seq_len=6), "instead of 8."),
    ],
    ids=["shared", "no links", "a vector", "no weights", "one step", "two networks"],
)  # fmt: skip
def test_what_sharing_saves_is_said(experiment, text):
    assert text in parameter_table.sharing(experiment)


def test_the_two_halves_of_an_encoder_decoder_are_counted_by_their_own_steps():
    e = Experiment(task="reverse", rnn_type="encoder_decoder", cell="rnn", hidden_size=2, seq_len=6)
    assert f"need {4 * e.time_steps:,} recurrent weights" in parameter_table.sharing(e)
