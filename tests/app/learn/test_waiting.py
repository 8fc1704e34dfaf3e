"""The page is drawn again when the run answers a guess or completes the lesson, and looks at nothing meanwhile."""

from __future__ import annotations

import dataclasses

import pytest
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue

from app.learn import text as learn_text
from engine.frame import Diagnosis
from engine.preset import load_preset
from tests.app.conftest import opened, press, run, slot
from tests.fakes import at_step, first_frame

pytestmark = pytest.mark.usefixtures("pool")


def test_a_guess_is_answered_by_the_frame_that_the_page_waits_for(pool):
    preset = load_preset("remember")
    (question, *_) = preset.predict
    page = opened(preset="remember")
    assert not slot().page_waits_for(first_frame(slot().experiment))  # no guess was made, the task is not done
    page.radio(key="guess_remember_0").set_value(question.right)
    press(run(page), "run_it_0")
    early, late = at_step(question.when.step - 1), at_step(question.when.step)
    waits_for, slot().run.frame = slot().page_waits_for, early
    assert not waits_for(early)
    page = run(page)
    assert any(learn_text.NOT_YET.format(step=question.when.step) in each.value for each in page.caption)
    slot().run.frame = late
    assert slot().page_waits_for(late)
    page = run(page)
    assert any(question.because in each.value for each in page.sidebar.markdown)
    assert slot().page_waits_for is None or not slot().page_waits_for(late)


def test_a_task_is_done_with_the_frame_that_the_page_waits_for(pool):
    preset = load_preset("dates")
    assert preset.done is not None
    page = opened(preset="dates", speed="max")
    wanted = {name: value for name, value in vars(preset.done).items() if name in ("kind", "loss", "metric")}
    frame = dataclasses.replace(
        first_frame(slot().experiment), step=preset.done.step + 1, probe_loss=0.0, metric=1.0,
        diagnosis=Diagnosis(wanted["kind"] or "healthy", "", {}, {}),
    )  # fmt: skip
    slot().run.frame = frame
    slot().run.solved_at = 1 if preset.done.solved else None
    assert slot().page_waits_for(frame)
    assert learn_text.task(preset, True) not in [each.value for each in page.sidebar.markdown]
    page = run(page)
    assert learn_text.task(preset, True) in [each.value for each in page.sidebar.markdown]
    assert slot().page_waits_for is None


def test_nothing_on_the_page_repeats_itself_while_a_lesson_waits(monkeypatch):
    kinds, enqueue = set(), ForwardMsgQueue.enqueue

    def noting(queue: ForwardMsgQueue, message: ForwardMsg) -> None:
        kinds.add(message.WhichOneof("type"))
        enqueue(queue, message)

    monkeypatch.setattr(ForwardMsgQueue, "enqueue", noting)
    opened(preset="dates")
    assert slot().page_waits_for is not None and "delta" in kinds and "auto_rerun" not in kinds
