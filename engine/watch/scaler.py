"""The factor by which a training multiplies its loss, for half precision."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import torch


class Scaler(Protocol):
    """What is needed of a `torch.amp.GradScaler`."""

    def get_scale(self) -> float:
        """By what the loss is multiplied."""


class UsedScaler:
    """Whichever `torch.amp.GradScaler` scaled a loss last; a factor of 1 as long as none did."""

    def __init__(self) -> None:
        self._last: weakref.ref[Any] | None = None

    def get_scale(self) -> float:
        """By what the loss is multiplied."""
        scaler = None if self._last is None else self._last()
        return 1.0 if scaler is None else float(scaler.get_scale())

    @contextmanager
    def found(self) -> Iterator[None]:
        """Notice the scalers that are used in here."""
        scale = torch.amp.GradScaler.scale

        def noticed(scaler: torch.amp.GradScaler, outputs: Any) -> Any:
            self._last = weakref.ref(scaler)
            return scale(scaler, outputs)

        setattr(torch.amp.GradScaler, "scale", noticed)  # noqa: B010 - to assign a method is no type error so
        try:
            yield
        finally:
            setattr(torch.amp.GradScaler, "scale", scale)  # noqa: B010
