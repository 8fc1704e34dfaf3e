"""Pairs of texts, against calculations by hand."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest

from engine.data.kinds import pairs
from engine.data.problems import DataError, Notes
from engine.data.tasks.pairs import output_labels
from engine.tasks import END, held_out
from engine.tasks.unknown_words import UNKNOWN, UNKNOWN_CHARACTER
from tests.engine.data.word_tables import experiment_of, said, table_of, task_for

THINGS = {"cat": "chat", "dog": "chien", "bird": "oiseau", "taxi": "taxi", "hotel": "hotel", "menu": "menu"}


def phrases(count: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """Some targets are their source, some are the same answer for many sources, and some end with a full stop."""
    chance, sources, targets = random.Random(seed), [], []
    for number in range(count):
        one, other = chance.choices(list(THINGS), k=2)
        many = chance.randint(1, 40)
        sources.append(f"{one} {many} {other}" if number % 4 else f"say {many} {one}")
        targets.append(f"{THINGS[one]} {many} {THINGS[other]}" if number % 4 else "no answer .")
    return sources, targets


def read(sources, targets, notes: Notes | None = None, **choices):
    lines = np.arange(1, len(sources) + 1)
    return pairs.of_texts(sources, targets, lines, Notes() if notes is None else notes, choices, ("English", "French"))


def test_what_is_understood():
    sources, targets = phrases(400)
    summary, content = read(sources, targets)
    assert (summary["source"], summary["target"], summary["unit"]) == ("English", "French", "words")
    assert summary["rows"] == 400 == summary["train"] + summary["test"]
    assert summary["test"] == pytest.approx(40, abs=3) and summary["longest"] == (3, 3)
    assert summary["source_vocabulary"] == len(content.source_vocabulary)
    assert summary["target_vocabulary"] == len(content.target_vocabulary)
    for row in (1, 2, 77):
        if UNKNOWN not in (written := [content.source_vocabulary[token] for token in content.sources[row]]):
            assert " ".join(written) == sources[row]
    held = {source for source, out in zip(sources, content.held, strict=True) if out}
    assert not held & {source for source, out in zip(sources, content.held, strict=True) if not out}


def test_baselines_equal_a_calculation_by_hand():
    sources, targets = phrases(600, 1)
    sources[7] = targets[7] = "once quokka"  # words that training does not know can be copied as well
    summary, content = read(sources, targets)
    rows = list(zip(sources, targets, content.held, strict=True))
    usual = Counter(target for _, target, out in rows if not out).most_common(1)[0][0]
    tested = [(source, target) for source, target, out in rows if out]
    copied = sum(source == target for source, target in tested) / len(tested)
    common = sum(target == usual for _, target in tested) / len(tested)
    names = ("copy the source", "always the most common answer")
    assert summary["baselines"] == dict(zip(names, (pytest.approx(copied), pytest.approx(common)), strict=True))
    assert 0 < copied < 0.5 and common > 0.1
    assert bool(content.copies[7])
    task = task_for("pairs", (summary, content))
    batch = held_out(experiment_of(task, "pairs"))
    asked = [(sources[row], targets[row]) for row in batch.origin[:, 0]]
    assert task.metric_baselines(None, batch) == {
        "copy the source": pytest.approx(np.mean([source == target for source, target in asked])),
        "always the most common answer": pytest.approx(np.mean([target == usual for _, target in asked])),
    }
    assert task.metric_baselines(None, task.encode(None, "cat 3 dog")) == {}


def test_copying_is_no_answer_where_no_target_is_its_source():
    sources, targets = phrases(200)
    summary, content = read([f"{source} please" for source in sources], targets)
    assert list(summary["baselines"]) == ["always the most common answer"]
    task = task_for("pairs", (summary, content))
    batch = held_out(experiment_of(task, "pairs"))
    assert list(task.metric_baselines(None, batch)) == ["always the most common answer"]


def test_the_loss_to_beat_is_how_common_each_symbol_is():
    summary, content = read(*phrases(300))
    task = task_for("pairs", (summary, content))
    experiment = experiment_of(task, "pairs")
    end = len(task.output_labels) - 1
    counts = Counter({end: int((~content.held).sum())})
    for row in np.flatnonzero(~content.held):
        counts.update(content.targets[row].tolist())
    total = counts.total() + len(task.output_labels)

    def loss(tokens: list[int]) -> float:
        return float(np.mean([-math.log((counts[token] + 1) / total) for token in tokens]))

    each = [loss([*content.targets[row].tolist(), end]) for row in np.flatnonzero(content.held)]
    assert task.baselines(experiment) == {"how common each symbol is": pytest.approx(np.mean(each))}
    batch = held_out(experiment)
    columns = zip(batch.targets.T, batch.mask.T, strict=True)
    drawn = [loss(answer[counted].tolist()) for answer, counted in columns]
    assert task.baselines_on(experiment, batch) == {"how common each symbol is": pytest.approx(np.mean(drawn))}


def test_a_batch_is_the_pair_and_its_end():
    summary, content = read(*phrases(300))
    task = task_for("pairs", (summary, content))
    experiment = experiment_of(task, "pairs")
    batch = task.draw(np.random.default_rng(0), experiment, 40, "test")
    assert batch.targets.shape == (4, 40) == (task.target_steps(experiment), 40)
    for column, (row, place) in enumerate(batch.origin):
        target = [*content.targets[row].tolist(), task.output_labels.index(END)]
        assert content.held[row] and place == 0
        assert batch.inputs[: batch.lengths[column], column].tolist() == content.sources[row].tolist()
        assert batch.targets[batch.mask[:, column], column].tolist() == target
        assert batch.decoder_inputs[: len(target), column].tolist() == [-1, *target[:-1]]
        assert (batch.decoder_inputs[len(target) :, column] == -1).all()


def test_shorter_sources_alone_are_dealt_where_the_source_is_short():
    sources = [" ".join([*"abc"[: number % 3 + 1], f"x{number // 6}"]) for number in range(120)]
    summary, content = read(sources, ["yes" if number % 2 else "no" for number in range(120)])
    task = task_for("pairs", (summary, content))
    assert (task.lengths.low, task.lengths.high, task.lengths.default) == (2, 4, 4)
    for seq_len in (2, 3):
        batch = task.draw(np.random.default_rng(0), experiment_of(task, "pairs", seq_len=seq_len), 50, "train")
        assert len(batch.inputs) == seq_len == batch.lengths.max()
        assert (batch.lengths == [len(content.sources[row]) for row in batch.origin[:, 0]]).all()


def test_a_full_stop_of_the_data_is_not_the_end():
    """END is ".": a symbol of the data that is written the same way gets a label of its own."""
    assert output_labels((UNKNOWN, ".", "a")) == (UNKNOWN, "․", "a", END)
    assert output_labels((UNKNOWN, ".", "․", "a")) == (UNKNOWN, "․․", "․", "a", END)
    summary, content = read(*phrases(300))
    task = task_for("pairs", (summary, content))
    stop = content.target_vocabulary.index(".")
    assert task.output_labels[stop] != END and task.output_labels[-1] == END
    assert len(set(task.output_labels)) == len(task.output_labels)
    batch = task.draw(np.random.default_rng(0), experiment_of(task, "pairs"), 40, "train")
    last = batch.targets[batch.mask.sum(0) - 1, np.arange(40)]
    assert (last == len(task.output_labels) - 1).all() and (batch.targets == stop).any()


def test_a_whole_answer_with_an_unknown_word_is_never_right():
    sources, targets = phrases(300)
    held = read(sources, targets)[1].held
    row = int(np.flatnonzero(held)[0])
    targets[row] = "neverseen"
    summary, content = read(sources, targets)
    task = task_for("pairs", (summary, content))
    batch = task.draw(np.random.default_rng(0), experiment_of(task, "pairs"), 400, "test")
    perfect = np.eye(len(task.output_labels))[batch.targets]
    assert task.metric.measure(batch, perfect) == pytest.approx(
        np.mean([0 not in content.targets[row] for row in batch.origin[:, 0]])
    )
    assert task.metric.measure(batch, perfect) < 1
    perfect[-1] = np.nan  # where nothing is asked
    assert task.metric.measure(batch, perfect) < 1


def test_each_side_has_its_own_unit():
    chance = random.Random(0)
    words = ["".join(chance.choices("abcde", k=chance.randint(2, 7))) for _ in range(200)]
    summary, content = read(words, [" ".join(word.upper()) for word in words])
    assert (content.source_unit, content.target_unit) == ("characters", "words")
    assert summary["unit"] == "characters to words"
    assert content.source_vocabulary[0] == UNKNOWN_CHARACTER and content.target_vocabulary[0] == UNKNOWN
    dates = [f"{day} May {1900 + day * 3}" for day in range(1, 31)] * 2
    iso = [f"{1900 + day * 3}-05-{day:02d}" for day in range(1, 31)] * 2
    _, content = read(dates, iso)
    assert (content.source_unit, content.target_unit) == ("words", "words")  # every answer stands there twice
    assert read(dates[:30], iso[:30])[1].target_unit == "characters"
    summary, content = read(words, ["yes" if "a" in word else "no" for word in words])
    assert (content.source_unit, content.target_unit) == ("characters", "words")  # one word, but only two of them
    assert read(words, words, unit="characters")[0]["unit"] == "characters"


def test_what_changes_numbers_is_said():
    sources, targets = phrases(60)
    sources[3] = " "
    sources[5] = "Long " * 61
    sources[8], targets[8] = sources[9], targets[9]
    sources[11], targets[11] = sources[9], "something else"
    notes = Notes()
    summary, _ = read(sources, targets, notes)
    assert summary["rows"] == 58
    for words in ("4 Line 4 lacks one of its two sides; 1 such",
                  "6 Line 6 is too long: a source 60 words and a target 60 words at most",
                  "1 source, first that in line 9, stands there more than once with different answers",
                  "pairs stand there more than once", "occur only once", "unknown"):  # fmt: skip
        assert words in said(notes), words
    with pytest.raises(DataError, match="There are 9 pairs; at least 10"):
        read(sources[12:21], targets[12:21])
    with pytest.raises(DataError, match="20 sources cannot be divided"):
        read(["a b"] * 20, targets[12:32])


def test_the_columns_of_a_table():
    sources, targets = phrases(60)
    types = {"column 1": "text", "column 2": "text", "column 3": "text"}
    licence = ["CC-BY 2.0 (France) tatoeba"] * 60
    notes = Notes()
    made = table_of(types, **dict(zip(types, (sources, targets, licence), strict=True)))
    summary, _ = pairs.of_table(*made, notes, {})
    assert (summary["source"], summary["target"]) == ("column 1", "column 2")
    assert "'column 3' left out" in said(notes)
    summary, _ = pairs.of_table(*made, notes, {"source": "column 2", "target": "column 1"})
    assert (summary["source"], summary["target"]) == ("column 2", "column 1")
    summary, _ = pairs.of_table(*made, notes, {"target": "column 1"})
    assert (summary["source"], summary["target"]) == ("column 2", "column 1")
    with pytest.raises(DataError, match="no column 'x' for the targets"):
        pairs.of_table(*made, notes, {"target": "x"})
    with pytest.raises(DataError, match="both source and target"):
        pairs.of_table(*made, notes, {"source": "column 1", "target": "column 1"})
    made = table_of(
        {"answer": "text", "id": "number", "question": "text"}, answer=targets, id=range(60), question=sources
    )
    summary, _ = pairs.of_table(*made, notes, {})
    assert (summary["source"], summary["target"]) == ("question", "answer")
    split = ["train"] * 50 + ["test"] * 10
    made = table_of({"fr": "text", "en": "text", "split": "label"}, fr=targets, en=sources, split=split)
    summary, content = pairs.of_table(*made, notes, {})
    assert (summary["source"], summary["target"]) == ("fr", "en")  # as they stand
    assert content.held.tolist() == [False] * 50 + [True] * 10
    with pytest.raises(DataError, match="two columns"):
        pairs.of_table(*table_of({"one": "text"}, one=sources), notes, {})
