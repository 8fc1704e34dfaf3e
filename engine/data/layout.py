"""How a program finds the numbers of a content in the lines of the file again, without all that the reader knows."""

from __future__ import annotations

from dataclasses import dataclass

PLAIN = ""
"""The numbers of a column are those that float() reads."""


@dataclass(frozen=True)
class Layout:
    """Where the columns that a content was made of stand in the lines of a delimited text.

    Args:
        delimiter: between the cells of a line; None where a line is one cell, " " for any white space.
        quoted: quotation marks enclose cells.
        places: which cell of a line each used column is, from 0; of a series as its channels, of labelled texts the
            text and the class, of pairs the source and the target, of tagged words the word and its tag, of sequences
            their steps and, where its cells are the names of the classes, the class; empty of a running text.
        decimals: the decimal sign of each column of numbers; PLAIN where float() reads all its numbers.
        files: (name, encoding, number of lines) of each, where there are several: their lines are the two sides of
            pairs, or texts whose class is the name of the file.
    """

    delimiter: str | None
    quoted: bool
    places: tuple[int, ...]
    decimals: tuple[str, ...]
    files: tuple[tuple[str, str, int], ...] = ()


RUNNING_TEXT = Layout(None, False, (), ())
