"""The catalogue keeps its promises, whatever the task. What only one family promises stands in its own file."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pytest

from engine.experiment import CHOICES, Experiment
from engine.frame import RunInfo
from engine.tasks import NO_SYMBOL, TASKS, Batch, held_out, probe, sample
from engine.tasks.base import first_informative
from engine.tasks.batch import last_counted
from tests.cases import for_each
from tests.engine.tasks.conftest import unhidden

CASES = [(slug, rnn_type) for slug, task in TASKS.items() for rnn_type in task.rnn_types]
LENGTHS, SPLITS = ("low", "default", "high"), ("train", "test")
ONE_ANSWER = ("one_to_one", "many_to_one")  # RNN types that answer once, at the end
WHOLE = ("digit_name", "caption", "count", "reverse", "sort", "addition", "dates", "english_french", "headline")
"""Tasks whose metric counts whole answers."""
OTHERWISE = ("next_word", "reber")  # perplexity, and the share of what the grammar allows: tested beside their tasks
MEASURED = ("stocks", "sunspots")  # tasks whose metric is an error, over that of persistence

STREAMS = [
    ((5, "train"), (6, "train")),  # two seeds
    ((5, "train"), (5, "test")),  # two splits
    (((5, 1), "train"), ((5, 2), "train")),  # two steps
    (((5, 1), "train"), ((6, 1), "train")),  # two seeds of one step
    (((5, 0), "train"), ((5, 0), "test")),  # two splits of one step
]


def same(first: Batch, second: Batch) -> bool:
    names = [each.name for each in dataclasses.fields(Batch)]
    return all(np.array_equal(getattr(first, name), getattr(second, name)) for name in names)


def perfect_answer(slug: str, batch: Batch) -> np.ndarray:
    """What a network that knows everything says; nothing where it is not asked, as in a frame."""
    if TASKS[slug].outputs == "symbols":
        answers = np.eye(len(TASKS[slug].output_labels))[batch.targets]
    else:
        answers = batch.targets.astype(np.float64)
    answers[~batch.mask] = np.nan
    return answers


@for_each({"slug, rnn_type": CASES, "length": LENGTHS, "split": SPLITS})
def test_a_batch_has_the_shapes_and_kinds_that_it_says(slug, rnn_type, length, split):
    task = TASKS[slug]
    seq_len = getattr(task.lengths, length)
    e = Experiment(task=slug, rnn_type=rnn_type, seq_len=seq_len, batch_size=3)
    batch = sample(e, 7, 1, split)
    answered = task.target_steps(e) if rnn_type == "encoder_decoder" else seq_len
    for array, steps, kind, labels in (
        (batch.inputs, seq_len, task.inputs, task.input_labels),
        (batch.targets, answered, task.outputs, task.output_labels),
    ):
        if kind == "symbols":
            assert array.shape == (steps, 7) and array.dtype == np.int64
            assert array.max() < len(labels)
        else:
            assert array.shape == (steps, 7, len(labels)) and array.dtype == np.float32
            assert np.isfinite(array).all()
    if task.inputs == "symbols":
        assert set(batch.inputs[batch.inputs < 0].tolist()) <= {NO_SYMBOL}
    if task.outputs == "symbols":
        assert batch.targets.min() >= 0
    assert batch.mask.shape == (answered, 7) and batch.mask.dtype == np.bool_
    assert batch.lengths.shape == (7,) and batch.lengths.dtype == np.int64
    assert (batch.lengths >= 1).all() and (batch.lengths <= seq_len).all()
    assert (batch.decoder_inputs is not None) == (task.target_steps(e) > 0) == (rnn_type == "encoder_decoder")
    assert e.time_steps == len(batch.valid) == len(batch.counted)


@for_each({"slug, rnn_type": CASES, "length": LENGTHS})
def test_every_sequence_counts_somewhere_and_never_in_its_padding(slug, rnn_type, length):
    batch = sample(Experiment(task=slug, rnn_type=rnn_type, seq_len=getattr(TASKS[slug].lengths, length)), 9, 2)
    assert batch.mask.any(axis=0).all()
    assert not (batch.counted & ~batch.valid).any()
    if rnn_type in ONE_ANSWER:
        assert (batch.mask.sum(0) == 1).all() and batch.mask[batch.lengths - 1, np.arange(9)].all()
    elif slug not in ("teddy", "embedded_reber") and length != "low":
        assert (batch.mask.sum(0) > 1).all()


@for_each({"slug, rnn_type": CASES, "length": LENGTHS, "split": SPLITS})
def test_padding_is_empty_and_nothing_else_is(slug, rnn_type, length, split):
    """NO_SYMBOL or zeros behind the last real step, class 0 behind the last answer; only x_0 may be nothing."""
    task = TASKS[slug]
    batch = sample(Experiment(task=slug, rnn_type=rnn_type, seq_len=getattr(task.lengths, length)), 200, 2, split)
    padding = np.arange(len(batch.inputs))[:, None] >= batch.lengths
    if task.inputs == "symbols":
        assert (batch.inputs[padding] == NO_SYMBOL).all()
        assert (batch.inputs[1:][~padding[1:]] != NO_SYMBOL).all()
    else:
        assert not batch.inputs[padding].any()
    if task.outputs == "symbols":
        assert not batch.targets[~batch.valid[batch.source_steps :]].any()


@for_each({"slug": ["sentiment", "teddy", "digit_name", "reverse", "addition"]})
def test_sequences_of_different_lengths_are_dealt_side_by_side(slug):
    batch = sample(Experiment(task=slug, rnn_type=TASKS[slug].rnn_types[0]), 200, 1)
    assert len(set(batch.lengths.tolist())) > 2


@for_each({"slug": [slug for slug, task in TASKS.items() if "one_to_many" in task.rnn_types], "split": SPLITS})
def test_from_the_second_step_on_the_input_is_the_answer_before_it(slug, split):
    task = TASKS[slug]
    batch = sample(Experiment(task=slug, rnn_type="one_to_many"), 50, 1, split)
    for t in range(1, len(batch.inputs)):
        for column in range(50):
            before = batch.targets[t - 1, column] if t < batch.lengths[column] else NO_SYMBOL
            if task.inputs == "symbols":
                assert batch.inputs[t, column] == before
            else:
                code = [float(symbol == before) for symbol in range(task.output_size)]
                assert batch.inputs[t, column].tolist() == [0.0] * (task.input_size - task.output_size) + code


@for_each({"slug": [slug for slug, task in TASKS.items() if "encoder_decoder" in task.rnn_types], "split": SPLITS})
def test_a_decoder_reads_the_answer_one_step_late(slug, split):
    batch = sample(Experiment(task=slug, rnn_type="encoder_decoder"), 50, 1, split)
    assert batch.decoder_inputs.shape == batch.targets.shape and batch.decoder_inputs.dtype == np.int64
    for answer, counted, read in zip(batch.targets.T, batch.mask.T, batch.decoder_inputs.T, strict=True):
        steps = int(counted.sum())
        assert counted.tolist() == [True] * steps + [False] * (len(counted) - steps)
        assert read.tolist() == [NO_SYMBOL, *answer[: steps - 1], *[NO_SYMBOL] * (len(read) - steps)]


@for_each({"slug, rnn_type": CASES})
def test_dealing_is_quick(slug, rnn_type):
    """About 0.05 ms each where this was written; thirty times that is still no burden beside an update."""
    e = Experiment(task=slug, rnn_type=rnn_type)
    sample(e, 64, 0)
    taken = []
    for step in range(20):
        start = time.thread_time()  # of this thread alone, however busy the machine is
        sample(e, 64, (1, step))
        taken.append(time.thread_time() - start)
    assert min(taken) < 0.0015


@for_each({"slug": TASKS})
def test_words_and_lengths_of_the_catalogue(slug):
    task = TASKS[slug]
    assert task.slug == slug
    assert all(len(words.strip()) > 3 for words in (task.title, task.teaches, task.source))
    assert len(task.title) <= 22
    assert task.source.startswith(("Real: ", "Generated: ")) and task.source.endswith(".")
    assert task.metric.name.strip()
    assert task.rnn_types and set(task.rnn_types) < set(CHOICES["rnn_type"])
    assert 1 <= task.lengths.low <= task.lengths.default <= task.lengths.high <= 1000
    assert {task.inputs, task.outputs} <= {"symbols", "values"}


@for_each({"slug, rnn_type": CASES})
def test_words_on_the_baselines_are_few(slug, rnn_type):
    assert all(len(name) <= 36 for name in TASKS[slug].baselines(Experiment(task=slug, rnn_type=rnn_type)))


@for_each({"slug": TASKS})
def test_labels_name_every_symbol_or_channel_once(slug):
    task = TASKS[slug]
    e = Experiment(task=slug, rnn_type=task.rnn_types[0], seq_len=task.lengths.high, batch_size=1)
    batch = sample(e, 512, 3)
    for kind, labels, array in (
        (task.inputs, task.input_labels, batch.inputs),
        (task.outputs, task.output_labels, batch.targets),
    ):
        assert len(set(labels)) == len(labels) and all(isinstance(label, str) and label for label in labels)
        assert len(labels) == (array.max() + 1 if kind == "symbols" else array.shape[-1])
    assert (task.input_size, task.output_size) == (len(task.input_labels), len(task.output_labels))


@for_each({"slug, rnn_type": CASES, "split": SPLITS, "seed": [5, (5, 3)]})
def test_a_batch_depends_on_the_data_settings_the_seed_and_the_split_alone(slug, rnn_type, seed, split):
    e = Experiment(task=slug, rnn_type=rnn_type)
    other = e.replace(seed=8, cell="gru", hidden_size=3, num_layers=2, batch_size=2, learning_rate=1.0, init="xavier")
    first = sample(e, 16, seed, split)
    np.random.default_rng().random(3)
    assert same(first, sample(e, 16, seed, split))
    assert same(first, sample(other, 16, seed, split))


@for_each({"slug, rnn_type": CASES, "one, other": STREAMS})
def test_other_seeds_and_splits_deal_other_sequences(slug, rnn_type, one, other):
    e = Experiment(task=slug, rnn_type=rnn_type)
    first, second = (sample(e, 16, seed, split) for seed, split in (one, other))
    assert not np.array_equal(first.inputs, second.inputs)
    assert not np.array_equal(first.targets, second.targets)


def test_a_held_out_batch_is_no_training_batch_of_another_step():
    e = Experiment(task="adding")
    assert not same(sample(e, 16, 5, "test"), sample(e, 16, (5, 1), "train"))


@for_each({"slug, rnn_type": CASES})
def test_baselines_are_positive_and_finite(slug, rnn_type):
    for length in (TASKS[slug].lengths.low, TASKS[slug].lengths.default, TASKS[slug].lengths.high):
        baselines = TASKS[slug].baselines(Experiment(task=slug, rnn_type=rnn_type, seq_len=length, batch_size=1))
        assert baselines
        assert all(name and 0 < loss < math.inf for name, loss in baselines.items())


@for_each(
    {
        "slug, seq_len, lag": [
            ("first_symbol_recall", 30, 29),
            ("adding", 30, 29),
            ("copy", 16, 13),
            ("copy", 7, 4),
            ("parity", 30, 29),
            ("xor", 30, 1),
            ("characters", 30, 8),
            ("characters", 5, 4),
            ("sentiment", 12, 6),
            ("sentiment", 4, 3),
            ("teddy", 10, 1),
            ("stocks", 20, None),
            ("digits", 1, 0),
            ("digits_by_row", 8, 7),
            ("digits_by_pixel", 64, 61),
            ("melody", 24, 23),
            ("digit_name", 6, 5),
            ("caption", 6, 5),
            ("reverse", 6, 11),  # over both halves
            ("addition", 5, 8),
            ("multiplication", 30, 29),
            ("temporal_order", 30, 26),
            ("count", 41, 39),
            ("reber", 30, 1),
            ("embedded_reber", 20, 17),
            ("digits_permuted", 64, 63),
            ("sort", 6, 12),
            ("dates", 18, 28),
            ("english_french", 8, 17),
            ("headline", 17, 22),
            ("next_word", 12, 4),
            ("agreement", 15, 13),
            ("themselves", 12, 11),
            ("entities", 11, 2),
        ]
    }
)
def test_how_far_back_the_answer_lies(slug, seq_len, lag):
    assert TASKS[slug].lag(Experiment(task=slug, rnn_type=TASKS[slug].rnn_types[0], seq_len=seq_len)) == lag


@for_each({"slug, rnn_type": CASES, "length": LENGTHS})
def test_the_lag_lies_within_the_sequence(slug, rnn_type, length):
    e = Experiment(task=slug, rnn_type=rnn_type, seq_len=getattr(TASKS[slug].lengths, length), batch_size=1)
    lag = TASKS[slug].lag(e)
    assert lag is None or 0 <= lag < e.time_steps


@for_each({"slug, rnn_type": CASES, "split": SPLITS})
def test_a_perfect_answer_has_the_best_metric(slug, rnn_type, split):
    """1 is every answer right, or perplexity without a doubt; 0 no error."""
    batch, metric = sample(Experiment(task=slug, rnn_type=rnn_type), 16, 4, split), TASKS[slug].metric
    best = 1 if metric.higher_is_better or metric.name == "perplexity" else 0
    assert metric.measure(batch, perfect_answer(slug, batch)) == best


@for_each({"slug, rnn_type": [case for case in CASES if case[0] not in OTHERWISE]})
def test_a_blind_answer_stays_between_the_metrics_bounds(slug, rnn_type):
    """Always the same: class 1, or the value 0. What that is worth is counted by hand."""
    batch = sample(Experiment(task=slug, rnn_type=rnn_type), 64, 4, "test")
    answers = np.zeros((*batch.mask.shape, TASKS[slug].output_size))
    if TASKS[slug].outputs == "symbols":
        answers[..., 1] = 1.0
    metric = TASKS[slug].metric.measure(batch, answers)
    asked = batch.targets[batch.mask].ravel().tolist()
    if slug in MEASURED:
        before = batch.inputs[batch.mask].ravel().tolist()
        errors = [(now - then) ** 2 for now, then in zip(asked, before, strict=True)]
        assert metric == pytest.approx(sum(each**2 for each in asked) / sum(errors), rel=1e-5) and metric > 1
    else:
        if TASKS[slug].outputs == "values":
            right = [abs(each) < float(TASKS[slug].metric.name.removeprefix("within ")) for each in asked]
        else:
            right = [each == 1 for each in asked]
        if slug in WHOLE:
            columns = zip(batch.targets.T, batch.mask.T, strict=True)
            right = [all(each == 1 for each in answer[counted]) for answer, counted in columns]
        assert metric == pytest.approx(sum(right) / len(right)) and 0 <= metric < 0.65


@for_each({"slug, rnn_type": [case for case in CASES if case[0] not in (*MEASURED, *OTHERWISE)]})
def test_the_metric_is_the_share_of_right_answers(slug, rnn_type):
    batch = sample(Experiment(task=slug, rnn_type=rnn_type), 16, 4)
    answers = perfect_answer(slug, batch)
    answers[:, :4] = np.roll(answers[:, :4], 1, axis=-1) if TASKS[slug].outputs == "symbols" else answers[:, :4] + 0.15
    right = 0.75 if slug in WHOLE else batch.mask[:, 4:].sum() / batch.mask.sum()
    assert TASKS[slug].metric.measure(batch, answers) == pytest.approx(right)


@for_each({"slug": [slug for slug, task in TASKS.items() if task.causal]})
def test_the_answer_of_a_causal_task_is_its_next_input(slug):
    batch = unhidden(Experiment(task=slug, rnn_type="many_to_many"), 16, 4)
    read, goes_on = batch.inputs, batch.valid[1:]
    if TASKS[slug].inputs == "values":
        read = read[:, :, : TASKS[slug].output_size]
    assert np.array_equal(read[1:][goes_on], batch.targets[:-1][goes_on])
    assert not np.array_equal(read[1:][goes_on], batch.targets[1:][goes_on])


def test_the_probe_is_a_held_out_batch_of_the_seed_alone():
    e = Experiment(task="characters", seed=3)
    assert same(probe(e), probe(e.replace(cell="gru", batch_size=2, hidden_size=5)))
    assert same(probe(e), sample(e, 16, (3, 0), "test"))
    assert not same(probe(e), probe(e.replace(seed=4)))


@for_each({"slug, rnn_type": CASES})
def test_the_ratio_is_read_where_an_input_tells_sequences_apart(slug, rnn_type):
    """A step that is the same in every sequence decides nothing, so no gradient has to arrive there."""
    if slug == "count":
        return  # what it counts is how long the sameness lasts
    e = Experiment(task=slug, rnn_type=rnn_type)
    info, batch = RunInfo.of(e), held_out(e)
    ends = last_counted(batch.counted)
    read = np.maximum(ends - info.measured_lag, 0)
    if info.looks_ahead:
        read = np.minimum(ends + info.measured_lag, batch.lengths - 1)
    seen = batch.inputs[read, np.arange(len(read))].reshape(len(read), -1)
    _, counts = np.unique(seen, axis=0, return_counts=True)
    assert counts.max() <= 2 / 3 * len(read)


def test_the_first_informative_step():
    margin = np.zeros((3, 9))
    assert first_informative(margin) == 0  # none is: as if all were
    margin[2] = np.arange(9)
    assert first_informative(margin) == 2
    margin[1, :3] = 1  # a third differs
    assert first_informative(margin) == 1
    margin[1, 2] = 0
    assert first_informative(margin) == 2
