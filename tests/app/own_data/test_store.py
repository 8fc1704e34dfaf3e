"""Files of visitors: whose they are, how many are kept, and when they are forgotten."""

from __future__ import annotations

import dataclasses

import pytest

from app import links, own_data_link, own_data_store
from app.own_data_store import Files, OwnFile, Visits
from app.slot_registry import FORGET_AFTER
from engine.tasks.own import OWN_DATA, known
from tests.app.own_data.conftest import series


def a_file(number: int, size: int = 10) -> OwnFile:
    return OwnFile((("sales.csv", bytes(size)),), series(fingerprint=f"{number:064x}"))


def test_the_newest_files_of_a_visitor_are_kept():
    files, kept = Files(), [a_file(number) for number in range(own_data_store.MAX_FILES + 1)]
    for file in kept:
        files.keep(file)
    assert files.newest_first == kept[:0:-1]
    files.use(kept[1])
    assert files.newest_first[0] is kept[1]


def test_a_file_that_is_kept_again_is_the_newest():
    files, kept = Files(), [a_file(number) for number in range(own_data_store.MAX_FILES + 1)]
    for file in (*kept, kept[0]):
        files.keep(file)
    assert files.newest_first == [kept[0], *kept[:1:-1]]


def test_the_oldest_of_all_visitors_go_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(own_data_store, "MAX_BYTES", 25)
    visits = Visits()
    one, two = visits.attach("one").files, visits.attach("two").files
    first, second, third = (a_file(number) for number in range(3))
    for files, file in ((one, first), (two, second), (one, third)):
        visits.keep(files, file)
    assert one.newest_first == [third] and two.newest_first == [second]


def test_files_belong_to_a_browser_and_go_with_its_last_tab():
    now = [0.0]
    visits = Visits(lambda: now[0])
    tab, other, stranger, nobody = (visits.attach(owner) for owner in ("one", "one", "two", ""))
    visits.keep(tab.files, a_file(1))
    assert other.files is tab.files and not stranger.files.newest_first and not nobody.files.newest_first
    visits.release(tab)
    now[0] = FORGET_AFTER + 1
    visits.expire()
    assert other.files.newest_first and visits.attach("one").files is other.files
    for visit in [visit for visit in visits._slots if visit.owner == "one"]:
        while visit.tabs > 0:
            visits.release(visit)
    now[0] += FORGET_AFTER + 1
    visits.expire()
    assert not visits.attach("one").files.newest_first


def test_whoever_brings_a_file_gets_a_task_with_their_own_name_of_it(monkeypatch: pytest.MonkeyPatch):
    theirs, files = a_file(9), Files()
    mine = OwnFile((("mine.csv", bytes(10)),), dataclasses.replace(theirs.dataset, name="mine.csv"))
    monkeypatch.setattr(own_data_store, "mine", lambda: files)
    assert own_data_store.task_here(mine.dataset.options) is None
    files.keep(mine)
    found = own_data_store.task_here(mine.dataset.options)
    assert found is mine.task and found is not theirs.task
    shown = links.read({"task": OWN_DATA, **own_data_link.to_link(mine.dataset.options, "mine.csv")})
    assert own_data_store.name_of(shown.experiment) == "mine.csv"


def test_a_kept_file_keeps_its_task_known():
    file = a_file(7)
    options = file.dataset.options
    assert known(options) is file.task
    del file
    assert known(options) is None
