"""The file in which whoever runs a server says how: TOML, a table for each dataclass that is filled from it.

It is the one that PLAYGROUND_SETTINGS names, or `playground.toml` in the working directory. What it does not say stays
as the dataclass has it; what it says wrongly is refused, by name.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, TypeVar

VARIABLE = "PLAYGROUND_SETTINGS"
"""The environment variable that names the file; processes that the server starts find it by this, too."""
NAME = "playground.toml"
TABLES = ("server", "limits")


class SettingsError(ValueError):
    """What the file says is wrong: a sentence that names the setting, what it got and what it accepts."""

    def __init__(self, name: str, *, got: object, accepts: str) -> None:
        super().__init__(f"{name} must be {accepts}, but got {got!r}.")


def settings_file() -> Path | None:
    """The file; None if there is none.

    Raises:
        SettingsError: if the environment names one that is not there.
    """
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise SettingsError(VARIABLE, got=named, accepts="the path of a file that is there")
        return Path(named)
    here = Path(NAME)
    return here if here.is_file() else None


def pass_on() -> None:
    """Let every process that is started from now on find the same file, wherever it works."""
    if (file := settings_file()) is not None:
        os.environ[VARIABLE] = str(file.resolve())


def table(name: str) -> dict[str, Any]:
    """What the file says in one of TABLES; empty if it says nothing there, or if there is no file.

    Raises:
        SettingsError: if it is no TOML, or has another table.
    """
    file = settings_file()
    if file is None:
        return {}
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(file), got=str(error), accepts="a file in TOML") from error
    for key, value in content.items():
        if key not in TABLES or not isinstance(value, dict):
            raise SettingsError(f"{file}: {key}", got=value, accepts=f"one of the tables [{'], ['.join(TABLES)}]")
    return dict(content.get(name, {}))


T = TypeVar("T")


def filled(kind: type[T], name: str) -> T:
    """A dataclass, made of what the file says in this table.

    Raises:
        SettingsError: for a name that it does not have. The dataclass refuses wrong values itself.
    """
    given, names = table(name), [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    for key, value in given.items():
        if key not in names:
            like = difflib.get_close_matches(key, names, n=1)
            accepts = f"left out; did you mean {name}.{like[0]}" if like else f"one of {', '.join(sorted(names))}"
            raise SettingsError(f"{name}.{key}", got=value, accepts=accepts)
    return kind(**given)
