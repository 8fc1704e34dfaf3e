"""The text of the card "Ask the network", and its answers as sentences and boxes."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import numpy as np

from app.figures.theme import symbol
from app.text import escaped, plain
from engine.ask.question import LIMITS, Answer, reason_not_to_continue
from engine.ask.unknown_input import UnknownInput
from engine.experiment import AUTOREGRESSIVE_TYPES, Experiment
from engine.tasks import END, Task, task_of
from engine.tasks.unknown_words import UNKNOWN_CHARACTER, UNKNOWN_TOKEN, UNKNOWNS

HEADING = "**Ask the network**: it answers with its current weights, and does not learn from the question."
TYPE_IT, HELD_OUT = "type it", "a held-out example"
ASK, AGAIN, ASKING = "Ask", "Ask again", "The network is computing its answer …"
EXAMPLE = "Held-out example"
STEPS = "Steps to go on by itself"
TEMPERATURE = "Temperature"
TEMPERATURE_HELP = (
    "0 is greedy: always the most probable symbol. Above 0, symbols are drawn at random: at 1 with the network's "
    "probabilities, below 1 probable symbols are drawn even more often, above 1 improbable ones become more frequent."
)
READ, SAYS, GOES_ON = "**Input**", "**The network's answer**", "**Input, and how the network continues it**"
READ_AND_SAYS = "**Input, and the network's answer at each step**"
EXPECTS = "**What it expects next**"
COMES_FIRST = "**What comes first**"
BOXES = "The stronger the colour of a box, the surer the network was; point at a box to see the probability."
NO_INPUT = "nothing yet"
MAX_NAMED, MAX_NAMED_CHARACTERS = 3, 24  # unknown words named in a sentence, and characters of each
MAX_TEMPERATURE = 2.0
MAX_CHARACTERS = 20_000  # of a typed text; more than a network reads, so that the network's own limit is reported


def generates(experiment: Experiment) -> bool:
    """True if the network's output symbols are fed back to it, so that a temperature makes sense."""
    fed_back = experiment.rnn_type in AUTOREGRESSIVE_TYPES or not reason_not_to_continue(experiment)
    return fed_back and task_of(experiment).outputs == "symbols"


def default_steps(experiment: Experiment) -> int:
    """The default number of generated steps: a line of letters, a sentence of words, or half of the input's length."""
    task = task_of(experiment)
    if task.outputs == "symbols":
        return 60 if max(map(len, task.output_labels)) == 1 else 12
    return max(1, min(20, experiment.seq_len // 2))


def max_steps(experiment: Experiment) -> int:
    """The largest number of generated steps: twice the input's length for a forecast, a few lines for a text."""
    if task_of(experiment).outputs == "symbols":
        return int(LIMITS["steps"][1].high)
    return min(max(20, 2 * experiment.seq_len), int(LIMITS["steps"][1].high))


def remark(experiment: Experiment) -> str:
    """Below the fields: why this network cannot continue a sequence, if its data would allow it; else empty."""
    task = task_of(experiment)
    return (
        reason_not_to_continue(experiment) if task.continues and experiment.rnn_type not in AUTOREGRESSIVE_TYPES else ""
    )


def asked_at(answer: Answer) -> str:
    """The training step of the answer, the kind of question, and how symbols were chosen."""
    question = answer.question
    typed = "nothing typed" if answer.read_nothing else "what you typed"
    what = typed if question.text is not None else f"held-out example {question.example}"
    parts = [f"Asked at step {answer.step:,}", what]
    if len(answer.generated) and answer.generated.ndim == 1:
        parts.append("always the most probable" if not question.temperature else
                     f"drawn at temperature {question.temperature:g}")  # fmt: skip
    return " · ".join(parts)


# ---- boxes, as HTML


def _box(label: str, kind: str = "", probability: float | None = None) -> str:
    strength = "" if probability is None else f' style="--p: {probability:.3f}" title="{probability:.1%}"'
    marks = " ".join(filter(None, [kind, "unknown" if label in UNKNOWNS and not kind else ""]))
    shown = label if label == UNKNOWN_CHARACTER else symbol(label)
    return f'<i class="{marks}"{strength}>{escape(shown)}</i>'


def _read(token: int, labels: tuple[str, ...]) -> str:
    return f'<i class="nothing">{NO_INPUT}</i>' if token < 0 else _box(labels[token])


def _row(boxes: Iterable[str], labels: tuple[str, ...]) -> str:
    letters = " letters" if max(map(len, labels)) == 1 else ""
    return f'<div class="asked{letters}">{"".join(f"<span>{box}</span>" for box in boxes)}</div>'


def read(task: Task, answer: Answer) -> str:
    """The input symbols, as the network read them."""
    return _row([_read(int(token), task.input_labels) for token in answer.inputs], task.input_labels)


def image(task: Task, answer: Answer) -> str:
    """The image in the first channels of the input."""
    assert task.image is not None
    rows, columns = task.image
    pixels = answer.inputs.ravel()[: rows * columns]
    dots = "".join(f'<i style="opacity: {ink:.2f}"></i>' for ink in np.clip(pixels, 0, 1))
    return f'<div class="picture" style="--columns: {columns}">{dots}</div>'


def answered(task: Task, answer: Answer) -> str:
    """Every step's answer below its input; below a wrong answer the right one."""
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


def generated(task: Task, answer: Answer) -> str:
    """The generated symbols as boxes; below a wrong symbol the right one."""
    boxes = [
        _box(task.output_labels[token], "said", float(row[token])) + _correction(task, answer.future, t, int(token))
        for t, (token, row) in enumerate(zip(answer.generated, answer.generated_outputs, strict=True))
    ]
    return _row(boxes, task.output_labels)


def continued(task: Task, answer: Answer) -> str:
    """The input symbols and, in colour, the generated ones."""
    labels = task.input_labels
    boxes = [
        _box(task.output_labels[token], "said", float(row[token]))
        for token, row in zip(answer.generated, answer.generated_outputs, strict=True)
    ]
    return _row([*(_read(int(token), labels) for token in answer.inputs), *boxes], labels)


def _correction(task: Task, right: np.ndarray | None, t: int, predicted: int) -> str:
    if right is None or t >= len(right) or right[t] == predicted:
        return ""
    return f"<b>✗ {escape(symbol(task.output_labels[int(right[t])]))}</b>"


# ---- sentences


def unknown(task: Task, found: UnknownInput | None) -> str:
    """What the network did not know in its input, how it learned to do without, and how sure it is; else empty."""
    if found is None:
        return ""
    sign, kind = task.input_labels[UNKNOWN_TOKEN], _kind(task)
    named = [f"“{_shortened(word)}”" for word in found.words[:MAX_NAMED]]
    if (rest := len(found.words) - MAX_NAMED) > 0:
        named.append(f"{rest} more")
    listed = " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
    share = f"{found.trained_share:.0%} of the {kind}s as {sign}"
    return (
        f"It does not know {_unknown_count(task, found)}{f' ({listed})' if listed else ''} and read {sign} instead. In "
        f"training it reads about {share}, too, and so learns to answer without them.{_how_sure(found)}"
    )


def _kind(task: Task) -> str:
    """What one input symbol is, for a vocabulary with an unknown symbol."""
    return "character" if task.input_labels[UNKNOWN_TOKEN] == UNKNOWN_CHARACTER else "word"


def _unknown_count(task: Task, found: UnknownInput) -> str:
    """How many of the input's words are unknown: "2 of the 5 words", "any of the 3 words", "the only word"."""
    if found.of == 1:
        return f"the only {_kind(task)}"
    return f"{'any' if found.count == found.of else found.count} of the {found.of} {_kind(task)}s"


def _shortened(word: str) -> str:
    return word if len(word) <= MAX_NAMED_CHARACTERS else f"{word[:MAX_NAMED_CHARACTERS]}…"


def _how_sure(found: UnknownInput) -> str:
    """How sure the network is of its one answer, and what that is worth; empty if it answered more than once."""
    if found.probability is None or found.class_share is None:
        return ""
    sure = f" It is {_percent(found.probability)} sure of its answer"
    if found.is_guess:
        return f"{sure}, and {found.class_share:.0%} of the held-out examples have that answer: it is a guess."
    return f"{sure}, though it knows no word of the input." if found.count == found.of else f"{sure}."


def _percent(probability: float) -> str:
    return f"{probability:.0%}" if probability < 0.995 else "more than 99%"


def classified(task: Task, answer: Answer, found: UnknownInput | None = None) -> str:
    """The class that the network chose, its probability, how much of the input it did not know, and if it is right."""
    row = answer.outputs[-1]
    best = int(row.argmax())
    doubt = "" if found is None else f"; it does not know {_unknown_count(task, found)}"
    sentence = f"**{_label(task, best)}** with a probability of {_percent(float(row[best]))}{doubt}."
    if answer.targets is None:
        return sentence
    right = int(answer.targets[-1])
    if right == best:
        return f"{sentence} Right."
    return f"{sentence} Wrong: the right answer is **{_label(task, right)}**."


def _label(task: Task, token: int) -> str:
    return plain(symbol(task.output_labels[token]))


def comes_first(task: Task, answer: Answer, shares: np.ndarray) -> str:
    """The most probable first symbol, and how many held-out sequences begin with it: shares (output_size,)."""
    row = answer.outputs[0]
    best, kind = int(row.argmax()), _kind(task)
    return (
        "Nothing was read yet: the input is the zero vector, and so is the state before it (many courses write "
        f"P(y⟨1⟩)). The most probable first {kind} is **{_label(task, best)}**, with a probability of "
        f"{_percent(float(row[best]))}; {shares[best]:.0%} of the held-out sequences begin with it."
    )


def number(answer: Answer) -> str:
    """The number that the network predicts at the end, and the right one."""
    sentence = f"The network's answer is **{answer.outputs[-1, 0]:.3f}**."
    return sentence if answer.targets is None else f"{sentence} The right answer is **{answer.targets[-1, 0]:.3f}**."


def in_words(task: Task, answer: Answer) -> str:
    """The generated symbols as a text, and whether they are right."""
    sentence = f"“{_written(task, answer.generated)}”."
    if task.audible and answer.future is not None:
        right = int((answer.generated == answer.future).sum())
        return f"{right} of {len(answer.future)} notes right."
    if answer.future is None:
        return sentence
    if np.array_equal(answer.generated, answer.future):
        return f"{sentence} Right."
    return f"{sentence} Wrong: the right answer is “{_written(task, answer.future)}”."


def goes_on(task: Task, answer: Answer) -> str:
    """The generated text in one piece, and the true continuation of a held-out text."""
    sentence = f"The network continues: “{_written(task, answer.generated)}”"
    if answer.future is None or not len(answer.future):
        return sentence
    return f"{sentence}  \nThe original continues: “{_written(task, answer.future)}”"


def score(answer: Answer) -> str:
    """How many of the answers at the steps of the input are right."""
    if answer.targets is None:
        return ""
    counted = answer.counted
    right = int((answer.outputs[counted].argmax(-1) == answer.targets[counted]).sum())
    return f"{right} of {int(counted.sum())} right."


def _written(task: Task, tokens: np.ndarray) -> str:
    """Symbols as a text, safe in Markdown; a final END of a generated sequence is left out."""
    labels = [task.output_labels[token] for token in tokens]
    if labels[-1:] == [END] and task.rnn_types[0] in AUTOREGRESSIVE_TYPES:
        labels = labels[:-1]
    if max(map(len, task.output_labels)) == 1:
        return escaped("".join(labels))
    return escaped(" ".join(labels).replace(f" {END}", END))  # no space before a full stop


def forecast(answer: Answer) -> str:
    """The forecast's mean error where the true values are known, beside that of repeating the last value."""
    if answer.future is None or not len(answer.generated):
        return ""
    known = min(len(answer.generated), len(answer.future))
    error = float(np.abs(answer.generated[:known, 0] - answer.future[:known, 0]).mean())
    repeated = float(np.abs(answer.inputs[-1, 0] - answer.future[:known, 0]).mean())
    return (
        f"Over the {known} steps whose true values are known, the forecast's mean absolute error is {error:.2f}; "
        f"repeating the last value would give {repeated:.2f}."
    )
