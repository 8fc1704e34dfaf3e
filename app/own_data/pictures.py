"""Pictures of somebody's data as HTML: bars, lengths, and texts with what is asked of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

import numpy as np

from app.data_text import best_first
from app.figures import theme
from app.own_data import text as own_text
from engine.data import Dataset, Problem
from engine.data.content import (
    LabelledContent,
    PairsContent,
    SequencesContent,
    SeriesContent,
    TaggedContent,
    TextContent,
)
from engine.tasks import Batch, Metric, Task

BINS, MOST_BARS, MOST_COLUMNS = 24, 8, 40
FEW = 260  # symbols of a running text at its beginning, and on either side of the cut
LONGEST = 150  # characters of one text
TAG_COLOURS = tuple(colour for colour, _ in theme.PAST_RUNS)


def bars(
    values: Mapping[str, float],
    said: Mapping[str, str],
    marked: str = "",
    note: str = "",
    meaning: Callable[[str], str] = lambda name: "",
) -> str:
    """A bar for each value, the longest first as given.

    Args:
        values: what each is called, and its length.
        said: the same names with what stands behind each bar.
        marked: the name of the one that is told apart. note: the words beside it.
        meaning: of a name, for whoever rests the mouse on it; "" for none.
    """
    longest = max((abs(value) for value in values.values() if np.isfinite(value)), default=0) or 1
    rows = []
    for name, value in values.items():
        width = 100 * abs(value) / longest if np.isfinite(value) else 0
        mark = f" <em>{escape(note)}</em>" if name == marked else ""
        means = f' title="{escape(meaning(name))}"' if meaning(name) else ""
        rows.append(
            f"<li{' class=marked' * (name == marked)}><span{means}>{escape(name[:90])}{mark}</span>"
            f'<b>{escape(said[name])}</b><i style="width: {width:.1f}%"></i></li>'
        )
    return f'<ul class="own-bars">{"".join(rows)}</ul>'


def baselines(dataset: Dataset, metric: Metric) -> str:
    """The simple answers with their numbers, the strongest first and marked."""
    ordered = best_first(dataset.summary["baselines"], metric)
    said = own_text.amounts([*ordered.values()], metric)
    return bars(
        ordered, dict(zip(ordered, said, strict=True)), metric.best(ordered), own_text.TO_BEAT, own_text.meaning
    )


def classes(counts: Mapping[str, int]) -> str:
    """The classes, the most common first, with their shares; the rest taken together."""
    total = sum(counts.values()) or 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    shown = dict(ordered[:MOST_BARS])
    if len(ordered) > MOST_BARS:
        shown[f"{len(ordered) - MOST_BARS} others"] = sum(count for _, count in ordered[MOST_BARS:])
    return bars(shown, {name: f"{count:,} ({count / total:.0%})" for name, count in shown.items()})


def lengths_of(dataset: Dataset) -> np.ndarray:
    """The lengths of the sequences that a network reads; empty where there is one."""
    content = dataset.content
    if isinstance(content, SeriesContent):
        every = [len(each.values) for each in content.series] if len(content.series) > 1 else []
    elif isinstance(content, LabelledContent):
        every = [len(each) for each in content.tokens]
    elif isinstance(content, PairsContent):
        every = [len(each) for each in content.sources]
    elif isinstance(content, TaggedContent):
        every = [len(each) for each in content.words]
    elif isinstance(content, SequencesContent):
        every = [len(each) for each in content.arrays]
    else:
        every = []
    return np.array(every, int)


def histogram(lengths: np.ndarray) -> str:
    """How long the sequences are: a histogram between the shortest and the longest; a word if all are equal."""
    low, high, middle = int(lengths.min()), int(lengths.max()), int(np.median(lengths))
    if low == high:
        return f'<p class="own-note">All {len(lengths):,} have {low:,} steps.</p>'
    counts, _ = np.histogram(lengths, bins=min(BINS, high - low + 1), range=(low, high + 1))
    columns = "".join(
        f'<i style="height: {max(2 * (count > 0), 100 * count / counts.max()):.1f}%"></i>' for count in counts
    )
    label = f"from {low:,} to {high:,} steps, half of them at most {middle:,}"
    return (
        f'<div class="own-histogram" role="img" aria-label="{label}">{columns}</div>'
        f'<p class="own-axis"><span>{low:,}</span><span>half at most {middle:,}</span><span>{high:,}</span></p>'
    )


def columns(dataset: Dataset) -> str:
    """What each column of a table was taken for, and how many of its cells lack a value; "" without a table."""
    s = dataset.summary
    lacking = s.get("missing") or {}
    rows = []
    for name, kind in list((s.get("columns") or {}).items())[:MOST_COLUMNS]:
        note = f", {lacking[name]:,} missing" if lacking.get(name) else ""
        rows.append(f"<div><dt>{escape(str(name)[:60])}</dt><dd>{escape(str(kind))}{note}</dd></div>")
    if not rows:
        return ""
    more = len(s["columns"]) - len(rows)
    rest = f'<p class="own-note">and {more:,} more</p>' if more else ""
    return f'<p class="own-note">{own_text.COLUMNS}</p><dl class="own-columns">{"".join(rows)}</dl>{rest}'


# ---- texts


def words(tokens: Sequence[int] | np.ndarray, labels: Sequence[str], longest: int = LONGEST) -> str:
    """Symbols as they read: characters joined, words with a blank between, unknown ones as a box."""
    shown = [labels[int(token)] for token in tokens[:longest] if token >= 0]
    letters = max((len(label) for label in labels), default=1) == 1
    if len(shown) == 1 and shown[0].isspace():
        shown = [theme.symbol(shown[0])]
    joined = ("" if letters else " ").join(
        "▯" if label in ("\N{REPLACEMENT CHARACTER}", "<UNK>") else label for label in shown
    )
    return escape(joined[:longest] + ("…" if len(tokens) > longest or len(joined) > longest else ""))


def texts(dataset: Dataset) -> str:
    """The picture of data of symbols: first what is trained on, below it what is held out."""
    content = dataset.content
    if isinstance(content, TextContent):
        return _running(content)
    rows: list[tuple[bool, str, str]] = []
    if isinstance(content, LabelledContent):
        for at in _some(content.held):
            name = escape(content.classes[int(content.labels[at])])
            rows.append((bool(content.held[at]), words(content.tokens[at], content.vocabulary), f"<b>{name}</b>"))
    elif isinstance(content, PairsContent):
        rows = [(bool(content.held[at]), words(content.sources[at], content.source_vocabulary),
                 words(content.targets[at], content.target_vocabulary)) for at in _some(content.held)]  # fmt: skip
    elif isinstance(content, TaggedContent):
        return tagged(content)
    else:
        return ""
    return _table(rows, "pairs" if isinstance(content, PairsContent) else "labelled")


def _some(held: np.ndarray, trained: int = 4, tested: int = 2) -> list[int]:
    """The first sequences of the trained part, then the first of the held-out part."""
    return [*np.flatnonzero(~held)[:trained].tolist(), *np.flatnonzero(held)[:tested].tolist()]


def _table(rows: list[tuple[bool, str, str]], kind: str) -> str:
    parts, before = [], None
    for held, left, right in rows:
        if held != before:
            parts.append(
                f'<tr class="part"><th colspan="2">{own_text.HELD_OUT if held else own_text.TRAINED}</th></tr>'
            )
        parts.append(f"<tr><td>{left}</td><td>{right}</td></tr>")
        before = held
    return f'<table class="own-texts {kind}"><colgroup><col><col></colgroup>{"".join(parts)}</table>'


def _running(content: TextContent) -> str:
    """The first lines of a text, and those around the cut."""
    cut = content.cut
    begin = _lines(words(content.tokens[:FEW], content.vocabulary, FEW), 8)
    before = _lines(words(content.tokens[max(0, cut - FEW) : cut], content.vocabulary, FEW), -4)
    after = _lines(words(content.tokens[cut : cut + FEW], content.vocabulary, FEW).lstrip("\n"), 4)
    line = int(content.lines[min(cut, len(content.lines) - 1)])
    return (
        f'<div class="own-running"><pre class="own-text">{begin} …</pre><pre class="own-text">… {before}'
        f'<span class="own-cut">{own_text.HELD_OUT} from line {line:,}</span>'
        f'<span class="held">{after} …</span></pre></div>'
    )


def _lines(shown: str, count: int) -> str:
    """The first so many lines of a text; with a negative number the last ones."""
    lines = shown.removesuffix("…").split("\n")
    return "\n".join(lines[:count] if count > 0 else lines[count:])


def tagged(content: TaggedContent) -> str:
    """Sentences, each word coloured and with its tag below; the most common tag is left pale."""
    counts = np.bincount(np.concatenate(content.tags), minlength=len(content.classes))
    common = int(counts.argmax())
    colours = {int(tag): TAG_COLOURS[place % len(TAG_COLOURS)] for place, tag in enumerate(
        tag for tag in np.argsort(-counts) if tag != common)}  # fmt: skip
    sentences, before = [], None
    for at in _some(content.held):
        held, pieces = bool(content.held[at]), []
        if held != before:
            sentences.append(f'<p class="part">{own_text.HELD_OUT if held else own_text.TRAINED}</p>')
        for word, tag in list(zip(content.words[at], content.tags[at], strict=True))[:24]:
            style = "" if tag == common else f' style="--tag: {colours[int(tag)]}"'
            below = "" if tag == common else escape(content.classes[int(tag)])
            shown = words([word], content.vocabulary)
            pieces.append(f'<span class="own-word"{style}>{shown}<small>{below}</small></span>')
        sentences.append(f"<p>{' '.join(pieces)}</p>")
        before = held
    note = f'<p class="own-note">Without a mark: {escape(content.classes[common])}, the most common tag.</p>'
    return f'<div class="own-tagged">{"".join(sentences)}{note}</div>'


def batch(task: Task, batch: Batch, count: int = 4) -> str:
    """The first sequences of a batch of symbols: what is read, and what is asked."""
    rows = []
    one_answer = task.causal or int(batch.mask[:, 0].sum()) == 1
    for at in range(min(count, batch.inputs.shape[1])):
        read = words(batch.inputs[: int(batch.lengths[at]), at], task.input_labels, 90)
        asked = batch.targets[batch.mask[:, at], at]
        answer = words(asked[-1:] if one_answer else asked, task.output_labels, 60)
        rows.append(f"<tr><td>{read}</td><td><b>{answer}</b></td></tr>")
    kind = "labelled" if one_answer else "pairs"
    return f'<table class="own-texts {kind}"><colgroup><col><col></colgroup>{"".join(rows)}</table>'


# ---- what was found


def problems(found: Sequence[Problem]) -> str:
    """Every problem with its line: the honest sentences first, then as the reader orders them."""
    if not found:
        return f'<p class="own-note">{own_text.FOUND_NONE}</p>'
    honest = [each for each in found if any(words in each.sentence for words in own_text.HONEST)]
    rows = [
        f"<li{' class=honest' * (each in honest)}>{_place(each)}{escape(each.sentence)}</li>"
        for each in (*honest, *(each for each in found if each not in honest))
    ]
    return f'<ul class="own-found" tabindex="0">{"".join(rows)}</ul>'


def _place(problem: Problem) -> str:
    return "" if problem.line is None else f"<b>{own_text.LINE.format(line=f'{problem.line:,}')}</b> "


def excerpt(lines: Sequence[tuple[int, str]], at: int | None) -> str:
    """Lines of a file with their numbers, the one at fault marked."""
    rows = "".join(
        f'<li value="{number}"{" class=fault" * (number == at)}><code>{escape(line) or "&nbsp;"}</code></li>'
        for number, line in lines
    )
    return f'<ol class="own-lines">{rows}</ol>'
