"""Whether all time steps of a cell can be computed at once, in words."""

from __future__ import annotations

from app.equations import parallel_time
from engine.cells import CELLS
from engine.experiment import Experiment

LINEAR = Experiment(task="adding", cell="linear", seq_len=200, batch_size=64, hidden_size=32)


def test_only_a_cell_that_is_linear_in_its_state_is_measured():
    reasons = {cell: parallel_time.why_not(Experiment(cell=cell)) for cell in CELLS}
    assert {cell for cell, reason in reasons.items() if not reason} == {"linear", "linear_signed"}
    assert reasons.pop("feedforward") == parallel_time.NO_STATE
    assert set(reasons.values()) == {"", parallel_time.NOT_LINEAR}
    assert parallel_time.why_not(Experiment(cell="rnn", nonlinearity="identity")) == parallel_time.IDENTITY


def test_the_networks_own_row_and_a_narrow_one_are_measured():
    planned = parallel_time.plan(LINEAR)
    assert planned.lengths == {(64, 32): (64, 256, 1024, 4096), (1, 16): (64, 256, 1024, 4096)}
    assert planned.shapes[:2] == [(64, 64, 32), (256, 64, 32)] and planned.left_out == ()
    assert list(parallel_time.plan(LINEAR.replace(batch_size=1, hidden_size=16)).lengths) == [(1, 16)]


def test_what_is_too_large_is_left_out():
    planned = parallel_time.plan(LINEAR.replace(hidden_size=128))
    assert planned.left_out == (4096,) and planned.lengths[1, 16] == parallel_time.LENGTHS
    assert all(steps * batch * hidden <= parallel_time.MAX_NUMBERS for steps, batch, hidden in planned.shapes)


def test_a_row_that_is_too_wide_for_every_length_is_left_out():
    planned = parallel_time.plan(LINEAR.replace(batch_size=512, hidden_size=512, seq_len=5))
    assert list(planned.lengths) == [(1, 16)] and planned.left_out == parallel_time.LENGTHS
    assert len(parallel_time.sentences(planned, [0.001, 0.002] * 4)) == 1


def test_medians_come_back_by_row_and_way():
    planned = parallel_time.plan(LINEAR)
    times = planned.milliseconds([number / 1000 for number in range(16)])
    assert times[64, 32] == ([0, 2, 4, 6], [1, 3, 5, 7]) and times[1, 16] == ([8, 10, 12, 14], [9, 11, 13, 15])


def test_it_is_said_which_way_is_faster_also_where_it_is_the_loop():
    planned = parallel_time.plan(LINEAR)
    medians = [0.001, 0.001] * 3 + [0.050, 0.100] + [0.001, 0.001] * 3 + [0.020, 0.001]
    own, narrow = parallel_time.sentences(planned, medians)
    assert own == "64 × 32 numbers a step, T = 4,096: the **loop** is 2.0 times as fast."
    assert "the **scan** is 20.0 times as fast" in narrow
    assert "both take about as long" in parallel_time.sentences(planned, [0.001] * 16)[0]


def test_steps_that_wait_are_counted():
    assert parallel_time.depths() == ([64, 256, 1024, 4096], [12, 16, 20, 24])


def test_the_way_that_this_network_takes_is_said_where_it_takes_one():
    assert parallel_time.taken(LINEAR) == (
        "This network is trained with the **scan**: 200 time steps of 64 × 32 numbers."
    )
    assert "**loop**" in parallel_time.taken(LINEAR.replace(hidden_size=128))
    assert "**loop**" in parallel_time.taken(LINEAR.replace(seq_len=20))
    assert parallel_time.taken(LINEAR.replace(tbptt=50)) == ""


def test_titles_name_the_row():
    assert parallel_time.times_title((64, 32), own=True) == "Milliseconds, 64 × 32 (this network)"
    assert parallel_time.times_title((1, 16), own=False) == "Milliseconds, 1 × 16"
