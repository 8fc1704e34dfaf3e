"""The files that a visitor has brought, and what was understood of them: for their owner alone.

They are kept in the server's memory, and one list is shared by all tabs of a browser, which the cookie tells apart;
without it, by the tab alone. It goes with the last of them (`slot_registry` says when). A task of own data is known to
the engine only as long as something uses it, so it is held here.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from app import tab
from app.slot_registry import SlotRegistry, TabSlot
from engine.data import Dataset
from engine.data.dataset import dataset_of
from engine.experiment import Experiment
from engine.limits import LIMITS
from engine.preset import list_presets
from engine.reading.job import Sources
from engine.tasks import OWN_DATA, Task
from engine.tasks.own import RecordedTask, known

MAX_FILES, MAX_BYTES = LIMITS.files_per_visitor, LIMITS.files_megabytes * 1_000_000
"""Files of one visitor, and bytes of the files of all; those not used for longest are forgotten first."""
OPTION = f"{OWN_DATA}~"  # what the name of a file in the list of data begins with
DIGITS = 16  # of the fingerprint, which follow: the same file under another name is one entry
VISIT = "_own_data_visit"  # name in the tab's storage

_count = itertools.count(1)


@dataclass(eq=False)
class OwnFile:
    """A file, or several that belong together, and what was understood.

    Args:
        sources: the files themselves: with another choice they are read again.
        chose_kind: a person has chosen the kind of the data.
        used: a number that is higher, the later it was brought, understood anew or trained on.
    """

    sources: Sources
    dataset: Dataset
    chose_kind: bool = False
    used: int = field(default_factory=lambda: next(_count))

    def __post_init__(self) -> None:
        self.task: Task = self.dataset.to_task()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.dataset.name

    @property
    def fingerprint(self) -> str:
        """Says in links which file it is."""
        return self.dataset.fingerprint

    @property
    def option(self) -> str:
        """What stands for it in the list of data."""
        return _option(self.fingerprint)

    @property
    def bytes(self) -> int:
        """Bytes of its sources. The numbers made of them take about as many again."""
        return sum(len(data) for _, data in self.sources)


class Files:
    """The files of one visitor, by fingerprint."""

    def __init__(self) -> None:
        self._files: dict[str, OwnFile] = {}  # replaced, never changed: other tabs read it meanwhile

    @property
    def newest_first(self) -> list[OwnFile]:
        """All of them, the one that was used last first."""
        return sorted(self._files.values(), key=lambda file: -file.used)

    def find(self, fingerprint: object) -> OwnFile | None:
        """The file with this fingerprint; None if the visitor has not brought it, or it was forgotten."""
        return self._files.get(str(fingerprint))

    def keep(self, file: OwnFile) -> None:
        """Keep a file that is used now, in the place of the same file understood otherwise or under another name."""
        self.use(file)
        self._files = {**self._files, file.fingerprint: file}
        for old in self.newest_first[MAX_FILES:]:
            self.forget(old)

    def forget(self, file: OwnFile) -> None:
        """Forget a file; a run that trains on it goes on."""
        self._files = {name: other for name, other in self._files.items() if other.fingerprint != file.fingerprint}

    def use(self, file: OwnFile) -> None:
        """Note that it is used now."""
        file.used = next(_count)


class Visit(TabSlot):
    """A tab of a visitor who may bring files; all tabs of a browser share them."""

    def __init__(self, owner: str, files: Files) -> None:
        super().__init__(owner)
        self.files = files
        self._token = secrets.token_urlsafe(16)

    @property
    def token(self) -> str:
        """No socket finds a visit; this one is never told."""
        return self._token

    def stop(self) -> None:
        """Forget the files, unless another tab of the browser shares them."""
        self.files = Files()


class Visits(SlotRegistry[Visit]):
    """All visits on this server."""

    def attach(self, owner: str) -> Visit:
        """A visit for a new tab, with the files that its browser has brought."""

        def create() -> Visit:
            shared = next((visit.files for visit in self._slots if owner and visit.owner == owner), None)
            return Visit(owner, shared or Files())

        return self.find_or_create(owner, lambda _: True, create)

    def keep(self, files: Files, file: OwnFile) -> None:
        """Keep a file of a visitor, and forget the oldest of all files where they are too many bytes."""
        files.keep(file)
        with self._lock:
            every = {id(own): (own, whose) for visit in self._slots for whose in [visit.files]
                     for own in whose.newest_first}  # fmt: skip
        total = sum(own.bytes for own, _ in every.values())
        for oldest, whose in sorted(every.values(), key=lambda entry: entry[0].used):
            if total <= MAX_BYTES or oldest is file:
                break
            whose.forget(oldest)
            total -= oldest.bytes

    def of(self, owner: str, experiment: Experiment) -> OwnFile | None:
        """The file that an experiment trains on, if this browser has brought it and it was not forgotten.

        Args:
            owner: the browser's cookie; "" has no files.
        """
        with self._lock:
            every = [visit.files for visit in self._slots if owner and visit.owner == owner]
        return next(filter(None, (files.find(experiment.task_options.get("data")) for files in every)), None)


VISITS = Visits()


@st.cache_resource(scope="session", on_release=VISITS.release, show_spinner=False)
def _attached(_owner: str, _visit: Visit | None) -> Visit:
    """Called once per session; a dropped connection clears it, and a reconnect acquires the same visit again."""
    if _visit is not None:
        VISITS.acquire(_visit)
        return _visit
    return VISITS.attach(_owner)


def mine() -> Files:
    """This visitor's files."""
    visit = _attached(st.context.cookies.get("playground", ""), tab.load(VISIT))
    tab.store(VISIT, visit)
    return visit.files


def keep(file: OwnFile) -> None:
    """Keep a file of this visitor, which is used now; also one that was forgotten meanwhile."""
    VISITS.keep(mine(), file)


# ---- the list of data, where each file stands for a task


def is_option(option: object) -> bool:
    """True for an entry of the list of data that is a file of somebody's own."""
    return isinstance(option, str) and option.startswith(OPTION)


def option_of(experiment: Experiment) -> str:
    """The entry of the list of data that stands for this experiment's data."""
    if experiment.task != OWN_DATA:
        return experiment.task
    return _option(str(experiment.task_options.get("data")))


def _option(fingerprint: str) -> str:
    return f"{OPTION}{fingerprint[:DIGITS]}"


def name_of(experiment: Experiment) -> str:
    """The name of the file that an experiment on own data trains on."""
    task, dataset = experiment.definition, dataset_of(experiment)
    if dataset is not None:
        return dataset.name
    return task.file if isinstance(task, RecordedTask) else task.title


def file_of(option: str) -> OwnFile | None:
    """This visitor's file that an entry of the list of data stands for; None if it was forgotten."""
    if not is_option(option):
        return None
    return next((file for file in mine().newest_first if file.option == option), None)


def task_here(options: Mapping[str, Any]) -> Task | None:
    """The task of these `task_options`, if this visitor has brought its file and it was understood in this very way.

    Others may have brought the same file: what they have brought is theirs, so a fingerprint alone opens nothing. Data
    of a teacher's lesson are for everybody.
    """
    file = mine().find(options.get("data"))
    own = None if file is None else known(options, file.name)
    lessons = (preset.experiment for preset in list_presets() if preset.data)
    return own or next((each.definition for each in lessons if each.task_options == options), None)
