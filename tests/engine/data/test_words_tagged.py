"""Words with a tag each, against calculations by hand."""

from __future__ import annotations

import random

import numpy as np
import pandas as pd
import pytest

from engine.data.kinds import tagged
from engine.data.kinds.split import Given
from engine.data.problems import DataError, Notes
from engine.data.reading import read as read_file
from engine.tasks import held_out
from engine.tasks.unknown_words import UNKNOWN
from tests.engine.data.word_tables import experiment_of, said, table_of, task_for

WORDS = {"Anna": "PER", "Paris": "LOC", "Jordan": "PER LOC", "went": "O", "to": "O", "saw": "O", "in": "O", ".": "O"}


def corpus(count: int, seed: int = 0) -> list[tagged.Sentence]:
    """Some names are of either kind, and some words occur once."""
    chance, line, sentences = random.Random(seed), 0, []
    for number in range(count):
        words = [*chance.choices(list(WORDS), k=chance.randint(2, 9)), *([f"Name{number}"] if number % 5 == 0 else [])]
        sentences.append([])
        for word in words:
            line += 1
            sentences[-1].append((line, word, chance.choice(WORDS.get(word, "PER").split())))
        line += 1
    return sentences


def read(sentences, notes: Notes | None = None, **choices):
    return tagged.of_sentences(sentences, Notes() if notes is None else notes, choices, "column 2")


def as_frame(sentences, held) -> pd.DataFrame:
    rows = [
        (number, word.lower(), tag, held[number])
        for number, sentence in enumerate(sentences)
        for _, word, tag in sentence
    ]
    return pd.DataFrame(rows, columns=["sentence", "word", "tag", "held"])


def test_what_is_understood():
    sentences = corpus(200)
    summary, content = read(sentences)
    frame = as_frame(sentences, content.held)
    assert summary["column"] == "column 2" and summary["rows"] == len(frame) and summary["sequences"] == 200
    assert summary["train"] + summary["test"] == 200 and summary["test"] == pytest.approx(40, abs=3)
    assert summary["classes"] == frame.tag.value_counts().to_dict()
    assert content.classes == ("LOC", "O", "PER") and content.vocabulary[0] == UNKNOWN
    lengths = frame.groupby("sentence").size()
    assert summary["lengths"] == (lengths.min(), int(lengths.median()), lengths.max())
    row = 3
    assert [content.vocabulary[token] for token in content.words[row]] == [
        word.lower() for _, word, _ in sentences[row]
    ]
    assert [content.classes[tag] for tag in content.tags[row]] == [tag for _, _, tag in sentences[row]]
    assert content.lines[row] == sentences[row][0][0]


def test_baselines_equal_a_calculation_by_hand():
    sentences = corpus(300, 2)
    summary, content = read(sentences)
    frame = as_frame(sentences, content.held)
    trained, tested = frame[~frame.held], frame[frame.held]
    largest = trained.tag.value_counts().idxmax()
    usual = trained.groupby("word").tag.agg(lambda tags: tags.mode()[0])
    frame["usual"] = frame.word.map(usual).fillna(largest)
    always, own = (tested.tag == largest).mean(), (frame.usual == frame.tag)[frame.held].mean()
    names = ("always 'O'", "each word's most common tag")
    assert summary["baselines"] == dict(zip(names, (pytest.approx(always), pytest.approx(own)), strict=True))
    assert own > always + 0.1
    task = task_for("tagged", (summary, content))
    batch = held_out(experiment_of(task, "tagged", seq_len=4))
    picked = pd.concat([frame[frame.sentence == row].head(4) for row in batch.origin[:, 0]])
    assert task.metric_baselines(None, batch) == {
        "always 'O'": pytest.approx((picked.tag == largest).mean()),
        "each word's most common tag": pytest.approx((picked.usual == picked.tag).mean()),
    }
    assert task.metric_baselines(None, task.encode(None, "Anna saw Paris")) == {}


def test_losses_equal_a_calculation_by_hand():
    sentences = corpus(200, 3)
    summary, content = read(sentences)
    task = task_for("tagged", (summary, content))
    experiment = experiment_of(task, "tagged", seq_len=6)
    frame = as_frame(sentences, content.held)
    frame["known"] = frame.word.where(frame.word.isin(content.vocabulary), UNKNOWN)
    trained, tested = frame[~frame.held], frame[frame.held].groupby("sentence").head(6).copy()
    common = (trained.tag.value_counts() + 1) / (len(trained) + 3)
    both, of_word = trained.groupby(["known", "tag"]).size(), trained.known.value_counts()
    tested["common"] = -np.log(tested.tag.map(common))
    tested["own"] = [
        -np.log((both.get((word, tag), 0) + common[tag]) / (of_word.get(word, 0) + 1))
        for word, tag in zip(tested.known, tested.tag, strict=True)
    ]
    by_sentence = tested.groupby("sentence")[["common", "own"]].mean().mean()
    assert by_sentence.own < by_sentence.common
    assert list(task.baselines(experiment).items()) == [
        ("how common each word's tags are", pytest.approx(by_sentence.own)),
        ("how common each tag is", pytest.approx(by_sentence.common)),
    ], "the best is the one to beat"
    batch = held_out(experiment)
    means = tested.groupby("sentence")[["common", "own"]].mean().loc[batch.origin[:, 0]].mean()
    assert list(task.baselines_on(experiment, batch).values()) == pytest.approx([means.own, means.common])


def test_a_batch_asks_at_every_word_and_says_where_it_comes_from():
    summary, content = read(corpus(200))
    task = task_for("tagged", (summary, content))
    experiment = experiment_of(task, "tagged", seq_len=5)
    batch = task.draw(np.random.default_rng(0), experiment, 30, "train")
    for column, (row, place) in enumerate(batch.origin):
        words, tags = content.words[row][:5], content.tags[row][:5]
        assert not content.held[row] and place == 0 and batch.lengths[column] == len(words)
        assert batch.inputs[: len(words), column].tolist() == words.tolist()
        assert batch.targets[: len(words), column].tolist() == tags.tolist()
        assert batch.mask[:, column].tolist() == [True] * len(words) + [False] * (5 - len(words))


def test_a_typed_sentence_is_cut_as_the_files_words_are():
    sentences = corpus(100)
    for number in range(4):
        sentences[number].append((0, "U.S.", "LOC"))
        sentences[number].append((0, "n't", "O"))
    summary, content = read(sentences, test_share=0.05)
    task = task_for("tagged", (summary, content))
    batch = task.encode(None, "Anna went to U.S. quokka.")
    assert [task.input_labels[token] for token in batch.inputs[:, 0]] == ["anna", "went", "to", "u.s.", UNKNOWN, "."]
    assert batch.mask.all()
    assert task.encode(None, task.example).inputs.min() > 0


def test_documents_are_whole_if_there_are_five():
    sentences = corpus(60)
    documents = [number // 6 for number in range(60)]
    _, content = tagged.of_sentences(sentences, Notes(), {}, "tag", Given(groups=list(map(str, documents))))
    assert (pd.Series(content.held).groupby(documents).nunique() == 1).all() and content.held.sum() == 12
    rows = [(word, tag, f"page {number // 20}", number) for number, sentence in enumerate(sentences)
            for _, word, tag in sentence]  # fmt: skip
    words, tags, pages, numbers = zip(*rows, strict=True)
    types = {"sentence": "number", "word": "text", "tag": "label", "document": "label"}
    table, notes = table_of(types, sentence=numbers, word=words, tag=tags, document=pages), Notes()
    _, few = tagged.of_table(*table, notes, {})
    assert (few.held == read(sentences)[1].held).all(), "three documents"
    assert "names 3 groups; fewer than 5 are not kept whole" in said(notes) and "each is kept whole" not in said(notes)


def test_what_is_odd_is_said():
    sentences = corpus(40)
    sentences[2] = [(90, "Of", "O"), (91, "Paris", "I-LOC"), (92, "x", "B-PER"), (93, "y", "I-PER")]
    sentences[4] = [*sentences[3]]
    sentences[6] = sentences[7] = [(200 + number, "to", "O") for number in range(250)]
    sentences[8] = [(500 + number, "saw", "O") for number in range(150)]
    notes = Notes()
    summary, _ = read([*sentences, []], notes)
    assert summary["sequences"] == 40 and summary["lengths"][2] == 200
    for words in ("91 Line 91: the tag 'I-LOC' goes on from nothing, where 'B-LOC' is expected; 1 such",
                  "2 sentences stand there more than once", "longer than 200 words", "% of the words are tagged 'O'",
                  "occur only once", "Capitals"):  # fmt: skip
        assert words in said(notes), words


def test_what_cannot_be_used_is_refused_in_a_sentence():
    sentences = corpus(40)
    with pytest.raises(DataError, match="There are 4 tagged sentences; at least 5"):
        read(sentences[:4])
    with pytest.raises(DataError, match="only one class, the tag 'O'"):
        read([[(line, word, "O") for line, word, _ in sentence] for sentence in sentences])
    with pytest.raises(DataError, match="different tags; at most 200"):
        read([[(line, word, f"T{line}") for line, word, _ in sentence] for sentence in corpus(100)])


def test_a_table_with_the_sentence_in_its_first_row_alone():
    sentences = corpus(50)
    flat = [(word, tag, position == 0) for sentence in sentences for position, (_, word, tag) in enumerate(sentence)]
    number, numbers = 0, []
    for _, _, starts in flat:
        number += starts
        numbers.append(f"Sentence: {number}" if starts else None)
    types = {"Sentence #": "text", "Word": "text", "POS": "label", "Tag": "label"}
    words, tags, _ = zip(*flat, strict=True)
    columns = {"Sentence #": numbers, "Word": words, "POS": ["NN"] * len(words), "Tag": tags}
    notes = Notes()
    summary, content = tagged.of_table(*table_of(types, **columns), notes, {})
    assert summary["sequences"] == 50 and summary["column"] == "Tag" and "'POS' left out" in said(notes)
    assert [len(each) for each in content.words] == [len(each) for each in sentences]
    assert content.lines[1] == 2 + len(sentences[0])
    words = [*words[:3], None, *words[4:]]
    table = table_of({"Word": "text", "Tag": "label"}, Word=words, Tag=tags)
    summary, _ = tagged.of_table(*table, notes, {})  # a sentence ends after its full stop
    ends = [place for place, word in enumerate(words) if word == "."]
    assert summary["sequences"] == len(ends) + (ends[-1] < len(words) - 1)
    assert "5 Line 5 lacks a word or its tag; 1 such" in said(notes)
    with pytest.raises(DataError, match="a column of words and a column of tags"):
        tagged.of_table(*table_of({"a": "text", "b": "label"}, a=words, b=tags), notes, {})


@pytest.mark.parametrize("delimiter", ["\t", " "])
def test_a_word_and_its_tag_in_a_line_are_sentences_between_empty_lines(delimiter):
    """With a tab, as CoNLL has it, each line could be taken for a whole sentence of one word, and its tags."""
    words = [
        (word, tag) for number in range(20) for word, tag in (("the", "DET"), (f"dog{number}", "NOUN"), ("ran", "VERB"))
    ]
    lines = [f"{word}{delimiter}{tag}" + ("\n" if tag == "VERB" else "") for word, tag in words]
    dataset = read_file("\n".join(lines).encode())
    assert dataset.kind == "tagged" and (dataset.summary["sequences"], dataset.summary["rows"]) == (20, 60)
