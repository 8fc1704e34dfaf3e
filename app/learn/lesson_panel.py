"""The lesson beside the playground: predictions, the task to do, the explanation, the claims, the neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from app import controls, drafts, partial, state, tab, text
from app import guesses as guesses_first
from app.hub import RunSlot
from app.learn import progress, setting_links
from app.learn import text as learn_text
from app.learn.progress import Guess
from engine.claims import table
from engine.experiment import Experiment
from engine.frame import Frame, RunPhase
from engine.preset import Prediction, Preset, list_presets

STYLE = Path(__file__).with_name("style.css")
CLAIMS = "claims"


def panel(preset: Preset | None, experiment: Experiment, write: Page | None = None) -> None:
    """The top of the sidebar: the list of lessons; for a lesson a button that restores it, and its text.

    Args:
        preset: the lesson; None for settings without one.
        experiment: the settings as they are now.
        write: the page on which a draft is written.
    """
    if preset is not None:
        check_run(preset)
    st.html(STYLE)
    is_draft = preset is not None and drafts.is_draft(preset.slug)
    if is_draft:
        st.caption(learn_text.DRAFT)
        if write is not None:
            st.page_link(write, label=learn_text.GO_ON_WRITING, icon=":material/edit_note:",
                         query_params={"draft": preset.slug.removeprefix(drafts.PREFIX)})  # fmt: skip
    else:
        st.caption(text.NO_LESSON if preset is None else text.place(preset, len(siblings(preset)), experiment))
    controls.PRESET.draw()
    if preset is None:
        progress.keep()
        return
    if other_data := learn_text.other_data(preset, experiment):
        with st.container(key="other_data"):
            st.info(other_data)
    if experiment != preset.experiment:
        st.button(text.BACK_TO[preset.kind], key="back_to_lesson", icon=":material/undo:", type="tertiary",
                  on_click=state.on_lesson, args=(preset.slug,))  # fmt: skip
    with st.container(key="lesson"):
        predictions(preset)
        so_far(preset)
        about(preset)
        should_happen(preset)


# ---- predict, then run


def guesses(preset: Preset) -> list[tuple[int, Prediction, Guess]]:
    """The predictions that were answered, with their numbers."""
    given = progress.learn_state().guesses
    return [
        (n, prediction, given[preset.slug, n])
        for n, prediction in enumerate(preset.predict)
        if (preset.slug, n) in given
    ]


def predictions(preset: Preset) -> None:
    """Each question with its answers and the button that starts its run; after the run, the result."""
    if not preset.predict:
        return
    with st.container(key="predictions"), st.expander(learn_text.PREDICT, expanded=_is_course(preset)):
        for number, prediction in enumerate(preset.predict):
            guess = progress.learn_state().guesses.get((preset.slug, number))
            if guess is not None and guess.result:
                st.markdown(learn_text.outcome(prediction, guess.answer, guess.result))
            else:
                ask(preset, number, None if guess is None else guess.answer)


def ask(preset: Preset, number: int, answer: int | None, *, beside_train: bool = False) -> None:
    """One question; its button is disabled until an answer was chosen.

    Args:
        answer: that was given; None before.
        beside_train: a second time on the page, while the lesson waits for it.
    """
    prediction, place = preset.predict[number], "_here" if beside_train else ""
    key = f"guess{place}_{preset.slug}_{number}"
    chosen = st.radio(
        prediction.asks, range(len(prediction.answers)), answer, key=key,
        format_func=prediction.answers.__getitem__,
    )  # fmt: skip
    st.button(learn_text.RUN_IT if prediction.when.needs_training else learn_text.LOOK, key=f"run_it{place}_{number}",
              icon=":material/play_arrow:", disabled=chosen is None, on_click=on_guess,
              args=(preset, number, key))  # fmt: skip


def _is_course(preset: Preset) -> bool:
    """True if the user follows the lesson, not their own task."""
    return tab.value("task") == preset.experiment.task


def on_guess(preset: Preset, number: int, key: str) -> None:
    """Store the answer, which stands under this key, and start the run that shows the right one from step 0."""
    given = progress.learn_state().guesses
    given[preset.slug, number] = Guess(tab.value(key), state.current_slot().token)
    state.on_next(preset.predict[number].settings)
    if all((preset.slug, each) in given for each in range(len(preset.predict))):
        guesses_first.settle(preset)


# ---- what the run has shown so far


def check_run(preset: Preset) -> None:
    """Check whether the run has answered a guess or completed the lesson by now."""
    slot = state.current_slot()
    if slot.experiment != state.last_valid():  # settings are being changed: the run is still the old one
        return
    for _, prediction, guess in guesses(preset):
        if not guess.result and slot.token != guess.before:
            _check_guess(slot, preset, prediction, guess)
    if preset.slug not in progress.done() and _is_done(slot, preset, frames_so_far(slot)):
        progress.finish(preset.slug)


@st.fragment(key=partial.TASK)
def so_far(preset: Preset) -> None:
    """Draw what the guesses wait for, and the task to do; drawn by itself once that is done."""
    slot, answered = state.current_slot(), _answered(preset)
    check_run(preset)
    if _answered(preset) != answered:
        st.rerun()
    wait(preset, slot)
    progress.keep()
    for _, prediction, guess in guesses(preset):
        if not guess.result:
            st.caption(_pending_note(slot, preset, prediction))
    if preset.done is not None:
        with st.container(key="to_do"):
            st.markdown(learn_text.task(preset, preset.slug in progress.done()))


def wait(preset: Preset | None, slot: RunSlot) -> None:
    """Note in the slot what must be drawn again, and when: its run answers a guess, or completes the lesson."""
    slot.page_waits_for = None
    if preset is None or "lesson" in state.hidden():
        return
    pending = [(prediction, guess) for _, prediction, guess in guesses(preset) if not guess.result]
    is_open = preset.done is not None and preset.slug not in progress.done()

    def part(frame: Frame) -> str:
        if any(_goes_on(slot, preset, prediction, guess, frame) for prediction, guess in pending):
            return partial.PAGE
        return partial.TASK if is_open and _is_done(slot, preset, [frame]) else ""

    if pending or is_open:
        slot.page_waits_for = part


def _answered(preset: Preset) -> list[str]:
    return [guess.result for _, _, guess in guesses(preset)]


def _goes_on(slot: RunSlot, preset: Preset, prediction: Prediction, guess: Guess, frame: Frame) -> bool:
    """True if this frame lets the run of a guess start, or answers the guess."""
    if slot.token == guess.before or not _is_requested_run(slot, preset, prediction):
        return False
    return _must_start(slot, prediction, guess) or _answer(slot, prediction, [frame]) is not None


def _check_guess(slot: RunSlot, preset: Preset, prediction: Prediction, guess: Guess) -> None:
    """Start the run once its first frame is there, and check whether it has shown the answer."""
    if not _is_requested_run(slot, preset, prediction) or slot.run.latest() is None:
        return
    if _must_start(slot, prediction, guess):
        slot.train()
    guess.started = True
    answer = _answer(slot, prediction, frames_so_far(slot))
    if answer is not None:
        guess.result = learn_text.result(slot.run.info, answer)


def _must_start(slot: RunSlot, prediction: Prediction, guess: Guess) -> bool:
    return slot.paused and prediction.when.needs_training and not guess.started


def _answer(slot: RunSlot, prediction: Prediction, frames: Sequence[Frame]) -> Frame | None:
    """The first of these frames that answers the question; of a run that has ended the last one, None of any other."""
    status = slot.run.status()
    answer = prediction.when.holds(slot.experiment, status, frames)
    if answer is None and (status.phase == RunPhase.FINISHED or status.message):
        return frames[-1]
    return answer


def frames_so_far(slot: RunSlot) -> list[Frame]:
    """The run's kept frames and its newest; the call also requests the next one."""
    newest = slot.run.latest()
    return [*slot.run.frames, *([newest] if newest is not None else [])]


def _is_requested_run(slot: RunSlot, preset: Preset, prediction: Prediction) -> bool:
    return learn_text.same_network(slot.experiment, preset.experiment.replace(**prediction.settings))


def _pending_note(slot: RunSlot, preset: Preset, prediction: Prediction) -> str:
    if not _is_requested_run(slot, preset, prediction):
        return learn_text.CHANGED
    return learn_text.NOT_YET.format(step=prediction.when.step) if prediction.when.step else learn_text.SOON


def _is_done(slot: RunSlot, preset: Preset, frames: Sequence[Frame]) -> bool:
    """True if one of these frames meets the lesson's goal on the lesson's task, or on the task that the goal names."""
    done = preset.done
    if done is None:
        return False
    same = "task" in done.settings or slot.experiment.task == preset.experiment.task
    return same and done.holds(slot.experiment, slot.run.status(), frames) is not None


# ---- its text


def about(preset: Preset) -> None:
    """The explanation, and what to change next. It stays folded until all predictions are answered."""
    if not (preset.symptom or preset.explains or preset.text or preset.next):
        return
    guessed = sum(map(bool, _answered(preset))) == len(preset.predict)
    with st.expander(text.ABOUT[preset.kind], expanded=guessed and _is_course(preset)):
        if preset.symptom:
            st.markdown(learn_text.symptom(preset))
        if preset.wrong:
            st.html(learn_text.wrong_line(preset))
        setting_links.prose(preset, "lesson")
        setting_links.listen([preset], lambda: on_link(preset))
        if preset.next:
            st.markdown(f"**{text.CHANGE_NEXT}**")
        for number, change in enumerate(preset.next):
            st.button(change.says, key=f"next_{number}", width="stretch",
                      on_click=state.on_next, args=(change.settings,))  # fmt: skip


def on_link(preset: Preset) -> None:
    """Apply the settings of a link in the text that was clicked."""
    if (link := setting_links.pressed([preset])) is not None:
        state.on_next(link.settings)


def should_happen(preset: Preset) -> None:
    """The lesson's claims and their evidence; folded, so that the user can predict first."""
    if not preset.claims:
        return
    folded = st.expander(text.SHOULD_HAPPEN, key=CLAIMS, on_change="rerun")
    if not folded.open:
        return
    with folded:
        for claim in preset.claims:
            st.markdown(claim.says)
            st.caption(text.claim_evidence(claim, table.values(preset, claim)))


# ---- its neighbours


def neighbours(preset: Preset) -> None:
    """The buttons for the previous and the next lesson."""
    slugs = [other.slug for other in siblings(preset)]
    at = slugs.index(preset.slug) if preset.slug in slugs else len(slugs)  # a teacher's file may have been deleted
    before, after = slugs[max(at - 1, 0) : at], slugs[at + 1 : at + 2]
    for key, label, icon, shortcut, neighbour in (
        ("previous_lesson", text.PREVIOUS, ":material/chevron_left:", "B", before),
        ("next_lesson", text.NEXT, ":material/chevron_right:", "N", after),
    ):
        st.button(label[preset.kind], key=key, icon=icon, type="tertiary", disabled=not neighbour,
                  on_click=state.on_lesson, args=(neighbour[0] if neighbour else "",),
                  shortcut=shortcut if state.presenting() else None)  # fmt: skip


def siblings(preset: Preset) -> list[Preset]:
    """All presets of its kind and origin, in their order."""
    return [other for other in list_presets() if (other.kind, bool(other.file)) == (preset.kind, bool(preset.file))]
