"""Bytes as text, whatever the encoding."""

from __future__ import annotations

import pytest

from engine.data.files.encoding import decode
from engine.data.problems import DataError, Notes
from tests.cases import for_each
from tests.engine.data.raw_tables import said

TEXT = "Größe,Preis\nElfenbein,3\nÄpfel,4\n"
RUSSIAN = "город,число\n" + "Санкт-Петербург,5\nМосква,12\nНовосибирск,7\n" * 5


@for_each(
    {
        "codec, found, words": [
            ("utf-8", "utf-8", ""),
            ("utf-8-sig", "utf-8-sig", "UTF-8 with a byte order mark"),
            ("utf-16", "utf-16", "UTF-16 with a byte order mark"),
            ("utf-32", "utf-32", "UTF-32 with a byte order mark"),
            ("utf-16-le", "utf-16-le", "UTF-16-LE without a byte order mark"),
            ("utf-16-be", "utf-16-be", "UTF-16-BE without a byte order mark"),
            ("cp1252", "cp1252", "not UTF-8 (first seen in line 1); it is read as cp1252"),
            ("latin-1", "cp1252", "not UTF-8 (first seen in line 1); it is read as cp1252"),
        ]
    }
)
def test_encodings_are_found_and_said(codec, found, words):
    notes = Notes()
    assert decode(TEXT.encode(codec), notes) == (TEXT, found)
    assert words in said(notes) and bool(notes) == bool(words)
    assert all(problem.line == 1 for problem in notes)


def test_three_latin_letters_do_not_spoil_a_file():
    data = b"name,value\n" + b"plain,1\n" * 50 + "Zoë,2\n".encode("latin-1")
    notes = Notes()
    text, codec = decode(data, notes)
    assert text.endswith("Zoë,2\n") and codec == "cp1252" and notes[0].line == 52


def test_other_scripts():
    for codec in ("cp1251", "koi8_r"):
        assert decode(RUSSIAN.encode(codec), Notes())[0] == RUSSIAN
    japanese = "都市,人口\n" + "東京,14\n大阪,9\n名古屋,2\nひらがなとカタカナ,3\n" * 5
    assert decode(japanese.encode("shift_jis"), Notes())[0] == japanese


def test_a_chosen_encoding_counts():
    assert decode("ï".encode(), Notes(), "cp1252") == ("Ã¯", "cp1252")
    for chosen in ("ascii", "no such code", "zip_codec", "a\0b"):
        with pytest.raises(DataError, match="cannot be read as"):
            decode("ï".encode(), Notes(), chosen)


def test_lines_end_by_a_line_feed_alone():
    assert decode(b"a,b\r\n1,2\r3,4\n", Notes())[0] == "a,b\n1,2\n3,4\n"


@for_each(
    {
        "data, words, line": [
            (b"a,b\n1,2\n3,\0", "zero bytes, the first in line 3", 3),
            (bytes(range(1, 32)) * 5, "full of control characters", 1),
            (b"\xef\xbb\xbfa\n\xff\n", "begins as UTF-8 text but is broken in line 2", 2),
            (b" ,,;\n;;\n", "nothing but separators", 1),
            ("\ufeff".encode("utf-16"), "nothing but separators", 1),
        ]
    }
)
def test_what_is_no_text(data, words, line):
    with pytest.raises(DataError, match=words) as caught:
        decode(data, Notes())
    assert caught.value.line == line
