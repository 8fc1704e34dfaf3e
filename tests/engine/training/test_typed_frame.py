"""A frame of the drawn sequence with typed symbols: the same network, the same lens, another sentence."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.experiment import Experiment
from engine.frame.typed_frame import TypedFrame, TypedSentenceError
from engine.tasks import END, TASKS
from engine.training import Trainer
from engine.training.typed_sequence import typed_sequence
from tests import reference_unroll as reference

NETWORKS = {
    "one answer": {"task": "themselves", "seq_len": 8, "embedding_size": 3},
    "padded, both ways": {"task": "teddy", "rnn_type": "many_to_many", "bidirectional": True, "cell": "gru"},
    "next symbol": {"task": "characters", "rnn_type": "many_to_many", "seq_len": 6, "num_layers": 2},
    "encoder-decoder": {"task": "addition", "rnn_type": "encoder_decoder", "cell": "gru"},
    "attention": {"task": "reverse", "rnn_type": "encoder_decoder", "attention": "dot"},
    "encoder both ways": {"task": "reverse", "rnn_type": "encoder_decoder", "attention": "dot", "bidirectional": True},
    "one to many": {"task": "melody", "rnn_type": "one_to_many", "seq_len": 5},
}


def trained(settings: dict, updates: int = 2) -> Trainer:
    trainer = Trainer(Experiment(hidden_size=5, **settings))
    for _ in range(updates):
        trainer.advance()
    return trainer


@pytest.mark.parametrize("settings", NETWORKS.values(), ids=NETWORKS)
def test_the_drawn_sequence_unchanged_is_the_frames_own(settings):
    trainer = trained(settings)
    frame, typed = trainer.frame(), trainer.typed_frame({})
    for name in ("hidden", "outputs", "loss_per_step", "from_input", "from_state"):
        np.testing.assert_allclose(getattr(typed.frame, name), getattr(frame, name), rtol=1e-5, atol=1e-6, err_msg=name)
    for name in ("inputs", "targets", "valid", "counted"):
        assert np.array_equal(getattr(typed.frame, name), getattr(frame, name)), name
    assert typed.frame.probe_loss == pytest.approx(frame.sequence_loss[0], rel=1e-5)
    assert np.array_equal(typed.targets_known, frame.counted) and typed.frame.step == frame.step
    assert np.array_equal(typed.frame.relative_low, typed.frame.relative_high)
    info, enters = trainer.info, trainer.info.enters(0)
    norms = frame.sequence_grad_norm_memory[:, 0]
    np.testing.assert_allclose(typed.frame.relative[:, 0], norms / norms[:, [enters]], rtol=1e-4, atol=1e-12)
    assert (typed.info(info).valid, typed.info(info).counted) == (info.valid, info.counted)


def test_another_word_gives_another_frame_with_the_rules_answer_and_changes_nothing():
    trainer = trained(NETWORKS["one answer"])
    task, before, chance = TASKS["themselves"], trainer.checkpoint(), torch.get_rng_state()
    for word, answer in (("he", "himself"), ("She", "herself"), ("they", "themselves")):
        typed = trainer.typed_frame({0: word, 4: "quokka"}, ["terms:0:0", "followed:7"])
        assert task.input_labels[typed.frame.inputs[0]] == word.lower()
        assert task.input_labels[typed.frame.inputs[4]] == "<UNK>"
        assert task.output_labels[typed.frame.targets[7]] == answer
        assert typed.targets_known.tolist() == [False] * 7 + [True]
        assert typed.frame.on_demand == {"terms:0:0", "followed:7"}
    assert trainer.checkpoint() == before and torch.equal(torch.get_rng_state(), chance) and trainer.model.training
    assert trainer.frame().inputs[4] != typed.frame.inputs[4]


def test_its_gradient_is_that_of_an_unrolled_loop_over_that_sentence():
    trainer = trained(NETWORKS["padded, both ways"])
    place = int(np.flatnonzero(trainer.frame().counted)[0])
    frame = trainer.typed_frame({place + 1: "roosevelt"}).frame
    assert frame.targets[place] == 1 and frame.valid.sum() == trainer.probe.lengths[0]
    batch = trainer.probe.single_sequence(0)
    batch.inputs[place + 1], batch.targets[place] = frame.inputs[place + 1], 1
    norms = np.linalg.norm(reference.unroll(trainer.model.double(), batch).gradients("last")["grad_hidden"], axis=-1)
    np.testing.assert_allclose(frame.relative, norms[..., 0] / norms[:, :, [place], 0], rtol=1e-3, atol=1e-12)


def test_without_a_rule_the_target_is_the_networks_own_answer():
    trainer = trained({"task": "themselves", "seq_len": 8})
    typed = trainer.typed_frame({0: "bread"})
    assert typed.frame.targets[7] == typed.frame.outputs[7].argmax() and not typed.targets_known.any()
    assert typed.frame.loss_per_step[7] == pytest.approx(-np.log(typed.frame.outputs[7].max()), rel=1e-4)


def test_the_next_symbol_is_known_but_for_the_last():
    trainer = trained(NETWORKS["next symbol"])
    frame, typed = trainer.frame(), trainer.typed_frame({2: "Q"})
    labels = TASKS["characters"].input_labels
    assert labels[typed.frame.inputs[2]] == labels[typed.frame.targets[1]] == "q"
    assert np.array_equal(np.delete(typed.frame.targets, [1, 5]), np.delete(frame.targets, [1, 5]))
    assert typed.targets_known.tolist() == [True] * 5 + [False]
    assert typed.frame.targets[5] == typed.frame.outputs[5].argmax()
    assert not np.array_equal(typed.frame.hidden[:, :, 2:], frame.hidden[:, :, 2:])
    np.testing.assert_allclose(typed.frame.hidden[:, :, :2], frame.hidden[:, :, :2], atol=1e-6)


def said(typed: TypedFrame, labels: tuple[str, ...]) -> str:
    return "".join(labels[target] for target in typed.frame.targets[typed.frame.counted])


def test_a_decoder_reads_the_new_answer_which_may_have_another_length():
    trainer = trained(NETWORKS["encoder-decoder"])
    labels, steps = TASKS["addition"].output_labels, trainer.probe.source_steps
    source = [TASKS["addition"].input_labels[sign] for sign in trainer.frame().inputs[: trainer.probe.lengths[0]]]
    plus = source.index("+")
    lengths = set()
    for digit in "09":
        typed = trainer.typed_frame({at: digit for at in range(len(source)) if at != plus})
        first, second = int(digit * plus), int(digit * (len(source) - plus - 1))
        assert said(typed, labels) == f"{first + second}{END}"
        counted = int(typed.frame.counted.sum())
        assert np.array_equal(
            typed.frame.inputs[steps + 1 : steps + counted], typed.frame.targets[steps:][: counted - 1]
        )
        assert typed.info(trainer.info).counted == tuple(typed.frame.counted) and typed.targets_known.sum() == counted
        lengths.add(counted)
    assert len(lengths) == 2


@pytest.mark.parametrize("task", ["addition", "english_french"])
def test_an_answer_without_a_rule_is_what_the_network_says_by_itself(task):
    trainer = trained({"task": task, "rnn_type": "encoder_decoder", "cell": "gru"})
    other = next(label for label in TASKS[task].input_labels[::-1] if label != TASKS[task].input_labels[0])
    typed = trainer.typed_frame({0: other})  # "+12+3" is no sum
    answer = typed.frame.free_outputs[typed.frame.counted].argmax(-1)
    assert np.array_equal(answer, typed.frame.targets[typed.frame.counted]) and not typed.targets_known.any()
    end = TASKS[task].output_labels.index(END)
    assert end not in answer[:-1] and (answer[-1] == end or typed.frame.counted[-1])


def test_another_first_note_gives_another_tune():
    trainer = trained(NETWORKS["one to many"])
    labels = TASKS["melody"].output_labels
    typed = trainer.typed_frame({0: "g4"})
    assert [labels[note] for note in typed.frame.targets] == [
        "C5",
        "D5",
        "E5",
        "D5",
        "C5",
    ] and typed.targets_known.all()
    assert [labels[note] for note in typed.frame.inputs] == ["G4", "C5", "D5", "E5", "D5"]
    typed = trainer.typed_frame({0: "C6"})
    assert np.array_equal(typed.frame.free_outputs.argmax(-1), typed.frame.targets) and not typed.targets_known.any()
    assert np.array_equal(typed.frame.inputs[1:], typed.frame.targets[:-1])


@pytest.mark.parametrize(
    ("settings", "changes", "says"),
    [
        ({}, {3: "x"}, "At position 3: “x” cannot be read at one step; what can is for example 0 1 2 3 4 and 5."),
        ({}, {40: "1"}, "Only the sequence can be changed, which has positions 0 to 39, but got 40."),
        ({}, {-1: "1"}, "Only the sequence can be changed"),
        (NETWORKS["next symbol"], {0: "a"}, "Only the sequence can be changed, which has positions 1 to 5, but got 0."),
        (NETWORKS["encoder-decoder"], {5: "1"}, "Only the source can be changed"),
        (NETWORKS["one to many"], {1: "G4"}, "Only the first input can be changed, which has position 0, but got 1."),
        ({"task": "adding"}, {0: "1"}, "The inputs of this network are not symbols"),
        ({"task": "digit_name", "rnn_type": "one_to_many"}, {0: "1"}, "The inputs of this network are not symbols"),
    ],
    ids=str,
)
def test_what_cannot_be_changed_is_said(settings, changes, says):
    trainer = trained({"task": "first_symbol_recall", **settings}, updates=0)
    with pytest.raises(TypedSentenceError) as error:
        trainer.typed_frame(changes)
    assert str(error.value).startswith(says)


def test_padding_cannot_be_changed():
    trainer = trained(NETWORKS["padded, both ways"], updates=0)
    length = int(trainer.probe.lengths[0])
    if length == len(trainer.probe.inputs):
        pytest.fail("the drawn sentence should have padding: choose another seed")
    with pytest.raises(TypedSentenceError, match=f"positions 0 to {length - 1}, but got {length}"):
        trainer.typed_frame({length: "bears"})


SENTENCES = {
    "shorter": (NETWORKS["one answer"], "she wanted wine for", "herself"),
    "longer": (
        NETWORKS["one answer"],
        "they often wanted more old bread near the men which he saw for",
        "themselves",
    ),
    "both ways, no padding": (NETWORKS["padded, both ways"], "he said teddy roosevelt was a president", None),
    "next symbol": (NETWORKS["next symbol"], "hello there, world", None),
    "encoder-decoder": (NETWORKS["encoder-decoder"], "7+5", None),
}


@pytest.mark.parametrize(("settings", "sentence", "answer"), SENTENCES.values(), ids=SENTENCES)
def test_a_whole_sentence_of_another_length_is_read_and_its_gradient_is_an_unrolled_loops(settings, sentence, answer):
    trainer = trained(settings)
    typed = trainer.typed_frame({}, sentence=sentence)
    frame, info = typed.frame, typed.info(trainer.info)
    batch, _ = typed_sequence(trainer.model, trainer.probe, {}, sentence)
    assert info.time_steps == len(frame.valid) == frame.relative.shape[-1] != trainer.info.time_steps
    assert info.encoder_steps == batch.source_steps and info.measured_lag < info.time_steps
    if answer:
        assert TASKS[trainer.experiment.task].output_labels[frame.targets[-1]] == answer and typed.targets_known[-1]
        assert info.time_steps == len(sentence.split())
    gradients = reference.unroll(trainer.model.double(), batch).gradients("last")["grad_hidden"]
    norms = np.linalg.norm(gradients, axis=-1)[..., 0]
    np.testing.assert_allclose(frame.sequence_grad_norm_last[:, 0], norms[:, 0], rtol=1e-3, atol=1e-9)


def test_a_word_can_be_changed_in_a_typed_sentence():
    trainer = trained(NETWORKS["one answer"])
    said = [trainer.typed_frame({0: word}, sentence="she wanted wine for") for word in ("he", "they")]
    assert [TASKS["themselves"].output_labels[each.frame.targets[-1]] for each in said] == ["himself", "themselves"]


@pytest.mark.parametrize(
    ("settings", "sentence", "says"),
    [
        (NETWORKS["encoder-decoder"], "seven", "cannot be read here"),
        (NETWORKS["one to many"], "C4", "reads no sentences"),
        ({"task": "adding"}, "1", "reads no sentences"),
        (NETWORKS["one answer"], "!", "words can be read here"),
    ],
)
def test_what_is_no_sentence_is_refused_with_a_reason(settings, sentence, says):
    with pytest.raises(TypedSentenceError, match=says):
        trained(settings).typed_frame({}, sentence=sentence)
