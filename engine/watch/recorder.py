"""Recording what a lens sees: one entry of a growing file for every look, and a page that follows such a file."""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
import warnings
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from engine.frame import Chain, Look
from engine.recording import RecordingError
from engine.recording.growing import FoundMistake, GrowingFile, RecordedLook, RecordedModule
from engine.watch.arguments import check_requested
from engine.watch.black_box import BlackBox
from engine.watch.flow import Flow
from engine.watch.guard import Guard
from engine.watch.mistakes import Mistake
from engine.watch.refusal import RefusalError
from engine.watch.report import TF32
from engine.watch.schedule import Cost
from engine.watch.screen import ScreenError, open_screen

NO_PASS = -1
"""In the place of the number of a backward pass: what is known without one."""
RECORDING = "recording"
"""Under this name stands in `refusals` why a look was not recorded."""


class Recorded(ABC):
    """What sees looks that can be recorded.

    Args:
        guard: what goes wrong in recording becomes one of its refusals.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._files: list[GrowingFile] = []
        self._requested: tuple[str, ...] = ()
        self._closed, self._ended_by = False, ""

    def _must_be_open(self, what: str) -> None:
        """Raises ValueError if watching has ended: nothing more will come."""
        if self._closed:
            raise ValueError(f"this lens is closed, and sees no more: call {what} before the training ends")

    def cut_short(self, error: BaseException) -> None:
        """An error ends the training. An exit without a fault is no such error."""
        if not isinstance(error, SystemExit) or error.code not in (None, 0):
            self._ended_by = type(error).__name__

    @property
    @abstractmethod
    def flows(self) -> Mapping[str, Flow]: ...
    @property
    @abstractmethod
    def mistakes(self) -> Sequence[Mistake]: ...
    @property
    @abstractmethod
    def refusals(self) -> Mapping[str, str]: ...
    @property
    @abstractmethod
    def cost(self) -> Cost: ...
    @abstractmethod
    def chain(self, name: str | None = None) -> Chain: ...
    @abstractmethod
    def frame(self, name: str | None = None, requested: Collection[str] = ()) -> Look: ...
    @property
    @abstractmethod
    def black_box(self) -> BlackBox: ...
    @property
    @abstractmethod
    def loss(self) -> float | None: ...

    def record(self, path: str | os.PathLike[str], requested: Collection[str] = ()) -> None:
        """Append every look from now on to a file, which the page "Open a recording" opens, also while it grows.

        The file holds at most 64 MB: when it is full, every second look is dropped. What cannot be written is a
        refusal, and never reaches the training.

        Args:
            path: is made anew; by convention it ends in ".looks".
            requested: readings that cost more, as ["spectrum"], of every look; see `Lens.frame`.

        Raises:
            RecordingError: if something else is there. OSError: if nothing can be written there. ValueError: if the
                lens is closed, or there is no such reading. TypeError: if `requested` is no list of names.
        """
        self._must_be_open("record")
        check_requested(requested)
        file = GrowingFile(path)
        self._requested = tuple(dict.fromkeys([*self._requested, *requested]))
        self._files.append(file)
        if self.refusals:  # also where no look will ever be possible, it is said why
            file.append(self._recorded(NO_PASS))

    def show(self, requested: Collection[str] = ()) -> str:
        """Record into a private folder, and open a page in the browser that follows it; returns its address at once.

        The page is a process of its own, on this machine alone. It survives the training, also a crash, and ends ten
        minutes after its last browser window was closed; the recording stays in its folder. Where the packages of the
        page are not installed, this is a warning, and "" is returned.

        Args:
            requested: as for `record`. Raises TypeError and ValueError as it does.
        """
        self._must_be_open("show")
        check_requested(requested)
        folder = Path(tempfile.mkdtemp(prefix="looks-"))  # which this user alone may enter
        self.record(folder / f"{Path(sys.argv[0]).stem or 'training'}.looks", requested)
        try:
            return open_screen(folder)
        except ScreenError as error:
            warnings.warn(str(error), UserWarning, stacklevel=2)
            return ""

    def _record(self, step: int) -> None:
        """Append what was measured in backward pass `step` to every file."""
        if not self._files:
            return
        self._guard.refusals.pop(RECORDING, None)
        with self._guard.of(RECORDING):
            self._append(self._recorded(step))

    def _append(self, look: RecordedLook) -> None:
        for file in self._files:
            try:
                file.append(look)
            except (OSError, RecordingError) as error:
                raise RefusalError(f"This look was not recorded in {file.path}: {error}") from error

    def _stop_recording(self, step: int) -> None:
        """Write what was said last, after `step` backward passes, and then no more."""
        if self._files:
            end = dataclasses.replace(self._recorded(NO_PASS), step=step, is_last=True, ended_by=self._ended_by)
            self._append(end)
        for file in self._files:
            file.close()
        self._files.clear()

    def _recorded(self, step: int) -> RecordedLook:
        """What was seen in this pass, and what was said so far."""
        modules = []
        for name, flow in self.flows.items():
            if flow.backward_pass != step:
                continue
            chain, look = self.chain(name), self.frame(name, self._requested)
            precision = TF32 if flow.is_coarse else ""
            modules.append(
                RecordedModule(
                    name=name, chain=chain, look=look, links=flow.links, proof=flow.proof, precision=precision
                )
            )
        return RecordedLook(
            step=max(step, 0),
            modules=tuple(modules),
            mistakes=tuple(FoundMistake(each.kind, each.module, each.sentence, each.cure) for each in self.mistakes),
            refusals=self.refusals,
            story=self.black_box.story,
            cost=str(self.cost),
            loss=self.loss if modules else None,
            requested=self._requested,
        )
