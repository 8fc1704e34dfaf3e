"""The bytes of a source, and what their first ones say that they are. Names are not believed."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import IO

from engine.data.files.encoding import EXPECTED, MARKS, is_markup
from engine.data.limits import MAX_FILE_BYTES, MAX_UNPACKED_BYTES
from engine.data.problems import DataError
from engine.number_format import count

Source = str | os.PathLike[str] | bytes | IO[bytes] | IO[str]
MEGABYTE = 1e6

UNPACK = "Unpack it and bring the file inside."
TO_CSV = "Save the data as CSV."
NO_PICTURE = "Bring a table or a text."
FIRST_BYTES = (
    (b"\x89PNG", "a PNG picture", NO_PICTURE),
    (b"\xff\xd8\xff", "a JPEG picture", NO_PICTURE),
    (b"GIF8", "a GIF picture", NO_PICTURE),
    (b"II*\0", "a TIFF picture", NO_PICTURE),
    (b"MM\0*", "a TIFF picture", NO_PICTURE),
    (b"BM", "a bitmap picture", NO_PICTURE),
    (b"%PDF", "a PDF document", "Bring the table or the text itself."),
    (b"{\\rtf", "an RTF document", "Save it as plain text."),
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"7z\xbc\xaf", "a 7-Zip archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\xfd7zXZ", "an xz archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"\xd0\xcf\x11\xe0", "an old Excel or Word file", "Save it as .xlsx or CSV."),
    (b"SQLite format 3", "an SQLite database", "Save the table as CSV."),
    (b"\x89HDF", "an HDF5 file", "Save the table as CSV or Parquet, or the arrays as .npz."),
    (b"MATLAB 5.0", "a MATLAB file", "Save the arrays as .npz."),
    (b"RIFF", "a picture, sound or video file", "Bring numbers or a text."),
    (b"ID3", "a sound file", "Bring numbers or a text."),
    (b"OggS", "a sound file", "Bring numbers or a text."),
    (b"fLaC", "a sound file", "Bring numbers or a text."),
    (b"\x7fELF", "a program", ""),
    (b"MZ", "a program", ""),
    (b"\x93NUMPY", "a single NumPy array", "Save it as .npz (numpy.savez) with the arrays x and, for classes, y."),
    (b"ARROW1", "an Arrow file", "Save it as Parquet or CSV."),
    (b"FEA1", "a Feather file", "Save it as Parquet or CSV."),
    (b"ORC", "an ORC file", "Save it as Parquet or CSV."),
    (b"Obj\x01", "an Avro file", "Save it as Parquet or CSV."),
    (b"RDX", "an R workspace", TO_CSV),
    (b"$FL2", "an SPSS file", TO_CSV),
    (b"<stata_dta>", "a Stata file", TO_CSV),
)
ALSO_TEXT = (b"BM", b"MZ", b"ID3", b"ORC", b"RDX")
"""A text can begin with these letters; a file of that kind has zero bytes soon after."""
ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")


def load(source: Source, name: str | None = None) -> tuple[bytes, str]:
    """The bytes of a source, at most MAX_FILE_BYTES, and its name.

    Args:
        source: a path, bytes, an open file, or text with a line break in it. A text of one line is a path: hand
            over what a person has pasted as bytes.
        name: of the file; None to take the source's own.

    Raises:
        DataError: there is no such file, or it is too large.
    """
    if isinstance(source, str) and "\n" in source:
        source = source.encode("utf-8", "surrogatepass")
    if isinstance(source, (str, os.PathLike)):
        data, found = _load_path(Path(source))
    elif isinstance(source, bytes):
        data, found = source, "pasted"
    else:
        content = source.read(MAX_FILE_BYTES + 1)
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        found = Path(str(getattr(source, "name", "pasted"))).name
    name = name or found
    if len(data) > MAX_FILE_BYTES:
        raise DataError(_too_large(f"{name} has more than {MAX_FILE_BYTES / MEGABYTE:.0f} MB"))
    return data, name


def _load_path(path: Path) -> tuple[bytes, str]:
    if not path.is_file():
        raise DataError(f"There is no file '{path.name[:100]}'.")
    size = path.stat().st_size
    if size > MAX_FILE_BYTES:
        raise DataError(_too_large(f"{path.name} has {size / MEGABYTE:,.0f} MB"))
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1), path.name
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}.") from None


def _too_large(found: str) -> str:
    return f"{found}; at most {MAX_FILE_BYTES / MEGABYTE:.0f} MB are read. Keep the newest rows, or every tenth."


def format_of(data: bytes, name: str) -> str:
    """What a file is, by its first bytes: "excel", "npz", "parquet" or "text".

    Raises:
        DataError: it is empty, or something else, which the sentence names.
    """
    if not data.strip():
        raise DataError(f"{name} is empty.", 1)
    if data.startswith(ARCHIVES):
        return _format_of_archive(data, name)
    if data.startswith(b"PAR1"):
        return "parquet"
    for first, what, advice in FIRST_BYTES:
        if data.startswith(first) and (first not in ALSO_TEXT or b"\0" in data[:300]):
            raise _refusal(name, what, advice)
    if data[4:8] == b"ftyp":
        raise _refusal(name, "a video or picture file", "Bring numbers or a text.")
    if data[257:262] == b"ustar":
        raise _refusal(name, "a tar archive", UNPACK)
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05" and data.rstrip().endswith(b"."):
        sentence = (
            f"{name} is a Python pickle, which is never opened: it could run a program. Save the data as CSV or .npz."
        )
        raise DataError(sentence, 1)
    if is_markup(_beginning(data)):
        what = "a web page or XML, not a table: perhaps the page around the file was saved"
        raise DataError(f"Line 1: {name} is {what}. Get the file itself ('raw', 'download'). {EXPECTED}", 1)
    return "text"


def _refusal(name: str, what: str, advice: str) -> DataError:
    return DataError(f"{name} is {what}, whatever its name says. {EXPECTED} {advice}".strip(), 1)


def _beginning(data: bytes) -> str:
    """The first letters, whatever the encoding."""
    for mark, _, _ in MARKS:
        data = data.removeprefix(mark)
    return data[:2000].replace(b"\0", b"").decode("latin-1")


def _format_of_archive(data: bytes, name: str) -> str:
    """A zip archive by its directory; nothing is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        raise DataError(f"{name} is a zip archive that is broken. Save or download it again.", 1) from None
    inside = [entry.filename for entry in entries]
    size = sum(entry.file_size for entry in entries)
    if size > MAX_UNPACKED_BYTES:
        most = f"at most {MAX_UNPACKED_BYTES / MEGABYTE:.0f} MB are read"
        raise DataError(
            f"Unpacked, {name} would have {size / MEGABYTE:,.0f} MB; {most}. Keep the part that matters.", 1
        )
    if "xl/workbook.xml" in inside:
        return "excel"
    if inside and all(each.endswith(".npy") for each in inside):
        return "npz"
    if any(each.endswith("data.pkl") for each in inside):
        raise _refusal(name, "a PyTorch file with a pickle in it, which is never opened", "Save the arrays as .npz.")
    if "word/document.xml" in inside:
        raise _refusal(name, "a Word document", "Save it as plain text.")
    if "xl/workbook.bin" in inside or "content.xml" in inside:
        raise _refusal(name, "a spreadsheet of another kind", "Save it as .xlsx or CSV.")
    listed = ", ".join(each[:60] for each in inside[:3])
    holds = f"{count(len(inside), 'file')} inside ({listed})"
    raise DataError(f"{name} is a zip archive with {holds}. {UNPACK} {EXPECTED}", 1)
