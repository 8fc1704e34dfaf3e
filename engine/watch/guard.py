"""An error of the lens never reaches the training that is watched: it becomes a refusal."""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from engine.recording.growing import WHOLE_MODEL
from engine.watch.refusal import RefusalError
from engine.watch.surroundings import OnCPU

OWN = Path(__file__).parent
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def without_own_frames(trace: TracebackType | None) -> TracebackType | None:
    """A traceback as if nobody watched: without the frames of functions that stand around PyTorch's."""
    first = here = _next_of_others(trace)
    while here is not None:
        here.tb_next = _next_of_others(here.tb_next)
        here = here.tb_next
    return first


def _next_of_others(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and Path(trace.tb_frame.f_code.co_filename).is_relative_to(OWN):
        trace = trace.tb_next
    return trace


class Guarded:
    """One entry into a guard: a class, for it is entered at every call of a cell."""

    __slots__ = ("_guard", "_name", "_on_cpu", "_time")

    def __init__(self, guard: Guard, name: str, own_time: AbstractContextManager[None]) -> None:
        self._guard, self._name, self._time, self._on_cpu = guard, name, own_time, OnCPU()

    def __enter__(self) -> None:
        self._time.__enter__()
        self._on_cpu.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._on_cpu.__exit__(kind, error, trace)
        self._time.__exit__(kind, error, trace)
        if not isinstance(error, Exception):  # nothing, or Ctrl-C
            return False
        self._guard.failed(self._name, error)
        return True


class Guard:
    """Around all that runs within somebody's training. Whatever PyTorch is given to call is made by `hook`.

    Args:
        own_time: counts the time in it as the lens's own.

    Attributes:
        refusals: {name: sentence}, why something was not measured, by module, or by WHOLE_MODEL. In the order in
            which they were found.
    """

    def __init__(self, own_time: Callable[[], AbstractContextManager[None]]) -> None:
        self._own_time = own_time
        self.refusals: dict[str, str] = {}

    def of(self, name: str) -> Guarded:
        """Catch what goes wrong in here, and count its time. name: what is then refused, a module or WHOLE_MODEL."""
        return Guarded(self, name, self._own_time())

    def failed(self, name: str, error: Exception) -> None:
        """Something went wrong."""
        if isinstance(error, RefusalError):
            self.refusals[name] = str(error)
        else:
            what = "The lens itself failed" if name == WHOLE_MODEL else f"{name}: the lens itself failed"
            self.refusals[name] = f"{what} ({type(error).__name__}: {error}). Please report it."

    def hook(self, name: str, run: Callable[P, object]) -> Callable[P, None]:
        """The same function, guarded. It returns None, by which a hook of PyTorch changes nothing."""

        @functools.wraps(run)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with self.of(name):
                run(*args, **kwargs)

        return guarded

    def around(
        self,
        name: str,
        run: Callable[P, R],
        begins: Callable[[tuple[Any, ...], dict[str, Any]], T],
        ends: Callable[[T], object],
    ) -> Callable[P, R]:
        """The same function, with something guarded before and after it.

        Args:
            begins: gets the arguments of a call. ends: gets what `begins` has returned, if it has.
        """

        @functools.wraps(run)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            begun: list[T] = []
            with self.of(name):
                begun.append(begins(args, kwargs))
            try:
                return run(*args, **kwargs)
            finally:
                with self.of(name):
                    for each in begun:
                        ends(each)

        return guarded
