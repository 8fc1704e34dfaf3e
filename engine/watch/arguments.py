"""Arguments that somebody gives to the lens by hand: what is wrong with one is said at once, in a sentence."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import Tensor, nn

from engine.frame.reading_request import READING_ARGUMENTS, ReadingRequest


def check_model(model: Any) -> None:
    """Raises TypeError if it is no model."""
    if not isinstance(model, nn.Module):
        raise TypeError(f"model is {_what(model)}: a torch.nn.Module is expected")


def check_choices(share: Any, every: Any, rows: Any, scaler: Any) -> None:
    """Raises TypeError if a choice of `watch` is not of its kind, and ValueError if it is out of range."""
    if not hasattr(share, "__float__"):
        raise TypeError(f"share is {_what(share)}: a share of the time, as 0.05, is expected")
    if not 0 < share <= 1:
        raise ValueError(f"share is {share}: a share of the time, more than 0 and at most 1, is expected")
    _check_count("every", every, "a whole number of backward passes, 1 or more, or None is expected")
    _check_count("rows", rows, "a whole number of sequences, 1 or more, or None for all is expected")
    if scaler is not None and not callable(getattr(scaler, "get_scale", None)):
        raise TypeError(f"scaler is {_what(scaler)}: a torch.amp.GradScaler or None is expected")


def check_state(name: Any, state: Any) -> None:
    """Raises TypeError if this is no state with its name, and ValueError if it has no units."""
    check_name(name)
    if isinstance(state, tuple | list):
        raise TypeError(
            f"the state {name} is {_what(state)}: one tensor is expected. Show each under a name of its own, as "
            'lens.state("h", h) and lens.state("c", c)'
        )
    if not isinstance(state, Tensor):
        raise TypeError(f"the state {name} is {_what(state)}: a tensor is expected")
    if not state.ndim:
        raise ValueError(f"the state {name} is a single number: a tensor of (B, units) or (units,) is expected")


def check_name(name: Any) -> None:
    """Raises TypeError if it is no name."""
    if not isinstance(name, str):
        raise TypeError(f"name is {_what(name)}: a string is expected, the name of a module or of a shown state")


def check_requested(requested: Collection[str]) -> None:
    """Raises TypeError if these are no names of readings, and ValueError if there is none of such a name."""
    if isinstance(requested, str) or not all(isinstance(each, str) for each in requested):
        raise TypeError(f'requested is {requested!r}: a list of readings is expected, as ["spectrum"]')
    if unknown := [each for each in requested if ReadingRequest.parse(each) is None]:
        known = ", ".join(":".join([name, *map(str.upper, given)]) for name, given in READING_ARGUMENTS.items())
        raise ValueError(f"requested has {unknown[0]!r}: {known} can be asked for")


def check_callback(callback: Any) -> None:
    """Raises TypeError if it cannot be called."""
    if not callable(callback):
        raise TypeError(f"callback is {_what(callback)}: a function of one finding is expected, as print")


def _check_count(name: str, value: Any, expected: str) -> None:
    if value is not None and not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {_what(value)}: {expected}")
    if value is not None and value < 1:
        raise ValueError(f"{name} is {value}: {expected}")


def _what(value: Any) -> str:
    """A value in few words."""
    if value is None or isinstance(value, str | int | float):
        return repr(value)
    return f"of the type {type(value).__name__}"
