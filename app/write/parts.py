"""The parts of a lesson of which there may be several, or none: questions, suggestions, the goal."""

from __future__ import annotations

from typing import Any

import streamlit as st

from app.drafts import Place
from app.verdicts import VERDICTS
from app.write import text as write_text
from app.write.fields import Form, lines

QUESTION = {"answers": ["Yes", "No"], "right": 0, "steps": 300}
GOAL = {"says": "Wait until it is solved.", "solved": True}


def predictions(form: Form) -> None:
    """The questions that are asked before a run."""
    every = entries(form, "predict")
    with form.section(write_text.PREDICT, ("predict",), entries=len(every)):
        for number in range(len(every)):
            with st.container(key=f"entry_predict_{number}"):
                prediction(form, ("predict", number))
        st.button(write_text.PREDICT_ADD, key="add_predict", icon=":material/add:",
                  on_click=form.add, args=("predict", {**QUESTION, "answers": [*QUESTION["answers"]]}))  # fmt: skip
        form.told.add(("predict",))


def prediction(form: Form, at: Place) -> None:
    """One question, its answers, and when the right one is shown."""
    form.line((*at, "asks"), write_text.ASKS)
    answers = form.value((*at, "answers")) or []
    form.area((*at, "answers"), write_text.ANSWERS, 112, read=lines, show="\n".join)

    def answer(number: int) -> str:
        return str(answers[number])

    form.pick((*at, "right"), write_text.RIGHT, range(len(answers)), answer)
    form.area((*at, "because"), write_text.BECAUSE, 80)
    steps = (*at, "when", "step") if form.value((*at, "when", "step")) is not None else (*at, "steps")
    left, right = st.columns(2, vertical_alignment="bottom")
    with left:
        form.number(steps, write_text.WHEN_STEPS, placeholder=write_text.AT_ONCE)
        form.tell((*at, "when", "step"))
    with right:
        form.settings((*at, "settings"), write_text.SETTINGS)
    if st.toggle(write_text.WHEN_MORE, bool(form.value((*at, "when"))), key=form.key((*at, "more"))):
        condition(form, (*at, "when"))
    form.tell((*at, "when"))
    remove(form, at, write_text.PREDICT_REMOVE)


def suggestions(form: Form) -> None:
    """The buttons that change the lesson's settings."""
    every = entries(form, "next")
    with form.section(write_text.NEXT, ("next",), entries=len(every)):
        for number in range(len(every)):
            with st.container(key=f"entry_next_{number}"):
                left, right = st.columns(2)
                with left:
                    form.line(("next", number, "says"), write_text.SAYS)
                with right:
                    form.settings(("next", number, "settings"), write_text.SETTINGS)
                remove(form, ("next", number), write_text.NEXT_REMOVE)
        st.button(write_text.NEXT_ADD, key="add_next", icon=":material/add:", on_click=form.add, args=("next", {}))
        form.told.add(("next",))


def goal(form: Form) -> None:
    """What completes the lesson."""
    with form.section(write_text.DONE, ("done",)):
        if form.value(("done",)) is None:
            st.button(write_text.DONE_ADD, key="add_done", icon=":material/add:",
                      on_click=on_goal, args=(form,))  # fmt: skip
            return
        form.line(("done", "says"), write_text.DONE_SAYS)
        st.caption(write_text.DONE_NOTE)
        form.number(("done", "step"), write_text.CONDITIONS["step"])
        condition(form, ("done",))
        form.settings(("done", "settings"), write_text.DONE_SETTINGS)
        form.tell(("done",))
        remove(form, ("done",), write_text.DONE_REMOVE)


def on_goal(form: Form) -> None:
    """Begin with the commonest goal."""
    form.draft.table["done"] = dict(GOAL)
    form.draft.version += 1
    form.changed()


def condition(form: Form, at: Place) -> None:
    """What a run must show, but for its updates."""
    kind, loss, metric = st.columns(3)
    with kind:
        form.pick((*at, "kind"), write_text.CONDITIONS["kind"], ["", *VERDICTS],
                  lambda name: VERDICTS[name].label if name else write_text.ANY_VERDICT, usual="")  # fmt: skip
    for column, key in ((loss, "loss"), (metric, "metric")):
        with column:
            form.number((*at, key), write_text.CONDITIONS[key])
    solved, broken = st.columns(2)
    for column, key in ((solved, "solved"), (broken, "broken")):
        with column:
            form.switch((*at, key), write_text.CONDITIONS[key])


def entries(form: Form, key: str) -> list[Any]:
    """The entries of a list of the draft."""
    return form.value((key,)) or []


def remove(form: Form, at: Place, label: str) -> None:
    """The button that removes an entry."""
    st.button(label, key=f"remove_{'_'.join(map(str, at))}", type="tertiary", icon=":material/delete:",
              on_click=form.remove, args=(at,))  # fmt: skip
