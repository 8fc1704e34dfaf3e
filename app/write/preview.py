"""The lesson as learners will see it: its card on the page Learn, and its text beside the playground."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import streamlit as st

from app import text
from app.drafts import Draft
from app.learn import setting_links
from app.learn import text as learn_text
from app.learn.page import card_body
from app.write import text as write_text
from engine.preset import Prediction, Preset, check_table, published_data

UNWRITTEN: dict[str, Any] = {"order": 1, "title": write_text.UNTITLED, "question": write_text.NOTHING_YET,
                             "look_for": write_text.NOTHING_YET, "experiment": {}}  # fmt: skip
"""What stands for a part that is not written yet, or is wrong."""


def preview(draft: Draft) -> None:
    """Draw the lesson; what is wrong is left out, so that all the rest can be seen."""
    lesson = readable(draft)
    st.caption(write_text.ON_LEARN)
    with st.container(key="cards_preview"), st.container(key="card_preview"):
        st.html(f'<p class="card-title">{escape(text.preset(lesson))}</p>{card_body(lesson)}')
    st.caption(write_text.IN_PLAYGROUND)
    with st.container(key="lesson_preview"):
        st.header(lesson.question, anchor=False)
        st.markdown(lesson.look_for)
        with st.container(key="lesson"):
            beside(lesson)


def beside(lesson: Preset) -> None:
    """What stands beside the playground. Its buttons do nothing here: the lesson is tried in the playground."""
    if lesson.predict:
        with st.expander(learn_text.PREDICT, expanded=True):
            for number, prediction in enumerate(lesson.predict):
                ask(prediction, number)
    if lesson.done is not None:
        with st.container(key="to_do"):
            st.markdown(learn_text.task(lesson, False))
    if lesson.symptom or lesson.explains or lesson.text or lesson.next:
        with st.expander(text.ABOUT[lesson.kind], expanded=True):
            if lesson.symptom:
                st.markdown(learn_text.symptom(lesson))
            if lesson.wrong:
                st.html(learn_text.wrong_line(lesson))
            setting_links.prose(lesson, "preview")
            if lesson.next:
                st.markdown(f"**{text.CHANGE_NEXT}**")
            for number, change in enumerate(lesson.next):
                st.button(change.says, key=f"preview_next_{number}", width="stretch", disabled=True)
    if lesson.claims:
        with st.expander(text.SHOULD_HAPPEN):
            for claim in lesson.claims:
                st.markdown(claim.says)


def ask(prediction: Prediction, number: int) -> None:
    """A question as it is asked, and below it the right answer with its reason, which learners see after the run."""
    st.radio(prediction.asks, prediction.answers, None, key=f"preview_ask_{number}")
    button = learn_text.RUN_IT if prediction.when.needs_training else learn_text.LOOK
    st.button(button, key=f"preview_run_{number}", icon=":material/play_arrow:", disabled=True)
    st.caption(f"{write_text.AFTER_RUN}: ✓ **{prediction.answers[prediction.right]}** · {prediction.because}")


def readable(draft: Draft) -> Preset:
    """The lesson without the parts that are wrong, and with something in the place of those that it must have."""
    table = dict(draft.table)
    lesson, problems = check_table(draft.file, table, published_data)
    while lesson is None:
        for key in {str(problem.place[0]) for problem in problems}:
            table.pop(key, None)
        lesson, problems = check_table(draft.file, {**UNWRITTEN, **table}, published_data)
        if lesson is None and not any(str(problem.place[0]) in table for problem in problems):
            lesson, problems = check_table(draft.file, UNWRITTEN)
    return replace(lesson, slug=draft.slug, file=draft.file)
