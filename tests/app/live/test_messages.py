"""The binary message that goes over the live socket, read by hand."""

from __future__ import annotations

import numpy as np
import pytest

from app.figures import Quantised
from app.live.messages import pack
from tests.app.live.conftest import decoded, header_of


@pytest.mark.parametrize(
    "array",
    [
        np.arange(5, dtype=np.float32),
        np.zeros(0, np.float32),
        np.zeros((0, 3), np.float32),
        np.array([[1.5, np.nan], [np.inf, -np.inf], [0.0, 1e-45]], np.float32),
        np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        np.arange(12, dtype=np.float32)[::-3],
        np.linspace(0, 1, 7),
        np.arange(-3, 4),
        np.array([True, False]),
    ],
    ids=[
        "float32",
        "empty",
        "empty rows",
        "not finite",
        "column by column",
        "strided",
        "float64",
        "whole",
        "yes or no",
    ],
)
def test_arrays_arrive_as_float32(array):
    after = decoded(pack({"one": {"data.0.y": array, "data.0.x": np.ones(1, np.float32)}}))
    assert after["one.data.0.y"].dtype == np.float32 and after["one.data.0.x"].tolist() == [1]
    assert np.array_equal(after["one.data.0.y"], array.astype(np.float32), equal_nan=True)
    assert after["one.data.0.y"].shape == array.shape


@pytest.mark.parametrize("shape", [(1,), (3,), (3, 5), (0, 4), (4, 4)], ids=str)
@pytest.mark.parametrize("scale", [1.0, 25.0])
def test_bytes_arrive_with_their_scale(shape, scale):
    truth = np.random.default_rng(0).uniform(-scale, scale, shape)
    message = pack({"heat": {"z": Quantised.of(truth, scale), "after": np.ones(2, np.float32)}})
    after = decoded(message)
    assert after["heat.z"].shape == shape and after["heat.after"].tolist() == [1, 1]
    assert np.abs(after["heat.z"] - truth).max(initial=0) <= scale / 127 / 2 + 1e-12
    ((_, kind, _, _, sent), _) = header_of(message)[0]["a"]
    assert (kind, sent) == ("q1", scale)


def test_bytes_hold_the_ends_and_what_lies_beyond():
    ends = Quantised.of(np.array([-3.0, -2.0, 0.0, 2.0, 3.0, np.nan, np.inf, -np.inf]), 2.0)
    assert decoded(pack({"heat": {"z": ends}}))["heat.z"].tolist() == [-2, -2, 0, 2, 2, 0, 2, -2]


@pytest.mark.parametrize("title", ["", "a", "ab", "abc", "abcd", "‖dL/dh‖", "<b>7</b>✓"])
def test_every_block_begins_at_a_multiple_of_4(title):
    """A Float32Array cannot stand anywhere else; the header's length depends on its words."""
    patches = {
        "one": {"z": Quantised(np.ones((3, 3), np.int8), 1.0), "y": np.arange(3, dtype=np.float32), "title": title},
        "two": {"z": Quantised(np.ones(1, np.int8), 1.0), "y": np.arange(2, dtype=np.float32)},
    }
    message = pack(patches, step=3)
    header, blocks = header_of(message)
    assert (len(message) - len(blocks)) % 4 == 0 == len(message) % 4
    assert [offset for _, _, _, offset, *_ in header["a"]] == [0, 12, 24, 28] and len(blocks) == 36
    assert decoded(message)["one.y"].tolist() == [0, 1, 2] and decoded(message)["two.y"].tolist() == [0, 1]
    assert header["p"] == {"one.title": title} and header["step"] == 3


def test_everything_else_travels_in_the_header():
    values = {"text": ["7✓", "␣", ""], "x": [1.5, None, 2], "shown": True, "range": [0, 51.0], "at": {"y0": 1.0}}
    header, blocks = header_of(pack({"fig": values}, step=12, verdict={"word": "Vanished"}))
    assert header == {
        "step": 12,
        "verdict": {"word": "Vanished"},
        "a": [],
        "p": {f"fig.{path}": value for path, value in values.items()},
    }
    assert blocks == b""


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf], ids=str)
def test_a_number_that_json_does_not_know_is_refused(number):
    """The browser's JSON.parse would lose the whole message."""
    for patches, header in (({"fig": {"range": [0, number]}}, {}), ({}, {"loss": number})):
        with pytest.raises(ValueError, match="JSON compliant"):
            pack(patches, **header)
