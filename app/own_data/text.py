"""The sentences of the page "Your data"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from app.slot_registry import FORGET_AFTER
from app.text import plain
from engine import number_format
from engine.data import DataError, Dataset
from engine.data.content import SequencesContent, SeriesContent
from engine.data.limits import MAX_FILE_BYTES
from engine.data.problems import a
from engine.number_format import count
from engine.tasks import Metric, Task

TITLE = "Your data"
TRAINED, HELD_OUT = "trained on", "held out"
LEAD = "Bring a file, look at what is understood of it, and train a network on it."
MOST = f"{MAX_FILE_BYTES / 1e6:.0f} MB"
SMALLER = (
    "Keep the newest rows, every tenth row, or means of an hour or a day; leave out columns; or save it as Parquet, "
    "which is usually much smaller."
)
ACCEPTED = (
    "Time series, text, labelled text, pairs of texts, tagged words or sequences, as CSV, TSV, Excel, Parquet, JSON, "
    "`.npz` or plain text. Two files are taken as pairs line by line, several as one class each."
)
LARGEST = (
    f"**At most {MOST} together.** A larger file is marked in red and not read. {SMALLER} The command line has the "
    "same limit."
)
TOO_LARGE = f"{{names}} {{have}} {{size:,.0f}} MB; at most {MOST} are read. {SMALLER}"
PRIVATE = (
    f"The file stays in this server's memory, for this browser alone, and is forgotten {FORGET_AFTER / 60:.0f} minutes "
    "after you leave. It is read as data and never run. Links to your network do not carry it."
)
UPLOAD, PASTE, EXAMPLE = "A file, or several", "Or paste a table or a text", "Try with an example file"
PASTE_PLACEHOLDER = "month,sales\n2024-01,112\n2024-02,118\n…"
PASTE_READ, PASTED = "Read it", "pasted.txt"
FILES, ANOTHER, FORGET = "Your files", "Another file", "Forget this file"
EXAMPLE_SOURCE = "**{example.title}**: {example.source} {example.licence}"
EXAMPLE_SOURCES = "Where they come from, and their licences"

READING = "Reading {name}"
STOP = "Stop"
TRAIN = "Train on it"
UNDO = "Back to the guesses"

KIND, CHOSEN, AS_CHOSEN = "Kind", "It was chosen.", "{kind}, as you chose."
KINDS = {
    "series": "time series",
    "text": "running text",
    "labelled": "labelled text",
    "pairs": "pairs of texts",
    "tagged": "tagged words",
    "sequences": "sequences",
}
FOUND, FOUND_NONE = (
    "What was found, guessed or changed",
    "Nothing was changed or left out. The fields show what was guessed; change it there.",
)
LINE = "line {line}"
HOW_READ, COLUMNS = "How the file is read", "What its columns hold"
PICTURE = {
    "series": "The series",
    "text": "The text",
    "labelled": "Texts and their classes",
    "pairs": "Sources and targets",
    "tagged": "Sentences, each word with its tag",
    "sequences": "Sequences",
}
ASKED = "What the network is asked"
BATCH = "The first batch, as the network reads it"
BASELINES, TO_BEAT = "Simple answers on the held-out part", "the one to beat"
EXPLAINED = {
    HELD_OUT: "Held out: not used in training, only to test.",
    "naive Bayes": "Naive Bayes: decides by how often each symbol occurs in each class.",
    "bigram": "Bigram: which symbol follows which, and how often.",
    "perplexity": "Perplexity: the network is as unsure as if it chose among so many symbols; lower is better.",
}
"""Words that not everybody knows, explained where they are read first."""
ANSWERS = {
    "changed as usual": "Plus the mean change into this place of the period in the trained part, such as from March to "
    "April; where all values are above 0, times the mean growth.",
    "grown as the last": "Times the sum of the last period, divided by the sum of the period before that.",
}
"""What is meant by words in the name of a simple answer; shown where the mouse rests on it."""
LENGTHS, CLASSES = "Lengths", "Classes"
HONEST = ("expect no network", "in order of time?")
"""Words by which the two sentences are known that say beforehand that a network may find nothing."""

TRANSFORMS = {
    "none": "the value",
    "log": "its logarithm",
    "differences": "the change",
    "log differences": "the relative change",
}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "blank"}
DECIMALS = {".": "point, 1.5", ",": "comma, 1,5"}
ORDER_OF_ROWS = "the order of the rows"
AS_GUESSED, NONE, YES, NO = "as found", "none", "yes", "no"

NEEDED = (
    "This link needs the file **{name}** (fingerprint {short}…), which a link does not carry. Bring the same file "
    "here: the link’s other settings are kept."
)
USE_EXAMPLE = "Use the example file “{title}”"
NEEDED_UNNAMED = "a file"
OTHER_FILE = (
    "This is another file than the one that the link was made with (fingerprint {got}…, expected {short}…). You can "
    "train on it with the link's settings, but the numbers will differ."
)
NOT_ITS_FILE = "The recording holds {names}, but it was trained on another file: their fingerprints differ."
LEAVE_LINK = "Forget the link"
LINK_KEPT = "**Train on it** opens the link that you followed, with its settings."
LINK_LET_GO = (
    "The link's settings no longer apply, since the file is read in another way: **Train on it** trains what is shown "
    "here, with the usual settings."
)
FORGOTTEN = "**{name}** is forgotten: this server no longer keeps it for you."

FAILED = "{name} cannot be used"
WHAT_NOW = "Mend the file and bring it again, or choose how it is read."

CARD_NONE = "Use a file of your own"
CARD = "What was understood of it"


def why(dataset: Dataset, steps: int | None = None) -> str:
    """What kind of data it is, why, and what is asked, as Markdown.

    Args:
        steps: of a series that the network to be trained reads; None for as many as the reader has guessed.
    """
    s = dataset.summary
    reason = "" if s.get("why") in (None, CHOSEN) else f" {plain(str(s['why']), 200)}"
    kind = (
        AS_CHOSEN.format(kind=KINDS[dataset.kind].capitalize())
        if s.get("why") == CHOSEN
        else f"{KINDS[dataset.kind].capitalize()}."
    )
    asked = _series(dataset, steps) if dataset.kind == "series" else _ASKED[dataset.kind](dataset)
    return f"**{kind}**{reason} {asked}"


def _series(dataset: Dataset, steps: int | None) -> str:
    s, content = dataset.summary, dataset.content
    assert isinstance(content, SeriesContent)
    target = name(s["target"])
    several = f"{s['series']:,} series, one for each {' and '.join(map(name, s['ids']))}: " if s.get("ids") else ""
    asked = f"the next {target}" if s["horizon"] == 1 else f"{target}, {s['horizon']} steps ahead"
    each = ", the mean of all its rows" if s.get("means", "none") != "none" else ""
    found = f"{several}{every(s['step'])}{each}{_span(content)}."
    return f"{found[0].upper()}{found[1:]} A network that has read {steps or s['window']} steps is asked for {asked}."


def every(step: str) -> str:
    """How often there is a value, by the name of the step."""
    if step == "uneven":
        return "uneven steps"
    if step == "row":
        return "row by row"
    return f"every {step}" if step[:1].isdigit() else f"one value {a(step)}"


def means(summary: Mapping[str, Any]) -> dict[str, str]:
    """The choice of means: {unit: its words}, those that these data allow, first the rows of the file as they are."""
    return {"none": every(summary["row_step"])} | {unit: f"means of {a(unit)}" for unit in summary["possible_means"]}


def _span(content: SeriesContent) -> str:
    times = [series.times for series in content.series if series.times is not None and len(series.times)]
    if not times:
        return ""
    first, last = min(each[0] for each in times), max(each[-1] for each in times)
    fine = 16 if (last - first) < np.timedelta64(60, "D") else 10
    return f", {str(first)[:fine].replace('T', ' ')} to {str(last)[:fine].replace('T', ' ')}"


def _text(dataset: Dataset) -> str:
    s = dataset.summary
    one = {"characters": "character", "words": "word"}[s["unit"]]
    lines = " Each line ends by itself." if s.get("lines") is True else ""
    return f"{s['length']:,} {s['unit']}.{lines} The network is asked for the next {one}."


def _labelled(dataset: Dataset) -> str:
    s = dataset.summary
    return f"When it has read a whole {name(s['text'])}, the network is asked for its {name(s['label'])}."


def _pairs(dataset: Dataset) -> str:
    s = dataset.summary
    return f"The network reads {name(s['source'])} and writes {name(s['target'])}."


def _tagged(dataset: Dataset) -> str:
    s = dataset.summary
    return f"The network is asked for the tag of each word, one of {len(s['classes'])} ({name(s['column'])})."


def _sequences(dataset: Dataset) -> str:
    s, content = dataset.summary, dataset.content
    assert isinstance(content, SequencesContent)
    many = "" if len(content.channels) == 1 else f" {len(content.channels)} channels."
    if not s["classes"]:
        return f"{many} At every step the network is asked for the next one.".strip()
    return f"{many} At its end the network is asked which of {len(s['classes'])} classes it is.".strip()


_ASKED = {"text": _text, "labelled": _labelled, "pairs": _pairs, "tagged": _tagged, "sequences": _sequences}


def facts(dataset: Dataset) -> list[tuple[str, str]]:
    """Numbers that say how much there is: (what, how many)."""
    s = dataset.summary
    counted = {"text": s.get("unit"), "tagged": "sentences", "pairs": "pairs", "labelled": "texts"}
    unit = counted.get(dataset.kind) or ("steps" if dataset.kind == "series" else "sequences")
    found = [("rows", f"{s['rows']:,}")]
    if dataset.kind in ("tagged", "sequences") or (dataset.kind == "series" and s["series"] > 1):
        found.append(("series" if dataset.kind == "series" else unit, f"{s['sequences']:,}"))
    found += [(f"{unit} {TRAINED}", f"{s['train']:,}"), (f"{unit} {HELD_OUT}", f"{s['test']:,}")]
    for key, label in (("vocabulary", "different symbols"), ("source_vocabulary", "symbols read"),
                       ("target_vocabulary", "symbols written")):  # fmt: skip
        if key in s:
            found.append((label, f"{s[key]:,}"))
    if s.get("unknown"):
        found.append(("of the held-out symbols unknown", f"{s['unknown']:.1%}"))
    if dataset.kind == "series" and s.get("period"):
        found.append(("steps a period", f"{s['period']:,}"))
    return found


def treatment(dataset: Dataset) -> str:
    """What is done to the numbers before the network reads them; "" for symbols."""
    s = dataset.summary
    if dataset.kind == "series":
        lacking = {column: count for column, count in (s.get("missing") or {}).items() if count}
        gaps = "Nothing is missing."
        if lacking:
            worst = ", ".join(f"{name(column)} {count:,}" for column, count in list(lacking.items())[:3])
            gaps = f"Missing: {worst}. The last value is held as an input, and no missing one is asked."
        learns = {
            "none": "The value itself is learned",
            "log": "The logarithm of the value is learned",
            "differences": "The difference from the last known value is learned",
            "log differences": "The relative change from the last known value is learned, since the spread grows "
            "with the level (the difference of the logarithms)",
        }[s["transform"]]
        return f"{learns}, scaled by the trained part. {gaps}"
    if dataset.kind == "sequences":
        return "Each channel is scaled by the mean and standard deviation of the trained part."
    return ""


def amounts(values: Sequence[float], metric: Metric) -> list[str]:
    """Numbers in the metric's unit, different ones told apart; "not defined" where a simple answer has none."""
    written = number_format.metrics(values, metric.percent)
    return [each if np.isfinite(value) else "not defined" for value, each in zip(values, written, strict=True)]


def explained(dataset: Dataset, metric: Metric) -> str:
    """The words above the simple answers, and in them, that not everybody knows."""
    said = " ".join([HELD_OUT, metric.name, *dataset.summary["baselines"]])
    return " ".join(means for word, means in EXPLAINED.items() if word in said)


def meaning(answer: str) -> str:
    """What the name of a simple answer means; "" where it says it."""
    return next((means for words, means in ANSWERS.items() if words in answer), "")


def too_large(names: Sequence[str], size: int) -> str:
    """Why files of so many bytes are not read."""
    have = "has" if len(names) == 1 else "together have"
    return TOO_LARGE.format(names=", ".join(names), have=have, size=size / 1e6)


def name(raw: object, longest: int = 36) -> str:
    """A name of the file in a Markdown sentence."""
    return f"*{plain(str(raw), longest)}*"


def where(error: DataError) -> str:
    """Where an error is: line and column, as far as they are known."""
    parts = [LINE.format(line=f"{error.line:,}")] if error.line else []
    return ", ".join([*parts, *([f"column {error.column}"] if error.column else [])])


def picture_alt(dataset: Dataset) -> str:
    """The picture in words."""
    s = dataset.summary
    return f"{PICTURE[dataset.kind]} of {dataset.name}: {s['train']:,} {TRAINED}, {s['test']:,} {HELD_OUT}."


def batch_note(task: Task) -> str:
    """Below the first batch: what its lines are."""
    also = f", and {count(len(task.input_labels) - 1, 'more input')} in pale" if len(task.input_labels) > 1 else ""
    asked = "; the dot is the value that is asked last" if task.outputs == "values" else "; above each its class"
    return f"{name(task.input_labels[0], 60)}, scaled{also}{asked}."
