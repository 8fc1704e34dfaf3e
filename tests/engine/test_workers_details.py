"""Readings that cost much are taken when somebody asks for them, not more often, and of the very step that is shown."""

from __future__ import annotations

import pytest

from engine.experiment import Experiment
from engine.workers.protocol import Open
from engine.workers.seat import DETAILS_EVERY, Seat
from tests.engine.test_workers import frame_of, pool, wait_for  # noqa: F401

MANY = Experiment(task="xor", rnn_type="many_to_many", hidden_size=4, seq_len=6, batch_size=4)
WANTED = ["decomposition"]


@pytest.fixture
def seat() -> Seat:
    seat = Seat(Open(1, MANY.to_dict(), paused=True, speed=None, checkpoint=None))
    seat.frame(0.0)
    return seat


def test_a_frame_has_no_details_unless_somebody_asks(seat):
    seat.look()
    seat.changed = True
    assert seat.frame(10.0).details == frozenset()


def test_details_are_taken_at_most_once_a_second(seat):
    taken = []
    for now in (10.0, 10.2, 10.9, 11.5):
        seat.look(WANTED)
        seat.trainer.advance()
        seat.changed = True
        taken.append(bool(seat.frame(now).details))
    assert taken == [True, False, False, True] and DETAILS_EVERY == 1.0


def test_a_run_that_stands_still_owes_the_details_of_its_last_step_once(seat):
    seat.look(WANTED)
    seat.changed = True
    seat.frame(10.0)
    seat.trainer.advance()
    seat.changed = True
    seat.look(WANTED)
    assert seat.frame(10.3).details == frozenset()
    assert seat.frame_time() == seat.details_due > 10.3
    frame = seat.frame(seat.details_due)
    assert frame.details == {"decomposition"} and frame.step == 1
    assert seat.frame_time() is None
    seat.look(WANTED)
    assert seat.frame_time() is None


def test_a_run_that_trains_owes_nothing_that_nobody_asked_for_again(seat):
    seat.look(WANTED)
    seat.changed = True
    seat.frame(10.0)
    seat.look(WANTED)
    seat.trainer.advance()
    seat.changed = True
    seat.frame(10.3)
    seat.trainer.advance()
    seat.changed = True
    assert seat.frame_time() is None


def test_what_the_network_has_not_is_asked_for_in_vain_and_only_once():
    """One loss cannot be taken apart: the detail stays None, and the worker does not try for ever."""
    one = Experiment(task="adding", hidden_size=4, seq_len=6, batch_size=4)
    seat = Seat(Open(1, one.to_dict(), paused=True, speed=None, checkpoint=None))
    seat.look(WANTED)
    assert seat.frame(10.0).details == frozenset()
    seat.look(WANTED)
    assert seat.frame_time() is None


def test_details_cross_to_the_pool_without_a_step(pool):  # noqa: F811
    run = pool.submit(MANY, paused=True)
    assert frame_of(run).details == frozenset()
    wait_for(lambda: (frame := run.latest(WANTED)) is not None and frame.details)
    frame = run.latest()
    assert frame is not None and frame.step == 0 and frame.decomposition is not None
    assert not frame.decomposition.norms.flags.writeable
    run.stop()


def test_two_who_look_at_different_things_get_both(pool):  # noqa: F811
    run = pool.submit(MANY, paused=True)
    frame_of(run)
    wait_for(lambda: run.latest() is not None and run.latest(WANTED).details)
    run.stop()


def test_updates_that_were_asked_for_are_reported_without_anybody_looking(pool):  # noqa: F811
    run = pool.submit(MANY, paused=True)
    frame_of(run)
    run.advance(3)
    wait_for(lambda: run.status().step == 3)
    run.stop()
