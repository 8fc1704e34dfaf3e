"""Sequences of somebody's own: what is read, thinned, held out and asked, compared with calculations by hand."""

from __future__ import annotations

import io
import json
import math

import numpy as np
import pandas as pd
import pytest

from engine.data import DataError, read
from engine.data.kinds.sequence_arrays import Origin, of_arrays, thinned
from engine.data.kinds.split import Given
from engine.data.problems import Notes
from engine.data.tasks.sequences import first_answer, scaled, sequences_task
from engine.experiment import Experiment
from engine.frame import RunInfo
from engine.tasks import OWN_DATA, held_out
from engine.tasks.base import stream
from engine.tasks.losses import LOSSES, losses_of_answers
from tests.cases import for_each


def made(arrays, labels=None, *, group=None, held=None, **choices):
    """(summary, content, sentences) of arrays of shape (T,) or (T, channels)."""
    arrays = [np.asarray(array, float) for array in arrays]
    arrays = [array[:, None] if array.ndim == 1 else array for array in arrays]
    notes, given = Notes(), Given(held, group)
    origin = Origin(np.arange(1, len(arrays) + 1), "y" if labels else None, None, given)
    summary, content = of_arrays(arrays, labels, origin, notes, choices)
    return summary, content, " ".join(problem.sentence for problem in notes)


def task_and_experiment(summary, content, seq_len):
    task = sequences_task("mine.csv", summary, content)
    return task, Experiment(rnn_type=task.rnn_types[0], task="sine", seq_len=seq_len)


RNG = np.random.default_rng(5)
WAVES = [np.sin(np.arange(20) * (0.3 + 0.2 * (i % 2)) + i) for i in range(40)]
NAMES = [f"class {i % 2}" for i in range(40)]


# ---- thinning


@for_each({"steps": [1, 2, 3, 7, 100], "length": [1, 6, 20]})
def test_neighbouring_steps_are_averaged(steps, length):
    array = RNG.normal(size=(length, 2))
    array[RNG.random(array.shape) < 0.4] = np.nan
    by_hand = pd.DataFrame(array).groupby(np.arange(length) // steps).mean()
    assert np.allclose(thinned(array, steps), by_hand, equal_nan=True)


def test_long_sequences_are_thinned_until_64_steps_are_left():
    summary, content, said = made([RNG.normal(size=150 + i) for i in range(10)])
    assert content.thinned == 3
    assert max(map(len, content.arrays)) == 53
    assert summary["lengths"] == [150, 154, 159]
    assert "3 neighbours each are averaged into one, 53 are left" in said
    assert made([RNG.normal(size=150)] * 3 + [RNG.normal(size=150) for _ in range(5)], thin=1)[1].thinned == 1


def test_a_choice_that_leaves_nothing_is_refused():
    with pytest.raises(DataError, match="'thin' is 20, which leaves 1 of 20 steps"):
        made(WAVES, thin=20)


# ---- what is held out


def test_copies_stay_on_one_side_and_classes_in_proportion():
    arrays = [*WAVES, *WAVES[:8]]
    summary, content, said = made(arrays, [*NAMES, *NAMES[:8]])
    assert (content.held[:8] == content.held[40:]).all()
    assert "8 sequences stand there more than once" in said
    shares = [content.held[content.labels == number].mean() for number in (0, 1)]
    assert all(0.1 < share < 0.3 for share in shares)
    assert summary["train"] + summary["test"] == summary["rows"] == 48


def test_the_split_depends_on_the_sequences_and_not_on_their_order():
    order = RNG.permutation(40)
    first, turned = made(WAVES, NAMES)[1], made([WAVES[i] for i in order], [NAMES[i] for i in order])[1]
    assert (first.held[order] == turned.held).all()


def test_groups_are_kept_whole_and_the_files_own_split_is_obeyed():
    group = [f"person {i // 5}" for i in range(40)]
    held = made(WAVES, NAMES, group=group)[1].held
    assert all(len(set(held[5 * person : 5 * person + 5])) == 1 for person in range(8))
    own = np.arange(40) % 4 == 0
    assert (made(WAVES, NAMES, held=own)[1].held == own).all()


def test_mean_and_sd_are_those_of_the_trained_part():
    content = made(WAVES, NAMES)[1]
    trained = np.concatenate([wave for wave, held in zip(WAVES, content.held, strict=True) if not held])
    assert np.allclose([content.mean[0], content.sd[0]], [trained.mean(), trained.std()], rtol=1e-6)


# ---- what the classes are called


def test_classes_that_are_large_numbers_stay_apart(subtests):
    rows = [[1000001 + at % 2, *wave] for at, wave in enumerate(WAVES)]
    files = {
        "csv": "\n".join(",".join(map(str, row)) for row in [["label", *range(20)], *rows]).encode(),
        "json": json.dumps([{"label": float(row[0]), "values": list(row[1:])} for row in rows]).encode(),
    }
    stream = io.BytesIO()
    np.savez(stream, x=np.stack(WAVES), y=np.array([float(row[0]) for row in rows]))
    for name, data in {**files, "npz": stream.getvalue()}.items():
        with subtests.test(file=name):
            dataset = read(data, "sequences")
            assert dataset.summary["classes"] == {"1000001": 20, "1000002": 20}


# ---- what is said and refused


@for_each(
    {
        "arrays, labels, sentence": [
            (WAVES[:3], None, "3 sequences; at least 4"),
            ([*WAVES, np.zeros((5, 2))], None, "Sequence 41 has 2 channels, but 1 are expected"),
            (WAVES, ["a"] * 40, "only one class, 'a'"),
            ([np.ones(5)] * 9, None, "are the same|never change"),
            ([np.arange(5.0) * 0 + 3 + 1e-12 * i for i in range(9)], None, "never change"),
            ([np.zeros((5, 40))] * 9, None, "40 channels; at most 32"),
            ([[1], [2], [3], [4], [5]], None, "has 1 step"),
            ([np.full(5, np.nan)] * 9, None, "0 sequence"),
            ([np.arange(4.0) + i for i in range(200)], [str(i // 2) for i in range(200)], "100 classes; at most 50"),
        ]
    }
)
def test_what_cannot_be_used_is_refused(arrays, labels, sentence):
    with pytest.raises(DataError, match=sentence):
        made(arrays, labels)


def test_what_is_left_out_is_said():
    arrays = [*WAVES, np.full(20, np.nan), WAVES[0] + 5, WAVES[0] + 6]
    summary, content, said = made(arrays, [*NAMES, "class 0", None, "alone"])
    assert summary["rows"] == len(content.arrays) == len(content.lines) == 40
    for sentence in ("Sequence 41 (line 41) holds no number", "Sequence 42 (line 42) has no class", "of class 'alone'"):
        assert sentence in said


def test_infinite_values_are_missing_and_said():
    waves = [wave.copy() for wave in WAVES]
    waves[3][5], waves[4][0] = np.inf, 1e300
    _, content, said = made(waves)
    assert np.isnan(content.arrays[3][5, 0])
    assert np.isnan(content.arrays[4][0, 0])
    assert "missing or infinite" in said


def test_a_missing_value_is_the_last_one_before():
    array = np.array([[np.nan, 1], [4, np.nan], [np.nan, 3]])
    mean, sd = np.array([2.0, 1.0]), np.array([2.0, 1.0])
    assert scaled(array, mean, sd).tolist() == [[0, 0], [1, 0], [1, 2]]
    assert [first_answer(np.array(known, bool)) for known in ([1], [1, 0], [0, 1], [1, 0, 1])] == [0, 0, 1, 2]


# ---- the tasks


def test_the_class_is_asked_at_the_last_real_step():
    arrays = [wave[: 10 + i % 11] for i, wave in enumerate(WAVES)]
    summary, content, _ = made(arrays, NAMES)
    task, experiment = task_and_experiment(summary, content, 15)
    assert (task.lengths.high, task.rnn_types, task.output_labels) == (20, ("many_to_one",), ("class 0", "class 1"))
    for split, side in (("train", ~content.held), ("test", content.held)):
        batch = task.draw(stream(1, split), experiment, 30, split)
        chosen, starts = batch.origin.T
        assert side[chosen].all()
        assert not starts.any()
        for column, at in enumerate(chosen):
            length = min(15, len(arrays[at]))
            assert batch.lengths[column] == length
            assert np.flatnonzero(batch.mask[:, column]).tolist() == [length - 1]
            assert batch.targets[length - 1, column] == int(NAMES[at][-1])
            expected = (arrays[at][:length] - content.mean) / content.sd
            assert np.allclose(batch.inputs[:length, column, 0], expected, atol=1e-5)
            assert not batch.inputs[length:, column].any()


def test_the_baselines_of_classes_by_hand():
    names = ["a"] * 30 + ["b"] * 10
    summary, content, _ = made(WAVES, names)
    task, experiment = task_and_experiment(summary, content, 20)
    held = [name for name, out in zip(names, content.held, strict=True) if out]
    assert summary["baselines"] == {"always 'a'": held.count("a") / len(held)}
    batch = task.draw(stream(2, "test"), experiment, 64, "test")
    answers = pd.Series(batch.targets[batch.mask])
    assert task.metric_baselines(experiment, batch) == {"always 'a'": pytest.approx((answers == 0).mean())}
    trained = pd.Series([name for name, out in zip(names, content.held, strict=True) if not out]).value_counts() + 1
    shares = trained / trained.sum()
    expected = -np.mean([math.log(shares["ab"[answer]]) for answer in answers])
    assert task.baselines_on(experiment, batch) == {"how common each class is": pytest.approx(expected)}


def test_the_next_step_and_its_baselines_by_hand():
    waves = [np.stack([3 + 2 * wave, 5 - wave], 1) for wave in WAVES]
    waves[0][7, 1] = np.nan
    summary, content, _ = made(waves)
    task, experiment = task_and_experiment(summary, content, 19)
    assert task.causal
    assert task.continues
    batch = task.draw(stream(1, "test"), experiment, 50, "test")
    for column, at in enumerate(batch.origin[:, 0]):
        z = pd.DataFrame((waves[at] - content.mean) / content.sd).ffill().to_numpy()
        assert np.allclose(batch.inputs[:, column], z[:19], atol=1e-5)
        assert np.allclose(batch.targets[:, column], z[1:], atol=1e-5)
        assert (batch.mask[:, column] == ~np.isnan(waves[at][1:]).any(1)).all()
    losses, errors = task.baselines_on(experiment, batch), task.metric_baselines(experiment, batch)
    assert list(losses) == list(errors) == ["the step before", "the mean of the trained part"]
    change = (batch.inputs - batch.targets)[batch.mask].astype(float)
    assert losses["the step before"] == pytest.approx((change**2).mean())
    assert errors["the step before"] == pytest.approx(np.abs(change).mean())


def test_errors_of_one_channel_are_in_its_unit():
    waves = [100 + 7 * wave for wave in WAVES]
    summary, content, _ = made(waves)
    held = [wave for wave, out in zip(waves, content.held, strict=True) if out]
    before = np.mean([np.abs(np.diff(wave)) for wave in held])
    mean = np.mean([np.abs(wave[1:] - content.mean[0]) for wave in held])
    assert summary["baselines"]["the step before"] == pytest.approx(before, rel=1e-5)
    assert summary["baselines"]["the mean of the trained part"] == pytest.approx(mean, rel=1e-5)
    task, _ = task_and_experiment(summary, content, 20)
    assert task.metric.name == "mean absolute error"


@pytest.mark.parametrize("loss", LOSSES)
def test_the_next_step_is_compared_with_the_same_answers_in_every_loss(loss):
    stream = io.BytesIO()
    np.savez(stream, x=np.stack(WAVES))
    dataset = read(stream.getvalue(), "sequences")
    task = dataset.to_task()
    e = Experiment(task=OWN_DATA, task_options=dataset.options, rnn_type="many_to_many", loss=loss, held=task)
    info, batch = RunInfo.of(e), held_out(e)
    assert info.held_out_baselines == pytest.approx(losses_of_answers(loss, task.simple_answers(e, batch), batch))
    assert list(info.held_out_baselines) == list(RunInfo.of(e.replace(loss="mse")).held_out_baselines)
