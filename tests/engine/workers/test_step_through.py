"""Walks and repeated numbers asked of a run in a real worker process, beside questions and training."""

from __future__ import annotations

import os
import signal

import numpy as np

from engine.ask.question import Question
from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.step_through.sequence_trace import SequenceTrace
from engine.step_through.verification_result import CENTRAL_DIFFERENCES, StateEntry, Verification, WeightEntry
from engine.training import Trainer
from engine.workers import ANSWER, SEQUENCE_TRACE, VERIFICATION, Pool, Run
from engine.workers.protocol import REQUEST_KINDS
from engine.workers.requests import trace_sequence, verify_entry
from tests.engine.workers.conftest import frame_of, wait_for

SMALL = Experiment(task="characters", rnn_type="many_to_many", cell="lstm", hidden_size=4, seq_len=6, batch_size=4,
                   num_layers=2, steps=1_000_000)  # fmt: skip
CLAIM = StateEntry(state="c", layer=0, position=3, unit=2)


def trace_of(run: Run, layer: int = -1) -> SequenceTrace:
    run.request(SEQUENCE_TRACE, layer=layer)
    wait_for(lambda: not run.is_pending(SEQUENCE_TRACE))
    assert run.problem(SEQUENCE_TRACE) == "" and run.result(SEQUENCE_TRACE) is not None
    return run.result(SEQUENCE_TRACE)


def verification_of(run: Run, what: StateEntry | WeightEntry = CLAIM) -> Verification:
    run.request(VERIFICATION, entry=what)
    wait_for(lambda: not run.is_pending(VERIFICATION))
    assert run.problem(VERIFICATION) == "" and run.result(VERIFICATION) is not None
    return run.result(VERIFICATION)


def test_a_walk_and_a_verification_are_the_trainers_own(pool):
    run, alone = pool.submit(SMALL, paused=True), Trainer(SMALL)
    for kind in (SEQUENCE_TRACE, VERIFICATION):
        assert run.result(kind) is None and not run.is_pending(kind)
    frame_of(run)
    run.advance(9)
    for _ in range(9):
        alone.advance()
    frame_of(run, lambda frame: frame.step == 9)
    trace, wanted = trace_of(run, 0), trace_sequence(alone, 0)
    assert trace.step == 9 and trace.layer == 0
    for name in ("hidden", "grad", "grad_cell", "jacobians", "weight_hh", "positions"):
        assert np.array_equal(getattr(trace, name), getattr(wanted, name)), name
    assert not trace.grad.flags.writeable and run.status().phase == RunPhase.PAUSED
    verification = verification_of(run)
    assert verification == verify_entry(alone, CLAIM) and verification.step == 9
    assert verification.value == trace.number(CLAIM) and verification.method == CENTRAL_DIFFERENCES
    run.stop()


def test_all_three_can_be_asked_at_once_and_the_newest_of_each_counts(pool):
    run = pool.submit(SMALL)
    frame_of(run, lambda frame: frame.step > 3)
    earlier = trace_of(run)
    for layer in (1, 0, 1, 0):
        run.request(SEQUENCE_TRACE, layer=layer)
    for unit in (0, 1, 3):
        run.request(VERIFICATION, entry=WeightEntry(row=unit, column=0))
    run.request(ANSWER, question=Question(text="oh dear"))
    assert run.result(SEQUENCE_TRACE) is earlier and run.waited > 0
    wait_for(lambda: not any(map(run.is_pending, REQUEST_KINDS)))
    assert run.result(SEQUENCE_TRACE).layer == 0 and run.result(VERIFICATION).what.row == 3
    assert run.result(ANSWER).question.text == "oh dear"
    assert run.result(SEQUENCE_TRACE).step >= earlier.step and run.waited == 0
    assert not any(map(run.problem, REQUEST_KINDS))
    reached = run.status().step
    wait_for(lambda: run.status().step > reached)
    run.stop()


def test_what_is_not_there_is_said_and_what_was_found_stays(pool):
    run = pool.submit(SMALL)
    trace, verification = trace_of(run), verification_of(run)
    run.request(SEQUENCE_TRACE, layer=2)
    run.request(VERIFICATION, entry=StateEntry(position=9, unit=0))
    wait_for(lambda: not any(map(run.is_pending, REQUEST_KINDS)))
    assert run.problem(SEQUENCE_TRACE).startswith("There is no layer 2") and run.result(SEQUENCE_TRACE) is trace
    assert (
        run.problem(VERIFICATION).startswith("There is no step at t = 9") and run.result(VERIFICATION) is verification
    )
    assert run.problem(ANSWER) == "" and run.status().phase == RunPhase.RUNNING
    assert trace_of(run).step > trace.step
    run.stop()
    run.request(SEQUENCE_TRACE)
    assert not run.is_pending(SEQUENCE_TRACE) and "has ended" in run.problem(SEQUENCE_TRACE)
    assert run.problem(VERIFICATION).startswith("There is no step")


def test_requests_outlive_a_worker_that_does_not_answer_them():
    """It is replaced though nobody trains: somebody waits."""
    pool = Pool(1)
    run = pool.submit(SMALL, paused=True)
    verification_of(run)  # asked before torch was loaded
    (old,) = pool.pids
    os.kill(old, signal.SIGSTOP)
    run.request(SEQUENCE_TRACE, layer=1)
    run.request(VERIFICATION, entry=WeightEntry(row=1, column=1))
    assert run.is_pending(SEQUENCE_TRACE) and run.is_pending(VERIFICATION)
    wait_for(lambda: not any(map(run.is_pending, REQUEST_KINDS)))
    assert run.result(SEQUENCE_TRACE).layer == 1 and pool.pids != [old]
    assert run.result(VERIFICATION).what == WeightEntry(row=1, column=1)
    assert not any(map(run.problem, REQUEST_KINDS))
    pool.shutdown()
