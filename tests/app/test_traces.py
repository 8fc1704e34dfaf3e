"""Traces of a figure are addressed by name."""

from __future__ import annotations

import pytest

from app.figures.base import Traces

TRACES = Traces("ghost", "line", "marks")


def test_names_stand_for_the_order_in_which_traces_are_drawn():
    assert TRACES.in_order(marks="three", ghost="one", line="two") == ["one", "two", "three"]
    assert TRACES.path("line", "marker.size") == "data.1.marker.size"
    assert [TRACES.number(name) for name in ("ghost", "marks")] == [0, 2] and len(TRACES) == 3


@pytest.mark.parametrize("names", [{"ghost", "line"}, {"ghost", "line", "marks", "other"}, {"ghost", "line", "mark"}])
def test_a_trace_that_is_missing_or_unknown_is_refused(names):
    with pytest.raises(ValueError, match="marks"):
        TRACES.in_order(**dict.fromkeys(names, "trace"))


def test_a_name_that_no_trace_has_has_no_path():
    with pytest.raises(ValueError):
        TRACES.path("other", "y")
