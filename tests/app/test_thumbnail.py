"""The small picture of input and target: for every task well-formed HTML, small, and of the sequence that is drawn."""

from __future__ import annotations

import dataclasses
import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from app import thumbnail as module
from app.thumbnail import MAX_BARS, thumbnail
from engine.experiment import Experiment
from engine.tasks import TASKS, probe
from tests.cases import for_each

TYPES = [(task.slug, kind) for task in TASKS.values() for kind in task.rnn_types]
MAX_BYTES = 6_000


class Reader(HTMLParser):
    """Holds that every tag is closed in order, and keeps the tags with their attributes, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    def count(self, **attributes: str) -> int:
        """How many tags have these attributes (`kind` is the class)."""
        wanted = {"class" if name == "kind" else name: value for name, value in attributes.items()}
        return sum(wanted.items() <= present.items() for _, present in self.tags)

    @property
    def dots(self) -> list[str]:
        """The styles of the pixels or bars."""
        return [attributes["style"] or "" for tag, attributes in self.tags if tag == "i"]


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == [] and {tag for tag, _ in reader.tags} <= {"div", "b", "i"}
    return reader


@for_each({"task, kind": TYPES, "length": ["low", "default", "high"]})
def test_every_task_has_a_small_well_formed_picture(task, kind, length):
    experiment = Experiment(task=task, rnn_type=kind, seq_len=getattr(TASKS[task].lengths, length))
    html = thumbnail(experiment)
    reader = read(html)
    assert len(html.encode()) < MAX_BYTES and "nan" not in html
    assert reader.count(kind="thumbnail") == 1 and "<div></div>" not in html
    batch = probe(experiment)
    symbols = TASKS[task].inputs == TASKS[task].outputs == "symbols"
    aligned = kind == "many_to_many" and symbols and batch.mask[:, 0].sum() > batch.lengths[0] / 2
    assert reader.words.count("→") == (not aligned) and reader.words.startswith("in") == aligned


@for_each({"task, kind": TYPES})
def test_the_image_is_shown_where_there_is_one(task, kind):
    experiment = Experiment(task=task, rnn_type=kind)
    reader, image = read(thumbnail(experiment)), TASKS[task].image
    assert reader.count(kind="image") == (image is not None)
    if image:
        pixels = np.array([float(style.removeprefix("opacity: ")) for style in reader.dots])
        assert reader.count(style=f"--columns: {image[1]}") == 1
        given = probe(experiment).inputs[:, 0].ravel()[: image[0] * image[1]]
        np.testing.assert_allclose(pixels, given, atol=0.005)
        assert 0 <= pixels.min() < pixels.max() <= 1


@pytest.mark.parametrize("task", [task.slug for task in TASKS.values() if "<UNK>" in task.input_labels])
def test_an_unknown_word_is_escaped(task, monkeypatch):
    experiment = Experiment(task=task, rnn_type=TASKS[task].rnn_types[0])
    batch = probe(experiment)
    inputs = np.full_like(batch.inputs, TASKS[task].input_labels.index("<UNK>"))
    monkeypatch.setattr(module, "probe", lambda experiment: dataclasses.replace(batch, inputs=inputs))
    html = thumbnail.__wrapped__(experiment)  # not from the cache, nor into it
    assert "&lt;UNK&gt;" in html and "<UNK>" not in html and "<UNK>" in read(html).words


def test_labels_cannot_become_tags(monkeypatch):
    """Neither could a new task's."""
    task = TASKS["reverse"]
    evil = tuple(f'<b onclick="{label}">&' for label in task.output_labels)
    worse = dataclasses.replace(task, input_labels=evil, output_labels=evil)
    monkeypatch.setitem(TASKS, "reverse", worse)
    reader = read(thumbnail.__wrapped__(Experiment(task="reverse", rnn_type="encoder_decoder")))
    assert [tag for tag, _ in reader.tags] == ["div", "div", "b", "div"] and '<b onclick="' in reader.words


def test_input_and_target_are_those_of_the_drawn_sequence():
    text = read(thumbnail(Experiment(task="reverse", rnn_type="encoder_decoder"))).words.replace("\u200b", "")
    given, wanted = text.split("→")
    assert len(given) >= 2 and wanted.startswith(given[::-1])
    copied = read(thumbnail(Experiment(task="copy", rnn_type="many_to_many", seq_len=10))).words.replace("\u200b", "")
    given, wanted = copied.split("→")
    assert given.startswith(wanted)
    melody = read(thumbnail(Experiment(task="melody", rnn_type="one_to_many"))).words
    assert " " not in melody.split("→")[0]  # one note goes in


def rows_of(html: str) -> list[list[str]]:
    """The boxes of the two aligned rows: "" for an empty box, None's place is "nothing"."""
    rows = re.fullmatch(r".*<b>in</b>(.*)<b>out</b>(.*)</div></div>", html, re.S)
    assert rows
    cell = re.compile(r'<div style="[^"]*">(.*?)</div>|(<i></i>)|<b>(…)</b>')
    return [["nothing" if each[2] else each[1] or each[3] for each in cell.finditer(row)] for row in rows.groups()]


@pytest.mark.parametrize("task", ["characters", "next_word", "reber"])
def test_where_the_next_input_is_asked_for_both_stand_in_their_column(task):
    """The first input is an empty box: nothing has been read when the first symbol is asked for."""
    html = thumbnail(Experiment(task=task, rnn_type="many_to_many"))
    given, wanted = rows_of(html)
    batch, labels = probe(Experiment(task=task, rnn_type="many_to_many")), TASKS[task].output_labels
    assert given[-1] == wanted[-1] == "…" and len(given) == len(wanted) > 3
    assert [unescape(each) for each in wanted[:-1]] == [
        labels[target].replace(" ", "␣") for target in batch.targets[: len(wanted) - 1, 0]
    ]
    if batch.inputs[0, 0] < 0:
        assert given[0] == "&nbsp;" and "dashed" in html
    assert given[1:-1] == wanted[:-2]


def test_the_first_input_of_letters_is_empty():
    given, _ = rows_of(thumbnail(Experiment(task="characters", rnn_type="many_to_many")))
    assert given[0] == "&nbsp;" and "&nbsp;" not in given[1:]


def test_both_marked_numbers_of_the_default_length_are_seen():
    html = thumbnail(Experiment(task="adding"))
    assert read(html).count(kind="marked") == 2 and "…" not in html


def test_what_is_cut_off_ends_in_dots():
    for task, kind in (("adding", "many_to_one"), ("characters", "many_to_many"), ("characters", "many_to_one")):
        assert "…" in read(thumbnail(Experiment(task=task, rnn_type=kind, seq_len=200))).words
    assert len(read(thumbnail(Experiment(task="adding", seq_len=200))).dots) == MAX_BARS


def test_another_seed_is_another_sequence():
    assert thumbnail(Experiment(seed=1)) != thumbnail(Experiment(seed=2))
    assert thumbnail(Experiment(seed=1)) == thumbnail(Experiment(seed=1, hidden_size=3))
