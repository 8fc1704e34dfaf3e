"""The recordings that are open on this server: one for each browser tab, or for all of them one of each file."""

from __future__ import annotations

import secrets
from pathlib import Path

from app.slot_registry import SlotRegistry, TabSlot
from app.watched.training import WatchedTraining
from engine.recording.growing import Follower, read_looks
from engine.recording.growing.folder import folder, names


class WatchedSlot(TabSlot):
    """One open recording."""

    def __init__(self, owner: str, training: WatchedTraining) -> None:
        super().__init__(owner)
        self.training = training
        self._token = secrets.token_urlsafe(16)

    @property
    def token(self) -> str:
        """The name by which a socket finds it."""
        return self._token

    def stop(self) -> None:
        """Nothing runs."""


WATCHED: SlotRegistry[WatchedSlot] = SlotRegistry()


def follow(owner: str, name: str) -> WatchedSlot:
    """Open a file of this server's folder by its name, for one more tab.

    Raises:
        LookupError: if there is none of this name.
    """
    place = folder()
    if place is None or name not in names(place):
        raise LookupError(f"{name} is no recording in this server's folder")
    return WATCHED.find_or_create(
        owner,
        lambda slot: slot.training.name == name and slot.training.is_followed,
        lambda: WatchedSlot(owner, WatchedTraining(name, Follower(Path(place, name)))),
    )


def opened(owner: str, name: str, content: bytes) -> WatchedSlot:
    """Open a file that was uploaded, for one more tab.

    Raises:
        RecordingError: with a sentence, if it cannot be read.
    """
    training = WatchedTraining(name, None, read_looks(content))
    return WATCHED.find_or_create(owner, lambda slot: False, lambda: WatchedSlot(owner, training))
