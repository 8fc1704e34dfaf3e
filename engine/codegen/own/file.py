"""The lines of a script that open somebody's file and take it apart as the reader did."""

from __future__ import annotations

import numpy as np

from engine.codegen.own.writer import Own, quoted
from engine.data.columns import numbers
from engine.data.content import LabelledContent, PairsContent
from engine.data.dataset import Dataset
from engine.data.layout import PLAIN, Layout
from engine.data.several_files import classes_of

CELL = 1_000_000  # characters of a cell that the csv module may read
ONE_LINE_END = r'.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")'
"""What `engine.data.files.encoding.decode` does with a decoded text."""


def open_file(own: Own, dataset: Dataset) -> None:
    """Add FILE and `text_of_file`."""
    own.imports |= {"import hashlib", "import zlib", "from pathlib import Path"}
    own.add(f"FILE = {quoted(dataset.name)}  # must lie beside this script")
    own.add(f'SHA256 = "{dataset.fingerprint}"  # of that file')
    own.add(
        "def text_of_file() -> str:",
        '    """The text of FILE, if it is the very file that the playground has read."""',
        "    path = Path(__file__).parent / FILE",
        "    if not path.is_file():",
        '        raise SystemExit(f"This script reads {FILE}, which must lie beside it.")',
        "    content = path.read_bytes()",
        "    if hashlib.sha256(content).hexdigest() != SHA256:",
        '        raise SystemExit(f"{FILE} is not the file that the playground has read: its SHA-256 is another.")',
        f"    text = content.decode({quoted(dataset.summary['encoding'])})",
        f"    return text{ONE_LINE_END}",
    )


def cells_by_line(own: Own, layout: Layout) -> None:
    """Add `cells_by_line`."""
    head = ["def cells_by_line() -> dict[int, list[str]]:", '    """The cells of each line of FILE, counted from 1."""']
    if not layout.quoted:
        cells = "[line]" if layout.delimiter is None else f"line.split({quoted(layout.delimiter)})"
        cells = "line.split()" if layout.delimiter == " " else cells
        own.add(*head, f'    return {{at: {cells} for at, line in enumerate(text_of_file().split("\\n"), 1)}}')
        return
    own.imports |= {"import csv", "import io"}
    own.add(f"DELIMITER = {quoted(layout.delimiter or ',')}")
    own.add(
        *head,
        f"    csv.field_size_limit({CELL:_})",
        "    reader = csv.reader(io.StringIO(text_of_file()), delimiter=DELIMITER, skipinitialspace=True)",
        "    found, line = {}, 1",
        "    for cells in reader:  # a cell in quotes may go on in the next line",
        "        found[line] = cells",
        "        line = reader.line_num + 1",
        "    return found",
    )


def number_cells(own: Own, layout: Layout, some_missing: bool) -> str:
    """The loop over COLUMNS that reads the numbers of a line; adds the function that it calls."""
    if any(sign != PLAIN for sign in layout.decimals):
        own.need(numbers.__name__, "number")
        own.add(f"DECIMALS = {[sign or '.' for sign in layout.decimals]}  # of each column")
        return "number(cells[line][column], sign) for column, sign in zip(COLUMNS, DECIMALS, strict=True)"
    if not some_missing:
        return "float(cells[line][column]) for column in COLUMNS"
    own.imports.add("import math")
    own.add(
        "def number(cell: str) -> float:",
        '    """A cell as a number; NaN if it is none."""',
        "    try:",
        "        return float(cell)",
        "    except ValueError:",
        "        return math.nan",
    )
    return "number(cells[line][column]) for column in COLUMNS"


def lines_of_files(own: Own, dataset: Dataset, layout: Layout, content: LabelledContent | PairsContent) -> np.ndarray:
    """Add FILES and `cells_by_line` of several files.

    Returns:
        (n,) for each text or pair of the content the number of its line in `cells_by_line`.
    """
    own.imports |= {"import hashlib", "import zlib", "from pathlib import Path"}
    listed = ", ".join(f"{quoted(name)}: {quoted(encoding)}" for name, encoding, _ in layout.files)
    own.add(f"FILES = {{{listed}}}  # must lie beside this script; the encoding of each")
    own.add(f'SHA256 = "{dataset.fingerprint}"  # of their own, one after the other')
    own.add(
        "def lines_of_files() -> list[list[str]]:",
        '    """The lines of each of FILES, if they are the very files that the playground has read."""',
        "    paths = [Path(__file__).parent / name for name in FILES]",
        "    if not all(path.is_file() for path in paths):",
        """        raise SystemExit(f"This script reads {', '.join(FILES)}, which must lie beside it.")""",
        "    contents = [path.read_bytes() for path in paths]",
        '    own = "".join(hashlib.sha256(content).hexdigest() for content in contents)',
        "    if hashlib.sha256(own.encode()).hexdigest() != SHA256:",
        """        raise SystemExit(f"{', '.join(FILES)} are not the files that the playground has read.")""",
        "    texts = [content.decode(encoding) for content, encoding in zip(contents, FILES.values(), strict=True)]",
        f"    texts = [text{ONE_LINE_END} for text in texts]",
        r'    return [text.rstrip("\n").split("\n") for text in texts]',
    )
    head = "def cells_by_line() -> dict[int, list[str]]:"
    if isinstance(content, PairsContent):
        own.add(
            head,
            '    """The lines of the two files side by side, counted from 1."""',
            "    return {at: list(both) for at, both in enumerate(zip(*lines_of_files(), strict=True), 1)}",
        )
        return content.lines
    names = classes_of([name for name, _, _ in layout.files])
    own.add(f"CLASS_OF_FILE = [{', '.join(map(quoted, names))}]")
    own.add(
        head,
        '    """All lines of the files one after the other, counted from 1, each with the class of its file."""',
        "    files = zip(CLASS_OF_FILE, lines_of_files(), strict=True)",
        "    return dict(enumerate(([line, name] for name, lines in files for line in lines), 1))",
    )
    before = np.cumsum([0, *(count for _, _, count in layout.files)])
    places = [[name.lower() for name in names].index(each.lower()) for each in content.classes]
    return content.lines + before[places][content.labels]
