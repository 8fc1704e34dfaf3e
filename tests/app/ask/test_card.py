"""The card "Ask the network": what it asks of the run, and what it makes of the answer."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.ask import card
from app.ask import text as ask_text
from app.figures import ask
from engine.ask.answering import answer
from engine.ask.question import Answer, Question, reason_not_to_continue
from engine.experiment import Experiment
from engine.model import build
from engine.tasks import TASKS
from engine.workers import ANSWER
from tests.app.conftest import move, opened, press, run, slot
from tests.fakes import FakePool, FakeRun

KINDS = [(task.slug, kind) for task in TASKS.values() for kind in task.rnn_types]


def asked(page: AppTest, fake: FakePool) -> Question:
    """The question that one press sends."""
    calls = fake.runs[-1].calls
    calls.clear()
    press(page, "predict_ask")
    (arguments,) = [value for what, value in calls if what == ANSWER.name]
    return arguments["question"]


def answered(page: AppTest, fake: FakePool, result: Answer) -> AppTest:
    """The answer arrives."""
    only: FakeRun = fake.runs[-1]
    only.finish(ANSWER, result)
    return run(page)


def words(page: AppTest) -> str:
    """Everything that is written on the page."""
    return "\n".join(each.value for kind in ("markdown", "caption", "warning") for each in page.get(kind))


def boxes(page: AppTest) -> list[str]:
    """The text of every box of the card, in order."""
    html = "".join(each.proto.body for each in page.get("html"))
    return re.findall(r'<i class="[^"]*"[^>]*>([^<]*)</i>', html)


def answer_of(experiment: Experiment, **question: object) -> Answer:
    return answer(build(experiment).eval(), Question(**question), 0)


# ---- asking


def test_what_is_typed_is_asked_and_every_press_draws_anew(pool):
    page = opened(task="characters", rnn_type="many_to_many")
    assert page.text_input(key="predict_text_characters").value == TASKS["characters"].example
    assert asked(page, pool) == Question(text=TASKS["characters"].example, steps=60, seed=0)
    page.text_input(key="predict_text_characters").set_value("Oh dear")
    page.slider(key="predict_steps_characters").set_value(9)
    page.slider(key="predict_temperature").set_value(0.7)
    assert asked(page, pool) == Question(text="Oh dear", steps=9, temperature=0.7, seed=1)


def test_a_held_out_example_is_asked_by_its_number(pool):
    page = opened(task="digits", rnn_type="one_to_one")
    page.number_input(key="predict_example").set_value(7)
    assert asked(page, pool) == Question(example=7)
    assert page.get("text_input") == []


def test_where_something_can_be_typed_a_held_out_example_can_be_asked_too(pool):
    page = move(opened(task="sentiment"), "predict_way", ask_text.HELD_OUT)
    assert asked(page, pool) == Question(example=0, seed=0)


@pytest.mark.parametrize(
    ("link", "steps", "temperature"),
    [
        ({"task": "characters", "rnn_type": "many_to_many"}, True, True),
        ({"task": "characters", "rnn_type": "many_to_many", "bidirectional": "true"}, False, False),
        ({"task": "stocks"}, True, False),
        ({"task": "reverse", "rnn_type": "encoder_decoder"}, False, True),
        ({"task": "parity", "rnn_type": "many_to_many"}, False, False),
    ],
)
def test_only_what_makes_sense_can_be_set(pool, link, steps, temperature):
    keys = [each.key for each in opened(**link).slider]
    assert any(key.startswith("predict_steps") for key in keys) == steps
    assert ("predict_temperature" in keys) == temperature


def test_a_network_that_reads_both_ways_says_why_it_does_not_go_on(pool):
    assert "reads both ways" in words(opened(task="characters", rnn_type="many_to_many", bidirectional="true"))


def test_a_network_that_answers_once_needs_no_such_excuse(pool):
    assert "reads both ways" not in words(opened(task="sentiment", bidirectional="true"))


def test_what_cannot_be_read_is_said_at_once_and_nothing_is_lost(pool):
    page = opened(task="reverse", rnn_type="encoder_decoder")
    result = answer_of(slot().experiment, text="BADGE")
    page = answered(page, pool, result)
    page.text_input(key="predict_text_reverse").set_value("BAD?E")
    pool.runs[-1].calls.clear()
    press(page, "predict_ask")
    assert [what for what, _ in pool.runs[-1].calls if what == ANSWER.name] == []
    assert "“?” cannot be read here" in words(page)
    assert page.text_input(key="predict_text_reverse").value == "BAD?E"
    assert boxes(page) == []  # the older answer would seem to be one to this
    page.text_input(key="predict_text_reverse").set_value("BADE")
    assert asked(page, pool).text == "BADE" and "cannot be read" not in words(page)


# ---- waiting and forgetting


def test_until_the_answer_is_there_the_card_says_so(pool):
    page = opened(task="sentiment")
    assert ask_text.ASKING not in words(page)
    asked(page, pool)
    assert ask_text.ASKING in words(page)
    page = answered(page, pool, dataclasses.replace(answer_of(slot().experiment, text="not good"), step=1840))
    assert ask_text.ASKING not in words(page) and "Asked at step 1,840 · what you typed" in words(page)
    assert page.button(key="predict_ask").label == ask_text.AGAIN


def test_why_there_is_no_answer_is_said(pool):
    page = opened(task="sentiment")
    problem = "This run has ended, so it gives no answer any more."
    pool.runs[-1].finish(ANSWER, problem=problem)
    assert problem in words(run(page))


@pytest.mark.parametrize("how", ["reset", "hidden_size"])
def test_another_run_has_no_answer_yet(pool, how):
    page = answered(opened(task="sentiment"), pool, answer_of(slot().experiment, text="not good"))
    assert boxes(page) == ["not", "good"]
    page = press(page, "reset") if how == "reset" else move(page, "hidden_size", 9)
    assert len(pool.runs) == 2 and boxes(page) == [] and "Asked at step" not in words(page)


# ---- the answer


def test_a_class_is_said_in_words_beside_all_probabilities(pool):
    page = opened(task="sentiment")
    result = answer_of(slot().experiment, text="xyzzy was not good")
    result = dataclasses.replace(result, outputs=np.array([[np.nan] * 2] * 3 + [[0.2, 0.8]]))
    page = answered(page, pool, result)
    assert boxes(page) == ["&lt;UNK&gt;", "was", "not", "good"] and "**positive** with a probability of 80%; " in words(
        page
    )
    (chart,) = page.get("plotly_chart")
    assert "80.0%" in chart.proto.spec and "20.0%" in chart.proto.spec
    page = answered(page, pool, dataclasses.replace(result, targets=np.array([0, 0, 0, 0])))
    assert "1 of the 4 words. Wrong: the right answer is **negative**." in words(page)


@pytest.mark.parametrize(
    ("text", "row", "said"),
    [
        (
            "xyzzy plugh",
            (0.45, 0.55),
            "It does not know any of the 2 words (“xyzzy” and “plugh”) and read <UNK> instead.",
        ),
        ("xyzzy plugh", (0.45, 0.55), "It is 55% sure of its answer, and "),
        ("xyzzy plugh", (0.45, 0.55), "% of the held-out examples have that answer: it is a guess."),
        ("xyzzy plugh", (0.1, 0.9), "It is 90% sure of its answer, though it knows no word of the input."),
        ("xyzzy was good", (0.001, 0.999), "It does not know 1 of the 3 words (“xyzzy”) and read <UNK> instead."),
        ("xyzzy was good", (0.001, 0.999), "It is more than 99% sure of its answer."),
        ("the the xyzzy was plugh", (0.001, 0.999), "probability of more than 99%; it does not know 2 of the 5 words."),
        ("xyzzy", (0.1, 0.9), "probability of 90%; it does not know the only word."),
        (
            "aa bc de fgh " + "i" * 50,
            (0.1, 0.9),
            "It does not know any of the 5 words (“aa”, “bc”, “de” and 2 more) and read",
        ),
    ],
)
def test_what_it_did_not_know_is_named_and_how_sure_it_is(pool, text, row, said):
    page = opened(task="sentiment")
    result = answer_of(slot().experiment, text=text)
    outputs = np.array([[np.nan] * 2] * (len(result.inputs) - 1) + [row])
    page = answered(page, pool, dataclasses.replace(result, outputs=outputs))
    told = words(page).replace("\\", "")
    share = re.search(r"In training it reads about (\d+)% of the words as <UNK>, too,", told)
    assert said in told and share and int(share[1]) in (4, 5, 6)


def test_nothing_is_said_of_unknown_words_where_all_are_known(pool):
    page = opened(task="sentiment")
    page = answered(page, pool, answer_of(slot().experiment, text="it was not good"))
    assert "does not know" not in words(page)


def test_a_text_goes_on_in_boxes_of_its_own(pool):
    page = opened(task="characters", rnn_type="many_to_many")
    labels = TASKS["characters"].output_labels
    result = answer_of(slot().experiment, text="Oh", steps=3)
    result = dataclasses.replace(result, generated=np.array([labels.index(each) for each in " *."]))
    page = answered(page, pool, result)
    assert boxes(page) == ["nothing yet", "o", "h", "␣", "*", "."]
    assert "The network continues: “ \\*.”" in words(page)


@pytest.mark.parametrize("rnn_type", ["many_to_many", "many_to_one"])
def test_an_empty_text_asks_what_comes_first(pool, rnn_type):
    page = opened(task="characters", rnn_type=rnn_type)
    page.text_input(key="predict_text_characters").set_value("")
    assert asked(page, pool).text == ""
    result = answer_of(slot().experiment, text="", steps=3)
    outputs = np.where(np.arange(result.outputs.shape[1]) == TASKS["characters"].output_labels.index("t"), 0.4, 0.01)
    page = answered(page, pool, dataclasses.replace(result, outputs=outputs[None]))
    told = words(page)
    assert "nothing typed" in told and ask_text.COMES_FIRST in told and boxes(page)[0] == "nothing yet"
    assert "The most probable first character is **t**, with a probability of 40%; " in told
    assert "of the held-out sequences begin with it." in told and "The network continues" in told
    (chart,) = page.get("plotly_chart")
    assert "40.0%" in chart.proto.spec
    page = answered(page, pool, dataclasses.replace(result, generated=result.generated[:0]))
    assert "The network continues" not in words(page) and ask_text.COMES_FIRST in words(page)


def test_a_translation_is_written_out_and_corrected(pool):
    page = opened(task="addition", rnn_type="encoder_decoder", seq_len="5")
    labels = TASKS["addition"].output_labels
    result = answer_of(slot().experiment, example=2)
    result = dataclasses.replace(result, generated=np.array([labels.index(each) for each in "15."]),
                                 generated_outputs=result.generated_outputs[:1].repeat(3, 0),
                                 future=np.array([labels.index(each) for each in "12."]))  # fmt: skip
    page = answered(page, pool, result)
    assert "“15”. Wrong: the right answer is “12”." in words(page) and boxes(page)[-3:] == ["1", "5", "."]
    assert "".join(each.proto.body for each in page.get("html")).count("✗ 2") == 1
    page = answered(page, pool, dataclasses.replace(result, future=result.generated))
    assert "“15”. Right." in words(page)


def test_a_tune_can_be_heard(pool):
    page = opened(task="melody", rnn_type="one_to_many")
    players = len(page.get("audio"))
    assert len(answered(page, pool, answer_of(slot().experiment, text="G4")).get("audio")) == players + 1


def test_a_forecast_is_drawn_beside_what_came_and_compared_with_standing_still(pool):
    page = opened(task="stocks", rnn_type="many_to_many")
    result = answer_of(slot().experiment, example=1, steps=4)
    result = dataclasses.replace(result, generated=result.future + np.float32(0.5))
    page = answered(page, pool, result)
    (chart,) = page.get("plotly_chart")
    assert "predicted next" in chart.proto.spec and '"dash":"dash"' in chart.proto.spec
    still = np.abs(result.inputs[-1] - result.future).mean()
    assert f"Over the 4 steps whose true values are known, the forecast's mean absolute error is 0.50; repeating the last value would give {still:.2f}." in words(page)  # noqa: E501 # fmt: skip


@pytest.mark.parametrize(("task", "kind"), KINDS, ids=[f"{task}-{kind}" for task, kind in KINDS])
def test_every_task_has_an_answer_that_can_be_shown(task, kind, monkeypatch):
    """Without a page: Streamlit's functions do nothing then."""
    drawn: list[str] = []
    monkeypatch.setattr(card.st, "html", drawn.append)
    monkeypatch.setattr(card, "_chart", lambda figure, label: drawn.append(label))
    e = Experiment(task=task, rnn_type=kind, hidden_size=2)
    goes_on = not reason_not_to_continue(e)
    questions = [{"example": 3}, {"example": 3, "steps": 5 * goes_on}]
    if TASKS[task].encode is not None:
        questions.append({"text": TASKS[task].example, "steps": ask_text.default_steps(e) * goes_on})
    for question in questions:
        drawn.clear()
        card._answer(e, answer_of(e, **question))
        assert drawn and all("nan" not in each for each in drawn)


# ---- the figures


def test_the_most_probable_classes_come_first_and_the_right_one_is_ticked():
    drawn = ask.classes([*"abcdefghij"], np.arange(10) / 45, target=8)
    assert drawn.layout.yaxis.ticktext == ("j", "i ✓", "h", "g", "f", "e", "d", "c")
    assert drawn.data[0].x.tolist() == pytest.approx((np.arange(9, 1, -1) / 45).tolist())
    assert ask.classes(["<UNK>", " "], np.array([0.9, 0.1])).layout.yaxis.ticktext == ("&lt;UNK&gt;", "␣")


def test_a_forecast_begins_where_reading_ended():
    drawn = ask.series(np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0]), name="price")
    read, came, forecast = drawn.data
    assert (read.x.tolist(), read.y.tolist()) == ([0, 1], [1, 2])
    assert (came.x.tolist(), came.y.tolist()) == ([1, 2], [2, 5])
    assert (forecast.x.tolist(), forecast.y.tolist(), forecast.line.dash) == ([1, 2, 3], [2, 3, 4], "dash")
    assert forecast.text == ("", "3.00", "4.00")
    assert forecast.textposition == ("top center", "bottom center", "top center")


def test_what_is_said_while_reading_stands_at_its_own_steps():
    past = np.array([1.0, np.nan, 2.0])
    _, came, predicted = ask.series(
        past, np.zeros(0), np.array([7.0]), name="gap", now=np.array([6.0]), now_from=1
    ).data
    assert (came.x.tolist(), came.y.tolist(), predicted.x.tolist(), predicted.y.tolist()) == ([1], [7], [1], [6])
