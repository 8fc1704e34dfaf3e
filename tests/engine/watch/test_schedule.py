"""When a lens looks."""

from __future__ import annotations

import itertools
import time

import pytest
import torch
from torch import nn

from engine.watch import watch
from engine.watch.schedule import DeviceTime, Schedule
from tests.engine.watch.conftest import assert_same_bits, run, watched
from tests.engine.watch.trainings import trained


class Clock:
    """A clock that only goes on when told to."""

    def __init__(self, monkeypatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


def test_the_share_is_kept_and_the_first_look_is_a_debt(monkeypatch):
    clock = Clock(monkeypatch)
    schedule = Schedule(0.05, None)
    for _ in range(1000):
        clock.now += 0.01  # a bare step
        looks = schedule.is_due()
        with schedule.own_time():
            clock.now += 0.02 if looks else 0.0
        schedule.pass_ended(looks)
        assert schedule.looks == 1 or schedule.cost.share <= 0.05 + 1e-9
    assert 20 <= schedule.looks <= 30


class Events:
    """A GPU's events: it needs 0.03 s for the lens, after the 0.5 s that the training has asked of it before."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.made = clock, []

    def mark(self):
        self.made.append(self)
        return self

    def synchronize(self) -> None:
        self.clock.now += 0.53  # the host waits for both

    def elapsed_time(self, last) -> float:
        assert last is self.made[-1]
        return 30.0


def test_on_a_gpu_its_own_time_is_what_the_gpu_takes(monkeypatch):
    clock = Clock(monkeypatch)
    schedule, events = Schedule(0.05, None), Events(clock)
    with schedule.own_time():
        clock.now += 0.01
        with DeviceTime(schedule, events.mark):
            clock.now += 0.002
    schedule.pass_ended(True)
    assert schedule.seconds == pytest.approx(0.04) and len(events.made) == 2
    clock.now += 0.04 / 0.05 - 0.6
    assert not schedule.would_be_due()
    clock.now += 1.0
    assert schedule.would_be_due()


def test_on_a_cpu_nothing_is_marked():
    for device in (None, torch.device("cpu")):
        with Schedule(0.05, None).device_time(device):
            pass


def test_hooks_are_taken_away_between_looks_and_kept_without_an_optimizer():
    rnn, x = nn.GRU(3, 4), torch.randn(5, 2, 3)
    lens = watch(rnn, share=1e-9)
    trained(rnn, 4, x)
    assert lens._hearing.is_armed and lens.cost.looks == 1
    trained(rnn, 4, x, torch.optim.SGD(rnn.parameters(), 0.1))
    assert not lens._hearing.is_armed and lens.cost.looks == 1
    lens._schedule._share = 1.0
    lens._schedule.seconds = 0.0
    trained(rnn, 3, x, torch.optim.SGD(rnn.parameters(), 0.1))
    assert lens.cost.looks > 1
    lens.close()
    looks = lens.cost.looks
    trained(rnn, 1, x)
    assert lens.cost.looks == looks and not lens._hearing.is_armed


def test_by_share_the_training_is_the_same_to_the_last_bit(monkeypatch):
    """Hooks come and go between looks: two of five times that the lens asks, the time allows one."""
    asked = itertools.count()
    monkeypatch.setattr(Schedule, "would_be_due", lambda _: next(asked) % 5 in (0, 4))

    def make():
        rnn, x = nn.LSTM(3, 4, 2, dropout=0.5), torch.randn(5, 2, 3)
        optimizer = torch.optim.Adam(rnn.parameters())
        return rnn, lambda: trained(rnn, 12, x, optimizer)

    plain, (model, lens) = run(make), watched(make, every=None)
    assert_same_bits(plain, model)
    assert 2 <= lens.cost.looks < 12 and lens.refusals == {}


def test_every_other_pass():
    rnn, x = nn.GRU(3, 4), torch.randn(5, 2, 3)
    with watch(rnn, every=3) as lens:
        trained(rnn, 7, x, torch.optim.SGD(rnn.parameters(), 0.1))
    assert lens.cost.looks == 3 and lens.flow().backward_pass == 6


def test_a_loop_between_looks_is_counted_however_it_is_cut():
    """Of a loop whose every state is detached only the last step's gradient comes: the pass has an end all the same."""
    for every in (1, 2):
        cell, x = nn.LSTMCell(3, 4), torch.randn(5, 2, 3)
        with watch(cell, every=every) as lens:
            for _ in range(5):
                state = None
                for given in x:
                    state = cell(given, None if state is None else tuple(each.detach() for each in state))
                state[0].sum().backward()
        assert lens.cost.looks == {1: 5, 2: 3}[every] and [one.kind for one in lens.mistakes] == [
            "detached at every step"
        ]
