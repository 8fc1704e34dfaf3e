"""Numbers as people write them."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pandas as pd

from engine.data.columns.cells import Cells, is_missing
from engine.data.columns.numbers import decimal_of, number, numbers
from tests.cases import for_each

NOT_A_NUMBER = math.nan


@for_each(
    {
        "cell, decimal, value": [
            ("12", ".", 12),
            ("-1.5e3", ".", -1500),
            (".5", ".", 0.5),
            ("1,234", ".", 1234),
            ("1,234,567.5", ".", 1234567.5),
            ("1,5", ".", NOT_A_NUMBER),
            ("1,5", ",", 1.5),
            ("1.234,5", ",", 1234.5),
            ("1 234,5", ",", 1234.5),
            ("1\u202f234,5", ",", 1234.5),
            ("1.5", ",", NOT_A_NUMBER),
            ("1.234", ",", 1234),
            ("$1,200", ".", 1200),
            ("-$3.50", ".", -3.5),
            ("12 €", ".", 12),
            ("45%", ".", 45),
            ("1.2M", ".", 1.2e6),
            ("-3K", ".", -3000),
            ("2B", ",", 2e9),
            ("\N{MINUS SIGN}5", ".", -5),
            ("yes", ".", 1),
            ("False", ".", 0),
            ("inf", ".", math.inf),
            ("-Infinity", ".", -math.inf),
            ("1e400", ".", math.inf),
            ("1.#INF", ".", math.inf),
            ("∞", ".", math.inf),
            ("1_000", ".", NOT_A_NUMBER),
            ("0x1F", ".", NOT_A_NUMBER),
            ("e5", ".", NOT_A_NUMBER),
            ("=A1+B1", ".", NOT_A_NUMBER),
            ("12 apples", ".", NOT_A_NUMBER),
            ("", ".", NOT_A_NUMBER),
            (3, ",", 3),
            (True, ".", 1),
            (np.float32(0.5), ",", 0.5),
            (Decimal("1.25"), ".", 1.25),
            (10**400, ".", math.inf),
            (pd.Timestamp("2024-01-01"), ".", NOT_A_NUMBER),
        ]
    }
)
def test_a_number(cell, decimal, value):
    found = number(cell, decimal)
    assert found == value or (math.isnan(found) and math.isnan(value))


@for_each(
    {
        "cells, decimal": [
            (["3,5", "0,25", "12"], ","),
            (["12,1234", "7"], ","),
            (["1.234,5", "2.000,0"], ","),
            (["1,234", "5,678"], "."),  # both are possible: thousands are the more common ones
            (["0,250", "1,500"], ","),
            (["1,234", "3,5"], ","),
            (["3.5", "4"], "."),
            (["a,b", "c,d"], "."),
            (["1", "2"], "."),
            (["2,5", "NA", None, "?"], ","),
            ([1, 2.5], "."),
        ]
    }
)
def test_the_decimal_sign(cells, decimal):
    assert decimal_of(cells) == decimal


def test_what_is_missing():
    for cell in (None, math.nan, pd.NaT, "", "  ", "NA", "n/a", "NaN", "null", "None", "#DIV/0!"):
        assert is_missing(cell) and is_missing(cell, signs=True)
    for cell in ("?", "-", ".", "M", "*"):  # a class, a punctuation mark; but no number
        assert not is_missing(cell) and is_missing(cell, signs=True)
    for cell in (0, False, "0", "no", "nothing"):
        assert not is_missing(cell, signs=True)


def test_each_cell_is_read_as_if_alone():
    """Long columns are read by their different cells, plain ones at once."""
    rng = np.random.default_rng(0)
    plain = [str(each) for each in rng.normal(size=3000).round(2)]
    for cells in (plain, [*plain, "1,234", None, "NA", "x", "5%"], ["1_0", *plain]):
        alone = np.array([math.nan if is_missing(cell) else number(cell) for cell in cells])
        np.testing.assert_array_equal(numbers(cells, "."), alone)
    np.testing.assert_array_equal(numbers(plain), pd.to_numeric(pd.Series(plain)).to_numpy())
    commas = [cell.replace(".", ",") for cell in plain]
    np.testing.assert_array_equal(numbers(commas), numbers(plain))


def test_different_cells_and_their_rows():
    cells = Cells.of(["b", None, "a", "b", "NA", float("nan"), "?"])
    assert cells.different == ["b", "a", "NA", "?"]
    assert cells.flags().tolist() == [True, False, True, True, False, False, True]
    assert cells.flags(signs=True).tolist() == [True, False, True, True, False, False, False]
    assert cells.given() == ["b", "a", "?"] and cells.sample(signs=True) == ["b", "a"]
    assert cells.spread(np.array([1.0, 2.0, 3.0, 4.0]), 0.0).tolist() == [1, 0, 2, 1, 3, 0, 4]
