"""Bytes, their size, and what their first ones say that they are."""

from __future__ import annotations

import io
import pickle
import zipfile

import numpy as np
import pytest

from engine.data.files.load import FIRST_BYTES, format_of, load
from engine.data.limits import MAX_FILE_BYTES, MAX_UNPACKED_BYTES
from engine.data.problems import DataError
from tests.cases import for_each


def archive(*names: str, claimed: int | None = None) -> bytes:
    """A zip archive; `claimed` is what its directory says that each file inside has, unpacked."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, b"x" * 10)
        if claimed is not None:
            for entry in archive.filelist:
                entry.file_size = claimed
    return file.getvalue()


def test_a_source_is_a_path_bytes_an_open_file_or_a_pasted_text(tmp_path):
    path = tmp_path / "sales.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert load(path) == load(str(path)) == (b"a,b\n1,2\n", "sales.csv")
    with path.open("rb") as file:
        assert load(file) == (b"a,b\n1,2\n", "sales.csv")
    with path.open("r") as file:
        assert load(file, "other.csv") == (b"a,b\n1,2\n", "other.csv")
    assert load(b"a,b") == (b"a,b", "pasted")
    assert load("a,b\n1,é\n") == ("a,b\n1,é\n".encode(), "pasted")


def test_a_file_that_is_not_there(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(DataError, match="There is no file"):
            load(path)


def test_200_mb_are_refused_before_they_are_read(tmp_path):
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(DataError, match=r"large\.csv has 200 MB; at most 50 MB are read"):
        load(path)


def test_an_endless_file_is_read_up_to_the_limit():
    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= MAX_FILE_BYTES + 1
            return bytes(size)

    with pytest.raises(DataError, match="more than 50 MB"):
        load(Endless())


@for_each({"first, what, advice": [each for each in FIRST_BYTES if each[0] != b"ID3"]})
def test_what_is_no_table_is_named(first, what, advice):
    with pytest.raises(DataError) as caught:
        format_of(first + b"\0\1\2 rest", "sales.csv")
    assert caught.value.line == 1
    assert f"sales.csv is {what}, whatever its name says. Expected CSV" in caught.value.sentence
    assert caught.value.sentence.endswith(advice or "plain text.")


def test_a_text_may_begin_like_a_picture_or_a_program():
    assert format_of(b"BMI,age\n21.5,30\n", "x") == "text"
    assert format_of(b"MZ,value\n1,2\n", "x") == "text"


def test_a_pickle_is_never_opened():
    for data in (pickle.dumps([1, 2]), pickle.dumps(np.arange(3))):
        with pytest.raises(DataError, match="a Python pickle, which is never opened"):
            format_of(data, "model.csv")
    with pytest.raises(DataError, match="a pickle in it, which is never opened"):
        format_of(archive("archive/data.pkl", "archive/version"), "model.csv")


@for_each({"mark": [b"", b"\xef\xbb\xbf", b"  \n"], "page": [b"<!DOCTYPE html>", b"<html>", b"<TABLE><tr>", b"<?xml "]})
def test_a_web_page_saved_as_csv(mark, page):
    with pytest.raises(DataError, match=r"Line 1: data\.csv is a web page or XML, not a table") as caught:
        format_of(mark + page + b"<td>1,2</td>", "data.csv")
    assert caught.value.line == 1


def test_a_web_page_in_utf_16():
    with pytest.raises(DataError, match="web page"):
        format_of("<html>".encode("utf-16"), "data.csv")


@for_each({"data": [b"", b"  \n\r\n\t"]})
def test_an_empty_file(data):
    with pytest.raises(DataError, match=r"data\.csv is empty") as caught:
        format_of(data, "data.csv")
    assert caught.value.line == 1


def test_archives_are_known_by_their_directory():
    assert format_of(archive("xl/workbook.xml", "xl/worksheets/sheet1.xml"), "x") == "excel"
    assert format_of(archive("x.npy", "y.npy"), "x") == "npz"
    assert format_of(b"PAR1....PAR1", "x") == "parquet"
    with pytest.raises(DataError, match=r"with 2 files inside \(a\.csv, b\.csv\)\. Unpack it"):
        format_of(archive("a.csv", "b.csv"), "x")
    with pytest.raises(DataError, match="a Word document"):
        format_of(archive("word/document.xml"), "x")
    with pytest.raises(DataError, match="a zip archive that is broken"):
        format_of(b"PK\x03\x04 and nothing else", "x")


@for_each({"names": [("xl/workbook.xml",), ("x.npy",)]})
def test_a_zip_bomb_is_refused_before_it_is_unpacked(names):
    data = archive(*names, claimed=4_000_000_000)
    assert len(data) < MAX_UNPACKED_BYTES
    with pytest.raises(DataError, match="Unpacked, x would have 4,000 MB; at most 200 MB are read"):
        format_of(data, "x")
