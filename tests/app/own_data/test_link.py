"""Own data in a link."""

from __future__ import annotations

import pytest

from app import own_data_link
from tests.cases import for_each

OPTIONS = {"data": 64 * "a", "kind": "series", "target": "12", "inputs": ["a", "b"], "window": 24, "header": False,
           "delimiter": "\t", "text": "null"}  # fmt: skip


def test_a_link_reads_back_as_it_was_written():
    link = own_data_link.to_link(OPTIONS, "airline.csv")
    others, needed = own_data_link.split({"hidden_size": "7", **link})
    assert others == {"hidden_size": "7"} and needed is not None
    assert needed.options == OPTIONS and needed.name == "airline.csv" and needed.kind == "series"
    assert set(needed.choices) == set(OPTIONS) - {"data", "kind"}
    assert link["data.kind"] == "series" and link["data.target"] == '"12"' and link["data.window"] == "24"


@pytest.mark.parametrize("link", [{}, {"data.window": "24"}])
def test_a_link_without_data_needs_none(link: dict[str, str]):
    assert own_data_link.split(link) == ({}, None)


@for_each({"raw": ["", "x", "[" * 1_900, "[" * 100_000, "A" * 64, "1e999"]})
def test_a_broken_link_breaks_nothing(raw: str):
    _, needed = own_data_link.split({"data": raw, "data.window": raw})
    assert needed is not None and needed.fingerprint == ""
