"""Readings that cost much are taken when somebody asks for them, not more often, and of the very step that is shown."""

from __future__ import annotations

import pytest

from engine.experiment import Experiment
from engine.workers.hosted_run import DETAILS_EVERY, HostedRun
from engine.workers.protocol import Open
from tests.engine.workers.conftest import frame_of, wait_for

MANY = Experiment(task="xor", rnn_type="many_to_many", hidden_size=4, seq_len=6, batch_size=4)
WANTED = ["decomposition"]


@pytest.fixture
def hosted() -> HostedRun:
    hosted = HostedRun(Open(1, MANY.to_dict(), paused=True, speed=None, checkpoint=None))
    hosted.frame(0.0)
    return hosted


def test_a_frame_has_no_details_unless_somebody_asks(hosted):
    hosted.request_frame()
    hosted.changed = True
    assert hosted.frame(10.0).on_demand == frozenset()


def test_details_are_taken_at_most_once_a_second(hosted):
    taken = []
    for now in (10.0, 10.2, 10.9, 11.5):
        hosted.request_frame(WANTED)
        hosted.trainer.advance()
        hosted.changed = True
        taken.append(bool(hosted.frame(now).on_demand))
    assert taken == [True, False, False, True] and DETAILS_EVERY == 1.0


def test_a_run_that_stands_still_owes_the_details_of_its_last_step_once(hosted):
    hosted.request_frame(WANTED)
    hosted.changed = True
    hosted.frame(10.0)
    hosted.trainer.advance()
    hosted.changed = True
    hosted.request_frame(WANTED)
    assert hosted.frame(10.3).on_demand == frozenset()
    assert hosted.frame_time() == hosted.details_due > 10.3
    frame = hosted.frame(hosted.details_due)
    assert frame.on_demand == {"decomposition"} and frame.step == 1
    assert hosted.frame_time() is None
    hosted.request_frame(WANTED)
    assert hosted.frame_time() is None


def test_a_run_that_trains_owes_nothing_that_nobody_asked_for_again(hosted):
    hosted.request_frame(WANTED)
    hosted.changed = True
    hosted.frame(10.0)
    hosted.request_frame(WANTED)
    hosted.trainer.advance()
    hosted.changed = True
    hosted.frame(10.3)
    hosted.trainer.advance()
    hosted.changed = True
    assert hosted.frame_time() is None


def test_what_the_network_has_not_is_asked_for_in_vain_and_only_once():
    """One loss cannot be taken apart: the detail stays None, and the worker does not try for ever."""
    one = Experiment(task="adding", hidden_size=4, seq_len=6, batch_size=4)
    hosted = HostedRun(Open(1, one.to_dict(), paused=True, speed=None, checkpoint=None))
    hosted.request_frame(WANTED)
    assert hosted.frame(10.0).on_demand == frozenset()
    hosted.request_frame(WANTED)
    assert hosted.frame_time() is None


def test_another_argument_is_another_reading_and_takes_the_place_of_the_older(hosted):
    hosted.request_frame(["followed:2"])
    hosted.request_frame(["followed:3", *WANTED])
    assert hosted.frame(10.0).on_demand == {"followed:3", *WANTED}
    assert hosted.frame_time() is None
    hosted.request_frame(["followed:3"])
    assert hosted.frame_time() is None
    hosted.request_frame(["followed:2"])
    assert hosted.frame_time() == hosted.details_due
    assert hosted.frame(hosted.details_due).on_demand == {"followed:2"}


def test_details_cross_to_the_pool_without_a_step(pool):
    run = pool.submit(MANY, paused=True)
    assert frame_of(run).on_demand == frozenset()
    wait_for(lambda: (frame := run.latest(["terms:0:0"])) is not None and "terms:0:0" in frame.on_demand)
    wait_for(lambda: (frame := run.latest(WANTED)) is not None and WANTED[0] in frame.on_demand)
    frame = run.latest()
    assert frame is not None and frame.step == 0 and frame.decomposition is not None
    assert not frame.decomposition.norms.flags.writeable
    run.stop()


def test_two_who_look_at_different_things_get_both(pool):
    run = pool.submit(MANY, paused=True)
    frame_of(run)
    wait_for(lambda: run.latest() is not None and run.latest(WANTED).on_demand)
    run.stop()


def test_updates_that_were_asked_for_are_reported_without_anybody_looking(pool):
    run = pool.submit(MANY, paused=True)
    frame_of(run)
    run.advance(3)
    wait_for(lambda: run.status().step == 3)
    run.stop()
