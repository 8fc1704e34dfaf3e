"""When a worker that says nothing is taken to hang."""

from __future__ import annotations

from engine.workers.silence import ASK_AFTER, HALTED, SILENT, STARTUP, Silence


def looks_until_it_hangs(silence: Silence, processor_seconds: list[float | None], ready: bool = True) -> int | None:
    """After how many looks, with these processor times, it is taken to hang; None if never."""
    for number, seconds in enumerate(processor_seconds, 1):
        silence.look(seconds)
        if silence.is_too_long(ready):
            return number
    return None


def test_one_that_takes_no_processor_time_and_does_not_answer_hangs_soon():
    assert looks_until_it_hangs(Silence(), [3.0] * 50) == HALTED + 1  # the first look has nothing to compare with


def test_one_that_computes_is_given_time():
    assert looks_until_it_hangs(Silence(), [0.1 * k for k in range(50)]) == SILENT
    assert looks_until_it_hangs(Silence(), [None] * 50) == SILENT, "on another machine nobody knows what it computes"


def test_one_that_loads_torch_is_given_more_though_it_waits_for_the_disk():
    assert looks_until_it_hangs(Silence(), [3.0] * 200, ready=False) == STARTUP


def test_an_idle_one_is_asked_and_answers_for_ever():
    silence, asked = Silence(), 0
    for _ in range(1000):
        silence.look(3.0)
        assert not silence.is_too_long(True)
        if silence.asks:
            asked += 1
            silence.end()
    assert asked == 1000 // ASK_AFTER


def test_an_hour_in_which_the_machine_slept_is_one_look():
    """All processes were stopped together: when the pool looks again, its clock has gone on, and nothing else."""
    silence = Silence()
    assert looks_until_it_hangs(silence, [3.0, 3.0]) is None  # whatever the clock says between the two
    silence.end()
    assert looks_until_it_hangs(silence, [3.1, 3.1]) is None
