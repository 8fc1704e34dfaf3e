"""What the card "Ask the network" says and shows: the question that is meant, and its answer in words and boxes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from app.figures.theme import symbol
from app.text import plain
from engine.ask.question import LIMITS, Answer, reason_not_to_continue
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.tasks import END, TASKS, Task

HEADING = "**Ask the network**: it answers with its weights of this moment, and learns nothing from it."
TYPE_IT, HELD_OUT = "type it", "a held-out example"
ASK, AGAIN, ASKING = "Ask", "Ask again", "The network is being asked…"
EXAMPLE = "Held-out example"
STEPS = "Steps to go on by itself"
TEMPERATURE = "Temperature"
TEMPERATURE_HELP = (
    "0 is greedy: always the most probable symbol. Above, symbols are drawn by chance: at 1 as often as the network "
    "holds them probable, below 1 more carefully, above 1 more wildly."
)
READ, SAYS, GOES_ON = "**What it read**", "**What it says**", "**What it read, and how it goes on by itself**"
READ_AND_SAYS = "**What it read, and what it says to it**"
EXPECTS = "**What it expects next**"
BOXES = "The stronger a box is coloured, the surer it was; point at one for the number."
NOTHING = "nothing yet"
UNKNOWNS = ("<UNK>", "\N{REPLACEMENT CHARACTER}")
HOTTEST = 2.0
MAX_CHARACTERS = 20_000  # of a typed text; far more than can be read, so that its sentence says so


def generates(experiment: Experiment) -> bool:
    """True where the network says symbols that it hears itself, so that a temperature makes sense."""
    speaks = experiment.rnn_type in AUTOREGRESSIVE_TYPES or not reason_not_to_continue(experiment)
    return speaks and TASKS[experiment.task].outputs == "symbols"


def usual_steps(experiment: Experiment) -> int:
    """How far it goes on when nobody says: a line of letters, a sentence of words, or half of what was read."""
    task = TASKS[experiment.task]
    if task.outputs == "symbols":
        return 60 if max(map(len, task.output_labels)) == 1 else 12
    return max(1, min(20, experiment.seq_len // 2))


def most_steps(experiment: Experiment) -> int:
    """How far it may go on: a forecast is for some lengths of what was read, a text for a few lines."""
    if TASKS[experiment.task].outputs == "symbols":
        return int(LIMITS["steps"][1].high)
    return min(max(20, 2 * experiment.seq_len), int(LIMITS["steps"][1].high))


def remark(experiment: Experiment) -> str:
    """Below the fields: what this network cannot do, though its data would let it."""
    task = TASKS[experiment.task]
    return (
        reason_not_to_continue(experiment) if task.continues and experiment.rnn_type not in AUTOREGRESSIVE_TYPES else ""
    )


def asked_at(answer: Answer) -> str:
    """When, and how symbols were chosen."""
    question = answer.question
    what = "what you typed" if question.text is not None else f"held-out example {question.example}"
    parts = [f"Asked at step {answer.step:,}", what]
    if len(answer.said) and answer.said.ndim == 1:
        parts.append("always the most probable" if not question.temperature else
                     f"drawn at temperature {question.temperature:g}")  # fmt: skip
    return " · ".join(parts)


# ---- boxes, as HTML


def _box(label: str, kind: str = "", probability: float | None = None) -> str:
    strength = "" if probability is None else f' style="--p: {probability:.3f}" title="{probability:.1%}"'
    marks = " ".join(filter(None, [kind, "unknown" if label in UNKNOWNS and not kind else ""]))
    return f'<i class="{marks}"{strength}>{escape(symbol(label) if label != UNKNOWNS[1] else "�")}</i>'


def _read(token: int, labels: tuple[str, ...]) -> str:
    return f'<i class="nothing">{NOTHING}</i>' if token < 0 else _box(labels[token])


def _row(boxes: Iterable[str], labels: tuple[str, ...]) -> str:
    letters = " letters" if max(map(len, labels)) == 1 else ""
    return f'<div class="asked{letters}">{"".join(f"<span>{box}</span>" for box in boxes)}</div>'


def read(task: Task, answer: Answer) -> str:
    """The symbols that it read, exactly as they were prepared."""
    return _row([_read(int(token), task.input_labels) for token in answer.inputs], task.input_labels)


def picture(task: Task, answer: Answer) -> str:
    """The image in the first channels of what was read."""
    assert task.image is not None
    rows, columns = task.image
    pixels = answer.inputs.ravel()[: rows * columns]
    dots = "".join(f'<i style="opacity: {ink:.2f}"></i>' for ink in np.clip(pixels, 0, 1))
    return f'<div class="picture" style="--columns: {columns}">{dots}</div>'


def answered(task: Task, answer: Answer) -> str:
    """Every step's answer below what was read there; below that the right one, where it is known to be another."""
    columns = []
    for t, row in enumerate(answer.outputs):
        above = [_read(int(answer.inputs[t]), task.input_labels)] if task.inputs == "symbols" else []
        if not answer.counted[t]:
            columns.append("".join([*above, '<i class="silent">·</i>']))
            continue
        best = int(row.argmax())
        box = _box(task.output_labels[best], "said", float(row[best]))
        columns.append("".join([*above, box, _correction(task, answer.targets, t, best)]))
    return _row(columns, task.output_labels)


def spoken(task: Task, answer: Answer) -> str:
    """What was said after reading, a box each; below it the right one, where it is known to be another."""
    boxes = [
        _box(task.output_labels[token], "said", float(row[token])) + _correction(task, answer.future, t, int(token))
        for t, (token, row) in enumerate(zip(answer.said, answer.said_outputs, strict=True))
    ]
    return _row(boxes, task.output_labels)


def continued(task: Task, answer: Answer) -> str:
    """What was read and, in colour, what the network went on with."""
    labels = task.input_labels
    boxes = [
        _box(task.output_labels[token], "said", float(row[token]))
        for token, row in zip(answer.said, answer.said_outputs, strict=True)
    ]
    return _row([*(_read(int(token), labels) for token in answer.inputs), *boxes], labels)


def _correction(task: Task, right: np.ndarray | None, t: int, predicted: int) -> str:
    if right is None or t >= len(right) or right[t] == predicted:
        return ""
    return f"<b>✗ {escape(symbol(task.output_labels[int(right[t])]))}</b>"


# ---- sentences


def unknown(task: Task, answer: Answer) -> str:
    """How many of the symbols that it read are outside its vocabulary; empty where all are known."""
    if task.inputs != "symbols":
        return ""
    words = [task.input_labels[token] for token in answer.inputs if token >= 0]
    strange = sum(word in UNKNOWNS for word in words)
    if not strange:
        return ""
    if strange == len(words):
        return "It knows nothing of this: all of it is outside its vocabulary, so the answer is worth nothing."
    return f"{strange} of {len(words)} it has never met in training: they became {UNKNOWNS[0]}, and say little to it."


def decided(task: Task, answer: Answer) -> str:
    """One answer at the end of reading: the class, how sure, and whether that is right."""
    row = answer.outputs[-1]
    best = int(row.argmax())
    sure = f"{row[best]:.0%}" if row[best] < 0.995 else "more than 99%"
    sentence = f"It says **{plain(symbol(task.output_labels[best]))}**, {sure} sure."
    if answer.targets is None:
        return sentence
    right = int(answer.targets[-1])
    return (
        f"{sentence} {'Right.' if right == best else f'Wrong: it is **{plain(symbol(task.output_labels[right]))}**.'}"
    )


def number(answer: Answer) -> str:
    """One number at the end of reading, and the right one."""
    sentence = f"It says **{answer.outputs[-1, 0]:.3f}**."
    return sentence if answer.targets is None else f"{sentence} Right is **{answer.targets[-1, 0]:.3f}**."


def in_words(task: Task, answer: Answer) -> str:
    """What was said after reading, written out, and whether it is right."""
    sentence = f"It says “{_written(task, answer.said)}”."
    if task.audible and answer.future is not None:
        right = int((answer.said == answer.future).sum())
        return f"{right} of {len(answer.future)} notes right."
    if answer.future is None:
        return sentence
    if np.array_equal(answer.said, answer.future):
        return f"{sentence} Right."
    return f"{sentence} Wrong: it is “{_written(task, answer.future)}”."


def goes_on(task: Task, answer: Answer) -> str:
    """What it says next, in one piece, and how a held-out text really goes on."""
    sentence = f"It goes on: “{_written(task, answer.said)}”"
    if answer.future is None or not len(answer.future):
        return sentence
    return f"{sentence}  \nReally it goes on: “{_written(task, answer.future)}”"


def score(answer: Answer) -> str:
    """How many of the answers while reading are right."""
    if answer.targets is None:
        return ""
    counted = answer.counted
    right = int((answer.outputs[counted].argmax(-1) == answer.targets[counted]).sum())
    return f"{right} of {int(counted.sum())} right."


def escaped(sentence: str) -> str:
    """Words with what somebody typed, or what the network made up, without any Markdown."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>~$:#" else character for character in sentence)


def _written(task: Task, tokens: np.ndarray) -> str:
    """Symbols as a text, safe in Markdown; END is not part of it where it stands at the end of words or digits."""
    labels = [task.output_labels[token] for token in tokens]
    if labels[-1:] == [END] and task.rnn_types[0] in AUTOREGRESSIVE_TYPES:
        labels = labels[:-1]
    if max(map(len, task.output_labels)) == 1:
        return escaped("".join(labels))
    return escaped(" ".join(labels).replace(f" {END}", END))  # no space before a full stop


def forecast(answer: Answer) -> str:
    """How far the forecast is from what came, as far as that is known."""
    if answer.future is None or not len(answer.said):
        return ""
    known = min(len(answer.said), len(answer.future))
    off = float(np.abs(answer.said[:known, 0] - answer.future[:known, 0]).mean())
    still = float(np.abs(answer.inputs[-1, 0] - answer.future[:known, 0]).mean())
    return (
        f"Over the {known} steps whose truth is known, it is off by {off:.2f} on average; "
        f"saying that nothing changes would be off by {still:.2f}."
    )
