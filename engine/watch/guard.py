"""An error of the lens never reaches the training that is watched: it becomes a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.watch.refusal import RefusalError


class Guard:
    """Keeps why something was not measured, by module; "*" for the whole model.

    Attributes:
        refusals: {name: sentence}, in the order in which they were found.
    """

    def __init__(self) -> None:
        self.refusals: dict[str, str] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Catch what goes wrong in here."""
        try:
            yield
        except RefusalError as reason:
            self.refusals[name] = str(reason)
        except Exception as error:
            self.refusals[name] = f"{name}: the lens itself failed ({type(error).__name__}: {error}). Please report it."
