"""The numbers of a load are what its columns say."""

from __future__ import annotations

import dataclasses
import math
import os
import time

import pytest

from app.live.messages import pack
from benchmarks.load.measuring import Load, quantile, row_of, updates_per_second
from benchmarks.load.server_process import memory, parse_stat, processor_seconds
from benchmarks.load.visitor import header_of

LOAD = Load(
    seconds=20.0, server=4.0, workers=30.0, generator=1.0, frames=(0.5, 1.0, 3.0, 1.2), updates=(8.0, 12.0, 10.0),
    clicks=(0.01, 0.02, 0.4), opened=(0.1, 0.2, 0.3, 2.0), all_training=5.0, at_once=0.25, server_memory=8.0,
    worker_memory=40.0, problems=(),
)  # fmt: skip


def test_a_row_says_each_number_in_its_unit():
    row = row_of(LOAD)
    assert row["visitors"] == "4" and row["server, % of a core"] == "20.0"
    assert row["ms of processor per visitor-second"] == "50.00"
    assert (row["frames/s: slowest"], row["median"]) == ("0.50", "1.10")
    assert (row["answered, ms: p50"], row["max"]) == ("20", "400") and row["all at once, the last"] == "250"
    assert (row["updates/s of a run"], row["slowest / mean"]) == ("10.0", "0.80 of 3")
    assert (row["MiB per visitor: server"], row["workers"], row["problems"]) == ("2.0", "10.0", "0")


def test_a_row_without_frames_and_clicks_has_no_such_numbers_and_no_error():
    row = row_of(dataclasses.replace(LOAD, updates=(), clicks=(), frames=(0.0,)))
    assert row["p95"] == row["updates/s of a run"] == "nan" and row["frames/s: slowest"] == "0.00"


@pytest.mark.parametrize(
    ("frames", "rate"),
    [
        ([], None),
        ([(1.0, 10)], None),
        ([(1.0, 10), (3.0, 50)], 20.0),
        ([(1.0, 10), (2.0, 90), (3.0, 0), (5.0, 8)], 4.0),  # another run began
    ],
)
def test_updates_per_second_are_of_one_run(frames, rate):
    assert updates_per_second(frames) == rate


def test_a_quantile_is_one_of_the_values():
    assert [quantile([3, 1, 2], share) for share in (0, 0.5, 0.95, 1)] == [1, 2, 3, 3]
    assert math.isnan(quantile([], 0.5))


def test_a_message_of_the_stream_is_read_by_its_header():
    assert header_of(pack({"loss": {"data.0.name": "x"}}, step=7))["step"] == 7


def test_processor_time_and_memory_are_those_of_the_process():
    line = "7 (a ) b) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 3 4 20 0 1"
    assert parse_stat(line) == pytest.approx(300 / os.sysconf("SC_CLK_TCK"))
    assert 0 < processor_seconds(os.getpid()) <= time.process_time() + 0.05
    assert memory(os.getpid()) > 1
