"""Asking a run in a real worker process: it answers while it trains, while it waits, and after its worker died."""

from __future__ import annotations

import os
import signal

import numpy as np

from engine.ask.question import Answer, Question
from engine.experiment import Experiment
from engine.frame import RunPhase
from engine.intervention.intervention import HoldGate
from engine.training import Trainer
from engine.workers import ANSWER, CHANGED_FRAME, TYPED_FRAME, Pool, Run
from engine.workers.protocol import REQUEST_KINDS
from engine.workers.requests import HANDLERS, answer_question
from tests.engine.workers.conftest import frame_of, wait_for

SMALL = Experiment(task="characters", rnn_type="many_to_many", hidden_size=4, seq_len=6, batch_size=4, steps=1_000_000)
QUESTION = Question(text="oh dear", steps=12, temperature=0.8, seed=5)


def answer_of(run: Run, question: Question) -> Answer:
    run.request(ANSWER, question=question)
    wait_for(lambda: not run.is_pending(ANSWER))
    assert run.problem(ANSWER) == "" and run.result(ANSWER) is not None
    return run.result(ANSWER)


def test_every_kind_of_request_has_a_function_that_answers_it():
    assert HANDLERS.keys() == set(REQUEST_KINDS) and len({kind.name for kind in REQUEST_KINDS}) == len(REQUEST_KINDS)


def test_the_answer_is_the_trainers_own(pool):
    run, alone = pool.submit(SMALL, paused=True), Trainer(SMALL)
    frame_of(run)
    run.advance(9)
    for _ in range(9):
        alone.advance()
    frame_of(run, lambda frame: frame.step == 9)
    assert run.result(ANSWER) is None and not run.is_pending(ANSWER)
    answer, wanted = answer_of(run, QUESTION), answer_question(alone, QUESTION)
    assert answer.step == 9 and answer.question == QUESTION and answer.targets is None and answer.future is None
    for name in ("inputs", "counted", "outputs", "generated", "generated_outputs"):
        assert np.array_equal(getattr(answer, name), getattr(wanted, name)), name
    assert not answer.outputs.flags.writeable and run.status().phase == RunPhase.PAUSED
    run.stop()


def test_it_answers_while_it_trains_and_the_newest_question_counts(pool):
    run = pool.submit(SMALL)
    frame_of(run, lambda frame: frame.step > 3)
    first = answer_of(run, QUESTION)
    wait_for(lambda: run.status().step > first.step + 20)
    for seed in range(4):
        run.request(ANSWER, question=Question(example=seed))
    assert run.result(ANSWER) is first
    wait_for(lambda: not run.is_pending(ANSWER))
    assert run.result(ANSWER).question.example == 3 and run.result(ANSWER).step > first.step
    run.stop()


def test_what_cannot_be_answered_is_said_and_training_goes_on(pool):
    run = pool.submit(SMALL)
    answer = answer_of(run, QUESTION)
    run.request(ANSWER, question=Question(text="x" * 201))
    wait_for(lambda: not run.is_pending(ANSWER))
    assert run.problem(ANSWER).startswith("From 1 to 200 characters can be read") and run.result(ANSWER) is answer
    reached = run.status().step
    wait_for(lambda: run.status().step > reached)
    answer_of(run, Question(example=1))
    run.stop()
    run.request(ANSWER, question=QUESTION)
    assert not run.is_pending(ANSWER) and "has ended" in run.problem(ANSWER)


def test_a_run_that_cannot_start_keeps_nobody_waiting(pool):
    run = pool.submit(SMALL.replace(device="cuda"))
    run.request(ANSWER, question=QUESTION)
    wait_for(lambda: not run.is_pending(ANSWER))
    assert run.result(ANSWER) is not None or "has ended" in run.problem(ANSWER)  # a machine with CUDA answers


def test_a_question_outlives_the_worker_that_was_asked():
    pool = Pool(1)
    run = pool.submit(SMALL, paused=True)
    answer_of(run, QUESTION)  # asked before torch was loaded
    (old,) = pool.pids
    os.kill(old, signal.SIGSTOP)
    run.request(ANSWER, question=Question(example=2))
    assert run.is_pending(ANSWER)
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: not run.is_pending(ANSWER))
    assert run.result(ANSWER).question.example == 2 and run.problem(ANSWER) == "" and pool.pids != [old]
    pool.shutdown()


def test_a_worker_that_does_not_answer_is_replaced():
    """Though nobody trains, and silence alone would be no reason."""
    pool = Pool(1)
    run = pool.submit(SMALL, paused=True)
    answer_of(run, QUESTION)
    (old,) = pool.pids
    os.kill(old, signal.SIGSTOP)
    run.request(ANSWER, question=Question(example=2))
    wait_for(lambda: not run.is_pending(ANSWER))
    assert run.result(ANSWER).question.example == 2 and pool.pids != [old]
    pool.shutdown()


def test_a_frame_of_a_typed_sentence_is_the_trainers_own(pool):
    run, alone = pool.submit(SMALL, paused=True), Trainer(SMALL)
    frame_of(run)
    run.request(TYPED_FRAME, changes={2: "q"})
    wait_for(lambda: not run.is_pending(TYPED_FRAME))
    typed, wanted = run.result(TYPED_FRAME), alone.typed_frame({2: "q"})
    assert run.problem(TYPED_FRAME) == "" and np.array_equal(typed.targets_known, wanted.targets_known)
    for name in ("inputs", "hidden", "targets", "relative"):
        assert np.array_equal(getattr(typed.frame, name), getattr(wanted.frame, name)), name
    assert not typed.frame.hidden.flags.writeable
    run.request(TYPED_FRAME, changes={9: "q"})
    wait_for(lambda: not run.is_pending(TYPED_FRAME))
    assert run.problem(TYPED_FRAME).startswith("Only the sequence can be changed") and run.result(TYPED_FRAME) is typed
    run.stop()


def test_a_frame_of_a_changed_network_is_the_trainers_own(pool):
    run, alone = pool.submit(SMALL, paused=True), Trainer(SMALL)
    frame_of(run)
    held = [HoldGate(layer=0, gate=run.info.gates[0], value=0.0)]
    run.request(CHANGED_FRAME, interventions=held)
    wait_for(lambda: not run.is_pending(CHANGED_FRAME))
    result, wanted = run.result(CHANGED_FRAME), alone.changed_frame(held)
    assert run.problem(CHANGED_FRAME) == "" and result.interventions == tuple(held)
    for name in ("hidden", "outputs", "relative"):
        assert np.array_equal(getattr(result.frame, name), getattr(wanted.frame, name)), name
        assert np.array_equal(getattr(result.untouched, name), getattr(wanted.untouched, name)), name
    run.request(CHANGED_FRAME, interventions=[HoldGate(layer=5, gate=run.info.gates[0], value=0.0)])
    wait_for(lambda: not run.is_pending(CHANGED_FRAME))
    assert run.problem(CHANGED_FRAME) == "layer of hold_gate must be 0, the only one, but got 5."
    run.stop()
