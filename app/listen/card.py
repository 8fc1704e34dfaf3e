"""The card of a task with sound: the target tune, and what the network plays before training and now."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app import audio
from app.hub import RunSlot
from app.listen import text as listen_text
from engine.frame import Frame
from engine.tasks import task_of


@dataclass
class Recording:
    """The frame that was taken last; None before the first click."""

    frame: Frame | None = None


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _recording(token: str) -> Recording:
    """The recording of one run."""
    return Recording()


@st.fragment
def card(slot: RunSlot) -> None:
    """Draw three players side by side, folded at first: the stage plays, too. Nothing if the task has no sound."""
    if not task_of(slot.experiment).audible:
        return
    run, recording = slot.run, _recording(slot.token)
    with st.container(key="listen"), st.expander(listen_text.HEADING):
        if st.button(listen_text.TAKE, key="listen_take"):
            recording.frame = run.latest()
        frame = recording.frame
        tune = listen_text.tune(run.info.experiment)
        target, before, now = st.columns(3, gap="medium")
        with target:
            _player(f"**{listen_text.TUNE}**", tune)
            st.caption(" ".join(tune))
        for column, name, taken in ((before, listen_text.BEFORE, frame and run.first), (now, listen_text.NOW, frame)):
            with column:
                if taken is not None:
                    notes = listen_text.played(run.info, taken)
                    _player(listen_text.title(name, taken), notes)
                    st.caption(listen_text.score(notes, tune))
                else:
                    st.markdown(f"**{name}**")
                    st.caption(listen_text.NO_FIRST if frame is not None else listen_text.NOT_TAKEN)


def _player(title: str, notes: list[str]) -> None:
    st.markdown(title)
    st.audio(audio.waveform(notes), sample_rate=audio.SAMPLE_RATE)
