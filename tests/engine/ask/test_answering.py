"""Asking a network: what it reads, how it goes on by itself, and that asking changes nothing."""

from __future__ import annotations

import copy
import dataclasses
import pickle

import numpy as np
import pytest
import torch

from engine.ask.answering import answer
from engine.ask.first_symbol import first_symbol_shares
from engine.ask.question import Question, QuestionError, encode_question, ends_itself
from engine.experiment import Experiment
from engine.model import RecurrentNetwork, build
from engine.tasks import END, NO_SYMBOL, PROBE_SIZE, TASKS, held_out, probe
from engine.training import Trainer
from engine.workers.requests import answer_question
from tests.engine.conftest import assert_same

CELLS = [{"cell": "rnn"}, {"cell": "gru", "num_layers": 2}, {"cell": "lstm", "output_layers": 1},
         {"cell": "gru_simple"}, {"cell": "feedforward"}, {"cell": "feedforward", "window": 3}]  # fmt: skip
EVERY_CELL = pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell['cell']}-{len(cell)}")
FIRST = [("characters", "many_to_many"), ("characters", "many_to_one"), ("next_word", "many_to_many")]
EVERY_TYPE = pytest.mark.parametrize("rnn_type", ["many_to_many", "many_to_one"])


def network(**settings: object) -> RecurrentNetwork:
    """In float64, with weights so large that it does not say the same thing again and again."""
    model = build(Experiment(**{"hidden_size": 7, "init_gain": 2.0, "seed": 3, **settings})).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= 3
    return model


def constant(model: RecurrentNetwork, logits: np.ndarray) -> RecurrentNetwork:
    """It says this whatever it reads."""
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.bias.copy_(torch.tensor(logits))
    return model


def reread(model: RecurrentNetwork, question: Question) -> list:
    """Slowly: the whole sequence is read anew before every single step. Symbols are the most probable."""
    batch, outputs = encode_question(model.experiment, question).batch, []
    for _ in range(question.steps):
        with torch.no_grad():
            last = model(batch)[-1].numpy()  # (1, output_size)
        fed_back = last.argmax(-1) if model.symbols_out else last
        outputs.append(fed_back[0])
        inputs = np.concatenate([batch.inputs, fed_back[None]])
        mask = np.ones(inputs.shape[:2], bool)
        batch = dataclasses.replace(batch, inputs=inputs, targets=inputs, mask=mask, lengths=np.array([len(inputs)]))
    return outputs


# ---- the question


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"steps": 201}, "The number of steps must be a whole number from 0 to 200, but got 201."),
        ({"steps": 1.5}, "The number of steps must be"),
        ({"temperature": -0.1}, "The temperature must be a number from 0 to 5, but got -0.1."),
        ({"temperature": float("nan")}, "The temperature must be"),
        ({"example": 1000}, "The number of the example must be a whole number from 0 to 999"),
        ({"seed": True}, "The seed must be"),
    ],
)
def test_a_question_that_cannot_be_says_what_is_accepted(wrong, sentence):
    with pytest.raises(QuestionError) as caught:
        Question(**wrong)
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("settings", "question", "sentence"),
    [
        ({"task": "digits", "rnn_type": "one_to_one"}, {"text": "7"}, "Nothing can be typed for these data"),
        ({"task": "characters", "bidirectional": True}, {"steps": 3}, "reads both ways"),
        ({"task": "parity"}, {"steps": 1}, "is not its next input"),
        ({"task": "melody", "rnn_type": "one_to_many"}, {"steps": 1}, "is not its next input"),
        ({"task": "parity"}, {"text": "0120"}, "“2” cannot be read here"),
        ({"task": "sentiment"}, {"text": " "}, "From 1 to 200 words can be read here"),
    ],
)
def test_a_question_that_does_not_fit_the_network_is_refused_with_a_sentence(settings, question, sentence):
    trainer = Trainer(Experiment(**settings, hidden_size=3))
    with pytest.raises(QuestionError, match=sentence):
        answer_question(trainer, Question(**question))
    assert trainer.model.training


def test_numbers_that_are_not_finite_are_no_answer():
    for settings in ({"task": "characters"}, {"task": "sine"}, {"task": "reverse", "rnn_type": "encoder_decoder"}):
        trainer = Trainer(Experiment(**settings, hidden_size=3))
        with torch.no_grad():
            trainer.model.head.bias.fill_(torch.nan)
        with pytest.raises(QuestionError, match="no longer finite"):
            answer_question(trainer, Question())


# ---- what is read


@pytest.mark.parametrize("number", [0, 5, 21])
@pytest.mark.parametrize(
    "settings",
    [{"task": "sentiment"}, {"task": "xor", "rnn_type": "many_to_many"}, {"task": "adding"},
     {"task": "digits", "rnn_type": "one_to_one"}],
    ids=lambda settings: settings["task"],
)  # fmt: skip
def test_a_held_out_example_is_read_without_padding_and_answered_as_the_model_does(settings, number):
    e = Experiment(**settings, hidden_size=5)
    trainer = Trainer(e)
    result = answer_question(trainer, Question(example=number))
    if number < PROBE_SIZE:
        batch = probe(e)
        real = batch.lengths[number]
        assert np.array_equal(result.inputs, batch.inputs[:real, number])
        assert np.array_equal(result.counted, batch.mask[:real, number])
        assert np.array_equal(result.targets[result.counted], batch.targets[:real, number][result.counted])
        with torch.no_grad():
            wanted = trainer.model.eval()(batch)[:, number]
        wanted = torch.softmax(wanted, -1).numpy() if trainer.model.symbols_out else wanted.numpy()
        shown = result.outputs[result.counted] if e.rnn_type == "many_to_one" else result.outputs
        np.testing.assert_allclose(shown, wanted[: len(shown)], rtol=1e-5)
    assert len(result.generated) == 0 and result.future is None and result.step == 0
    if e.rnn_type == "many_to_one":
        assert np.isnan(result.outputs[:-1]).all() and np.isfinite(result.outputs[-1]).all()
    with pytest.raises(ValueError, match="read-only"):
        pickle.loads(pickle.dumps(result)).outputs[0] = 0


def test_what_is_typed_is_prepared_as_in_training():
    labels = TASKS["sentiment"].input_labels
    result = answer_question(
        Trainer(Experiment(task="sentiment", hidden_size=3)), Question(text="It was NOT, xyzzy: Good!")
    )
    assert [labels[token] for token in result.inputs] == ["it", "was", "not", "<UNK>", "good"]
    assert result.counted.tolist() == [False] * 4 + [True] and result.targets is None
    result = answer_question(Trainer(Experiment(task="characters", hidden_size=3)), Question(text="Oh dear", steps=2))
    assert result.inputs[0] == NO_SYMBOL
    assert "".join(TASKS["characters"].input_labels[token] for token in result.inputs[1:]) == "oh dear"


@pytest.mark.parametrize(("steps", "length"), [(0, 12), (1, 12), (4, 9), (7, 6), (20, 6)])
def test_a_part_of_the_probes_sequence_is_kept_from_a_network_that_goes_on(steps, length):
    e = Experiment(task="stocks", rnn_type="many_to_many", seq_len=12, hidden_size=3)
    result, batch = answer_question(Trainer(e), Question(example=2, steps=steps)), probe(e)
    whole = np.concatenate([batch.inputs[:, 2], batch.targets[-1:, 2]])
    assert np.array_equal(result.inputs, whole[:length]) and np.array_equal(result.targets, whole[1 : length + 1])
    assert result.generated.shape == (steps, 1)
    if steps:
        assert np.array_equal(result.future, whole[length : length + steps])
    else:
        assert result.future is None


def test_a_network_with_one_answer_reads_as_much_as_in_training_and_its_future_is_known():
    """A sum of two sines obeys one linear law of order four from its first value to its last."""
    e = Experiment(task="sine", rnn_type="many_to_one", seq_len=30, hidden_size=3)
    result = answer_question(Trainer(e), Question(example=3, steps=25))
    assert result.inputs.shape == (30, 1) and result.future.shape == (25, 1)
    assert np.flatnonzero(result.counted).tolist() == [29] and result.targets[-1] == result.future[0]
    curve = np.concatenate([result.inputs, result.future])[:, 0].astype(float)
    one, other = 2 * np.cos(2 * np.pi / 20), 2 * np.cos(2 * np.pi / 7)
    law = [1, -(one + other), 2 + one * other, -(one + other), 1]
    assert np.abs(np.convolve(curve, law, "valid")).max() < 1e-5 < np.abs(np.diff(curve)).max()


@EVERY_CELL
@pytest.mark.parametrize(("task", "rnn_type"), FIRST)
def test_an_empty_text_gives_the_first_symbol_from_the_zero_input_and_the_zero_state(cell, task, rnn_type):
    """A plain RNN's by hand; every other cell's is what the model says at the first step of any training sequence."""
    model = network(task=task, rnn_type=rnn_type, seq_len=8, embedding_size=3, **cell)
    result = answer(model, Question(text="", steps=3), 0)
    assert result.read_nothing and result.inputs.tolist() == [NO_SYMBOL] and result.counted.tolist() == [True]
    with torch.no_grad():
        states = model.recurrent(model.embed(probe(model.experiment)))[0][:1]
        wanted = torch.softmax(model.apply_head(states, np.ones(PROBE_SIZE, np.int64))[0, 0], -1)
    np.testing.assert_allclose(result.outputs[0], wanted.numpy(), rtol=1e-9)
    assert np.array_equal(result.generated_outputs[0], result.outputs[0])
    assert result.generated.tolist() == reread(model, Question(text="", steps=len(result.generated)))
    if cell == {"cell": "rnn"}:
        weights = model.state_dict()
        sums = [value for name, value in weights.items() if "bias_ih" in name or "bias_hh" in name]
        by_hand = torch.tanh(sum(sums)) @ weights["head.weight"].T + weights["head.bias"]
        np.testing.assert_allclose(result.outputs[0], torch.softmax(by_hand, -1).numpy(), rtol=1e-9)
    assert not answer(model, Question(text="a"), 0).read_nothing


def test_the_shares_of_first_symbols_are_those_of_the_language():
    """Every second pattern of the grammar's sentences begins with "the": an animal's, or those of a small one."""
    e = Experiment(task="next_word", rnn_type="many_to_many")
    shares = first_symbol_shares(e)
    begins = held_out(e).targets[0]  # 0, the unknown word, where the first word is one: that step has no loss
    assert shares.sum() == pytest.approx(1) and shares[TASKS["next_word"].input_labels.index("the")] > 0.3
    assert np.allclose(shares, np.bincount(begins, minlength=len(shares)) / len(begins))


# ---- going on


@EVERY_CELL
@EVERY_TYPE
@pytest.mark.parametrize("text", ["the cat ", None])
def test_the_greedy_text_is_that_of_reading_all_anew_before_every_letter(cell, rnn_type, text):
    model = network(task="characters", rnn_type=rnn_type, seq_len=8, embedding_size=3, **cell)
    question = Question(text=text, example=4, steps=25)
    result = answer(model, question, 11)
    assert result.generated.tolist() == reread(model, question) and result.step == 11
    assert len(set(result.generated.tolist())) > 1
    assert np.array_equal(result.generated_outputs.argmax(-1), result.generated)


@EVERY_CELL
@EVERY_TYPE
def test_the_forecast_is_that_of_reading_all_anew_before_every_value(cell, rnn_type):
    model = network(task="sine", rnn_type=rnn_type, seq_len=10, **cell)
    question = Question(example=1, steps=15)
    result = answer(model, question, 0)
    np.testing.assert_allclose(result.generated, np.array(reread(model, question)), rtol=1e-6)
    assert np.array_equal(result.generated, result.generated_outputs) and np.std(result.generated) > 1e-3


def test_truncation_and_dropout_make_no_difference_to_an_answer():
    """Both belong to training alone."""
    plain = {"task": "characters", "rnn_type": "many_to_many", "seq_len": 8, "num_layers": 2}
    question = Question(example=1, steps=12)
    result = answer(network(**plain), question, 0).generated
    for only_in_training in ({"tbptt": 3}, {"dropout": 0.5}):
        assert np.array_equal(answer(network(**plain, **only_in_training), question, 0).generated, result)


def test_a_sentence_ends_with_its_end_and_a_text_goes_on_after_a_full_stop():
    for task, much in (("next_word", 1), ("characters", 9)):
        e = Experiment(task=task, rnn_type="many_to_many", hidden_size=3)
        labels = TASKS[task].output_labels
        model = constant(build(e).double().eval(), 5.0 * np.array([label == END for label in labels]))
        result = answer(model, Question(text="the", steps=9), 0)
        assert [labels[token] for token in result.generated] == [END] * much and ends_itself(e) == (much == 1)


# ---- networks that hear themselves in any case

SPEAKERS = [
    {"task": "melody", "rnn_type": "one_to_many", "seq_len": 9},
    {"task": "digit_name", "rnn_type": "one_to_many"},
    {"task": "reverse", "rnn_type": "encoder_decoder"},
    {"task": "addition", "rnn_type": "encoder_decoder"},
    {"task": "addition", "rnn_type": "encoder_decoder", "attention": "dot"},
]
EVERY_SPEAKER = pytest.mark.parametrize(
    "kind", SPEAKERS, ids=lambda kind: f"{kind['task']}{'-attention' * ('attention' in kind)}"
)


@EVERY_SPEAKER
def test_greedy_speech_is_what_the_frame_shows_of_running_freely(kind):
    trainer = Trainer(Experiment(**kind, hidden_size=12, learning_rate=0.02))
    for _ in range(40):
        trainer.advance()
    frame, result = trainer.frame(), answer_question(trainer, Question())
    before = len(frame.inputs) - len(trainer._probe.mask)
    shown = frame.free_outputs[before : before + len(result.generated)]
    np.testing.assert_allclose(result.generated_outputs, shown, rtol=1e-4, atol=1e-7)
    assert (
        np.array_equal(result.generated, shown.argmax(-1))
        and not result.counted.any()
        and np.isnan(result.outputs).all()
    )
    assert np.array_equal(result.future, frame.targets[frame.counted])
    if kind["task"] in ("digit_name", "addition"):
        end = TASKS[kind["task"]].output_labels.index(END)
        assert end not in result.generated[:-1] and (
            result.generated[-1] == end or len(result.generated) == len(trainer._probe.mask)
        )
    else:
        assert len(result.generated) == len(result.future)


@EVERY_SPEAKER
def test_what_was_drawn_is_what_was_heard(kind):
    """The probabilities of every step are those of the network that is told the drawn symbols."""
    model, question = network(**kind), Question(example=1, temperature=3.0, seed=4)
    result = answer(model, question, 0)
    batch = encode_question(model.experiment, question).batch
    inputs = batch.inputs.copy() if batch.decoder_inputs is None else batch.decoder_inputs.copy()
    fed_back = result.generated[:-1]
    if inputs.ndim == 2:
        inputs[1 : len(result.generated), 0] = fed_back
    else:
        inputs[1 : len(result.generated), 0, -result.generated_outputs.shape[1] :] = np.eye(
            result.generated_outputs.shape[1]
        )[fed_back]
    name = "inputs" if batch.decoder_inputs is None else "decoder_inputs"
    with torch.no_grad():
        wanted = torch.softmax(model(dataclasses.replace(batch, **{name: inputs}))[:, 0], -1).numpy()
    np.testing.assert_allclose(result.generated_outputs, wanted[: len(result.generated)], rtol=1e-6)
    assert not np.array_equal(result.generated, result.generated_outputs.argmax(-1))


# ---- temperature


@pytest.mark.parametrize("kind", [*SPEAKERS[2:3], {"task": "characters", "rnn_type": "many_to_many"}])
def test_the_lower_the_temperature_the_more_it_says_the_most_probable(kind):
    model = network(**kind)
    steps = 0 if "reverse" in kind.values() else 30
    greedy = answer(model, Question(steps=steps), 0).generated
    for temperature in (1e-6, 1e-300):
        assert np.array_equal(
            answer(model, Question(steps=steps, temperature=temperature, seed=1), 0).generated, greedy
        )
    drawn = [
        answer(model, Question(steps=steps, temperature=5.0, seed=seed), 0).generated.tolist() for seed in (1, 2, 1)
    ]
    assert drawn[0] == drawn[2] and len({*map(tuple, drawn), tuple(greedy)}) == 3


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_symbols_are_drawn_as_often_as_softmax_says(temperature):
    logits = np.linspace(-2, 2, len(TASKS["characters"].output_labels))
    model = constant(build(Experiment(task="characters", hidden_size=2)).double().eval(), logits)
    drawn = [answer(model, Question(text="a", steps=200, temperature=temperature, seed=seed), 0) for seed in range(8)]
    counts = np.bincount(np.concatenate([each.generated for each in drawn]), minlength=len(logits))
    wanted = np.exp(logits / temperature) / np.exp(logits / temperature).sum()
    off = (counts - 1600 * wanted) / np.sqrt(1600 * wanted * (1 - wanted))
    assert np.abs(off).max() < 4.5 and np.sqrt((off**2).mean()) < 1.5
    np.testing.assert_allclose(drawn[0].generated_outputs[7], np.exp(logits) / np.exp(logits).sum(), rtol=1e-6)


# ---- nothing changes


@pytest.mark.parametrize(
    "settings",
    [
        {"task": "characters", "rnn_type": "many_to_many", "num_layers": 2, "dropout": 0.4},
        {"task": "melody", "rnn_type": "one_to_many", "seq_len": 8, "teacher_forcing": 0.5},
        {"task": "reverse", "rnn_type": "encoder_decoder", "seq_len": 4},
        {"task": "stocks", "rnn_type": "many_to_one", "seq_len": 8},
    ],
    ids=lambda settings: settings["task"],
)
def test_asking_changes_nothing(settings):
    e = Experiment(**{"seq_len": 8, **settings}, hidden_size=5, batch_size=8)
    quiet, asked, steps = Trainer(e), Trainer(e), 5 * TASKS[e.task].continues
    symbols = TASKS[e.task].outputs == "symbols"
    for _ in range(6):
        quiet.advance()
        state, weights = torch.get_rng_state(), copy.deepcopy(asked.model.state_dict())
        answer_question(asked, Question(example=3, steps=steps, temperature=1.0 * symbols))
        assert torch.equal(state, torch.get_rng_state()) and asked.model.training
        assert all(torch.equal(each, weights[name]) for name, each in asked.model.state_dict().items())
        asked.advance()
    assert_same(quiet.frame(), asked.frame())
