"""How much of a worker's time frames may take: as much as gives everybody who watches one a second, within limits."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.training.cost_clock import cost_clock
from engine.workers.hosted_run import WATCHED_FOR, HostedRun
from engine.workers.protocol import Open, Order
from engine.workers.worker import FRAME_SHARE, MAX_FRAME_SHARE, Worker
from tests.engine.workers.test_loop import SMALL, Connection


class Watch:
    """Time that passes only when a test lets it: on the wall, and for the processor."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0

    def work(self, seconds: float, *, stolen: float = 0.0) -> None:
        """The processor works; other programs take `stolen` seconds meanwhile."""
        self.wall += seconds + stolen
        self.processor += seconds


class Class:
    """A worker with so many runs that train, whose frames cost the same."""

    def __init__(self, count: int, cost: float, *, stolen: float = 0.0) -> None:
        self.watch = watch = Watch()
        self.worker = Worker(Connection(), lambda: watch.wall, lambda: watch.processor)
        for key in range(count):
            run = HostedRun(Open(key, SMALL.to_dict(), False, None, None), lambda: watch.wall, lambda: watch.processor)
            run.train_for = lambda seconds, run=run: (watch.work(seconds), setattr(run, "changed", True))
            take = run.trainer.frame
            frame, run.saved_step = take(()), 0
            run.trainer.frame = lambda _, frame=frame: (watch.work(cost, stolen=stolen), frame)[1]
            run.trainer.step = 1  # the untrained network is shown in any case
            run.checkpoint_due = float("inf")
            self.worker.runs[key] = run

    def run_for(self, seconds: float, watchers: int) -> Counter[int]:
        """The frames of each run in this time; the first `watchers` runs are watched by somebody who never pauses."""
        sent = self.worker.connection.sent = []
        end = self.watch.wall + seconds
        while self.watch.wall < end:
            self.worker.connection.orders += [Order(key, "request_frame", []) for key in range(watchers)]
            self.worker.receive()
            self.worker.take_turns()
        return Counter(message.key for message in sent if getattr(message, "frame", None) is not None)


@pytest.mark.parametrize("count", [4, 12])
def test_everybody_who_watches_gets_a_frame_a_second_whatever_their_number(count):
    lesson = Class(count, cost=0.02)
    lesson.run_for(5, count)
    frames = lesson.run_for(20, count)
    assert set(frames) == set(range(count)) and min(frames.values()) >= 20
    assert max(frames.values()) <= 29


def test_a_few_who_watch_cheap_frames_get_as_many_as_before():
    lesson = Class(2, cost=0.004)
    lesson.run_for(2, 2)
    assert lesson.worker._frame_share(lesson.watch.wall) == FRAME_SHARE
    assert 45 <= min(lesson.run_for(10, 2).values()) <= 51, "five a second"


def test_training_keeps_two_thirds_of_the_time():
    lesson = Class(30, cost=0.05)
    lesson.run_for(10, 30)
    frames = lesson.run_for(30, 30)
    assert 0.05 * frames.total() <= 30 * MAX_FRAME_SHARE + 0.5 and frames.total() > 100


def test_what_nobody_watches_any_more_gives_no_frames_time():
    lesson = Class(12, cost=0.02)
    lesson.run_for(5, 12)
    assert lesson.worker._frame_share(lesson.watch.wall) > 0.2
    for run in lesson.worker.runs.values():
        run.frame_requested = False
    lesson.watch.work(WATCHED_FOR + 1)
    assert lesson.worker._frame_share(lesson.watch.wall) == FRAME_SHARE
    assert lesson.run_for(2, 0) == {}


def test_what_is_paused_gives_no_frames_time():
    lesson = Class(12, cost=0.02)
    lesson.run_for(5, 12)
    for run in lesson.worker.runs.values():
        run.pause()
    assert lesson.worker._frame_share(lesson.watch.wall) == FRAME_SHARE


def test_a_frame_is_paid_by_processor_time_whatever_other_programs_take_meanwhile():
    alone, crowded = Class(6, cost=0.02), Class(6, cost=0.02, stolen=0.02)
    for lesson in (alone, crowded):
        lesson.run_for(5, 6)
    assert crowded.worker.runs[0].frame_cost == pytest.approx(alone.worker.runs[0].frame_cost) == pytest.approx(0.02)
    assert min(crowded.run_for(20, 6).values()) >= 19


def test_a_run_on_a_cpu_is_paid_by_its_threads_time_and_one_on_a_gpu_by_the_wall():
    assert [cost_clock(device).__name__ for device in ("cpu", "cuda")] == ["thread_time", "perf_counter"]
