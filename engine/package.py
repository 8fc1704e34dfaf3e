"""Where this package stands, and what it is called: `engine` in a clone, `rnn_playground.engine` once installed."""

from __future__ import annotations

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
