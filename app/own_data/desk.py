"""What this tab is doing with files: what is being read, with which choices, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app import own_data_store, tab
from app.own_data_link import NeededData
from app.own_data_store import OwnFile
from engine.data import DataError
from engine.reading.job import Sources
from engine.reading.reading import Reading

DESK = "_own_data"  # name in the tab's storage
AT_ONCE = 0.4  # seconds that a page waits for a reading before it draws progress


@dataclass(eq=False)
class Desk:
    """The state of the page in one tab.

    Args:
        sources: the files that are being read, or were last.
        kind, choices: what was chosen instead of the reader's guesses.
        reading: in the background; None when it is over.
        error: why the last reading has failed. The file that was understood before stays.
        refused: why the files that were brought last are not read at all, in a sentence.
        file: what was understood last.
        needed: the data that a link asks for, and that are not here yet.
        link: the other settings of that link.
        address: the link that the page's address had when it was drawn last.
        let_go: of a link's settings, since another choice was made than the link's.
        trains: the link is opened as soon as its file is read.
        forgotten: the name of the file that was just forgotten.
        version: counts readings; widgets of an earlier one are drawn anew.
    """

    sources: Sources = ()
    kind: str | None = None
    choices: dict[str, Any] = field(default_factory=dict)
    reading: Reading | None = None
    error: DataError | None = None
    refused: str = ""
    file: OwnFile | None = None
    needed: NeededData | None = None
    link: dict[str, str] = field(default_factory=dict)
    address: dict[str, str] = field(default_factory=dict)
    let_go: bool = False
    trains: bool = False
    forgotten: str = ""
    version: int = 0

    def bring(self, sources: Sources) -> None:
        """Read other files: with the choices of the link that asks for them, else with none."""
        self._turn_to(None, sources)
        self.kind = self.needed.kind if self.needed else None
        self.choices = dict(self.needed.choices) if self.needed else {}
        self._begin()

    def refuse(self, why: str) -> None:
        """Read nothing of what was brought."""
        self.clear()
        self.refused = why

    def choose(self, changes: Mapping[str, Any], kind: str | None) -> None:
        """Read the same files again; a choice that is None is the reader's again.

        A link's settings belong to its own choices: they are let go.
        """
        self.stop()
        self.let_go = self.let_go or self.needed is not None
        self.leave_link()
        self.kind = kind
        self.choices = {name: value for name, value in {**self.choices, **changes}.items() if value is not None}
        self._begin()

    def show(self, file: OwnFile) -> None:
        """Show what was understood of a file before."""
        self._turn_to(file, file.sources)
        self._take_choices(file)
        self.version += 1

    def _take_choices(self, file: OwnFile) -> None:
        self.choices = dict(file.dataset.choices)
        self.kind = file.dataset.kind if file.chose_kind else None

    def clear(self) -> None:
        """Show no file, so that another one can be brought."""
        self._turn_to(None, ())
        self.version += 1

    def leave_link(self) -> None:
        """Forget the link."""
        self.needed, self.link = None, {}

    def _turn_to(self, file: OwnFile | None, sources: Sources) -> None:
        """Stop reading, and forget what was said of other files."""
        self.stop()
        self.file, self.sources, self.error, self.refused = file, sources, None, ""
        self.let_go, self.forgotten = False, ""

    def cancel(self) -> None:
        """Stop reading, and show what was understood before, if anything was."""
        if self.file is not None:
            self.show(self.file)
        else:
            self.clear()

    def stop(self) -> None:
        """Stop reading."""
        self.trains = False
        if self.reading is not None:
            self.reading.stop()
            self.reading = None

    def _begin(self) -> None:
        self.error, self.refused = None, ""
        self.reading = Reading(list(self.sources), self.kind, dict(self.choices))

    def wait(self) -> None:
        """Wait a moment for the reading: of a small file no progress needs to be drawn."""
        if self.reading is not None:
            self.reading.wait(AT_ONCE)

    def collect(self) -> bool:
        """Take over what a reading has found.

        Returns:
            True if one was over.
        """
        reading = self.reading
        if reading is None or not reading.done:
            return False
        self.reading, self.error = None, reading.error
        self.version += 1
        if reading.dataset is None and self.file is not None:  # what was understood before stays, with its choices
            self._take_choices(self.file)
        if reading.dataset is not None:
            self.file = OwnFile(self.sources, reading.dataset, chose_kind=self.kind is not None)
            own_data_store.keep(self.file)
        return True


def desk() -> Desk:
    """The state of the page in this tab."""
    found = tab.load(DESK)
    if found is None:
        tab.store(DESK, found := Desk())
    return found
