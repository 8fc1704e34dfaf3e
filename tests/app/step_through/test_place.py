"""What a browser may say of the place where it is."""

from __future__ import annotations

from typing import Any

import pytest

from app.step_through.place import Looked, Place


def test_a_place_and_a_number_to_verify_are_read():
    looked = Looked.of({"place": [9, 3, 2, 1], "verify": [1, [4, 0, 0, 0]]})
    assert looked == Looked(Place(9, unit=3, source=2, gate=1), verify=(1, Place(4)))
    assert Looked.of({"place": [0, 0, 0, 0], "verify": None}) == Looked(Place())


@pytest.mark.parametrize("request_", [
    None, [], "on", {}, {"place": None}, {"place": [0, 0, 0]}, {"place": [0, 0, 0, -1]}, {"place": [True, 0, 0, 0]},
    {"place": [0, 0, 0, 1.0]}, {"place": ["0", 0, 0, 0]}, {"place": [0, 0, 0, 0], "verify": 1},
    {"place": [0, 0, 0, 0], "verify": [-1, [0, 0, 0, 0]]}, {"place": [0, 0, 0, 0], "verify": [0, [0]]},
    {"place": [0, 0, 0, 0], "verify": [True, [0, 0, 0, 0]]}, {"place": [0, 0, 0, 0], "verify": [0]},
])  # fmt: skip
def test_anything_else_is_no_request(request_: Any):
    assert Looked.of(request_) is None


def test_a_place_of_another_network_becomes_the_nearest_of_this_one():
    assert Place(99, 99, 99, 99).within(6, 4, 3) == Place(11, 3, 3, 2)
    assert Place(3, 1, 2, 1).within(6, 4, 0) == Place(3, 1, 2, 0)
