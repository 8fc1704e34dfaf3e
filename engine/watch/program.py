"""Somebody's program, run as Python itself would run it, and watched: `python -m engine watch train.py`."""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, TracebackType

from engine.package import ROOT, TOP
from engine.watch.arguments import check_requested
from engine.watch.guard import without_own_frames
from engine.watch.lens import Lens
from engine.watch.scaler import UsedScaler

OURS = ROOT / "engine"
RUNPY = runpy.run_module.__code__.co_filename
NOTHING_TO_WATCH = (
    "no model with nn.RNN, nn.GRU, nn.LSTM or one of their cells was called with gradients enabled. For a hand-written "
    'loop write `with watch(model) as lens` in the script, and call lens.state("h", h) at every step.'
)

Say = Callable[[str], None]
"""Shows a text to the user, apart from what the program itself prints."""


class ProgramError(Exception):
    """A program that is not there."""


@dataclass(frozen=True)
class Program:
    """What is run.

    Args:
        name: of a file, or of a module as `python -m` takes it. arguments: the program's own.

    Raises:
        ProgramError: if there is no such program.
    """

    name: str
    arguments: tuple[str, ...]
    is_module: bool

    def __post_init__(self) -> None:
        if not self.is_module and not Path(self.name).is_file():
            raise ProgramError(f"there is no file {self.name}")
        if self.is_module and not _is_found(self.name):
            raise ProgramError(f"there is no module {self.name} to be found from {Path.cwd()}")

    @property
    def folder(self) -> Path:
        """Where its imports are looked for first."""
        if self.is_module:
            return Path.cwd()
        return Path(self.name).resolve().parent

    def run(self) -> None:
        """Run it as the main program. What it raises is its own, SystemExit included."""
        with _interpreter_of(self), _without_our_package(self.folder):
            if self.is_module:
                runpy.run_module(self.name, run_name="__main__", alter_sys=True)
            else:
                _run_file(Path(self.name).absolute())


def _run_file(path: Path) -> None:
    """As `runpy.run_path` does, but with sys.argv[0] as it was given."""
    before, main = sys.modules["__main__"], ModuleType("__main__")
    main.__file__ = str(path)
    sys.modules["__main__"] = main
    try:
        exec(compile(path.read_bytes(), str(path), "exec", dont_inherit=True), vars(main))
    finally:
        sys.modules["__main__"] = before


def _is_found(module: str) -> bool:
    with _first_on_path(str(Path.cwd())):
        try:
            return find_spec(module) is not None
        except (ImportError, ValueError):  # a parent that is missing, or no name of a module
            return False


@contextmanager
def _first_on_path(folder: str) -> Iterator[None]:
    before = sys.path[:]
    sys.path[:1] = [folder]  # in place of the folder of `python -m engine`
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _interpreter_of(program: Program) -> Iterator[None]:
    before = sys.argv
    sys.argv = [program.name, *program.arguments]
    try:
        with _first_on_path(str(program.folder)):
            yield
    finally:
        sys.argv = before


@contextmanager
def _without_our_package(folder: Path) -> Iterator[None]:
    """Many projects have an `engine` of their own: where one lies in the folder, `import engine` must find it."""
    if not (folder / f"{TOP}.py").exists() and not (folder / TOP).is_dir():
        yield
        return
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] == TOP}
    for name in ours:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.modules.update(ours)


class WatchedProgram:
    """A program with a lens on every model that it trains.

    Args:
        share, every, rows: see `watch`. record: a file into which the looks are written. requested: what is measured of
            each of them that costs more; see `Lens.record`.

    Raises:
        ValueError: if one of them is out of range. RecordingError, OSError: if the file cannot be made.
    """

    def __init__(
        self,
        program: Program,
        *,
        share: float = 0.05,
        every: int | None = None,
        rows: int | None = 16,
        record: str | None = None,
        requested: Sequence[str] = (),
    ) -> None:
        check_requested(requested)
        self._program, self._scaler, self._requested = program, UsedScaler(), requested
        self._lens = Lens(None, share, every, rows, self._scaler)
        if record is not None:
            try:
                self._lens.record(record, requested)
            except BaseException:
                self._lens.close(warn=False)  # nothing is run, so nothing is to be heard
                raise

    def show(self) -> str:
        """Open a page in the browser that follows the looks; returns its address, see `Lens.show`."""
        return self._lens.show(self._requested)

    def run(self, say: Say) -> None:
        """Run it, and say what was found. What it raises is raised, as if it had been run without us.

        A changed verdict and every mistake are said at once, all the rest at the end: also after Ctrl-C and before the
        traceback of an error.
        """
        process = os.getpid()
        self._lens.on("change", lambda finding: say(f"watch: {finding}"))
        has_ended_well = False
        try:
            with self._scaler.found():
                self._program.run()
            has_ended_well = True
        except BaseException as error:
            self._lens.cut_short(error)
            _show_only_its_own_frames()
            raise
        finally:
            if os.getpid() == process:  # not in a child that the program has forked
                self._lens.close(warn=False)
                if has_ended_well or self._has_found or self._lens.has_heard:
                    say(f"\n{self._lens}" if self._has_found else f"watch: {NOTHING_TO_WATCH}")

    @property
    def _has_found(self) -> bool:
        return bool(self._lens.flows or self._lens.mistakes or self._lens.refusals)


def _show_only_its_own_frames() -> None:
    """A traceback then begins in the program, as if nobody had run it for us."""
    shows = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        own = trace
        while own is not None and _is_ours(own.tb_frame.f_code.co_filename):
            own = own.tb_next
        own = without_own_frames(own)
        shows(kind, error.with_traceback(own), own)

    sys.excepthook = hook


def _is_ours(file: str) -> bool:
    started = getattr(sys.modules["__main__"], "__file__", None)  # the command, where this package is installed
    return file in (RUNPY, started) or Path(file).is_relative_to(OURS)
