"""The reader: what a file is, what it holds, which kind of data that is, and what a network will make of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.data.choices import checked, say_idle
from engine.data.columns.describe import describe
from engine.data.content import Content
from engine.data.dataset import KINDS, Dataset
from engine.data.files import excel, parquet
from engine.data.files.delimited import delimiter_of, is_list_of_numbers, read_table
from engine.data.files.encoding import decode
from engine.data.files.json_text import read_json
from engine.data.files.load import Source, format_of, load
from engine.data.files.marked_text import read_fasttext, refuse_declared
from engine.data.files.npz import read_npz
from engine.data.files.structured import Arrays, RunningText, Sentences, Texts
from engine.data.files.tagged_text import DOCUMENT, read_sentences_in_lines, read_words_in_lines
from engine.data.fingerprint import fingerprint
from engine.data.guess import guess
from engine.data.kinds import labelled, pairs, sequences, series, tagged, text
from engine.data.kinds.sequence_arrays import Origin, of_arrays
from engine.data.kinds.split import FEWEST_DOCUMENTS, Given, whole_groups
from engine.data.layout import RUNNING_TEXT, Layout
from engine.data.limits import MAX_LINE, MAX_TEXT
from engine.data.problems import DataError, Notes
from engine.data.several_files import layout_of_files, read_several
from engine.data.table import Column, Table
from engine.data.table_layout import layout_of

Progress = Callable[[float, str], None]
Understood = tuple[str, dict[str, Any], Content]
"""The kind, the summary and the content."""
OF_TABLE: dict[str, Callable[[Table, list[Column], Notes, dict[str, Any]], tuple[dict[str, Any], Content]]] = {
    "series": series.of_table,
    "text": text.of_table,
    "labelled": labelled.of_table,
    "pairs": pairs.of_table,
    "tagged": tagged.of_table,
    "sequences": sequences.of_table,
}
CHOSEN = "It was chosen."


@dataclass(frozen=True)
class _Job:
    """One reading: what was chosen, and where to say what is found and how far it is. layouts: one at most."""

    kind: str | None
    choices: dict[str, Any]
    notes: Notes
    progress: Progress
    layouts: list[Layout] = field(default_factory=list)


def read(
    source: Source | Sequence[Source], kind: str | None = None, *, on_progress: Progress | None = None, **choices: Any
) -> Dataset:
    """Read somebody's data.

    Args:
        source: a path, bytes or an open file; a list of these: one class a file, or two files of parallel lines.
        kind: one of KINDS; None to find out.
        on_progress: called with the share that is done, 0 to 1, and a sentence that says what is being done.
        choices: what a person has chosen instead of a guess (`engine.data.choices`).

    Raises:
        DataError: for what cannot be used, naming line and column where there are any.
    """
    if kind is not None and kind not in KINDS:
        raise DataError(f"The kind '{kind}' is not known; it is one of {', '.join(KINDS)}.")
    made = checked(choices)
    name = made.pop("name", None)
    job = _Job(kind, made, Notes(), on_progress or (lambda share, sentence: None))
    sources: list[Any] = list(source) if isinstance(source, list | tuple) else [source]
    try:
        return _dataset(sources, name, job)
    except (RecursionError, MemoryError):
        raise DataError("The file is too deeply nested or too large to be read.") from None


def _dataset(sources: list[Any], name: str | None, job: _Job) -> Dataset:
    job.progress(0.0, "Reading the bytes")
    if not sources:
        raise DataError("No file was given; one, or a list of files, is expected.")
    loaded = [load(source, name if len(sources) == 1 else None) for source in sources]
    names = [each for _, each in loaded]
    job.progress(0.05, "Finding out what the file is")
    if len(loaded) == 1:
        found, summary, content = _one_file(*loaded[0], job)
    else:
        found, summary, content = read_several(loaded, job.kind, job.notes, job.choices)
        job.layouts.extend(filter(None, [layout_of_files(loaded, content, job.choices)]))
    say_idle(job.choices, found, job.notes)
    job.progress(1.0, "Done")
    whole = name or ", ".join(names)
    made_of = fingerprint([data for data, _ in loaded])
    layout = job.layouts[0] if job.layouts else None
    return Dataset(found, whole, made_of, summary, job.notes.in_order(), job.choices, content, layout)


def _one_file(data: bytes, name: str, job: _Job) -> Understood:
    match format_of(data, name):
        case "excel":
            return _of_table(excel.read_table(data, job.notes, job.choices), job)
        case "parquet":
            return _of_table(parquet.read_table(data, job.notes, job.choices), job)
        case "npz":
            return _of_found(read_npz(data, job.notes, job.choices), job)
    whole, encoding = decode(data, job.notes, job.choices.get("encoding"))
    kind, summary, content = _of_text(whole, name, job)
    return kind, {**summary, "encoding": encoding}, content


# ---- text


def _of_text(whole: str, name: str, job: _Job) -> Understood:
    """Structured text first, then tables, then prose."""
    job.progress(0.1, "Finding rows and columns")
    structured = _structured(whole, name, job)
    if structured is not None:
        return _of_found(structured, job)
    delimiter = job.choices.get("delimiter") or delimiter_of(whole)
    if delimiter is None and not (is_list_of_numbers(whole) and job.kind != "text"):
        if job.kind in (None, "text"):
            _refuse_single_line(whole, job.kind)
            return _of_prose(whole, job)
        raise DataError(f"No delimiter was found, which the kind '{job.kind}' needs between its columns.", 1)
    if job.kind == "text" and "text" not in job.choices and not _is_table_of_prose(whole, job):
        return _of_prose(whole, job)
    return _of_table(read_table(whole, job.notes, job.choices), job, whole)


def _of_prose(whole: str, job: _Job) -> Understood:
    if len(whole) <= MAX_TEXT:
        job.layouts.append(RUNNING_TEXT)
    return _of_found(RunningText(whole), job)


def _structured(whole: str, name: str, job: _Job) -> Table | Arrays | Sentences | Texts | RunningText | None:
    found = read_json(whole, name, job.kind, job.notes)
    if found is not None:
        return found
    refuse_declared(whole)
    if job.kind in (None, "tagged"):
        sentences = read_sentences_in_lines(whole) or read_words_in_lines(whole, job.notes)
        if sentences is not None:
            return sentences
    return read_fasttext(whole, job.notes) if job.kind in (None, "labelled") else None


def _refuse_single_line(whole: str, kind: str | None) -> None:
    """Refuse a header without rows, and below one a cell that never ends."""
    first, _, rest = whole.strip().partition("\n")
    if kind is not None or len(first) > MAX_HEADER or not any(delimiter in first for delimiter in ",;\t|"):
        return
    if not rest:
        raise DataError("There is only one line: a header, or one row, but no rows of data below it.", 1)
    if len(whole) > MAX_LINE:
        long = next(((at, line) for at, line in enumerate(whole.split("\n"), 1) if len(line) > MAX_LINE), None)
        if long:
            found = f"Line {long[0]} has {len(long[1]):,} characters"
            raise DataError(f"{found}; a line of a table may have at most {MAX_LINE:,}.", long[0])


def _is_table_of_prose(whole: str, job: _Job) -> bool:
    """Whether without the choice of the kind a column of texts would have been found; what is said of it is dropped."""
    notes = Notes()
    try:
        table = read_table(whole, notes, job.choices)
        return guess(table, describe(table, notes, job.choices))[0] == "text"
    except DataError:
        return False


MAX_HEADER = 2_000  # characters of a single line that may be a header


# ---- what was found


def _of_found(found: Table | Arrays | Sentences | Texts | RunningText, job: _Job) -> Understood:
    """What is no table has its kind already."""
    if isinstance(found, Table):
        return _of_table(found, job)
    kind, why = _kind_of(found)
    if job.kind not in (None, kind):
        raise DataError(f"{why} It can be read as the kind '{kind}', but not as '{job.kind}'.")
    job.progress(0.5, f"Reading it as the kind '{kind}': split and baselines")
    notes, choices = job.notes, job.choices
    summary: dict[str, Any]
    content: Content
    match found:
        case Arrays():
            origin = Origin(found.lines, found.label, given=Given(found.held))
            summary, content = of_arrays(found.arrays, found.labels, origin, notes, choices)
        case Sentences():
            documents = None if found.documents is None else [str(each) for each in found.documents]
            whole = documents and whole_groups(documents, f"The lines {DOCUMENT} name", notes, fewest=FEWEST_DOCUMENTS)
            summary, content = tagged.of_sentences(found.sentences, notes, choices, found.column, Given(groups=whole))
            job.layouts.extend([found.layout] if found.layout is not None else [])
        case Texts():
            summary, content = labelled.of_texts(found.texts, found.labels, found.lines, notes, choices, found.names)
        case RunningText():
            summary, content = text.of_text(found.text, notes, choices)
    return kind, {"why": CHOSEN if job.kind else why, **summary}, content


def _kind_of(found: Arrays | Sentences | Texts | RunningText) -> tuple[str, str]:
    match found:
        case Arrays():
            return "sequences", "The file holds many lists of numbers."
        case Sentences():
            return "tagged", "The file holds words with a tag each, in sentences."
        case Texts():
            return "labelled", "Every line begins with a class and goes on with a text."
    return "text", "The file holds words and no columns."


def _of_table(table: Table, job: _Job, whole: str | None = None) -> Understood:
    """whole: the text whose lines the rows are, if they are."""
    job.progress(0.3, "Looking at the columns")
    if len(table) < 2:
        raise DataError("There is only one row; at least 12 are needed.", int(table.lines[0]))
    columns = describe(table, job.notes, job.choices)
    guessed, why = guess(table, columns)
    kind = job.kind or guessed
    job.progress(0.6, f"Reading it as the kind '{kind}': split and baselines")
    summary, content = OF_TABLE[kind](table, columns, job.notes, job.choices)
    if whole is not None and (layout := layout_of(whole, table, columns, summary, content, job.choices)):
        job.layouts.append(layout)
    types = {column.name: column.type for column in columns}
    read_as: dict[str, Any] = {"columns": types, "header": table.header, "delimiter": table.delimiter}
    return kind, {"why": CHOSEN if job.kind else why, **summary, **read_as}, content
