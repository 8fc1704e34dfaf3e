"""A file is read in a process of its own: what it says, its limits, its line, and that it can be stopped."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from engine.data import DataError
from engine.reading import Reading
from engine.reading.reading import AT_ONCE

FILES = (("a.csv", b"1\n2\n"), ("b.csv", b"3\n"))
PAUSE = threading.Event()


def reading(reader: str, files: tuple[tuple[str, bytes], ...] = FILES[:1], **more: object) -> Reading:
    return Reading(files, reader=f"tests.engine.reading.stand_ins:{reader}", **more)


def wait_for(true: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not true():
        assert time.monotonic() < end, "it never happened"
        PAUSE.wait(0.002)


def test_bytes_names_kind_and_choices_arrive_and_the_dataset_comes_back():
    one, both = reading("read", kind="series", choices={"decimal": ","}), reading("read", FILES)
    assert one.progress[0] == 0 and one.progress[1].endswith(".")
    assert one.wait(60) and both.wait(60) and one.error is both.error is None
    summary = one.dataset.summary
    assert summary["read"] == {"a.csv": b"1\n2\n"} and summary["kind"] == "series" and not summary["torch"]
    assert one.dataset.choices == {"decimal": ","} and one.dataset.content.series[0].values.shape == (60, 1)
    assert both.dataset.summary["read"] == dict(FILES) and both.sources == FILES
    assert one.progress == (1.0, "The file has been read.")
    assert summary["pid"] != both.dataset.summary["pid"]


def test_what_cannot_be_read_is_said_in_a_sentence(subtests):
    said = {
        "refuse": "Line 3 has 4 columns where 3 are expected.",
        "fail": "an error of this program, not of the file (KeyError: 'tokens')",
        "eat": "a.csv needs more memory than one reading may have",
        "end": "the process that read it ended by itself (7)",
        "missing": "an error of this program",
    }
    readings = {name: reading(name, memory=2**31) for name in said}
    for name, each in readings.items():
        with subtests.test(reader=name):
            assert each.wait(60) and each.dataset is None and isinstance(each.error, DataError)
            assert said[name] in each.error.sentence
    assert (readings["refuse"].error.line, readings["refuse"].error.column) == (3, "price")


def test_a_reading_over_time_is_ended_and_says_so():
    slow = reading("sleep", seconds=1.5)
    assert slow.wait(60)
    assert slow.error.sentence.startswith("a.csv was not read within 2 seconds") and slow.dataset is None
    assert slow._process.poll() is not None


def test_two_are_read_at_once_the_others_wait_and_all_can_be_stopped():
    slow = [reading("sleep") for _ in range(3)]
    wait_for(lambda: all(each.progress == (0.25, "A quarter is read.") for each in slow[:2]))
    assert slow[2].progress[1] == "Other files are being read first." and slow[2]._process is None
    quick = reading("read")
    slow[2].stop()
    assert slow[2].done, "it had not begun"
    slow[0].stop()
    assert slow[0].wait(60) and quick.wait(60) and quick.dataset is not None
    assert not slow[1].done
    slow[1].stop()
    assert slow[1].wait(60)
    assert all(each.dataset is None and each.error is None for each in slow)


def test_a_result_that_cannot_be_understood_is_said_and_the_next_files_are_read():
    garbled = [reading("garble") for _ in range(AT_ONCE)]
    assert all(each.wait(60) and each.dataset is None for each in garbled)
    assert all("an error of this program, not of the file (ValueError" in each.error.sentence for each in garbled)
    following = reading("read")
    assert following.wait(60) and following.dataset is not None


def test_a_process_that_cannot_be_started_is_said(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no more processes")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    refused = reading("read")
    assert refused.wait(60) and "no more processes" in refused.error.sentence


def test_the_server_loads_no_torch_for_it():
    script = "import sys, engine.reading; print(sorted({'torch', 'pandas'} & set(sys.modules)))"
    root = Path(__file__).parents[3]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr
