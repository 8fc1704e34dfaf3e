"""The card "Ask the network": a question during or after training, and the network's answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from app import audio, own_data_store, text
from app.ask import text as ask_text
from app.figures import ask
from app.figures.theme import STATIC
from app.hub import RunSlot
from app.segments import segments
from app.waiting import wait_for
from engine.ask.first_symbol import first_symbol_shares
from engine.ask.question import LIMITS, Answer, Question, QuestionError, encode_question, reason_not_to_continue
from engine.ask.unknown_input import UnknownInput, unknown_input
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.tasks import Task, task_of
from engine.workers import ANSWER, Run

STYLE = Path(__file__).with_name("style.css")


@dataclass
class AskState:
    """A tab's state of this card for one run: the number of questions, and what was wrong with the last one."""

    asked: int = 0
    problem: str = ""


@st.cache_resource(scope="session", max_entries=4, show_spinner=False)
def _card_state(token: str) -> AskState:
    """The card's state for one run."""
    return AskState()


@st.fragment
def card(slot: RunSlot) -> None:
    """Draw the fields, and below them the newest answer of this run."""
    run, experiment, card_state = slot.run, slot.experiment, _card_state(slot.token)
    is_series = task_of(experiment).inputs == "values" and not reason_not_to_continue(experiment)
    with st.container(key="predict"), st.expander(ask_text.HEADING, expanded=is_series):
        st.html(STYLE)
        typed = _typed(task_of(experiment))
        with st.form("predict_form", border=False, enter_to_submit=True):
            question = _fields(experiment, typed, run.result(ANSWER) is not None)
        if question is not None:
            has_left = slot.own()
            _ask(slot.run, experiment, _card_state(slot.token), question)
            if has_left:
                st.rerun()  # the page shows another run now
        if problem := card_state.problem or run.problem(ANSWER):
            st.warning(text.escaped(problem))
        wait_for(run, ANSWER, ask_text.ASKING)
        answer = run.result(ANSWER)
        if answer is not None and not card_state.problem:  # an older answer would look like the answer to this question
            _answer(experiment, answer)


def _typed(task: Task) -> bool:
    """Draw the choice between a typed text and an example; True for a typed text, if the task can read one."""
    if task.encode is None:
        return False
    ways = [ask_text.TYPE_IT, ask_text.HELD_OUT]
    return segments("Ask about", ways, key="predict_way", label_visibility="collapsed") == ask_text.TYPE_IT


def _fields(experiment: Experiment, typed: bool, again: bool) -> dict[str, object] | None:
    """Draw the question's fields; return their values once the button was pressed. All data have their own keys."""
    task, data, question = task_of(experiment), own_data_store.option_of(experiment), dict[str, object]()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if typed:
            with st.container(key="predict_text", width="stretch"):
                question["text"] = st.text_input(text.escaped(task.asks), task.example, ask_text.MAX_CHARACTERS,
                                              key=f"predict_text_{data}")  # fmt: skip
        else:
            last = int(LIMITS["example"][1].high)
            question["example"] = st.number_input(ask_text.EXAMPLE, 0, last, 0, key="predict_example", width=150)
        if not reason_not_to_continue(experiment):
            with st.container(key="predict_steps", width=210):
                lowest = 0 if task.outputs == "symbols" else 1
                highest, default = ask_text.max_steps(experiment), ask_text.default_steps(experiment)
                question["steps"] = st.slider(ask_text.STEPS, lowest, highest, default, key=f"predict_steps_{data}")
        if ask_text.generates(experiment):
            question["temperature"] = st.slider(
                ask_text.TEMPERATURE, 0.0, ask_text.MAX_TEMPERATURE, 0.0, 0.1, width=190, format="%.1f",
                key="predict_temperature", help=ask_text.TEMPERATURE_HELP,
            )  # fmt: skip
        label = ask_text.AGAIN if again else ask_text.ASK
        pressed = st.form_submit_button(label, key="predict_ask", icon=":material/question_answer:")
    if remark := ask_text.remark(experiment):
        st.caption(remark)
    return question if pressed else None


def _ask(run: Run, experiment: Experiment, card_state: AskState, fields: dict[str, object]) -> None:
    """Send the question, or report what is wrong with it; every question has its own random seed."""
    try:
        question = Question(**fields, seed=card_state.asked)  # type: ignore[arg-type]
        encode_question(experiment, question)
    except QuestionError as error:
        card_state.problem = str(error)
        return
    card_state.asked, card_state.problem = card_state.asked + 1, ""
    run.request(ANSWER, question=question)


def _answer(experiment: Experiment, answer: Answer) -> None:
    task = task_of(experiment)
    with st.container(key="predict_answer"):
        st.caption(ask_text.asked_at(answer))
        found = unknown_input(experiment, answer)
        if warning := ask_text.unknown(task, found):
            st.caption(text.escaped(warning))
        if answer.read_nothing:
            _first(experiment, answer)
        elif experiment.rnn_type in AUTOREGRESSIVE_TYPES:
            _generated(task, answer)
        elif task.outputs == "values":
            _values(experiment, answer)
        elif len(answer.generated):
            _continued(task, answer)
        elif experiment.rnn_type == "many_to_many":
            _tagged(task, answer)
        else:
            _classified(task, answer, found)


def _input(task: Task, answer: Answer) -> None:
    """The input as the network read it: symbols as boxes, an image, or numbers as lines."""
    if task.image is not None:
        st.html(ask_text.image(task, answer))
    elif task.inputs == "symbols":
        st.html(ask_text.read(task, answer))
    else:
        _chart(ask.channels(answer.inputs, task.input_labels), "What the network read, a line for each channel.")


def _classified(task: Task, answer: Answer, found: UnknownInput | None) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(ask_text.READ)
        _input(task, answer)
    with right:
        st.markdown(ask_text.SAYS)
        st.markdown(ask_text.classified(task, answer, found))
        target = None if answer.targets is None else int(answer.targets[-1])
        _chart(ask.classes(task.output_labels, answer.outputs[-1], target), "The probability of every class.")


def _generated(task: Task, answer: Answer) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown(ask_text.READ)
        _input(task, answer)
    with right:
        st.markdown(ask_text.SAYS)
        st.html(ask_text.generated(task, answer))
        st.markdown(ask_text.in_words(task, answer))
        st.caption(ask_text.BOXES)
        if task.audible:
            notes = [task.output_labels[token] for token in (*answer.inputs, *answer.generated)]
            st.audio(audio.waveform(notes), sample_rate=audio.SAMPLE_RATE)


def _first(experiment: Experiment, answer: Answer) -> None:
    """The probability of every first symbol, before anything was read; and how the network goes on from there."""
    task = task_of(experiment)
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown(ask_text.comes_first(task, answer, first_symbol_shares(experiment)))
        if len(answer.generated):
            st.html(ask_text.continued(task, answer))
            st.markdown(ask_text.goes_on(task, answer))
            st.caption(ask_text.BOXES)
    with right:
        st.markdown(ask_text.COMES_FIRST)
        _chart(ask.classes(task.output_labels, answer.outputs[0]), "The probability of every first symbol.")


def _continued(task: Task, answer: Answer) -> None:
    left, right = st.columns([2, 1], gap="medium")
    with left:
        st.markdown(ask_text.GOES_ON)
        st.html(ask_text.continued(task, answer))
        st.markdown(ask_text.goes_on(task, answer))
        st.caption(ask_text.BOXES)
    with right:
        st.markdown(ask_text.EXPECTS)
        target = None if answer.future is None else int(answer.future[0])
        _chart(ask.classes(task.output_labels, answer.generated_outputs[0], target),
               "The probability of every symbol that may come first.")  # fmt: skip


def _tagged(task: Task, answer: Answer) -> None:
    st.markdown(ask_text.READ_AND_SAYS)
    if task.inputs != "symbols":
        _input(task, answer)
    if task.slug == "speech":
        st.audio(audio.speech(answer.inputs), sample_rate=audio.SAMPLE_RATE)
    st.html(ask_text.answered(task, answer))
    st.caption(" ".join(filter(None, [ask_text.score(answer), ask_text.BOXES])))


def _values(experiment: Experiment, answer: Answer) -> None:
    """A forecast beside the true values; or numbers that were predicted while reading; or one number."""
    task, at_the_end = task_of(experiment), experiment.rnn_type == "many_to_one"
    past = answer.inputs[:, 0].astype(float)
    if len(answer.generated):
        future = None if answer.future is None else answer.future[:, 0]
        figure = ask.series(past, answer.generated[:, 0], future, name=task.input_labels[0])
        _chart(figure, "The input, the network's forecast, and the true values.")
        if sentence := ask_text.forecast(answer):
            st.caption(sentence)
        return
    if at_the_end:
        st.markdown(ask_text.number(answer))
        _input(task, answer)
        return
    begin, end = int(answer.counted.argmax()), len(past) - int(answer.counted[::-1].argmax())
    if not task.causal:
        past = np.where(answer.counted, np.nan, past)  # the values that it must predict are hidden from it
    figure = ask.series(past, np.zeros(0), None if answer.targets is None else answer.targets[begin:end, 0],
                            name=task.input_labels[0], now=answer.outputs[begin:end, 0],
                            now_from=begin + task.causal)  # fmt: skip
    _chart(figure, "The input, the network's outputs, and the targets.")


def _chart(figure: go.Figure, label: str) -> None:
    st.plotly_chart(figure, config=STATIC, alt=label)
