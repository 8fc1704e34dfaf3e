"""The hub: who gets which run, when a run starts anew, and when one that nobody looks at rests. No processes."""

from __future__ import annotations

import functools
import itertools

import pytest

from app.hub import Hub, RunSlot
from app.run_start import Start
from app.shared_run import JOIN_WITHIN
from app.slot_registry import FORGET_AFTER, SUSPEND_AFTER
from engine.experiment import Experiment, ExperimentError
from engine.frame import RunPhase
from engine.preset import SPEEDS
from tests.clock import Clock
from tests.fakes import SMALL, FakePool, at_step
from tests.fakes import untrained_frame as seen  # noqa: F401 (the engine's tests still look for it here)


@pytest.fixture
def clock() -> Clock:
    return Clock(1e6)


@pytest.fixture
def pool() -> FakePool:
    return FakePool()


@pytest.fixture
def hub(clock: Clock, pool: FakePool, monkeypatch: pytest.MonkeyPatch) -> Hub:
    hub = Hub(clock)
    monkeypatch.setattr(hub, "pool", lambda: pool)
    return hub


def attach(hub: Hub, owner: str = "ann", experiment: Experiment = SMALL, *, paused: bool = False) -> RunSlot:
    return hub.attach(owner, Start(experiment, paused=paused), speed="normal")


def wait(hub: Hub, clock: Clock, seconds: float) -> None:
    clock.now += seconds
    hub.expire()


# ---- who gets which run


@pytest.mark.parametrize("paused", [False, True])
@pytest.mark.parametrize("speed", SPEEDS)
def test_a_new_tab_gets_a_new_run_as_asked(hub, pool, paused, speed):
    slot = hub.attach("ann", Start(SMALL, paused=paused), speed=speed)
    (run,) = pool.runs
    assert slot.run is run and run.experiment == SMALL == slot.experiment
    assert run.opened == {"paused": paused, "speed": {"slow": 2.0, "normal": 25.0, "max": None}[speed]}
    assert (slot.paused, slot.speed, slot.tabs, slot.ghost) == (paused, speed, 1, None) and run.calls == []


def test_a_browser_that_left_finds_its_run_again(hub, pool):
    slot = attach(hub)
    hub.release(slot)
    assert attach(hub) is slot and len(pool.runs) == 1 and slot.tabs == 1


@pytest.mark.parametrize(
    ("owner", "experiment"),
    [("bob", SMALL), ("ann", SMALL.replace(seed=1)), ("ann", SMALL.replace(learning_rate=0.1)), ("", SMALL)],
    ids=["another browser", "another seed", "another rate", "no cookie"],
)
def test_nobody_else_finds_it(hub, pool, owner, experiment):
    slot = attach(hub)
    hub.release(slot)
    assert attach(hub, owner, experiment) is not slot and len(pool.runs) == 2


def test_without_a_cookie_no_run_is_found_again(hub, pool):
    slot = attach(hub, "")
    hub.release(slot)
    assert attach(hub, "") is not slot and len(pool.runs) == 2


def test_a_second_tab_does_not_take_the_run_of_the_first(hub, pool):
    first = attach(hub)
    second = attach(hub)
    assert second is not first and len(pool.runs) == 2
    hub.release(first)
    assert attach(hub) is first


def test_of_two_runs_left_behind_the_later_one_is_found(hub, clock):
    slots = [attach(hub), attach(hub)]
    for slot in slots:
        clock.now += 1
        hub.release(slot)
    assert attach(hub) is slots[1] and attach(hub) is slots[0]


def test_what_was_changed_live_belongs_to_the_settings(hub):
    slot = attach(hub)
    slot.apply(SMALL.replace(learning_rate=0.1))
    hub.release(slot)
    assert attach(hub) is not slot and attach(hub, experiment=SMALL.replace(learning_rate=0.1)) is slot


# ---- other settings


def test_whoever_streams_a_run_is_told_of_its_news_and_of_another_run_once_it_has_another_token(hub, pool):
    slot, told = attach(hub), []
    slot.listeners.add(lambda: told.append((slot.run, slot.token)))
    slot.run.listeners.tell()
    assert told == [(slot.run, slot.token)]
    branch = functools.partial(slot.branch, 0, {"learning_rate": 0.1}, paused=True)
    for act in (slot.reset, branch, slot.reopen):
        before = slot.run, slot.token
        told.clear()
        act()
        assert told[-1] == (slot.run, slot.token) and told[-1][0] is not before[0] and told[-1][1] != before[1]
        told.clear()
        slot.run.listeners.tell()
        assert told


def test_the_same_settings_leave_the_run_alone(hub, pool):
    slot = attach(hub)
    token = slot.token
    assert slot.apply(SMALL.replace()) == "same"
    assert len(pool.runs) == 1 and pool.runs[0].calls == [] and slot.token == token


@pytest.mark.parametrize(
    "changes",
    [{"learning_rate": 0.1}, {"clip": "none"}, {"clip_threshold": 2.0}, {"clip": "value", "learning_rate": 1.0}],
    ids=str,
)
def test_live_settings_change_the_run_in_place(hub, pool, changes):
    slot = attach(hub)
    token = slot.token
    assert slot.apply(SMALL.replace(**changes)) == "updated"
    ((method, update),) = pool.runs[0].calls
    assert method == "update" and changes.items() <= update.items() <= SMALL.replace(**changes).to_dict().items()
    assert len(pool.runs) == 1 and slot.token == token and slot.ghost is None
    assert slot.apply(SMALL) == "updated" and slot.experiment == SMALL


@pytest.mark.parametrize(
    "changes",
    [{"seed": 1}, {"hidden_size": 5}, {"task": "adding"}, {"cell": "gru", "learning_rate": 0.1}, {"steps": 5},
     {"dropout": 0.1, "num_layers": 2}, {"optimizer": "sgd"}, {"tbptt": 3}, {"reduction": "sum"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("paused", [False, True])
def test_any_other_setting_is_a_new_run(hub, pool, changes, paused):
    slot = attach(hub, paused=paused)
    token = slot.token
    assert slot.apply(SMALL.replace(**changes)) == "restarted"
    old, new = pool.runs
    assert old.calls == [("stop", None)] and slot.run is new and slot.token != token
    assert new.experiment == SMALL.replace(**changes) and new.opened == {"paused": paused, "speed": 25.0}


@pytest.mark.parametrize(("frame", "kept"), [(None, False), (0, False), (1, True), (500, True)])
@pytest.mark.parametrize("how", ["apply", "reset"])
def test_a_run_that_had_learned_something_stays_in_grey(hub, pool, frame, kept, how):
    slot = attach(hub)
    old = pool.runs[0]
    old.frame = None if frame is None else at_step(frame)
    slot.reset() if how == "reset" else slot.apply(SMALL.replace(seed=1))
    assert (slot.ghost is not None) == kept
    if kept:
        assert slot.ghost.frame is old.frame and slot.ghost.info is old.info and slot.ghost.curve is old.curve


def test_an_untrained_run_does_not_hide_the_ghost_before_it(hub, pool):
    slot = attach(hub)
    pool.runs[0].frame = at_step(9)
    slot.apply(SMALL.replace(seed=1))
    pool.runs[1].frame = at_step(0)
    slot.apply(SMALL.replace(seed=2))
    assert slot.ghost is not None and slot.ghost.frame is pool.runs[0].frame


def test_reset_begins_anew_and_waits(hub, pool):
    slot = attach(hub)
    slot.apply(SMALL.replace(learning_rate=0.1))
    slot.reset()
    old, new = pool.runs
    assert old.calls[-1] == ("stop", None) and new.calls == []
    assert new.experiment == SMALL.replace(learning_rate=0.1) and new.opened["paused"] and slot.paused
    slot.train()
    assert new.calls == [("resume", None)] and not slot.paused


def test_step_pauses_a_running_run_and_only_that(hub, pool):
    slot = attach(hub)
    slot.step()
    slot.step()
    assert pool.runs[0].calls == [("pause", None), ("advance", 1), ("advance", 1)] and slot.paused


def test_speed_is_told_once_and_kept_by_the_next_run(hub, pool):
    slot = attach(hub)
    for speed in ("normal", "max", "max", "slow"):
        slot.set_speed(speed)
    assert pool.runs[0].calls == [("speed", None), ("speed", 2.0)]
    slot.apply(SMALL.replace(seed=1))
    assert pool.runs[1].opened["speed"] == 2.0
    with pytest.raises(KeyError):
        slot.set_speed("warp")


# ---- tokens


def test_every_run_has_a_token_of_its_own_that_nobody_guesses(hub):
    tokens = []
    for seed in range(50):
        slot = attach(hub, f"visitor {seed}", SMALL.replace(seed=seed))
        tokens.append(slot.token)
        slot.reset()
        tokens.append(slot.token)
    assert len(set(tokens)) == 100 and min(map(len, tokens)) >= 22  # 128 bits
    assert all(each.isascii() and each.replace("-", "").replace("_", "").isalnum() for each in tokens)
    starts = [each[:4] for each in tokens]
    assert len(set(starts)) == 100  # not counted up


def test_a_token_finds_its_run_until_another_takes_its_place(hub):
    slots = [attach(hub, owner) for owner in ("ann", "bob")]
    old = [slot.token for slot in slots]
    assert [hub.find(token) for token in old] == slots
    slots[0].apply(SMALL.replace(seed=1))
    slots[1].reset()
    assert [hub.find(token) for token in old] == [None, None]
    assert [hub.find(slot.token) for slot in slots] == slots


@pytest.mark.parametrize(
    "token", ["", "nope", "é", "\U0001f600", "a" * 10_000], ids=["none", "wrong", "é", "sign", "long"]
)
def test_a_token_that_nobody_gave_finds_nothing(hub, token):
    """It comes from the address line, and so from anybody."""
    attach(hub)
    assert hub.find(token) is None


def test_a_live_change_keeps_the_token(hub):
    slot = attach(hub)
    token = slot.token
    slot.apply(SMALL.replace(learning_rate=0.1))
    slot.pause()
    slot.train()
    slot.set_speed("max")
    assert slot.token == token and hub.find(token) is slot


# ---- nobody there


def test_an_abandoned_run_is_suspended_and_later_forgotten(hub, pool, clock):
    slot = attach(hub)
    run, token = pool.runs[0], slot.token
    hub.release(slot)
    wait(hub, clock, SUSPEND_AFTER)
    assert run.calls == []
    wait(hub, clock, 0.1)
    assert run.calls == [("pause", None)]
    wait(hub, clock, FORGET_AFTER - SUSPEND_AFTER - 0.1)
    assert run.calls == [("pause", None)] and hub.find(token) is slot
    wait(hub, clock, 0.1)
    assert run.calls == [("pause", None), ("stop", None)] and hub.find(token) is None
    wait(hub, clock, 1e4)
    assert run.calls == [("pause", None), ("stop", None)]
    assert attach(hub) is not slot and len(pool.runs) == 2


def test_the_times_are_those_of_the_design():
    assert (SUSPEND_AFTER, FORGET_AFTER) == (60.0, 600.0)


@pytest.mark.parametrize("how", ["reload", "same tab", "socket"])
@pytest.mark.parametrize("paused", [False, True], ids=["was training", "was paused"])
def test_who_comes_back_finds_it_as_it_was_left(hub, pool, clock, how, paused):
    slot = attach(hub)
    if paused:
        slot.pause()
    hub.release(slot)
    wait(hub, clock, 100)
    pool.runs[0].calls.clear()
    for _ in range(2):  # a second one wakes nobody
        if how == "socket":
            hub.watch(slot, +1)
        elif how == "same tab":
            hub.acquire(slot)
        elif slot.tabs == 0:
            assert attach(hub) is slot
    assert pool.runs[0].calls == ([] if paused else [("resume", None)]) and slot.paused == paused
    assert len(pool.runs) == 1
    wait(hub, clock, 1e4)
    assert ("stop", None) not in pool.runs[0].calls


@pytest.mark.parametrize("phase", [RunPhase.FINISHED, RunPhase.REFUSED])
def test_a_run_that_ended_by_itself_is_not_trained_on_because_somebody_comes_back(hub, pool, clock, phase):
    slot = attach(hub)
    pool.runs[0].phase = phase
    hub.release(slot)
    wait(hub, clock, 100)
    assert attach(hub) is slot and ("resume", None) not in pool.runs[0].calls


def test_a_viewer_keeps_a_run_alive_without_its_tab(hub, pool, clock):
    slot = attach(hub)
    hub.watch(slot, +1)
    hub.release(slot)
    wait(hub, clock, 1e4)
    assert pool.runs[0].calls == [] and hub.find(slot.token) is slot
    hub.watch(slot, -1)
    wait(hub, clock, SUSPEND_AFTER)
    assert pool.runs[0].calls == []  # the time begins when the last one went
    wait(hub, clock, 1)
    assert pool.runs[0].calls == [("pause", None)]


@pytest.mark.parametrize("order", list(itertools.permutations(["tab", "viewer", "viewer"]))[:3], ids="-".join)
def test_only_the_last_to_leave_starts_the_clock(hub, pool, clock, order):
    slot = attach(hub)
    hub.watch(slot, +1)
    hub.watch(slot, +1)
    for who in order:
        wait(hub, clock, 1e4)
        assert pool.runs[0].calls == []
        hub.release(slot) if who == "tab" else hub.watch(slot, -1)
    wait(hub, clock, 61)
    assert pool.runs[0].calls == [("pause", None)]


def test_a_tab_that_was_forgotten_gets_its_settings_back_as_a_new_run(hub, pool, clock):
    slot = attach(hub, paused=True)
    token = slot.token
    hub.release(slot)
    wait(hub, clock, 601)
    hub.acquire(slot)
    assert len(pool.runs) == 2 and pool.runs[1].experiment == SMALL and pool.runs[1].opened["paused"]
    assert hub.find(slot.token) is slot and slot.token != token
    wait(hub, clock, 1e4)
    assert pool.runs[1].calls == []


def test_one_abandoned_run_does_not_touch_the_others(hub, pool, clock):
    left, stays = attach(hub), attach(hub, "bob", SMALL.replace(seed=1))
    hub.release(left)
    for _ in range(3):
        wait(hub, clock, 300)
    assert [each.calls for each in pool.runs] == [[("pause", None), ("stop", None)], []]
    assert hub.find(stays.token) is stays


def test_running_counts_what_trains(hub, pool, clock):
    slots = [attach(hub), attach(hub, "bob", SMALL.replace(seed=1)), attach(hub, "eve", paused=True)]
    assert hub.running() == 2
    slots[0].pause()
    assert hub.running() == 1
    hub.release(slots[1])
    wait(hub, clock, 61)
    assert hub.running() == 0


# ---- going back


def test_a_branch_stands_in_the_same_place_and_what_it_left_is_its_other_future(hub, pool):
    slot = attach(hub)
    old, token = slot.run, slot.token
    old.frame = at_step(40)
    slot.branch(25, {"clip": "none"}, paused=False)
    assert old.calls == [("branch", (25, {"clip": "none"})), ("stop", None)]
    assert slot.run is not old and slot.token != token and not slot.paused
    assert slot.ghost is not None and slot.ghost.branched_at == 25 and slot.ghost.frame.step == 40
    assert slot.initial == SMALL and slot.changes == ((25, {"clip": "none"}),)
    assert slot.experiment == SMALL.replace(clip="none")


def test_settings_that_a_branch_cannot_have_change_nothing(hub, monkeypatch):
    slot = attach(hub)
    run, token = slot.run, slot.token

    def refuse(*_: object, **__: object) -> None:
        raise ExperimentError("cell", got="gru", accepts="the same on both branches")

    monkeypatch.setattr(run, "branch", refuse)
    with pytest.raises(ExperimentError):
        slot.branch(5, {"cell": "gru"}, paused=True)
    assert slot.run is run and slot.token == token and slot.ghost is None and run.calls == []


def test_a_plan_is_passed_on_and_a_reload_finds_the_run_that_follows_it(hub, pool):
    start = Start(SMALL, ((5, {"noise": 0.5}),), paused=True)
    slot = hub.attach("ann", start, speed="max")
    assert slot.initial == SMALL and slot.experiment == SMALL.replace(noise=0.5)
    hub.release(slot)
    assert hub.attach("ann", Start(SMALL), speed="max") is not slot
    assert hub.attach("ann", start, speed="max") is slot
    hub.release(slot)
    at = hub.attach("ann", Start(SMALL, start.changes, until=30, paused=True), speed="max")
    assert at is not slot and at.run.opened["until"] == 30  # its step was asked for: a run of its own
    assert at.apply(SMALL.replace(noise=0.5)) == "same"


def test_only_what_changed_is_told_to_a_run(hub):
    slot = attach(hub)
    slot.apply(SMALL.replace(learning_rate=0.1))
    assert slot.run.calls == [("update", {"learning_rate": 0.1})]


# ---- one run for those who have touched nothing


def told(slot: RunSlot) -> list[str]:
    """What the slot's run was told so far."""
    return [what for what, _ in slot.run.calls]


@pytest.fixture
def class_of_three(hub) -> list[RunSlot]:
    """Three browsers that have opened the same link one after the other."""
    return [attach(hub, owner) for owner in ("ann", "bob", "cem")]


def test_browsers_with_the_same_link_look_at_one_run_each_under_a_token_of_its_own(hub, pool, class_of_three):
    assert len(pool.runs) == 1 and {slot.run for slot in class_of_three} == set(pool.runs)
    assert len({slot.token for slot in class_of_three}) == 3 and all(slot.is_shared for slot in class_of_three)
    assert all(hub.find(slot.token) is slot for slot in class_of_three)


@pytest.mark.parametrize(
    "start",
    [
        Start(SMALL.replace(seed=1)),
        Start(SMALL, paused=True),
        Start(SMALL, ((3, {"noise": 0.1}),)),
        Start(SMALL, until=3),
    ],
)
def test_whoever_starts_in_another_way_has_a_run_alone(hub, pool, start):
    attach(hub)
    assert not hub.attach("bob", start, speed="normal").is_shared and len(pool.runs) == 2


def test_at_another_speed_or_after_the_beginning_nobody_joins(hub, pool):
    first = attach(hub)
    assert not hub.attach("bob", Start(SMALL), speed="max").is_shared
    first.run.frame, first.shared._opened = at_step(9), first.shared._opened - 2 * JOIN_WITHIN
    assert not attach(hub, "cem").is_shared
    first.run.frame = at_step(0)  # a lesson that waits for a guess: nothing was missed
    assert attach(hub, "dia").is_shared and len(pool.runs) == 3


def one_step(slot: RunSlot) -> None:
    slot.step()


@pytest.mark.parametrize(
    "touch",
    [
        lambda slot: slot.pause(),
        lambda slot: slot.train(),
        one_step,
        lambda slot: slot.set_speed("max"),
        lambda slot: slot.apply(SMALL.replace(learning_rate=0.5)),
        lambda slot: slot.own(),
    ],
    ids=["pause", "train", "step", "speed", "a setting", "a question"],
)
def test_whoever_touches_anything_goes_on_alone_from_the_present_step_and_the_others_notice_nothing(
    pool, class_of_three, touch
):
    ann, bob, cem = class_of_three
    bob.run.frame, token, heard = at_step(9), bob.token, []
    ann.listeners.add(lambda: heard.append("ann"))
    bob.listeners.add(lambda: heard.append("bob"))
    touch(bob)
    assert told(ann) == ["branch"] and ann.run is cem.run is pool.runs[0]
    assert ann.run.calls[0][1] == (9, {"learning_rate": 0.5} if bob.experiment.learning_rate == 0.5 else {})
    assert told(bob) == (["advance"] if touch is one_step else [])  # the rest it knows from the start
    assert bob.run is not ann.run and bob.run.branched_at is None and bob.token != token and not bob.is_shared
    assert heard == ["bob"]
    bob.run.listeners.tell()
    ann.run.listeners.tell()
    assert heard == ["bob", "bob", "ann"]


def test_whoever_starts_another_network_leaves_the_run_to_the_others(pool, class_of_three):
    ann, bob, cem = class_of_three
    bob.run.frame = at_step(9)
    bob.run.curve.add_update(9, 1.0, 1.0, False)
    assert bob.apply(SMALL.replace(cell="gru")) == "restarted"
    ann.run.curve.add_update(10, 1.0, 1.0, False)
    assert bob.ghost.curve.updates()["step"].tolist() == [9]  # as it was when it was left
    assert told(ann) == [] and len(pool.runs) == 2 and bob.ghost is not None and len(bob.past.newest_first) == 1
    ann.stop()
    assert told(cem) == []
    cem.stop()
    assert told(cem) == ["stop"]


def test_the_last_one_has_it_alone_as_if_there_had_been_nobody_else(hub, pool, class_of_three):
    ann, bob, cem = class_of_three
    bob.pause()
    cem.pause()
    token = ann.token
    ann.pause()
    assert told(ann) == ["branch", "branch", "pause"] and ann.token == token
    assert not attach(hub, "dia").is_shared  # it is touched now


def test_it_rests_when_the_last_tab_is_closed_and_goes_on_with_the_first_that_comes_back(hub, clock, class_of_three):
    for slot in class_of_three[:2]:
        hub.release(slot)
    wait(hub, clock, SUSPEND_AFTER + 1)
    assert told(class_of_three[0]) == []
    hub.release(class_of_three[2])
    wait(hub, clock, SUSPEND_AFTER + 1)
    assert told(class_of_three[0]) == ["pause"]
    hub.acquire(class_of_three[1])
    hub.acquire(class_of_three[0])
    assert told(class_of_three[0]) == ["pause", "resume"]


def test_a_socket_whose_browser_asks_for_more_gets_its_own_run_with_the_next_drawing_of_the_page(class_of_three):
    ann, bob, _ = class_of_three
    bob.wants_own_run = True
    assert bob.apply(SMALL) == "same" and bob.run is not ann.run and not bob.wants_own_run
