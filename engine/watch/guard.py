"""An error of the lens never reaches the training that is watched: it becomes a refusal."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import ParamSpec

from engine.watch.refusal import RefusalError

P = ParamSpec("P")


class Guard:
    """Around all that runs within somebody's training. Whatever PyTorch is given to call is made by `hook`.

    Args:
        own_time: counts the time in it as the lens's own.

    Attributes:
        refusals: {name: sentence}, why something was not measured, by module; "*" for the whole model. In the order in
            which they were found.
    """

    def __init__(self, own_time: Callable[[], AbstractContextManager[None]]) -> None:
        self._own_time = own_time
        self.refusals: dict[str, str] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Catch what goes wrong in here, and count its time. name: of the module that is then refused, or "*"."""
        try:
            with self._own_time():
                yield
        except RefusalError as reason:
            self.refusals[name] = str(reason)
        except Exception as error:
            self.refusals[name] = f"{name}: the lens itself failed ({type(error).__name__}: {error}). Please report it."

    def hook(self, name: str, run: Callable[P, object]) -> Callable[P, None]:
        """The same function, guarded. It returns None, by which a hook of PyTorch changes nothing."""

        @functools.wraps(run)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
            with self.of(name):
                run(*args, **kwargs)

        return guarded
