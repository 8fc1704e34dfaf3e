"""How numbers are written for people."""

from __future__ import annotations

import ast
import json
import math
import re

import pytest

from engine import number_format
from engine.number_format import (
    amount,
    count,
    duration,
    power_of_ten,
    relative_size,
    share,
    short,
    signed,
    to_json,
)
from tests.test_layering import ROOT, files


@pytest.mark.parametrize(
    ("exponent", "written"), [(0, "10⁰"), (-6, "10⁻⁶"), (18, "10¹⁸"), (-1234567890, "10⁻¹²³⁴⁵⁶⁷⁸⁹⁰")]
)
def test_a_power_of_ten_has_raised_digits(exponent, written):
    assert power_of_ten(exponent) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (0.05, "0.050"), (2.3, "2.30"), (12.4, "12.4"), (480.0, "480"), (-0.5, "-0.50"), (3.1e-7, "3.1e-7"),
     (1e4, "1.0e4"), (1e-3, "0.001"), (math.inf, "not finite"), (math.nan, "not finite")],
)  # fmt: skip
def test_a_read_out_keeps_its_width(value, written):
    assert short(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "0"), (0.12, "0.120"), (-0.12, "−0.120"), (0.01, "0.0100"), (123.4, "123"), (9999.0, "9999"),
     (-3.19e-4, "−3.19·10⁻⁴"), (1e4, "1.00·10⁴"), (-math.inf, "not finite")],
)  # fmt: skip
def test_a_signed_number_has_three_digits_and_a_true_minus(value, written):
    assert signed(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "exactly 0"), (0.14, "14.0%"), (1.0, "100.0%"), (1 / 360_000, "1 part in 360,000"),
     (-1e-4, "next to nothing"),
     (-0.2, "−20.0% (pulls the other way)"), (-250.0, "−2.5e4% (pulls the other way)"),
     (1e-9, "1 part in 1.0e9"), (250.0, "2.5e4%"),
     (math.nan, "not finite")],
)  # fmt: skip
def test_a_share_is_said_as_a_part(value, written):
    assert share(value) == written


@pytest.mark.parametrize(
    ("ratio", "written"), [(0.0, "exactly 0"), (0.25, "0.25"), (12.0, "12"), (0.0042, "4.2 × 10⁻³"), (1e6, "1.0 × 10⁶")]
)
def test_an_amount_is_a_factor_or_a_power_of_ten(ratio, written):
    assert amount(ratio) == written


@pytest.mark.parametrize(
    ("ratio", "written"),
    [(1.0, "100%"), (0.43, "43%"), (0.1, "10%"), (0.0999, "1 part in 10"), (2.1e-4, "1 part in 4,800"),
     (1 / 9.8e8, "1 part in 980 million"), (1e-40, "1 part in 10⁴⁰"), (5e-324, "1 part in 10³⁰⁰"), (1.49, "149%"),
     (33.0, "× 33"), (2.5e7, "× 25 million"), (0.0, "exactly 0"), (math.inf, "not finite"), (math.nan, "not finite")],
)  # fmt: skip
def test_a_relative_size_is_said_as_a_reader_says_it(ratio, written):
    assert relative_size(ratio) == written


@pytest.mark.parametrize(
    "value, percent, written",
    [(0.875, True, "88%"), (16.57, False, "16.6"), (12_345.6, False, "12,346"), (0.05, False, "0.050")],
)
def test_a_metric_is_a_percentage_or_an_amount(value, percent, written):
    assert number_format.metric(value, percent) == written


@pytest.mark.parametrize(
    "values, percent, written",
    [([1.1302, 1.1341, 1.13], False, ["1.1302", "1.1341", "1.1300"]),
     ([1.131, 1.131, 4.5], False, ["1.13", "1.13", "4.50"]),
     ([0.991, 0.994, 0.5], True, ["99.1%", "99.4%", "50%"]),
     ([0.9912, 0.9913], True, ["99.12%", "99.13%"]),
     ([12_345.6, 12_345.9, 1.0], False, ["12,345.6", "12,345.9", "1.00"]),
     ([3.11e-7, 3.14e-7], False, ["3.11e-7", "3.14e-7"]),
     ([0.3, 0.1 + 0.2], False, ["0.30", "0.30"]),
     ([0.0, 1.0], False, ["0", "1.00"]),
     ([math.nan, math.inf, 1.0], False, ["not finite", "not finite", "1.00"]),
     ([], False, [])],
)  # fmt: skip
def test_metrics_beside_each_other_are_told_apart(values, percent, written):
    assert number_format.metrics(values, percent) == written


@pytest.mark.parametrize("value", [0.5, -3, math.inf, -math.inf, math.nan])
def test_any_number_goes_through_json_and_back(value):
    read = json.loads(json.dumps(to_json(value), allow_nan=False))
    assert type(read) is (type(value) if math.isfinite(value) else str)
    assert float(read) == value or (math.isnan(value) and math.isnan(float(read)))


@pytest.mark.parametrize(("number", "written"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1300, "1,300 rows")])
def test_a_count_agrees_with_its_noun(number, written):
    assert count(number, "row") == written


def test_no_sentence_leaves_the_plural_open():
    open_plurals = {
        f"{file}: {node.value}"
        for file in files("app", "engine")
        for node in ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.search(r"(^|[a-z])\(s\)", node.value)
    }
    assert open_plurals == set()


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "1 s"), (0.4, "1 s"), (8.3, "8 s"), (89.4, "89 s"), (90.0, "2 min"), (610.0, "10 min")],
)
def test_a_duration_is_in_seconds_or_minutes(seconds, written):
    assert duration(seconds) == written
