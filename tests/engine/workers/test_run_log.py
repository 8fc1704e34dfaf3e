"""What is kept of runs in the server process: all together within one limit."""

from __future__ import annotations

import dataclasses

from engine.frame import RunInfo, RunPhase
from engine.recording.memory_budget import MemoryBudget
from engine.workers import run_log
from engine.workers.protocol import Report
from engine.workers.run_log import RunLog
from tests.fakes import SMALL, first_frame


def report(step: int) -> Report:
    frame = dataclasses.replace(first_frame(SMALL), step=step)
    return Report(0, RunPhase.RUNNING, step, 1.0, 1.0, "", None, [(step, 1.0, 1.0, False)], (), frame)


def test_frames_and_checkpoints_of_all_runs_stay_within_one_limit_with_the_first_and_the_newest_of_each(monkeypatch):
    one = run_log.size_of(first_frame(SMALL))
    budget = MemoryBudget(60 * one)
    monkeypatch.setattr(run_log, "KEPT", budget)
    logs = [RunLog(RunInfo.of(SMALL)) for _ in range(3)]
    for step in range(100):
        for log in logs:
            log.add(report(step))
            log.add_checkpoint(step, bytes(one))
            assert budget.bytes <= budget.max_bytes
    for log in logs:
        steps = [frame.step for frame in log.all_frames()]
        assert steps[0] == 0 and steps[-1] == 99 and len(steps) >= 4
        assert log.newest_checkpoint() is not None and log.frame_at(50) is not None
    branch = logs[0].until(50)
    assert budget.bytes <= budget.max_bytes and branch.frame_at(50).step <= 50
