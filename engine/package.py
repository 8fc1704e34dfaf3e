"""Where this package stands, and what it is called: `engine` in a clone, `rnn_playground.engine` once installed."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.resources import files
from pathlib import Path

NAME = __name__.rpartition(".")[0]
"""The name under which this package is imported."""
TOP = NAME.partition(".")[0]
"""The name that a program would have to use as well, to hide this package."""
IS_INSTALLED = TOP != NAME
ROOT = Path(str(files(NAME))).parent
"""The folder in which engine, app, presets and lessons stand."""
TOP_FOLDER = Path(str(files(TOP)))
"""The folder that has to be copied to a machine on which this package is to be imported."""
IMPORTED_FROM = TOP_FOLDER.parent
"""The folder that has to be on the path."""


def version() -> str:
    """What is installed, by its number; a clone has none."""
    try:
        return version_of("rnn-playground") if IS_INSTALLED else "a clone of the project"
    except PackageNotFoundError:  # copied to a machine of a cluster
        return "a copy"
