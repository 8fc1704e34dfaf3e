"""The card "Ask the network": a question, while it trains or after, and what the network says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app import audio
from app.ask import text as ask_text
from app.figures import ask
from app.hub import RunSlot
from engine.ask.question import LIMITS, Answer, Question, QuestionError, encode_question, reason_not_to_continue
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.tasks import TASKS, Task
from engine.workers import ANSWER, Run

POLL = 0.2  # seconds between two looks for an answer
STYLE = Path(__file__).with_name("style.css")
STILL = {"displayModeBar": False}


@dataclass
class AskState:
    """What a tab's card remembers of one run: how often it was asked, and what was wrong with the last question."""

    asked: int = 0
    problem: str = ""


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _card_state(token: str) -> AskState:
    """Of one run."""
    return AskState()


@st.fragment
def card(slot: RunSlot) -> None:
    """The fields, and below them the newest answer of this run."""
    run, experiment, card_state = slot.run, slot.experiment, _card_state(slot.token)
    with st.container(key="predict", border=True):
        st.html(STYLE)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(ask_text.HEADING, width="stretch")
            typed = _typed(TASKS[experiment.task])
        with st.form("predict_form", border=False, enter_to_submit=True):
            question = _fields(experiment, typed, run.result(ANSWER) is not None)
        if question is not None:
            _ask(run, experiment, card_state, question)
        if problem := card_state.problem or run.problem(ANSWER):
            st.warning(ask_text.escaped(problem))
        if run.is_pending(ANSWER):
            st.fragment(_watch, run_every=POLL)(run)
        answer = run.result(ANSWER)
        if answer is not None and not card_state.problem:  # an older answer would seem to belong to what was typed now
            _answer(experiment, answer)


def _typed(task: Task) -> bool:
    """Whether something is typed; where it can be, a person chooses."""
    if task.encode is None:
        return False
    ways = [ask_text.TYPE_IT, ask_text.HELD_OUT]
    way = st.segmented_control("Ask about", ways, default=ways[0], key="predict_way", required=True,
                               label_visibility="collapsed")  # fmt: skip
    return way == ask_text.TYPE_IT


def _fields(experiment: Experiment, typed: bool, again: bool) -> dict[str, object] | None:
    """What is asked, once the button is pressed. What other data would ask otherwise has a key of its own."""
    task, asked = TASKS[experiment.task], dict[str, object]()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if typed:
            with st.container(key="predict_text", width="stretch"):
                asked["text"] = st.text_input(task.asks, task.example, ask_text.MAX_CHARACTERS,
                                              key=f"predict_text_{task.slug}")  # fmt: skip
        else:
            most = int(LIMITS["example"][1].high)
            asked["example"] = st.number_input(ask_text.EXAMPLE, 0, most, 0, key="predict_example", width=150)
        if not reason_not_to_continue(experiment):
            with st.container(key="predict_steps", width=210):
                least = 0 if task.outputs == "symbols" else 1
                most, usual = ask_text.most_steps(experiment), ask_text.usual_steps(experiment)
                asked["steps"] = st.slider(ask_text.STEPS, least, most, usual, key=f"predict_steps_{task.slug}")
        if ask_text.generates(experiment):
            asked["temperature"] = st.slider(ask_text.TEMPERATURE, 0.0, ask_text.HOTTEST, 0.0, 0.1, width=190,
                                             format="%.1f", key="predict_temperature",
                                             help=ask_text.TEMPERATURE_HELP)  # fmt: skip
        label = ask_text.AGAIN if again else ask_text.ASK
        pressed = st.form_submit_button(label, key="predict_ask", icon=":material/question_answer:")
    if remark := ask_text.remark(experiment):
        st.caption(remark)
    return asked if pressed else None


def _ask(run: Run, experiment: Experiment, card_state: AskState, asked: dict[str, object]) -> None:
    """Send the question, or say at once what is wrong with it; every press draws anew where symbols are drawn."""
    try:
        question = Question(**asked, seed=card_state.asked)  # type: ignore[arg-type]
        encode_question(experiment, question)
    except QuestionError as error:
        card_state.problem = str(error)
        return
    card_state.asked, card_state.problem = card_state.asked + 1, ""
    run.request(ANSWER, question=question)


def _watch(run: Run) -> None:
    """Looked at again and again until the answer is there; then the page is drawn anew, without this."""
    st.caption(ask_text.ASKING)
    if not run.is_pending(ANSWER):
        st.rerun()  # the whole page: a fragment cannot draw the one around it


def _answer(experiment: Experiment, answer: Answer) -> None:
    task = TASKS[experiment.task]
    with st.container(key="predict_answer"):
        st.caption(ask_text.asked_at(answer))
        if strange := ask_text.unknown(task, answer):
            st.caption(ask_text.escaped(strange))
        if experiment.rnn_type in AUTOREGRESSIVE_TYPES:
            _spoken(task, answer)
        elif task.outputs == "values":
            _values(experiment, answer)
        elif len(answer.said):
            _continued(task, answer)
        elif experiment.rnn_type == "many_to_many":
            _tagged(task, answer)
        else:
            _decided(task, answer)


def _what_it_read(task: Task, answer: Answer) -> None:
    """Exactly as prepared: symbols as boxes, an image, or numbers as lines."""
    if task.image is not None:
        st.html(ask_text.picture(task, answer))
    elif task.inputs == "symbols":
        st.html(ask_text.read(task, answer))
    else:
        _chart(ask.channels(answer.inputs, task.input_labels), "What the network read, a line for each channel.")


def _decided(task: Task, answer: Answer) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(ask_text.READ)
        _what_it_read(task, answer)
    with right:
        st.markdown(ask_text.SAYS)
        st.markdown(ask_text.decided(task, answer))
        target = None if answer.targets is None else int(answer.targets[-1])
        _chart(ask.classes(task.output_labels, answer.outputs[-1], target), "The probability of every class.")


def _spoken(task: Task, answer: Answer) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(ask_text.READ)
        _what_it_read(task, answer)
    with right:
        st.markdown(ask_text.SAYS)
        st.html(ask_text.spoken(task, answer))
        st.markdown(ask_text.in_words(task, answer))
        st.caption(ask_text.BOXES)
        if task.audible:
            notes = [task.output_labels[token] for token in (*answer.inputs, *answer.said)]
            st.audio(audio.waveform(notes), sample_rate=audio.SAMPLE_RATE)


def _continued(task: Task, answer: Answer) -> None:
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown(ask_text.GOES_ON)
        st.html(ask_text.continued(task, answer))
        st.markdown(ask_text.goes_on(task, answer))
        st.caption(ask_text.BOXES)
    with right:
        st.markdown(ask_text.EXPECTS)
        right_one = None if answer.future is None else int(answer.future[0])
        _chart(ask.classes(task.output_labels, answer.said_outputs[0], right_one),
               "The probability of every symbol that may come first.")  # fmt: skip


def _tagged(task: Task, answer: Answer) -> None:
    st.markdown(ask_text.READ_AND_SAYS)
    if task.inputs != "symbols":
        _what_it_read(task, answer)
    if task.slug == "speech":
        st.audio(audio.speech(answer.inputs), sample_rate=audio.SAMPLE_RATE)
    st.html(ask_text.answered(task, answer))
    st.caption(" ".join(filter(None, [ask_text.score(answer), ask_text.BOXES])))


def _values(experiment: Experiment, answer: Answer) -> None:
    """A forecast beside what came; or numbers said while reading; or one number."""
    task, at_the_end = TASKS[experiment.task], experiment.rnn_type == "many_to_one"
    past = answer.inputs[:, 0].astype(float)
    if len(answer.said):
        future = None if answer.future is None else answer.future[:, 0]
        figure = ask.series(past, answer.said[:, 0], future, name=task.input_labels[0])
        _chart(figure, "What was read, the network's forecast, and what really came.")
        if sentence := ask_text.forecast(answer):
            st.caption(sentence)
        return
    if at_the_end:
        st.markdown(ask_text.number(answer))
        _what_it_read(task, answer)
        return
    begin, end = int(answer.counted.argmax()), len(past) - int(answer.counted[::-1].argmax())
    if not task.causal:
        past = np.where(answer.counted, np.nan, past)  # what it is asked for is hidden from it
    figure = ask.series(past, np.zeros(0), None if answer.targets is None else answer.targets[begin:end, 0],
                            name=task.input_labels[0], now=answer.outputs[begin:end, 0],
                            now_from=begin + task.causal)  # fmt: skip
    _chart(figure, "What was read, what the network says, and what would be right.")


def _chart(figure: go.Figure, label: str) -> None:
    st.plotly_chart(figure, config=STILL, alt=label)
