"""What a network did not know in a question: counted anew, and compared with how common its answer is."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ask.answering import answer
from engine.ask.question import Answer, Question
from engine.ask.unknown_input import NEAR, UnknownInput, unknown_input
from engine.experiment import Experiment
from engine.model import build
from engine.tasks import held_out, sample

SENTIMENT = Experiment(task="sentiment", rnn_type="many_to_one", hidden_size=3, embedding_size=2)


def asked(experiment: Experiment, **question: object) -> Answer:
    return answer(build(experiment).eval(), Question(**question), 0)


def of_answer(experiment: Experiment, result: Answer) -> UnknownInput:
    found = unknown_input(experiment, result)
    assert found is not None
    return found


def test_words_counts_and_shares_are_those_of_the_input_and_of_the_data():
    result = asked(SENTIMENT, text="Xyzzy! It was plugh, xyzzy")
    found = of_answer(SENTIMENT, result)
    assert (found.words, found.count, found.of) == (("xyzzy", "plugh"), 3, 5)
    batches = [sample(SENTIMENT, 64, (0, step)).inputs for step in range(1, 301)]
    read = np.concatenate([batch[batch >= 0] for batch in batches])
    assert found.trained_share == pytest.approx((read == 0).mean(), abs=0.01)
    batch = held_out(SENTIMENT)
    chosen = result.outputs[-1].argmax()
    assert found.probability == pytest.approx(result.outputs[-1, chosen])
    assert found.class_share == pytest.approx((batch.targets[batch.mask] == chosen).mean())


@pytest.mark.parametrize(("above", "guess"), [(-0.1, True), (0.0, True), (NEAR - 0.02, True), (NEAR + 0.02, False)])
def test_an_answer_is_a_guess_if_it_is_hardly_surer_than_its_class_is_common(above, guess):
    found = UnknownInput(words=(), count=1, of=1, trained_share=0.05, probability=0.4 + above, class_share=0.4)
    assert found.is_guess == guess


@pytest.mark.parametrize(
    ("settings", "question"),
    [
        ({"task": "sentiment", "rnn_type": "many_to_one"}, {"text": "it was good"}),
        ({"task": "sentiment", "rnn_type": "many_to_one"}, {"example": 1}),
        ({"task": "first_symbol_recall", "rnn_type": "many_to_one"}, {"text": "0123"}),  # token 0 is a digit
        ({"task": "sine", "rnn_type": "many_to_many"}, {"example": 0}),
    ],
)
def test_nothing_is_unknown_where_all_is_known(settings, question):
    e = Experiment(**settings, hidden_size=3)
    assert unknown_input(e, asked(e, **question)) is None


def test_a_network_that_answers_at_every_step_is_not_said_to_be_sure():
    e = Experiment(task="entities", rnn_type="many_to_many", hidden_size=3)
    found = of_answer(e, asked(e, text="xyzzy smiled"))
    assert (found.probability, found.class_share, found.is_guess) == (None, None, False)


def test_an_unknown_word_of_a_held_out_example_is_counted_and_has_no_name():
    e = Experiment(task="next_word", rnn_type="many_to_many", hidden_size=3)
    number = int(np.flatnonzero((held_out_probe(e) == 0).any(0))[0])
    found = of_answer(e, asked(e, example=number))
    assert found.words == () and found.count == (held_out_probe(e)[:, number] == 0).sum()


def held_out_probe(experiment: Experiment) -> np.ndarray:
    return sample(experiment, 16, (experiment.seed, 0), "test").inputs
