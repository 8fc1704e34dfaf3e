"""Texts with a class each, against calculations by hand."""

from __future__ import annotations

import math
import random
import re
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from engine.data.kinds import labelled
from engine.data.kinds.tokens import split_text
from engine.data.problems import DataError, Notes
from engine.tasks import held_out, sample
from engine.tasks.unknown_words import UNKNOWN
from tests.cases import for_each
from tests.engine.data.word_tables import experiment_of, said, table_of, task_for

GOOD, BAD = ("good", "fine", "great"), ("bad", "poor", "dull")
REST = ("film", "story", "music", "the", "was", "very", "and")


def reviews(count: int, seed: int = 0) -> pd.DataFrame:
    """Reviews whose class is mostly that of one word; a third are good."""
    chance, rows = random.Random(seed), []
    for _ in range(count):
        good = chance.random() < 0.4
        judgement = chance.choice(BAD if chance.random() < (0.2 if good else 0.9) else GOOD)
        words = [*chance.choices(REST, k=chance.randint(2, 9)), judgement]
        chance.shuffle(words)
        rows.append({"review": " ".join(words), "sentiment": "positive" if good else "negative"})
    return pd.DataFrame(rows)


def read(frame: pd.DataFrame, notes: Notes | None = None, **choices):
    notes, lines = Notes() if notes is None else notes, np.arange(2, len(frame) + 2)
    names = ("review", "sentiment")
    return labelled.of_texts(frame.review.tolist(), frame.sentiment.tolist(), lines, notes, choices, names)


def refused(frame: pd.DataFrame, **choices) -> str:
    with pytest.raises(DataError) as error:
        read(frame, **choices)
    return error.value.sentence


def by_hand(frame: pd.DataFrame, held: np.ndarray) -> tuple[float, float]:
    """Accuracy of the largest class, and of naive Bayes on which words occur, counted from strings."""
    trained, tested = frame[~held], frame[held]
    words = trained.review.map(lambda text: split_text(text, "words"))
    seen = Counter(word for each in words for word in each)
    known = {word for word, count in seen.items() if count > 1}
    scores = {}
    for name, group in words.groupby(trained.sentiment):
        holding = Counter(word for each in group for word in set(each) & known)
        total = sum(holding.values()) + len(known)
        scores[name] = (
            math.log(len(group) / len(trained)),
            {word: math.log((holding[word] + 1) / total) for word in known},
        )
    right = 0
    for text, truth in zip(tested.review, tested.sentiment, strict=True):
        read_words = set(split_text(text, "words")) & known
        score = {name: prior + sum(log[word] for word in read_words) for name, (prior, log) in scores.items()}
        right += max(sorted(score), key=score.__getitem__) == truth
    largest = trained.sentiment.value_counts().idxmax()
    return float((tested.sentiment == largest).mean()), right / len(tested)


def test_what_is_understood():
    frame = reviews(300)
    summary, content = read(frame)
    assert summary["rows"] == summary["sequences"] == 300 == summary["train"] + summary["test"]
    assert summary["test"] == pytest.approx(60, abs=3)
    assert summary["classes"] == frame.sentiment.value_counts().to_dict()
    assert (summary["text"], summary["label"], summary["unit"]) == ("review", "sentiment", "words")
    lengths = frame.review.str.split().str.len()
    assert summary["lengths"] == (lengths.min(), int(lengths.median()), lengths.max())
    assert summary["vocabulary"] == len(content.vocabulary) and content.vocabulary[0] == UNKNOWN
    assert content.classes == ("negative", "positive")
    for row in (0, 17):
        assert " ".join(content.vocabulary[token] for token in content.tokens[row]) == frame.review[row]
        assert content.classes[content.labels[row]] == frame.sentiment[row] and content.lines[row] == row + 2
    assert not {*frame.review[content.held]} & {*frame.review[~content.held]}


def test_baselines_equal_a_calculation_by_hand():
    frame = reviews(400, 3)
    summary, content = read(frame)
    largest, bayes = by_hand(frame, content.held)
    assert summary["baselines"] == {
        "always 'negative'": pytest.approx(largest), "words without their order (naive Bayes)": pytest.approx(bayes),
    }  # fmt: skip
    assert bayes > largest + 0.1
    task = task_for("labelled", (summary, content))
    batch = held_out(experiment_of(task, "labelled"))
    rows = batch.origin[:, 0]
    own = task.metric_baselines(None, batch)
    assert own["always 'negative'"] == pytest.approx((content.labels[rows] == 0).mean())
    everything = sample(experiment_of(task, "labelled"), 3_000, 1, "test")
    assert task.metric_baselines(None, everything)["words without their order (naive Bayes)"] == pytest.approx(
        bayes, abs=0.05
    )
    assert task.metric_baselines(None, task.encode(None, "a good film")) == {}


def test_the_loss_to_beat_is_that_of_the_classes_shares():
    frame = reviews(200)
    summary, content = read(frame)
    task = task_for("labelled", (summary, content))
    trained = Counter(frame.sentiment[~content.held])
    loss = {name: -math.log((count + 1) / (trained.total() + 2)) for name, count in trained.items()}
    expected = frame.sentiment[content.held].map(loss).mean()
    experiment = experiment_of(task, "labelled")
    assert task.baselines(experiment) == {"how common each class is": pytest.approx(expected)}
    batch = held_out(experiment)
    on_batch = np.mean([loss[content.classes[each]] for each in batch.targets[batch.mask]])
    assert task.baselines_on(experiment, batch) == {"how common each class is": pytest.approx(on_batch)}


def test_a_batch_says_where_it_comes_from_and_asks_at_the_last_word():
    summary, content = read(reviews(300))
    task = task_for("labelled", (summary, content), "a very long name of a file.csv")
    experiment = experiment_of(task, "labelled", seq_len=5)
    for split in ("train", "test"):
        batch = task.draw(np.random.default_rng(0), experiment, 50, split)
        assert batch.origin.shape == (50, 2) and not batch.origin[:, 1].any()
        assert (content.held[batch.origin[:, 0]] == (split == "test")).all()
        for column, row in enumerate(batch.origin[:, 0]):
            tokens = content.tokens[row][:5]
            assert batch.lengths[column] == len(tokens)
            assert batch.inputs[: len(tokens), column].tolist() == tokens.tolist()
            assert (batch.inputs[len(tokens) :, column] == -1).all()
            assert np.flatnonzero(batch.mask[:, column]).tolist() == [len(tokens) - 1]
            assert batch.targets[len(tokens) - 1, column] == content.labels[row]
    lengths = [len(each) for each in content.tokens]
    assert (task.lengths.low, task.lengths.high) == (1, max(lengths))
    assert task.lengths.default == math.ceil(np.percentile(lengths, 95))
    assert len(task.title) <= 22 and task.family == "Your data" and task.source.endswith(".")


def test_a_person_can_type_a_text():
    summary, content = read(reviews(300))
    task = task_for("labelled", (summary, content))
    batch = task.encode(None, "The film, was GOOD or quokka")
    assert [task.input_labels[token] for token in batch.inputs[:, 0]] == [
        "the", "film", UNKNOWN, "was", "good", UNKNOWN, UNKNOWN,
    ]  # fmt: skip
    assert np.flatnonzero(batch.mask).tolist() == [6]
    assert task.encode(None, task.example).inputs.min() > 0
    for empty in ("", "  "):
        with pytest.raises(ValueError, match="words"):
            task.encode(None, empty)


def test_columns_are_found_by_what_is_in_them_and_confidence_is_no_class():
    frame = reviews(60)
    confidence = np.random.default_rng(0).random(60).round(2)
    table, columns = table_of(
        {"id": "counter", "airline_sentiment_confidence": "number", "airline_sentiment": "label", "stars": "number",
         "text": "text", "name": "label"},
        id=range(60), airline_sentiment_confidence=confidence, airline_sentiment=frame.sentiment,
        stars=[float(number % 5) for number in range(60)], text=frame.review, name=["x", "y"] * 30,
    )  # fmt: skip
    notes = Notes()
    summary, content = labelled.of_table(table, columns, notes, {})
    assert (summary["text"], summary["label"]) in (("text", "airline_sentiment"), ("text", "stars"))
    summary, content = labelled.of_table(table, columns, notes, {"label": "stars"})
    assert summary["classes"] == {str(number): 12 for number in range(5)} and content.classes == tuple("01234")
    with pytest.raises(DataError, match="no column 'star'"):
        labelled.of_table(table, columns, notes, {"label": "star"})
    no_class = [each for each in columns if each.name in ("airline_sentiment_confidence", "text")]
    with pytest.raises(DataError, match="No column of classes"):
        labelled.of_table(table, no_class, notes, {})


def test_a_row_without_text_or_class_is_left_out_and_none_is_a_class():
    frame = reviews(40)
    texts, labels = frame.review.tolist(), ["none" if number % 3 else "some" for number in range(40)]
    texts[4], labels[6] = "  ", None
    table, columns = table_of({"text": "text", "kind": "label"}, text=texts, kind=labels)
    notes = Notes()
    summary, _ = labelled.of_table(table, columns, notes, {})
    assert summary["rows"] == 38 and summary["classes"]["none"] == 26 - (1 if 4 % 3 else 0) - (1 if 6 % 3 else 0)
    assert "6 Line 6 lacks a text or a class; 2 such rows are left out" in said(notes)


def test_the_name_of_a_class_is_kept_as_it_is_written_but_whole_numbers_have_no_decimals():
    names = {
        ("v1.0", "v2.0"): ("v1.0", "v2.0"), (1.0, 2.0): ("1", "2"), (0.5, 1.5): ("0.5", "1.5"),
        (1000001.0, 1000002.0): ("1000001", "1000002"),
    }  # fmt: skip
    for labels, classes in names.items():
        columns = {"text": [f"word {at} good" for at in range(20)], "label": [labels[at % 2] for at in range(20)]}
        _, content = labelled.of_table(*table_of({"text": "text", "label": "label"}, **columns), Notes(), {})
        assert content.classes == classes


def test_a_split_column_and_groups_are_obeyed():
    frame = reviews(60)
    split = ["train" if number % 4 else "test" for number in range(60)]
    types = {"text": "text", "label": "label", "split": "label"}
    table, columns = table_of(types, text=frame.review, label=frame.sentiment, split=split)
    summary, content = labelled.of_table(table, columns, Notes(), {})
    assert content.held.tolist() == [each == "test" for each in split] and summary["test"] == 15
    users = [f"user {number // 6}" for number in range(60)]
    types = {"text": "text", "label": "label", "user_id": "label"}
    table, columns = table_of(types, text=frame.review, label=frame.sentiment, user_id=users)
    notes = Notes()
    _, content = labelled.of_table(table, columns, notes, {})
    sides = pd.Series(content.held).groupby(users).nunique()
    assert (sides == 1).all() and content.held.sum() == 12 and "10 groups" in said(notes)
    frame.loc[:, "review"] = ["the same film", "another good film", "a film"] * 20
    table, columns = table_of(types, text=frame.review, label=frame.sentiment, user_id=users)
    labelled.of_table(table, columns, notes, {})
    assert "57 texts stand there more than once, first that in line 2; 12 held-out ones are trained on" in said(notes)


def test_classes_that_differ_in_capitals_or_occur_once():
    frame = reviews(60)
    frame.loc[:19, "sentiment"] = ["Positive"] * 20
    frame.loc[20, "sentiment"] = "odd"
    notes = Notes()
    summary, _ = read(frame, notes)
    assert "odd" not in summary["classes"] and len(summary["classes"]) == 2 and summary["rows"] == 59
    assert "differ only in capitals" in said(notes) and "The class 'odd' occurs once, in line 22" in said(notes)


REFUSED = [
    ({"sentiment": "good"}, "only one class, 'good'"),
    ({"sentiment": ["good"] * 59 + ["bad"]}, "only one class, 'good'"),
    ({"sentiment": [*"aabb", *("" for _ in range(56))]}, "4 texts with a class .* at least 10"),
    ({"sentiment": [f"c{number}" for number in range(60)]}, "60 different classes; at most 50"),
    ({"review": "the same"}, "60 texts cannot be divided .* the same"),
    ({"review": [f"a{number} b{number}" for number in range(60)]}, "occurs twice"),
]


@for_each({"columns, sentence": REFUSED})
def test_what_cannot_be_used_is_refused_in_a_sentence(columns, sentence):
    assert re.search(sentence, refused(reviews(60).assign(**columns)))


def test_what_changes_numbers_is_said():
    frame = reviews(100)
    frame.loc[:94, "sentiment"], frame.loc[95:, "sentiment"] = "ham", "spam"
    frame.loc[3, "review"] = frame.loc[90, "review"]
    frame.loc[5, "review"] = "Long " * 300 + "<br /> once"
    notes = Notes()
    summary, content = read(frame, notes)
    assert max(map(len, content.tokens)) == 200 == summary["lengths"][2]
    for words in ("95 % of the rows are 'ham'", "more than once", "longer than 200 words", "HTML such as <br />",
                  "Capitals are read as small letters"):  # fmt: skip
        assert words in said(notes), words


def test_names_are_read_letter_by_letter():
    chance = random.Random(0)
    names = ["".join(chance.choices("abcdefgh", k=6)) + ("ov" if number % 2 else "ini") for number in range(80)]
    frame = pd.DataFrame({"review": names, "sentiment": ["ru" if number % 2 else "it" for number in range(80)]})
    summary, content = read(frame)
    assert summary["unit"] == "characters" and summary["lengths"][2] == 9
    task = task_for("labelled", (summary, content))
    assert task.encode(None, "Abov").inputs[:, 0].tolist() == [content.vocabulary.index(each) for each in "abov"]
    assert "None of the words occurs twice" in refused(frame, unit="words")
